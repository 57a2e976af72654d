import type { ReadingKind } from '../contract.js'
import type { Announcement, DialectMemory, DialectMessage, DialectOutput, Saying } from './dialect.js'
import { isObject, type Json, nothing, notUnderstood, numberOf, readJson } from './json.js'
import { plainText } from './plain-text.js'
import { batteryOf, keepSides, type Sides, sidesOf } from './shelly-memory.js'

const nameCharsMax = 80
const detailCharsMax = 80
/** Below it a `ts` is the seconds since a start whose clock was not set yet. */
const tsMin = 1e9
const component = /^([a-z][a-z0-9_]{0,23})(?::(\d{1,6}))?$/

/** What carries nothing for us. BTHome sensors say a value without saying of what: that is in their configuration. */
const known = new Set(
  'sys wifi eth cloud mqtt ws ble bthome bthomesensor bthomecontrol blutrv knx matter modbus zigbee script schedule webhook kvs input temperature humidity illuminance voltmeter em em1 presence ui ht_ui plugs_ui plugpm_ui plugm_ui wd_ui thermostat boolean number text enum group object button service virtual media camera ota dali bm cury sensor_addon serial lora lnm addon proxy'.split(
    ' ',
  ),
)
/** Components that measure what goes through them; their register is `aenergy.total`, in watt-hours. */
const metered = new Set('switch pm1 cover light cct rgb rgbw rgbcct cb'.split(' '))
const press = /^(single|double|triple|long)_push$/

type Context = { prefix: string; ts: number; memory: DialectMemory }
type Draft = { readings: Saying[]; unknown: string[]; odd: string[]; memory: DialectMemory }

export const nativeIdOf = (prefix: string, part: string) => (prefix === '' ? part : `${prefix}#${part}`)

/** `<prefix>/events/rpc`: NotifyStatus with what has changed, NotifyFullStatus with everything, NotifyEvent. */
export function readRpc(prefix: string, message: DialectMessage): DialectOutput {
  const read = readJson(message.payload)
  if ('output' in read) return read.output
  const frame = read.json
  if (!isObject(frame) || !isObject(frame.params)) return notUnderstood('wrong shape', 'a notification without params')
  const { method, params, src } = frame
  const context = { prefix, ts: timeOf(params.ts, message.receivedAt), memory: message.memory }
  if (method === 'NotifyEvent') return readEvents(params.events, context, message.receivedAt)
  if (method !== 'NotifyStatus' && method !== 'NotifyFullStatus')
    return notUnderstood('wrong shape', `method ${plainText(method, detailCharsMax)}`)
  const { ts: _ts, ...components } = params
  const output = readComponents(components, context)
  if (method === 'NotifyStatus') return output
  return {
    ...output,
    announcements: announcementsOf(output.readings, components, prefix, plainText(src, nameCharsMax)),
  }
}

/** `<prefix>/status/<component>:<id>`: the whole status of one component, without a time. */
export const readStatus = (prefix: string, name: string, message: DialectMessage): DialectOutput => {
  const read = readJson(message.payload)
  if ('output' in read) return read.output
  return readComponents({ [name]: read.json }, { prefix, ts: message.receivedAt, memory: message.memory })
}

function readComponents(components: Json, { prefix, ts, memory }: Context): DialectOutput {
  const draft: Draft = { readings: [], unknown: [], odd: [], memory }
  for (const [name, status] of Object.entries(components))
    if (isObject(status)) draft.memory = noteBattery(draft.memory, prefix, name, status)
  const sides = sidesOf(draft.memory, prefix)
  for (const [name, status] of Object.entries(components)) {
    const [, type, id = '0'] = component.exec(name) ?? []
    if (type === undefined) draft.unknown.push(name)
    else if (isObject(status)) readComponent(`${type}:${id}`, type, status, { components, prefix, ts, sides, draft })
    else if (status !== null && !known.has(type)) draft.odd.push(name)
  }
  const { readings, unknown, odd } = draft
  const rejections = [
    ...(unknown.length > 0 ? [{ reason: 'unknown field', detail: listed(unknown) }] : []),
    ...(odd.length > 0 ? [{ reason: 'wrong shape', detail: listed(odd) }] : []),
  ]
  return { readings, rejections, ...(draft.memory === memory ? {} : { memory: draft.memory }) }
}

const listed = (names: string[]) =>
  names
    .map((name) => plainText(name, 40))
    .join(', ')
    .slice(0, 200)

