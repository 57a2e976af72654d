import type { EpochMs } from '../../alerts/model.js'
import {
  type HourlyDeltas,
  type Point,
  pointsMax,
  type Register,
  readHourlyDeltas,
  takeHourlyDeltas,
} from './chirpstack-deltas.js'
import { deviceNow, timeOf } from './chirpstack-time.js'
import { scaled } from './field-units.js'
import { readValues } from './field-values.js'
import { isObject, type Json, numberOf } from './json.js'

const hourMs = 3_600_000
/** Behind this much a device's clock is not only late: it is wrong, or set to local time. */
const clockOffMsMax = 15 * 60_000
/** Litres by which a log may pass the register because both are rounded. */
const roundedLitresMax = 1

/** The parts of a frame that are no values of now. */
export type History = {
  deltas: HourlyDeltas | undefined
  log: Json | undefined
  points: { item: Json; isAxioma: boolean }[]
  now: EpochMs | undefined
}

/**
 * Takes out of a decoded frame what tells of other times than now. Four layouts, all of codecs in use:
 * - hourly deltas beside a register: see chirpstack-deltas.ts;
 * - `log_volume` (m³) at `log_timestamp` and `delta_volumes: [{volume_liters}]` from there on, hour by hour, with
 *   `current_volume` (m³) as the newest (Axioma, extended frame);
 * - `ListOfMeasurements: [{DataloggerTimestamp, Volume}]`, m³ (Axioma's own codec);
 * - `history: [{timestamp, …}]` with the names of the table (Milesight).
 */
export function takeHistory(object: Json): { rest: Json; history: History } {
  const { rest: undelta, deltas } = takeHourlyDeltas(object)
  const history: History = { deltas, log: undefined, points: [], now: deviceNow(object) }
  const rest = { ...undelta }
  const { delta_volumes: list } = rest
  if (Array.isArray(list) && list.every((one) => isObject(one) && Object.hasOwn(one, 'volume_liters'))) {
    history.log = object
    for (const name of ['log_volume', 'log_timestamp', 'delta_volumes', 'current_volume']) delete rest[name]
  }
  for (const name of ['ListOfMeasurements', 'history']) {
    const items = Object.hasOwn(rest, name) ? rest[name] : undefined
    if (!Array.isArray(items)) continue
    const isAxioma = name === 'ListOfMeasurements'
    history.points.push(...items.slice(0, pointsMax).flatMap((item) => (isObject(item) ? [{ item, isAxioma }] : [])))
    for (const taken of isAxioma ? [name, 'CurrentVolume', 'LogVolume'] : [name]) delete rest[taken]
  }
  return { rest, history }
}

/**
 * The readings of what was taken out, each at its own time. `at`: when the network received the frame; `register`: the
 * newest value, in L or Wh. Where a delta is missing or negative the counting ends: what lies beyond is not known.
 */
export function readHistory(
  { deltas, log, points, now }: History,
  { at, register }: { at: EpochMs | undefined; register: Register | undefined },
): { readings: Point[]; odd: string[]; unknown: string[] } {
  // A device whose clock is wrong logs with the wrong clock too.
  const offMs = at !== undefined && now !== undefined && Math.abs(at - now) > clockOffMsMax ? at - now : 0
  const read = deltas ? readHourlyDeltas(deltas, { at: frameTime(at, now), register }) : { readings: [], odd: [] }
  const found = { ...read, unknown: [] as string[] }
  if (log) readLog(log, { now, offMs }, found)
  for (const { item, isAxioma } of points) {
    const { DataloggerTimestamp, timestamp, deltaVolume: _, Volume, ...others } = item
    const values = isAxioma ? { ...others, volume_m3: Volume } : item
    const seconds = numberOf(timestamp ?? DataloggerTimestamp)
    const ms = seconds === undefined ? undefined : (seconds > 1e11 ? seconds : seconds * 1_000) + offMs
    // Late, but not said again: what was said before has the same time.
    const one = readValues(values, { vocabulary: 'chirpstack', ts: timeOf(ms).ts })
    found.readings.push(...one.sayings)
    found.odd.push(...one.odd)
    found.unknown.push(...one.unknown)
  }
  return found
}

/** When the frame was made: by the device's clock where that is right, for a frame may wait for the network. */
export const frameTime = (at: EpochMs | undefined, now: EpochMs | undefined): EpochMs | undefined =>
  at === undefined || (now !== undefined && Math.abs(at - now) <= clockOffMsMax) ? now : at

function readLog(
  log: Json,
  { now, offMs }: { now: EpochMs | undefined; offMs: number },
  found: { readings: Point[]; odd: string[] },
): void {
  const point = (atMs: number | undefined, litres: number) =>
    found.readings.push({ kind: 'water', fields: { ...timeOf(atMs === undefined ? atMs : atMs + offMs), litres } })
  const list: unknown[] = Array.isArray(log.delta_volumes) ? log.delta_volumes.slice(0, pointsMax) : []
  const [start, startAt, end] = [log.log_volume, log.log_timestamp, log.current_volume].map(numberOf)
  if (end !== undefined) point(now, scaled(end, 1_000))
  if (start === undefined || startAt === undefined) return
  const litresMax = end === undefined ? Number.POSITIVE_INFINITY : scaled(end, 1_000) + roundedLitresMax
  let litres = scaled(start, 1_000)
  point(startAt * 1_000, litres)
  for (const [index, one] of list.entries()) {
    const atMs = startAt * 1_000 + (index + 1) * hourMs
    // A list that is longer than the time since its start is not an hourly one.
    if (now !== undefined && atMs > now) return
    const delta = numberOf(isObject(one) ? one.volume_liters : undefined)
    if (delta === undefined || delta < 0 || litres + delta > litresMax) {
      found.odd.push(`delta ${index + 1} of ${list.length} is missing, negative or too big`)
      return
    }
    litres = scaled(litres + delta, 1)
    point(atMs, litres)
  }
}
