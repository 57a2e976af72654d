import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { expect, onTestFinished, test } from 'vitest'
import type { Reader } from './broker.js'
import { createRetained } from './retained.js'
import { connectGateway, gateway, publishPacket, rawClient, startBroker, storedSecret, until } from './testkit.js'

const reader: Reader = {
  userName: 'home-assistant',
  secretHash: storedSecret('secret of home-assistant'),
  filters: ['homeassistant/#', 'shouwang/onward/#'],
}
const login = { username: 'home-assistant' }
const bigTopic = 'shouwang/onward/big'

async function connectReader({ mqttPort }: { mqttPort: number }, clientId = 'ha') {
  const client = await connectAsync(`mqtt://127.0.0.1:${mqttPort}`, {
    ...login,
    password: 'secret of home-assistant',
    clientId,
    reconnectPeriod: 0,
  })
  onTestFinished(() => void client.end(true))
  const got: string[] = []
  client.on('message', (topic, payload, { retain }) => void got.push(`${retain ? 'kept ' : ''}${topic} ${payload}`))
  return { client, got }
}

test('a reader hears what is published onward, now and what is kept, under its filters alone', async () => {
  const broker = await startBroker({ readers: [reader] })
  const onward = broker.broker.publishOnward
  expect(onward('homeassistant/device/a/config', '{}', { retain: true })).toEqual({ kind: 'published', readers: 0 })
  onward('shouwang/onward/a', 'old', { retain: true })
  onward('shouwang/onward/a', 'new', { retain: true })
  onward('shouwang/onward/b', 'gone', { retain: true })
  onward('shouwang/onward/b', '', { retain: true })
  onward('shouwang/onward/c', 'not kept')
  onward('shouwang/other', 'not for readers', { retain: true })
  const { client, got } = await connectReader(broker)
  await client.subscribeAsync('homeassistant/+/+/config', { qos: 1 })
  await client.subscribeAsync('shouwang/onward/a')
  await until(() => got.length === 2)
  expect(onward('shouwang/onward/a', 'newer', { retain: true })).toEqual({ kind: 'published', readers: 1 })
  expect(onward('homeassistant/device/b/config', '{"b":1}')).toEqual({ kind: 'published', readers: 1 })
  expect(onward('homeassistant/device/b/state', '{}')).toEqual({ kind: 'published', readers: 0 })
  await until(() => got.length === 4)
  await client.unsubscribeAsync('shouwang/onward/a')
  expect(onward('shouwang/onward/a', 'newest', { retain: true })).toEqual({ kind: 'published', readers: 0 })
  await sleep(50)
  expect(got).toEqual([
    'kept homeassistant/device/a/config {}',
    'kept shouwang/onward/a new',
    'shouwang/onward/a newer',
    'homeassistant/device/b/config {"b":1}',
  ])
  expect(broker.presence).toEqual([])
})

test('one who asks twice for the same gets it once', async () => {
  const broker = await startBroker({ readers: [reader] })
  const { client, got } = await connectReader(broker)
  await client.subscribeAsync(['homeassistant/#', 'homeassistant/+/state', 'homeassistant/a/state'])
  broker.broker.publishOnward('homeassistant/a/state', 'x')
  await sleep(50)
  expect(got).toEqual(['homeassistant/a/state x'])
})

test.each([
  ['homeassistant/#', 1],
  ['homeassistant/status', 1],
  ['shouwang/onward/+/state', 1],
  ['#', 128],
  ['+/#', 128],
  ['+/status', 128],
  ['v1/#', 128],
  ['v1/+/+/water', 128],
  ['v1/gw1/+/command', 128],
  ['shouwang/#', 128],
  ['shouwang/+/a', 128],
  ['$share/g/homeassistant/#', 128],
  ['$SYS/#', 128],
  ['homeassistant2/#', 128],
])('a reader that subscribes to %j is answered with %i', async (topic, granted) => {
  const broker = await startBroker({ readers: [reader] })
  const client = rawClient(broker)
  expect(await client.connect({ ...login })).toBe(0)
  client.send({ cmd: 'subscribe', messageId: 5, subscriptions: [{ topic, qos: 1 }] } as never, { cmd: 'pingreq' })
  expect(await client.next('suback')).toMatchObject({ granted: [granted] })
  expect(await client.next('pingresp')).toBeDefined()
})

