import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { commandTopic } from '../ingest/contract.js'
import { connectGateway, connectPacket, publishPacket, rawClient, startBroker, until } from './testkit.js'

test('a publish of each QoS is handed over as it came, and kept nowhere else', async () => {
  const broker = await startBroker()
  const client = await connectGateway(broker)
  for (const qos of [0, 1, 2] as const)
    await client.publishAsync('v1/gw1/meter/water', `{"litres":${qos}}`, { qos, retain: qos === 1 })
  await until(() => broker.accepted.length === 3)
  expect(
    broker.accepted.map(({ gatewayId, topic, retain, payload }) => [gatewayId, topic, retain, `${payload}`]),
  ).toEqual([
    ['gw1', 'v1/gw1/meter/water', false, '{"litres":0}'],
    ['gw1', 'v1/gw1/meter/water', true, '{"litres":1}'],
    ['gw1', 'v1/gw1/meter/water', false, '{"litres":2}'],
  ])
  expect(broker.heard.length).toBe(3)
  expect(await broker.sample('shouwang_publishes_total{qos="2",result="accepted"}')).toBe(1)
})

test('no PUBACK before accept resolves', async () => {
  let commit = () => {}
  const broker = await startBroker({ accept: () => new Promise((resolve) => (commit = () => resolve(undefined))) })
  const client = rawClient(broker)
  expect(await client.connect()).toBe(0)
  client.send(publishPacket('v1/gw1/meter/water', 9))
  await sleep(150)
  expect(client.received).toEqual([])
  commit()
  expect(await client.next('puback')).toMatchObject({ messageId: 9 })
})

test.each([
  ['rejects', () => Promise.reject(new Error('disk full'))],
  [
    'throws',
    () => {
      throw new Error('a bug')
    },
  ],
])('accept that %s: no PUBACK, the connection ends, the broker lives', async (_how, accept) => {
  const broker = await startBroker({ accept })
  const client = rawClient(broker)
  await client.connect()
  client.send(publishPacket('v1/gw1/meter/water', 9))
  await client.closed
  expect(client.received).toEqual([])
  expect(await rawClient(broker).connect()).toBe(0)
})

test('a QoS 0 publish that cannot be stored does not end the connection', async () => {
  const broker = await startBroker({ accept: () => Promise.reject(new Error('disk full')) })
  const client = rawClient(broker)
  await client.connect()
  client.send(publishPacket('v1/gw1/meter/water', 9, { qos: 0 }))
  await until(async () => (await broker.sample('shouwang_publishes_total{qos="0",result="failed"}')) === 1)
  client.send({ cmd: 'pingreq' })
  expect(await client.next('pingresp')).toBeDefined()
})

test.each([
  ['v1/gw2/meter/water', 'another gateway'],
  ['$SYS/gw1/x', 'system topic'],
  ['home/water', 'unknown prefix'],
  ['v1/gw1/a\0b/water', 'malformed topic'],
])('a publish to %j is acknowledged, dropped and counted as %s', async (topic, reason) => {
  const broker = await startBroker()
  const other = await connectGateway(broker, 'gw2', { clientId: 'listener' })
  await other.subscribeAsync('v1/gw2/+/command', { qos: 1 })
  const got: string[] = []
  other.on('message', (from) => void got.push(from))
  const client = rawClient(broker)
  await client.connect()
  client.send(publishPacket(topic, 3), publishPacket('v1/gw1/meter/water', 4))
  expect(await client.next('puback')).toMatchObject({ messageId: 3 })
  expect(await client.next('puback')).toMatchObject({ messageId: 4 })
  expect(broker.accepted.map((message) => message.topic)).toEqual(['v1/gw1/meter/water'])
  expect(await broker.sample(`shouwang_publish_refused_total{reason="${reason}"}`)).toBe(1)
  expect(got).toEqual([])
})

