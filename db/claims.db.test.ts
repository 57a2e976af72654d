import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { type AlarmRow, commitAlarms, commitAlarmsPlainly } from '../ingest/alarms.js'
import { nativeDeviceId } from '../ingest/dialects/native-id.js'
import type { StandInAlert } from '../ingest/stand-in/record.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { noteAnnounced } from './announced.js'
import { findAnnounced, listUnclaimed } from './announced-devices.js'
import { listBound } from './bound-devices.js'
import { findClaimable } from './claimable-residents.js'
import { claimDevice, findBinding, moveDevice, unbindDevice } from './claims.js'
import {
  alarmTestIdleMsMax,
  alarmTestMsMax,
  beginTest,
  endTests,
  newestTest,
  prolongTest,
  testStates,
} from './device-tests.js'
import { insertReadings } from './readings.js'
import { sameAlarmMsMax } from './running-tests.js'

const start = Date.parse('2026-03-10T06:00:00Z')
let database: TestDatabase
let north: Community
let south: Community
let seeded = 0
let nowMs = start
const now = () => new Date(nowMs)

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())
beforeEach(async () => {
  seeded += 1
  nowMs = start + seeded * 86_400_000
  north = await seedCommunity(database.db, { key: `n${seeded}`, now: now() })
  south = await seedCommunity(database.db, { key: `s${seeded}`, now: now() })
})

async function announce(
  gatewayId: string,
  nativeId: string,
  kind: string,
  more: { name?: string; fields?: Record<string, unknown> } = {},
) {
  const deviceId = nativeDeviceId(gatewayId, nativeId, kind as 'button')
  await noteAnnounced(database.db, [
    { gatewayId, deviceId, nativeId, kind, name: more.name, model: undefined, fields: more.fields, seenAt: nowMs },
  ])
  return deviceId
}
const as = (c: Community, who: 'worker' | 'colleague' | 'supervisor' = 'worker') => ({
  communityIds: [c.communityId],
  staffId: c.staff[who].staffId,
  now: now(),
})
const residentOf = (c: Community, i = 0) => c.residents[i]!.residentId
async function claimed(kind = 'button', c = north, fields?: Record<string, unknown>) {
  const deviceId = await announce(c.gatewayId, `${kind} 1`, kind, fields ? { fields } : {})
  const claim = { ...as(c), gatewayId: c.gatewayId, deviceId, residentId: residentOf(c), room: '卧室' }
  const result = await claimDevice(database.db, claim)
  if (result.kind !== 'bound') throw new Error(result.kind)
  return { ...claim, deviceNo: result.deviceNo }
}
type Of = { deviceNo: number; residentId: string }
async function arrives(device: Of, row: Partial<AlarmRow>) {
  await arriveTogether([[device, row]])
}
/** In one commit. */
async function arriveTogether(rows: [Of, Partial<AlarmRow>][]) {
  const all = rows.map(
    ([device, row]): AlarmRow => ({
      deviceNo: device.deviceNo,
      residentId: device.residentId,
      kind: 'button',
      event: 'pressed',
      observedAt: nowMs,
      receivedAt: nowMs,
      clockWrong: false,
      retained: false,
      room: '',
      ...row,
    }),
  )
  await database.db.transaction((tx) => commitAlarms(tx, all, now()))
}
const alertsOf = async (deviceNo: number) =>
  (
    await database.db.query<{ count: number }>('select count(*)::int as count from alerts where device_no = $1', [
      deviceNo,
    ])
  ).rows[0]!.count
const stateOf = async (deviceNo: number) =>
  (await testStates(database.db, { deviceNos: [deviceNo], now: now() })).get(deviceNo)!.kind

test('a claimed device is bound, untested with its test running, and unclaimed no more', async () => {
  const device = await claimed()
  const scope = { communityIds: [north.communityId], gatewayId: north.gatewayId }
  expect(await findBinding(database.db, { ...scope, deviceId: device.deviceId })).toMatchObject({
    residentId: residentOf(north),
    room: '卧室',
    by: north.staff.worker.name,
  })
  expect((await listUnclaimed(database.db, { ...scope, search: '', offset: 0, limit: 10 })).total).toBe(0)
  expect(await stateOf(device.deviceNo)).toBe('running')
  nowMs += alarmTestIdleMsMax
  expect(await stateOf(device.deviceNo)).toBe('untested')
  expect(await stateOf(north.residents[0]!.devices.button)).toBe('none')
})