function readComponent(
  name: string,
  type: string,
  status: Json,
  {
    components,
    prefix,
    ts,
    sides,
    draft,
  }: { components: Json; prefix: string; ts: number; sides: Sides; draft: Draft },
): void {
  const say = (part: string, kind: ReadingKind, fields: Json) =>
    draft.readings.push({ nativeId: nativeIdOf(prefix, part), kind, fields: { ts, ...fields } })
  const measure = (part: string, total: unknown, power: unknown) => {
    if (total === undefined || total === null) return
    const wh = numberOf(total)
    const w = numberOf(power)
    if (wh === undefined) draft.odd.push(`${name} total`)
    else say(part, 'electricity', { wh: Math.round(wh * 1e3) / 1e3, ...(w === undefined ? {} : { w }) })
  }
  if (metered.has(type)) {
    if (isObject(status.aenergy)) measure(name, status.aenergy.total, status.apower)
  } else if (type === 'emdata' || type === 'em1data') {
    // The register and the power of one meter, in two components.
    const meter = name.replace('data', '')
    const live = isObject(components[meter]) ? components[meter] : {}
    if (type === 'emdata') measure(meter, status.total_act ?? status.total_act_energy, live.total_act_power)
    else measure(meter, status.total_act_energy, live.act_power)
  } else if (type === 'smoke' || type === 'flood') {
    const { alarm, errors } = status
    const fault = Array.isArray(errors) ? { fault: errors.length > 0 } : {}
    if (typeof alarm === 'boolean') say(name, type === 'flood' ? 'leak' : 'smoke', { ...sides, ...fault, alarm })
    else if (alarm !== undefined && alarm !== null) draft.odd.push(`${name} alarm`)
  } else if (type === 'presencezone') {
    if (typeof status.value === 'boolean') say(name, 'motion', { motion: status.value })
  } else if (type !== 'devicepower' && type !== 'bthomedevice' && !known.has(type)) draft.unknown.push(name)
}

function noteBattery(memory: DialectMemory, prefix: string, name: string, status: Json): DialectMemory {
  if (name.startsWith('devicepower:') && isObject(status.battery))
    return keepSides(memory, prefix, batteryOf(numberOf(status.battery.percent ?? undefined)))
  if (/^bthomedevice:\d{1,6}$/.test(name))
    return keepSides(memory, nativeIdOf(prefix, name), batteryOf(numberOf(status.battery ?? undefined)))
  return memory
}

/** Presses of inputs and of Bluetooth buttons, and what a detector says at once. Its own housekeeping is not for us. */
function readEvents(events: unknown, { prefix, ts, memory }: Context, receivedAt: number): DialectOutput {
  if (!Array.isArray(events)) return notUnderstood('wrong shape', 'NotifyEvent without events')
  const readings: Saying[] = []
  for (const said of events) {
    if (!isObject(said) || typeof said.component !== 'string' || typeof said.event !== 'string') continue
    const { component: name, event, idx } = said
    const [, type, id] = component.exec(name) ?? []
    if (type === undefined || id === undefined) continue
    const at = said.ts === undefined ? ts : timeOf(said.ts, receivedAt)
    const button = typeof idx === 'number' && Number.isInteger(idx) && idx > 0 && idx < 100 ? `:${idx}` : ''
    const nativeId = nativeIdOf(prefix, `${name}${button}`)
    const say = (kind: ReadingKind, fields: Json) => readings.push({ nativeId, kind, fields: { ts: at, ...fields } })
    if (type === 'input' && press.test(event)) say('button', { ...sidesOf(memory, prefix), event: 'pressed' })
    else if (type === 'bthomedevice' && press.test(event))
      say('button', { ...sidesOf(memory, nativeIdOf(prefix, name)), event: 'pressed' })
    else if (type === 'smoke' || type === 'flood') {
      const kind = type === 'flood' ? 'leak' : 'smoke'
      if (event === 'alarm' || event === 'alarm_off')
        say(kind, { ...sidesOf(memory, prefix), alarm: event === 'alarm' })
      if (event === 'alarm_test') say(kind, { ...sidesOf(memory, prefix), alarm: true, test: true })
    }
  }
  return readings.length > 0 ? { readings, rejections: [] } : nothing
}

/** What a device with all its components has for us: what it reads, and inputs set up as buttons, whose state is null. */
function announcementsOf(readings: Saying[], components: Json, prefix: string, src: string): Announcement[] {
  const model = src.replace(/-[0-9a-f]{6,12}$/i, '')
  const inputs = Object.entries(components)
    .filter(([name, status]) => /^input:\d{1,3}$/.test(name) && isObject(status) && status.state === null)
    .map(([name]) => ({ nativeId: nativeIdOf(prefix, name), kind: 'button' as const }))
  return [...readings.map(({ nativeId, kind }) => ({ nativeId, kind })), ...inputs].map((one) => ({
    ...one,
    name: src,
    model,
  }))
}

/** Epoch seconds with a fraction; the arrival where the device has none yet. */
const timeOf = (ts: unknown, receivedAt: number): number => (typeof ts === 'number' && ts >= tsMin ? ts : receivedAt)
