import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { decodeOne } from '../decode.js'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import { type DeviceCommand, type DialectMemory, type DialectMessage, memoryBytesMax, type Saying } from './dialect.js'
import { shelly } from './shelly.js'

const receivedAt = Date.parse('2026-06-01T04:00:02Z')
const ts = 1_780_286_400.41
const message = (topic: string, payload: unknown, over: Partial<DialectMessage> = {}): DialectMessage => ({
  topic,
  base: '',
  payload: Buffer.from(typeof payload === 'string' ? payload : JSON.stringify(payload)),
  retain: false,
  receivedAt,
  timeZone: 'Europe/Berlin',
  memory: {},
  settings: null,
  ...over,
})
const read = (...args: Parameters<typeof message>) => shelly.read(message(...args))
const says = (nativeId: string, kind: Saying['kind'], fields: Record<string, unknown>): Saying => ({
  nativeId,
  kind,
  fields: { ts: receivedAt, ...fields },
})
const status = (params: Record<string, unknown>, method = 'NotifyStatus') => ({
  src: 'shellypro1-a8032abe54dc',
  dst: 'shellypro1-a8032abe54dc/events',
  method,
  params: { ts, ...params },
})
const events = (...all: Record<string, unknown>[]) => status({ events: all }, 'NotifyEvent')