test('the first press is the test and pages nobody; the next one is real', async () => {
  const device = await claimed()
  nowMs += 20_000
  await arrives(device, {})
  expect(await alertsOf(device.deviceNo)).toBe(0)
  expect(await newestTest(database.db, device.deviceNo)).toMatchObject({ cameEvent: 'pressed', passedAt: now() })
  expect(await stateOf(device.deviceNo)).toBe('passed')
  nowMs += 2_000
  await arrives(device, {}) // the same press once more, by another way
  expect(await alertsOf(device.deviceNo)).toBe(0)
  nowMs += 20_000
  await arrives(device, {})
  expect(await alertsOf(device.deviceNo)).toBe(1)
})

test('a press is judged by its arrival: a device whose clock is a year off passes its test, too', async () => {
  const device = await claimed()
  nowMs += 20_000
  await arrives(device, { observedAt: nowMs - 365 * 86_400_000 })
  expect(await alertsOf(device.deviceNo)).toBe(0)
  expect(await stateOf(device.deviceNo)).toBe('passed')
})

test('what is no test: before it began, after its time, after it was ended, and what is said from memory', async () => {
  const device = await claimed()
  await arrives(device, { receivedAt: nowMs - 30_000, observedAt: nowMs - 30_000 })
  expect(await alertsOf(device.deviceNo)).toBe(1)
  await arrives(device, { cached: true, observedAt: nowMs + 1 })
  expect(await stateOf(device.deviceNo)).toBe('running')

  const late = await claimed('smoke')
  nowMs += alarmTestIdleMsMax + 1
  await arrives(late, { kind: 'smoke', event: 'alarm' })
  expect(await alertsOf(late.deviceNo)).toBe(1)
  expect(await stateOf(late.deviceNo)).toBe('untested')

  const ended = await claimed('gas')
  nowMs += 1_000
  await database.db.transaction((tx) => endTests(tx, { deviceNo: ended.deviceNo, now: now() }))
  nowMs += 1_000
  await arrives(ended, { kind: 'gas', event: 'alarm' })
  expect(await alertsOf(ended.deviceNo)).toBe(1)
})

test('a press of which people were told is an alert, test or not', async () => {
  const device = await claimed()
  nowMs += 5_000
  const { name, residentId } = north.residents[0]!
  const { deviceNo } = device
  const reading = { kind: 'button' as const, event: 'pressed', observedAt: nowMs, receivedAt: nowMs, clockWrong: false }
  const row: AlarmRow = { ...reading, deviceNo, residentId, retained: false, room: '' }
  const told: StandInAlert = {
    alertId: null,
    residentId,
    deviceNo,
    kind: 'button',
    reading,
    openedAt: nowMs,
    observedAt: nowMs,
    headline: { zh: name, en: name },
    reason: {},
    step: 1,
    dueAt: null,
    walked: true,
    told: [],
    pages: [],
  }
  await database.db.transaction((tx) => commitAlarms(tx, [row], now(), [told]))
  expect(await alertsOf(deviceNo)).toBe(1)
})

test('a detector whose test button is held goes on for a while; a fire after it is a fire', async () => {
  const device = await claimed('smoke')
  const says = (event: 'alarm' | 'clear' | 'test') => arrives(device, { kind: 'smoke', event })
  nowMs += 10_000
  await says('alarm')
  for (let repeat = 0; repeat < 3; repeat++) {
    nowMs += 9_000
    await says('alarm')
  }
  expect(await alertsOf(device.deviceNo)).toBe(0)
  nowMs += 5_000
  await says('clear')
  nowMs += 5_000
  await says('alarm')
  expect(await alertsOf(device.deviceNo)).toBe(1)

  const other = await claimed('co')
  nowMs += 1_000
  await arrives(other, { kind: 'co', event: 'alarm' })
  nowMs += sameAlarmMsMax
  await arrives(other, { kind: 'co', event: 'alarm' })
  expect(await alertsOf(other.deviceNo)).toBe(1)

  // It goes on after its test has ended: no clear came, and it is one.
  const last = await claimed('gas')
  nowMs += alarmTestIdleMsMax - 1_000
  await arrives(last, { kind: 'gas', event: 'alarm' })
  expect(await alertsOf(last.deviceNo)).toBe(0)
  nowMs += 2_000
  await arrives(last, { kind: 'gas', event: 'alarm' })
  expect(await alertsOf(last.deviceNo)).toBe(1)
})

