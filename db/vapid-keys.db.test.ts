import { afterAll, beforeAll, expect, test } from 'vitest'
import { signingKey } from '../alerts/channels/push-crypto.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import type { Queryable } from './pool.js'
import { vapidKeysOf } from './vapid-keys.js'

let database: TestDatabase
const now = new Date('2026-03-10T06:00:00Z')
beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())

/** A database at which the first `count` looks are answered together: each has seen that there are no keys. */
function together(db: Queryable, count: number): Queryable {
  let looked = 0
  let release: () => void = () => undefined
  const all = new Promise<void>((resolve) => {
    release = resolve
  })
  const query = async (...args: Parameters<Queryable['query']>) => {
    const result = await db.query(...args)
    looked += 1
    if (looked === count) release()
    if (looked <= count) await all
    return result
  }
  return { query } as unknown as Queryable
}

test('the keys are made once, whoever asks first, and stay', async () => {
  const { db } = database
  const six = together(db, 6)
  const asked = await Promise.all(Array.from({ length: 6 }, () => vapidKeysOf(six, now)))
  expect(new Set(asked.map(({ publicKey }) => publicKey)).size).toBe(1)
  expect(() => signingKey(asked[0]!)).not.toThrow()
  expect(await vapidKeysOf(db, new Date(now.getTime() + 86_400_000))).toEqual(asked[0])
  const { rows } = await db.query('select created_at from vapid_keys')
  expect(rows).toEqual([{ created_at: now }])
})