describe('the first generation', () => {
  const plug = 'shellies/shellyplug-s-02086E'
  const em = 'shellies/shellyem3-D8BFC01A802C'
  const flood = 'shellies/shellyflood-764D17'
  const gas = 'shellies/shellygas-48AA1C'
  const door = 'shellies/shellydw2-1CBF7E'
  const button = 'shellies/shellybutton1-A4CF12F45301'
  test.each<[string, string, unknown, Saying[]]>([
    ['watt-minutes to Wh', `${plug}/relay/0/energy`, '150', [says(`${plug}#relay/0`, 'electricity', { wh: 2.5 })]],
    ['a third of one', `${plug}/relay/1/energy`, '20', [says(`${plug}#relay/1`, 'electricity', { wh: 0.333 })]],
    ['a roller', `${plug}/roller/0/energy`, '60', [says(`${plug}#roller/0`, 'electricity', { wh: 1 })]],
    ['a meter in Wh', `${em}/emeter/2/total`, '8703.4', [says(`${em}#emeter/2`, 'electricity', { wh: 8_703.4 })]],
    ['what was fed in is not what was used', `${em}/emeter/2/total_returned`, '12.5', []],
    ['watt-minutes of a moment are no register', `${em}/emeter/2/energy`, '33', []],
    ['power alone', `${plug}/relay/0/power`, '61.2', []],
    ['a relay', `${plug}/relay/0`, 'on', []],
    ['a flood', `${flood}/sensor/flood`, 'true', [says(`${flood}#sensor/flood`, 'leak', { alarm: true })]],
    ['as a number', `${flood}/sensor/flood`, '0', [says(`${flood}#sensor/flood`, 'leak', { alarm: false })]],
    ['a flood sensor that does not know yet', `${flood}/sensor/flood`, '-1', []],
    ['smoke', 'shellies/s/sensor/smoke', 'true', [says('shellies/s#sensor/smoke', 'smoke', { alarm: true })]],
    ['no gas', `${gas}/sensor/gas`, 'none', [says(`${gas}#sensor/gas`, 'gas', { alarm: false })]],
    ['some gas', `${gas}/sensor/gas`, 'mild', [says(`${gas}#sensor/gas`, 'gas', { alarm: true })]],
    [
      'much gas, by its other name',
      `${gas}/sensor/alarm`,
      'heavy',
      [says(`${gas}#sensor/gas`, 'gas', { alarm: true })],
    ],
    ['its test', `${gas}/sensor/gas`, 'test', [says(`${gas}#sensor/gas`, 'gas', { alarm: true, test: true })]],
    ['a gas sensor warming up', `${gas}/sensor/gas`, 'unknown', []],
    ['its concentration', `${gas}/sensor/concentration`, '0', []],
    ['a door', `${door}/sensor/state`, 'open', [says(`${door}#sensor/door`, 'door', { open: true })]],
    ['a door that is shut', `${door}/sensor/state`, 'close', [says(`${door}#sensor/door`, 'door', { open: false })]],
    ['light', `${door}/sensor/lux`, '104', []],
    [
      'a motion sensor says all at once',
      'shellies/shellymotionsensor-60A4239A/status',
      { motion: true, timestamp: 1_780_286_300, active: true, vibration: false, lux: 12, bat: 81 },
      [says('shellies/shellymotionsensor-60A4239A#sensor/motion', 'motion', { battery: 0.81, motion: true })],
    ],
    [
      'a press',
      `${button}/input_event/0`,
      { event: 'S', event_cnt: 3 },
      [says(`${button}#input_event/0`, 'button', { event: 'pressed' })],
    ],
    [
      'a long press',
      `${button}/input_event/0`,
      { event: 'L', event_cnt: 4 },
      [says(`${button}#input_event/0`, 'button', { event: 'pressed' })],
    ],
    ['no press yet', `${button}/input_event/0`, { event: '', event_cnt: 0 }, []],
    ['an input', `${button}/input/0`, '1', []],
    ['a temperature', `${plug}/temperature`, '31.2', []],
    ['all of it at once', `${plug}/info`, { wifi_sta: {}, meters: [{ total: 5 }] }, []],
    ['a command', 'shellies/command', 'announce', []],
  ])('%s', (_what, topic, payload, readings) => {
    expect(read(topic, payload)).toMatchObject({ readings, rejections: [] })
    for (const { kind, fields } of readings) expect(decodeOne(kind, fields, receivedAt).rejection).toBeUndefined()
  })

  test('a battery, a fault: said by themselves, they go with the readings that follow', () => {
    let memory: DialectMemory = {}
    const say = (rest: string, payload: string) => {
      const output = read(`${flood}/${rest}`, payload, { memory })
      memory = output.memory ?? memory
      return output
    }
    expect(say('sensor/battery', '85').readings).toEqual([])
    expect(say('sensor/flood', 'false').readings[0]!.fields).toEqual({ ts: receivedAt, battery: 0.85, alarm: false })
    expect(say('sensor/battery', '85').memory).toBeUndefined()
    expect(say('sensor/battery', '-1').memory).toBeUndefined()
    say('sensor/operation', 'fault')
    expect(say('sensor/gas', 'none').readings[0]!.fields).toMatchObject({ battery: 0.85, fault: true, alarm: false })
    say('sensor/operation', 'normal')
    expect(say('sensor/gas', 'none').readings[0]!.fields).toMatchObject({ battery: 0.85, fault: false })
    expect(read('shellies/other/sensor/smoke', '1', { memory }).readings[0]!.fields).toEqual({
      ts: receivedAt,
      alarm: true,
    })
  })

  test('a press said again every 30 s is the same press: said from memory', () => {
    const topic = `${button}/input_event/0`
    const first = read(topic, { event: 'S', event_cnt: 7 })
    const again = read(topic, { event: 'S', event_cnt: 7 }, { memory: first.memory! })
    const next = read(topic, { event: 'S', event_cnt: 8 }, { memory: first.memory! })
    const [one, two, three] = [first, again, next].map(({ readings }) => readings[0]!.fields)
    expect(one).toEqual({ ts: receivedAt, event: 'pressed' })
    expect(two).toEqual({ ts: receivedAt, event: 'pressed', cached: true })
    expect(again.memory).toBeUndefined()
    expect(three).toEqual(one)
  })

  test('a device that starts anew counts from 0: its first press is a press', () => {
    const topic = `${button}/input_event/0`
    const press = { event: 'S', event_cnt: 1 }
    const id = 'shellybutton1-A4CF12F45301'
    const { memory } = read(topic, press)
    const other = read('shellies/other/input_event/0', press, { memory: memory! }).memory!
    const starts: [string, unknown][] = [
      [topic, { event: '', event_cnt: 0 }],
      [`${button}/announce`, { id }],
      ['shellies/announce', { id }],
      [`${button}/online`, 'true'],
      [`${button}/online`, 'false'],
    ]
    for (const [about, payload] of starts) {
      const started = read(about, payload, { memory: other })
      const again = read(topic, press, { memory: started.memory! })
      expect(again.readings[0]!.fields).toEqual({ ts: receivedAt, event: 'pressed' })
      const same = read('shellies/other/input_event/0', press, { memory: started.memory! })
      expect(same.readings[0]!.fields).toMatchObject({ cached: true })
      expect(read(about, payload, { memory: started.memory! }).memory).toBeUndefined()
    }
  })

  test('who is there', () => {
    const said = {
      id: 'shellyem3-D8BFC01A802C',
      model: 'SHEM-3',
      mac: 'D8BFC01A802C',
      ip: '192.0.2.7',
      fw_ver: 'v1.14',
    }
    const announcements = [0, 1, 2].map((phase) => ({
      nativeId: `${em}#emeter/${phase}`,
      kind: 'electricity',
      name: 'shellyem3-D8BFC01A802C',
      model: 'SHEM-3',
    }))
    expect(read('shellies/announce', said).announcements).toEqual(announcements)
    expect(read(`${em}/announce`, said).announcements).toEqual(announcements)
    expect(read('shellies/announce', { id: 'shellyix3-1', model: 'constructor' }).announcements).toEqual([])
  })
})

