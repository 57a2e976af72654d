import { X509Certificate } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { copyFile, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { connect as connectTls, type SecureVersion } from 'node:tls'
import { generate } from 'mqtt-packet'
import { expect, onTestFinished, test } from 'vitest'
import { WebSocket } from 'ws'
import { commandTopic } from '../ingest/contract.js'
import { StartError } from '../kit/lifecycle.js'
import { connectGateway, connectPacket, publishPacket, rawClient, startBroker, until } from './testkit.js'

const fixture = (file: string) => new URL(`../test/support/certificates/${file}`, import.meta.url).pathname
const fingerprint = (name: string) => new X509Certificate(readFileSync(fixture(`${name}.cert.pem`))).fingerprint256

async function certificateFiles() {
  const folder = await mkdtemp(join(tmpdir(), 'shouwang-tls-'))
  onTestFinished(() => rm(folder, { recursive: true }))
  const files = { certFile: join(folder, 'cert.pem'), keyFile: join(folder, 'key.pem') }
  async function use(name: string) {
    await copyFile(fixture(`${name}.cert.pem`), files.certFile)
    await copyFile(fixture(`${name}.key.pem`), files.keyFile)
  }
  await use('old')
  return { ...files, use }
}

function served(port: number, maxVersion: SecureVersion = 'TLSv1.3'): Promise<string> {
  return new Promise((resolve) => {
    const options = { port, host: '127.0.0.1', rejectUnauthorized: false, minVersion: 'TLSv1' as const, maxVersion }
    const socket = connectTls(options, () => {
      resolve(socket.getPeerCertificate().fingerprint256)
      socket.destroy()
    })
    socket.on('error', (error: NodeJS.ErrnoException) => resolve(`refused ${error.code}`))
  })
}

test('TLS: publish, the CONNACK of a refusal, at least 1.2, and reload on SIGHUP', async () => {
  const files = await certificateFiles()
  const broker = await startBroker({ tls: { port: 0, ...files } })
  const port = broker.mqttsPort!
  const url = `mqtts://127.0.0.1:${port}`
  const client = await connectGateway(broker, 'gw1', { url, rejectUnauthorized: false })
  await client.publishAsync('v1/gw1/meter/water', '{}', { qos: 1 })
  expect(broker.accepted.length).toBe(1)
  expect(await broker.sample('shouwang_connections{transport="mqtts",state="authenticated"}')).toBe(1)
  await expect(
    connectGateway(broker, 'gw1', { url, rejectUnauthorized: false, password: 'wrong', clientId: 'x' }),
  ).rejects.toMatchObject({ code: 4 })

  expect(await served(port)).toBe(fingerprint('old'))
  expect(await served(port, 'TLSv1.1')).toContain('refused')
  await files.use('new')
  process.emit('SIGHUP')
  expect(await served(port)).toBe(fingerprint('new'))
  await writeFile(files.certFile, 'not a certificate')
  process.emit('SIGHUP')
  expect(await served(port)).toBe(fingerprint('new'))
  expect(await served(port, 'TLSv1.1')).toContain('refused')
  expect(await broker.sample('shouwang_tls_certificate_expires_seconds')).toBeGreaterThan(4_000_000_000)
  await client.publishAsync('v1/gw1/meter/water', '{}', { qos: 1 })
  const listeners = process.listenerCount('SIGHUP')
  await broker.broker.stop()
  expect(process.listenerCount('SIGHUP')).toBe(listeners - 1)
})

test('TLS: a handshake that is not finished counts as unauthenticated and ends in time', async () => {
  const files = await certificateFiles()
  const broker = await startBroker({
    tls: { port: 0, ...files },
    limits: { connectMsMax: 150, unauthenticatedPerAddressMax: 1 },
  })
  const half = connectTcp(broker.mqttsPort!, '127.0.0.1')
  half.on('error', () => undefined)
  const ended = new Promise((resolve) => half.once('close', resolve))
  await until(
    async () => (await broker.sample('shouwang_connections{transport="mqtts",state="unauthenticated"}')) === 1,
  )
  expect(await rawClient(broker).connect()).toBeUndefined()
  half.write(Buffer.from([0x16, 0x03, 0x01]))
  await ended
  expect(await served(broker.mqttsPort!)).toBe(fingerprint('old'))
})

test('WebSocket: publish, the CONNACK of a refusal, commands back', async () => {
  const broker = await startBroker({ wsPort: 0 })
  const url = `ws://127.0.0.1:${broker.wsPort}/mqtt`
  const client = await connectGateway(broker, 'gw1', { url })
  await client.publishAsync('v1/gw1/meter/water', '{"litres":1}', { qos: 1 })
  expect(broker.accepted[0]!.payload.toString()).toBe('{"litres":1}')
  await client.subscribeAsync('v1/gw1/+/command')
  const got = new Promise((resolve) => client.on('message', (topic) => resolve(topic)))
  await broker.broker.publishTo('gw1', { topic: commandTopic('gw1', 'valve'), payload: 'close' })
  expect(await got).toBe('v1/gw1/valve/command')
  await expect(connectGateway(broker, 'gw1', { url, password: 'wrong', clientId: 'x' })).rejects.toMatchObject({
    code: 4,
  })
  client.end(true)
  await until(() => broker.presence.includes('-gw1'))
  expect(await broker.sample('shouwang_connections{transport="ws",state="authenticated"}')).toBe(0)
})

test('WebSocket: only the subprotocol mqtt, only frames within the limits', async () => {
  const broker = await startBroker({ wsPort: 0, limits: { connectMsMax: 1_200 } })
  const open = (protocols: string[]) => new WebSocket(`ws://127.0.0.1:${broker.wsPort}`, protocols)
  const other = open(['chat'])
  expect(await new Promise((resolve) => other.once('error', (error) => resolve(error.message)))).toContain('400')
  expect((await fetch(`http://127.0.0.1:${broker.wsPort}/`)).status).toBe(426)

  const closesAfter = async (chunks: Buffer[], fin = true) => {
    const socket = open(['mqtt'])
    socket.on('error', () => undefined)
    await new Promise((resolve) => socket.once('open', resolve))
    const startedAt = performance.now()
    const closed = new Promise((resolve) => socket.once('close', resolve))
    for (const chunk of chunks) socket.send(chunk, { fin })
    await closed
    return performance.now() - startedAt
  }
  expect(await closesAfter([Buffer.alloc(200_000)])).toBeLessThan(1_000)
  expect(await closesAfter([Buffer.from([0x10, 0xff, 0xff, 0x7f])])).toBeLessThan(1_000)
  // 256 MB: more than is swallowed of a publish.
  const tooLarge = Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])
  expect(await closesAfter([generate(connectPacket()), tooLarge])).toBeLessThan(1_000)
  // Half a message, over what a stranger may send.
  expect(await closesAfter([Buffer.alloc(20_000, 0x10)], false)).toBeLessThan(1_000)
  expect(await closesAfter([])).toBeGreaterThan(1_000)
})

