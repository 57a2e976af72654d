import { type MonthNumbers, monthNumbers, nightsByPerson, type PersonNights } from '../../alerts/numbers.js'
import {
  type AlertRow,
  type MonthSpan,
  monthAlerts,
  monthNights,
  monthNotices,
  monthSpan,
  type NumbersCommunity,
} from '../../db/numbers.js'
import type { Database } from '../../db/pool.js'
import { localClock } from '../charts/days.js'

/** So many months back can be chosen: what is older than the record has no numbers anyway. */
const monthsMax = 36

/** Which month of which community is asked for, and which others there are, the newest first. */
export type Chosen = {
  community: NumbersCommunity
  month: string
  months: string[]
  current: string
  /** The month that was asked for, where it is not among `months`; `month` stands in for it. */
  outside: string | null
}

export type MonthReport = {
  community: NumbersCommunity
  span: MonthSpan
  alerts: AlertRow[]
  numbers: MonthNumbers
  /** The month before; null where the record begins later. */
  before: { month: string; numbers: MonthNumbers } | null
  people: PersonNights[]
  notices: number
  /** Days of the month that have begun. */
  daysPassed: number
  finished: boolean
}

/** "2026-10" and -1 → "2026-09". */
export function addMonths(month: string, count: number): string {
  const [year = 0, number = 1] = month.split('-').map(Number)
  return new Date(Date.UTC(year, number - 1 + count)).toISOString().slice(0, 7)
}

/**
 * What is asked for, as far as it makes sense: else the first community, and the last month that is over, or the current
 * one where the record begins in it. Undefined for a community that is not the viewer's.
 */
export function chooseMonth(
  communities: readonly NumbersCommunity[],
  asked: { community: string; month: string },
  now: Date,
): Chosen | undefined {
  const community =
    asked.community === '' ? communities[0] : communities.find(({ communityId }) => communityId === asked.community)
  if (!community) return undefined
  const monthOf = (at: Date) => localClock(at.getTime(), community.timeZone).date.slice(0, 7)
  const current = monthOf(now)
  const first = community.firstAlertAt ? monthOf(community.firstAlertAt) : current
  const months = [current]
  while (months.at(-1)! > first && months.length < monthsMax) months.push(addMonths(months.at(-1)!, -1))
  const month = months.includes(asked.month) ? asked.month : (months[1] ?? current)
  const outside = asked.month === '' || months.includes(asked.month) ? null : asked.month
  return { community, month, months, current, outside }
}

/** All about one month. `nameOf`: what a person is called where names are not to be seen. */
export async function loadMonth(
  db: Database,
  { chosen, now, nameOf }: { chosen: Chosen; now: Date; nameOf?: (index: number) => string },
): Promise<MonthReport> {
  const { community, month, months } = chosen
  const { communityId, timeZone } = community
  const monthBefore = addMonths(month, -1)
  const [span, spanBefore] = await Promise.all([
    monthSpan(db, { month, timeZone }),
    monthSpan(db, { month: monthBefore, timeZone }),
  ])
  const hasBefore = months.includes(monthBefore)
  const [both, nights, notices] = await Promise.all([
    // Both months in one go: it costs little more than one.
    monthAlerts(db, { communityId, span: { ...span, from: (hasBefore ? spanBefore : span).from }, now }),
    monthNights(db, { communityId, span }),
    monthNotices(db, { communityId, span }),
  ])
  const today = localClock(now.getTime(), timeZone).date
  const since = both.findIndex(({ openedAtMs }) => openedAtMs >= span.from.getTime())
  const alerts = since === -1 ? [] : both.slice(since)
  const finished = today.slice(0, 7) > month
  return {
    community,
    span,
    alerts,
    numbers: monthNumbers(alerts, span),
    before: hasBefore
      ? { month: monthBefore, numbers: monthNumbers(both.slice(0, both.length - alerts.length), spanBefore) }
      : null,
    // Without a name, the place in the list; the id would tell as much as the name.
    people: nightsByPerson(nights).map((person, index) =>
      nameOf ? { ...person, staffId: String(index + 1), name: nameOf(index) } : person,
    ),
    notices,
    daysPassed: finished ? span.days : Number(today.slice(8)),
    finished,
  }
}
