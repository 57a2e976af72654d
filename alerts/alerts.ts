import type { Registry } from 'prom-client'
import { countUnreachable } from '../db/chain.js'
import type { Database } from '../db/pool.js'
import { keepSilenceBudget } from '../db/silence-budget.js'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import { startLoop } from '../kit/loop.js'
import type { Signal } from '../kit/signal.js'
import { createAskWatch } from './ask-next.js'
import type { Channel } from './channels/channel.js'
import { createEscalator } from './escalate-due.js'
import { createArrivalFolder } from './fold-arrivals.js'
import { startMaintenance } from './maintenance.js'
import { createMessagesOutbox } from './messages-outbox.js'
import { createOutbox } from './outbox.js'
import { startReplies } from './replies/replies.js'
import { createIncidentWatch } from './watch-incidents.js'
import { createQuietStreetWatch } from './watch-quiet-streets.js'

const pollMs = 500
const incidentsPauseMs = 15_000
/** What the meters tell of a street does not change faster. */
const streetsPauseMs = 60_000
/** What a home was asked is answered in seconds, and the next way has half an hour. */
const asksPauseMs = 2_000

/**
 * The alerts role: folds arrivals into what is known of residents, takes the steps of escalation that are due, sends
 * pages, and keeps the database in shape. `alarmsPerMonth`: see `Context`; the fixed rules alone unless told. Any number of these may run against one database.
 */
export async function startAlerts({
  db,
  channels,
  publicUrl,
  retentionDays,
  alarmsPerMonth = null,
  replies,
  clock,
  log,
  metrics,
  signal,
  teardown,
}: {
  db: Database
  channels: Channel[]
  publicUrl: string
  retentionDays: number
  alarmsPerMonth?: number | null
  /** The mailbox that replies to pages go to. */
  replies?: { imapUrl: string; mailbox: string } | undefined
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  teardown: Teardown
}): Promise<void> {
  const people = await countUnreachable(db, { channelKinds: channels.map(({ kind }) => kind) })
  if (people > 0)
    log.warn(
      { people, channels: channels.map(({ kind }) => kind) },
      'staff.unreachable: no channel that this server can use',
    )
  await keepSilenceBudget(db, { alarmsPerMonth, now: clock.now() })
  const outbox = createOutbox({ db, channels, publicUrl, clock, log, metrics, signal })
  outbox.start()
  teardown.add('outbox', outbox.stop)
  // Stopped before the outbox, which stops the channels.
  const messages = createMessagesOutbox({ db, channels, publicUrl, clock, log, metrics, signal })
  messages.start()
  teardown.add('messages', messages.stop)

  const escalation = startLoop({
    name: 'escalation',
    pauseMs: pollMs,
    log,
    work: createEscalator({ db, clock, log, signal }),
  })
  teardown.add('escalation', escalation.stop)

  const asks = startLoop({ name: 'asks', pauseMs: asksPauseMs, log, work: createAskWatch({ db, clock, log, signal }) })
  const unsubscribeAsks = [signal.on('commands', asks.nudge), signal.on('messages', asks.nudge)]
  teardown.add('asks', () => {
    for (const each of unsubscribeAsks) each()
    return asks.stop()
  })

  const folding = startLoop({
    name: 'folding',
    pauseMs: pollMs,
    log,
    work: createArrivalFolder({ db, alarmsPerMonth, clock, log, signal }),
  })
  const unsubscribe = signal.on('arrivals', folding.nudge)
  teardown.add('folding', () => {
    unsubscribe()
    return folding.stop()
  })

  if (replies) {
    const watching = startReplies({ db, ...replies, clock, log, metrics, signal })
    teardown.add('replies', watching.stop)
  }

  const incidents = startLoop({
    name: 'incidents',
    pauseMs: incidentsPauseMs,
    log,
    work: createIncidentWatch({ db, clock, log, signal }),
  })
  teardown.add('incidents', incidents.stop)

  const streets = startLoop({
    name: 'quiet streets',
    pauseMs: streetsPauseMs,
    log,
    work: createQuietStreetWatch({ db, clock, log, signal }),
  })
  teardown.add('quiet streets', streets.stop)

  const maintenance = startMaintenance({
    db,
    retentionDays,
    alarmsPerMonth,
    channelKinds: channels.map(({ kind }) => kind),
    clock,
    log,
  })
  teardown.add('maintenance', maintenance.stop)
}
