import { beforeEach, describe, expect, test } from 'vitest'
import type { ReadingKind } from './contract.js'
import { type Dialect, type DialectMessage, type DialectOutput, memoryBytesMax } from './dialects/dialect.js'
import { nativeDeviceId } from './dialects/native-id.js'
import type { GatewayCard } from './directory.js'
import { plainGateway } from './directory-testkit.js'
import { createMemories, type Memories } from './memories.js'
import { createUnderstandDialect } from './understand-dialect.js'
import { newWork } from './work.js'

const now = Date.parse('2026-06-01T04:00:00Z')
const card: GatewayCard = {
  ...plainGateway,
  gatewayId: 'g',
  secretHash: '',
  disabled: false,
  devices: [],
  dialect: 'invented',
  baseTopics: ['tele/plug1'],
  loadedAt: now,
}
const deviceOf = (nativeId: string, kind: ReadingKind, deviceNo: number) => ({
  deviceNo,
  deviceId: nativeDeviceId('g', nativeId, kind),
  kind,
  residentId: 'r',
  room: '厨房',
})
const claimed = [deviceOf('烟感', 'smoke', 1), deviceOf('meter', 'water', 2)]

let says: (message: DialectMessage) => Partial<DialectOutput>
let heard: string[]
let memories: Memories
let understand: ReturnType<typeof createUnderstandDialect>

beforeEach(() => {
  heard = []
  memories = createMemories()
  const invented: Dialect = {
    name: 'generic',
    read: (message) => ({ readings: [], rejections: [], ...says(message) }),
  }
  understand = createUnderstandDialect({
    lookUpOwn: (_, deviceId) => {
      const device = claimed.find((each) => each.deviceId === deviceId)
      return device ? { kind: 'found', device } : Promise.resolve({ kind: 'unknown device' })
    },
    memories,
    presence: {
      sawClock: (gatewayId, at) => heard.push(`clock ${gatewayId} ${at - now}`),
      connected: (gatewayId) => heard.push(`connected ${gatewayId}`),
      disconnected: (gatewayId) => heard.push(`disconnected ${gatewayId}`),
    },
    adapters: { invented },
  })
})

const send = (output: Partial<DialectOutput>, { topic = 'v1/g/x', at = now, of = card } = {}) => {
  says = () => output
  const message = { gatewayId: 'g', topic, payload: Buffer.from('{}'), retain: false, receivedAt: new Date(at) }
  return understand(newWork(message), of)
}

test('a device id is readable, of the id pattern whatever the native name, and differs by gateway, name and kind', () => {
  const ids = [
    nativeDeviceId('g', '0x00158d0001a2b3c4', 'smoke'),
    nativeDeviceId('g', '0x00158d0001a2b3c4', 'water'),
    nativeDeviceId('h', '0x00158d0001a2b3c4', 'smoke'),
    nativeDeviceId('g', '客厅/烟感 <b>', 'electricity'),
    nativeDeviceId('g', 'x'.repeat(200), 'electricity'),
  ]
  expect(new Set(ids).size).toBe(ids.length)
  expect(ids[0]).toMatch(/^0x00158d0001a2b3c4\.smoke\.[0-9a-f]{12}$/)
  for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9._:-]{1,64}$/)
})

describe('what the adapter reads', () => {
  test('goes to its device: meters and alarms of one message are one piece of work', async () => {
    const work = await send({
      readings: [
        { nativeId: 'meter', kind: 'water', fields: { ts: now - 60_000, litres: 12 } },
        { nativeId: '烟感', kind: 'smoke', fields: { alarm: true, battery: 0.5, cached: true } },
      ],
    })
    expect(work.readings).toMatchObject([{ deviceNo: 2, value: 12, observedAt: now - 60_000, residentId: 'r' }])
    expect(work.alarms).toMatchObject([{ deviceNo: 1, kind: 'smoke', event: 'alarm', battery: 0.5, cached: true }])
    expect(work.quarantine).toEqual([])
    expect(heard).toEqual(['clock g -60000'])
  })
  test('is held to the contract: what it refuses is quarantined, the rest is kept', async () => {
    const work = await send({
      readings: [
        { nativeId: 'meter', kind: 'water', fields: { ts: now, litres: Number.NaN } },
        { nativeId: 'meter', kind: 'water', fields: { ts: '1970-01-01T00:00:01Z', litres: 1 } },
        { nativeId: '', kind: 'water', fields: { ts: now, litres: 1 } },
        { nativeId: 'meter', kind: 'water', fields: { ts: now, litres: 3 } },
      ],
      rejections: [{ reason: 'unknown field', detail: 'wasser' }],
    })
    expect(work.readings.map(({ value }) => value)).toEqual([3])
    expect(work.quarantine.map(({ reason }) => reason)).toEqual([
      'unknown field',
      'wrong shape',
      'time absurd',
      'wrong shape',
    ])
  })
  test('is bounded', async () => {
    const fields = { ts: now, litres: 1 }
    const readings = Array.from({ length: 1_200 }, () => ({ nativeId: 'meter', kind: 'water' as const, fields }))
    const work = await send({ readings })
    expect(work.readings).toHaveLength(1_000)
    expect(work.quarantine).toMatchObject([{ reason: 'batch too large' }])
  })
})

