import { existsSync } from 'node:fs'
import { defineConfig } from 'vitest/config'

const shared = { testTimeout: 20_000, hookTimeout: 90_000 }
const never = ['**/node_modules/**', '**/dist/**', 'data/**']

// Debian's packages. In CI they have to be there.
const hasPackage = (name: string, tests: string): boolean => {
  const found = Boolean(process.env.CI) || existsSync(`/usr/sbin/${name}`)
  if (!found) console.warn(`${name} is not installed: test/${tests} do not run here.`)
  return found
}
const withoutPackages = [
  ...(hasPackage('mosquitto', 'mosquitto-*.native.loop.test.ts') ? [] : ['**/mosquitto-*.native.loop.test.*']),
  ...(hasPackage('dovecot', 'imap-*.native.loop.test.ts') ? [] : ['**/imap-*.native.loop.test.*']),
]

// unit: beside their files, no database. database: one file a database of its own. loop: whole processes, timings, kills
// and browsers, one after the other, so that they measure themselves and not each other.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['**/*.test.{ts,tsx}'],
          exclude: [...never, '**/*.db.test.*', '**/*.native.test.*', '**/*.loop.test.*'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'database',
          // Some contend for rows in two sessions: only a native server has two.
          include: ['**/*.db.test.{ts,tsx}', ...(process.env.TEST_DATABASE_URL ? ['**/*.native.test.ts'] : [])],
          exclude: [...never, ...(process.env.TEST_DATABASE_URL ? ['db/embedded/**'] : [])],
          // With the embedded database each file brings a server of its own.
          maxWorkers: process.env.TEST_DATABASE_URL ? 3 : 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'loop',
          include: ['**/*.loop.test.{ts,tsx}'],
          // Each run has its database; what needs the other one is for the other run.
          exclude: [
            ...never,
            process.env.TEST_DATABASE_URL ? '**/*.embedded.loop.test.*' : '**/*.native.loop.test.*',
            ...withoutPackages,
          ],
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
    ],
  },
})
