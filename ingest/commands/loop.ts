import { setTimeout as sleep } from 'node:timers/promises'
import { Counter, type Registry } from 'prom-client'
import {
  type ClaimedCommand,
  claimCommands,
  expireCommands,
  lookForCommands,
  postponeCommand,
  recordCommandFailed,
  recordCommandSent,
} from '../../db/command-queue.js'
import type { Queryable } from '../../db/pool.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { startLoop } from '../../kit/loop.js'
import type { Signal } from '../../kit/signal.js'
import { within } from '../../kit/within.js'
import { messageOf } from './message.js'
import { cannotDetail } from './model.js'

/**
 * delivered: the gateway has acknowledged it, or (`acknowledged` false) it was handed to a line or a broker that says no
 * more; no answer: it may have come or not.
 */
export type SendResult =
  | { kind: 'delivered'; acknowledged: boolean }
  | { kind: 'not connected' | 'not subscribed' | 'no answer' }
export type PublishTo = (
  gatewayId: string,
  message: { topic: string; payload: string; qos: 0 | 1 },
) => Promise<SendResult>

const pollMs = 1_000
const sendsMax = 64
/** The broker itself waits 10 s for the PUBACK. */
export const sendMsMax = 11_000
/** Longer than a send, so that no other process takes a command that is being sent. */
export const leaseMs = 15_000
const recordPauseMs = 500
const stopMsMax = 1_000
/** How long this process leaves a gateway alone after it; another one, to which it may have moved, asks sooner. */
const restMsAfter = { 'not connected': 1_000, 'not subscribed': 2_000, 'no answer': 3_000 } as const
const dueMsAfter = { 'not connected': 0, 'not subscribed': 1_000, 'no answer': 1_000 } as const
const detailOf = {
  'not connected': 'gateway away',
  'not subscribed': 'not subscribed',
  'no answer': 'no answer',
} as const

/**
 * Sends the commands that are due to the gateways that are connected to this process, any number of which may run against
 * one database. What the gateway has acknowledged is not sent again; what a crash interrupts is, with the same id, after
 * its lease.
 */
export function startCommandLoop({
  db,
  isConnected,
  publishTo,
  clock,
  log,
  metrics,
  signal,
}: {
  db: Queryable
  isConnected: (gatewayId: string) => boolean
  publishTo: PublishTo
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
}): { stop(): Promise<void> } {
  const sends = new Counter({
    name: 'shouwang_command_sends_total',
    help: 'Attempts to hand a command to a gateway',
    labelNames: ['result'],
    registers: [metrics],
  })
  const underWay = new Set<Promise<void>>()
  /** Delivered, and the database does not know it yet. */
  const delivered = new Map<string, { acknowledged: boolean }>()
  const restsUntil = new Map<string, number>()
  let stopping = false

  const isResting = (gatewayId: string) => {
    const until = restsUntil.get(gatewayId)
    if (until === undefined || until > performance.now()) return until !== undefined
    restsUntil.delete(gatewayId)
    return false
  }

  async function work(): Promise<'more' | 'idle'> {
    const now = clock.now()
    const found = await lookForCommands(db, now)
    if (found.expired) await expireCommands(db, now)
    const gatewayIds = found.gatewayIds.filter((gatewayId) => isConnected(gatewayId) && !isResting(gatewayId))
    const free = sendsMax - underWay.size
    if (gatewayIds.length === 0 || free <= 0) return 'idle'
    const claimedMs = performance.now()
    const claimed = await claimCommands(db, { gatewayIds, now, leaseMs, rowsMax: free })
    for (const command of claimed) {
      const sending: Promise<void> = send(command, claimedMs)
        .catch((error: unknown) => log.error({ err: error, commandId: command.commandId }, 'command.leftToItsLease'))
        .finally(() => {
          underWay.delete(sending)
          loop.nudge()
        })
      underWay.add(sending)
    }
    return 'idle'
  }

  async function send(claimed: ClaimedCommand, claimedMs: number): Promise<void> {
    const { commandId, gatewayId, device, command, attempt } = claimed
    const fail = (detail: string) => {
      log.warn({ commandId, gatewayId, command: command.name, detail }, 'command.failed')
      return recordCommandFailed(db, { commandId, now: clock.now(), detail })
    }
    const before = delivered.get(commandId)
    if (before) return recordSent(claimed, before)
    if (!device) return fail('device gone')
    const message = messageOf(device, claimed)
    if (!message) return fail(cannotDetail)
    // After a stall another process may have taken it over by the time it would arrive.
    const late = performance.now() - claimedMs > leaseMs - sendMsMax
    const result: SendResult = late ? { kind: 'not connected' } : await publish(gatewayId, message)
    const { kind } = result
    sends.inc({ result: kind })
    log.info({ commandId, gatewayId, command: command.name, attempt, result: kind }, 'command.attempted')
    if (result.kind === 'delivered') return recordSent(claimed, result)
    restsUntil.set(gatewayId, performance.now() + restMsAfter[result.kind])
    const dueAt = new Date(clock.now().getTime() + dueMsAfter[result.kind])
    const neverLeft = result.kind !== 'no answer'
    await postponeCommand(db, { commandId, dueAt, detail: detailOf[result.kind], neverLeft })
  }

  async function publish(gatewayId: string, message: { topic: string; payload: string }): Promise<SendResult> {
    try {
      return await within(sendMsMax, publishTo(gatewayId, { ...message, qos: 1 }))
    } catch (error) {
      log.warn({ gatewayId, error: (error as Error).message }, 'command.publishFailed')
      return { kind: 'no answer' }
    }
  }

  /** What has been delivered is not sent again because the database cannot note it now: that is tried while it could be. */
  async function recordSent(
    { commandId, expiresAt }: ClaimedCommand,
    { acknowledged }: { acknowledged: boolean },
  ): Promise<void> {
    delivered.set(commandId, { acknowledged })
    try {
      for (;;) {
        try {
          return await recordCommandSent(db, { commandId, now: clock.now(), acknowledged })
        } catch (error) {
          if (stopping || clock.now() > expiresAt) throw error
          log.warn({ commandId, error: (error as Error).message }, 'command.notRecordedYet')
          await sleep(recordPauseMs)
        }
      }
    } finally {
      delivered.delete(commandId)
    }
  }

  const loop = startLoop({ name: 'commands', work, pauseMs: pollMs, log })
  const unsubscribe = signal.on('commands', loop.nudge)
  return {
    stop: async () => {
      stopping = true
      unsubscribe()
      await loop.stop()
      // An acknowledgement that is on its way is waited for this long; without it the command is left to its lease.
      await Promise.race([Promise.all(underWay), sleep(stopMsMax, undefined, { ref: false })])
    },
  }
}
