import { Registry } from 'prom-client'
import { createArrivalFolder } from '../../alerts/fold-arrivals.js'
import type { AlertAction } from '../../alerts/lifecycle.js'
import type { Outcome } from '../../alerts/model.js'
import { actOnAlert, undoLast } from '../../db/alert-actions.js'
import { escalate } from '../../db/alerts.js'
import type { Database, Queryable } from '../../db/pool.js'
import { readingTopic } from '../../ingest/contract.js'
import { createIngest } from '../../ingest/ingest.js'
import { manualClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'
import { chance, type Random, whole } from '../../simulators/random.js'
import { settleCommunity } from './community.js'
import { type QueryArguments, statementOf } from './faulty-database.js'
import type { Stored } from './history.js'
import type { Plan } from './plan.js'
import { readStored } from './read-stored.js'
import type { Entry, StoredAlarm } from './recording.js'

type FoldEntry = Extract<Entry, { kind: 'fold' }>
/** The folder lets time run up to this long before its own, unless it is held back. */
const settleMs = 1_000
/** What the pass that is being made may look at, how many statements it lives for, and how far it may let time run. */
type Pass = { others: string[]; statementsLeft: number; heldUntil: Date | null }
const decisive: Entry['kind'][] = ['fold', 'escalate', 'action']

/**
 * Makes the decisions of a recording again, on an emptied database and without the faults of the run, and returns what
 * is stored then. Now and then a pass is left to the next one, the rules' process is exchanged for a new one, or it dies
 * within a pass, which is then made again.
 */
export async function replay(
  db: Database,
  { plan, recording, original, random }: { plan: Plan; recording: readonly Entry[]; original: Stored; random: Random },
): Promise<Stored> {
  await settleCommunity(db, plan)
  const clock = manualClock(new Date(plan.start))
  const parts = { clock, log: createLog({ role: 'replay', level: 'silent' }), signal: createSignal() }
  const ingest = createIngest({ db, ...parts, metrics: new Registry() })
  await ingest.start()
  const everybody = plan.homes.map(({ residentId }) => residentId)
  const pass: Pass = { others: [], statementsLeft: Number.POSITIVE_INFINITY, heldUntil: null }
  const newFolder = () => createArrivalFolder({ db: restricted(db, pass), ...parts })
  let folder = newFolder()

  /** Alerts are numbered otherwise here: transactions that were rolled back have used up numbers. */
  async function numberHere(alertId: number): Promise<number> {
    const alert = original.alerts.find((one) => one.alertId === alertId)!
    const isSame = (one: typeof alert) =>
      one.residentId === alert.residentId && one.kind === alert.kind && one.openedAt === alert.openedAt
    const nth = original.alerts.filter((one) => isSame(one) && one.alertId < alertId).length
    const { rows } = await db.query<{ n: number }>(
      'select alert_id as n from alerts where resident_id = $1 and kind = $2 and opened_at = $3 order by alert_id offset $4 limit 1',
      [alert.residentId, alert.kind, new Date(alert.openedAt), nth],
    )
    return rows[0]?.n ?? -1
  }

  async function makePass({ now, lookedUntil, residents }: FoldEntry): Promise<void> {
    clock.set(new Date(now))
    const heldUntil = lookedUntil < now - settleMs ? new Date(lookedUntil) : null
    // A folder remembers for a while that it was held back, or that it was not.
    if (heldUntil || pass.heldUntil) folder = newFolder()
    pass.heldUntil = heldUntil
    pass.others = everybody.filter((id) => !residents.includes(id))
    if (chance(random, 0.05)) folder = newFolder()
    if (chance(random, 0.03)) {
      pass.statementsLeft = whole(random, 1, 8)
      await folder().catch(() => undefined)
      pass.statementsLeft = Number.POSITIVE_INFINITY
      folder = newFolder()
    }
    await folder()
  }

  /** Whom a pass that was left out would have looked at: the next one does. */
  let leftOut: string[] = []
  /** A pass may be left to the next one, where that is before anybody acts on an alert. */
  function isLeftOut(index: number): boolean {
    const entry = recording[index] as FoldEntry
    if (!entry.canWait || !chance(random, 0.8)) return false
    return recording.slice(index + 1, index + 200).find(({ kind }) => decisive.includes(kind))?.kind === 'fold'
  }

  for (const [index, entry] of recording.entries()) {
    clock.set(new Date(entry.at))
    switch (entry.kind) {
      case 'readings':
      case 'presence':
        for (const { text, values } of entry.statements) await db.query(text, values)
        break
      case 'alarms':
        for (const alarm of entry.alarms) {
          if (alarm.told) await db.query('delete from alarm_episodes where device_no = $1', [alarm.deviceNo])
          await ingest.accept(messageOf(alarm))
        }
        break
      case 'fold':
        if (isLeftOut(index)) leftOut = [...leftOut, ...entry.residents]
        else {
          await makePass({ ...entry, residents: [...leftOut, ...entry.residents] })
          leftOut = []
        }
        break
      case 'escalate': {
        const alertId = await numberHere(entry.alertId)
        await db.transaction((tx) => escalate(tx, { alertId, now: new Date(entry.now) }))
        break
      }
      case 'action': {
        const alertId = await numberHere(entry.alertId)
        const { staffId } = entry
        const now = new Date(entry.now)
        if (entry.action === 'undo') {
          await undoLast(db, { alertId, staffId, via: 'console', now })
          break
        }
        const action: AlertAction =
          entry.action === 'close'
            ? { kind: 'close', outcome: entry.outcome as Outcome, note: '' }
            : { kind: entry.action }
        await actOnAlert(db, { alertId, action, staffId, via: 'console', now })
      }
    }
  }
  await ingest.stop()
  return readStored(db, plan.end)
}

/** A database through which a pass sees only its own residents, and which fails after so many statements. */
function restricted(db: Database, pass: Pass): Database {
  const through =
    (on: Queryable) =>
    async (...statement: QueryArguments) => {
      const { text, values } = statementOf(statement)
      if (pass.statementsLeft-- <= 0) throw Object.assign(new Error('the process died'), { code: '57P01' })
      if (text.includes('min(case when heartbeat_at')) return { rows: [{ at: pass.heldUntil }] }
      if (text.includes('s.wake_at <= $1 and')) return on.query(text, [values[0], values[1], pass.others])
      if (text.includes('resident_id <> all($1)')) return on.query(text, [pass.others, ...values.slice(1)])
      return on.query(text, values)
    }
  const query = through(db) as unknown as Queryable['query']
  return {
    ...db,
    query,
    transaction: (work) => db.transaction((tx) => work({ query: through(tx) as unknown as Queryable['query'] })),
  }
}

function messageOf({
  deviceId,
  gatewayId,
  kind,
  observedAt,
  receivedAt,
  event,
  value,
  unit,
  battery,
  clockWrong,
}: StoredAlarm) {
  const said = kind === 'button' ? { event } : { alarm: event === 'alarm', test: event === 'test', level: value, unit }
  const payload = { ...said, battery, ts: clockWrong ? null : observedAt }
  return {
    gatewayId,
    topic: readingTopic(gatewayId, deviceId, kind),
    payload: Buffer.from(JSON.stringify(payload)),
    retain: false,
    receivedAt: new Date(receivedAt),
  }
}
