import type { EpochMs } from '../../alerts/model.js'
import { isObject, type Json } from './json.js'

const isoWithZone = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d{1,9})?(Z|[+-]\d{2}:\d{2})$/
const dateMsMax = 8.64e15

function parseIso(value: unknown): EpochMs | undefined {
  const at = typeof value === 'string' && isoWithZone.test(value) ? Date.parse(value) : Number.NaN
  return Number.isNaN(at) ? undefined : at
}

/** As text: what is 1970 in milliseconds is a date of today in seconds. */
export const timeOf = (at: EpochMs | undefined): { ts?: string } =>
  at !== undefined && Math.abs(at) <= dateMsMax ? { ts: new Date(at).toISOString() } : {}

/** When the network received the frame: `time`, else the earliest of its gateways. Undefined: nobody says. */
export function timeOfUp({ time, rxInfo }: Json): EpochMs | undefined {
  const gateways = Array.isArray(rxInfo) ? rxInfo.filter(isObject) : []
  const times = gateways.flatMap((one) => {
    const at = [one.nsTime, one.gwTime, one.time].map(parseIso).find((each) => each !== undefined)
    return at === undefined ? [] : [at]
  })
  return parseIso(time) ?? (times.length > 0 ? Math.min(...times) : undefined)
}

/** When the device made its frame, by its own clock: exact, and the same in each copy. */
export function deviceNow(object: Json): EpochMs | undefined {
  for (const name of ['timestamp_utc', 'timestamp_unix', 'timestamp', 'CurrentTimestamp']) {
    const value = Object.hasOwn(object, name) ? object[name] : undefined
    if (typeof value === 'number' && value > 1e9 && value < 1e10) return Math.round(value * 1_000)
    if (typeof value === 'number' && value > 1e12 && value < 1e13) return Math.round(value)
    const at = parseIso(value)
    if (at !== undefined) return at
  }
  return undefined
}
