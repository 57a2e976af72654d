import { beforeAll, describe, expect, test } from 'vitest'
import { decodeOne } from '../decode.js'
import type { DialectMemory, Saying } from './dialect.js'
import { zigbee2mqtt } from './zigbee2mqtt.js'
import { bridgeEntry, type Definition, loadDefinitions, stateAtRest } from './zigbee2mqtt-definitions.test-support.js'
import { alarmForms, type Form, factorOf, otherForms, type Total, totals } from './zigbee2mqtt-oracle.test-support.js'

const receivedAt = Date.UTC(2026, 5, 1, 4)
const ieee = '0x00158d00018255df'
const name = '三楼/厨房 1'
const alarmsMin = 0.98
const totalsMin = 0.95

let definitions: Definition[]
beforeAll(() => {
  definitions = loadDefinitions()
}, 60_000)

const bytes = (value: unknown) => new TextEncoder().encode(JSON.stringify(value))
const context = { base: 'zigbee2mqtt', retain: false, receivedAt, timeZone: 'Asia/Shanghai', settings: null }

function introduce(definition: Definition): DialectMemory {
  const payload = bytes([
    { type: 'Coordinator', ieee_address: '0x0', friendly_name: 'Coordinator' },
    bridgeEntry(definition, ieee, name),
  ])
  return zigbee2mqtt.read({ ...context, topic: 'zigbee2mqtt/bridge/devices', payload, memory: {} }).memory ?? {}
}

const say = (memory: DialectMemory, state: object): Saying[] =>
  zigbee2mqtt.read({ ...context, topic: `zigbee2mqtt/${name}`, payload: bytes(state), memory }).readings

/** The events of one kind as they come out of the contract. */
const eventsOf = (readings: Saying[], kind: string, endpoint: string | undefined) =>
  readings
    .filter((saying) => saying.kind === kind && saying.nativeId === (endpoint ? `${ieee}/${endpoint}` : ieee))
    .map(({ kind, fields }) => decodeOne(kind, fields, receivedAt).reading?.event ?? 'refused')

const events: Record<Form['kind'], [there: string, gone: string | undefined]> = {
  smoke: ['alarm', 'clear'],
  gas: ['alarm', 'clear'],
  co: ['alarm', 'clear'],
  leak: ['alarm', 'clear'],
  button: ['pressed', undefined],
  motion: ['motion', 'still'],
  door: ['open', 'closed'],
}

/** The first thing that is not understood as it was promised; undefined: all of it is. */
function misunderstood(definition: Definition, forms: Form[]): string | undefined {
  const memory = introduce(definition)
  const rest = stateAtRest(definition)
  for (const { kind, property, endpoint, yes, no, nothing } of forms) {
    const [there, gone] = events[kind]
    const expected: [unknown[], string | undefined][] = [
      [yes, there],
      [no, gone],
    ]
    for (const [values, event] of expected)
      for (const value of values) {
        const heard = eventsOf(say(memory, { ...rest, [property]: value }), kind, endpoint)
        if (heard.length !== (event ? 1 : 0) || heard[0] !== event)
          return `${property} ${JSON.stringify(value)}: ${heard}`
      }
    for (const value of nothing) {
      // Alone, since at rest another property of the same kind may say clear.
      const heard = eventsOf(say(memory, { linkquality: 87, battery: 90, [property]: value }), kind, endpoint)
      if (heard.length > 0) return `${property} ${JSON.stringify(value)}: ${heard}`
    }
  }
  return undefined
}

/** The same device with other words for yes and no: what makers choose is not for the adapter to know. */
function reworded(definition: Definition, forms: Form[], yes: unknown, no: unknown) {
  const binary = new Set(forms.filter(({ isBinary }) => isBinary).map(({ property }) => property))
  return {
    definition: {
      ...definition,
      exposes: definition.exposes.map((expose) =>
        expose.type === 'binary' && binary.has(expose.property!) ? { ...expose, value_on: yes, value_off: no } : expose,
      ),
    },
    forms: forms.map((form) => (binary.has(form.property) ? { ...form, yes: [yes], no: [no] } : form)),
  }
}