describe('from the second generation on', () => {
  const rpc = 'shellypro1-a8032abe54dc/events/rpc'
  const part = (name: string) => `shellypro1-a8032abe54dc#${name}`
  test.each<[string, string, unknown, Saying[]]>([
    [
      'a switch with a meter',
      rpc,
      status({
        'switch:0': { id: 0, output: true, apower: 8.25, aenergy: { total: 1_234.567, by_minute: [33, 30, 29] } },
      }),
      [says(part('switch:0'), 'electricity', { ts, wh: 1_234.567, w: 8.25 })],
    ],
    [
      'milliwatt-hours by the minute are no register',
      rpc,
      status({ 'pm1:0': { aenergy: { by_minute: [137.5, 0, 0] } } }),
      [],
    ],
    ['a register of null', rpc, status({ 'pm1:0': { aenergy: { total: null } } }), []],
    [
      'a meter that feeds in, on its own topic, which has no time',
      'shellypmmini-34/status/pm1:0',
      { id: 0, apower: -310.2, aenergy: { total: 20_269.29, minute_ts: 1_780_286_340 } },
      [says('shellypmmini-34#pm1:0', 'electricity', { wh: 20_269.29, w: -310.2 })],
    ],
    [
      'a shutter',
      rpc,
      status({ 'cover:0': { apower: 0, aenergy: { total: 17 } } }),
      [says(part('cover:0'), 'electricity', { ts, wh: 17, w: 0 })],
    ],
    ['three phases: power without a register', rpc, status({ 'em:0': { id: 0, total_act_power: 3_039.524 } }), []],
    [
      'their register, in Wh',
      rpc,
      status({ 'emdata:0': { id: 0, a_total_act_energy: 5_631.61, total_act: 20_269.29, total_act_ret: 0 } }),
      [says(part('em:0'), 'electricity', { ts, wh: 20_269.29 })],
    ],
    [
      'both together',
      rpc,
      status({ 'em:0': { total_act_power: 3_039.524 }, 'emdata:0': { total_act: 20_269.29 } }, 'NotifyFullStatus'),
      [says(part('em:0'), 'electricity', { ts, wh: 20_269.29, w: 3_039.524 })],
    ],
    [
      'one phase of three',
      rpc,
      status({ 'em1data:2': { id: 2, total_act_energy: 3.09, total_act_ret_energy: 1_605.24 } }),
      [says(part('em1:2'), 'electricity', { ts, wh: 3.09 })],
    ],
    [
      'a smoke alarm that woke up with its clock not set: its arrival',
      rpc,
      status(
        {
          ts: 1.33,
          'devicepower:0': { id: 0, battery: { V: 2.99, percent: 97 } },
          'smoke:0': { id: 0, alarm: true, mute: false },
          sys: { mac: '80646FD09ED4', unixtime: null, wakeup_reason: { boot: 'deepsleep_wake', cause: 'alarm' } },
          wifi: { rssi: -55 },
        },
        'NotifyFullStatus',
      ),
      [says(part('smoke:0'), 'smoke', { battery: 0.97, alarm: true })],
    ],
    [
      'muted is not over',
      rpc,
      status({ 'smoke:0': { alarm: true, mute: true } }),
      [says(part('smoke:0'), 'smoke', { ts, alarm: true })],
    ],
    ['only the mute changed', rpc, status({ 'smoke:0': { id: 0, mute: true } }), []],
    ['an alarm that is not known', rpc, status({ 'smoke:0': { alarm: null } }), []],
    [
      'a flood, its cable out',
      'cellar/status/flood:0',
      { id: 0, alarm: false, mute: false, errors: ['cable_unplugged'] },
      [says('cellar#flood:0', 'leak', { fault: true, alarm: false })],
    ],
    [
      'somebody in a zone',
      rpc,
      status({ 'presencezone:200': { id: 200, value: true, num_objects: 1 } }),
      [says(part('presencezone:200'), 'motion', { ts, motion: true })],
    ],
    [
      'a press: the push, not the finger going down and up',
      rpc,
      events(
        { component: 'input:0', id: 0, event: 'btn_down', ts: ts - 1 },
        { component: 'input:0', id: 0, event: 'btn_up', ts: ts - 0.9 },
        { component: 'input:0', id: 0, event: 'single_push', ts: ts - 0.5 },
      ),
      [says(part('input:0'), 'button', { ts: ts - 0.5, event: 'pressed' })],
    ],
    [
      'a long push',
      rpc,
      events({ component: 'input:1', event: 'long_push' }),
      [says(part('input:1'), 'button', { ts, event: 'pressed' })],
    ],
    ['an empty event', rpc, events({ component: 'input:0', event: '', ts }), []],
    ['a switch on an input', rpc, status({ 'input:0': { id: 0, state: true } }), []],
    [
      'a Bluetooth button, the second of four',
      rpc,
      events({ component: 'bthomedevice:202', id: 202, event: 'double_push', idx: 1, ts }),
      [says(part('bthomedevice:202:1'), 'button', { ts, event: 'pressed' })],
    ],
    ['a Bluetooth sensor: a value of nobody knows what', rpc, status({ 'bthomesensor:200': { value: true } }), []],
    [
      'a smoke alarm under test',
      rpc,
      events({ component: 'smoke:0', event: 'alarm_test', ts }),
      [says(part('smoke:0'), 'smoke', { ts, alarm: true, test: true })],
    ],
    ['its settings', rpc, events({ component: 'input:0', event: 'config_changed', cfg_rev: 35, ts }), []],
    [
      'the network',
      rpc,
      status({ wifi: { rssi: -60 }, cloud: { connected: false }, 'script:1': { running: true } }),
      [],
    ],
    ['its answer to a question', 'shellypro1-a8032abe54dc/rpc', { id: 1, result: {} }, []],
    [
      'a prefix that is v1/{gatewayId}',
      'status/switch:0',
      { apower: 1, aenergy: { total: 2 } },
      [says('switch:0', 'electricity', { wh: 2, w: 1 })],
    ],
    [
      'and its notifications are of the same device',
      'events/rpc',
      status({ 'switch:0': { aenergy: { total: 2 } } }),
      [says('switch:0', 'electricity', { ts, wh: 2 })],
    ],
    [
      'a prefix of the first generation',
      'shellies/hall/status/switch:0',
      { aenergy: { total: 2 } },
      [says('shellies/hall#switch:0', 'electricity', { wh: 2 })],
    ],
  ])('%s', (_what, topic, payload, readings) => {
    expect(read(topic, payload)).toMatchObject({ readings, rejections: [] })
    for (const { kind, fields } of readings) expect(decodeOne(kind, fields, receivedAt).rejection).toBeUndefined()
  })

  test('a battery on its own topic goes with what follows', () => {
    const { memory } = read('hall/status/devicepower:0', {
      battery: { V: 2.6, percent: 9 },
      external: { present: false },
    })
    const { readings } = read('hall/status/smoke:0', { alarm: false }, { memory: memory! })
    expect(readings[0]!.fields).toEqual({ ts: receivedAt, battery: 0.09, alarm: false })
    const button = read('hall/status/bthomedevice:200', { rssi: -60, battery: 100 }, { memory: memory! })
    const press = events({ component: 'bthomedevice:200', event: 'single_push', ts })
    const pressed = read('hall/events/rpc', press, { memory: button.memory! })
    expect(pressed.readings[0]!.fields).toEqual({ ts, battery: 1, event: 'pressed' })
  })

  test('everything at once tells what there is', () => {
    const whole = { 'switch:0': { aenergy: { total: 2 } }, 'input:0': { state: null }, 'input:1': { state: false } }
    expect(read(rpc, status(whole, 'NotifyFullStatus')).announcements).toEqual([
      { nativeId: part('switch:0'), kind: 'electricity', name: 'shellypro1-a8032abe54dc', model: 'shellypro1' },
      { nativeId: part('input:0'), kind: 'button', name: 'shellypro1-a8032abe54dc', model: 'shellypro1' },
    ])
  })
})