test('WebSocket: a publish that is too large, in messages within the limit, is swallowed as on the other transports', async () => {
  const broker = await startBroker({ wsPort: 0 })
  const socket = new WebSocket(`ws://127.0.0.1:${broker.wsPort}`, ['mqtt'])
  onTestFinished(() => socket.terminate())
  let received = ''
  socket.on('message', (data: Buffer) => {
    received += data.toString('hex')
  })
  await new Promise((resolve) => socket.once('open', resolve))
  socket.send(generate(connectPacket()))
  const connack = '20020000'
  await until(() => received === connack)
  const frame = generate(publishPacket('v1/gw1/meter/water', 1, { payload: Buffer.alloc(1_048_576) }))
  for (let at = 0; at < frame.length; at += 60_000) socket.send(frame.subarray(at, at + 60_000))
  await until(() => received === `${connack}40020001`)
  expect(broker.accepted.map(({ oversizeBytes }) => oversizeBytes)).toEqual([1_048_576])
})

test('what is wrong with the start is said in one line that names the setting', async () => {
  const taken = createServer().listen(0, '127.0.0.1')
  onTestFinished(() => void taken.close())
  await new Promise((resolve) => taken.once('listening', resolve))
  const { port } = taken.address() as AddressInfo
  const files = await certificateFiles()
  const start = (over: Parameters<typeof startBroker>[0]) =>
    startBroker(over).then(
      () => 'started',
      (error: Error) => (error instanceof StartError ? error.message : error),
    )
  expect(await start({ mqttPort: port })).toBe(`setting MQTT_PORT: port ${port} is already in use on 127.0.0.1`)
  expect(await start({ tls: { port, ...files } })).toContain('setting MQTTS_PORT: port')
  expect(await start({ wsPort: port })).toContain('setting MQTT_WS_PORT: port')
  expect(await start({ host: '192.0.2.7' })).toContain('setting HOST')
  expect(await start({ tls: { port: 0, ...files, certFile: '/nowhere/cert.pem' } })).toMatch(
    /^setting TLS_CERT_FILE = "\/nowhere/,
  )
  expect(await start({ tls: { port: 0, ...files, certFile: fixture('new.cert.pem') } })).toMatch(
    /^setting TLS_KEY_FILE/,
  )
  await writeFile(files.certFile, 'not a certificate')
  expect(await start({ tls: { port: 0, ...files } })).toMatch(/^setting TLS_CERT_FILE = /)
})
