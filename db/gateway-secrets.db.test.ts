import { afterAll, beforeAll, beforeEach, expect, test, vi } from 'vitest'
import { verifySecret } from '../kit/secret-hash.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createRightsSource } from './gateway-rights.js'
import { endOverlap, overlapMsMax, revokeSecret, rotateSecret, secretState } from './gateway-secrets.js'

let database: TestDatabase
const now = new Date('2026-06-01T12:00:00Z')
const later = (ms: number) => new Date(now.getTime() + ms)
const hourMs = 3_600_000
const by = { gatewayId: 'gw1', staffId: 'op', now }

beforeAll(async () => {
  database = await startTestDatabase()
  await database.db.query("insert into communities values ('c', '示例社区', 'Asia/Shanghai')")
  await database.db.query(
    "insert into staff (staff_id, name, role, login, password_hash) values ('op', '示例管理员', 'operator', 'op', '')",
  )
})
afterAll(() => database.stop())
beforeEach(async () => {
  await database.db.query('delete from gateways')
  await database.db.query(
    `insert into gateways (gateway_id, community_id, secret_hash, via) values
       ('gw1', 'c', 'first', 'own'), ('gw2', 'c', 'other', 'own'), ('far', 'c', 'none', 'attached')`,
  )
})

const rights = async (gatewayId = 'gw1') => (await createRightsSource(database.db).rightsOf([gatewayId]))[0]!
const rotate = (overlapMs: number, over: Partial<typeof by> = {}) =>
  database.db.transaction((tx) => rotateSecret(tx, { ...by, ...over, overlapMs }))

test('a rotation stores the hash alone, and the one before goes on until then', async () => {
  const rotation = await rotate(hourMs)
  if (rotation.kind !== 'rotated') throw new Error(rotation.kind)
  expect(rotation.secret).toMatch(/^[\w-]{20}$/)
  expect(rotation.beforeUntil).toEqual(later(hourMs))
  const after = await rights()
  expect(await verifySecret(rotation.secret, after.secretHash)).toBe(true)
  expect(after).toMatchObject({ secretHashBefore: 'first', secretBeforeUntil: later(hourMs).getTime() })
  const { rows } = await database.db.query('select * from gateways, gateway_secret_events')
  expect(JSON.stringify(rows)).not.toContain(rotation.secret)
  expect(await secretState(database.db, { gatewayId: 'gw1', now })).toEqual({
    beforeUntil: later(hourMs),
    revokedAt: null,
    events: [{ at: now, staffId: 'op', staffName: '示例管理员', what: 'rotated' }],
  })
  expect((await secretState(database.db, { gatewayId: 'gw1', now: later(hourMs) }))?.beforeUntil).toBeNull()
  expect((await rights('gw2')).secretHash).toBe('other')
})

test('another rotation drops the secret before the one before; one without an overlap both', async () => {
  await rotate(hourMs)
  const { secretHash: second } = await rights()
  await rotate(2 * hourMs)
  expect(await rights()).toMatchObject({ secretHashBefore: second })
  const last = await rotate(0, { staffId: null as never })
  expect(last).toMatchObject({ kind: 'rotated', beforeUntil: null })
  expect(await rights()).toMatchObject({ secretHashBefore: null, secretBeforeUntil: null })
  const state = await secretState(database.db, { gatewayId: 'gw1', now })
  expect(state?.events.map(({ staffId, what }) => `${staffId} ${what}`)).toEqual([
    'null rotated',
    'op rotated',
    'op rotated',
  ])
})

test('what is revoked opens nothing, and does not come back beside the next one', async () => {
  await rotate(hourMs)
  expect(await database.db.transaction((tx) => revokeSecret(tx, by))).toBe(true)
  const revoked = await rights()
  expect(revoked).toMatchObject({ secretHashBefore: null, secretBeforeUntil: null })
  expect(revoked.secretHash).toMatch(/^scrypt\$/)
  expect(await secretState(database.db, { gatewayId: 'gw1', now })).toMatchObject({ revokedAt: now })
  expect(await rotate(hourMs, { now: later(1_000) })).toMatchObject({ kind: 'rotated', beforeUntil: null })
  expect(await rights()).toMatchObject({ secretHashBefore: null })
  const state = await secretState(database.db, { gatewayId: 'gw1', now })
  expect(state?.revokedAt).toBeNull()
  expect(state?.events.map(({ what }) => what)).toEqual(['rotated', 'revoked', 'rotated'])
})