describe('what is not understood, with the reason', () => {
  test.each<[string, string, unknown, string, string]>([
    ['a component of tomorrow', 'x/status/radar:0', {}, 'unknown field', 'radar:0'],
    ['several', 'x/events/rpc', status({ 'radar:0': {}, '!': {}, sys: {} }), 'unknown field', 'radar:0, !'],
    ['a register that is no number', 'x/status/pm1:0', { aenergy: { total: 'lots' } }, 'wrong shape', 'pm1:0 total'],
    ['a meter that is no object', 'x/status/pm1:0', 7, 'wrong shape', 'pm1:0'],
    ['an alarm of text', 'x/status/smoke:0', { alarm: 'yes' }, 'wrong shape', 'smoke:0 alarm'],
    ['another method', 'x/events/rpc', status({}, 'Sing'), 'wrong shape', 'method Sing'],
    ['no params', 'x/events/rpc', { method: 'NotifyStatus' }, 'wrong shape', 'without params'],
    ['no events', 'x/events/rpc', status({}, 'NotifyEvent'), 'wrong shape', 'without events'],
    ['no JSON', 'x/events/rpc', '{', 'malformed JSON', ''],
    ['watt-minutes in words', 'shellies/x/relay/0/energy', 'nan', 'wrong shape', 'relay/0/energy is no number: "nan"'],
    ['gas of another word', 'shellies/x/sensor/gas', 'extreme', 'wrong shape', 'sensor/gas says "extreme"'],
    ['a flood of another word', 'shellies/x/sensor/flood', 'wet', 'wrong shape', 'sensor/flood says "wet"'],
    ['a press without an event', 'shellies/x/input_event/0', { event_cnt: 2 }, 'wrong shape', 'without a press'],
    ['a sensor of tomorrow', 'shellies/x/sensor/radon', '1', 'topic not in dialect', 'sensor/radon'],
    ['a topic of tomorrow', 'shellies/x/laser/0', '1', 'topic not in dialect', 'laser/0'],
    ['online in other words', 'x/online', 'yes', 'wrong shape', 'true or false'],
    ['another topic', 'tele/x/SENSOR', {}, 'topic not in dialect', 'expected'],
    ['a prefix beyond all measure', `${'x'.repeat(81)}/status/sys`, {}, 'topic not in dialect', 'over 80'],
  ])('%s', (_what, topic, payload, reason, detail) => {
    const { readings, rejections } = read(topic, payload)
    expect(readings).toEqual([])
    expect(rejections).toEqual([{ reason, detail: expect.stringContaining(detail) }])
  })

  test('the register of one is kept where another is odd', () => {
    const { readings, rejections } = read('x/events/rpc', status({ 'pm1:0': { aenergy: { total: 1 } }, 'radar:0': {} }))
    expect(readings).toHaveLength(1)
    expect(rejections).toEqual([{ reason: 'unknown field', detail: 'radar:0' }])
  })

  test.each([
    ['a negative register', 'shellies/x/emeter/0/total', '-3'],
    ['a clock a year ahead', 'x/events/rpc', status({ ts: ts + 31_536_000, 'pm1:0': { aenergy: { total: 1 } } })],
  ])('%s is refused by the contract', (_what, topic, payload) => {
    const [saying] = read(topic, payload).readings
    expect(decodeOne(saying!.kind, saying!.fields, receivedAt).reading).toBeUndefined()
  })
})

