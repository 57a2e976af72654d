import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import type { DeviceCommand } from './dialect.js'
import { unitScale } from './field-units.js'
import { generic } from './generic.js'
import { isFilter, isOf } from './generic-filter.js'
import { checkMapping, type GenericMapping } from './generic-mapping.js'
import { parsePath, valueAt } from './generic-path.js'
import { tryMapping } from './generic-trial.js'
import { hear, receivedAt } from './said.test-support.js'

/** Thousands of messages, on a machine that has other things to do. */
const propertyMsMax = 180_000

const now = '2026-06-01T04:00:00Z'
const settings = {
  rules: [
    {
      name: '水表',
      topic: 'home/+/meter',
      kind: 'water',
      device: { segment: 2 },
      fields: {
        litres: { path: 'reading.total', unit: 'm3' },
        flowLpm: { path: 'reading.flow', unit: 'L/h' },
        battery: { path: 'bat', unit: '%' },
      },
      time: { path: 'at' },
    },
    {
      topic: 'home/+/power',
      kind: 'electricity',
      device: { segment: 2 },
      items: 'phases',
      fields: { wh: { path: 'kwh', scale: 1000, offset: -500 }, w: 'w' },
      time: { path: '$.ts', format: 's' },
      device_: undefined,
    },
    {
      topic: 'bus/#',
      kind: 'smoke',
      items: '$.devices',
      when: { path: 'type', equals: ['SD', 'HD'] },
      device: { path: 'id' },
      fields: {
        alarm: { path: 'st', values: { '0': false, '1': true, '2': true } },
        level: 'lvl',
        unit: { fixed: '%' },
      },
      time: { path: 'ms', format: 'ms' },
    },
    {
      topic: 'bus/#',
      kind: 'button',
      items: '$.devices',
      when: [{ path: 'type', equals: 'BTN' }],
      device: { path: 'id' },
      fields: { event: { path: 'act', values: { single: 'pressed', hold: 'pressed', release: null, '': null } } },
    },
    { name: '心跳', topic: 'bus/#', when: { path: 'type', equals: 'heartbeat' }, ignore: true },
    { topic: 'plain/door', kind: 'door', device: { fixed: 'front door' }, fields: { open: '$' } },
    {
      topic: 'bed/+',
      kind: 'bed',
      device: { segment: 2 },
      fields: { inBed: 'state["in bed"]', breathsPerMin: 'v[0]' },
    },
  ].map(({ device_: _, ...rule }: Record<string, unknown>) => rule),
}
const mapped = (topic: string, payload: unknown, more: object = {}) =>
  hear(generic, { topic, payload, settings, ...more })