test('a reader says nothing: whatever it publishes, and its will, is acknowledged, dropped and counted', async () => {
  const broker = await startBroker({ readers: [reader] })
  const gw1 = await connectGateway(broker)
  const got: string[] = []
  gw1.on('message', (topic) => void got.push(topic))
  await gw1.subscribeAsync('v1/gw1/+/command', { qos: 1 })
  const other = await connectReader(broker, 'other')
  await other.client.subscribeAsync('homeassistant/#')
  const client = rawClient(broker)
  const will = { topic: 'homeassistant/status', payload: Buffer.from('offline'), qos: 1 as const, retain: true }
  await client.connect({ ...login, will })
  client.send(
    publishPacket('homeassistant/status', 1),
    publishPacket('v1/gw1/meter/water', 2),
    publishPacket('v1/gw1/valve/command', 3),
    publishPacket('homeassistant/status', 4, { qos: 0 }),
    publishPacket('home-assistant/x', 5, { qos: 2 }),
  )
  for (const messageId of [1, 2, 3]) expect(await client.next('puback')).toMatchObject({ messageId })
  expect(await client.next('pubrec')).toMatchObject({ messageId: 5 })
  client.socket.destroy()
  await until(async () => (await broker.sample('shouwang_publish_refused_total{reason="reader"}')) === 6)
  await sleep(50)
  expect([got, other.got, broker.accepted]).toEqual([[], [], []])
})

test('no gateway hears what is published onward, and no reader what gateways say or are told', async () => {
  const zigbee = { ...gateway('gw1'), dialect: 'zigbee2mqtt', baseTopics: ['zigbee2mqtt', 'homeassistant', 'shouwang'] }
  const broker = await startBroker({
    gateways: [zigbee],
    readers: [{ ...reader, filters: ['homeassistant/#', 'zigbee2mqtt/#'] }],
  })
  const gw1 = await connectGateway(broker)
  const heard: string[] = []
  gw1.on('message', (topic) => void heard.push(topic))
  await gw1.subscribeAsync(['homeassistant/#', 'homeassistant/status', 'zigbee2mqtt/#'])
  const { client, got } = await connectReader(broker)
  await client.subscribeAsync(['homeassistant/#', 'zigbee2mqtt/#'])
  broker.broker.publishOnward('homeassistant/status', 'online', { retain: true })
  broker.broker.publishOnward('zigbee2mqtt/valve/set', 'open', { retain: true })
  await gw1.publishAsync('zigbee2mqtt/hall', '{}', { qos: 1, retain: true })
  await gw1.publishAsync('homeassistant/status', '{}', { qos: 1, retain: true })
  expect(await broker.broker.publishTo('gw1', { topic: 'zigbee2mqtt/lamp/set', payload: 'on' })).toMatchObject({
    kind: 'delivered',
  })
  const later = await connectReader(broker, 'later')
  await later.client.subscribeAsync('zigbee2mqtt/#')
  await sleep(100)
  expect(heard).toEqual(['zigbee2mqtt/lamp/set'])
  expect(got).toEqual(['homeassistant/status online', 'zigbee2mqtt/valve/set open'])
  expect(later.got).toEqual(['kept zigbee2mqtt/valve/set open'])
  // Nor by the name of the reader, which no gateway can be spoken to with.
  expect(await broker.broker.publishTo('home-assistant', { topic: 'homeassistant/a', payload: '' })).toEqual({
    kind: 'not connected',
  })
})

test('under v1 and $ nothing is published onward, and no reader may be set up to hear it', async () => {
  const broker = await startBroker({ readers: [reader] })
  for (const topic of ['v1/gw1/meter/water', 'v1', '$SYS/a', 'a/#', '', 'a\0'])
    expect(broker.broker.publishOnward(topic, 'x'), topic).toEqual({ kind: 'refused', reason: 'topic' })
  for (const filter of ['#', '+/a', 'v1/#', 'v1/gw1/#', '$SYS/#', 'a/#/b', ''])
    await expect(startBroker({ readers: [{ ...reader, filters: [filter] }] }), filter).rejects.toThrow('reader')
})