describe('presence of the gateway', () => {
  test.each([
    ['one device, whose prefix is the base topic', 'shellies/plug', 'shellies/plug/online', 'true', 'online'],
    ['gone', 'home/hall', 'home/hall/online', 'false', 'offline'],
    ['below its own prefix', '', 'online', 'true', 'online'],
    ['one among others', 'shellies', 'shellies/plug/online', 'false', undefined],
  ])('%s', (_what, base, topic, payload, presence) => {
    expect(read(topic, payload, { base })).toEqual({ readings: [], rejections: [], ...(presence && { presence }) })
  })
})

test('of more devices than can be kept the first are forgotten', () => {
  let memory: DialectMemory = {}
  const keep = (rest: string, payload: unknown) => {
    memory = read(rest, payload, { memory }).memory!
  }
  for (let i = 0; i < 300; i++) {
    keep(`shellies/${i}${'锅'.repeat(60)}/sensor/battery`, '33')
    keep(`shellies/${i}${'锅'.repeat(60)}/input_event/0`, { event: 'S', event_cnt: Number.MAX_SAFE_INTEGER - i })
  }
  expect(Buffer.byteLength(JSON.stringify(memory))).toBeLessThan(memoryBytesMax)
  const batteryOf = (i: number) =>
    read(`shellies/${i}${'锅'.repeat(60)}/sensor/smoke`, '0', { memory }).readings[0]!.fields.battery
  expect([batteryOf(0), batteryOf(299)]).toEqual([undefined, 0.33])
})

