import { setTimeout as sleep } from 'node:timers/promises'
import type { MqttClient } from 'mqtt'
import { expect, test } from 'vitest'
import type { GatewayCredentials } from './broker.js'
import { nextPacketId } from './deliver.js'
import { connectGateway, gateway, publishPacket, rawClient, startBroker, until } from './testkit.js'

const zigbee = (gatewayId: string): GatewayCredentials => ({
  ...gateway(gatewayId),
  dialect: 'zigbee2mqtt',
  baseTopics: ['zigbee2mqtt', `tele/${gatewayId}`],
})
/** Two with the same base topic, and one of v1. */
const gateways = () => [zigbee('gw1'), zigbee('gw2'), gateway('gw3')]

async function listen(client: MqttClient, filter: string, qos: 0 | 1 | 2 = 1) {
  const got: string[] = []
  client.on('message', (topic, payload) => void got.push(`${topic} ${payload}`))
  const [granted] = await client.subscribeAsync(filter, { qos })
  expect(granted?.qos).toBe(qos)
  return got
}

test('a gateway publishes under its base topics, and what is not its own is acknowledged and dropped', async () => {
  const broker = await startBroker({ gateways: gateways() })
  const client = await connectGateway(broker)
  for (const topic of ['zigbee2mqtt/hall', 'tele/gw1/SENSOR', 'tele/gw1', 'v1/gw1/meter/water', 'zigbee2mqtt'])
    await client.publishAsync(topic, '{}', { qos: 1 })
  for (const topic of [
    'tele/gw10/SENSOR',
    'tele/gw2/SENSOR',
    'homeassistant/a/config',
    'v1/gw2/meter/water',
    'shouwang/a',
  ])
    await client.publishAsync(topic, '{}', { qos: 1 })
  expect(broker.accepted.map(({ gatewayId, topic }) => `${gatewayId} ${topic}`)).toEqual([
    'gw1 zigbee2mqtt/hall',
    'gw1 tele/gw1/SENSOR',
    'gw1 tele/gw1',
    'gw1 v1/gw1/meter/water',
    'gw1 zigbee2mqtt',
  ])
  expect(await broker.sample('shouwang_publish_refused_total{reason="unknown prefix"}')).toBe(4)
  expect(await broker.sample('shouwang_publish_refused_total{reason="another gateway"}')).toBe(1)
})

test('no publish of a gateway reaches another one or comes back to it, however wide their filters and whatever the flags', async () => {
  const broker = await startBroker({ gateways: gateways() })
  const clients = [
    await connectGateway(broker, 'gw1', { clientId: 'a' }),
    await connectGateway(broker, 'gw1', { clientId: 'b' }),
    await connectGateway(broker, 'gw2'),
  ]
  const got: string[] = []
  for (const client of clients) {
    client.on('message', (topic) => void got.push(topic))
    await client.subscribeAsync({
      'zigbee2mqtt/#': { qos: 2 },
      'zigbee2mqtt/+/set': { qos: 1 },
      'zigbee2mqtt/hall': { qos: 0 },
    })
  }
  const [first] = clients
  await first!.subscribeAsync('v1/gw1/#', { qos: 1 })
  for (const qos of [0, 1, 2] as const)
    for (const topic of ['zigbee2mqtt/hall', 'zigbee2mqtt/hall/set', 'v1/gw1/valve/command'])
      await first!.publishAsync(topic, 'open', { qos, retain: true })
  // Its will, and what was retained, for one who comes later.
  const dying = rawClient(broker)
  await dying.connect({
    clientId: 'dying',
    will: { topic: 'zigbee2mqtt/bridge/state', payload: Buffer.from('offline'), qos: 1, retain: true },
  })
  dying.socket.destroy()
  await until(() => broker.accepted.length === 10)
  const late = await listen(await connectGateway(broker, 'gw2', { clientId: 'late' }), 'zigbee2mqtt/#')
  await sleep(150)
  expect([got, late]).toEqual([[], []])
})

