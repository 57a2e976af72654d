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

const isNative = Boolean(process.env.TEST_DATABASE_URL)
/**
 * CI runs both databases one after the other: what takes the embedded one three times as long runs there on the native one
 * alone, and what cares little for the database on the embedded one. Elsewhere `npm test` runs all of it.
 */
const slowWhenEmbedded = ['dashboard/**', 'ingest/**', 'alerts/**', 'test/*.db.test.ts']
const elsewhere = isNative ? ['db/embedded/**', 'test/simulation/**'] : process.env.CI ? slowWhenEmbedded : []

// unit: beside their files, no database. database: one file a database of its own. browser: pages in a real Chromium, two at
// a time. loop: whole processes, timings and kills, one after the other, so that they measure themselves and not each other.
export default defineConfig({
  test: {
    projects: [
      {
        test: {
          ...shared,
          name: 'unit',
          include: ['**/*.test.{ts,tsx}'],
          exclude: [...never, '**/*.{db,native,browser,loop}.test.*'],
          maxWorkers: 2,
          sequence: { groupOrder: 0 },
        },
      },
      {
        test: {
          ...shared,
          name: 'database',
          // Some contend for rows in two sessions: only a native server has two.
          include: ['**/*.db.test.{ts,tsx}', ...(isNative ? ['**/*.native.test.ts'] : [])],
          exclude: [...never, ...elsewhere],
          // With the embedded database each file brings a server of its own.
          maxWorkers: isNative ? 3 : 2,
          sequence: { groupOrder: 1 },
        },
      },
      {
        test: {
          ...shared,
          name: 'browser',
          include: ['**/*.browser.test.ts'],
          exclude: never,
          maxWorkers: 2,
          testTimeout: 120_000,
          sequence: { groupOrder: 2 },
        },
      },
      {
        test: {
          ...shared,
          name: 'loop',
          include: ['**/*.loop.test.{ts,tsx}'],
          // Each run has its database; what needs the other one is for the other run.
          exclude: [...never, isNative ? '**/*.embedded.loop.test.*' : '**/*.native.loop.test.*', ...withoutPackages],
          maxWorkers: 1,
          fileParallelism: false,
          testTimeout: 120_000,
          sequence: { groupOrder: 3 },
        },
      },
    ],
  },
})