test('a flood of QoS 0 publishes under a foreign topic is counted right, and what follows is accepted', async () => {
  const broker = await startBroker({ limits: { publishesInFlightMax: 5 } })
  const client = rawClient(broker)
  const foreign = Array.from({ length: 300 }, () => publishPacket('v1/gw2/meter/water', 1, { qos: 0 }))
  client.send(connectPacket(), ...foreign, publishPacket('v1/gw1/meter/water', 4))
  expect(await client.next('puback')).toMatchObject({ messageId: 4 })
  expect(await broker.sample('shouwang_publishes_total{qos="0",result="refused"}')).toBe(300)
  expect(broker.accepted.length).toBe(1)
})

test('a gateway cannot send commands, to another or to itself', async () => {
  const broker = await startBroker()
  const listeners = [
    await connectGateway(broker, 'gw2', { clientId: 'a' }),
    await connectGateway(broker, 'gw1', { clientId: 'a' }),
  ]
  const got: string[] = []
  for (const [index, listener] of listeners.entries()) {
    await listener.subscribeAsync(`v1/gw${2 - index}/+/command`, { qos: 1 })
    listener.on('message', (topic) => void got.push(topic))
  }
  const client = await connectGateway(broker, 'gw1', { clientId: 'b' })
  await client.publishAsync('v1/gw2/valve/command', 'open', { qos: 1 })
  await client.publishAsync('v1/gw1/valve/command', 'open', { qos: 1, retain: true })
  await sleep(100)
  expect(got).toEqual([])
})

test.each([50, 100, 101, 500])(
  'a topic with %i levels under its own prefix is acknowledged and handed over',
  async (levels) => {
    const broker = await startBroker()
    const client = await connectGateway(broker)
    const topic = `v1/gw1/${Array(levels - 2)
      .fill('x')
      .join('/')}`
    expect(topic.split('/').length).toBe(levels)
    await client.publishAsync(topic, 'x', { qos: 1 })
    expect(broker.accepted[0]?.topic).toBe(topic)
  },
)

test.each(['', 'v1/gw1/#', 'v1/gw1/+/water'])('a publish to the filter %j ends its connection only', async (topic) => {
  const broker = await startBroker()
  const other = await connectGateway(broker, 'gw2')
  const client = rawClient(broker)
  await client.connect()
  const body = Buffer.concat([
    Buffer.from([0, topic.length]),
    Buffer.from(topic),
    Buffer.from([0, 1]),
    Buffer.from('x'),
  ])
  client.socket.write(Buffer.concat([Buffer.from([0x32, body.length]), body]))
  await client.closed
  await other.publishAsync('v1/gw2/meter/water', '{}', { qos: 1 })
})

test('a will goes through accept like a publish, after a lost connection only', async () => {
  const broker = await startBroker()
  const will = { topic: 'v1/gw1/status', payload: Buffer.from('offline'), qos: 1 as const, retain: true }
  const polite = rawClient(broker)
  await polite.connect({ will, clientId: 'polite' })
  polite.send({ cmd: 'disconnect' })
  await polite.closed
  const lost = rawClient(broker)
  await lost.connect({ will, clientId: 'lost' })
  lost.socket.destroy()
  await until(() => broker.accepted.length > 0)
  await sleep(50)
  expect(broker.accepted).toMatchObject([{ gatewayId: 'gw1', topic: 'v1/gw1/status', retain: true }])
  expect(broker.accepted[0]!.payload.toString()).toBe('offline')
})

test.each(['v1/gw2/status', '$SYS/x', 'v1/#'])('a will under %j is dropped and counted', async (topic) => {
  const broker = await startBroker()
  const client = rawClient(broker)
  expect(await client.connect({ will: { topic, payload: Buffer.from('x'), qos: 1, retain: true } })).toBe(0)
  client.socket.destroy()
  await until(async () => (await broker.sample('shouwang_publishes_total{qos="1",result="refused"}')) === 1)
  expect(broker.accepted).toEqual([])
})

test('nobody gets a will published by failing to log in', async () => {
  const broker = await startBroker()
  const client = rawClient(broker)
  const will = { topic: 'v1/gw1/status', payload: Buffer.from('offline'), qos: 1 as const, retain: true }
  expect(await client.connect({ will, password: Buffer.from('wrong') })).toBe(4)
  await client.closed
  await sleep(50)
  expect(broker.accepted).toEqual([])
})