test('what is sent to one gateway reaches its clients alone, also where another has the same base topic', async () => {
  const broker = await startBroker({ gateways: gateways() })
  const one = await listen(await connectGateway(broker, 'gw1', { clientId: 'a' }), 'zigbee2mqtt/#')
  const same = await listen(await connectGateway(broker, 'gw1', { clientId: 'b' }), 'zigbee2mqtt/+/set', 0)
  const other = await listen(await connectGateway(broker, 'gw2'), 'zigbee2mqtt/#', 2)
  const plain = await listen(await connectGateway(broker, 'gw3'), 'v1/gw3/+/command')
  const send = (gatewayId: string, topic: string) => broker.broker.publishTo(gatewayId, { topic, payload: gatewayId })
  expect(await send('gw1', 'zigbee2mqtt/valve/set')).toEqual({ kind: 'delivered', acknowledged: true })
  expect(await send('gw2', 'zigbee2mqtt/lamp/set')).toEqual({ kind: 'delivered', acknowledged: true })
  expect(await send('gw3', 'v1/gw3/valve/command')).toEqual({ kind: 'delivered', acknowledged: true })
  // Not even by name: a topic of another gateway, or one that nobody owns, has no subscriber.
  for (const [gatewayId, topic] of [
    ['gw3', 'v1/gw1/valve/command'],
    ['gw3', 'zigbee2mqtt/valve/set'],
    ['gw1', 'tele/gw2/x'],
    ['gw1', 'homeassistant/status'],
    ['gw1', 'zigbee2mqtt/#'],
    ['gw1', 'zigbee2mqtt/+/set'],
    ['gw1', 'zigbee2mqtt/a\0'],
    ['gw1', ''],
  ] as const)
    expect(await send(gatewayId, topic), topic).toEqual({ kind: 'not subscribed' })
  await sleep(100)
  expect([one, same, other, plain]).toEqual([
    ['zigbee2mqtt/valve/set gw1'],
    ['zigbee2mqtt/valve/set gw1'],
    ['zigbee2mqtt/lamp/set gw2'],
    ['v1/gw3/valve/command gw3'],
  ])
})

test('what gateways ask for in vain is granted, and never brings anything', async () => {
  const broker = await startBroker({ gateways: gateways(), readers: [] })
  const client = await connectGateway(broker)
  const got = await listen(client, 'homeassistant/#')
  await client.subscribeAsync('homeassistant/status', { qos: 1 })
  const result = await client.subscribeAsync('shouwang/#').then(
    () => 'granted',
    (error: Error) => error.message,
  )
  expect(result).toContain('Unspecified error')
  broker.broker.publishOnward('homeassistant/status', 'online', { retain: true })
  expect(await broker.broker.publishTo('gw1', { topic: 'homeassistant/status', payload: 'x' })).toEqual({
    kind: 'not subscribed',
  })
  await client.publishAsync('homeassistant/status', 'offline', { qos: 1 })
  await sleep(100)
  expect(got).toEqual([])
  expect(broker.accepted).toEqual([])
})

test('a delivery says what became of it', async () => {
  const broker = await startBroker({ gateways: gateways(), limits: { deliveryMsMax: 300, deliveriesInFlightMax: 2 } })
  const send = (topic = 'zigbee2mqtt/valve/set', qos: 0 | 1 = 1) =>
    broker.broker.publishTo('gw1', { topic, payload: 'close', qos })
  expect(await send()).toEqual({ kind: 'not connected' })
  const mute = rawClient(broker)
  await mute.connect({ clientId: 'mute' })
  expect(await send()).toEqual({ kind: 'not subscribed' })
  const subscribe = (qos: 0 | 1) => {
    mute.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'zigbee2mqtt/#', qos }] } as never)
    return mute.next('suback')
  }
  await subscribe(1)
  // It takes and does not acknowledge; a third one does not wait for the two.
  const unanswered = [send(), send(), send()]
  expect(await unanswered[2]).toEqual({ kind: 'no answer' })
  const [first, second] = [await mute.next('publish'), await mute.next('publish')]
  expect(first).toMatchObject({ topic: 'zigbee2mqtt/valve/set', qos: 1, retain: false, dup: false })
  // A PUBACK for one that was never sent acknowledges nothing.
  mute.send({ cmd: 'puback', messageId: 60_000 })
  mute.send({ cmd: 'puback', messageId: (second as { messageId: number }).messageId })
  expect(await unanswered[1]).toEqual({ kind: 'delivered', acknowledged: true })
  expect(await unanswered[0]).toEqual({ kind: 'no answer' })
  // Whoever else answers first decides.
  const quick = await connectGateway(broker, 'gw1', { clientId: 'quick' })
  await quick.subscribeAsync('zigbee2mqtt/#', { qos: 1 })
  const startedAt = performance.now()
  expect(await send()).toEqual({ kind: 'delivered', acknowledged: true })
  expect(performance.now() - startedAt).toBeLessThan(290)
  await quick.endAsync()
  // With QoS 0 nobody acknowledges.
  expect(await send('zigbee2mqtt/valve/set', 0)).toEqual({ kind: 'delivered', acknowledged: false })
  await subscribe(0)
  expect(await send()).toEqual({ kind: 'delivered', acknowledged: false })
  expect(await broker.sample('shouwang_deliveries_total{result="no answer"}')).toBe(2)
})

test('of a connection that ends nothing more is waited for', async () => {
  const broker = await startBroker({ gateways: gateways(), limits: { deliveryMsMax: 60_000 } })
  const client = rawClient(broker)
  await client.connect()
  client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'zigbee2mqtt/#', qos: 1 }] } as never)
  await client.next('suback')
  const send = () => broker.broker.publishTo('gw1', { topic: 'zigbee2mqtt/valve/set', payload: 'close' })
  const lost = [send(), send()]
  await client.next('publish')
  client.socket.destroy()
  expect(await Promise.all(lost)).toEqual([{ kind: 'no answer' }, { kind: 'no answer' }])
  await until(() => broker.presence.includes('-gw1'))
  expect(await send()).toEqual({ kind: 'not connected' })
})

