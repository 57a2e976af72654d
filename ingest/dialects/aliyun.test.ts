import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { aliyun } from './aliyun.js'
import { anyMessages, jsonWith, topicsOf } from './any-message.test-support.js'
import { hear } from './said.test-support.js'

/** Thousands of messages, on a machine that has other things to do. */
const propertyMsMax = 180_000

const base = '/sys/a1Kl8ExampleK/gateway-07'
const ms = Date.parse('2026-06-01T03:59:00Z')
const own = 'a1Kl8ExampleK/gateway-07'
const post = (path: string, params: unknown, more: object = {}) => {
  const payload = { id: '123', version: '1.0', params, method: `thing.${path.replaceAll('/', '.')}`, ...more }
  const heard = hear(aliyun, { base, topic: `${base}/thing/${path}`, payload })
  const { replies = [] } = heard.output
  return { ...heard, replies: replies.map(({ topic, payload }) => ({ topic, ...JSON.parse(payload) })) }
}
const short = (lines: string[]) => lines.map((line) => line.replace(`${own} `, ''))
const now = '2026-06-01T04:00:00Z'
const then = '2026-06-01T03:59:00Z'
const valued = (value: unknown, time: unknown = ms) => ({ value, time })

describe('properties', () => {
  test.each<[name: string, params: object, readings: string[], rejections?: string[]]>([
    ['a smoke alarm', { SmokeSensorState: 1, BatteryPercentage: 81 }, [`smoke ${now} alarm battery=0.81`]],
    [
      'with its time',
      { SmokeSensorState: valued(0), BatteryPercentage: valued(81) },
      [`smoke ${then} clear battery=0.81`],
    ],
    [
      'a state at one time, a battery at another',
      { SmokeSensorState: valued(1), BatteryPercentage: valued(81, ms - 1) },
      [`smoke ${then} alarm`],
    ],
    ['gas', { GasSensorState: valued(1) }, [`gas ${then} alarm`]],
    ['water on the floor', { WaterSensorState: 1 }, [`leak ${now} alarm`]],
    ['a door: 1 is open', { ContactState: 1, TamperState: 0 }, [`door ${now} open tamper=false`]],
    ['somebody moves', { MotionAlarmState: true }, [`motion ${now} motion`]],
    [
      'electricity: 用电量 is in kWh',
      { PowerConsumption: 12.3, RTPower: 60.0, VoltageA: 231.0 },
      [`electricity ${now} 12300 rate=60`],
    ],
    ['water in which unit?', { WaterConsumption: 12.3 }, [], ['unknown field: WaterConsumption (in which unit?)']],
    ['water with its unit', { WaterConsumption: 12.3, WaterUnit: '立方米' }, [`water ${now} 12300`]],
    [
      'one per cent, not a full battery',
      { SmokeSensorState: 0, BatteryPercentage: 1 },
      [`smoke ${now} clear battery=0.01`],
    ],
    ['a property of a block', { 'alarms:SmokeSensorState': 1 }, [`smoke ${now} alarm`]],
    ['a struct that is nothing for us', { GeoLocation: { Longitude: 120.1, Latitude: 30.2 }, PowerSwitch_1: 1 }, []],
    [
      'a list of times',
      { ContactState: [valued(1, ms - 2000), valued(0, ms)] },
      ['door 2026-06-01T03:58:58Z open', `door ${then} closed`],
    ],
    ['nothing that is known', { Mystery: 1, Riddle: valued(2) }, [], ['unknown field: Mystery, Riddle']],
    ['a state of another kind', { SmokeSensorState: 7 }, [], ['wrong shape: SmokeSensorState: 7']],
    ['half filled', { SmokeSensorState: null, BatteryPercentage: valued(null) }, []],
    ['an empty action', { SOS: 0 }, []],
    ['a call', { EmergencyButton: 1 }, [`button ${now} pressed`]],
    [
      'a register below zero',
      { PowerConsumption: -0.1 },
      [],
      ['wrong shape: electricity: wh: Too small: expected number to be >=0'],
    ],
    [
      'a clock that was never set',
      { SmokeSensorState: valued(1, 1000), PowerConsumption: valued(1, 1000) },
      [`smoke ${now} alarm clockWrong=true`],
      ['time absurd: electricity: ts 1970-01-01T00:16:40.000Z is before 2020'],
    ],
    ['seconds', { ContactState: valued(0, ms / 1000) }, [`door ${then} closed`]],
  ])('%s', (_, params, readings, rejections = []) => {
    const heard = post('event/property/post', params)
    expect({ readings: short(heard.readings), rejections: heard.rejections }).toEqual({ readings, rejections })
    expect(heard.replies).toMatchObject([{ code: 200 }])
  })
  test('a battery that is posted alone goes with the next reading', () => {
    const { memory } = post('event/property/post', { BatteryPercentage: 9 })
    const payload = { id: '1', params: { SmokeSensorState: 0 } }
    const next = hear(aliyun, { base, topic: `${base}/thing/event/property/post`, payload, memory })
    expect(short(next.readings)).toEqual([`smoke ${now} clear battery=0.09`])
  })
})