type Row = { definition: Definition; forms: Form[]; wrong: string | undefined }
const kinds = ['smoke', 'gas', 'co', 'button'] as const
const called = ({ vendor, model }: Definition) => `${vendor} ${model}`

describe('definitions that expose smoke, gas, carbon monoxide or a call for help', () => {
  const wordings: [string, unknown[] | undefined][] = [
    ['in their own words', undefined],
    ['as text', ['DETECTED', 'NOT_DETECTED']],
    ['as numbers', [1, 0]],
    ['the wrong way round', [false, true]],
  ]
  test.each(wordings)('%s', (wording, words) => {
    const rows: Row[] = definitions.flatMap((definition) => {
      const forms = alarmForms(definition)
      if (forms.length === 0) return []
      const asked = words ? reworded(definition, forms, words[0], words[1]) : { definition, forms }
      return [{ definition, forms, wrong: misunderstood(asked.definition, asked.forms) }]
    })
    if (!words)
      print('alarms', [
        ...kinds.map((kind): [string, Row[]] => [
          kind,
          rows.filter(({ forms }) => forms.some((form) => form.kind === kind)),
        ]),
        ['any of them', rows],
      ])
    expect(rows.length).toBeGreaterThan(110)
    const wrong = rows.filter((row) => row.wrong)
    expect(wrong.map((row) => `${called(row.definition)}: ${row.wrong}`)).toEqual([])
    expect(1 - wrong.length / rows.length, wording).toBeGreaterThanOrEqual(alarmsMin)
  })
})

test('definitions that expose water leaks, presence or a contact', () => {
  const rows: Row[] = definitions.flatMap((definition) => {
    const forms = otherForms(definition)
    return forms.length > 0 ? [{ definition, forms, wrong: misunderstood(definition, forms) }] : []
  })
  print('others', [
    ...(['leak', 'motion', 'door'] as const).map((kind): [string, Row[]] => [
      kind,
      rows.filter(({ forms }) => forms.some((form) => form.kind === kind)),
    ]),
    ['any of them', rows],
  ])
  expect(rows.filter((row) => row.wrong).map((row) => `${called(row.definition)}: ${row.wrong}`)).toEqual([])
  expect(rows.length).toBeGreaterThan(400)
})

/** They count impulses of what their owner has set: what may be wrong by a thousand is refused instead. */
const withoutUnit = [
  'LiXee ZiPulses: energy has no unit in its exposes',
  'Sprut.device Neptun.Smart: summation_delivered_meter_1 has no unit in its exposes',
]

describe('definitions that expose totals of energy or water', () => {
  test('are read in Wh and L', () => {
    const rows = definitions.flatMap((definition) => {
      const said = totals(definition)
      return said.length > 0 ? [{ definition, said, wrong: wrongTotals(definition, said) }] : []
    })
    print('totals', [
      ['electricity', rows.filter(({ said }) => said.some(({ kind }) => kind === 'electricity'))],
      ['water', rows.filter(({ said }) => said.some(({ kind }) => kind === 'water'))],
      ['any of them', rows],
    ])
    expect(rows.length).toBeGreaterThan(400)
    const wrong = rows.filter((row) => row.wrong)
    expect(wrong.map((row) => `${called(row.definition)}: ${row.wrong}`)).toEqual(withoutUnit)
    expect(1 - wrong.length / rows.length).toBeGreaterThanOrEqual(totalsMin)
  })
})