test('a flood is slowed by not reading: never more than the limit in flight, and all of it arrives', async () => {
  let inFlight = 0
  let most = 0
  let total = 0
  const broker = await startBroker({
    limits: { publishesInFlightMax: 20 },
    accept: async () => {
      most = Math.max(most, ++inFlight)
      await sleep(2)
      inFlight--
      total++
    },
  })
  const client = rawClient(broker)
  // All at once, behind the CONNECT and without waiting for the CONNACK, as a hurried gateway may.
  const frames = Array.from({ length: 3_000 }, (_, index) => publishPacket('v1/gw1/meter/water', index + 1))
  client.send(connectPacket(), ...frames)
  await until(() => client.received.filter(({ cmd }) => cmd === 'puback').length === 3_000, 10_000)
  expect(total).toBe(3_000)
  expect(most).toBe(20)
})

test('commands reach the connected gateway, and only it', async () => {
  const broker = await startBroker()
  const [one, two] = [await connectGateway(broker, 'gw1'), await connectGateway(broker, 'gw2')]
  const got: string[] = []
  for (const [client, id] of [
    [one, 'gw1'],
    [two, 'gw2'],
  ] as const) {
    await client.subscribeAsync(`v1/${id}/+/command`, { qos: 1 })
    client.on('message', (topic, payload) => void got.push(`${id} ${topic} ${payload}`))
  }
  const command = { topic: commandTopic('gw1', 'valve-1'), payload: 'close' }
  expect(await broker.broker.publishTo('gw1', command)).toEqual({ kind: 'delivered', acknowledged: true })
  expect(got).toEqual(['gw1 v1/gw1/valve-1/command close'])
  expect(await broker.broker.publishTo('gw9', command)).toEqual({ kind: 'not connected' })
  const everywhere = { ...command, topic: commandTopic('gw1', '+') }
  expect(await broker.broker.publishTo('gw1', everywhere)).toEqual({ kind: 'not subscribed' })
})

test.each([
  ['v1/gw1/+/command', 1],
  ['v1/gw1/valve-1/command', 1],
  ['#', 128],
  ['$share/x/v1/gw1/+/command', 128],
  ['$SYS/#', 128],
  ['v1/gw2/+/command', 128],
  ['v1/+/+/command', 128],
  ['v1/gw1/#', 128],
  ['x/'.repeat(150), 128],
])('subscribing to %j is answered with %i, and the connection stays', async (topic, granted) => {
  const broker = await startBroker()
  const client = rawClient(broker)
  await client.connect()
  client.send({ cmd: 'subscribe', messageId: 5, subscriptions: [{ topic, qos: 1 }] } as never, { cmd: 'pingreq' })
  expect(await client.next('suback')).toMatchObject({ granted: [granted] })
  expect(await client.next('pingresp')).toBeDefined()
})

test('subscriptions of one connection are bounded', async () => {
  const broker = await startBroker({ limits: { subscriptionsMax: 3 } })
  const client = rawClient(broker)
  await client.connect()
  const subscriptions = [1, 2, 3, 4].map((each) => ({ topic: `v1/gw1/d${each}/command`, qos: 0 as const }))
  client.send({ cmd: 'subscribe', messageId: 5, subscriptions } as never)
  expect(await client.next('suback')).toMatchObject({ granted: [0, 0, 0, 128] })
})

test('a gateway that publishes and never pings is kept beyond its keepalive', async () => {
  const broker = await startBroker({ limits: { keepaliveSecondsMin: 1 } })
  const client = rawClient(broker)
  expect(await client.connect({ keepalive: 1 })).toBe(0)
  for (let id = 1; id <= 5; id++) {
    client.send(publishPacket('v1/gw1/meter/water', id))
    expect(await client.next('puback')).toMatchObject({ messageId: id })
    await sleep(500)
  }
  client.send({ cmd: 'pingreq' })
  expect(await client.next('pingresp')).toBeDefined()
})