describe('events', () => {
  test.each<[name: string, event: string, params: object, readings: string[], rejections?: string[]]>([
    ['fire', 'SmokeAlarm', valued({}), [`smoke ${then} alarm`]],
    [
      'fire, with what came of it',
      'SmokeAlarm',
      valued({ AlarmType: 1, SmokeSensorState: 1, BatteryPercentage: 50 }),
      [`smoke ${then} alarm battery=0.5`],
    ],
    ['the end of a fire', 'SmokeAlarm', valued({ SmokeSensorState: 0 }), [`smoke ${then} clear`]],
    ['the end of gas', 'GasAlarm', valued({ AlarmState: 0 }), [`gas ${then} clear`]],
    ['carbon monoxide', 'COAlarm', valued({ COConcentration: 90 }), [`co ${then} alarm 90 unit=ppm`]],
    ['a call for help', 'SOS', valued({}), [`button ${then} pressed`]],
    ['a call for help without anything', 'SOS', {}, [`button ${now} pressed`]],
    ['a call from a block', 'call:EmergencyButton', valued({ state: 'cancel' }), [`button ${then} cancelled`]],
    ['water', 'WaterLeakAlarm', valued({ time: 3 }), [`leak ${then} alarm`]],
    [
      'an event of its own that carries a state',
      'AlarmEvent',
      valued({ SmokeSensorState: 1 }),
      [`smoke ${then} alarm`],
    ],
    ['an event that nobody knows', 'Mystery', valued({}), [], ['unknown field: event Mystery']],
    ['a fault that only its maker knows', 'Error', valued({ ErrorCode: 0 }), []],
    ['tamper alone', 'TamperAlarm', valued({}), [], ['wrong shape: tamper, and nothing that it could come with']],
  ])('%s', (_, event, params, readings, rejections = []) => {
    const heard = post(`event/${event}/post`, params)
    expect({ readings: short(heard.readings), rejections: heard.rejections }).toEqual({ readings, rejections })
  })
})

describe('gateways and backlogs', () => {
  const identity = { productKey: 'a1SubExample', deviceName: '0015BC00310001A2' }
  test('a batch: each device for itself', () => {
    const { readings, rejections } = post('event/property/pack/post', {
      properties: { PowerConsumption: valued(2) },
      events: { SOS: valued({}) },
      subDevices: [
        { identity, properties: { SmokeSensorState: valued(1) }, events: {} },
        {
          identity: { ...identity, deviceName: 'door-2' },
          properties: { ContactState: 1 },
          events: { GasAlarm: null },
        },
        { properties: { SmokeSensorState: valued(1) } },
      ],
    })
    expect(readings).toEqual([
      `${own} electricity ${then} 2000`,
      `${own} button ${then} pressed`,
      `a1SubExample/0015BC00310001A2 smoke ${then} alarm`,
      `a1SubExample/door-2 door ${now} open`,
    ])
    expect(rejections).toEqual(['wrong shape: a sub-device without an identity'])
  })
  test('a backlog: at its own times, late and not said again', () => {
    const { readings, rejections, replies } = post('event/property/history/post', [
      {
        identity,
        properties: [{ PowerConsumption: valued(1, ms - 3_600_000) }, { PowerConsumption: valued(1.5) }],
        events: [{ SmokeAlarm: valued({}) }],
      },
      { properties: [{ ContactState: 1 }] },
    ])
    expect(readings).toEqual([
      'a1SubExample/0015BC00310001A2 electricity 2026-06-01T02:59:00Z 1000',
      `a1SubExample/0015BC00310001A2 electricity ${then} 1500`,
      `a1SubExample/0015BC00310001A2 smoke ${then} alarm`,
    ])
    expect(rejections).toEqual(['time missing: door: no ts'])
    expect(replies).toMatchObject([{ code: 200, topic: `${base}/thing/event/property/history/post_reply` }])
  })
  test('a batch of many times', () => {
    const params = {
      properties: { PowerConsumption: [valued(1, ms - 1000), valued(2)] },
      events: { SOS: [valued({})] },
    }
    expect(short(post('event/property/batch/post', params).readings)).toEqual([
      'electricity 2026-06-01T03:58:59Z 1000',
      `electricity ${then} 2000`,
      `button ${then} pressed`,
    ])
  })
})

