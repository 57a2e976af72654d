import { afterEach, expect, test } from 'vitest'
import { createLog } from '../kit/log.js'
import { createBuffer, packetBytesMax } from './buffer.js'
import { createGateway, type Gateway } from './gateway.js'
import { startTestBroker, type TestBroker } from './test-broker.js'
import { until } from './test-wait.js'

const log = createLog({ role: 'test', level: 'silent' })
const open: { stop(): Promise<void> }[] = []
afterEach(async () => {
  for (const part of open.splice(0).reverse()) await part.stop()
})
async function broker(options: Parameters<typeof startTestBroker>[0] = {}): Promise<TestBroker> {
  const started = await startTestBroker(options)
  open.push(started)
  return started
}
function gateway(url: string, options: Partial<Parameters<typeof createGateway>[0]> = {}): Gateway {
  const made = createGateway({ gatewayId: 'gw-1', secret: 's', url, log, reconnectMs: 50, stopMsMax: 150, ...options })
  open.push(made)
  return made
}
const water = (ts: number) => ({ ts, litres: ts / 10 })
const topic = 'v1/gw-1/w1/water'
const status = (b: TestBroker) => b.received.filter((packet) => packet.topic === 'v1/gw-1/status').map((p) => p.payload)

test('a backlog goes in order, as arrays within the limits, and is counted', async () => {
  const b = await broker()
  const g = gateway(b.url)
  for (let ts = 0; ts < 2_500; ts++) g.add('w1', 'water', water(ts))
  expect(g.counters().buffered).toBe(2_500)
  g.start()
  await g.untilBuffered(0)
  expect(b.readings<{ ts: number }>(topic).map(({ ts }) => ts)).toEqual(Array.from({ length: 2_500 }, (_, ts) => ts))
  for (const { payload } of b.received.filter((packet) => packet.topic === topic)) {
    expect(JSON.parse(payload).length).toBeLessThanOrEqual(1_000)
    expect(payload.length).toBeLessThanOrEqual(packetBytesMax)
  }
  expect(g.counters()).toMatchObject({ published: 2_500, acknowledged: 2_500, buffered: 0, dropped: 0 })
  g.add('w1', 'water', water(9_999))
  await g.untilBuffered(0)
  expect(b.received.at(-1)!.payload).toBe('{"ts":9999,"litres":999.9}')
})

test('fat readings make more packets, not fatter ones', () => {
  const buffer = createBuffer({ gatewayId: 'gw-1', readingsMax: 2_000 })
  for (let ts = 0; ts < 1_000; ts++) buffer.add('s', 'smoke', { ts, alarm: false, unit: '界'.repeat(32) })
  const packets = buffer.take()
  expect(packets.length).toBeGreaterThan(1)
  for (const { topic: t, payload } of packets)
    expect(Buffer.byteLength(payload) + t.length).toBeLessThanOrEqual(packetBytesMax)
  expect(packets.flatMap(({ payload }) => JSON.parse(payload)).map(({ ts }) => ts)).toEqual(
    Array.from({ length: 1_000 }, (_, ts) => ts),
  )
})

test('nothing is lost when the broker is killed and comes back, and all arrives in order', async () => {
  const first = await startTestBroker()
  const g = gateway(first.url)
  g.start()
  let ts = 0
  const feed = setInterval(() => {
    for (let i = 0; i < 20; i++) g.add('w1', 'water', water(ts++))
  }, 1)
  await until(() => g.counters().acknowledged > 200)
  await first.stop()
  await new Promise((resolve) => setTimeout(resolve, 60))
  const second = await broker({ port: first.port })
  await until(() => g.counters().connected === 2)
  await until(() => second.received.length > 20)
  clearInterval(feed)
  await g.untilBuffered(0)
  const arrived = [...first.readings<{ ts: number }>(topic), ...second.readings<{ ts: number }>(topic)].map((r) => r.ts)
  expect([...new Set(arrived)].sort((a, b) => a - b)).toEqual(Array.from({ length: ts }, (_, n) => n))
  const afresh = [...new Set(second.readings<{ ts: number }>(topic).map((r) => r.ts))]
  expect(afresh).toEqual([...afresh].sort((a, b) => a - b))
  expect(g.counters().acknowledged).toBe(ts)
})

test('a reading is forgotten only with its PUBACK: what stays unanswered is sent again on the next line', async () => {
  let answers = false
  const b = await broker({ mayAcknowledge: (t) => answers || t.endsWith('status') })
  const g = gateway(b.url)
  g.start()
  g.add('w1', 'water', water(1))
  await until(() => b.readings(topic).length === 1)
  g.add('w1', 'water', water(2))
  expect(g.counters()).toMatchObject({ published: 1, acknowledged: 0, buffered: 2 })
  g.lineDown()
  answers = true
  g.lineUp()
  await g.untilBuffered(0)
  expect(b.readings<{ ts: number }>(topic).map((r) => r.ts)).toEqual([1, 1, 2])
  expect(g.counters()).toMatchObject({ published: 3, acknowledged: 2 })
})

test('the buffer is bounded: the oldest goes, and is counted', async () => {
  const b = await broker()
  const g = gateway(b.url, { bufferReadingsMax: 100 })
  for (let ts = 0; ts < 250; ts++) g.add('w1', 'water', water(ts))
  expect(g.counters()).toMatchObject({ buffered: 100, dropped: 150 })
  g.start()
  await g.untilBuffered(0)
  expect(b.readings<{ ts: number }>(topic).map((r) => r.ts)).toEqual(Array.from({ length: 100 }, (_, n) => n + 150))
})

test('an alarm does not wait behind meters that nobody acknowledges', async () => {
  const b = await broker({ mayAcknowledge: (t) => !t.endsWith('water') })
  const g = gateway(b.url)
  for (let ts = 0; ts < 3_000; ts++) g.add('w1', 'water', water(ts))
  g.start()
  await until(() => b.readings(topic).length > 0)
  g.add('b1', 'button', { ts: 5, event: 'pressed' })
  await until(() => g.counters().acknowledged === 1)
  expect(b.readings('v1/gw-1/b1/button')).toEqual([{ ts: 5, event: 'pressed' }])
})

test('presence: online when it comes, the last will when the line breaks, a word when it leaves', async () => {
  const b = await broker()
  const g = gateway(b.url)
  g.start()
  await until(() => status(b).length === 1)
  g.lineDown()
  await until(() => status(b).length === 2)
  g.lineUp()
  await until(() => status(b).length === 3)
  await g.stop()
  expect(status(b)).toEqual(['online', 'offline', 'online', 'offline'])
  expect(b.received.filter((p) => p.topic.endsWith('status')).every((p) => p.retain)).toBe(true)
})

test('a wrong secret is refused and tried again; nothing is forgotten meanwhile', async () => {
  let secret = 'other'
  const b = await broker({ secretOf: () => secret })
  const g = gateway(b.url)
  g.add('w1', 'water', water(1))
  g.start()
  await new Promise((resolve) => setTimeout(resolve, 200))
  expect(g.counters()).toMatchObject({ connected: 0, buffered: 1 })
  secret = 's'
  await g.untilBuffered(0)
  expect(g.counters()).toMatchObject({ connected: 1, acknowledged: 1 })
})

test('stop ends within its time although nobody answers', async () => {
  const b = await broker({ mayAcknowledge: () => false })
  const g = gateway(b.url, { stopMsMax: 150 })
  g.start()
  await until(() => g.counters().connected === 1)
  g.add('w1', 'water', water(1))
  const begun = performance.now()
  await g.stop()
  expect(performance.now() - begun).toBeLessThan(1_000)
})
