import type { Headline } from '../alerts/model.js'
import { type AlarmEpisode, type AlarmReading, judgeAlarm } from '../alerts/rules/alarm.js'
import {
  type AlarmDevice,
  type EpisodeRow,
  lockAlarmDevices,
  noteVerify,
  openAlertOf,
  residentOfDevice,
  saveEpisode,
} from '../db/alarm-episodes.js'
import { clearAlert, openAlert } from '../db/alerts.js'
import { noteTestReadings } from '../db/devices-tested.js'
import type { Queryable } from '../db/pool.js'
import { insertAlarmReadings, type ReadingRow } from '../db/readings.js'
import { lockRunningTests } from '../db/running-tests.js'
import { commitStandInAlert, settleTold } from '../db/stand-in.js'
import { createAlarmNotes } from './alarm-notes.js'
import type { AlarmKind } from './contract.js'
import type { StandInAlert } from './stand-in/record.js'
import { NotStorable } from './storage-failure.js'

export type AlarmRow = ReadingRow & {
  kind: AlarmKind
  retained: boolean
  /** Said again from memory. */
  cached?: boolean | undefined
  residentId: string
  /** Free text; may be empty. */
  room: string
  /**
   * Of the alert that a commit opened with it. Set before the commit is answered: when that answer is lost, whoever tells
   * people of it by itself names the alert that the database may have.
   */
  alertId?: number
}

/** The episode that a device is in, as its commit left it. */
export type EpisodeSeen = { deviceNo: number; kind: AlarmRow['kind']; episode: AlarmEpisode }

/** What a press waits for somebody else's lock before it lets the presses behind it go first. */
const lockMsMax = 1_000

const key = (r: { deviceNo: number; observedAt: number; event: string }) => `${r.deviceNo} ${r.observedAt} ${r.event}`

/**
 * Commits the readings of call buttons, alarms and voice panels and, in the same transaction, the alerts they open with
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
  const settled = [...toldByReading].filter(([reading]) => !isNew.has(reading)).map(([, alert]) => alert)
  if (news.length === 0) {
    await settleAll(tx, settled, now)
    return []
  }
  const devices = await lockAlarmDevices(tx, [...new Set(news.map((row) => row.deviceNo))])
  const since = Math.min(...news.map((row) => row.receivedAt))
  const tests = await lockRunningTests(tx, { deviceNos: [...devices.keys()], since })
  const notes = createAlarmNotes(tx, now)
  const changed = new Set<AlarmDevice>()
  for (const row of news) {
    const bound = devices.get(row.deviceNo)
    const told = toldByReading.get(key(row))
    // Just moved: it is for whom the device speaks now, and in doubt no test. What people were told of stays as it was told.
    const device = told ? bound : (bound?.movedTo ?? bound)
    // Whoever stands in the home and tries a device out is paged for nothing; what people were told of stays an alert.
    if (device && (told || device !== bound || !(await tests.take(row)))) {
      await judge(tx, { row, device, now, told, notes })
      changed.add(device)
    }
  }
  for (const { deviceNo, episode } of changed) if (episode) await saveEpisode(tx, { deviceNo, ...episode })
  await notes.finish()
  await settleAll(tx, settled, now)
  await noteTestReadings(
    tx,
    news.filter(({ event }) => event === 'test'),
  )
  return news.flatMap(({ deviceNo, kind }) => {
    const bound = devices.get(deviceNo)
    return [bound, bound?.movedTo].flatMap((device) =>
      device?.episode ? [{ deviceNo: device.deviceNo, kind, episode: asSeen(device.episode) }] : [],
    )
  })
}

async function settleAll(tx: Queryable, settled: StandInAlert[], now: Date): Promise<void> {
  for (const alert of settled) await settleTold(tx, alert, now)
}

/** Who does not ask the database does not know whether somebody has taken the alert meanwhile, or closed it. */
function asSeen({ takenAt: _, ...episode }: EpisodeRow): AlarmEpisode {
  return episode
}

type Judged = {
  row: AlarmRow
  device: AlarmDevice
  now: Date
  told: StandInAlert | undefined
  notes: ReturnType<typeof createAlarmNotes>
}