describe('answers', () => {
  test('are what the device waits for', () => {
    expect(post('event/property/post', { SmokeSensorState: 0 }).replies).toEqual([
      {
        topic: `${base}/thing/event/property/post_reply`,
        id: '123',
        code: 200,
        data: {},
        message: 'success',
        method: 'thing.event.property.post',
        version: '1.0',
      },
    ])
    expect(post('event/property/post', {}, { id: 3536123 }).replies).toMatchObject([{ id: '3536123' }])
  })
  test.each<[string, unknown]>([
    ['event/property/post', null],
    ['event/property/post', [1]],
    ['event/SOS/post', 'now'],
    ['event/property/history/post', {}],
  ])('%s with parameters that are none: 460', (path, params) => {
    const { replies, rejections, readings } = post(path, params)
    expect(replies).toMatchObject([{ code: 460, message: 'request parameter error' }])
    expect(rejections).toEqual([`wrong shape: params of ${path} are not what they should be`])
    expect(readings).toEqual([])
  })
  test('are not given where none is wanted, or nobody could tell which', () => {
    expect(post('event/property/post', {}, { sys: { ack: 0 } }).replies).toEqual([])
    expect(post('event/property/post', {}, { sys: { ack: 1 } }).replies).toHaveLength(1)
    expect(post('event/property/post', {}, { id: undefined }).replies).toEqual([])
  })
  test('let a gateway bring its sub-devices, and set its clock', () => {
    const payload = { id: '5', params: { productKey: 'a', deviceName: 'b' } }
    const session = '/ext/session/a1Kl8ExampleK/gateway-07/combine/login'
    expect(hear(aliyun, { topic: session, payload }).output.replies).toMatchObject([{ topic: `${session}_reply` }])
    const ntp = hear(aliyun, { topic: '/ext/ntp/a1K/g7/request', payload: { deviceSendTime: '1000' } }).output.replies
    expect(ntp?.map(({ topic, payload }) => [topic, JSON.parse(payload)])).toEqual([
      [
        '/ext/ntp/a1K/g7/response',
        { deviceSendTime: '1000', serverRecvTime: '1780286400000', serverSendTime: '1780286400000' },
      ],
    ])
  })
})

describe('topics', () => {
  test.each(['service/property/set_reply', 'service/property/set', 'event/property/post_reply', 'config/push'])(
    '%s is known, and nothing',
    (path) => expect(post(path, {})).toMatchObject({ readings: [], rejections: [], replies: [] }),
  )
  test.each([
    '/sys/a/b/thing/model/up_raw',
    '/a1K/gateway-07/user/update',
    '/sys/a+/b/thing/event/property/post',
    '#/sys/a1K/g7/thing/event/property/post',
  ])('%s is not', (topic) => expect(hear(aliyun, { topic, payload: {} }).rejections[0]).toMatch('topic not in dialect'))
  test('below v1/{gatewayId}/ as well', () => {
    const heard = hear(aliyun, {
      topic: 'sys/a1K/g7/thing/event/property/post',
      payload: { id: '1', params: { SmokeSensorState: 1 } },
    })
    expect(heard.readings).toEqual([`a1K/g7 smoke ${now} alarm`])
    expect(heard.output.replies?.[0]?.topic).toBe('sys/a1K/g7/thing/event/property/post_reply')
  })
})

describe('a valve', () => {
  const { memory } = post('event/property/post', { ValveSwitch: 1, GasSensorState: 0 })
  const write = (name: 'close valve' | 'chime', nativeId: string, base: string) =>
    aliyun.write?.({ command: { name }, nativeId, base, memory })
  test('is closed by the property that its device told of', () => {
    const said = write('close valve', own, base)
    expect(said?.topic).toBe(`${base}/thing/service/property/set`)
    expect(JSON.parse(said?.payload ?? '')).toEqual({
      id: '1',
      version: '1.0',
      params: { ValveSwitch: 0 },
      method: 'thing.service.property.set',
    })
    expect(write('close valve', own, '')?.topic).toBe(`${base.slice(1)}/thing/service/property/set`)
  })
  test('of no other device, by no other command, under no topic of somebody else', () => {
    expect(write('close valve', 'a1K/other', base)).toBeUndefined()
    expect(write('chime', own, base)).toBeUndefined()
    expect(write('close valve', own, '/sys/a1Kl8ExampleK/gateway-08')).toBeUndefined()
  })
})

test(
  'any message is readings or a reason',
  () => {
    const words = [
      ...['value', 'time', 'SmokeSensorState', 'BatteryPercentage', 'PowerConsumption', 'SOS', 'alarm', 'ValveSwitch'],
      ...['properties', 'events', 'subDevices', 'identity', 'productKey', 'deviceName', 'params', 'id', 'sys', 'ack'],
    ]
    const json = jsonWith(words)
    const request = fc.record({ id: fc.oneof(fc.constant('1'), json), params: json, method: json })
    const paths = [
      'event/property',
      'event/property/pack',
      'event/property/history',
      'event/property/batch',
      'event/SOS',
    ]
    anyMessages(aliyun, {
      topics: fc.oneof(
        fc.constantFrom(...paths).map((path) => `/sys/a1K/g7/thing/${path}/post`),
        fc.constant('/ext/ntp/a1K/g7/request'),
        topicsOf(['', 'sys', 'a1K', 'g7', 'thing', 'event', 'property', 'post', 'ext', 'session']),
      ),
      payloads: fc.oneof(request, json),
      bases: ['', '/sys/a1K/g7', 'x'],
    })
  },
  propertyMsMax,
)