test('logins of readers: their own secret only, and so many at a time', async () => {
  const broker = await startBroker({
    readers: [reader],
    limits: { readerConnectionsMax: 2, failedLoginDelayMsMin: 1 },
    gateways: [gateway('home-assistant', 'secret of the gateway'), gateway('gw1')],
  })
  const connect = (clientId: string, secret = 'secret of home-assistant') =>
    rawClient(broker).connect({ ...login, clientId, password: Buffer.from(secret) })
  expect(await connect('a', 'wrong')).toBe(4)
  expect(await connect('a', 'secret of the gateway')).toBe(4)
  expect([await connect('a'), await connect('b'), await connect('c')]).toEqual([0, 0, 3])
  // The same client id takes the place of the one before it.
  expect(await broker.sample('shouwang_readers')).toBe(2)
  expect(broker.presence).toEqual([])
})

test('a reader that does not keep up is cut off, and gets all that is kept when it is back', async () => {
  const broker = await startBroker({ readers: [reader], limits: { readerBytesMax: 200_000 } })
  const slow = rawClient(broker)
  await slow.connect({ ...login })
  slow.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'shouwang/onward/#', qos: 0 }] } as never)
  await slow.next('suback')
  slow.socket.pause()
  const payload = 'x'.repeat(50_000)
  let sent = 0
  await until(async () => {
    for (let round = 0; round < 20; round++)
      broker.broker.publishOnward(bigTopic, `${++sent} ${payload}`, { retain: true })
    return (await broker.sample('shouwang_readers_cut_off_total')) === 1
  }, 20_000)
  const { client, got } = await connectReader(broker)
  await client.subscribeAsync('shouwang/onward/#')
  await until(() => got.length > 0)
  expect(got.map((each) => each.slice(0, 40))).toEqual([`kept ${bigTopic} ${sent} ${payload}`.slice(0, 40)])
}, 30_000)

test('what is kept is sent as fast as a reader takes it, each value as it is by then', async () => {
  const broker = await startBroker({ readers: [reader] })
  const count = 3_000
  const payload = 'x'.repeat(3_000)
  for (let n = 0; n < count; n++)
    broker.broker.publishOnward(`shouwang/onward/${n}`, `old ${payload}`, { retain: true })
  const slow = rawClient(broker)
  await slow.connect({ ...login })
  slow.socket.pause()
  const before = process.memoryUsage().arrayBuffers
  slow.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'shouwang/onward/#', qos: 0 }] } as never)
  await sleep(200)
  // 9 MB are kept already; what waits in the sockets is far less.
  expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(6_000_000)
  broker.broker.publishOnward(`shouwang/onward/${count - 1}`, 'new', { retain: true })
  slow.socket.resume()
  await until(() => slow.received.filter(({ cmd }) => cmd === 'publish').length === count + 1, 20_000)
  const last = slow.received.filter((packet) => packet.cmd === 'publish' && packet.topic.endsWith(`/${count - 1}`))
  expect(last.map((packet) => packet.cmd === 'publish' && `${packet.retain} ${packet.payload}`).sort()).toEqual([
    'false new',
    'true new',
  ])
}, 30_000)

test('what is kept is bounded by entries and bytes, and what was known stays', async () => {
  const kept = createRetained({ entriesMax: 2, bytesMax: 1_000 })
  const put = (topic: string, bytes: number) => kept.keep(topic, Buffer.alloc(bytes, 1))
  expect([put('a', 10), put('b', 10), put('c', 10)]).toEqual([true, true, false])
  expect([put('a', 500), put('b', 500), kept.get('b')?.length]).toEqual([true, false, 10])
  expect([put('a', 0), put('c', 300), kept.entries]).toEqual([true, true, 2])
  expect(kept.bytes).toBe(2 * 202 + 310)
  expect([put('b', 0), put('c', 0), put('nothing', 0), kept.bytes]).toEqual([true, true, true, 0])
  const broker = await startBroker({ readers: [reader], limits: { retainedEntriesMax: 1 } })
  broker.broker.publishOnward('shouwang/onward/a', 'x', { retain: true })
  expect(broker.broker.publishOnward('shouwang/onward/b', 'x', { retain: true })).toEqual({
    kind: 'refused',
    reason: 'full',
  })
  expect(await broker.sample('shouwang_onward_refused_total{reason="full"}')).toBe(1)
})
