import { connect, type MqttClient } from 'mqtt'
import type { RoundResult } from '../../db/watch.js'
import type { WatchHome } from '../../db/watch-homes.js'
import { readingTopic } from '../../ingest/contract.js'
import type { Clock } from '../../kit/clock.js'
import type { Receiver } from './receiver.js'

/** A page that takes longer has not come. As long for the connection: the edge is restarted in seconds, and that is no fault. */
export const pageMsMaxDefault = 10_000
const reconnectMs = 1_000
const goodbyeMsMax = 1_000

const late = Symbol('late')

/** `msMax` is counted from now; ends early when `signal` aborts. */
function within<T>(msMax: number, signal: AbortSignal, work: Promise<T>): Promise<T | typeof late> {
  return new Promise((resolve, reject) => {
    const giveUp = () => done(() => resolve(late))
    const timer = setTimeout(giveUp, msMax)
    const done = (settle: () => void) => {
      clearTimeout(timer)
      signal.removeEventListener('abort', giveUp)
      settle()
    }
    if (signal.aborted) giveUp()
    else signal.addEventListener('abort', giveUp)
    work.then(
      (value) => done(() => resolve(value)),
      (error: unknown) => done(() => reject(error)),
    )
  })
}

export type Played = { pressedAt: Date; result: RoundResult }

/**
 * One round of a synthetic resident: its gateway logs in at the broker, its button is pressed, and its page has to come
 * back within `pageMsMax` of the publish. Undefined when `signal` ended it.
 */
export async function playRound({
  home,
  mqttUrl,
  receiver,
  clock,
  signal,
  pageMsMax = pageMsMaxDefault,
}: {
  home: WatchHome
  mqttUrl: string
  receiver: Pick<Receiver, 'expect'>
  clock: Clock
  signal: AbortSignal
  pageMsMax?: number
}): Promise<Played | undefined> {
  const { residentId, gatewayId, deviceId, mqttSecret, pageSecret } = home
  let lastError = ''
  let calm = false
  const client = connect(mqttUrl, {
    protocolVersion: 4,
    clientId: gatewayId,
    username: gatewayId,
    password: mqttSecret,
    clean: true,
    connectTimeout: pageMsMax,
    reconnectPeriod: reconnectMs,
    reconnectOnConnackError: true,
    resubscribe: false,
  })
  client.on('error', (error) => {
    lastError = error.message || error.name
  })
  try {
    const connected = await within(pageMsMax, signal, connectedOnce(client))
    const pressedAt = clock.now()
    if (connected === late)
      return signal.aborted ? undefined : { pressedAt, result: missed('no connection', null, lastError) }
    const expected = receiver.expect({ residentId, secret: pageSecret, pressedAt })
    const startedMs = performance.now()
    const elapsedMs = () => performance.now() - startedMs
    try {
      const payload = JSON.stringify({ event: 'pressed', ts: pressedAt.getTime() })
      let ackedMs: number | null = null
      // An acknowledged publish is one thing, its page another: the page may well be here first.
      const acked = client.publishAsync(readingTopic(gatewayId, deviceId, 'button'), payload, { qos: 1 }).then(
        () => {
          ackedMs = elapsedMs()
        },
        (error: Error) => {
          lastError = error.message
        },
      )
      const pageMs = expected.came.then(elapsedMs)
      const came = await within(
        pageMsMax,
        signal,
        Promise.all([acked, pageMs]).then(() => pageMs),
      )
      if (came !== late && ackedMs !== null) {
        calm = true
        return { pressedAt, result: { kind: 'came', ackedMs, pageMs: came } }
      }
      if (signal.aborted) return undefined
      return { pressedAt, result: missed(ackedMs === null ? 'not acknowledged' : 'no page', ackedMs, lastError) }
    } finally {
      expected.forget()
    }
  } finally {
    // Where nothing is on its way, with a word of goodbye.
    if (calm) await within(goodbyeMsMax, signal, client.endAsync()).catch(() => late)
    await client.endAsync(true).catch(() => undefined)
  }
}

const missed = (why: Extract<RoundResult, { kind: 'missed' }>['why'], ackedMs: number | null, detail: string) =>
  ({ kind: 'missed', why, ackedMs, detail }) as const

const connectedOnce = (client: MqttClient) => new Promise<void>((resolve) => client.once('connect', () => resolve()))
