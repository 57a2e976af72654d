import type { DialectMessage, DialectOutput } from './dialect.js'
import { isObject, type Json, numberOf } from './json.js'
import { plainText } from './plain-text.js'
import { kindOfSwitch, readSwitch } from './tasmota-switch.js'
import { readTasmotaTime } from './tasmota-time.js'
import { nativeIdOf } from './tasmota-topic.js'
import { readZigbee } from './tasmota-zigbee.js'

const partCharsMax = 64
type Context = Pick<DialectMessage, 'timeZone' | 'receivedAt'> & { device: string[] }

/**
 * What stands in a SENSOR message, or in the StatusSNS that answers a question for it: the energy register, switches, and
 * what a Zigbee bridge received. Temperatures, counters (whose pulses have no unit) and the like are not for us.
 */
export function readSensors(sensors: Json, context: Context): DialectOutput {
  const { device } = context
  const output: DialectOutput = { readings: [], rejections: [] }
  const ts = readTasmotaTime(sensors, context)
  for (const [name, value] of Object.entries(sensors)) {
    if (name === 'ENERGY') readEnergy(value, { device, ts }, output)
    else if (name === 'ZbReceived') output.readings.push(...readZigbee(value, device, ts))
    else if (typeof value === 'string' && /^(on|off)$/i.test(value)) readInput(name, value, { device, ts }, output)
  }
  return output
}

/** `{"Button1":{"Action":"SINGLE"}}` or `{"Switch1":{"Action":"ON"}}`: what SetOption73 and 114 make of an input. */
export function readActions(result: Json, context: Context): DialectOutput {
  const { device } = context
  const output: DialectOutput = { readings: [], rejections: [] }
  const ts = readTasmotaTime(result, context)
  for (const [name, value] of Object.entries(result)) {
    if (name === 'ZbReceived') output.readings.push(...readZigbee(value, device, ts))
    const action = isObject(value) ? (value.Action ?? value.ACTION) : undefined
    if (typeof action === 'string') readInput(name, action, { device, ts }, output)
  }
  return output
}

/** An input that says `action`; nothing where neither its name nor its kind says what it is. */
export function readInput(
  name: string,
  action: string,
  { device, ts }: { device: string[]; ts: number | string },
  output: DialectOutput,
): void {
  const kind = /^button\d*$/i.test(name) ? 'button' : kindOfSwitch(name)
  if (kind === undefined) return
  const part = plainText(name, partCharsMax).replace(/^(button|switch)(?=\d*$)/i, capitalised)
  const { saying, rejection } = readSwitch({ nativeId: nativeIdOf(device, part), kind, ts }, action)
  if (saying) output.readings.push(saying)
  if (rejection) output.rejections.push(rejection)
}

/** Button1, whether a topic says it in capitals or a message as it is. */
const capitalised = (word: string) => `${word[0]!.toUpperCase()}${word.slice(1).toLowerCase()}`

function readEnergy(energy: unknown, { device, ts }: { device: string[]; ts: number | string }, output: DialectOutput) {
  const kWh = isObject(energy) ? sumOf(energy.Total) : undefined
  if (!isObject(energy) || kWh === undefined) {
    const detail = 'ENERGY without a Total in each of its phases'
    output.rejections.push({ reason: 'wrong shape', detail })
    return
  }
  const w = sumOf(energy.Power)
  output.readings.push({
    nativeId: nativeIdOf(device),
    kind: 'electricity',
    fields: { ts, wh: Math.round(kWh * 1e6) / 1e3, ...(w === undefined ? {} : { w }) },
  })
}

/**
 * A number, or the sum of one for each phase or channel as a list or an object. SetOption129 decides which of the two a
 * device sends: the register is the same in both. Undefined where one is missing, or it would run backwards.
 */
function sumOf(value: unknown): number | undefined {
  if (!isObject(value) && !Array.isArray(value)) return numberOf(value)
  const parts = Object.values(value).map(numberOf)
  return parts.length > 0 && parts.every((part) => part !== undefined)
    ? parts.reduce((sum, part) => sum + part, 0)
    : undefined
}
