import { defineConfig } from 'vitest/config'

const shared = { testTimeout: 20_000, hookTimeout: 90_000 }

export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['**/*.test.ts', '**/*.test.tsx'],
          exclude: ['**/*.db.test.*', '**/node_modules/**', '**/dist/**'],
        },
      },
      {
        test: {
          ...shared,
          name: 'database',
          include: ['**/*.db.test.ts', '**/*.db.test.tsx'],
          exclude: ['**/node_modules/**', '**/dist/**'],
          maxWorkers: 2,
        },
      },
    ],
  },
})
