import type { EpochMs } from '../../alerts/model.js'
import type { Queryable } from '../../db/pool.js'
import type { ReadingKind } from '../../ingest/contract.js'
import type { StandInAlert } from '../../ingest/stand-in/record.js'
import type { Statement } from './faulty-database.js'
import type { Action } from './history.js'

/** An alarm as it is stored. */
export type StoredAlarm = {
  deviceId: string
  deviceNo: number
  gatewayId: string
  kind: ReadingKind
  observedAt: EpochMs
  receivedAt: EpochMs
  event: string
  value: number | null
  unit: string | null
  battery: number | null
  clockWrong: boolean
  /** It was paged by an edge, and so is an alert of its own. */
  told?: boolean
}

/**
 * What has to be kept of a run so that its decisions can be made again, in the order of the commits:
 * - the readings of each commit with their times of arrival; of alarms, those that were judged in it;
 * - what the edge saw of connections;
 * - each pass of the rules: its time, how far it let time run, whom it looked at, and whether all that had arrived by then was committed. A pass lets time run up to a second before its own time, or
 *   less far while an edge may hold something back. It
 *   stands between two commits: what was committed after it, it did not know, however early that had arrived;
 * - what people did, and when alerts came back to the chain: both decide what becomes of an alert that is open when the
 *   rules open or clear the same thing again.
 * Pages, and the times at which further steps were taken, decide nothing about alerts, and are left out.
 */
export type Entry = { at: EpochMs } & (
  | { kind: 'readings'; statements: Statement[] }
  | { kind: 'alarms'; alarms: StoredAlarm[] }
  | { kind: 'presence'; statements: Statement[] }
  | { kind: 'fold'; now: EpochMs; lookedUntil: EpochMs; residents: string[]; canWait: boolean }
  | { kind: 'escalate'; now: EpochMs; alertId: number }
  | (Action & { kind: 'action'; now: EpochMs; outcome: string | null })
)

const actions = { acknowledged: 'acknowledge', en_route: 'en_route', arrived: 'arrived', closed: 'close' } as const

const isOf =
  ({ deviceNo, observedAt, event }: StoredAlarm) =>
  ({ deviceNo: no, reading }: StandInAlert) =>
    no === deviceNo && reading.observedAt === observedAt && reading.event === event

/** Turns what was committed into entries. `db` is the real database, which is asked for the alarms of a commit. */
export function createRecorder({
  db,
  underWaySince,
  handedOver,
}: {
  db: Queryable
  /** Since when something that has arrived waits for its commit (epoch ms). */
  underWaySince: () => EpochMs
  /** What stand-ins have handed over. */
  handedOver: readonly StandInAlert[]
}) {
  const known = new Set<string>()

  async function newAlarms(): Promise<StoredAlarm[]> {
    const { rows } = await db.query<StoredAlarm>(
      `select device_id as "deviceId", device_no as "deviceNo", gateway_id as "gatewayId", kind, event, value, unit, battery,
              (extract(epoch from observed_at) * 1000)::float8 as "observedAt",
              (extract(epoch from received_at) * 1000)::float8 as "receivedAt", coalesce(clock_wrong, false) as "clockWrong"
         from readings join devices using (device_no)
        where kind in ('button', 'smoke', 'gas') order by received_at, observed_at`,
    )
    const keyOf = (row: StoredAlarm) => `${row.deviceId} ${row.observedAt} ${row.event}`
    return rows.filter((row) => !known.has(keyOf(row)) && known.add(keyOf(row)))
  }

  return async (statements: readonly Statement[], at: EpochMs): Promise<Entry[]> => {
    const find = (...parts: string[]) => statements.find(({ text }) => parts.every((part) => text.includes(part)))
    const stores = statements.filter(
      ({ text }) => /into (readings|arrivals)\b/.test(text) && !text.includes("'presence'"),
    )
    if (stores.length > 0) {
      if (!find('alarm_episodes')) return [{ kind: 'readings', at, statements: stores }]
      const isTold = find('update alerts set step = $2, round = 0') !== undefined
      const alarms = (await newAlarms()).map((alarm) => {
        const told = isTold ? handedOver.findLast(isOf(alarm)) : undefined
        // Of two copies the edge may have told of one and stored the other.
        return told ? { ...alarm, told: true, receivedAt: told.openedAt } : alarm
      })
      return [{ kind: 'alarms', at, alarms }]
    }
    const presence = statements.filter(({ text }) => text.includes("'presence'") || text.includes('insert into edges'))
    if (presence.length > 0) return [{ kind: 'presence', at, statements: presence }]
    const saved = find('update resident_state s set state')
    if (saved) {
      const claimedAt = find('s.wake_at <= $1')?.values[0] ?? find('insert into resident_state')!.values[1]
      const residents = saved.values[0] as string[]
      const lookedUntil = (claimedAt as Date).getTime()
      // Then the same decisions come of a later pass.
      const canWait = underWaySince() > lookedUntil
      return [{ kind: 'fold', at, now: (saved.values[3] as Date).getTime(), lookedUntil, residents, canWait }]
    }
    const claimed = find('as told', 'skip locked')
    if (claimed && find('update alerts set stage = $2, step = $3')) {
      const [now, , alertId] = claimed.values as [Date, Date, number]
      return [{ kind: 'escalate', at, now: now.getTime(), alertId }]
    }
    const acted = find('update alerts set stage = $2, handled_by = $3')
    if (!acted) return []
    const event = find('insert into alert_events')!.values
    const now = (event[1] as Date).getTime()
    if (acted.text.includes('closed_at = null')) {
      const [alertId, , , staffId] = event as [number, Date, string, string]
      return [{ kind: 'action', at, now, alertId, staffId, action: 'undo', outcome: null }]
    }
    const [alertId, stage, staffId, , outcome] = acted.values as [
      number,
      keyof typeof actions,
      string,
      Date,
      string | null,
    ]
    return [{ kind: 'action', at, now, alertId, staffId, action: actions[stage], outcome }]
  }
}