describe('commands', () => {
  test.each<[string, DeviceCommand, string, unknown]>([
    [
      'the valve of a gas alarm',
      { name: 'close valve' },
      'shellies/g#sensor/gas',
      { topic: 'shellies/g/valve/0/command', payload: 'close' },
    ],
    [
      'a relay called a valve',
      { name: 'close valve' },
      'shellies/valve-1#relay/0',
      { topic: 'shellies/valve-1/relay/0/command', payload: 'off' },
    ],
    [
      'a switch called a valve',
      { name: 'close valve' },
      '水阀#switch:0',
      { topic: '水阀/command/switch:0', payload: 'off' },
    ],
    [
      'a motor called a valve',
      { name: 'close valve' },
      'valve#cover:0',
      { topic: 'valve/command/cover:0', payload: 'close' },
    ],
    ['what is not called a valve', { name: 'close valve' }, 'fridge#switch:0', undefined],
    ['a light', { name: 'led', on: true }, 'hall#light:0', { topic: 'hall/command/light:0', payload: 'on' }],
    [
      'a light of old',
      { name: 'led', on: false },
      'shellies/d#light/0',
      { topic: 'shellies/d/light/0/command', payload: 'off' },
    ],
    ['a light below its own prefix', { name: 'led', on: true }, 'light:0', { topic: 'command/light:0', payload: 'on' }],
    [
      'a test',
      { name: 'self-test' },
      'shellies/g#sensor/gas',
      { topic: 'shellies/g/sensor/start_self_test', payload: 'start' },
    ],
    ['no test', { name: 'self-test' }, 'hall#smoke:0', undefined],
    ['no bell', { name: 'chime' }, 'hall#switch:0', undefined],
  ])('%s', (_what, command, nativeId, publish) => {
    expect(shelly.write!({ command, nativeId, base: '', memory: {} })).toEqual(publish)
  })
})

