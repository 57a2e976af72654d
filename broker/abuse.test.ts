import { randomBytes } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { connectGateway, connectPacket, publishPacket, rawClient, startBroker, until } from './testkit.js'

test('a SUBSCRIBE of 1 MB ends its connection and is said so; the next good message of the gateway is accepted', async () => {
  const broker = await startBroker()
  const client = rawClient(broker)
  await client.connect()
  client.socket.write(Buffer.concat([Buffer.from([0x82, 0x80, 0x80, 0x40]), Buffer.alloc(1_048_576)]))
  await client.closed
  expect(client.received).toEqual([])
  expect(await broker.sample('shouwang_frames_refused_total{reason="frame too large"}')).toBe(1)
  const again = await connectGateway(broker)
  await again.publishAsync('v1/gw1/meter/water', '{}', { qos: 1 })
  expect(broker.accepted.length).toBe(1)
})

test('frames that are too large are not buffered, before the login or after it', async () => {
  const broker = await startBroker()
  const huge = Buffer.alloc(64 * 1024 * 1024, 0x20)
  const publish = Buffer.concat([Buffer.from([0x30]), Buffer.from([0xff, 0xff, 0xff, 0x7f])])
  const connect = Buffer.concat([Buffer.from([0x10]), Buffer.from([0xff, 0xff, 0xff, 0x7f])])
  const clients = Array.from({ length: 20 }, () => rawClient(broker))
  await Promise.all(clients.slice(0, 10).map((client, index) => client.connect({ clientId: `c${index}` })))
  global.gc?.()
  const before = process.memoryUsage().arrayBuffers
  let most = 0
  clients.forEach((client, index) => {
    client.socket.write(index < 10 ? publish : connect)
    client.socket.write(huge)
  })
  const watch = setInterval(() => {
    most = Math.max(most, process.memoryUsage().arrayBuffers - before)
  }, 2)
  await Promise.all(clients.map(({ closed }) => closed))
  clearInterval(watch)
  // What lies in the sockets' own buffers, 64 KB and a little, of 20 connections.
  expect(most).toBeLessThan(20 * 200_000)
  expect(await broker.sample('shouwang_frames_refused_total{reason="first frame too large"}')).toBe(10)
})

test('half a CONNECT, and none at all, end after the time to CONNECT', async () => {
  const broker = await startBroker({ limits: { connectMsMax: 150 } })
  const startedAt = performance.now()
  const slow = rawClient(broker)
  const silent = rawClient(broker)
  const frame = generate(connectPacket())
  for (const byte of frame.subarray(0, 10)) {
    slow.socket.write(Buffer.from([byte]))
    await sleep(5)
  }
  await Promise.all([slow.closed, silent.closed])
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  expect(await broker.sample('shouwang_connections_refused_total{reason="no CONNECT in time"}')).toBe(2)
  const quick = rawClient(broker)
  await quick.connect()
  await sleep(250)
  expect(quick.socket.destroyed).toBe(false)
})

test('a login that takes too long is ended', async () => {
  const broker = await startBroker({ verify: () => new Promise(() => {}), limits: { loginMsMax: 100 } })
  const client = rawClient(broker)
  client.send(connectPacket())
  await client.closed
  await until(async () => (await broker.sample('shouwang_connections{transport="mqtt",state="unauthenticated"}')) === 0)
  expect(await broker.sample('shouwang_connections_refused_total{reason="login took too long"}')).toBe(1)
})

test('unauthenticated connections are limited per address; those that logged in do not count', async () => {
  const broker = await startBroker({ limits: { unauthenticatedPerAddressMax: 3 } })
  for (let index = 0; index < 6; index++) expect(await rawClient(broker).connect({ clientId: `c${index}` })).toBe(0)
  const silent = [rawClient(broker), rawClient(broker), rawClient(broker)]
  await until(async () => (await broker.sample('shouwang_connections{transport="mqtt",state="unauthenticated"}')) === 3)
  expect(await rawClient(broker).connect({ clientId: 'late' })).toBeUndefined()
  silent[0]!.socket.destroy()
  await until(async () => (await broker.sample('shouwang_connections{transport="mqtt",state="unauthenticated"}')) === 2)
  expect(await rawClient(broker).connect({ clientId: 'late' })).toBe(0)
})

test('binary noise, before and after the login, does no harm to anybody else', async () => {
  const broker = await startBroker()
  const good = await connectGateway(broker, 'gw2')
  const noises = Array.from({ length: 100 }, (_, index) => {
    const noise = randomBytes(1 + ((index * 37) % 900))
    if (index % 3 === 1) noise[0] = 0x10
    return { noise, loggedIn: index % 2 === 0, index }
  })
  await Promise.all(
    noises.map(async ({ noise, loggedIn, index }) => {
      const client = rawClient(broker)
      if (loggedIn) await client.connect({ clientId: `noisy ${index}` })
      client.socket.end(noise)
      client.socket.resume()
      await client.closed
    }),
  )
  await good.publishAsync('v1/gw2/meter/water', '{}', { qos: 1 })
  const payload = randomBytes(500)
  await good.publishAsync('v1/gw2/meter/water', payload, { qos: 1 })
  expect(broker.accepted.at(-1)!.payload.equals(payload)).toBe(true)
})

test('stop lets a commit in flight be acknowledged, sends no wills, and is quick', async () => {
  let commit = () => {}
  const seen: string[] = []
  const broker = await startBroker({
    accept: (message) => {
      seen.push(message.topic)
      return new Promise((resolve) => {
        commit = () => resolve(undefined)
      })
    },
  })
  const client = rawClient(broker)
  await client.connect({ will: { topic: 'v1/gw1/status', payload: Buffer.from('offline'), qos: 1, retain: true } })
  client.send(publishPacket('v1/gw1/meter/water', 7))
  await until(() => seen.length === 1)
  const startedAt = performance.now()
  const stopped = broker.broker.stop()
  await sleep(100)
  commit()
  expect(await client.next('puback')).toMatchObject({ messageId: 7 })
  await stopped
  expect(performance.now() - startedAt).toBeLessThan(1_000)
  expect(seen).toEqual(['v1/gw1/meter/water'])
  await client.closed
  expect(await rawClient(broker).connect()).toBeUndefined()
})

test('stop does not wait for a commit that never ends', async () => {
  const broker = await startBroker({ accept: () => new Promise(() => {}) })
  const client = rawClient(broker)
  await client.connect()
  client.send(publishPacket('v1/gw1/meter/water', 7))
  await sleep(50)
  const startedAt = performance.now()
  await broker.broker.stop()
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})
