import type { EpochMs } from '../../alerts/model.js'
import {
  type History,
  type HomeTruth,
  type StoredAlert,
  type StoredReading,
  timeText,
  type Violation,
} from './history.js'
import { hourMs, minuteMs, secondMs } from './plan.js'

const silentKinds = ['silence_unusual', 'silent_12h', 'silent_24h']
/** Meters whose times cannot be believed are as silent; then the notice says why. */
const noticesOfSilence = ['gateway_offline', 'device_offline', 'clock_wrong']
const hoursOf: Record<string, number> = { silent_12h: 12, silent_24h: 24, silence_unusual: 0 }
const litresMax = 10
/** Between electricity readings further apart than this, an appliance may have run unseen. */
const electricityGapMsMax = 2 * hourMs
const lateMs = 2 * minuteMs

type Heard = { at: EpochMs; receivedAt: EpochMs; value: number | null }
type Meter = HomeTruth['meters'][number] & { heard: Heard[] }

/**
 * Guarantee 3: inactivity is told only of time that readings cover and in which nothing was used; it is told when it was
 * true and covered; a gateway that was silent for long has its notice. Judged on what was really used, and on what really
 * arrived when.
 */
export function checkSilence({
  homes,
  end,
  stored,
  outages,
}: Pick<History, 'homes' | 'end' | 'stored' | 'outages'>): Violation[] {
  const violations: Violation[] = []
  const complain = (what: string) => violations.push({ guarantee: 3, what })
  for (const home of homes) {
    const alerts = stored.alerts.filter(({ residentId }) => residentId === home.residentId)
    const meters = home.meters.map((meter) => ({ ...meter, heard: heardOf(stored.readings, meter.deviceId) }))
    if (meters.length === 0) continue
    for (const alert of alerts) if (silentKinds.includes(alert.kind)) checkCovered(home, meters, alert)
    checkOffline(home, meters, alerts)
    for (const silence of home.silences) checkTold(home, meters, alerts, silence.from, silence.to)
  }
  return violations

  function checkCovered(home: HomeTruth, meters: Meter[], { alertId, kind, openedAt, reason }: StoredAlert) {
    const { since, until, water, electricity } = reason as {
      since: EpochMs
      until: EpochMs
      water?: boolean
      electricity?: boolean
    }
    const place = `alert ${alertId} ${kind} of ${home.residentId} (${timeText(since)} to ${timeText(until)}, opened ${timeText(openedAt)})`
    if (until - since < hoursOf[kind]! * hourMs) complain(`${place} is shorter than its kind`)
    if (until > openedAt) complain(`${place} speaks of the future`)
    for (const meter of meters) {
      if (meter.kind === 'water' ? water === false : electricity === false) continue
      const known = meter.heard.filter(({ receivedAt }) => receivedAt <= openedAt)
      const inside = known
        .map(({ at }) => at)
        .filter((at) => at >= since && at <= until)
        .sort((a, b) => a - b)
      if (!known.some(({ at }) => at <= since) || !known.some(({ at }) => at >= until))
        complain(`${place}: ${meter.kind} was not known all that time`)
      if (meter.kind === 'electricity') {
        const widest = inside.reduce((gap, at, i) => Math.max(gap, at - (inside[i - 1] ?? since)), 0)
        if (widest > electricityGapMsMax)
          complain(`${place}: a hole of ${Math.round(widest / minuteMs)} min in ${meter.kind}`)
      }
      const newest = known.reduce((at, reading) => Math.max(at, reading.receivedAt), 0)
      if (openedAt - newest > offlineAfterMs(meter, openedAt))
        complain(`${place}: nothing had come from ${meter.kind} since ${timeText(newest)}`)
    }
    const clockRight = clockIsRight(home, since - hourMs, openedAt)
    const used = clockRight ? home.litresAt(until) - home.litresAt(since) : 0
    if (water && used >= litresMax + 0.5) complain(`${place}: ${used.toFixed(1)} L were really used`)
  }

  /** Each long time in which no meter was heard has a notice that was open in it. */
  function checkOffline(home: HomeTruth, meters: Meter[], alerts: StoredAlert[]) {
    const arrivals = [...new Set(meters.flatMap(({ heard }) => heard.map(({ receivedAt }) => receivedAt)))].sort(
      (a, b) => a - b,
    )
    const offline = alerts.filter(({ kind }) => noticesOfSilence.includes(kind))
    for (const [index, from] of arrivals.entries()) {
      const to = arrivals[index + 1] ?? end
      const afterMs = Math.max(...meters.map((meter) => offlineAfterMs(meter, from))) + 20 * minuteMs
      if (to - from <= afterMs) continue
      const told = offline.some(({ openedAt, closedAt }) => openedAt <= from + afterMs && (closedAt ?? end) > from)
      if (!told)
        complain(`${home.residentId}: nothing came from ${timeText(from)} to ${timeText(to)}, and no notice says so`)
    }
  }

  /** Somebody fell silent, and all meters went on reporting in time. */
  function checkTold(home: HomeTruth, meters: Meter[], alerts: StoredAlert[], from: EpochMs, to: EpochMs) {
    const slowestMs = Math.max(...meters.map(({ intervalMs }) => intervalMs))
    const by = from + 12 * hourMs + 2 * slowestMs + 3 * minuteMs
    const watched = { from: from - 3 * hourMs, to: by }
    // What an edge has kept for itself is known only when it has handed it over.
    if (outages.some((outage) => outage.from <= by && outage.to >= by - hourMs)) return
    if (to < by || end < by || !clockIsRight(home, watched.from - 24 * hourMs, by)) return
    if (home.litresAt(by) - home.litresAt(from + minuteMs) >= 1) return
    const pressed = stored.readings.some(
      (r) =>
        r.residentId === home.residentId && r.kind === 'button' && r.observedAt >= watched.from && r.observedAt <= by,
    )
    if (pressed || !meters.every((meter) => isCovered(meter, watched))) return
    const told = alerts.some(
      ({ kind, openedAt, closedAt }) =>
        silentKinds.includes(kind) && openedAt <= by && (closedAt ?? end) >= from + 12 * hourMs,
    )
    if (!told)
      complain(`${home.residentId} has been silent from ${timeText(from)} on, known all the time, and nobody was told`)
  }
}