test('a test lasts while its page is open, ends soon after it is closed, and lasts 10 min at most', async () => {
  const { db } = database
  const pageOpenFor = async (deviceNo: number, ms: number) => {
    for (const until = nowMs + ms; nowMs < until; nowMs += 1_500) await prolongTest(db, { deviceNo, now: now() })
  }
  const alarm = { kind: 'smoke', event: 'alarm' } as const
  const patient = await claimed('smoke')
  await pageOpenFor(patient.deviceNo, 3 * alarmTestIdleMsMax)
  await arrives(patient, alarm)
  expect(await alertsOf(patient.deviceNo)).toBe(0)
  expect(await stateOf(patient.deviceNo)).toBe('passed')

  const left = await claimed('co')
  await pageOpenFor(left.deviceNo, 60_000)
  nowMs += alarmTestIdleMsMax
  // Who comes back to the page finds it ended.
  await prolongTest(db, { deviceNo: left.deviceNo, now: now() })
  expect(await stateOf(left.deviceNo)).toBe('untested')
  await arrives(left, { ...alarm, kind: 'co' })
  expect(await alertsOf(left.deviceNo)).toBe(1)

  const forgotten = await claimed('gas')
  await pageOpenFor(forgotten.deviceNo, alarmTestMsMax + 3_000)
  await arrives(forgotten, { ...alarm, kind: 'gas' })
  expect(await alertsOf(forgotten.deviceNo)).toBe(1)
})

test('a test that somebody has ended is not begun again by a page that asked a moment before', async () => {
  const device = await claimed()
  const asked = now()
  nowMs += 1_000
  await database.db.transaction((tx) => endTests(tx, { ...device, now: now() }))
  await prolongTest(database.db, { ...device, now: asked })
  nowMs += 100
  await arrives(device, {})
  expect(await alertsOf(device.deviceNo)).toBe(1)
})

test('what its gateway said before is taken for the meter from the same gateway', async () => {
  const device = await claimed('water', north, { litres: 120 })
  await noteAnnounced(database.db, [
    {
      gatewayId: south.gatewayId,
      deviceId: device.deviceId,
      nativeId: 'water 1',
      kind: 'water',
      name: undefined,
      model: undefined,
      fields: { litres: 900 },
      seenAt: nowMs,
    },
  ])
  await database.db.transaction((tx) => endTests(tx, { ...device, now: now() }))
  nowMs += 1_000
  await database.db.transaction((tx) => beginTest(tx, { ...device, now: now() }))
  expect(await newestTest(database.db, device.deviceNo)).toMatchObject({ registerBefore: 120 })
})

test('of readings that are committed together each is judged by its own arrival', async () => {
  const device = await claimed('smoke')
  const alarm = { kind: 'smoke', event: 'alarm' } as const
  const at = (ms: number) => ({ observedAt: nowMs + ms, receivedAt: nowMs + ms })
  await arriveTogether([
    [device, { ...alarm, ...at(1_000) }],
    [device, { ...alarm, ...at(2_000) }],
    [device, { kind: 'smoke', event: 'clear', ...at(3_000) }],
    [device, { ...alarm, ...at(4_000) }],
  ])
  expect(await alertsOf(device.deviceNo)).toBe(1)
  const late = await claimed('gas')
  const { devices, residentId } = north.residents[0]!
  await arriveTogether([
    [
      { deviceNo: devices.smoke, residentId },
      { ...alarm, ...at(alarmTestIdleMsMax - 1) },
    ],
    [late, { kind: 'gas', event: 'alarm', ...at(alarmTestIdleMsMax + 1) }],
  ])
  expect(await alertsOf(late.deviceNo)).toBe(1)
})

test('the test of one device holds back nothing of another', async () => {
  await claimed()
  const { devices, residentId } = north.residents[0]!
  await arrives({ deviceNo: devices.smoke, residentId }, { kind: 'smoke', event: 'alarm' })
  expect(await alertsOf(devices.smoke)).toBe(1)
})