describe('messages of somebody’s own making', () => {
  test.each<[name: string, topic: string, payload: unknown, readings: string[], rejections?: string[]]>([
    [
      'a meter',
      'home/101/meter',
      { reading: { total: 6.054, flow: 120 }, bat: 87, at: '2026-06-01T03:59:00Z' },
      ['101 water 2026-06-01T03:59:00Z 6054 rate=2 battery=0.87'],
    ],
    [
      'a time without a zone is local',
      'home/101/meter',
      { reading: { total: 1 }, at: '2026-06-01 11:59:00' },
      ['101 water 2026-06-01T03:59:00Z 1000'],
    ],
    [
      'a time as a number',
      'home/101/meter',
      { reading: { total: 1 }, at: 1780286340 },
      ['101 water 2026-06-01T03:59:00Z 1000'],
    ],
    [
      'a time that is none',
      'home/101/meter',
      { reading: { total: 1 }, at: 'noon' },
      [],
      ['time missing: water: ts "noon" is not ISO 8601 with zone'],
    ],
    ['no time where one should be', 'home/101/meter', { reading: { total: 1 } }, [], ['time missing: water: no ts']],
    [
      'a number as text',
      'home/101/meter',
      { reading: { total: '6.054' }, at: 1780286340 },
      ['101 water 2026-06-01T03:59:00Z 6054'],
    ],
    [
      'a number that is none',
      'home/101/meter',
      { reading: { total: 'n/a' }, at: 1 },
      [],
      ['wrong shape: litres at reading.total: no number ("n/a")'],
    ],
    [
      'half filled',
      'home/101/meter',
      { reading: { total: null }, bat: 87 },
      [],
      ['unknown field: no rule reads it, litres at reading.total: no value'],
    ],
    [
      'something else under its topic',
      'home/101/meter',
      { hello: 1 },
      [],
      ['unknown field: no rule reads it, litres at reading.total: no value'],
    ],
    [
      'a register below zero',
      'home/101/meter',
      { reading: { total: -1 }, at: 1780286340 },
      [],
      ['wrong shape: water: litres: Too small: expected number to be >=0'],
    ],
    [
      'a list, and one time for all',
      'home/7/power',
      { ts: 1780286340, phases: [{ kwh: 1.5, w: 60 }, { kwh: 2 }] },
      ['7 electricity 2026-06-01T03:59:00Z 1000 rate=60', '7 electricity 2026-06-01T03:59:00Z 1500'],
    ],
    [
      '1970 in seconds',
      'home/7/power',
      { ts: 1_700_000, phases: [{ kwh: 2 }] },
      [],
      ['time absurd: electricity: ts 1970-01-20T16:13:20.000Z is before 2020'],
    ],
    ['no list', 'home/7/power', { ts: 1780286340 }, [], ['unknown field: no rule reads it, no list at phases']],
    ['an empty list', 'home/7/power', { ts: 1780286340, phases: [] }, []],
    [
      '1970 in milliseconds',
      'bus/1',
      { devices: [{ type: 'SD', id: 4, st: 2, lvl: 12, ms: 1_700_000_000 }] },
      [`4 smoke ${now} alarm 12 unit=% clockWrong=true`],
    ],
    [
      'two kinds in one list',
      'bus/1',
      {
        devices: [
          { type: 'HD', id: 'a', st: 0, ms: 1780286340000 },
          { type: 'BTN', id: 'b', act: 'hold' },
        ],
      },
      ['a smoke 2026-06-01T03:59:00Z clear unit=%', `b button ${now} pressed`],
    ],
    [
      'an empty action, and one that is over',
      'bus/1',
      {
        devices: [
          { type: 'BTN', id: 'b', act: '' },
          { type: 'BTN', id: 'b', act: 'release' },
        ],
      },
      [],
    ],
    [
      'an action that nobody wrote down',
      'bus/1',
      { devices: [{ type: 'BTN', id: 'b', act: 'double' }] },
      [],
      ['wrong shape: event at act: no such word ("double")'],
    ],
    [
      'a device without a name',
      'bus/1',
      { devices: [{ type: 'BTN', act: 'hold' }] },
      [],
      ['wrong shape: at id: no device'],
    ],
    ['what is to be ignored', 'bus/1', { type: 'heartbeat', devices: [] }, []],
    [
      'a type that nobody wrote down',
      'bus/1',
      { devices: [{ type: 'XX', id: 1 }] },
      [],
      ['unknown field: no rule reads it, type is "XX", type is null'],
    ],
    ['plain text', 'plain/door', 'OPEN', [`front door door ${now} open`]],
    ['a bare number', 'plain/door', '0', [`front door door ${now} closed`]],
    ['text that says nothing', 'plain/door', 'ajar', [], ['wrong shape: open at $: no such word ("ajar")']],
    ['half a JSON', 'plain/door', '{"a":', [], ['malformed JSON: Unexpected end of JSON input']],
    ['names with blanks, places in lists', 'bed/3', { state: { 'in bed': 1 }, v: [14.5] }, [`3 bed ${now} in 14.5`]],
    ['no rule', 'other/topic', {}, [], ['topic not in dialect: no rule for other/topic']],
  ])('%s', (_, topic, payload, readings, rejections = []) => {
    const heard = mapped(topic, payload)
    expect({ readings: heard.readings, rejections: heard.rejections }).toEqual({ readings, rejections })
  })
  test('a gateway without a mapping is told so', () => {
    for (const none of [null, {}, { rules: [] }, 'x'])
      expect(hear(generic, { topic: 'a', payload: {}, settings: none }).rejections[0]).toMatch(
        'no mapping for this gateway',
      )
  })
  test('words of things that are no words', () => {
    const payload = '{"devices":[{"type":"SD","id":1,"st":[{"toString":1,"valueOf":1}]}]}'
    expect(mapped('bus/1', payload)).toMatchObject({
      readings: [],
      rejections: ['wrong shape: alarm at st: no such word (a list)'],
    })
  })
  test('a thousand readings of one message, and no more', () => {
    const phases = Array.from({ length: 1_500 }, () => ({ kwh: 2 }))
    const { readings, rejections } = mapped('home/7/power', { ts: 1780286340, phases })
    expect(readings).toHaveLength(1_000)
    expect(rejections).toEqual(['wrong shape: more than 1000 readings'])
  })
})

