import { afterAll, beforeAll, expect, test } from 'vitest'
import { commitAlarms } from '../ingest/alarms.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { actOnAlert } from './alert-actions.js'
import { beginTest } from './device-tests.js'
import { countDueTests, isTestDue, listDueTests, testedAt } from './devices-tested.js'

const now = new Date('2026-11-21T08:00:00Z')
const daysLater = (days: number) => new Date(now.getTime() + days * 86_400_000)
let database: TestDatabase
let north: Community
let south: Community

beforeAll(async () => {
  database = await startTestDatabase()
  north = await seedCommunity(database.db, { key: 'north', now, residents: 2 })
  south = await seedCommunity(database.db, { key: 'south', now, residents: 1 })
})
afterAll(() => database.stop())
const scope = () => [north.communityId]
const due = (at: Date, page = { offset: 0, limit: 50 }) =>
  listDueTests(database.db, { communityIds: scope(), now: at, ...page })
const kindsDue = async (at: Date) =>
  (await due(at)).map(({ residentId, devices }) => [residentId, devices.map(({ kind }) => kind)])
const when = async (deviceNo: number) => (await testedAt(database.db, [deviceNo])).get(deviceNo)
const reading = (deviceNo: number, event: 'test' | 'pressed' | 'alarm', at: Date) =>
  database.db.transaction((tx) =>
    commitAlarms(
      tx,
      [
        {
          deviceNo,
          residentId: north.residents[0]!.residentId,
          kind: event === 'alarm' ? 'smoke' : 'button',
          room: '',
          event,
          observedAt: at.getTime(),
          receivedAt: at.getTime(),
          retained: false,
          clockWrong: false,
        } as never,
      ],
      at,
    ),
  )

test('who was never tested is due at once; meters prove themselves', async () => {
  expect(await kindsDue(now)).toEqual([
    ['north-r01', ['button', 'smoke']],
    ['north-r02', ['button', 'smoke']],
  ])
  expect(await countDueTests(database.db, { communityIds: scope(), now })).toEqual({
    devices: 4,
    homes: 2,
    ofDevices: 4,
  })
  expect(await countDueTests(database.db, { communityIds: [], now })).toEqual({ devices: 0, homes: 0, ofDevices: 0 })
  expect((await due(now))[0]).toMatchObject({ name: '示例·居民 north 1', phone: '000-0000-1001' })
})

test('the test button of a device, as its reading says', async () => {
  const { button } = north.residents[0]!.devices
  await reading(button, 'test', now)
  expect(await when(button)).toEqual({ testedAt: now, how: 'reading' })
  expect(await kindsDue(now)).toEqual([
    ['north-r01', ['smoke']],
    ['north-r02', ['button', 'smoke']],
  ])
  // A reading that was kept back takes nothing away.
  await reading(button, 'test', daysLater(-3))
  expect((await when(button))!.testedAt).toEqual(now)
})

test('a press that nobody called a test is none', async () => {
  const { button } = north.residents[1]!.devices
  await reading(button, 'pressed', now)
  expect(await when(button)).toBeUndefined()
})

test('an alarm closed as a test, which taken back is none', async () => {
  const [, { residentId, devices }] = north.residents as [unknown, Community['residents'][number]]
  const alertId = await seedAlert(database.db, {
    communityId: north.communityId,
    residentId,
    deviceNo: devices.button,
    kind: 'button',
    openedAt: now,
  })
  const close = (outcome: 'test' | 'resident fine') =>
    actOnAlert(database.db, {
      alertId,
      action: { kind: 'close', outcome, note: '' },
      staffId: north.staff.worker.staffId,
      via: 'console',
      now,
    })
  await close('test')
  expect(await when(devices.button)).toEqual({ testedAt: now, how: 'alert' })
  // As undoing a close within the minute does.
  await database.db.query(`update alerts set stage = 'open', outcome = null, closed_at = null where alert_id = $1`, [
    alertId,
  ])
  expect(await when(devices.button)).toBeUndefined()
  await close('resident fine')
  expect(await when(devices.button)).toBeUndefined()
})

test('the test on its page', async () => {
  const { smoke } = north.residents[1]!.devices
  await database.db.transaction((tx) =>
    beginTest(tx, { deviceNo: smoke, staffId: north.staff.worker.staffId, now: daysLater(1) }),
  )
  await reading(smoke, 'alarm', new Date(daysLater(1).getTime() + 10_000))
  expect(await when(smoke)).toMatchObject({ how: 'page' })
})

test('after 30 days it is due again, the longest ago first', async () => {
  expect(await kindsDue(daysLater(29))).toEqual([
    ['north-r01', ['smoke']],
    ['north-r02', ['button']],
  ])
  expect(await kindsDue(daysLater(30.5))).toEqual([
    ['north-r01', ['smoke', 'button']],
    ['north-r02', ['button']],
  ])
  const { button } = north.residents[0]!.devices
  const tested = await when(button)
  expect(isTestDue(tested, daysLater(30))).toBe(false)
  expect(isTestDue(tested, daysLater(30.5))).toBe(true)
  expect(isTestDue(undefined, now)).toBe(true)
})

test('page by page, resident by resident; whoever has left and whatever was taken away is not asked for', async () => {
  expect((await due(now, { offset: 1, limit: 1 })).map(({ residentId }) => residentId)).toEqual(['north-r02'])
  await database.db.query(`update residents set left_at = $1 where resident_id = 'north-r02'`, [now])
  await database.db.query(`update devices set unbound_at = $1 where device_no = $2`, [
    now,
    north.residents[0]!.devices.smoke,
  ])
  expect(await kindsDue(now)).toEqual([])
  expect(south.communityId).not.toBe(north.communityId)
})

test('what is due among 10,000 devices is known at once', async () => {
  await database.db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone)
     select 'many-' || n, $1, 'n', 'a', 'Asia/Shanghai' from generate_series(1, 5000) n`,
    [south.communityId],
  )
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     select 'many-' || n || '-' || kind, kind, $1, 'many-' || n, $2
       from generate_series(1, 5000) n, unnest(array['button', 'smoke']) kind`,
    [south.gatewayId, now],
  )
  await database.db.query(
    `insert into devices_tested select device_no, $1, 'page' from devices where device_no % 3 > 0 on conflict do nothing`,
    [now],
  )
  await database.db.query('analyze devices; analyze devices_tested; analyze residents')
  const asked = { communityIds: [south.communityId], now }
  await countDueTests(database.db, asked)
  const startedAt = performance.now()
  const counts = await countDueTests(database.db, asked)
  const rows = await listDueTests(database.db, { ...asked, offset: 1_000, limit: 50 })
  expect(performance.now() - startedAt).toBeLessThan(3_000)
  expect(counts.devices).toBeGreaterThan(3_000)
  expect(rows).toHaveLength(50)
})