describe('a device that nobody has claimed', () => {
  const litres = (value: number) => ({ nativeId: 'new', kind: 'water' as const, fields: { ts: now, litres: value } })
  test('is noted with the newest that it said, at most every 10 s', async () => {
    const first = await send({ readings: [litres(1), litres(2)] })
    expect(first.announced).toMatchObject([{ nativeId: 'new', kind: 'water', fields: { litres: 2 }, seenAt: now }])
    expect((await send({ readings: [litres(3)] }, { at: now + 9_000 })).announced).toEqual([])
    expect((await send({ readings: [litres(4)] }, { at: now + 10_000 })).announced).toHaveLength(1)
    expect(first.quarantine).toEqual([])
  })
  test('whose message is nested without end is noted with what is plain', async () => {
    let deep: unknown = 1
    for (let level = 0; level < 20_000; level++) deep = [deep]
    const fields = { event: 'pressed', ts: deep, note: 'x'.repeat(1_000) }
    const work = await send({ readings: [{ nativeId: 'sos', kind: 'button', fields }] })
    expect(work.announced).toMatchObject([{ fields: { event: 'pressed', note: 'x'.repeat(200) } }])
    expect(work.announced[0]!.fields).not.toHaveProperty('ts')
  })
  test('that gives an alarm is shown to the operator each time', async () => {
    const readings = [{ nativeId: 'sos', kind: 'button' as const, fields: { event: 'pressed' } }]
    for (const at of [now, now + 1_000]) {
      const work = await send({ readings }, { at })
      expect(work.quarantine).toMatchObject([{ reason: 'unclaimed device', detail: 'button pressed of sos' }])
      expect(work.announced).toHaveLength(1)
      expect(work.alarms).toEqual([])
    }
  })
})

describe('topics', () => {
  const seen = async (topic: string) => {
    let got: Pick<DialectMessage, 'topic' | 'base'> | undefined
    says = ({ topic, base }) => {
      got = { topic, base }
      return {}
    }
    const message = { gatewayId: 'g', topic, payload: Buffer.from(''), retain: false, receivedAt: new Date(now) }
    const work = await understand(newWork(message), card)
    return got ?? work.quarantine[0]?.reason
  }
  test.each([
    ['v1/g/hall/smoke', { topic: 'hall/smoke', base: '' }],
    ['tele/plug1/SENSOR', { topic: 'tele/plug1/SENSOR', base: 'tele/plug1' }],
    ['tele/plug1', { topic: 'tele/plug1', base: 'tele/plug1' }],
    ['tele/plug10/SENSOR', 'topic not in dialect'],
    ['v1/other/x', 'topic not in dialect'],
  ])('%s', async (topic, expected) => expect(await seen(topic)).toEqual(expected))
})

test('an answer goes out under the topics that its message came by', async () => {
  const replies = [{ topic: 'x/post_reply', payload: '{}' }]
  expect((await send({ replies })).replies).toEqual([{ topic: 'v1/g/x/post_reply', payload: '{}' }])
  expect((await send({ replies }, { topic: 'tele/plug1/x' })).replies).toEqual(replies)
})

describe('what the adapter keeps', () => {
  test('is there for the next message before it is committed, and until the database has it or something newer', async () => {
    const work = await send({ memory: { n: 1 } })
    expect(work.memory).toMatchObject({ gatewayId: 'g', memory: { n: 1 } })
    const stale = { ...card, dialectMemory: { n: 0 }, loadedAt: now + 60_000 }
    expect(memories.of(stale)).toEqual({ n: 1 })
    memories.saved([work.memory!], now + 1_000)
    expect(memories.of({ ...stale, loadedAt: now + 1_000 })).toEqual({ n: 1 })
    expect(memories.of({ ...stale, dialectMemory: { n: 7 }, loadedAt: now + 1_001 })).toEqual({ n: 7 })
  })
  test('has versions that grow, also where the clock does not', async () => {
    const versions = []
    for (const at of [now, now, now - 5_000]) versions.push((await send({ memory: { at } }, { at })).memory!.version)
    expect(versions).toEqual([...versions].sort((a, b) => a - b))
    expect(new Set(versions).size).toBe(3)
  })
  test('has a limit', async () => {
    const work = await send({ memory: { much: 'x'.repeat(memoryBytesMax) } })
    expect(work.memory).toBeUndefined()
    expect(work.quarantine).toHaveLength(1)
    expect(memories.of(card)).toEqual({})
  })
})

test('what another broker had kept is an alarm to be verified, or nothing; what a gateway of ours has kept is as it says', async () => {
  says = () => ({
    readings: [
      { nativeId: '烟感', kind: 'smoke', fields: { alarm: true } },
      { nativeId: 'meter', kind: 'water', fields: { ts: now, litres: 3 } },
    ],
  })
  const message = {
    gatewayId: 'g',
    topic: 'v1/g/x',
    payload: Buffer.from('{}'),
    retain: true,
    receivedAt: new Date(now),
  }
  const kept = await understand(newWork(message), { ...card, attached: true })
  expect(kept.alarms).toMatchObject([{ event: 'alarm', cached: true }])
  expect(kept.readings).toEqual([])
  const own = await understand(newWork(message), card)
  expect(own.alarms[0]!.cached).toBeUndefined()
  expect(own.readings).toHaveLength(1)
})

test('only of a gateway that speaks to another broker is it believed that it is there or gone', async () => {
  await send({ presence: 'offline' })
  expect(heard).toEqual([])
  await send({ presence: 'offline' }, { of: { ...card, attached: true } })
  await send({ presence: 'online' }, { of: { ...card, attached: true } })
  expect(heard).toEqual(['disconnected g', 'connected g'])
})
