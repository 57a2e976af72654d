import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { forgetSession, holdSessions, releaseSessions, saveSessionFilters } from './attach-sessions.js'
import { findBaseTopicClash, listAttachedGateways } from './attached.js'
import { findMissedOnline } from './presence.js'

let database: TestDatabase
beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'c', homes: 4 })
  await database.db.query(
    `update gateways set via = 'attached', base_topics = case gateway_id when 'c-1' then array['zigbee2mqtt', 'tele/a'] else '{}' end
      where gateway_id in ('c-1', 'c-2')`,
  )
  await database.db.query(`update gateways set base_topics = array['shellies/x'] where gateway_id = 'c-3'`)
})
afterAll(() => database?.stop())
beforeEach(() => database.db.query('truncate attach_sessions, attach_edges'))

const start = new Date('2026-11-20T08:00:00Z').getTime()
const leaseMs = 10_000
const hold = async (edgeId: string, afterMs: number, keep: number[] = [], sessions = 2) => {
  const answer = await holdSessions(database.db, { edgeId, sessions, keep, now: new Date(start + afterMs), leaseMs })
  return { share: answer.share, nos: answer.held.map(({ sessionNo }) => sessionNo) }
}

test('lists the attached ones that are not switched off', async () => {
  await database.db.query(`update gateways set disabled_at = now() where gateway_id = 'c-2'`)
  expect(await listAttachedGateways(database.db)).toEqual([
    { gatewayId: 'c-1', baseTopics: ['zigbee2mqtt', 'tele/a'], heardAt: null },
  ])
  await database.db.query(`update gateways set disabled_at = null where gateway_id = 'c-2'`)
  expect((await listAttachedGateways(database.db)).map(({ gatewayId }) => gatewayId)).toEqual(['c-1', 'c-2'])
})

test.each([
  [['zigbee2mqtt'], { topic: 'zigbee2mqtt', gatewayId: 'c-1' }],
  [['x', 'tele'], { topic: 'tele', gatewayId: 'c-1' }],
  [['tele/a/b'], { topic: 'tele/a/b', gatewayId: 'c-1' }],
  [['tele/ab'], undefined],
  // Of one that logs in at our own broker: no matter.
  [['shellies/x'], undefined],
  [[], undefined],
])('base topics %j clash with %j', async (baseTopics, clash) => {
  const found = await database.db.transaction((tx) => findBaseTopicClash(tx, { gatewayId: 'c-2', baseTopics }))
  expect(found).toEqual(clash)
})

test('a gateway does not clash with itself', async () => {
  const same = { gatewayId: 'c-1', baseTopics: ['zigbee2mqtt'] }
  expect(await database.db.transaction((tx) => findBaseTopicClash(tx, same))).toBeUndefined()
})

test('one edge holds all; when a second one asks, it gets what the first gives back', async () => {
  expect(await hold('a', 0)).toEqual({ share: 2, nos: [1, 2] })
  expect(await hold('b', 1_000)).toEqual({ share: 1, nos: [] })
  expect(await hold('a', 2_000, [1, 2])).toEqual({ share: 1, nos: [1, 2] })
  await releaseSessions(database.db, { edgeId: 'a', sessionNos: [2], leave: false })
  expect(await hold('b', 3_000)).toEqual({ share: 1, nos: [2] })
  expect(await hold('a', 4_000, [1])).toEqual({ share: 1, nos: [1] })
})

test('what a dead edge held is taken over after its lease, not before; it takes up its own at once', async () => {
  await hold('a', 0, [], 1)
  expect((await hold('a', 5_000, [], 1)).nos).toEqual([1])
  expect((await hold('b', 9_999, [], 1)).nos).toEqual([])
  expect((await hold('b', 10_001, [], 1)).nos).toEqual([1])
  expect((await hold('a', 11_000, [1], 1)).nos).toEqual([])
})

test('a session that its holder cannot connect passes on', async () => {
  await hold('a', 0, [], 1)
  await hold('a', 3_000, [], 1)
  await hold('b', 9_000, [], 1)
  await hold('a', 9_500, [], 1)
  expect((await hold('b', 10_500, [], 1)).nos).toEqual([1])
})

test('who leaves is not waited for, and what a session has asked for stays with it', async () => {
  await hold('a', 0)
  await saveSessionFilters(database.db, { sessionNo: 2, filters: ['x/#', '$share/demo/y/#'] })
  await releaseSessions(database.db, { edgeId: 'a', sessionNos: [1, 2], leave: true })
  expect(await hold('b', 1_000)).toEqual({ share: 2, nos: [1, 2] })
  const { held } = await holdSessions(database.db, {
    edgeId: 'b',
    sessions: 2,
    keep: [1, 2],
    now: new Date(start + 2_000),
    leaseMs,
  })
  expect(held[1]).toEqual({ sessionNo: 2, filters: ['x/#', '$share/demo/y/#'] })
})

test('sessions of an earlier, larger number are held until they are forgotten', async () => {
  await hold('a', 0, [], 3)
  await releaseSessions(database.db, { edgeId: 'a', sessionNos: [1, 2, 3], leave: true })
  expect((await hold('b', 1_000, [], 1)).nos).toEqual([1, 2, 3])
  await forgetSession(database.db, { sessionNo: 3 })
  expect((await hold('b', 2_000, [1, 2, 3], 1)).nos).toEqual([1, 2])
})

test('an attached gateway that is online by another edge is not missed here, one with a connection of its own is', async () => {
  await database.db.query(`update gateways set online = true, edge_id = 'other' where gateway_id in ('c-1', 'c-3')`)
  const gatewayIds = ['c-1', 'c-2', 'c-3']
  expect((await findMissedOnline(database.db, { edgeId: 'me', gatewayIds })).sort()).toEqual(['c-2', 'c-3'])
})