test('after an unsubscribe nothing comes any more', async () => {
  const broker = await startBroker({ gateways: gateways() })
  const client = await connectGateway(broker)
  await client.subscribeAsync(['zigbee2mqtt/#', 'tele/gw1/#'], { qos: 1 })
  await client.unsubscribeAsync('zigbee2mqtt/#')
  const send = (topic: string) => broker.broker.publishTo('gw1', { topic, payload: 'x' })
  expect(await send('zigbee2mqtt/a')).toEqual({ kind: 'not subscribed' })
  expect(await send('tele/gw1/a')).toEqual({ kind: 'delivered', acknowledged: true })
})

test('packet ids go round and skip those that are waited for', () => {
  const link = { lastPacketId: 65_533, awaiting: new Map([65_535, 1, 2].map((id) => [id, () => {}])) }
  expect([1, 2, 3].map(() => nextPacketId(link))).toEqual([65_534, 3, 4])
})

test('answers go to the one who asked, after its message is safe', async () => {
  let commit = () => {}
  const reply = { topic: 'zigbee2mqtt/post_reply', payload: '{"code":200}' }
  const broker = await startBroker({
    gateways: gateways(),
    accept: () =>
      new Promise((resolve) => {
        commit = () =>
          resolve([reply, { topic: 'tele/gw2/stolen', payload: 'x' }, { topic: 'zigbee2mqtt/#', payload: 'x' }])
      }),
  })
  const asking = rawClient(broker)
  await asking.connect({ clientId: 'asking' })
  asking.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'zigbee2mqtt/+', qos: 1 }] } as never)
  await asking.next('suback')
  const same = await listen(await connectGateway(broker, 'gw1', { clientId: 'same' }), 'zigbee2mqtt/#')
  const other = await connectGateway(broker, 'gw2')
  const heard = await listen(other, 'zigbee2mqtt/#')
  await other.subscribeAsync('tele/gw2/#', { qos: 1 })
  asking.send(publishPacket('zigbee2mqtt/post', 5))
  await sleep(100)
  expect(asking.received).toEqual([])
  commit()
  expect(await asking.next('puback')).toMatchObject({ messageId: 5 })
  expect(await asking.next('publish')).toMatchObject({ topic: reply.topic, qos: 0 })
  await sleep(100)
  expect([asking.received, same, heard]).toEqual([[], [], []])
  expect(await broker.sample('shouwang_replies_total{result="sent"}')).toBe(1)
  expect(await broker.sample('shouwang_replies_total{result="not subscribed"}')).toBe(2)
})

test('an answer goes to another connection of the same gateway where the asking one does not listen', async () => {
  const broker = await startBroker({
    gateways: gateways(),
    accept: async () => [{ topic: 'zigbee2mqtt/post_reply', payload: 'ok' }],
  })
  const ear = await listen(await connectGateway(broker, 'gw1', { clientId: 'ear' }), 'zigbee2mqtt/#')
  const mouth = await connectGateway(broker, 'gw1', { clientId: 'mouth' })
  await mouth.publishAsync('zigbee2mqtt/post', '{}', { qos: 1 })
  await until(() => ear.length > 0)
  expect(ear).toEqual(['zigbee2mqtt/post_reply ok'])
})

test('one who asks for answers and does not read is cut off, and holds little until then', async () => {
  const broker = await startBroker({
    gateways: gateways(),
    limits: { drainMsMax: 1_000, deliverBytesMax: 100_000 },
    accept: async () => [{ topic: 'zigbee2mqtt/post_reply', payload: 'x'.repeat(10_000) }],
  })
  const greedy = rawClient(broker)
  await greedy.connect()
  greedy.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'zigbee2mqtt/#', qos: 0 }] } as never)
  await greedy.next('suback')
  greedy.socket.pause()
  const flood = setInterval(
    () => greedy.socket.destroyed || greedy.send(...Array(50).fill(publishPacket('zigbee2mqtt/a', 1))),
    5,
  )
  await until(() => broker.presence.includes('-gw1'), 20_000)
  clearInterval(flood)
  expect(await broker.sample('shouwang_replies_total{result="dropped"}')).toBeGreaterThan(0)
}, 30_000)

test('a gateway of another broker cannot log in here, whatever its secret', async () => {
  const broker = await startBroker({
    gateways: [{ ...zigbee('gw1'), attached: true }],
    limits: { failedLoginDelayMsMin: 1 },
  })
  expect(await rawClient(broker).connect()).toBe(5)
  expect(await rawClient(broker).connect({ password: Buffer.from('wrong') })).toBe(4)
  expect(await broker.sample('shouwang_logins_total{result="attached"}')).toBe(1)
})
