import type { Queryable } from './pool.js'

/** Times in epoch ms; closedAt: when the alert was closed, null while it is open. */
export type EpisodeRow = {
  alertId: number
  active: boolean
  firstAt: number
  lastAt: number
  closedAt: number | null
}
export type AlarmDevice = { residentId: string; room: string; timeZone: string; episode: EpisodeRow | undefined }

/**
 * Locks alarm devices in a fixed order, so that two processes judge the readings of one device one after the other, and
 * returns each with the episode it is in.
 */
export async function lockAlarmDevices(tx: Queryable, deviceNos: number[]): Promise<Map<number, AlarmDevice>> {
  await tx.query('select from devices where device_no = any($1) order by device_no for no key update', [deviceNos])
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
  }>(
    `select d.device_no, d.resident_id, d.room, r.time_zone, e.alert_id, e.active, e.first_at, e.last_at,
            a.closed_at
       from devices d join residents r using (resident_id)
       left join alarm_episodes e using (device_no) left join alerts a using (alert_id)
      where d.device_no = any($1)`,
    [deviceNos],
  )
  return new Map(
    rows.map((row) => [
      row.device_no,
      {
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
              },
      },
    ]),
  )
}

/** Keeps the episode that a device is in now. */
export async function saveEpisode(
  tx: Queryable,
  p: { deviceNo: number; alertId: number; active: boolean; firstAt: number; lastAt: number },
): Promise<void> {
  await tx.query(
    `insert into alarm_episodes (device_no, alert_id, active, first_at, last_at) values ($1, $2, $3, $4, $5)
     on conflict (device_no) do update set alert_id = $2, active = $3, first_at = $4, last_at = $5`,
    [p.deviceNo, p.alertId, p.active, new Date(p.firstAt), new Date(p.lastAt)],
  )
}

/** Whose device this is. */
export async function residentOfDevice(tx: Queryable, deviceNo: number): Promise<string | undefined> {
  const { rows } = await tx.query<{ resident_id: string }>('select resident_id from devices where device_no = $1', [
    deviceNo,
  ])
  return rows[0]?.resident_id
}
