import { expect, test } from 'vitest'
import { commandResultSchema, commandSchemas, promptCharsMax, readingSchemas } from '../contract.js'
import type { Dialect } from '../dialects/dialect.js'
import { dialects } from '../dialects/dialects.js'
import { readAnswer } from './answer.js'
import { type commandNames, commandsByKind, commandsOf, messageOf, type Target } from './message.js'

const target = (over: Partial<Target> = {}): Target => ({
  gatewayId: 'gw1',
  deviceId: 'speaker-1',
  kind: 'voice',
  dialect: 'v1',
  baseTopics: [],
  memory: {},
  nativeId: null,
  ...over,
})
const given = { commandId: '7d6ae1d1-43a4-4f0f-9a0b-1c1f6b1e5f11', expiresAt: new Date('2026-03-10T06:10:00Z') }

test('v1: each command as its gateway reads it, with its id and its end', () => {
  const said = messageOf(target(), {
    ...given,
    command: { name: 'prompt', text: '阿婆，社区来看您了', language: 'yue' },
  })
  expect(said).toEqual({ topic: 'v1/gw1/speaker-1/command', payload: expect.any(String) })
  const json = JSON.parse(said!.payload)
  expect(json).toEqual({
    id: given.commandId,
    command: 'prompt',
    text: '阿婆，社区来看您了',
    language: 'yue',
    expiresAt: '2026-03-10T06:10:00.000Z',
  })
  expect(commandSchemas.prompt.safeParse(json).success).toBe(true)
  const led = messageOf(target(), { ...given, command: { name: 'led', on: false } })
  expect(JSON.parse(led!.payload)).toMatchObject({ command: 'led', on: false })
  const valve = messageOf(target({ kind: 'leak' }), { ...given, command: { name: 'close valve' } })
  expect(JSON.parse(valve!.payload)).toMatchObject({ command: 'close valve' })
})

test('what the contract does not take is not sent', () => {
  for (const text of ['', 'x'.repeat(promptCharsMax + 1), 'a\nb', 'a\u0000'])
    expect(messageOf(target(), { ...given, command: { name: 'prompt', text, language: 'zh-CN' } })).toBeUndefined()
  for (const language of ['', 'x', '普通话', 'a'.repeat(20)])
    expect(messageOf(target(), { ...given, command: { name: 'prompt', text: 'a', language } })).toBeUndefined()
})

test('which kinds offer what: each kind has its row, and a valve is only closed by what belongs to water or gas', () => {
  expect(Object.keys(commandsByKind).sort()).toEqual(Object.keys(readingSchemas).sort())
  const kindsFor = (name: (typeof commandNames)[number]) =>
    Object.keys(commandsByKind).filter((kind) => commandsByKind[kind as Target['kind']].includes(name))
  expect(kindsFor('prompt')).toEqual(['voice'])
  expect(kindsFor('close valve').sort()).toEqual(['gas', 'leak', 'water'])
  expect(commandsOf(target())).toEqual(['prompt', 'chime', 'led', 'self-test'])
  expect(commandsOf(target({ kind: 'bed' }))).toEqual([])
  expect(messageOf(target({ kind: 'smoke' }), { ...given, command: { name: 'close valve' } })).toBeUndefined()
})

test('a dialect says what its devices can, below its own topics or below those of v1', () => {
  const before = dialects.zigbee2mqtt
  const write: Dialect['write'] = ({ command, nativeId, base }) =>
    command.name === 'close valve' && nativeId === '0x1'
      ? { topic: `${base ? `${base}/` : ''}${nativeId}/set`, payload: '{"state":"OFF"}' }
      : undefined
  dialects.zigbee2mqtt = { name: 'zigbee2mqtt', read: () => ({ readings: [], rejections: [] }), write }
  try {
    const valve = target({ kind: 'leak', dialect: 'zigbee2mqtt', nativeId: '0x1' })
    expect(commandsOf(valve)).toEqual(['close valve'])
    const command = { ...given, command: { name: 'close valve' } as const }
    expect(messageOf(valve, command)?.topic).toBe('v1/gw1/0x1/set')
    expect(messageOf({ ...valve, baseTopics: ['zigbee2mqtt'] }, command)?.topic).toBe('zigbee2mqtt/0x1/set')
    expect(commandsOf({ ...valve, nativeId: '0x2' })).toEqual([])
    expect(commandsOf({ ...valve, nativeId: null })).toEqual([])
    dialects.zigbee2mqtt = { name: 'zigbee2mqtt', read: () => ({ readings: [], rejections: [] }) }
    expect(commandsOf(valve)).toEqual([])
  } finally {
    if (before) dialects.zigbee2mqtt = before
    else delete dialects.zigbee2mqtt
  }
})

