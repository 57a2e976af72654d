import type { ReadingKind } from '../contract.js'
import type { Announcement, DialectMemory, DialectMessage, DialectOutput } from './dialect.js'
import { isObject, nothing, notUnderstood, numberOf, readJson } from './json.js'
import { plainText } from './plain-text.js'
import { batteryOf, forgetPresses, keepPress, keepSides, pressOf, sidesOf } from './shelly-memory.js'

const minutesPerHour = 60
const payloadCharsMax = 40
const nameCharsMax = 80
const utf8 = new TextDecoder()

/** What carries nothing for us: states of relays, power without a register, temperatures. */
const known =
  /^(announce|info|command|settings|status|longpush\/\d|input\/\d|temperature\w*|overtemperature|voltage|adc\/.*|ext_\w+(\/.*)?|valve\/.*|(relay|roller|light|white|color|meter)\/\d(\/\w+)?|(light|color)(\/\w+)?|emeter\/\d\/\w+)$/
const knownSensors =
  /^(temperature\w*|humidity\w*|lux|illumination|tilt|vibration|charger|error|act_reasons|ext_power|wakeupevent|self_test|concentration|active|enabled|cover|sensitivity|led_status_disabled|start_self_test|mute|unmute)$/

type Context = { prefix: string; message: DialectMessage }

/** What a Shelly of the first generation says under `shellies/<id>/…`: one bare value a topic, as text. */
export function readGen1(rest: string, context: Context): DialectOutput {
  const { prefix, message } = context
  const { receivedAt, memory } = message
  const text = utf8.decode(message.payload.subarray(0, payloadCharsMax)).trim()
  const meter = /^(relay|roller|light|white|color|meter)\/\d\/energy$|^emeter\/\d\/total$/.exec(rest)
  if (meter) {
    const register = numberOf(text)
    if (register === undefined) return notUnderstood('wrong shape', `${rest} is no number: "${text}"`)
    const part = rest.slice(0, rest.lastIndexOf('/'))
    // The register of an emeter is in watt-hours, that of a relay in watt-minutes since its last start.
    const wh = rest.startsWith('emeter') ? register : register / minutesPerHour
    const fields = { ts: receivedAt, wh: Math.round(wh * 1e3) / 1e3 }
    return { readings: [{ nativeId: `${prefix}#${part}`, kind: 'electricity', fields }], rejections: [] }
  }
  if (/^input_event\/\d$/.test(rest)) return readPress(rest, context)
  if (rest.startsWith('sensor/')) return readSensor(rest.slice('sensor/'.length), text, context)
  if (rest === 'announce') return readAnnouncement(message, prefix)
  // A motion sensor says everything at once; other devices have no such topic.
  if (rest === 'status') return readMotion(context)
  return known.test(rest)
    ? changed(nothing, memory, memory)
    : notUnderstood('topic not in dialect', `shellies … ${rest}`)
}

function readSensor(name: string, text: string, { prefix, message }: Context): DialectOutput {
  const { memory, receivedAt } = message
  const say = (part: string, kind: ReadingKind, fields: Record<string, unknown>): DialectOutput => ({
    readings: [
      { nativeId: `${prefix}#sensor/${part}`, kind, fields: { ts: receivedAt, ...sidesOf(memory, prefix), ...fields } },
    ],
    rejections: [],
  })
  const strange = () => notUnderstood('wrong shape', `sensor/${name} says "${text}"`)
  const flag = /^(true|1)$/i.test(text) ? true : /^(false|0)$/i.test(text) ? false : undefined
  const isUnknown = /^(-1|unknown|null|)$/i.test(text)
  switch (name) {
    case 'battery':
      return changed(nothing, memory, keepSides(memory, prefix, batteryOf(numberOf(text))))
    case 'operation':
      if (text !== 'fault' && text !== 'normal') return /^(warmup|unknown)$/.test(text) ? nothing : strange()
      return changed(nothing, memory, keepSides(memory, prefix, { fault: text === 'fault' }))
    case 'gas':
    case 'alarm': {
      if (/^(none|mild|heavy)$/.test(text)) return say('gas', 'gas', { alarm: text !== 'none' })
      if (text === 'test') return say('gas', 'gas', { alarm: true, test: true })
      return isUnknown ? nothing : strange()
    }
    case 'smoke':
    case 'flood':
      if (flag === undefined) return isUnknown ? nothing : strange()
      return say(name, name === 'flood' ? 'leak' : 'smoke', { alarm: flag })
    case 'motion':
      if (flag === undefined) return isUnknown ? nothing : strange()
      return say(name, 'motion', { motion: flag })
    case 'state':
      if (!/^(open|closed?)$/.test(text)) return isUnknown ? nothing : strange()
      return say('door', 'door', { open: text === 'open' })
    default:
      return knownSensors.test(name) ? nothing : notUnderstood('topic not in dialect', `shellies … sensor/${name}`)
  }
}