test('an overlap is ended once', async () => {
  expect(await endOverlap(database.db, by)).toBe(false)
  await rotate(hourMs)
  expect(await endOverlap(database.db, { ...by, now: later(hourMs) })).toBe(false)
  expect(await endOverlap(database.db, by)).toBe(true)
  expect(await rights()).toMatchObject({ secretHashBefore: null, secretBeforeUntil: null })
  expect(await endOverlap(database.db, by)).toBe(false)
})

test('bad input is a value, and changes nothing', async () => {
  expect(await rotate(hourMs, { gatewayId: 'nobody' })).toEqual({ kind: 'no such gateway' })
  expect(await rotate(hourMs, { gatewayId: 'far' })).toEqual({ kind: 'no such gateway' })
  for (const overlapMs of [-1, 0.5, Number.NaN, overlapMsMax + 1])
    expect(await rotate(overlapMs)).toEqual({ kind: 'bad overlap' })
  expect(await revokeSecret(database.db, { ...by, gatewayId: 'nobody' })).toBe(false)
  expect(await secretState(database.db, { gatewayId: 'nobody', now })).toBeUndefined()
  expect((await database.db.query('select from gateway_secret_events')).rowCount).toBe(0)
  expect((await rights()).secretHash).toBe('first')
})

test('a secret that is written without a word of the old one ends the overlap and the revocation', async () => {
  await rotate(hourMs)
  await database.db.query("update gateways set secret_hash = 'from the register' where gateway_id = 'gw1'")
  expect(await rights()).toMatchObject({
    secretHash: 'from the register',
    secretHashBefore: null,
    secretBeforeUntil: null,
  })
  await revokeSecret(database.db, by)
  await database.db.query("update gateways set secret_hash = 'again' where gateway_id = 'gw1'")
  expect(await secretState(database.db, { gatewayId: 'gw1', now })).toMatchObject({ revokedAt: null })
})

test('each change of what a gateway may do is told once it is committed, and nothing else is', async () => {
  const { changedSince } = createRightsSource(database.db)
  const first = await changedSince(undefined)
  expect(first.gatewayIds).toEqual([])
  let { cursor } = first
  // A transaction of anybody on this server, other tests' too, has what is older told once more.
  const nothingIsTold = () =>
    vi.waitFor(
      async () => {
        const told = await changedSince(cursor)
        cursor = told.cursor
        expect(told.gatewayIds).toEqual([])
      },
      { timeout: 15_000, interval: 50 },
    )
  const change = async (sql: string) => {
    await nothingIsTold()
    await database.db.query(sql)
    const told = await changedSince(cursor)
    cursor = told.cursor
    return told.gatewayIds
  }
  const set = (what: string) => change(`update gateways set ${what} where gateway_id = 'gw1'`)
  expect(await set("secret_hash = 'x'")).toEqual(['gw1'])
  expect(await set("secret_hash_before = 'y', secret_before_until = '2027-01-01Z'")).toEqual(['gw1'])
  expect(await set('secret_hash_before = null, secret_before_until = null')).toEqual(['gw1'])
  expect(await set("disabled_at = '2026-06-01Z'")).toEqual(['gw1'])
  expect(await set('disabled_at = null')).toEqual(['gw1'])
  expect(await set("dialect = 'zigbee2mqtt'")).toEqual(['gw1'])
  expect(await set("base_topics = '{zigbee2mqtt}'")).toEqual(['gw1'])
  expect(await set(`dialect_settings = '{"readings": []}'`)).toEqual(['gw1'])
  expect(await set(`dialect_settings = '{"readings":[]}'`)).toEqual([])
  expect(await set("via = 'attached'")).toEqual(['gw1'])
  expect(await set("online = true, last_heard_at = '2026-06-01Z', clock_ahead_s = 3, label = 'x'")).toEqual([])
  expect(await set("secret_hash = 'x', base_topics = '{zigbee2mqtt}'")).toEqual([])
  expect(await change('select 1')).toEqual([])
  await nothingIsTold()
  await database.db
    .transaction(async (tx) => {
      await tx.query("update gateways set secret_hash = 'z'")
      throw new Error('undone')
    })
    .catch(() => undefined)
  expect((await changedSince(cursor)).gatewayIds).toEqual([])
})

test('numbers from a database that was moved here are no changes', async () => {
  await database.db.query("update gateways set rights_xid = '900000000000'::xid8")
  const { changedSince } = createRightsSource(database.db)
  const { cursor } = await changedSince(undefined)
  expect((await changedSince(cursor)).gatewayIds).toEqual([])
})
