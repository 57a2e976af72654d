import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { findWatermark, recordHeartbeat, recordPresence } from './presence.js'

let database: TestDatabase
const at = (seconds: number) => new Date(Date.UTC(2026, 4, 1) + seconds * 1_000)

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'e', homes: 2, now: at(0) })
})
afterAll(() => database.stop())

const beat = (edgeId: string, seconds: number, keptSince: Date | null = null) =>
  recordHeartbeat(database.db, { edgeId, now: at(seconds), keptSince })
const watermark = (seconds: number) => findWatermark(database.db, { beatBefore: at(seconds) })

test('is where an edge holds something, or was heard last while its gateways still count as online', async () => {
  expect(await watermark(0)).toBeNull()
  await beat('a', 100)
  await beat('b', 100)
  expect(await watermark(90)).toBeNull()
  // Not heard since, but nobody is at it.
  expect(await watermark(110)).toBeNull()
  await recordPresence(database.db, {
    edgeId: 'a',
    changes: [{ gatewayId: 'e-1', online: true, at: at(100).getTime() }],
  })
  expect(await watermark(110)).toEqual(at(100))
  await beat('a', 120, at(40))
  expect(await watermark(110)).toEqual(at(40))
  await beat('b', 120, at(30))
  expect(await watermark(110)).toEqual(at(30))
  await beat('b', 121)
  await beat('a', 121)
  expect(await watermark(110)).toBeNull()
})
