import type { Duplex } from 'node:stream'
import type { Log } from '../kit/log.js'
import type { BrokerMetrics } from './broker-metrics.js'
import type { Door, Visitor } from './door.js'
import type { BrokerLimits } from './limits.js'
import { type Listener, listen } from './listeners.js'
import { createTlsTransport } from './tls.js'
import { createWebSocketTransport } from './websocket.js'

type Addresses = {
  host: string
  mqttPort: number
  tls?: { port: number; certFile: string; keyFile: string } | undefined
  wsPort?: number | undefined
}
export type Transports = { ports: { mqttPort: number; mqttsPort?: number; wsPort?: number }; close(): void }

/**
 * Opens plain MQTT, and TLS and WebSocket where they are asked for; all or none.
 * @throws StartError naming the setting
 */
export async function openTransports({
  addresses,
  door,
  limits,
  log,
  metrics,
  open,
}: {
  addresses: Addresses
  door: Door
  limits: BrokerLimits
  log: Log
  metrics: BrokerMetrics
  open: (visitor: Visitor, conn: Duplex) => void
}): Promise<Transports> {
  const { host, mqttPort, tls, wsPort } = addresses
  const closers: (() => void)[] = []
  const close = () => {
    for (const closeOne of closers.splice(0)) closeOne()
  }
  const add = async (port: number, setting: string, onConnection: Parameters<typeof listen>[0]['onConnection']) => {
    const listener: Listener = await listen({ host, port, setting, onConnection, log })
    closers.push(listener.close)
    return listener.port
  }

  async function openPlain() {
    return add(mqttPort, 'MQTT_PORT', (raw) => {
      const visitor = door.enter(raw, 'mqtt')
      if (visitor) open(visitor, raw)
    })
  }

  async function openTls({ port, certFile, keyFile }: NonNullable<typeof tls>) {
    // The handshake returns another socket object of the same connection: its peer's port tells which.
    const visitors = new Map<string, Visitor>()
    const transport = createTlsTransport({
      files: { certFile, keyFile },
      handshakeMsMax: limits.connectMsMax,
      log,
      onSecure: (socket) => {
        const visitor = visitors.get(`${socket.remoteAddress} ${socket.remotePort}`)
        if (visitor) open(visitor, socket)
        else socket.destroy()
      },
    })
    const expiry = () => metrics.certificateExpiry.set(Math.round(transport.expiresAt().getTime() / 1_000))
    const reload = () => {
      transport.reload()
      expiry()
    }
    expiry()
    process.on('SIGHUP', reload)
    closers.push(() => process.off('SIGHUP', reload))
    return add(port, 'MQTTS_PORT', (raw) => {
      const visitor = door.enter(raw, 'mqtts')
      if (!visitor) return
      const peer = `${raw.remoteAddress} ${raw.remotePort}`
      visitors.set(peer, visitor)
      raw.once('close', () => visitors.get(peer) === visitor && visitors.delete(peer))
      transport.receive(raw)
    })
  }

  async function openWebSocket(port: number) {
    const { packetBytesMax, connectBytesMax } = limits
    const transport = createWebSocketTransport({ packetBytesMax, connectBytesMax, onOpen: open, log })
    return add(port, 'MQTT_WS_PORT', (raw) => {
      const visitor = door.enter(raw, 'ws')
      if (visitor) transport.receive(visitor)
    })
  }

  try {
    const ports: Transports['ports'] = { mqttPort: await openPlain() }
    if (tls) ports.mqttsPort = await openTls(tls)
    if (wsPort !== undefined) ports.wsPort = await openWebSocket(wsPort)
    return { ports, close }
  } catch (error) {
    close()
    throw error
  }
}
