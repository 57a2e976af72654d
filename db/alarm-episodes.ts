import type { AlertKind } from '../alerts/model.js'
import type { Queryable } from './pool.js'

/** Times in epoch ms; closedAt: when the alert was closed, null while it is open. */
export type EpisodeRow = {
  alertId: number
  active: boolean
  firstAt: number
  lastAt: number
  closedAt: number | null
  /** Since when somebody is at its alert, which is open; null: nobody is yet. */
  takenAt?: number | null
  /** That it stands though its alert was closed was told. */
  standingTold?: boolean
}
export type AlarmDevice = {
  deviceNo: number
  residentId: string
  room: string
  timeZone: string
  episode: EpisodeRow | undefined
  /** Whose binding has ended: the same device as it is bound now, which is in the map as well. */
  movedTo?: AlarmDevice
}

/**
 * Locks alarm devices in a fixed order, so that two processes judge the readings of one device one after the other, and
 * returns each with the episode it is in. For a moment after a device was moved an edge still knows its old binding.
 */
export async function lockAlarmDevices(tx: Queryable, asked: number[]): Promise<Map<number, AlarmDevice>> {
  const ended = await lockBindings(tx, asked)
  const moved = ended.length > 0 ? await currentBindings(tx, ended) : new Map<number, number>()
  if (moved.size > 0) await lockBindings(tx, [...moved.values()])
  const deviceNos = [...new Set([...asked, ...moved.values()])]
  // And the alerts of their episodes: a press must not join an alert that somebody is closing at this moment.
  await tx.query(
    `select from alerts where alert_id in (select alert_id from alarm_episodes where device_no = any($1))
      order by alert_id for no key update`,
    [deviceNos],
  )
  const { rows } = await tx.query<{
    device_no: number
    resident_id: string
    room: string
    time_zone: string
    alert_id: number | null
    active: boolean
    first_at: Date
    last_at: Date
    closed_at: Date | null
    is_taken: boolean
    stage_at: Date | null
    standing_told: boolean
  }>(
    `select d.device_no, d.resident_id, d.room, r.time_zone, e.alert_id, e.active, e.first_at, e.last_at,
            a.closed_at, a.stage <> 'open' as is_taken, a.stage_at, e.standing_told
       from devices d join residents r using (resident_id)
       left join alarm_episodes e using (device_no) left join alerts a using (alert_id)
      where d.device_no = any($1)`,
    [deviceNos],
  )
  const devices = new Map(
    rows.map((row): [number, AlarmDevice] => [
      row.device_no,
      {
        deviceNo: row.device_no,
        residentId: row.resident_id,
        room: row.room,
        timeZone: row.time_zone,
        episode:
          row.alert_id === null
            ? undefined
            : {
                alertId: row.alert_id,
                active: row.active,
                firstAt: row.first_at.getTime(),
                lastAt: row.last_at.getTime(),
                closedAt: row.closed_at?.getTime() ?? null,
                takenAt: row.is_taken ? (row.stage_at?.getTime() ?? 0) : null,
                ...(row.standing_told ? { standingTold: true } : {}),
              },
      },
    ]),
  )
  for (const [from, to] of moved) {
    const device = devices.get(from)
    const movedTo = devices.get(to)
    if (device && movedTo) device.movedTo = movedTo
  }
  return devices
}

/** Returns those whose binding has ended. */
async function lockBindings(tx: Queryable, deviceNos: number[]): Promise<number[]> {
  const { rows } = await tx.query<{ device_no: number; ended: boolean }>(
    `select device_no, unbound_at is not null as ended from devices where device_no = any($1)
      order by device_no for no key update`,
    [deviceNos],
  )
  return rows.filter(({ ended }) => ended).map((row) => row.device_no)
}

/** As what these devices, whose binding has ended, are bound at the same gateway now. */
async function currentBindings(tx: Queryable, ended: number[]): Promise<Map<number, number>> {
  const { rows } = await tx.query<{ device_no: number; current_no: number }>(
    `select d.device_no, c.device_no as current_no
       from devices d join devices c using (device_id, gateway_id, kind)
      where d.device_no = any($1) and d.unbound_at is not null and c.unbound_at is null`,
    [ended],
  )
  return new Map(rows.map((row) => [row.device_no, row.current_no]))
}

/** Keeps the episode that a device is in now. */
export async function saveEpisode(
  tx: Queryable,
  p: { deviceNo: number; alertId: number; active: boolean; firstAt: number; lastAt: number; standingTold?: boolean },
): Promise<void> {
  await tx.query(
    `insert into alarm_episodes (device_no, alert_id, active, first_at, last_at, standing_told) values ($1, $2, $3, $4, $5, $6)
     on conflict (device_no) do update set alert_id = $2, active = $3, first_at = $4, last_at = $5, standing_told = $6`,
    [p.deviceNo, p.alertId, p.active, new Date(p.firstAt), new Date(p.lastAt), p.standingTold === true],
  )
}

/** Whose device this is now, and as which binding. */
export async function residentOfDevice(
  tx: Queryable,
  deviceNo: number,
): Promise<{ deviceNo: number; residentId: string } | undefined> {
  const currentNo = (await currentBindings(tx, [deviceNo])).get(deviceNo) ?? deviceNo
  const { rows } = await tx.query<{ resident_id: string }>('select resident_id from devices where device_no = $1', [
    currentNo,
  ])
  return rows[0] && { deviceNo: currentNo, residentId: rows[0].resident_id }
}

/** The alert of this kind and device that is open; what is no emergency is open only once. */
export async function openAlertOf(
  tx: Queryable,
  p: { residentId: string; deviceNo: number; kind: AlertKind },
): Promise<number | undefined> {
  const { rows } = await tx.query<{ alert_id: number }>(
    `select alert_id from alerts where resident_id = $1 and device_no = $2 and kind = $3 and closed_at is null
      order by alert_id desc limit 1 for no key update`,
    [p.residentId, p.deviceNo, p.kind],
  )
  return rows[0]?.alert_id
}

/** A bridge that restarts again and again says the same thing each time: one line in 10 min is enough. */
const verifyMinutes = 10

/** Notes in the history of an alert that its alarm was said again from memory. */
export async function noteVerify(
  tx: Queryable,
  { alertId, at, detail }: { alertId: number; at: Date; detail: Record<string, unknown> },
): Promise<void> {
  await tx.query(
    `with noted as (
       insert into alert_events (alert_id, at, kind, detail)
       select $1, $2, 'verify', $3
        where not exists (select from alert_events where alert_id = $1 and kind = 'verify'
                             and at > $2::timestamptz - interval '${verifyMinutes} min')
       returning 1
     )
     select pg_notify('shouwang', 'alerts') from noted`,
    [alertId, at, JSON.stringify(detail)],
  )
}