describe('tried out', () => {
  const checked = checkMapping(settings)
  if ('problems' in checked) throw new Error(JSON.stringify(checked.problems))
  const { mapping } = checked
  const tried = (topic: string, payload: unknown, on: GenericMapping = mapping) => {
    const bytes = new TextEncoder().encode(typeof payload === 'string' ? payload : JSON.stringify(payload))
    return tryMapping(on, { topic, payload: bytes, receivedAt, timeZone: 'Asia/Shanghai' })
  }
  test('each rule says why it did or did not apply', () => {
    const { rules } = tried('bus/1', {
      devices: [
        { type: 'SD', id: 'a', st: 1 },
        { type: 'SD', st: 1 },
      ],
    })
    expect(rules.map(({ outcome }) => outcome.is)).toEqual([
      'other topic',
      'other topic',
      'read',
      'other condition',
      'other condition',
      'other topic',
      'other topic',
    ])
    expect(rules[2]?.outcome).toMatchObject({
      readings: [{ nativeId: 'a', kind: 'smoke', fields: { alarm: true, unit: '%' } }],
      problems: [{ is: 'no device', path: 'id', item: 1 }],
    })
    expect(rules[3]?.outcome).toEqual({ is: 'other condition', path: 'type', found: '"SD"' })
    expect(rules[4]?.name).toBe('心跳')
  })
  test('says which field is missing, and what stood there instead', () => {
    expect(tried('home/1/meter', {}).rules[0]?.outcome).toEqual({
      is: 'nothing read',
      problems: [{ is: 'no value', field: 'litres', path: 'reading.total', item: undefined }],
    })
    expect(tried('home/1/meter', { reading: { total: [] } }).rules[0]?.outcome).toMatchObject({
      problems: [{ is: 'no number', found: 'a list' }],
    })
  })
  test('a mapping that was checked is right when it is checked again', () => {
    expect(checkMapping(JSON.parse(JSON.stringify(mapping)))).toEqual({ mapping })
  })
  test('a payload that is none', () => {
    expect(tried('a', '{"')).toMatchObject({ rules: [], readings: [], rejections: [{ reason: 'malformed JSON' }] })
  })
})

describe('a mapping that is wrong says where', () => {
  const rule = { topic: 'a/+', kind: 'water', device: { segment: 2 }, fields: { litres: { path: 'x' } } }
  const problems = (given: unknown, language?: 'zh' | 'en') => {
    const checked = checkMapping(given, language)
    return 'problems' in checked ? checked.problems.map(({ at, message }) => `${at}: ${message}`) : []
  }
  const of = (change: object, language?: 'zh' | 'en') => problems({ rules: [{ ...rule, ...change }] }, language)
  test('the plain one is right', () => {
    expect(of({})).toEqual([])
    expect(of({ when: [], items: '$.a[0]', time: { path: 't' } })).toEqual([])
  })
  test.each<[string, object, string]>([
    ['a filter', { topic: 'a/#/b' }, 'rules.0.topic: not a topic filter such as home/+/smoke or home/#'],
    ['a path', { items: 'a..b' }, 'rules.0.items: not a path such as data.items[0].value'],
    [
      'a path of a field',
      { fields: { litres: 'a[b]' } },
      'rules.0.fields.litres.path: not a path such as data.items[0].value',
    ],
    [
      'a unit',
      { fields: { litres: { path: 'x', unit: 'kWh' } } },
      'rules.0.fields.litres.unit: not a unit of this field',
    ],
    [
      'a unit and a scale',
      { fields: { litres: { path: 'x', unit: 'L', scale: 2 } } },
      'rules.0.fields.litres: either unit or scale, not both',
    ],
    ['a field of another kind', { fields: { litres: 'x', wh: 'y' } }, 'rules.0.fields.wh: this kind has no such field'],
    [
      'no register',
      { fields: { flowLpm: 'x' } },
      'rules.0.fields.litres: the field that makes a reading of this kind is missing',
    ],
    [
      'words for a number',
      { fields: { litres: { path: 'x', values: { a: true } } } },
      'rules.0.fields.litres.values: this field has no words',
    ],
    [
      'a word of something else',
      { kind: 'button', fields: { event: { path: 'x', values: { a: 'panic' } } } },
      'rules.0.fields.event.values.a: not a word of this field',
    ],
    [
      'a scale of a flag',
      { kind: 'door', fields: { open: { path: 'x', scale: 2 } } },
      'rules.0.fields.open: unit, scale and offset are for numbers only',
    ],
    [
      'two devices',
      { device: { segment: 1, path: 'x' } },
      'rules.0.device: exactly one of segment, path and fixed is needed',
    ],
    ['no device', { device: undefined }, 'rules.0: kind, device and fields are needed'],
    ['too much to ignore', { ignore: true }, 'rules.0: a rule that ignores has a topic, when and a name only'],
    ['a name that nobody knows', { colour: 'red' }, 'rules.0: Unrecognized key: "colour"'],
    ['a kind that nobody knows', { kind: 'weather' }, 'rules.0.kind: Invalid option'],
    ['a path that is too long', { items: 'a'.repeat(201) }, 'rules.0.items: Too big'],
  ])('%s', (_, change, expected) => {
    expect(of(change)[0]).toMatch(expected.slice(0, 60))
    expect(of(change).join('\n')).toContain(expected)
  })
  test('in Chinese too', () => {
    expect(of({ topic: 'a/#/b' }, 'zh')).toEqual(['rules.0.topic: 不是有效的主题过滤器，例如 home/+/smoke 或 home/#'])
    expect(problems({ rules: 3 }, 'zh')[0]).toMatch(/^rules: .*期望/)
  })
  test('what cannot even be looked at is no mapping', () => {
    const hostile = JSON.parse('{"rules":[{"topic":"#","when":{"length":{"toString":1,"valueOf":1}}}]}')
    expect(problems(hostile, 'zh')).toEqual([': 无法理解这份映射'])
  })
  test('too many rules', () => {
    expect(problems({ rules: Array.from({ length: 51 }, () => rule) })[0]).toMatch('rules: Too big')
  })
  test('__proto__ is a name like any other, and of no use', () => {
    const evil = JSON.parse(
      '{"rules":[{"topic":"a","kind":"door","device":{"fixed":"d"},"fields":{"open":"__proto__.x"}}]}',
    )
    expect(problems(evil)).toEqual([])
    expect(hear(generic, { topic: 'a', payload: {}, settings: evil }).readings).toEqual([])
  })
})

