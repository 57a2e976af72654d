import { finishAbsence } from '../db/absences.js'
import { clearAlert, type NewAlert, openAlert } from '../db/alerts.js'
import { claimDueResidents, type DueResident, saveStates } from '../db/fold.js'
import { openNotices } from '../db/notices.js'
import type { Database, Queryable } from '../db/pool.js'
import { insertFinding } from '../db/quarantine.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { createDueTime } from './due-time.js'
import { type AlertKind, type Arrival, type Decision, isSilence, type Outcome, severityOf } from './model.js'
import { flowsOf } from './rules/flows.js'
import { type Context, emptyState, foldInto, forgetDevice, knowledge, type ResidentState } from './rules/fold.js'
import { holdsUntil } from './rules/holds.js'

const residentsMax = 200
/** Arrivals folded in one transaction, and in one turn of the loop: 30 ms that a page in the same process may have to wait. */
const entriesMax = 3_000
/** A resident whose fold fails (a bug) is passed over for this long, so that the others go on. */
const passOverMs = 60_000

/**
 * Folds what arrived into what is known of each resident, and commits the new state together with the alerts that
 * follow from it. One call works on one batch of residents.
 */
export function createArrivalFolder({
  db,
  alarmsPerMonth = null,
  clock,
  log,
  signal,
}: {
  db: Database
  alarmsPerMonth?: number | null
  clock: Clock
  log: Log
  signal: Signal
}) {
  const passedOver = new Map<string, number>()
  const dueAt = createDueTime({ db, clock, log })

  async function foldClaimed(only?: string): Promise<{ claimed: string[]; decided: number; error?: unknown }> {
    const now = clock.now()
    const due = await dueAt()
    let claimed: DueResident[] = []
    let decided = 0
    try {
      await db.transaction(async (tx) => {
        decided = 0
        claimed = await claimDueResidents(tx, {
          now: due,
          residentsMax,
          entriesMax,
          except: [...passedOver.keys()],
          only,
        })
        const states = []
        const notices: NewAlert[] = []
        for (const resident of claimed) {
          const { state, wakeAt, decisions } = foldOne(resident, due.getTime(), alarmsPerMonth)
          // Notices are opened together at the end, unless what comes after one of them may be about the same thing.
          if (decisions.every(isNotice)) notices.push(...decisions.map((open) => newAlert(resident.residentId, open)))
          else for (const decision of decisions) await apply(tx, resident.residentId, decision, now)
          decided += decisions.length
          const { knowledge: word, lastUseAt } = knowledge(state, now.getTime())
          const holds = holdsUntil(state, now.getTime())
          const flows = flowsOf(state)
          states.push({
            residentId: resident.residentId,
            state,
            wakeAt,
            knowledge: word,
            lastUseAt,
            holdsUntil: holds,
            flows,
          })
        }
        await openNotices(tx, notices)
        await saveStates(tx, { states, now })
      })
      return { claimed: claimed.map(({ residentId }) => residentId), decided }
    } catch (error) {
      return { claimed: claimed.map(({ residentId }) => residentId), decided: 0, error }
    }
  }

  return async () => {
    const now = clock.now().getTime()
    for (const [residentId, until] of passedOver) if (until <= now) passedOver.delete(residentId)
    const batch = await foldClaimed()
    let { decided } = batch
    if (batch.error !== undefined) {
      if (batch.claimed.length === 0) throw batch.error
      for (const residentId of batch.claimed) {
        const alone = await foldClaimed(residentId)
        decided += alone.decided
        if (alone.error === undefined) continue
        passedOver.set(residentId, now + passOverMs)
        log.error({ err: alone.error, residentId }, 'fold.failed')
      }
    }
    if (decided > 0) {
      signal.raise('alerts')
      signal.raise('pages')
    }
    return batch.claimed.length > 0 ? 'more' : 'idle'
  }
}

function foldOne(
  { state: stored, deviceNos, arrivals, timeZone, more }: DueResident,
  due: number,
  alarmsPerMonth: number | null,
) {
  const context = { timeZone, alarmsPerMonth }
  const last = arrivals.at(-1)?.receivedAt ?? 0
  const now = more ? last : Math.max(last, due)
  // A device that hangs elsewhere now is silent here for a good reason.
  if (deviceNos.length === 0) return folded(emptyState(), [], now, context)
  const bound = new Set(deviceNos)
  let state = (stored as ResidentState | null) ?? emptyState()
  for (const deviceNo of Object.keys(state.health).map(Number))
    if (!bound.has(deviceNo)) state = forgetDevice(state, deviceNo)
  const ours = arrivals.filter((arrival) => arrival.type !== 'reading' || bound.has(arrival.deviceNo))
  return folded(state, ours, now, context)
}

/** The state was read for this, and is read again where the commit fails: a copy would only cost. */
function folded(state: ResidentState, arrivals: Arrival[], now: number, context: Context) {
  const decisions: Decision[] = []
  const wakeAt = foldInto(state, arrivals, now, context, decisions)
  return { state, decisions, wakeAt }
}

type Open = Extract<Decision, { type: 'open' }>

const isNotice = (decision: Decision): decision is Open =>
  decision.type === 'open' && severityOf[decision.kind] === 'notice'

const newAlert = (
  residentId: string,
  { kind, deviceNo, openedAt, observedAt, headline, reason, askUntil }: Open,
): NewAlert => ({
  residentId,
  deviceNo: deviceNo ?? null,
  kind,
  openedAt: new Date(openedAt),
  observedAt: new Date(observedAt),
  headline,
  reason,
  ...(askUntil === undefined ? {} : { askUntil: new Date(askUntil) }),
})

async function apply(tx: Queryable, residentId: string, decision: Decision, now: Date) {
  switch (decision.type) {
    case 'open':
      if (severityOf[decision.kind] === 'notice') await openNotices(tx, [newAlert(residentId, decision)])
      else await openAlert(tx, newAlert(residentId, decision), now)
      return
    case 'clear': {
      const { kind, headline } = decision
      await clearAlert(tx, {
        residentId,
        kind,
        deviceNo: decision.deviceNo ?? null,
        at: new Date(decision.at),
        headline,
        outcome: decision.outcome ?? outcomeOfClear(kind),
      })
      return
    }
    case 'back':
      return finishAbsence(tx, { residentId, ...decision })
    case 'finding':
      return insertFinding(tx, { ...decision, foundAt: now.getTime() })
  }
}

/** How an alert ends that cleared by itself before anybody took it. */
function outcomeOfClear(kind: AlertKind): Outcome {
  if (isSilence(kind)) return 'resident fine'
  if (kind === 'night_visits') return 'other'
  return kind === 'water_running' || kind === 'leak_standing' || kind === 'appliance_on' ? 'other' : 'device fault'
}