test('a meter passes when its register has grown, and not by standing still or by a backlog', async () => {
  const device = await claimed('water', north, { litres: 120 })
  const reads = (litres: number, at = nowMs) =>
    insertReadings(database.db, [
      {
        deviceNo: device.deviceNo,
        residentId: device.residentId,
        kind: 'water',
        observedAt: at,
        receivedAt: nowMs,
        event: '',
        value: litres,
        clockWrong: false,
      },
    ])
  expect(await newestTest(database.db, device.deviceNo)).toMatchObject({ registerBefore: 120, passedAt: null })
  nowMs += 30_000
  await reads(120)
  await reads(150, nowMs - 3_600_000)
  expect(await stateOf(device.deviceNo)).toBe('running')
  nowMs += 30_000
  await reads(124)
  expect(await stateOf(device.deviceNo)).toBe('passed')
  expect(await newestTest(database.db, device.deviceNo)).toMatchObject({ cameValue: 124, passedAt: now() })
})

test('a meter of which nothing was known passes with its second reading', async () => {
  const device = await claimed('electricity')
  for (const [wh, state] of [
    [7_000, 'running'],
    [7_000, 'running'],
    [7_012, 'passed'],
  ] as const) {
    nowMs += 10_000
    const reading = { deviceNo: device.deviceNo, residentId: device.residentId, kind: 'electricity' as const }
    const times = { observedAt: nowMs, receivedAt: nowMs }
    await insertReadings(database.db, [{ ...reading, ...times, event: '', value: wh, clockWrong: false }])
    expect(await stateOf(device.deviceNo)).toBe(state)
  }
})

test('a test that is begun twice is one test, and one that has passed is begun anew', async () => {
  const device = await claimed()
  const begin = () =>
    database.db.transaction((tx) => beginTest(tx, { ...device, staffId: north.staff.colleague.staffId, now: now() }))
  nowMs += 1_000
  expect(await begin()).toBe(true)
  expect(await newestTest(database.db, device.deviceNo)).toMatchObject({ begunBy: north.staff.worker.name })
  await arrives(device, {})
  nowMs += 60_000
  await begin()
  expect(await newestTest(database.db, device.deviceNo)).toMatchObject({
    begunBy: north.staff.colleague.name,
    passedAt: null,
  })
  await arrives(device, {})
  expect(await alertsOf(device.deviceNo)).toBe(0)
})

test('nobody claims, finds, moves or unbinds what is of another community, whatever ids they send', async () => {
  const { db } = database
  const theirs = await announce(south.gatewayId, 'sos', 'button')
  const ours = await announce(north.gatewayId, 'sos', 'button')
  const base = { ...as(north), room: '客厅' }
  const ids = (gatewayId: string, deviceId: string, residentId: string) => ({
    ...base,
    gatewayId,
    deviceId,
    residentId,
  })
  for (const claim of [
    ids(south.gatewayId, theirs, residentOf(north)),
    ids(north.gatewayId, theirs, residentOf(north)),
    ids(south.gatewayId, theirs, residentOf(south)),
    ids(north.gatewayId, ours, residentOf(south)),
    ids(north.gatewayId, ours, 'nobody'),
    ids(north.gatewayId, 'no.device', residentOf(north)),
    ids('no-gateway', ours, residentOf(north)),
  ])
    expect(await claimDevice(db, claim)).toEqual({ kind: 'missing' })
  // Who works for both still binds a device only within the community of its gateway.
  const both = {
    ...ids(north.gatewayId, ours, residentOf(south)),
    communityIds: [north.communityId, south.communityId],
  }
  expect(await claimDevice(db, both)).toEqual({ kind: 'missing' })

  const scope = { communityIds: [north.communityId], gatewayId: south.gatewayId }
  expect((await listUnclaimed(db, { ...scope, search: '', offset: 0, limit: 10 })).rows).toEqual([])
  expect((await listBound(db, { ...scope, offset: 0, limit: 10 })).rows).toEqual([])
  expect(await findAnnounced(db, { ...scope, deviceId: theirs })).toBeUndefined()
  expect((await findClaimable(db, { ...scope, search: '', byId: false, limit: 10 })).rows).toEqual([])

  const bound = await claimed('smoke', south)
  const taken = {
    ...as(north),
    gatewayId: bound.gatewayId,
    deviceId: bound.deviceId,
    deviceNo: bound.deviceNo,
    room: 'x',
  }
  expect(await findBinding(db, taken)).toBeUndefined()
  expect(await moveDevice(db, { ...taken, residentId: residentOf(north) })).toEqual({ kind: 'changed' })
  expect(await unbindDevice(db, taken)).toEqual({ kind: 'changed' })
  expect(await moveDevice(db, { ...bound, ...as(south), residentId: residentOf(north) })).toEqual({ kind: 'missing' })
  expect(await findBinding(db, { ...bound, communityIds: [south.communityId] })).toMatchObject({
    residentId: residentOf(south),
  })
})

