import { plainNames, unwrapped } from './chirpstack-codecs.js'
import type { Register } from './chirpstack-deltas.js'
import { frameTime, readHistory, takeHistory } from './chirpstack-history.js'
import { withTags } from './chirpstack-tags.js'
import { timeOf, timeOfUp } from './chirpstack-time.js'
import {
  type Announcement,
  type Dialect,
  type DialectMemory,
  type DialectMessage,
  type DialectOutput,
  type Saying,
  sayingsMax,
} from './dialect.js'
import { readValues, rejectionsOf } from './field-values.js'
import { isObject, type Json, nothing, notUnderstood, numberOf, readJson } from './json.js'
import { noted, notedOf, withBattery } from './noted.js'
import { plainText } from './plain-text.js'

const nameCharsMax = 60

/**
 * ChirpStack v4, JSON marshaler: `application/<id>/device/<devEUI>/event/<event>`. A device is its devEUI. What a frame
 * means is what the codec of its device profile makes of it (`object`), by the table of names; a frame without it cannot
 * be understood. Its time is the network's: the clocks of devices are wrong or local too often.
 */
export const chirpstack: Dialect = { name: 'chirpstack', read }

const silent = ['join', 'ack', 'txack', 'location', 'integration']

function read(message: DialectMessage): DialectOutput {
  const levels = message.topic.split('/')
  const device = levels.lastIndexOf('device')
  const [eui = '', ...rest] = device < 0 ? [] : levels.slice(device + 1)
  const event = rest[0] === 'event' ? rest[1] : rest[0]
  if (rest[0] === 'command' || (event && silent.includes(event))) return nothing
  if (event !== 'up' && event !== 'status' && event !== 'log')
    return notUnderstood('topic not in dialect', plainText(message.topic, 200))
  const read = readJson(message.payload)
  if ('output' in read) return read.output
  if (!isObject(read.json)) return notUnderstood('wrong shape', 'no object')
  const said = read.json
  const info = isObject(said.deviceInfo) ? said.deviceInfo : {}
  const nativeId = euiOf(info.devEui) ?? euiOf(eui)
  if (!nativeId) return notUnderstood('wrong shape', 'no devEui of 16 hexadecimal digits')
  if (event === 'log') return readLog(said)
  if (event === 'status') return readStatus(said, nativeId, message)
  return readUp(said, { nativeId, info, message })
}

const euiOf = (value: unknown): string | undefined =>
  typeof value === 'string' && /^[0-9a-f]{16}$/i.test(value) ? value.toLowerCase() : undefined

/** An error of the codec is a frame that was not understood, already there. */
function readLog({ level, code, description }: Json): DialectOutput {
  if (level !== 'ERROR' || code !== 'UPLINK_CODEC') return nothing
  return notUnderstood('wrong shape', `the codec of the device profile: ${plainText(description, 120)}`)
}

function readStatus(said: Json, nativeId: string, { memory }: DialectMessage): DialectOutput {
  const level = numberOf(said.batteryLevel)
  if (said.batteryLevelUnavailable === true || said.externalPowerSource === true) return nothing
  if (level === undefined || level < 0 || level > 100) return nothing
  const kept = withBattery(memory, nativeId, { sayings: [], battery: Math.round(level * 100) / 10_000 })
  return kept.memory === memory ? nothing : { ...nothing, memory: kept.memory }
}

function readUp(
  said: Json,
  { nativeId, info, message }: { nativeId: string; info: Json; message: DialectMessage },
): DialectOutput {
  const object = unwrapped(said.object)
  if (!object || Object.keys(object).length === 0) {
    const isEmpty = typeof said.data !== 'string' || said.data === ''
    // A frame without application data keeps the line open, or answers a question of the network.
    if (isEmpty) return nothing
    const port = numberOf(said.fPort) ?? '?'
    return notUnderstood('wrong shape', `no decoded object: its device profile needs a codec (fPort ${port})`)
  }
  const at = timeOfUp(said)
  const { rest, history } = takeHistory(withTags(plainNames(object), info.tags))
  const plain = readValues(rest, { vocabulary: 'chirpstack', ts: timeOf(at).ts })
  const older = readHistory(history, { at, register: registerIn(plain.sayings) })
  // The newest value and its deltas are of one moment.
  const ts = timeOf(history.deltas ? frameTime(at, history.now) : at)
  const { sayings, memory } = withBattery(message.memory, nativeId, plain)
  const newest = sayings.map(({ kind, fields }) => ({ kind, fields: { ...fields, ...ts } }))
  const readings = [...newest, ...older.readings].map((one) => ({ nativeId, ...one }))
  const told = announce(memory, { nativeId, info, readings })
  return {
    readings: readings.slice(0, sayingsMax),
    rejections: rejectionsOf({
      unknown: [...plain.unknown, ...older.unknown],
      odd: [...plain.odd, ...older.odd],
    }),
    ...(told.announcements.length > 0 ? { announcements: told.announcements } : {}),
    ...(told.memory === message.memory ? {} : { memory: told.memory }),
  }
}

function registerIn(sayings: readonly Omit<Saying, 'nativeId'>[]): Register | undefined {
  for (const { kind, fields } of sayings) {
    const value = kind === 'water' ? fields.litres : kind === 'electricity' ? fields.wh : undefined
    if (typeof value === 'number') return { kind: kind === 'water' ? 'water' : 'electricity', value }
  }
  return undefined
}

/** Names and profiles come with every frame; they are told once, and again when they change. */
function announce(
  memory: DialectMemory,
  { nativeId, info, readings }: { nativeId: string; info: Json; readings: readonly Saying[] },
): { announcements: Announcement[]; memory: DialectMemory } {
  const kinds = [...new Set(readings.map(({ kind }) => kind))].sort()
  const name = plainText(info.deviceName, nameCharsMax)
  const model = plainText(info.deviceProfileName, nameCharsMax)
  const before = String(notedOf(memory, 'told', nativeId) ?? '')
  const digest = digestOf(`${name}\0${model}`)
  const [lastDigest, ...known] = before.split(' ')
  const all = lastDigest === digest ? [...new Set([...known, ...kinds])].sort() : kinds
  const fresh = lastDigest === digest ? kinds.filter((kind) => !known.includes(kind)) : kinds
  return {
    announcements: fresh.map((kind) => ({ nativeId, kind, name, model })),
    memory: noted(memory, 'told', nativeId, [digest, ...all].join(' ')),
  }
}

/** FNV-1a: what is compared with itself only. */
function digestOf(text: string): string {
  let hash = 0x811c9dc5
  for (const char of text) hash = Math.imul(hash ^ (char.codePointAt(0) ?? 0), 0x01000193) >>> 0
  return hash.toString(36)
}
