import type { EpochMs } from './model.js'
import { type DayNumber, dayOfDate, instantOf, minuteOfClock, wallOf, weekdayOf, weekOf } from './roster-time.js'

/**
 * Who is on duty when. Pure: the roster and the time are arguments. Weekly shifts follow the wall clock of the community,
 * so that a night from 20:00 to 08:00 ends at 08:00 also where the clock was changed in it.
 */
export type Roster = {
  /** IANA zone of the community. */
  timeZone: string
  weekly: readonly WeeklyShift[]
  shifts: readonly OneOffShift[]
  /** What was agreed first comes first; changes of one `edit` are made at once. */
  changes: readonly RosterChange[]
  /** Who cannot be told any more: what they carry is carried by nobody. */
  gone: readonly string[]
}

export type WeeklyShift = {
  weeklyShiftId: number
  staffId: string
  /** 1 Monday … 7 Sunday. */
  weekday: number
  /** Local time, "HH:MM". */
  start: string
  /** By the wall clock; may pass midnight. At most `shiftMinutesMax`. */
  minutes: number
  /** Local date "YYYY-MM-DD" before which it does not begin. */
  validFrom: string
  /** The last local date on which it may begin; null: for ever. */
  validUntil: string | null
  /** 1: each week; 2: every other week …, counted from the week (Monday to Sunday) of `validFrom`. */
  everyWeeks: number
}

export type OneOffShift = { shiftId: number; staffId: string; startsAt: EpochMs; endsAt: EpochMs }

export const changeReasons = ['swap', 'ill', 'holiday', 'other'] as const
export type ChangeReason = (typeof changeReasons)[number]

/** From `from` until `until` what `staffId` carries is carried by the stand-in. */
export type RosterChange = {
  changeId: number
  edit: number
  from: EpochMs
  until: EpochMs
  /** null: whatever the weekly shifts say, as on a public holiday. */
  staffId: string | null
  /** null: nobody. */
  standInStaffId: string | null
  reason: ChangeReason
}

/** A concrete shift, or the part of one that one person carries. */
export type Shift = {
  staffId: string
  startsAt: EpochMs
  endsAt: EpochMs
  /** Who would carry it without a change; null where it is the same person. */
  insteadOf: string | null
  source: { kind: 'weekly'; weeklyShiftId: number; date: string } | { kind: 'one-off'; shiftId: number }
}

export type Span = { from: EpochMs; until: EpochMs }
/** Who ends and who begins at `at`; `stay` are on duty before and after. */
export type HandOver = { at: EpochMs; end: string[]; begin: string[]; stay: string[] }

export const shiftMinutesMax = 7 * 24 * 60
export const everyWeeksMax = 8

const dayMinutes = 24 * 60
const dayMs = 86_400_000

/** Each shift of which some part lies in [from, until), whole, after all changes: by beginning, then end, then person. */
export function shiftsBetween(roster: Roster, from: EpochMs, until: EpochMs): Shift[] {
  const gone = new Set(roster.gone)
  return [...weeklyBetween(roster, from, until), ...oneOffBetween(roster, from, until)]
    .flatMap((shift) => carried(shift, roster.changes))
    .filter(({ staffId, startsAt, endsAt }) => startsAt < until && from < endsAt && !gone.has(staffId))
    .sort((a, b) => a.startsAt - b.startsAt || a.endsAt - b.endsAt || order(a.staffId, b.staffId))
}

/** The staff on duty at an instant, each once, in an order that no collation decides. */
export function onDutyAt(roster: Roster, at: EpochMs): string[] {
  return peopleOf(shiftsBetween(roster, at, at + 1))
}

/** The spans within [from, until) in which nobody is on duty. */
export function holesBetween(roster: Roster, from: EpochMs, until: EpochMs): Span[] {
  const holes: Span[] = []
  let covered = from
  for (const { startsAt, endsAt } of shiftsBetween(roster, from, until)) {
    if (startsAt > covered) holes.push({ from: covered, until: startsAt })
    covered = Math.max(covered, endsAt)
  }
  if (covered < until) holes.push({ from: covered, until })
  return holes
}