test('of two who claim at the same moment one wins, and the other is told who', async () => {
  const deviceId = await announce(north.gatewayId, 'sos', 'button')
  const claim = (who: 'worker' | 'colleague', i: number) =>
    claimDevice(database.db, {
      ...as(north, who),
      gatewayId: north.gatewayId,
      deviceId,
      residentId: residentOf(north, i),
      room: '卧室',
    })
  const results = await Promise.all([claim('worker', 0), claim('colleague', 1)])
  expect(results.map(({ kind }) => kind).sort()).toEqual(['bound', 'taken'])
  const taken = results.find(({ kind }) => kind === 'taken')
  const winner = results[0]!.kind === 'bound' ? 0 : 1
  expect(taken).toMatchObject({
    binding: {
      by: north.staff[winner === 0 ? 'worker' : 'colleague'].name,
      residentId: residentOf(north, winner),
    },
  })
  const { rows } = await database.db.query('select from devices where device_id = $1', [deviceId])
  expect(rows.length).toBe(1)
})

test('moving a device closes its history for the first, and its test begins for the second', async () => {
  const { db } = database
  const device = await claimed()
  const notice = await seedAlert(db, {
    communityId: north.communityId,
    residentId: residentOf(north),
    deviceNo: device.deviceNo,
    kind: 'battery_low',
    openedAt: now(),
  })
  await db.query("insert into resident_state (resident_id, state, folded_at) values ($1, 'null', $2)", [
    residentOf(north),
    now(),
  ])
  nowMs += 60_000
  const move = { ...device, ...as(north, 'colleague'), residentId: residentOf(north, 1), room: '厨房' }
  const moved = await moveDevice(db, move)
  expect(moved.kind).toBe('bound')
  const { rows } = await db.query(
    'select resident_id, room, unbound_at, unbound_by, bound_by from devices where device_id = $1 order by device_no',
    [device.deviceId],
  )
  const { worker, colleague } = north.staff
  expect(rows).toEqual([
    {
      resident_id: residentOf(north),
      room: '卧室',
      unbound_at: now(),
      unbound_by: colleague.staffId,
      bound_by: worker.staffId,
    },
    {
      resident_id: residentOf(north, 1),
      room: '厨房',
      unbound_at: null,
      unbound_by: null,
      bound_by: colleague.staffId,
    },
  ])
  const closed = await db.query('select stage from alerts where alert_id = $1', [notice])
  expect(closed.rows).toEqual([{ stage: 'closed' }])
  const woken = await db.query('select wake_at from resident_state where resident_id = $1', [residentOf(north)])
  expect(woken.rows).toEqual([{ wake_at: now() }])
  // The page that both had open shows the first binding: the second of them changes nothing.
  expect(await moveDevice(db, { ...move, residentId: residentOf(north) })).toEqual({ kind: 'changed' })
  expect(await unbindDevice(db, move)).toEqual({ kind: 'changed' })
  const deviceNo = moved.kind === 'bound' ? moved.deviceNo : 0
  expect(await stateOf(deviceNo)).toBe('running')
  // An edge that still knows the first binding: the press is for the second, sure to be paged, and joins once more as one.
  nowMs += 1_000
  await arrives(device, {})
  nowMs += 1_000
  await arriveTogether([
    [device, {}],
    [{ deviceNo, residentId: residentOf(north, 1) }, { observedAt: nowMs + 1 }],
  ])
  expect(await alertsOf(device.deviceNo)).toBe(1)
  const { rows: pressed } = await db.query(
    "select resident_id, device_no from alerts where kind = 'button' and opened_at >= $1",
    [new Date(nowMs - 2_000)],
  )
  expect(pressed).toEqual([{ resident_id: residentOf(north, 1), device_no: deviceNo }])
})

