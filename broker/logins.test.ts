import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { hashSecret, verifySecret } from '../kit/secret-hash.js'
import { connectGateway, gateway, rawClient, startBroker, storedSecret, until } from './testkit.js'

const wrong = { password: Buffer.from('wrong') }

test('who may come in, and what the others are told', async () => {
  const broker = await startBroker({
    gateways: [gateway('gw1'), { ...gateway('off'), disabled: true }],
    limits: { failedLoginDelayMsMin: 1 },
  })
  const code = (over: Parameters<ReturnType<typeof rawClient>['connect']>[0]) => rawClient(broker).connect(over)
  expect(await code({})).toBe(0)
  expect(await code({ protocolId: 'MQIsdp', protocolVersion: 3 })).toBe(0)
  expect(await code({ protocolVersion: 5 })).toBe(1)
  expect(await code(wrong)).toBe(4)
  expect(await code({ username: 'nobody' })).toBe(4)
  expect(await code({ username: "gw1' or ''='" })).toBe(4)
  expect(await code({ username: undefined as never, password: undefined as never })).toBe(4)
  expect(await code({ username: 'off' })).toBe(5)
  expect(await code({ username: 'off', ...wrong })).toBe(4)
  expect(await code({ clientId: '客'.repeat(43) })).toBe(2)
  expect(await code({ clientId: 'x'.repeat(128) })).toBe(0)
  expect(await code({ clientId: '', clean: true })).toBe(0)
  expect(await broker.sample('shouwang_logins_total{result="wrong secret"}')).toBe(2)
  expect(await broker.sample('shouwang_logins_total{result="unknown gateway"}')).toBe(2)
})

test('the database is away: come back later (3), not wrong password', async () => {
  const broker = await startBroker({ findGateway: () => Promise.reject(new Error('away')) })
  expect(await rawClient(broker).connect()).toBe(3)
  const hanging = await startBroker({ findGateway: () => new Promise(() => {}), limits: { lookupMsMax: 50 } })
  expect(await rawClient(hanging).connect()).toBe(3)
})

test('clean=false is accepted, without a session', async () => {
  const broker = await startBroker()
  for (let round = 0; round < 2; round++) {
    const client = rawClient(broker)
    client.send({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: false,
      clientId: 'box',
      keepalive: 5,
      username: 'gw1',
      password: Buffer.from('secret of gw1'),
    })
    expect(await client.next('connack')).toMatchObject({ returnCode: 0, sessionPresent: false })
    client.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'v1/gw1/+/command', qos: 1 }] } as never)
    await client.next('suback')
    client.socket.destroy()
    await client.closed
  }
})

test('a reconnect storm is not a hash storm', async () => {
  const broker = await startBroker({ limits: { failedLoginDelayMsMin: 2_000 } })
  const clients = Array.from({ length: 100 }, (_, index) =>
    rawClient(broker).connect({ clientId: `together ${index}` }),
  )
  expect(await Promise.all(clients)).toEqual(Array(100).fill(0))
  for (let round = 0; round < 100; round++) {
    const client = rawClient(broker)
    expect(await client.connect({ clientId: 'again' })).toBe(0)
    client.socket.destroy()
  }
  expect(broker.hashes()).toBe(1)
})

test('different secrets are hashed a few at a time', async () => {
  let inFlight = 0
  let most = 0
  const broker = await startBroker({
    gateways: Array.from({ length: 40 }, (_, index) => gateway(`gw${index}`)),
    verify: async (secret, hash) => {
      most = Math.max(most, ++inFlight)
      await sleep(5)
      inFlight--
      return hash === storedSecret(secret)
    },
  })
  const codes = await Promise.all(
    Array.from({ length: 40 }, (_, index) => rawClient(broker).connect({ username: `gw${index}` })),
  )
  expect(codes).toEqual(Array(40).fill(0))
  expect(most).toBe(2)
})

