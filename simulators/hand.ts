import { randomBytes } from 'node:crypto'
import { connectAsync } from 'mqtt'
import { type ReadingKind, readingTopic } from '../ingest/contract.js'
import type { Clock } from '../kit/clock.js'
import type { ContractReading } from './buffer.js'

export type HandKind = Extract<ReadingKind, 'button' | 'smoke' | 'gas'>
export type HandOutcome = { kind: 'safe'; ms: number; topic: string } | { kind: 'failed'; reason: string }

/**
 * Publishes one alarm by hand, in the name of a gateway, and waits for its PUBACK. It has a client id of its own, so
 * that the gateway that lives under this id stays connected.
 */
export async function raiseByHand({
  what,
  gatewayId,
  deviceId,
  secret,
  url,
  clock,
  waitMsMax = 10_000,
}: {
  what: HandKind
  gatewayId: string
  deviceId: string
  secret: string
  url: string
  clock: Clock
  waitMsMax?: number
}): Promise<HandOutcome> {
  const ts = clock.now().getTime()
  const reading: ContractReading = what === 'button' ? { ts, event: 'pressed' } : { ts, alarm: true }
  const topic = readingTopic(gatewayId, deviceId, what)
  const abandoned = new AbortController()
  const late = new Promise<HandOutcome>((resolve) => {
    const timer = setTimeout(() => {
      abandoned.abort()
      resolve({ kind: 'failed', reason: `no PUBACK within ${waitMsMax} ms` })
    }, waitMsMax)
    abandoned.signal.addEventListener('abort', () => clearTimeout(timer))
  })
  async function publish(): Promise<HandOutcome> {
    const client = await connectAsync(
      url,
      {
        protocolVersion: 4,
        clientId: `${gatewayId.slice(0, 40)}-hand-${randomBytes(4).toString('hex')}`,
        username: gatewayId,
        password: secret,
        clean: true,
        reconnectPeriod: 0,
        connectTimeout: waitMsMax,
      },
      false,
    )
    abandoned.signal.addEventListener('abort', () => client.end(true))
    // A broker that refuses the publish hangs up without a word.
    const refused = new Promise<never>((_, reject) =>
      client.once('close', () => reject(new Error('connection closed'))),
    )
    const begun = performance.now()
    await Promise.race([client.publishAsync(topic, JSON.stringify(reading), { qos: 1 }), refused])
    const ms = Math.round(performance.now() - begun)
    refused.catch((error: Error) => error)
    await client.endAsync()
    return { kind: 'safe', ms, topic }
  }
  const outcome = await Promise.race([
    publish().catch((error: Error): HandOutcome => ({ kind: 'failed', reason: error.message || String(error) })),
    late,
  ])
  abandoned.abort()
  return outcome
}