/**
 * `{"event":"S","event_cnt":3}`: short presses S, SS, SSS or a long one L; '' before the first. Devices on the mains say
 * the last one again and again, with the same count. A device that has lost its power counts from 0 again: its next press
 * may have the count of the last one that we know, and is no less a press.
 */
function readPress(rest: string, { prefix, message }: Context): DialectOutput {
  const { memory, receivedAt } = message
  const read = readJson(message.payload)
  if ('output' in read) return read.output
  const { event, event_cnt: count } = isObject(read.json) ? read.json : {}
  const nativeId = `${prefix}#${rest}`
  if (event === '' || event === null) return changed(nothing, memory, keepPress(memory, nativeId, 0))
  if (typeof event !== 'string' || !/^[SL]{1,8}$/.test(event))
    return notUnderstood('wrong shape', `${rest} without a press`)
  const isCounted = typeof count === 'number' && Number.isSafeInteger(count)
  const cached = isCounted && pressOf(memory, nativeId) === count
  const fields = { ts: receivedAt, ...sidesOf(memory, prefix), event: 'pressed', ...(cached ? { cached } : {}) }
  const output: DialectOutput = { readings: [{ nativeId, kind: 'button', fields }], rejections: [] }
  return isCounted ? changed(output, memory, keepPress(memory, nativeId, count)) : output
}

function readMotion({ prefix, message }: Context): DialectOutput {
  const { memory, receivedAt } = message
  const read = readJson(message.payload)
  if ('output' in read) return read.output
  const { json } = read
  if (!isObject(json) || typeof json.motion !== 'boolean') return nothing
  const sides = batteryOf(numberOf(json.bat))
  const kept = keepSides(memory, prefix, sides)
  const fields = { ts: receivedAt, ...sidesOf(kept, prefix), motion: json.motion }
  const output: DialectOutput = {
    readings: [{ nativeId: `${prefix}#sensor/motion`, kind: 'motion', fields }],
    rejections: [],
  }
  return changed(output, memory, kept)
}

/** What each model has, by its type as it announces itself. */
const models: Record<string, [part: string, kind: ReadingKind][]> = {
  'SHWT-1': [['sensor/flood', 'leak']],
  'SHSM-01': [['sensor/smoke', 'smoke']],
  'SHGS-1': [['sensor/gas', 'gas']],
  'SHDW-1': [['sensor/door', 'door']],
  'SHDW-2': [['sensor/door', 'door']],
  'SHMOS-01': [['sensor/motion', 'motion']],
  'SHMOS-02': [['sensor/motion', 'motion']],
  'SHBTN-1': [['input_event/0', 'button']],
  'SHBTN-2': [['input_event/0', 'button']],
  'SHSW-PM': [['relay/0', 'electricity']],
  'SHPLG-1': [['relay/0', 'electricity']],
  'SHPLG2-1': [['relay/0', 'electricity']],
  'SHPLG-S': [['relay/0', 'electricity']],
  'SHPLG-U1': [['relay/0', 'electricity']],
  'SHSW-25': [
    ['relay/0', 'electricity'],
    ['relay/1', 'electricity'],
  ],
  SHEM: [
    ['emeter/0', 'electricity'],
    ['emeter/1', 'electricity'],
  ],
  'SHEM-3': [
    ['emeter/0', 'electricity'],
    ['emeter/1', 'electricity'],
    ['emeter/2', 'electricity'],
  ],
}

/**
 * `shellies/announce` and `shellies/<id>/announce`: who is there. It is said after a start, whose first press may have got
 * lost: rather a press told twice than one told to nobody.
 */
export function readAnnouncement({ payload, topic, memory }: DialectMessage, prefix?: string): DialectOutput {
  const read = readJson(payload)
  if ('output' in read) return read.output
  const { json } = read
  const id = isObject(json) ? plainText(json.id, nameCharsMax) : ''
  if (!isObject(json) || id === '') return notUnderstood('wrong shape', 'an announcement without id')
  const model = plainText(json.model, nameCharsMax)
  const parts = Object.hasOwn(models, model) ? models[model]! : []
  const announcements = parts.map(
    ([part, kind]): Announcement => ({ nativeId: `shellies/${id}#${part}`, kind, name: id, model }),
  )
  const device = prefix ?? topic.replace(/announce$/, () => id)
  return changed({ ...nothing, announcements }, memory, forgetPresses(memory, device))
}

const changed = (output: DialectOutput, before: DialectMemory, memory: DialectMemory): DialectOutput =>
  memory === before ? output : { ...output, memory }