test('a press by the old binding is no echo of the test that passed before the move', async () => {
  const device = await claimed()
  await arrives(device, {})
  expect(await stateOf(device.deviceNo)).toBe('passed')
  nowMs += 1_000
  const moved = await moveDevice(database.db, { ...device, ...as(north), residentId: residentOf(north, 1) })
  nowMs += 1_000
  await arrives(device, {})
  expect(await alertsOf(moved.kind === 'bound' ? moved.deviceNo : 0)).toBe(1)
})

test('a press of a device that is bound to nobody any more still pages; so does one whose judging fails', async () => {
  const device = await claimed()
  await unbindDevice(database.db, device)
  nowMs += 1_000
  await arrives(device, {})
  expect(await alertsOf(device.deviceNo)).toBe(1)

  const smoke = await claimed('smoke')
  const moved = await moveDevice(database.db, { ...smoke, residentId: residentOf(north, 1) })
  const row: AlarmRow = {
    ...{ deviceNo: smoke.deviceNo, residentId: smoke.residentId, kind: 'smoke', event: 'alarm', room: '' },
    ...{ observedAt: nowMs, receivedAt: nowMs, clockWrong: false, retained: false },
  }
  await database.db.transaction((tx) => commitAlarmsPlainly(tx, [row], now()))
  const { rows } = await database.db.query(
    "select resident_id, device_no from alerts where kind = 'smoke' and opened_at >= $1",
    [now()],
  )
  expect(rows).toEqual([{ resident_id: residentOf(north, 1), device_no: moved.kind === 'bound' && moved.deviceNo }])
})

test('another room with the same resident is the same binding; unbound, a device is unclaimed again', async () => {
  const { db } = database
  const device = await claimed()
  await arrives(device, { receivedAt: nowMs + 1, observedAt: nowMs })
  expect(await moveDevice(db, { ...device, room: '客厅' })).toEqual({ kind: 'bound', deviceNo: device.deviceNo })
  expect(await stateOf(device.deviceNo)).toBe('passed')
  expect(await unbindDevice(db, device)).toEqual({ kind: 'unbound' })
  const scope = { communityIds: [north.communityId], gatewayId: north.gatewayId }
  expect(
    (await listUnclaimed(db, { ...scope, search: '', offset: 0, limit: 10 })).rows.map((row) => row.deviceId),
  ).toEqual([device.deviceId])
  expect((await claimDevice(db, device)).kind).toBe('bound')
})

test('hundreds of devices come in pages, by name, and are found; odd names are names', async () => {
  const { gatewayId, communityId } = north
  const odd = ['呼叫按钮 ‮卧室', '<script>alert(1)</script>', "'; drop table devices; --", '名'.repeat(200), '100%_']
  for (const [i, name] of odd.entries()) await announce(gatewayId, `odd ${i}`, 'button', { name })
  const rows = Array.from({ length: 320 }, (_, i) => ({
    gatewayId,
    deviceId: nativeDeviceId(gatewayId, `dev ${i}`, 'motion'),
    nativeId: `dev ${i}`,
    kind: 'motion',
    name: `Sensor ${String(i).padStart(3, '0')}`,
    model: 'Example M1',
    fields: undefined,
    seenAt: nowMs,
  }))
  await noteAnnounced(database.db, rows)
  const list = (search: string, offset: number) =>
    listUnclaimed(database.db, { communityIds: [communityId], gatewayId, search, offset, limit: 50 })
  const seen = new Set<string>()
  for (let offset = 0; offset < 350; offset += 50) {
    const page = await list('', offset)
    expect(page.total).toBe(325)
    for (const { deviceId } of page.rows) seen.add(deviceId)
  }
  expect(seen.size).toBe(325)
  expect((await list('', 5_000)).total).toBe(325)
  expect((await list('sensor 31', 0)).rows.map(({ name }) => name)).toEqual(
    Array.from({ length: 10 }, (_, i) => `Sensor 31${i}`),
  )
  expect((await list('100%_', 0)).rows.map(({ name }) => name)).toEqual(['100%_'])
  for (const name of odd) expect((await list(name, 0)).rows.map((row) => row.name)).toContain(name)
})
