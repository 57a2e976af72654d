import type { DeviceKind } from '../alerts/model.js'
import { alarmKinds, isAlarmKind } from '../ingest/contract.js'
import type { Database, Queryable } from './pool.js'

/** So long the first alarm of a device is its test at most, while its page is open, and nobody is paged for it. */
export const alarmTestMsMax = 10 * 60_000
/** So long after its page was asked for last: whoever walks away must not make the next real alarm a test. */
export const alarmTestIdleMsMax = 90_000
/** The page asks every 1.5 s; the test is prolonged when that gains as much. */
const prolongMsMin = 10_000
/** Nobody waits beside a meter that reports once a day, and nothing is held back for it. */
const meterTestMsMax = 26 * 3_600_000
/** Of readings that a gateway kept back: those from before are of another hour, whenever they come. */
const earlierMsMax = 2 * 60_000

export type DeviceTest = {
  deviceTestId: number
  deviceNo: number
  begunAt: Date
  begunBy: string
  endsAt: Date
  /** However long its page stays open. */
  endsAtLatest: Date
  /** What a meter stood at then (L, Wh), as far as is known. */
  registerBefore: number | null
  passedAt: Date | null
  /** `pressed`, `alarm`, `test`, `help`, `motion`, …; '' for a meter. */
  cameEvent: string
  /** L or Wh */
  cameValue: number | null
}

const columns = `t.device_test_id as "deviceTestId", t.device_no as "deviceNo", t.begun_at as "begunAt", s.name as "begunBy",
  t.ends_at as "endsAt", t.ends_at_latest as "endsAtLatest", t.register_before as "registerBefore", t.passed_at as "passedAt", t.came_event as "cameEvent", t.came_value as "cameValue"`

/**
 * Begins the test of a bound device; one that is running goes on. For a meter, what its register stands at is noted, or what
 * its gateway said before it was claimed. Returns false where the device is bound no more. The caller has checked that
 * `staffId` may.
 */
export async function beginTest(
  tx: Queryable,
  { deviceNo, staffId, now }: { deviceNo: number; staffId: string; now: Date },
): Promise<boolean> {
  const kind = await lockBound(tx, deviceNo)
  if (!kind) return false
  const lastsMsMax = isAlarmKind(kind) ? alarmTestMsMax : meterTestMsMax
  const lastsMs = isAlarmKind(kind) ? alarmTestIdleMsMax : meterTestMsMax
  const { rowCount: running } = await tx.query(
    'select from device_tests where device_no = $1 and passed_at is null and begun_at <= $2 and ends_at > $2',
    [deviceNo, now],
  )
  if (running) return true
  await tx.query(
    `insert into device_tests (device_no, begun_at, begun_by, ends_at, ends_at_latest, register_before)
     select $1, $2, $3, $4, $5, coalesce(
       (select value from readings where device_no = $1 and event = '' and value is not null order by observed_at desc limit 1),
       (select max((a.last_fields ->> f.field)::float8)
          from devices d join announced_devices a using (gateway_id, device_id)
               join (values ('water', 'litres'), ('electricity', 'wh')) as f (kind, field) on f.kind = d.kind
         where d.device_no = $1 and jsonb_typeof(a.last_fields -> f.field) = 'number'))`,
    [deviceNo, now, staffId, new Date(now.getTime() + lastsMs), new Date(now.getTime() + lastsMsMax)],
  )
  return true
}

/**
 * The page of the test is open at this moment: the test of an alarm device goes on for a while from now. One that has ended
 * or passed stays so.
 */
export async function prolongTest(db: Queryable, { deviceNo, now }: { deviceNo: number; now: Date }): Promise<void> {
  await db.query(
    `update device_tests set ends_at = least($3::timestamptz, ends_at_latest)
      where device_no = $1 and passed_at is null and begun_at <= $2 and ends_at > $2
        and ends_at < least($3::timestamptz - $4 * interval '1 millisecond', ends_at_latest)`,
    [deviceNo, now, new Date(now.getTime() + alarmTestIdleMsMax), prolongMsMin],
  )
}

