import { connect as connectTcp, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { generate, type IConnectPacket, type Packet, parser } from 'mqtt-packet'
import { Registry } from 'prom-client'
import { onTestFinished } from 'vitest'
import { systemClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { type BrokerDeps, createBroker, type GatewayCredentials, type InboundMessage } from './broker.js'

/** Test double of a stored secret: what scrypt costs is measured in a test of its own. */
export const storedSecret = (secret: string) => `stored ${secret}`
export const gateway = (gatewayId: string, secret = `secret of ${gatewayId}`): GatewayCredentials => ({
  gatewayId,
  secretHash: storedSecret(secret),
  disabled: false,
})

/** A real broker on free ports with ingest and the gateway table replaced; stopped when the test ends. */
export async function startBroker(over: Partial<BrokerDeps> & { gateways?: GatewayCredentials[] } = {}) {
  const { gateways = [gateway('gw1'), gateway('gw2')], ...deps } = over
  const accepted: InboundMessage[] = []
  const presence: string[] = []
  const heard: string[] = []
  const metrics = new Registry()
  let hashes = 0
  const broker = createBroker({
    findGateway: async (id) => gateways.find(({ gatewayId }) => gatewayId === id),
    accept: async (message) => void accepted.push(message),
    presence: {
      connected: (id) => void presence.push(`+${id}`),
      disconnected: (id) => void presence.push(`-${id}`),
      heard: (id) => void heard.push(id),
    },
    verify: async (secret, hash) => {
      hashes++
      await sleep(20)
      return hash === storedSecret(secret)
    },
    clock: systemClock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics,
    host: '127.0.0.1',
    mqttPort: 0,
    ...deps,
  })
  onTestFinished(() => broker.stop())
  const ports = await broker.start()
  return {
    broker,
    ...ports,
    gateways,
    accepted,
    presence,
    heard,
    hashes: () => hashes,
    /** The value of one sample, such as `shouwang_logins_total{result="granted"}`; 0 when there is none. */
    async sample(name: string): Promise<number> {
      const line = (await metrics.metrics()).split('\n').find((each) => each.startsWith(`${name} `))
      return Number(line?.split(' ').at(-1) ?? 0)
    },
  }
}

/** An MQTT.js client logged in as a gateway; ended when the test ends. */
export async function connectGateway(
  { mqttPort }: { mqttPort: number },
  gatewayId = 'gw1',
  options: IClientOptions & { url?: string } = {},
): Promise<MqttClient> {
  const client = await connectAsync(options.url ?? `mqtt://127.0.0.1:${mqttPort}`, {
    username: gatewayId,
    password: `secret of ${gatewayId}`,
    reconnectPeriod: 0,
    connectTimeout: 5_000,
    ...options,
  })
  client.on('error', () => undefined)
  onTestFinished(() => void client.end(true))
  return client
}

export type RawClient = {
  socket: Socket
  received: Packet[]
  send(...packets: Packet[]): void
  connect(over?: Partial<IConnectPacket>): Promise<number | undefined>
  /** Resolves when the other side has closed. */
  closed: Promise<void>
  /** The next packet with this command, waited for; undefined when the connection ends first. */
  next(cmd: Packet['cmd']): Promise<Packet | undefined>
}

/** A client that sends what it is told to, allowed or not. */
export function rawClient({ mqttPort }: { mqttPort: number }): RawClient {
  const socket = connectTcp(mqttPort, '127.0.0.1')
  const received: Packet[] = []
  const parse = parser()
  parse.on('packet', (packet) => received.push(packet))
  socket.on('data', (chunk) => parse.parse(chunk))
  socket.on('error', () => undefined)
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()))
  onTestFinished(() => void socket.destroy())
  const send = (...packets: Packet[]) => void socket.write(Buffer.concat(packets.map((packet) => generate(packet))))
  async function next(cmd: Packet['cmd']) {
    for (;;) {
      const at = received.findIndex((packet) => packet.cmd === cmd)
      if (at >= 0) return received.splice(at, 1)[0]
      if (socket.destroyed) return undefined
      await sleep(5)
    }
  }
  return {
    socket,
    received,
    send,
    closed,
    next,
    async connect(over = {}) {
      send(connectPacket(over))
      const connack = await next('connack')
      return connack?.cmd === 'connack' ? connack.returnCode : undefined
    },
  }
}

export const connectPacket = (over: Partial<IConnectPacket> = {}): Packet => ({
  cmd: 'connect',
  protocolId: 'MQTT',
  protocolVersion: 4,
  clean: true,
  clientId: 'box',
  keepalive: 60,
  username: 'gw1',
  password: Buffer.from(`secret of ${over.username ?? 'gw1'}`),
  ...over,
})

export const publishPacket = (
  topic: string,
  messageId = 1,
  over: { qos?: 0 | 1 | 2; payload?: string | Buffer } = {},
): Packet => ({
  cmd: 'publish',
  topic,
  messageId,
  qos: 1,
  payload: '{}',
  retain: false,
  dup: false,
  ...over,
})

/** Waits until a condition holds; fails after `msMax`. */
export async function until(condition: () => boolean | Promise<boolean>, msMax = 3_000): Promise<void> {
  const giveUpAt = Date.now() + msMax
  while (!(await condition())) {
    if (Date.now() > giveUpAt) throw new Error(`still not so after ${msMax} ms: ${condition}`)
    await sleep(5)
  }
}
