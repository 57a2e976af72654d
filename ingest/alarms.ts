import { type AlarmEpisode, type AlarmReading, judgeAlarm } from '../alerts/rules/alarm.js'
import { type AlarmDevice, lockAlarmDevices, residentOfDevice, saveEpisode } from '../db/alarm-episodes.js'
import { openAlert, recordAlertEvent } from '../db/alerts.js'
import type { Queryable } from '../db/pool.js'
import { insertAlarmReadings, type ReadingRow } from '../db/readings.js'
import { commitStandInAlert, settleToldPages } from '../db/stand-in.js'
import type { StandInAlert } from './stand-in/record.js'
import { NotStorable } from './storage-failure.js'

export type AlarmRow = ReadingRow & {
  kind: 'button' | 'smoke' | 'gas'
  retained: boolean
  residentId: string
  /** Free text; may be empty. */
  room: string
}

/** The episode that a device is in, as its commit left it. */
export type EpisodeSeen = { deviceNo: number; kind: AlarmRow['kind']; episode: AlarmEpisode }

/** What a press waits for somebody else's lock before it lets the presses behind it go first. */
const lockMsMax = 1_000

const key = (r: { deviceNo: number; observedAt: number; event: string }) => `${r.deviceNo} ${r.observedAt} ${r.event}`

/**
 * Commits the readings of call buttons, smoke and gas alarms and, in the same transaction, the alerts they open with
 * their first pages. Sent twice, a reading is judged once. `told`: the alerts of these readings that an edge has opened
 * and paged by itself. Returns the episodes that their devices are in now.
 */
export async function commitAlarms(
  tx: Queryable,
  rows: AlarmRow[],
  now: Date,
  told: StandInAlert[] = [],
): Promise<EpisodeSeen[]> {
  await tx.query(`set local lock_timeout = '${lockMsMax}ms'`)
  const fresh = new Set((await insertAlarmReadings(tx, rows)).map(key))
  const news = rows.filter((row) => fresh.delete(key(row)))
  const toldByReading = new Map(told.map((alert) => [key({ ...alert.reading, deviceNo: alert.deviceNo }), alert]))
  const isNew = new Set(news.map(key))
  for (const [reading, alert] of toldByReading) if (!isNew.has(reading)) await settleToldPages(tx, alert)
  if (news.length === 0) return []
  const devices = await lockAlarmDevices(tx, [...new Set(news.map((row) => row.deviceNo))])
  for (const row of news) {
    const device = devices.get(row.deviceNo)
    if (device) await judge(tx, { row, device, now, told: toldByReading.get(key(row)) })
  }
  return news.flatMap(({ deviceNo, kind }) => {
    const episode = devices.get(deviceNo)?.episode
    return episode ? [{ deviceNo, kind, episode }] : []
  })
}

async function judge(
  tx: Queryable,
  { row, device, now, told }: { row: AlarmRow; device: AlarmDevice; now: Date; told: StandInAlert | undefined },
): Promise<void> {
  const { kind, deviceNo } = row
  const reading = {
    kind,
    event: row.event as AlarmReading['event'],
    observedAt: row.observedAt,
    receivedAt: row.receivedAt,
    clockWrong: row.clockWrong,
    retained: row.retained,
    room: device.room,
    ...(row.value === undefined ? {} : { level: row.value }),
    ...(row.unit === undefined ? {} : { unit: row.unit }),
  }
  // What people were told of is an alert of its own, whatever episode the database knew of before.
  const verdict = judgeAlarm(told ? undefined : device.episode, reading, device.timeZone)
  if (verdict.kind === 'ignore') return
  const at = new Date(row.receivedAt)
  const observedAt = new Date(row.observedAt)
  let alertId = device.episode?.alertId
  if (verdict.kind === 'open') {
    const { headline, reason } = verdict
    const { residentId } = device
    alertId =
      (told && (await commitStandInAlert(tx, told, now))) ??
      (await openAlert(tx, { residentId, deviceNo, kind, openedAt: at, observedAt, headline, reason }, now)) ??
      undefined
  } else if (alertId !== undefined) {
    await recordAlertEvent(tx, { alertId, at, kind: verdict.kind, detail: { observedAt: observedAt.toISOString() } })
  }
  if (alertId === undefined) throw new NotStorable(`no alert came of device ${deviceNo}: is its resident gone?`)
  device.episode = { ...verdict.episode, alertId }
  await saveEpisode(tx, { deviceNo, ...device.episode })
}

/**
 * The way for an alarm that cannot be judged (a bug): its reading and an alert with the plainest words, so that somebody
 * goes and looks.
 */
export async function commitAlarmsPlainly(tx: Queryable, rows: AlarmRow[], now: Date): Promise<void> {
  const fresh = new Set((await insertAlarmReadings(tx, rows)).map(key))
  for (const row of rows.filter(
    (each) => fresh.has(key(each)) && (each.event === 'pressed' || each.event === 'alarm'),
  )) {
    const { kind, deviceNo } = row
    const residentId = await residentOfDevice(tx, deviceNo)
    if (residentId === undefined) continue
    const at = new Date(row.receivedAt)
    const headline = plainHeadlines[kind]
    await openAlert(
      tx,
      { residentId, deviceNo, kind, openedAt: at, observedAt: at, headline, reason: { unjudged: true } },
      now,
    )
  }
}

const plainHeadlines = {
  button: { zh: '呼叫按钮被按下。', en: 'Call button pressed.' },
  smoke: { zh: '烟雾报警器报警。', en: 'Smoke alarm went off.' },
  gas: { zh: '燃气报警器报警。', en: 'Gas alarm went off.' },
}
