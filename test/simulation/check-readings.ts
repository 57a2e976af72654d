import type { EpochMs } from '../../alerts/model.js'
import { type History, type Published, type StoredReading, timeText, type Violation } from './history.js'
import { hourMs } from './plan.js'

/** The contract's bounds on device time, written down once more. */
const earliest = Date.UTC(2020, 0, 1)
const aheadMsMax = 24 * hourMs
const emergencyAgeMsMax = 7 * 24 * hourMs

const isMeter = ({ kind }: { kind: string }) => kind === 'water' || kind === 'electricity'
const isEmergency = ({ event }: { event: string }) => event === 'pressed' || event === 'alarm'
const isAbsurd = (reading: Published, receivedAt: EpochMs) =>
  reading.ts < earliest ||
  reading.ts > receivedAt + aheadMsMax ||
  (!isMeter(reading) && receivedAt - reading.ts > emergencyAgeMsMax)
const nameOf = (r: { deviceId: string; event: string }, at: EpochMs) => `${r.deviceId} ${r.event} ${timeText(at)}`

/**
 * Guarantee 1: what was acknowledged is stored, once, with its value; an alarm has its alert, and its first page was there
 * before the acknowledgement; nothing is stored that was not published.
 */
export function checkReadings({ published, stored }: Pick<History, 'published' | 'stored'>): Violation[] {
  const violations: Violation[] = []
  const complain = (what: string) => violations.push({ guarantee: 1, what })
  const rows = new Map<string, StoredReading[]>()
  for (const row of stored.readings) append(rows, keyOf(row.deviceId, row.event, row.observedAt), row)
  const sources = new Map<string, Published[]>()
  for (const reading of published) append(sources, keyOf(reading.deviceId, reading.event, reading.ts), reading)
  const wrongClocks = stored.readings.filter(({ clockWrong }) => clockWrong)
  const rowOfWrongClock = (reading: Published) =>
    wrongClocks.find(
      (row) =>
        row.deviceId === reading.deviceId && row.event === reading.event && reading.receivedAt.includes(row.receivedAt),
    )

  for (const [key, same] of rows) {
    const [row] = same as [StoredReading]
    if (same.length > 1) complain(`stored ${same.length} times: ${nameOf(row, row.observedAt)}`)
    const from = row.clockWrong
      ? published.filter(
          (r) => r.deviceId === row.deviceId && r.event === row.event && r.receivedAt.includes(row.receivedAt),
        )
      : (sources.get(key) ?? [])
    if (from.length === 0) complain(`stored but never published: ${nameOf(row, row.observedAt)}`)
    else if (!from.some(({ value }) => value === row.value))
      complain(`stored with ${row.value} instead of ${from[0]!.value}: ${nameOf(row, row.observedAt)}`)
  }

  const absurd = new Map<string, number>()
  for (const reading of published) {
    const { ackedAt, receivedAt, ts } = reading
    if (ackedAt === null) continue
    const judged = receivedAt.map((at) => isAbsurd(reading, at))
    if (judged.every(Boolean) && isMeter(reading)) {
      absurd.set(reading.deviceId, (absurd.get(reading.deviceId) ?? 0) + 1)
      continue
    }
    const sane = judged.some((one) => !one)
    const row =
      (sane ? rows.get(keyOf(reading.deviceId, reading.event, ts))?.[0] : undefined) ?? rowOfWrongClock(reading)
    if (!row) complain(`acknowledged ${timeText(ackedAt)} but not stored: ${nameOf(reading, ts)}`)
    else if (isEmergency(reading)) checkPaged(reading, row)
  }
  for (const [deviceId, count] of absurd)
    if ((stored.absurdTimes.get(deviceId) ?? 0) < count)
      complain(`${count} readings of ${deviceId} with absurd times acknowledged, not all of them in quarantine`)
  return violations

  function checkPaged(reading: Published, row: StoredReading) {
    const alert = stored.alerts.find(
      ({ alertId, deviceId, observedAt }) =>
        deviceId === row.deviceId &&
        (observedAt === row.observedAt ||
          stored.events.some(
            (event) =>
              event.alertId === alertId &&
              event.kind === 'repeat' &&
              Date.parse(String(event.detail.observedAt)) === row.observedAt,
          )),
    )
    if (!alert) return complain(`acknowledged, but no alert is about it: ${nameOf(row, row.observedAt)}`)
    const first = stored.pages.find(({ alertId }) => alertId === alert.alertId)
    if (!first) complain(`alert ${alert.alertId} has no page: ${nameOf(row, row.observedAt)}`)
    else if (first.createdAt > reading.ackedAt! && reading.keptAt === undefined)
      complain(`alert ${alert.alertId} was paged only after its acknowledgement: ${nameOf(row, row.observedAt)}`)
  }
}

const keyOf = (deviceId: string, event: string, at: EpochMs) => `${deviceId}/${event}/${Math.round(at)}`
function append<T>(map: Map<string, T[]>, key: string, item: T) {
  const list = map.get(key)
  if (list) list.push(item)
  else map.set(key, [item])
}
