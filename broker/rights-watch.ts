import type { Log } from '../kit/log.js'
import { type Loop, startLoop } from '../kit/loop.js'
import { within } from '../kit/within.js'
import type { GatewayCredentials } from './credentials.js'

/** Where changes of what gateways may do are asked for. All reject only when the database cannot be asked. */
export type RightsSource = {
  /** The gateways whose rights changed since an earlier call's `cursor`; without one, only where to go on from. */
  changedSince(cursor: string | undefined): Promise<{ cursor: string; gatewayIds: string[] }>
  rightsOf(gatewayIds: string[]): Promise<GatewayCredentials[]>
}

const firstLookMsMax = 1_000

/**
 * Asks again and again whose rights have changed: one question by index, however many are connected. Those who are
 * connected here are then judged by what the database says after that. Each change is looked at twice, in two rounds: what
 * somebody else had asked the database just before it may have let one in that comes right behind the first look.
 */
export function createRightsWatch({
  source,
  forget,
  isConnected,
  judge,
  sweep,
  pollMs,
  log,
}: {
  source: RightsSource
  forget: (gatewayIds: readonly string[]) => void
  isConnected: (gatewayId: string) => boolean
  /** What a connected gateway may do now; undefined: it is gone. */
  judge: (gatewayId: string, now: GatewayCredentials | undefined) => void
  /** Called each round, whether the database answers or not. */
  sweep: () => void
  pollMs: number
  log: Log
}) {
  let cursor: string | undefined
  let lookedAt: string[] = []
  let away = false
  let loop: Loop | undefined

  async function look() {
    const changed = await source.changedSince(cursor)
    const again = [...new Set([...changed.gatewayIds, ...lookedAt])]
    if (again.length > 0) {
      forget(again)
      const here = again.filter(isConnected)
      const now = here.length > 0 ? await source.rightsOf(here) : []
      const byId = new Map(now.map((gateway) => [gateway.gatewayId, gateway]))
      for (const gatewayId of here) judge(gatewayId, byId.get(gatewayId))
    }
    cursor = changed.cursor
    lookedAt = changed.gatewayIds
  }

  async function round() {
    sweep()
    try {
      await look()
      if (away) log.info({}, 'rights.watchedAgain')
      away = false
    } catch (error) {
      if (!away) log.warn({ error: (error as Error).message }, 'rights.notWatched')
      away = true
    }
    return 'idle' as const
  }

  return {
    /** Begins before the first gateway logs in; where the database does not answer, without waiting for it for long. */
    async start() {
      const first = round()
      let isFirst = true
      const work = () => {
        if (!isFirst) return round()
        isFirst = false
        return first
      }
      loop = startLoop({ name: 'rights', work, pauseMs: pollMs, log })
      await within(firstLookMsMax, first).catch(() => undefined)
    },
    async stop() {
      await loop?.stop()
      loop = undefined
    },
  }
}