/** Each instant in [from, until) at which it is no longer the same people who are on duty. */
export function handOversBetween(roster: Roster, from: EpochMs, until: EpochMs): HandOver[] {
  const shifts = shiftsBetween(roster, from - 1, until)
  const instants = [...new Set(shifts.flatMap(({ startsAt, endsAt }) => [startsAt, endsAt]))]
    .filter((at) => from <= at && at < until)
    .sort((a, b) => a - b)
  const onDuty = (at: EpochMs) => peopleOf(shifts.filter(({ startsAt, endsAt }) => startsAt <= at && at < endsAt))
  return instants.flatMap((at) => {
    const before = onDuty(at - 1)
    const after = onDuty(at)
    const end = before.filter((staffId) => !after.includes(staffId))
    const begin = after.filter((staffId) => !before.includes(staffId))
    const stay = after.filter((staffId) => before.includes(staffId))
    return end.length + begin.length > 0 ? [{ at, end, begin, stay }] : []
  })
}

/** Whether a weekly shift begins on this day. */
export function beginsOn(shift: WeeklyShift, day: DayNumber): boolean {
  const first = dayOfDate(shift.validFrom)
  if (first === undefined || day < first || weekdayOf(day) !== shift.weekday) return false
  if (shift.validUntil !== null && day > (dayOfDate(shift.validUntil) ?? first - 1)) return false
  return (weekOf(day) - weekOf(first)) % shift.everyWeeks === 0
}

const order = (a: string, b: string) => (a < b ? -1 : a > b ? 1 : 0)
const peopleOf = (shifts: readonly Shift[]) => [...new Set(shifts.map(({ staffId }) => staffId))].sort(order)

function weeklyBetween({ weekly, timeZone }: Roster, from: EpochMs, until: EpochMs): Shift[] {
  const shifts: Shift[] = []
  const firstDay = wallOf(from, timeZone).day
  // A clock that goes back shows the day before once more.
  const lastDay = wallOf(until, timeZone).day + 1
  for (const shift of weekly) {
    const start = minuteOfClock(shift.start)
    if (start === undefined) continue
    let day = firstDay - Math.ceil((start + shift.minutes) / dayMinutes)
    day += (shift.weekday - weekdayOf(day) + 7) % 7
    for (; day <= lastDay; day += 7) {
      if (!beginsOn(shift, day)) continue
      const startsAt = instantOf(day, start, timeZone)
      const endsAt = instantOf(day, start + shift.minutes, timeZone)
      if (startsAt >= until || endsAt <= from || startsAt >= endsAt) continue
      const { weeklyShiftId, staffId } = shift
      const date = new Date(day * dayMs).toISOString().slice(0, 10)
      shifts.push({ staffId, startsAt, endsAt, insteadOf: null, source: { kind: 'weekly', weeklyShiftId, date } })
    }
  }
  return shifts
}

const oneOffBetween = ({ shifts }: Roster, from: EpochMs, until: EpochMs): Shift[] =>
  shifts
    .filter(({ startsAt, endsAt }) => startsAt < until && from < endsAt && startsAt < endsAt)
    .map(({ shiftId, ...shift }) => ({ ...shift, insteadOf: null, source: { kind: 'one-off' as const, shiftId } }))

/** Who carries which part of a shift: cut where a change begins or ends, joined again where it is the same person. */
function carried(shift: Shift, changes: readonly RosterChange[]): Shift[] {
  const touching = changes.filter(({ from, until }) => from < shift.endsAt && shift.startsAt < until && from < until)
  if (touching.length === 0) return [shift]
  const cuts = new Set([shift.startsAt, shift.endsAt])
  for (const { from, until } of touching)
    for (const at of [from, until]) if (shift.startsAt < at && at < shift.endsAt) cuts.add(at)
  const instants = [...cuts].sort((a, b) => a - b)
  const parts: Shift[] = []
  for (const [index, startsAt] of instants.slice(0, -1).entries()) {
    const endsAt = instants[index + 1]!
    const staffId = carrierAt(shift, touching, startsAt)
    if (staffId === null) continue
    const last = parts.at(-1)
    if (last?.staffId === staffId && last.endsAt === startsAt) last.endsAt = endsAt
    else
      parts.push({ ...shift, staffId, startsAt, endsAt, insteadOf: staffId === shift.staffId ? null : shift.staffId })
  }
  return parts
}

/** One edit after the other: what a person carries by then is handed on. Both halves of a swap see what was before it. */
function carrierAt(shift: Shift, changes: readonly RosterChange[], at: EpochMs): string | null {
  let carrier: string | null = shift.staffId
  const isWeekly = shift.source.kind === 'weekly'
  let edit: number | undefined
  let before: string | null = carrier
  for (const change of changes) {
    if (at < change.from || change.until <= at) continue
    if (change.edit !== edit) {
      edit = change.edit
      before = carrier
    }
    const concerns = change.staffId === null ? isWeekly : change.staffId === before
    if (concerns) carrier = change.standInStaffId
  }
  return carrier
}