test('a valve and a siren behind Zigbee2MQTT, as its own list of devices tells of them', () => {
  const binary = (name: string, on: string, off: string) => ({
    type: 'binary',
    name,
    property: name,
    value_on: on,
    value_off: off,
    access: 7,
  })
  const device = (ieee: string, name: string, description: string, exposes: object[]) => ({
    ieee_address: ieee,
    friendly_name: name,
    type: 'EndDevice',
    supported: true,
    definition: { model: name, vendor: '示例', description, exposes },
  })
  const enumOf = (name: string, values: string[]) => ({ type: 'enum', name, property: name, access: 2, values })
  const devices = [
    device('0x00158d0000000001', '厨房阀门', 'Water valve', [
      { type: 'switch', features: [binary('state', 'ON', 'OFF')] },
      { ...binary('water_leak', 'true', 'false'), value_on: true, value_off: false, access: 1 },
    ]),
    device('0x00158d0000000002', '走廊烟感', 'Smoke alarm with siren', [
      { ...binary('smoke', 'true', 'false'), value_on: true, value_off: false, access: 1 },
      {
        type: 'composite',
        name: 'warning',
        property: 'warning',
        access: 2,
        features: [enumOf('mode', ['stop', 'emergency']), enumOf('level', ['low', 'high'])],
      },
    ]),
  ]
  const { memory = {} } = dialects.zigbee2mqtt!.read({
    topic: 'zigbee2mqtt/bridge/devices',
    base: 'zigbee2mqtt',
    payload: Buffer.from(JSON.stringify(devices)),
    retain: true,
    receivedAt: 1_000,
    timeZone: 'Asia/Shanghai',
    memory: {},
    settings: null,
  })
  const z2m = { dialect: 'zigbee2mqtt', baseTopics: ['zigbee2mqtt'], memory } as const
  const valve = target({ ...z2m, kind: 'leak', nativeId: '0x00158d0000000001' })
  expect(commandsOf(valve)).toEqual(['close valve'])
  expect(messageOf(valve, { ...given, command: { name: 'close valve' } })).toEqual({
    topic: 'zigbee2mqtt/厨房阀门/set',
    payload: '{"state":"OFF"}',
  })
  const siren = target({ ...z2m, kind: 'smoke', nativeId: '0x00158d0000000002' })
  expect(commandsOf(siren)).toEqual(['chime'])
  expect(commandsOf({ ...siren, kind: 'motion' })).toEqual([])
})

test('an answer is understood, or says why not', () => {
  const message = (payload: unknown) => ({
    gatewayId: 'gw1',
    topic: 'v1/gw1/speaker-1/command-result',
    payload: Buffer.isBuffer(payload) ? payload : Buffer.from(JSON.stringify(payload)),
    retain: false,
    receivedAt: new Date(1_000),
  })
  const id = given.commandId
  expect(readAnswer(message({ id, result: 'failed', detail: 'motor\n\u0000jammed', more: 1 }), 'speaker-1')).toEqual({
    answer: {
      commandId: id,
      gatewayId: 'gw1',
      deviceId: 'speaker-1',
      result: 'failed',
      detail: 'motor jammed',
      receivedAt: 1_000,
    },
  })
  for (const wrong of [
    null,
    7,
    {},
    { id: 'x', result: 'done' },
    { id, result: 'perhaps' },
    { id, result: 'done', detail: 'x'.repeat(201) },
  ])
    expect(readAnswer(message(wrong), 'speaker-1')).toMatchObject({ rejection: { reason: 'wrong shape' } })
  expect(readAnswer(message(Buffer.from('{')), 'speaker-1')).toMatchObject({ rejection: { reason: 'malformed JSON' } })
  expect(readAnswer(message(Buffer.from([0xff])), 'speaker-1')).toMatchObject({ rejection: { reason: 'not UTF-8' } })
  expect(readAnswer(message({ id, result: 'unsupported', detail: 'no motor' }), 'speaker-1')).toMatchObject({
    answer: { result: 'failed', detail: 'device cannot' },
  })
  expect(commandResultSchema.safeParse({ id, result: 'done' }).success).toBe(true)
})
