import { afterAll, beforeAll, expect, test } from 'vitest'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type AnnouncedRow, announcedPerGatewayMax, noteAnnounced, saveMemories } from './announced.js'

let database: TestDatabase
const now = Date.parse('2026-06-01T04:00:00Z')

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'a', homes: 2 })
})
afterAll(() => database.stop())

const row = (n: number | string, more: Partial<AnnouncedRow> = {}): AnnouncedRow => ({
  gatewayId: 'a-1',
  deviceId: `device-${n}`,
  nativeId: `0x${n}`,
  kind: 'smoke',
  name: undefined,
  model: undefined,
  fields: undefined,
  seenAt: now,
  ...more,
})
const known = async (gatewayId: string) =>
  (
    await database.db.query(
      'select device_id, name, model, last_seen_at, last_fields from announced_devices where gateway_id = $1 order by device_id',
      [gatewayId],
    )
  ).rows

test('what is said of a device later is added to what was known, in one message and over several', async () => {
  await noteAnnounced(database.db, [
    row(1, { name: '客厅烟感 \0', model: 'Beispiel SD1' }),
    row(1, { fields: { alarm: false, note: 'nul \0 and half a pair \ud83d' } }),
  ])
  await noteAnnounced(database.db, [row(1, { name: '', seenAt: now + 5_000 })])
  await noteAnnounced(database.db, [row(1, { fields: { alarm: true }, seenAt: now - 5_000 })])
  expect(await known('a-1')).toEqual([
    {
      device_id: 'device-1',
      name: '客厅烟感 ␀',
      model: 'Beispiel SD1',
      last_seen_at: new Date(now + 5_000),
      last_fields: { alarm: true },
    },
  ])
})

test('a gateway that goes on inventing devices fills no table, and what is known goes on being noted', async () => {
  const invented = (from: number, count: number) =>
    Array.from({ length: count }, (_, i) => row(from + i, { gatewayId: 'a-2' }))
  await noteAnnounced(database.db, invented(0, announcedPerGatewayMax - 10))
  await noteAnnounced(database.db, [...invented(5_000, 50), row(3, { gatewayId: 'a-2', seenAt: now + 60_000 })])
  await noteAnnounced(database.db, invented(9_000, 50))
  const devices = await known('a-2')
  expect(devices.length).toBeLessThanOrEqual(announcedPerGatewayMax)
  expect(devices.length).toBeGreaterThan(announcedPerGatewayMax - 10)
  expect(devices.find(({ device_id }) => device_id === 'device-3')!.last_seen_at).toEqual(new Date(now + 60_000))
})

test('where it is full, a new device takes the place of the unbound one that was silent for longest, if over a day', async () => {
  const dayMs = 86_400_000
  const db = database.db
  const of = (n: number | string, seenAt: number) => row(n, { gatewayId: 'a-2', seenAt })
  const has = async (id: string) => (await known('a-2')).some(({ device_id }) => device_id === id)
  await db.query("delete from announced_devices where gateway_id = 'a-2'")
  const full = Array.from({ length: announcedPerGatewayMax }, (_, i) => of(i, now - i * 1_000))
  await noteAnnounced(db, full)
  await noteAnnounced(db, [row(998, { gatewayId: 'a-2', name: '门磁', seenAt: now - 998_000 })])
  // Silent for longest of all, and at somebody's.
  await db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at) values ('device-999', 'smoke', 'a-2', 'a-2', $1)`,
    [new Date(now)],
  )
  await noteAnnounced(db, [of('early', now + dayMs - 1_000_000)])
  expect(await has('device-early')).toBe(false)
  // 998 would be next, and is heard in the same message.
  await noteAnnounced(db, [of('0b', now + dayMs), of('0a', now + dayMs), of(998, now + dayMs)])
  expect(await Promise.all(['device-999', 'device-998', 'device-997', 'device-996', 'device-995'].map(has))).toEqual([
    true,
    true,
    false,
    false,
    true,
  ])
  expect(await Promise.all(['device-0a', 'device-0b'].map(has))).toEqual([true, true])
  expect((await known('a-2')).find(({ device_id }) => device_id === 'device-998')).toMatchObject({ name: '门磁' })
  expect(await known('a-2')).toHaveLength(announcedPerGatewayMax)
  await db.query("delete from devices where device_id = 'device-999'")
})

test('of a gateway that is gone nothing is noted, and nothing fails', async () => {
  await noteAnnounced(database.db, [row(1, { gatewayId: 'nobody' })])
  await saveMemories(database.db, [{ gatewayId: 'nobody', memory: {}, version: 1 }])
  expect(await known('nobody')).toEqual([])
})

test('of two memories the newer stays, whichever is committed last', async () => {
  const memory = async () =>
    (await database.db.query("select dialect_memory from gateways where gateway_id = 'a-1'")).rows[0].dialect_memory
  const save = (n: number, version: number) =>
    saveMemories(database.db, [{ gatewayId: 'a-1', memory: { n, text: 'a\0b' }, version }])
  await save(2, 2_000)
  await save(1, 1_000)
  expect(await memory()).toEqual({ n: 2, text: 'a␀b' })
  await saveMemories(database.db, [
    { gatewayId: 'a-1', memory: { n: 4 }, version: 4_000 },
    { gatewayId: 'a-1', memory: { n: 3 }, version: 3_000 },
  ])
  expect(await memory()).toEqual({ n: 4 })
})
