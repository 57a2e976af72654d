import type { ReadingKind } from '../contract.js'
import type { Announcement, Dialect, DialectMemory, DialectMessage, DialectOutput, Saying } from './dialect.js'
import { isObject, type Json, nothing, notUnderstood, numberOf, readJson } from './json.js'
import { plainText } from './plain-text.js'
import { type MeterStatus, readMeterStatus } from './wmbusmeters-status.js'

const perThousand = 1_000
const minutesPerHour = 60
const nameCharsMax = 60
const modelCharsMax = 40
/** Meters whose name was told already: those of a street, heard from one window. */
const toldMax = 150
const idPattern = /^[\w.:-]{1,40}$/

const waters = /^(water|cold water|warm water|hot water|hot\/cold water)$/
const detectors: Record<string, 'smoke' | 'gas'> = { 'smoke detector': 'smoke', 'gas detector': 'gas' }
/** Heat is not electricity, and gas used is no gas that leaks. */
const known =
  /^(heat|steam|gas|oil|compressed air|pressure|heat cost allocation|heat volume at inlet|heat\/cooling load|cooling load.*|a\/d converter|room sensor|breaker|valve|.*converter.*|.*repeater.*)$/
/** Drivers of water meters, for those that call their medium something else. */
const waterDrivers = new Set(
  'aerius apator08 apator082 apator162 apator172 aventieswm dme_07 emerlin868 esyswm ev200 evo868 flowiq2200 gwfwater hydrodigit hydrus iperl itron iwmtx5 izar kamwater lse_07_17 minomess mkradio3 mkradio3a mkradio4 mkradio4a multical21 q400 supercom587 topaseskr ultrimis waterstarm watertech zenner0b'.split(
    ' ',
  ),
)

/** wmbusmeters: what a receiver for wireless M-Bus hears of meters and detectors, one telegram a message. */
export const wmbusmeters: Dialect = {
  name: 'wmbusmeters',
  read(message) {
    // What alarmshell publishes: the receiver hears nothing, which its silence says as well.
    if (message.payload.length === 0 || /(^|[/_])alarm$/.test(message.topic)) return nothing
    const read = readJson(message.payload)
    if ('output' in read) return read.output
    const { json } = read
    if (!isObject(json)) return notUnderstood('wrong shape', 'a telegram is an object')
    if (json._ !== undefined && json._ !== 'telegram') return nothing
    const nativeId = idOf(json, message.topic)
    if (nativeId === undefined) return notUnderstood('wrong shape', 'a telegram without the id of its meter')
    const output = readTelegram(json, nativeId, message)
    return { ...output, ...tell(json, nativeId, output.readings, message.memory) }
  },
}

/** `id` is the address of the meter; the topic, `wmbusmeters/$METER_ID`, where the fields were selected without it. */
const idOf = ({ id }: Json, topic: string): string | undefined =>
  [id, topic.slice(topic.lastIndexOf('/') + 1)].find((name) => typeof name === 'string' && idPattern.test(name)) as
    | string
    | undefined

function readTelegram(telegram: Json, nativeId: string, { receivedAt }: DialectMessage): DialectOutput {
  const media = plainText(telegram.media, modelCharsMax).toLowerCase()
  const driver = plainText(telegram.meter, modelCharsMax)
  const status = readMeterStatus(telegram.status, telegram.current_alarms)
  // The telegram carries no time: it is the time of hearing it, in UTC.
  const { timestamp } = telegram
  const ts = typeof timestamp === 'string' ? plainText(timestamp, modelCharsMax) : (numberOf(timestamp) ?? receivedAt)
  const say = (kind: ReadingKind, fields: Json): Saying => ({
    nativeId,
    kind,
    fields: { ts, ...sidesOf(status), ...fields },
  })
  if (driver === 'lansendw') return readDoor(say, status)
  const detector = Object.hasOwn(detectors, media) ? detectors[media] : undefined
  if (detector) return readDetector(detector, say, status)
  if (waters.test(media) || (!known.test(media) && media !== 'electricity' && waterDrivers.has(driver)))
    return readWater(telegram, say, status)
  // A pulse counter is of medium "other"; total_kwh is what its owner has it calculate.
  if (media === 'electricity' || (telegram.total_kwh !== undefined && !known.test(media)))
    return readElectricity(telegram, say)
  if (known.test(media)) return nothing
  return {
    readings: [],
    rejections: [{ reason: 'unknown field', detail: `media "${media}" of driver "${driver}"` }],
  }
}