describe('paths, filters and units', () => {
  test.each<[string, (string | number)[] | undefined]>([
    ['$', []],
    ['a', ['a']],
    ['a.b[0].c', ['a', 'b', 0, 'c']],
    ['a["b.c"][\'d\']', ['a', 'b.c', 'd']],
    ['$[2].a', [2, 'a']],
    ['状态.值', ['状态', '值']],
    ['', undefined],
    ['a.', undefined],
    ['.a', undefined],
    ['a..b', undefined],
    ['a[0', undefined],
    ['a[0]b', undefined],
    ['a[-1]', undefined],
    ['$a', undefined],
    ['in bed.a', ['in bed', 'a']],
    [' a', undefined],
    [Array.from({ length: 21 }, () => 'a').join('.'), undefined],
  ])('%s', (text, steps) => expect(parsePath(text)?.steps).toEqual(steps))
  test.each([
    'constructor',
    'toString',
    '__proto__',
    'list.length',
    'text.length',
    'text[0]',
    'a.b',
    'list[9]',
    'list.x',
  ])('%s is not there', (path) => {
    const item = { list: [1], text: 'abc', a: null }
    expect(valueAt(path, { item, root: item })).toBeUndefined()
  })
  test.each<[string, string, boolean]>([
    ['a/+/c', 'a/b/c', true],
    ['a/+/c', 'a/b/b/c', false],
    ['a/#', 'a', true],
    ['a/#', 'a/b/c', true],
    ['a/#', 'ab', false],
    ['+', 'a/b', false],
    ['a', 'a/', false],
    ['#', 'a/b', true],
  ])('%s and %s: %s', (filter, topic, matches) => {
    expect(isFilter(filter)).toBe(true)
    expect(isOf(filter, topic)).toBe(matches)
  })
  test.each(['', 'a/#/b', 'a+', 'a/b#'])('%s is no filter', (filter) => expect(isFilter(filter)).toBe(false))
  test.each<[Parameters<typeof unitScale>[0], string, number | undefined]>([
    ['volume', 'm³', 1000],
    ['volume', 'L', 1],
    ['volume', '吨', 1000],
    ['energy', 'kWh', 1000],
    ['energy', 'MWh', 1_000_000],
    ['energy', '度', 1000],
    ['power', 'mW', 0.001],
    ['power', 'kw', 1000],
    ['part', '%', 0.01],
    ['volume', 'kWh', undefined],
    ['volume', 'constructor', undefined],
  ])('%s in %s', (quantity, unit, scale) => expect(unitScale(quantity, unit)).toBe(scale))
})