async function judge(tx: Queryable, { row, device, now, told, notes }: Judged): Promise<void> {
  const { kind } = row
  const { deviceNo } = device
  const reading = {
    kind,
    event: row.event as AlarmReading['event'],
    observedAt: row.observedAt,
    receivedAt: row.receivedAt,
    clockWrong: row.clockWrong,
    retained: row.retained,
    cached: row.cached,
    battery: row.battery,
    room: device.room,
    ...(row.value === undefined ? {} : { level: row.value }),
    ...(row.unit === undefined ? {} : { unit: row.unit }),
  }
  // What people were told of is an alert of its own, whatever episode the database knew of before.
  const verdict = judgeAlarm(told ? undefined : device.episode, reading, device.timeZone)
  if (verdict.kind === 'ignore') return
  const at = new Date(row.receivedAt)
  const observedAt = new Date(row.observedAt)
  const { residentId } = device
  const detail = { observedAt: observedAt.toISOString() }
  let alertId = device.episode?.alertId
  if (verdict.kind === 'open') {
    const { headline, reason } = verdict
    const opened =
      (told && (await commitStandInAlert(tx, told, now))) ??
      (await openAlert(tx, { residentId, deviceNo, kind, openedAt: at, observedAt, headline, reason }, now))
    if (opened !== null) row.alertId = opened
    alertId = opened ?? (await openAlertOf(tx, { residentId, deviceNo, kind }))
    // What is no emergency is open only once: this is more of the same.
    if (opened === null && alertId !== undefined) await notes.line({ alertId, at, kind: 'repeat', detail })
  } else if (alertId !== undefined) {
    if (verdict.kind === 'verify') await noteVerify(tx, { alertId, at, detail })
    else await notes.line({ alertId, at, kind: verdict.kind, detail })
  }
  if (verdict.kind === 'verify' && verdict.standing) {
    notes.stands(deviceNo)
    await openAlert(
      tx,
      { residentId, deviceNo, kind: 'alarm_standing', openedAt: at, observedAt, ...verdict.standing },
      now,
    )
  }
  // Of a backlog that goes on and off, the first end ends what stood before it.
  if (verdict.kind === 'cleared' && notes.endsStanding(deviceNo)) {
    const { headline } = verdict
    const outcome = 'device fault'
    await clearAlert(tx, { residentId, kind: 'alarm_standing', deviceNo, at, headline, outcome })
  }
  if (alertId === undefined) throw new NotStorable(`no alert came of device ${deviceNo}: is its resident gone?`)
  const before = device.episode
  // Whatever it was before, the alert that has just opened nobody can have taken.
  const takenAt = verdict.kind === 'open' ? null : before?.takenAt
  device.episode = { ...verdict.episode, alertId, ...(takenAt === undefined ? {} : { takenAt }) }
  if (verdict.episode.active !== (before?.active ?? false))
    notes.change({ deviceNo, kind, at: Math.min(row.observedAt, row.receivedAt) })
}

/**
 * The way for an alarm that cannot be judged (a bug): its reading and an alert with the plainest words, so that somebody
 * goes and looks.
 */
export async function commitAlarmsPlainly(tx: Queryable, rows: AlarmRow[], now: Date): Promise<void> {
  const fresh = new Set((await insertAlarmReadings(tx, rows)).map(key))
  for (const row of rows.filter((each) => fresh.has(key(each)) && alarming.includes(each.event))) {
    const { kind } = row
    const bound = await residentOfDevice(tx, row.deviceNo)
    if (!bound) continue
    const { deviceNo, residentId } = bound
    const at = new Date(row.receivedAt)
    const headline = plainHeadlines[kind]
    await openAlert(
      tx,
      { residentId, deviceNo, kind, openedAt: at, observedAt: at, headline, reason: { unjudged: true } },
      now,
    )
  }
}

/** What a device says when somebody is to come. */
const alarming = ['pressed', 'alarm', 'help']

const plainHeadlines: Record<AlarmKind, Headline> = {
  button: { zh: '呼叫按钮被按下。', en: 'Call button pressed.' },
  smoke: { zh: '烟雾报警器报警。', en: 'Smoke alarm went off.' },
  gas: { zh: '燃气报警器报警。', en: 'Gas alarm went off.' },
  co: { zh: '一氧化碳报警器报警。', en: 'Carbon monoxide alarm went off.' },
  leak: { zh: '水浸传感器报警。', en: 'Water leak sensor went off.' },
  voice: { zh: '语音面板收到求助。', en: 'Help called at the voice panel.' },
}