/** The first total that comes out of the contract as none that the device said; undefined: all is right. */
function wrongTotals(definition: Definition, said: Total[]): string | undefined {
  const memory = introduce(definition)
  const values = new Map(said.map(({ property }, index) => [property, 12.345 * (index + 1)]))
  const readings = say(memory, { ...stateAtRest(definition), ...Object.fromEntries(values) })
  const noUnit = said.find((total) => factorOf(total) === undefined)
  if (noUnit) return `${noUnit.property} has no unit in its exposes`
  const inUnit = (of: Total[]) => of.map((total) => values.get(total.property)! * factorOf(total)!)
  for (const kind of new Set(said.map((total) => total.kind))) {
    const own = said.filter((total) => total.kind === kind)
    const whole = own.filter(({ property }) => property === 'energy' || property === 'water_consumed')
    const tariffs = inUnit(own.filter(({ property }) => /_t(ier_)?\d$/.test(property))).reduce(
      (sum, each) => sum + each,
      0,
    )
    const right = whole.length > 0 ? inUnit(whole) : [...inUnit(own), tariffs]
    const heard = readings
      .filter((saying) => saying.kind === kind)
      .map(({ fields }) => decodeOne(kind, fields, receivedAt).reading?.value)
    if (heard.length === 0) return `nothing of ${own.map(({ property }) => property)}`
    for (const value of heard)
      if (!right.some((each) => value !== undefined && Math.abs(value - each) < 1e-6))
        return `${value} of ${[...values]}`
    if (whole.length > 0 && heard.length > 1) return `${heard} besides ${right}`
  }
  return undefined
}

/** Sold for it, under names such as `alarm_1` and `single`, or a fall: what only its description or its values tell. */
test.each([
  ['MIR-SM100-E', { alarm_1: true, alarm_2: false }, 'smoke alarm'],
  ['HM-5HA-E', { alarm: true, link_available: 'inactive' }, 'smoke alarm'],
  ['FFZB1-SM-ECO', { alarm: true }, 'smoke alarm'],
  ['SZW08', { alarm_status: 'alarm' }, 'leak alarm'],
  ['W04-Z10T', { alarm_status: 'normal' }, 'leak clear'],
  ['FK-BV05', { water_leakage_state: 'water_leakage_yes' }, 'leak alarm'],
  ['4512785', { water_sensor: true }, 'leak alarm'],
  ['HS1EB/HS1EB-E', { action: 'double' }, 'button pressed'],
  ['MIR-SO100', { action: 'hold' }, 'button pressed'],
  ['SE20-O', { action: 'single' }, 'button pressed'],
  ['3RSB22BZ', { action: 'single' }, 'button pressed'],
  ['HS2FD-EF1-3.0', { fall_status: 'fall_alarm' }, 'button pressed'],
  ['MIR-HE200-TY', { fall_down_status: 'fall' }, 'button pressed'],
  ['FDS315', { status: 'falling', breathing_rate: 0 }, 'button pressed, bed out'],
  ['FDS315', { status: 'on_the_bed', breathing_rate: 14 }, 'bed in'],
  ['TS0601_bed_presence_sensor', { occupancy: true }, 'bed in'],
  ['3450-L', { presence: true }, ''],
  ['ZG-303Z', { water_warning: 'alarm' }, ''],
  ['MiCASAGasCounter', { gas: 12.3 }, ''],
])('%s that says %j', (model, state, expected) => {
  const definition = definitions.find((each) => each.model === model)!
  const heard = say(introduce(definition), { linkquality: 87, ...state })
  const events = heard.map(({ kind, fields }) => `${kind} ${decodeOne(kind, fields, receivedAt).reading?.event}`)
  expect(events.join(', ')).toBe(expected)
})

type Counted = { definition: Definition; wrong: string | undefined }
function print(title: string, lines: [what: string, rows: Counted[]][]) {
  const row = (what: string, exposed: string, understood: string) =>
    `${what.padEnd(24)}${exposed.padStart(10)}${understood.padStart(12)}`
  const all = lines.at(-1)![1]
  const text = [
    row(`${title}, ${definitions.length} definitions`, 'exposed', 'understood'),
    ...lines.map(([what, rows]) => row(what, `${rows.length}`, `${rows.filter(({ wrong }) => !wrong).length}`)),
    ...all.filter(({ wrong }) => wrong).map(({ definition, wrong }) => `  not ${called(definition)}: ${wrong}`),
  ]
  process.stdout.write(`${text.join('\n')}\n`)
}
