import { setTimeout as sleep } from 'node:timers/promises'
import { connect, connectAsync, type IClientOptions, type MqttClient } from 'mqtt'
import { readingTopic } from '../../ingest/contract.js'
import type { Random } from '../../simulators/random.js'
import { gatewaySecret } from './community.js'

/** One reading as it was published; `acknowledged` once its PUBACK is here. */
export type Sent = { deviceId: string; ts: number; value: number | null; acknowledged: boolean }
export type Load = { sent: Sent[]; resent: number; stop(): void; done: Promise<void> }

type Given = { url: string; gatewayId: string }
const optionsOf = ({ gatewayId }: Given): IClientOptions => ({
  clientId: gatewayId,
  username: gatewayId,
  password: gatewaySecret(gatewayId),
  protocolVersion: 4,
  connectTimeout: 3_000,
  reconnectOnConnackError: true,
})
const reconnectMs = 40
/** As many readings as were acknowledged last are sent once more after each reconnect, marked DUP. */
const resendMax = 10

/**
 * A gateway that keeps what was not acknowledged and sends it again after each reconnect (MQTT.js does), and on top of it
 * what was acknowledged last. `next` makes one message, undefined when there is nothing left; `window` of them wait
 * for their PUBACK at once. `stop` ends the making; `done` resolves when everything is acknowledged.
 */
export function keepingGateway({
  window,
  pauseMs,
  next,
  ...given
}: Given & { window: number; pauseMs: number; next: () => { topic: string; readings: Sent[] } | undefined }): Load {
  const client = connect(given.url, { ...optionsOf(given), reconnectPeriod: reconnectMs })
  // Without a listener a refused connection is an exception; that the edge is away now and then is what the test is about.
  client.on('error', () => undefined)
  const sent: Sent[] = []
  const acknowledged: { topic: string; readings: Sent[] }[] = []
  const resends = new Set<Promise<unknown>>()
  let stopped = false
  let resent = 0
  let lives = 0
  client.on('connect', () => {
    if (lives++ === 0) return
    for (const { topic, readings } of acknowledged.slice(-resendMax)) {
      resent++
      resends.add(isSafe(client.publishAsync(topic, payloadOf(readings), { qos: 1, dup: true })))
    }
  })
  async function work() {
    for (let message = next(); message && !stopped; message = next()) {
      sent.push(...message.readings)
      const body = payloadOf(message.readings)
      // MQTT.js gives up by itself on what it was handed while it was resending and the line broke once more.
      for (let dup = false; !(await isSafe(client.publishAsync(message.topic, body, { qos: 1, dup }))); dup = true)
        await sleep(reconnectMs)
      for (const reading of message.readings) reading.acknowledged = true
      acknowledged.push(message)
      await sleep(pauseMs)
    }
  }
  const finish = async () => {
    await Promise.all(Array.from({ length: window }, work))
    await Promise.all(resends)
    await client.endAsync()
  }
  return {
    sent,
    get resent() {
      return resent
    },
    stop: () => {
      stopped = true
    },
    done: finish(),
  }
}

/** A gateway that forgets what was on its way when the line breaks: some of what it sent is never acknowledged. */
export function forgetfulGateway({
  window,
  pauseMs,
  next,
  ...given
}: Given & { window: number; pauseMs: number; next: () => { topic: string; readings: Sent[] } | undefined }): Load {
  const sent: Sent[] = []
  let stopped = false
  async function live(client: MqttClient) {
    client.on('error', () => undefined)
    const broken = new Promise<false>((resolve) => client.once('close', () => resolve(false)))
    const work = async () => {
      while (client.connected && !stopped) {
        const message = next()
        if (!message) return
        sent.push(...message.readings)
        const safe = isSafe(client.publishAsync(message.topic, payloadOf(message.readings), { qos: 1 }))
        if (!(await Promise.race([safe, broken]))) return
        for (const reading of message.readings) reading.acknowledged = true
        await sleep(pauseMs)
      }
    }
    await Promise.all(Array.from({ length: window }, work))
    await client.endAsync(true)
  }
  async function run() {
    while (!stopped) {
      const client = await connectAsync(given.url, { ...optionsOf(given), reconnectPeriod: 0 }, false).catch(
        () => undefined,
      )
      if (client) await live(client)
      await sleep(reconnectMs)
    }
  }
  return {
    sent,
    resent: 0,
    stop: () => {
      stopped = true
    },
    done: run(),
  }
}

/** Whether the PUBACK came. */
const isSafe = (publishing: Promise<unknown>) =>
  publishing.then(
    () => true,
    () => false,
  )

const stepMs = 100
/** Meter readings from six hours ago on, 100 ms apart, so that each is distinct and none lies in the future. */
export function meterMessages({
  gatewayId,
  deviceId,
  perMessage,
}: {
  gatewayId: string
  deviceId: string
  perMessage: number
}) {
  const from = Date.now() - 6 * 3_600_000
  let n = 0
  return () => ({
    topic: readingTopic(gatewayId, deviceId, 'water'),
    readings: Array.from({ length: perMessage }, (): Sent => {
      n++
      return { deviceId, ts: from + n * stepMs, value: n / 1_000, acknowledged: false }
    }),
  })
}

/** One press of each button, in any order, each once. */
export function pressMessages({
  gatewayId,
  deviceIds,
  random,
}: {
  gatewayId: string
  deviceIds: string[]
  random: Random
}) {
  const left = [...deviceIds]
  return () => {
    const [deviceId] = left.splice(Math.floor(random() * left.length), 1)
    if (deviceId === undefined) return undefined
    const press: Sent = { deviceId, ts: Date.now(), value: null, acknowledged: false }
    return { topic: readingTopic(gatewayId, deviceId, 'button'), readings: [press] }
  }
}

function payloadOf(readings: Sent[]): string {
  const bodies = readings.map(({ ts, value }) => (value === null ? { ts, event: 'pressed' } : { ts, litres: value }))
  return JSON.stringify(bodies.length === 1 ? bodies[0] : bodies)
}