function heardOf(readings: StoredReading[], deviceId: string): Heard[] {
  return readings
    .filter((reading) => reading.deviceId === deviceId)
    .map(({ observedAt, receivedAt, value }) => ({ at: Math.min(observedAt, receivedAt), receivedAt, value }))
}

/** No rule can take longer to miss a meter: twice the longest gap that it has lately shown, and a little. */
function offlineAfterMs({ heard, intervalMs }: Meter, at: EpochMs): number {
  const before = [...new Set(heard.map(({ receivedAt }) => receivedAt).filter((one) => one <= at))].sort(
    (a, b) => a - b,
  )
  // The rule keeps 32 gaps between readings in time; between them come late ones.
  const lately = before.slice(-80)
  const longest = lately.reduce((gap, one, i) => Math.max(gap, i === 0 ? 0 : one - lately[i - 1]!), 0)
  // Until eight gaps are known, an hour is taken for usual.
  return 2 * Math.min(26 * hourMs, Math.max(longest, intervalMs, hourMs)) + 5 * minuteMs
}

/** Heard in time, without a gap, from before `from` until after `to`. */
function isCovered({ heard, intervalMs }: Meter, { from, to }: { from: EpochMs; to: EpochMs }): boolean {
  const inTime = heard
    .filter(({ at, receivedAt }) => receivedAt - at < lateMs && at >= from - intervalMs && at <= to + intervalMs)
    .map(({ at }) => at)
    .sort((a, b) => a - b)
  if (inTime.length === 0 || inTime[0]! > from || inTime.at(-1)! < to - intervalMs) return false
  const late = heard.some(({ at, receivedAt }) => receivedAt >= from && receivedAt <= to && receivedAt - at >= lateMs)
  return !late && inTime.every((at, i) => i === 0 || at - inTime[i - 1]! <= 1.2 * intervalMs)
}

/** The clock of the gateway is right to a few seconds all that time. */
function clockIsRight({ clockAheadMs }: HomeTruth, from: EpochMs, to: EpochMs): boolean {
  for (let at = from; at <= to; at += 5 * minuteMs) if (Math.abs(clockAheadMs(at)) > 3 * secondMs) return false
  return true
}