describe('commands', () => {
  const withCommands = {
    ...settings,
    commands: {
      prompt: { topic: 'home/{device}/say', payload: '{"say":"{text}","lang":"{language}","d":"{device}"}' },
      led: { topic: 'home/{device}/led', payload: '{on}' },
    },
  }
  const { memory } = hear(generic, { topic: 'plain/door', payload: 1, settings: withCommands })
  const write = (command: DeviceCommand, nativeId = '7', base = 'home') =>
    generic.write?.({ command, nativeId, base, memory })
  test('are filled in', () => {
    const said = write({ name: 'prompt', text: '吃药了 "now" {on}', language: 'zh-CN' })
    expect(said?.topic).toBe('home/7/say')
    expect(JSON.parse(said?.payload ?? '')).toEqual({ say: '吃药了 "now" {on}', lang: 'zh-CN', d: '7' })
    expect(write({ name: 'led', on: false })).toEqual({ topic: 'home/7/led', payload: 'false' })
  })
  test('are none where none was written, and go to no other topic', () => {
    expect(write({ name: 'chime' })).toBeUndefined()
    expect(write({ name: 'led', on: true }, '7/../8')).toBeUndefined()
    expect(write({ name: 'led', on: true }, '+')).toBeUndefined()
    expect(write({ name: 'led', on: true }, '7', 'other')).toBeUndefined()
  })
  test('are kept once, and forgotten with the mapping', () => {
    const again = hear(generic, { topic: 'plain/door', payload: 1, settings: withCommands, memory })
    expect(again.output).not.toHaveProperty('memory')
    expect(hear(generic, { topic: 'plain/door', payload: 1, settings, memory }).memory).toEqual({})
  })
  test('a topic with a wildcard, or with a placeholder that nobody fills in, is refused', () => {
    for (const topic of ['home/+/say', 'home/{text}/say', ''])
      expect(checkMapping({ ...settings, commands: { chime: { topic, payload: '' } } })).toHaveProperty('problems')
  })
})

test(
  'any message is readings or a reason',
  () => {
    const words = [
      'reading',
      'total',
      'flow',
      'bat',
      'at',
      'phases',
      'kwh',
      'w',
      'ts',
      'devices',
      'type',
      'SD',
      'BTN',
      'id',
    ]
    const json = jsonWith([...words, 'st', 'lvl', 'ms', 'act', 'single', 'state', 'in bed', 'v', '1', '2'])
    const device = fc.record({
      type: fc.constantFrom('SD', 'HD', 'BTN'),
      id: json,
      st: json,
      ms: json,
      act: json,
      lvl: json,
    })
    anyMessages(generic, {
      topics: fc.oneof(
        fc.constantFrom('home/1/meter', 'home/1/power', 'bus/1', 'plain/door', 'bed/2'),
        topicsOf(['home', 'bus', 'plain', 'bed', 'meter', 'door', '1']),
      ),
      payloads: fc.oneof(fc.record({ devices: fc.array(device, { maxLength: 5 }) }), json),
      bases: ['', ''],
      settings: [settings, settings, { rules: 3 }],
    })
  },
  propertyMsMax,
)

test(
  'any mapping is right or has its problems told',
  () => {
    const words = [
      'rules',
      'topic',
      'kind',
      'water',
      'device',
      'segment',
      'path',
      'fixed',
      'fields',
      'litres',
      'unit',
      'when',
    ]
    const json = jsonWith([...words, 'equals', 'values', 'items', 'time', 'format', 'ignore', 'commands', 'a.b', 'm3'])
    const rule = fc.record({
      topic: fc.constantFrom('#', 'a/+', 'a#'),
      kind: fc.constantFrom('water', 'door', 'x'),
      device: fc.oneof(fc.constant({ fixed: 'd' }), json),
      fields: fc.oneof(fc.record({ litres: json }), fc.record({ open: fc.constant('$') }), json),
      when: json,
    })
    fc.assert(
      fc.property(fc.oneof(fc.record({ rules: fc.array(rule, { maxLength: 3 }) }), json), json, (given, said) => {
        const found = checkMapping(given, 'zh')
        if ('problems' in found) expect(found.problems.length).toBeGreaterThan(0)
        else expect(() => hear(generic, { topic: 'a/b', payload: said ?? null, settings: given })).not.toThrow()
      }),
      { numRuns: 300 },
    )
  },
  propertyMsMax,
)