test('whatever comes', () => {
  const words = ['method', 'params', 'NotifyStatus', 'NotifyFullStatus', 'NotifyEvent', 'ts', 'events', 'component']
  const more = ['aenergy', 'total', 'apower', 'alarm', 'battery', 'percent', 'src', 'id', 'model', 'event_cnt', 'S']
  const any = jsonWith([...words, ...more])
  const flag = fc.oneof(fc.boolean(), any)
  const number = fc.oneof(fc.double(), any)
  const measured = fc.record(
    { apower: number, aenergy: fc.oneof(fc.record({ total: number }), any) },
    { requiredKeys: [] },
  )
  const components: Record<string, fc.Arbitrary<unknown>> = {
    'switch:0': measured,
    'pm1:1': measured,
    'em:0': fc.record({ total_act_power: number }),
    'emdata:0': fc.record({ total_act: number }),
    'em1data:2': fc.record({ total_act_energy: number }),
    'smoke:0': fc.record({ alarm: flag, mute: flag }),
    'flood:1': fc.record({ alarm: flag, errors: fc.oneof(fc.constant(['cable_unplugged']), any) }),
    'devicepower:0': fc.record({ battery: fc.record({ percent: number }) }),
    'bthomedevice:200': fc.record({ battery: number }),
    'presencezone:200': fc.record({ value: flag }),
    'input:0': fc.record({ state: fc.oneof(fc.constant(null), any) }),
    'radar:0': any,
  }
  const parts = Object.keys(components)
  const ts = fc.oneof(fc.constantFrom(1.33, 1_780_286_400.41), any)
  const events = fc.record({
    component: fc.oneof(fc.constantFrom(...parts), any),
    event: fc.oneof(fc.constantFrom('single_push', 'long_push', 'alarm', 'alarm_test', ''), any),
    ts,
    idx: number,
  })
  const frame = fc.oneof(
    fc.record({
      src: any,
      method: fc.constantFrom('NotifyStatus', 'NotifyFullStatus'),
      params: fc.record({ ts, ...components }, { requiredKeys: [] }),
    }),
    fc.record({ method: fc.constant('NotifyEvent'), params: fc.record({ ts, events: fc.array(events) }) }),
  )
  const press = fc.record({
    event: fc.constantFrom('S', 'L', '', 1),
    event_cnt: fc.nat({ max: 3 }),
    motion: flag,
    bat: number,
  })
  const texts = ['true', 'false', 'none', 'heavy', 'test', '17', '-1', 'open', 'close', 'fault', 'normal', 'nan']
  const text = fc.constantFrom(...texts).map((word) => Buffer.from(word))
  const rests = ['relay/0/energy', 'emeter/1/total', 'input_event/0', 'status', 'announce', 'online', 'laser/0']
  const sensors = ['flood', 'smoke', 'battery', 'gas', 'operation', 'state', 'motion'].map((name) => `sensor/${name}`)
  const id = (charsMax: number) =>
    fc.oneof(fc.constantFrom('plug', 'flood'), fc.string({ unit: 'binary', minLength: 1, maxLength: charsMax }))
  const prefixed = (prefix: fc.Arbitrary<string>, all: string[]) =>
    fc.tuple(prefix, fc.constantFrom(...all)).map((both) => both.join('/'))
  // A value on the topic of another is part of it: what is said and where are drawn apart.
  const topics = fc.oneof(
    {
      weight: 4,
      arbitrary: prefixed(
        id(82).map((name) => `shellies/${name}`),
        [...rests, ...sensors],
      ),
    },
    {
      weight: 4,
      arbitrary: prefixed(id(82), ['events/rpc', 'events/rpc', 'online', ...parts.map((one) => `status/${one}`)]),
    },
    { weight: 1, arbitrary: topicsOf(['shellies', 'plug', 'status', 'events', 'rpc', 'online', 'smoke:0']) },
  )
  const payloads = fc.oneof(frame, ...Object.values(components).slice(0, 6), press, text, any)
  anyMessages(shelly, { topics, payloads, bases: ['', 'shellies', 'home/hall'] })
})
