import type { AddressInfo } from 'node:net'
import { createServer, type Server, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate, type Packet, parser } from 'mqtt-packet'
import { afterEach, expect, test } from 'vitest'
import { type Connection, OlderBroker, openConnection, type ProtocolVersion, type Received } from './connection.js'

let server: Server | undefined
let connection: Connection | undefined
afterEach(async () => {
  await connection?.close()
  connection = undefined
  server?.close()
})

type Peer = { seen: Packet[]; acknowledged: number[]; send(packet: Packet): void; socket: Socket | undefined }

/** A broker that does as it is told: it keeps what it was sent, and grants whatever is asked for but `refused/#`. */
async function startPeer(
  connack: Record<string, unknown>,
  version: ProtocolVersion = 5,
): Promise<Peer & { url: string }> {
  const peer: Peer = {
    seen: [],
    acknowledged: [],
    socket: undefined,
    send: (packet) => void peer.socket!.write(generate(packet, { protocolVersion: version })),
  }
  server = createServer((socket) => {
    peer.socket = socket
    const parse = parser({ protocolVersion: version })
    socket.on('error', () => undefined)
    socket.on('data', (bytes) => parse.parse(bytes))
    parse.on('packet', (packet) => {
      peer.seen.push(packet)
      if (packet.cmd === 'connect') peer.send({ cmd: 'connack', sessionPresent: false, ...connack } as never)
      if (packet.cmd === 'puback') peer.acknowledged.push(packet.messageId!)
      if (packet.cmd === 'subscribe') {
        const granted = packet.subscriptions.map(({ topic }) => (topic.startsWith('refused') ? 135 : 1))
        peer.send({ cmd: 'suback', messageId: packet.messageId!, granted } as never)
      }
    })
  })
  await new Promise<void>((resolve) => server!.listen(0, '127.0.0.1', resolve))
  return Object.assign(peer, { url: `mqtt://127.0.0.1:${(server!.address() as AddressInfo).port}` })
}

async function setUp(version: ProtocolVersion = 5) {
  const peer = await startPeer(version === 5 ? { reasonCode: 0 } : { returnCode: 0 }, version)
  const received: { message: Received; safe(): void; fail(error: Error): void }[] = []
  connection = await openConnection({
    url: peer.url,
    clientId: 'shouwang-1',
    version,
    receive: (message) => new Promise<void>((safe, fail) => received.push({ message, safe, fail })),
  })
  const publish = (messageId: number, retain = false) =>
    peer.send({ cmd: 'publish', topic: 'a/b', payload: String(messageId), qos: 1, retain, dup: false, messageId })
  return { peer, received, publish, connection }
}

async function until(holds: () => boolean) {
  const end = performance.now() + 10_000
  while (!holds() && performance.now() < end) await sleep(5)
  expect(holds()).toBe(true)
}

test.each([4, 5] as const)(
  'MQTT %s: many are under way at once, and PUBACKs wait, in the order of the messages',
  async (version) => {
    const { peer, received, publish } = await setUp(version)
    for (let id = 1; id <= 500; id++) publish(id, id === 1)
    await until(() => received.length === 500)
    expect(received[0]!.message).toEqual({ topic: 'a/b', payload: Buffer.from('1'), retain: true })
    await sleep(50)
    expect(peer.acknowledged).toEqual([])
    for (const { safe } of received.slice(1)) safe()
    await sleep(50)
    expect(peer.acknowledged).toEqual([])
    received[0]!.safe()
    await until(() => peer.acknowledged.length === 500)
    expect(peer.acknowledged).toEqual(Array.from({ length: 500 }, (_, i) => i + 1))
  },
)

test('what cannot be stored ends the connection, and nothing from it on is acknowledged', async () => {
  const { peer, received, publish, connection } = await setUp()
  for (let id = 1; id <= 5; id++) publish(id)
  await until(() => received.length === 5)
  received[0]!.safe()
  received[1]!.fail(new Error('the disk is full'))
  received[2]!.safe()
  expect((await connection.ended).why).toBe('the disk is full')
  for (const { safe } of received.slice(3)) safe()
  await sleep(50)
  expect(peer.acknowledged.filter((id) => id > 1)).toEqual([])
})

test('a broker that sends more than it may is not read any more until there is room', async () => {
  const { received, publish } = await setUp()
  for (let id = 1; id <= 4_100; id++) publish(id)
  await until(() => received.length === 4_000)
  await sleep(100)
  expect(received.length).toBe(4_000)
  received[10]!.safe()
  await until(() => received.length === 4_001)
})

test('a close waits for what is under way, takes nothing more, and says goodbye', async () => {
  const { peer, received, publish, connection } = await setUp()
  publish(1)
  await until(() => received.length === 1)
  const closing = connection.close({ forget: true })
  publish(2)
  await sleep(50)
  received[0]!.safe()
  await closing
  expect(received.length).toBe(1)
  expect(peer.acknowledged).toEqual([1])
  await until(() => peer.seen.at(-1)?.cmd === 'disconnect')
  expect(peer.seen.at(-1)).toMatchObject({ properties: { sessionExpiryInterval: 0 } })
})

test('a session in which something is not safe yet is not forgotten', async () => {
  const { peer, received, publish, connection } = await setUp()
  publish(1)
  await until(() => received.length === 1)
  expect(await connection.close({ forget: true })).toBe(false)
  await until(() => peer.seen.at(-1)?.cmd === 'disconnect')
  expect(peer.seen.at(-1)).not.toMatchObject({ properties: { sessionExpiryInterval: 0 } })
})

test('asks for a session that is kept, and for a window', async () => {
  const { peer, connection } = await setUp()
  expect(peer.seen[0]).toMatchObject({
    clean: false,
    clientId: 'shouwang-1',
    properties: { receiveMaximum: 4_000, sessionExpiryInterval: 604_800 },
  })
  expect(connection).toMatchObject({ sessionPresent: false, canShare: true })
})

test('names the filters that are refused, and asks for a hundred at a time', async () => {
  const { peer, connection } = await setUp()
  const filters = [...Array.from({ length: 150 }, (_, i) => `base-${i}/#`), 'refused/#']
  expect(await connection.subscribe(filters)).toEqual(['refused/#'])
  const asked = peer.seen.filter((packet) => packet.cmd === 'subscribe')
  expect(asked.map(({ subscriptions }) => subscriptions.length)).toEqual([100, 51])
  expect(asked[0]!.subscriptions[0]).toMatchObject({ topic: 'base-0/#', qos: 1 })
})

test.each([
  ['says so in its own words', { returnCode: 1 }, 4],
  ['knows how MQTT 5 says it', { reasonCode: 132 }, 5],
] as const)('an older broker that %s is told from one that refuses', async (_, connack, version) => {
  const peer = await startPeer(connack, version)
  const opening = openConnection({ url: peer.url, clientId: 'x', version: 5, receive: async () => undefined })
  await expect(opening).rejects.toBeInstanceOf(OlderBroker)
})

test('a refusal is named', async () => {
  const peer = await startPeer({ reasonCode: 135 })
  const opening = openConnection({ url: peer.url, clientId: 'x', version: 5, receive: async () => undefined })
  await expect(opening).rejects.toThrow('Not authorized')
})

test('a publish whose connection ends is an error', async () => {
  const { peer, connection } = await setUp()
  const publishing = connection.publish('a/b', 'x')
  await until(() => peer.seen.some(({ cmd }) => cmd === 'publish'))
  peer.socket!.destroy()
  await expect(publishing).rejects.toThrow()
})