test('guessing is slowed for the gateway and address that fail; the neighbour and a known secret are not', async () => {
  const broker = await startBroker({ limits: { failedLoginDelayMsMin: 300, failedLoginDelayMsMax: 600 } })
  const known = rawClient(broker)
  expect(await known.connect({ clientId: 'known' })).toBe(0)
  for (let guess = 0; guess < 2; guess++)
    expect(await rawClient(broker).connect({ password: Buffer.from(`guess ${guess}`) })).toBe(4)
  const took = async (over: Parameters<typeof known.connect>[0]) => {
    const startedAt = performance.now()
    const code = await rawClient(broker).connect(over)
    return { code, ms: performance.now() - startedAt }
  }
  const guesses = Promise.all([1, 2, 3].map((each) => took({ password: Buffer.from(`another ${each}`) })))
  const neighbour = await took({ username: 'gw2' })
  const again = await took({ clientId: 'known again' })
  expect(neighbour.code).toBe(0)
  expect(neighbour.ms).toBeLessThan(250)
  expect(again.code).toBe(0)
  expect(again.ms).toBeLessThan(250)
  for (const { code, ms } of await guesses) {
    expect(code).toBe(4)
    expect(ms).toBeGreaterThan(550)
  }
})

test('a wrong secret and an unknown gateway cost the same hash', async () => {
  const asked: string[] = []
  const broker = await startBroker({
    gateways: [{ ...gateway('gw1'), secretHash: await hashSecret('secret of gw1') }],
    verify: (secret, hash) => {
      asked.push(hash)
      return verifySecret(secret, hash)
    },
  })
  expect(await rawClient(broker).connect(wrong)).toBe(4)
  expect(await rawClient(broker).connect({ username: 'nobody' })).toBe(4)
  expect(asked.map((hash) => hash.replace(/[^$]+\$[^$]+$/, ''))).toEqual(['scrypt$16384$8$1$', 'scrypt$16384$8$1$'])
})

test('a changed secret, and a gateway disabled while it is connected, are noticed', async () => {
  const broker = await startBroker({ limits: { gatewayCacheMs: 0, recheckMs: 0, failedLoginDelayMsMin: 1 } })
  const client = rawClient(broker)
  expect(await client.connect()).toBe(0)
  broker.gateways[0] = gateway('gw1', 'new secret')
  expect(await rawClient(broker).connect({ clientId: 'other' })).toBe(4)
  client.send({ cmd: 'pingreq' })
  await client.closed
  const fresh = rawClient(broker)
  expect(await fresh.connect({ password: Buffer.from('new secret') })).toBe(0)
  broker.gateways[0] = { ...broker.gateways[0], disabled: true }
  fresh.send({ cmd: 'pingreq' })
  await fresh.closed
})

test('the same client id takes over its own gateway’s connection, never another’s', async () => {
  const broker = await startBroker()
  const [one, other] = [rawClient(broker), rawClient(broker)]
  await one.connect({ clientId: 'box' })
  await other.connect({ clientId: 'box', username: 'gw2' })
  expect(await rawClient(broker).connect({ clientId: 'box', ...wrong })).toBe(4)
  expect(await rawClient(broker).connect({ clientId: 'gw1/box', username: 'gw2' })).toBe(0)
  one.send({ cmd: 'pingreq' })
  expect(await one.next('pingresp')).toBeDefined()
  expect(await rawClient(broker).connect({ clientId: 'box' })).toBe(0)
  await one.closed
  other.send({ cmd: 'pingreq' })
  expect(await other.next('pingresp')).toBeDefined()
})

test('presence: from the first connection of a gateway to its last', async () => {
  const broker = await startBroker()
  const [a, b] = [
    await connectGateway(broker, 'gw1', { clientId: 'a' }),
    await connectGateway(broker, 'gw1', { clientId: 'b' }),
  ]
  await connectGateway(broker, 'gw1', { clientId: 'a' })
  await until(() => !a.connected)
  await sleep(50)
  expect(broker.presence).toEqual(['+gw1'])
  b.end(true)
  await sleep(50)
  expect(broker.presence).toEqual(['+gw1'])
  const last = rawClient(broker)
  await last.connect({ clientId: 'a' })
  last.socket.destroy()
  await until(() => broker.presence.length > 1)
  expect(broker.presence).toEqual(['+gw1', '-gw1'])
  expect(await broker.sample('shouwang_connections{transport="mqtt",state="authenticated"}')).toBe(0)
})
