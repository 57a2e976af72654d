import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { commandTopic } from '../ingest/contract.js'
import { startFaultyLine } from '../test/support/faulty-line.js'
import { connectGateway, publishPacket, rawClient, startBroker, until } from './testkit.js'

// Peers that are gone without a word, that are there twice, and that never read what they are sent.
const will = { topic: 'v1/gw1/status', payload: Buffer.from('offline'), qos: 1 as const, retain: true }
const keepalive = 1
/** MQTT gives a client one and a half times its keepalive. */
const keepaliveMsMax = 1_500
const limits = { keepaliveSecondsMin: keepalive }

/** A broker behind a line that can swallow everything. */
async function startBehindLine() {
  const broker = await startBroker({ limits })
  const line = await startFaultyLine({ targetUrl: `mqtt://127.0.0.1:${broker.mqttPort}` })
  return { broker, line, far: { mqttPort: Number(new URL(line.url).port) } }
}

test('a peer that is gone without a word is offline one and a half keepalives later, and its will is heard', async () => {
  const { broker, line, far } = await startBehindLine()
  await rawClient(far).connect({ keepalive, will })
  const pinging = rawClient(broker)
  await pinging.connect({ keepalive, username: 'gw2' })
  const pings = setInterval(() => pinging.send({ cmd: 'pingreq' }), 300)
  await until(() => broker.presence.length === 2)
  line.hang()
  const hungAt = performance.now()
  await until(() => broker.presence.includes('-gw1'), 2 * keepaliveMsMax)
  const ms = performance.now() - hungAt
  clearInterval(pings)
  expect(ms).toBeGreaterThan(keepaliveMsMax - 300)
  await until(() => broker.accepted.length === 1)
  expect(broker.accepted[0]).toMatchObject({ gatewayId: 'gw1', topic: 'v1/gw1/status', retain: true })
  expect(broker.presence).not.toContain('-gw2')
  await line.stop()
})

test('a peer that comes back while its old line still hangs takes over at once, and was never offline', async () => {
  const { broker, line, far } = await startBehindLine()
  await rawClient(far).connect({ keepalive: 60 })
  await until(() => broker.presence.length === 1)
  line.hang()
  const again = rawClient(broker)
  expect(await again.connect({ keepalive: 60 })).toBe(0)
  again.send(publishPacket('v1/gw1/meter/water', 1))
  expect(await again.next('puback')).toMatchObject({ messageId: 1 })
  await until(async () => (await broker.sample('shouwang_connections{transport="mqtt",state="authenticated"}')) === 1)
  expect(broker.presence).toEqual(['+gw1'])
  again.socket.destroy()
  await until(() => broker.presence.length === 2)
  expect(broker.presence).toEqual(['+gw1', '-gw1'])
  await line.stop()
})

test('the same gateway twice, under two client ids: both are served, and it is offline when the last one goes', async () => {
  const { broker, line, far } = await startBehindLine()
  const [first, second] = [rawClient(far), rawClient(broker)]
  await first.connect({ clientId: 'a', keepalive })
  await second.connect({ clientId: 'b', keepalive: 60 })
  first.send(publishPacket('v1/gw1/meter/water', 1))
  second.send(publishPacket('v1/gw1/meter/water', 1))
  expect([await first.next('puback'), await second.next('puback')]).toMatchObject([{ messageId: 1 }, { messageId: 1 }])
  line.hang()
  await until(
    async () => (await broker.sample('shouwang_connections{transport="mqtt",state="authenticated"}')) === 1,
    2 * keepaliveMsMax,
  )
  second.send(publishPacket('v1/gw1/meter/water', 2))
  expect(await second.next('puback')).toMatchObject({ messageId: 2 })
  expect(broker.accepted.length).toBe(3)
  expect(broker.presence).toEqual(['+gw1'])
  second.socket.destroy()
  await until(() => broker.presence.length === 2)
  expect(broker.presence).toEqual(['+gw1', '-gw1'])
  await line.stop()
})

test('the same client id that two boxes fight over: what one of them had acknowledged was accepted, and it ends online', async () => {
  const broker = await startBroker()
  let acknowledged = 0
  for (let round = 0; round < 20; round++) {
    const client = rawClient(broker)
    expect(await client.connect()).toBe(0)
    client.send(...[1, 2, 3, 4, 5].map((id) => publishPacket('v1/gw1/meter/water', id)))
    if (round % 2 === 0) await client.next('puback')
    if (round % 2 === 0) acknowledged++
    acknowledged += client.received.filter(({ cmd }) => cmd === 'puback').length
  }
  expect(broker.accepted.length).toBeGreaterThanOrEqual(acknowledged)
  await until(async () => (await broker.sample('shouwang_connections{transport="mqtt",state="authenticated"}')) === 1)
  expect(broker.presence).toEqual(['+gw1'])
})

test('a slow reader of commands is cut off in time with what waits for it; its neighbour is served meanwhile', async () => {
  const broker = await startBroker({ limits: { drainMsMax: 500 } })
  const slow = rawClient(broker)
  await slow.connect({ keepalive: 60 })
  slow.send({ cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'v1/gw1/+/command', qos: 1 }] } as never)
  await slow.next('suback')
  slow.socket.pause()
  const neighbour = await connectGateway(broker, 'gw2')
  const command = { topic: commandTopic('gw1', 'valve'), payload: Buffer.alloc(60_000, 'x') }
  let sent = 0
  let slowestMs = 0
  const startedAt = performance.now()
  const isCutOff = async () =>
    (await broker.sample('shouwang_connections{transport="mqtt",state="authenticated"}')) === 1
  while (!(await isCutOff())) {
    if (performance.now() - startedAt > 10_000) throw new Error(`still there after ${sent} commands`)
    void broker.broker.publishTo('gw1', command)
    sent++
    const before = performance.now()
    await neighbour.publishAsync('v1/gw2/meter/water', '{}', { qos: 1 })
    slowestMs = Math.max(slowestMs, performance.now() - before)
    await sleep(1)
  }
  console.log(`cut off after ${sent} commands, ${Math.round(performance.now() - startedAt)} ms`)
  expect(slowestMs).toBeLessThan(1_000)
  expect(await broker.broker.publishTo('gw1', command)).toEqual({ kind: 'not connected' })
  await until(() => broker.presence.includes('-gw1'))
})
