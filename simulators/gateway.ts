import { connect, type MqttClient } from 'mqtt'
import { type ReadingKind, statusTopic } from '../ingest/contract.js'
import type { Log } from '../kit/log.js'
import { type ContractReading, createBuffer } from './buffer.js'

export type GatewayCounters = {
  /** Readings handed to the network, again if they had to be sent again. */
  published: number
  /** Readings of which the broker said that they are safe. */
  acknowledged: number
  /** Readings not acknowledged yet. */
  buffered: number
  /** Readings lost because the buffer was full. */
  dropped: number
  /** Connections that the broker accepted. */
  connected: number
}

export type Gateway = {
  start(): void
  /** Says `offline` and hangs up; waits at most `stopMsMax` for what is on its way. Unsent readings are lost. */
  stop(): Promise<void>
  /** Takes a reading into the buffer; it is sent as soon as there is a line. */
  add(deviceId: string, kind: ReadingKind, reading: ContractReading): void
  /** The line breaks without a word (the broker publishes the last will); readings stay in the buffer. */
  lineDown(): void
  lineUp(): void
  isUp(): boolean
  counters(): GatewayCounters
  /** Resolves when at most `readings` are unacknowledged. */
  untilBuffered(readings: number): Promise<void>
}

/**
 * A gateway as they stand in homes: MQTT 3.1.1, QoS 1, a retained presence with a last will, and a bounded buffer of its
 * own. A reading is forgotten when its PUBACK is there; what was on its way when the line broke is sent again, which is
 * harmless. Alarms do not queue behind meters: buttons, smoke and gas have a lane of their own.
 * A refused login is logged and tried again.
 */
export function createGateway({
  gatewayId,
  secret,
  url,
  log,
  bufferReadingsMax = 50_000,
  reconnectMs = 2_000,
  stopMsMax = 1_500,
}: {
  gatewayId: string
  secret: string
  url: string
  log: Log
  bufferReadingsMax?: number
  reconnectMs?: number
  stopMsMax?: number
}): Gateway {
  const alarms = { buffer: createBuffer({ gatewayId, readingsMax: 1_000 }), busy: false }
  const meters = { buffer: createBuffer({ gatewayId, readingsMax: bufferReadingsMax }), busy: false }
  const lanes = [alarms, meters]
  const count = { published: 0, acknowledged: 0, connected: 0 }
  const waiters = new Set<{ readings: number; resolve: () => void }>()
  let line: { client: MqttClient; broken: Promise<'broken'>; break(): void } | undefined
  let complained = false

  const buffered = () => alarms.buffer.size() + meters.buffer.size()
  function settleWaiters() {
    for (const waiter of waiters)
      if (buffered() <= waiter.readings) {
        waiters.delete(waiter)
        waiter.resolve()
      }
  }

  const untilBuffered = (readings: number) =>
    new Promise<void>((resolve) => {
      waiters.add({ readings, resolve })
      settleWaiters()
    })

  async function send(lane: (typeof lanes)[number]): Promise<void> {
    const current = line
    if (lane.busy || !current) return
    lane.busy = true
    while (current === line && current.client.connected) {
      const packets = lane.buffer.take()
      if (packets.length === 0) break
      const readings = packets.reduce((sum, packet) => sum + packet.readings, 0)
      count.published += readings
      // While this line lives, MQTT.js itself sends unacknowledged packets again after each reconnect.
      const sent = Promise.all(
        packets.map(({ topic, payload }) => current.client.publishAsync(topic, payload, { qos: 1 })),
      )
      const outcome = await Promise.race([
        sent.then(
          () => 'safe' as const,
          () => 'broken' as const,
        ),
        current.broken,
      ])
      if (outcome === 'safe') {
        lane.buffer.forget()
        count.acknowledged += readings
        settleWaiters()
      } else lane.buffer.putBack()
    }
    lane.busy = false
    // A new line may have come up while the old one was being given up.
    if (line && line !== current && line.client.connected) void send(lane)
  }

  function lineUp() {
    if (line) return
    const client = connect(url, {
      protocolVersion: 4,
      clientId: gatewayId,
      username: gatewayId,
      password: secret,
      clean: true,
      keepalive: 30,
      connectTimeout: 10_000,
      reconnectPeriod: reconnectMs,
      reconnectOnConnackError: true,
      resubscribe: false,
      will: { topic: statusTopic(gatewayId), payload: Buffer.from('offline'), qos: 1, retain: true },
    })
    const { promise: broken, resolve } = promiseOf<'broken'>()
    line = { client, broken, break: () => resolve('broken') }
    client.on('connect', () => {
      count.connected++
      complained = false
      log.debug({ gatewayId }, 'gateway.connected')
      client.publish(statusTopic(gatewayId), 'online', { qos: 1, retain: true })
      for (const lane of lanes) void send(lane)
    })
    const complain = (reason: string) => {
      if (!complained) log.warn({ gatewayId, reason }, 'gateway.noLine')
      complained = true
    }
    client.on('error', (error) => complain(error.message || error.name))
    client.on('close', () => complain('connection closed'))
  }
  function lineDown() {
    const old = line
    line = undefined
    complained = true
    old?.client.end(true)
    old?.break()
  }

  return {
    start: lineUp,
    lineUp,
    lineDown,
    isUp: () => line !== undefined,
    add(deviceId, kind, reading) {
      const lane = kind === 'water' || kind === 'electricity' ? meters : alarms
      lane.buffer.add(deviceId, kind, reading)
      if (line?.client.connected) void send(lane)
    },
    counters: () => ({
      ...count,
      buffered: buffered(),
      dropped: alarms.buffer.dropped() + meters.buffer.dropped(),
    }),
    untilBuffered,
    async stop() {
      const old = line
      if (!old) return
      complained = true
      const { promise: late, resolve } = promiseOf<void>()
      const timer = setTimeout(resolve, stopMsMax)
      const goodbye = async () => {
        if (!old.client.connected) return
        await untilBuffered(0)
        await old.client.publishAsync(statusTopic(gatewayId), 'offline', { qos: 1, retain: true })
        await old.client.endAsync()
      }
      await Promise.race([
        goodbye().catch((error: Error) => log.warn({ gatewayId, reason: error.message }, 'gateway.noGoodbye')),
        late,
      ])
      clearTimeout(timer)
      lineDown()
    },
  }
}

function promiseOf<T>(): { promise: Promise<T>; resolve: (value: T) => void } {
  let resolve: (value: T) => void = () => undefined
  const promise = new Promise<T>((done) => {
    resolve = done
  })
  return { promise, resolve }
}