/** Ends whatever test of the device is running: from now on each alarm of it is a real one. */
export async function endTests(tx: Queryable, { deviceNo, now }: { deviceNo: number; now: Date }): Promise<void> {
  await lockBound(tx, deviceNo)
  await tx.query(
    `update device_tests set ends_at = greatest(begun_at, $2), ends_at_latest = greatest(begun_at, $2)
      where device_no = $1 and ends_at > $2 and passed_at is null`,
    [deviceNo, now],
  )
}

/** In the same order as ingest locks the device and then its test. */
async function lockBound(tx: Queryable, deviceNo: number): Promise<DeviceKind | undefined> {
  const { rows } = await tx.query<{ kind: DeviceKind }>(
    'select kind from devices where device_no = $1 and unbound_at is null for no key update',
    [deviceNo],
  )
  return rows[0]?.kind
}

export type TestState = { kind: 'none' | 'untested' | 'running' | 'passed'; test: DeviceTest | undefined }

/**
 * How the tests of these devices stand. `untested`: bound on a page, and no test has passed; `none`: registered by who runs
 * the server, and never tested. Looks first whether what running tests of meters wait for has come.
 */
export async function testStates(
  db: Database,
  { deviceNos, now }: { deviceNos: number[]; now: Date },
): Promise<Map<number, TestState>> {
  if (deviceNos.length === 0) return new Map()
  await passMeterTests(db, deviceNos)
  const { rows } = await db.query<Partial<DeviceTest> & { deviceNo: number; onPage: boolean }>(
    `select ${columns}, d.device_no as "deviceNo", d.bound_by is not null as "onPage"
       from devices d
            left join lateral (
              select * from device_tests t where t.device_no = d.device_no
               order by (t.passed_at is null and t.begun_at <= $2 and t.ends_at > $2) desc, t.passed_at desc nulls last, t.begun_at desc
               limit 1) t on true
            left join staff s on s.staff_id = t.begun_by
      where d.device_no = any($1)`,
    [deviceNos, now],
  )
  return new Map(
    rows.map(({ onPage, ...row }): [number, TestState] => {
      const test = row.deviceTestId ? (row as DeviceTest) : undefined
      if (test?.passedAt) return [row.deviceNo, { kind: 'passed', test }]
      if (test && test.endsAt > now) return [row.deviceNo, { kind: 'running', test }]
      return [row.deviceNo, { kind: onPage || test ? 'untested' : 'none', test }]
    }),
  )
}

/** The newest test of a device, whatever came of it. */
export async function newestTest(db: Database, deviceNo: number): Promise<DeviceTest | undefined> {
  await passMeterTests(db, [deviceNo])
  const { rows } = await db.query<DeviceTest>(
    `select ${columns} from device_tests t join staff s on s.staff_id = t.begun_by
      where t.device_no = $1 order by t.begun_at desc, t.device_test_id desc limit 1`,
    [deviceNo],
  )
  return rows[0]
}

/** What passes the test of a device that gives no alarm: water that flowed, a door that opened. */
const passes = `case d.kind when 'motion' then r.event = 'motion'
                           when 'door' then r.event = 'open'
                           when 'bed' then r.event = 'in'
                           else r.event = '' and r.value > coalesce(t.register_before,
                             (select value from readings f where f.device_no = t.device_no and f.event = ''
                                 and f.observed_at >= t.begun_at - $2 * interval '1 millisecond' and f.received_at >= t.begun_at
                               order by f.observed_at limit 1)) end`

/** Meters, motion and doors wait for no lock: what passes their test is looked up when somebody looks. */
async function passMeterTests(db: Queryable, deviceNos: number[]): Promise<void> {
  await db.query(
    `with passed as materialized (
       select t.device_test_id, came.* from device_tests t join devices d using (device_no)
         cross join lateral (
           select r.received_at, r.event, r.value from readings r
            where r.device_no = t.device_no and r.observed_at >= t.begun_at - $2 * interval '1 millisecond'
              and r.observed_at < t.ends_at + interval '1 day'
              and r.received_at >= t.begun_at and r.received_at < t.ends_at and ${passes}
            order by r.observed_at limit 1) came
        where t.device_no = any($1) and t.passed_at is null and d.kind <> all($3))
     update device_tests t set passed_at = p.received_at, came_event = p.event, came_value = p.value
       from passed p where t.device_test_id = p.device_test_id and t.passed_at is null`,
    [deviceNos, earlierMsMax, [...alarmKinds]],
  )
}