const sidesOf = ({ battery, tamper, fault }: MeterStatus): Json => ({
  ...(battery === undefined ? {} : { battery }),
  ...(tamper === undefined ? {} : { tamper }),
  ...(fault === undefined ? {} : { fault }),
})

type Say = (kind: ReadingKind, fields: Json) => Saying

function readWater(telegram: Json, say: Say, { leak }: MeterStatus): DialectOutput {
  const leaks = leak === undefined ? [] : [say('leak', { alarm: leak })]
  const m3 = numberOf(telegram.total_m3)
  if (m3 === undefined || m3 < 0) return { readings: leaks, rejections: [missing('total_m3', telegram.total_m3)] }
  const m3PerHour = numberOf(telegram.volume_flow_m3h) ?? numberOf(telegram.flow_m3h)
  const flow =
    m3PerHour === undefined || m3PerHour < 0 ? {} : { flowLpm: rounded((m3PerHour * perThousand) / minutesPerHour) }
  return { readings: [say('water', { litres: rounded(m3 * perThousand), ...flow }), ...leaks], rejections: [] }
}

function readElectricity(telegram: Json, say: Say): DialectOutput {
  const total = telegram.total_energy_consumption_kwh ?? telegram.total_kwh
  const kWh = numberOf(total)
  if (kWh === undefined || kWh < 0)
    return { readings: [], rejections: [missing('total_energy_consumption_kwh', total)] }
  const kW = numberOf(telegram.current_power_consumption_kw)
  const power = kW === undefined ? {} : { w: rounded(kW * perThousand) }
  return { readings: [say('electricity', { wh: rounded(kWh * perThousand), ...power })], rejections: [] }
}

/** TPL's own ALARM is the alarm of a device that has one to give. */
function readDetector(kind: 'smoke' | 'gas', say: Say, { words }: MeterStatus): DialectOutput {
  if (words.size === 0) return notUnderstood('wrong shape', 'a detector without status')
  const alarms = kind === 'smoke' ? /^(SMOKE|FIRE)(_ALARM|_DETECTED)?$|^ALARM$/ : /^GAS(_ALARM|_DETECTED)?$|^ALARM$/
  return { readings: [say(kind, { alarm: [...words].some((word) => alarms.test(word)) })], rejections: [] }
}

function readDoor(say: Say, { words }: MeterStatus): DialectOutput {
  if (words.has('OPEN') === words.has('CLOSED')) return notUnderstood('wrong shape', 'a door is OPEN or CLOSED')
  return { readings: [say('door', { open: words.has('OPEN') })], rejections: [] }
}

const rounded = (value: number) => Math.round(value * 1e3) / 1e3
const missing = (name: string, value: unknown) => {
  const told = typeof value === 'object' ? typeof value : plainText(String(value), modelCharsMax)
  return { reason: 'wrong shape', detail: value === undefined || value === null ? `no ${name}` : `${name}: ${told}` }
}

/** The name that the meter has in the receiver, told once, and again when it changes. */
function tell(
  telegram: Json,
  nativeId: string,
  readings: Saying[],
  memory: DialectMemory,
): { announcements?: Announcement[]; memory?: DialectMemory } {
  if (readings.length === 0) return {}
  const name = plainText(telegram.name, nameCharsMax)
  const model = plainText(telegram.meter, modelCharsMax)
  const kinds = readings.map(({ kind }) => kind)
  const news = [nativeId, kinds.join(' '), model, name].join('|')
  const told = Array.isArray(memory.told) ? memory.told.filter((one) => typeof one === 'string') : []
  if (told.includes(news)) return {}
  const others = told.filter((one) => !one.startsWith(`${nativeId}|`)).slice(-(toldMax - 1))
  return {
    announcements: kinds.map((kind) => ({ nativeId, kind, name, model })),
    memory: { ...memory, told: [...others, news] },
  }
}
