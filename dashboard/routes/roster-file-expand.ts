import ICAL from 'ical.js'
import type { EpochMs } from '../../alerts/model.js'
import type { LeftReason } from './roster-file.js'
import { type WallClock, wallTime, type Zones } from './roster-file-zones.js'

const dayMs = 86_400_000
const minuteMs = 60_000

type Occurrence = { event: ICAL.Component; from: EpochMs; until: EpochMs }
type Written = { wall: number; clock: WallClock; isDate: boolean }

/**
 * The occurrences of one event with the exceptions from it, in `span`: as RFC 5545 has it, by the wall clock of its zone.
 * @throws when it is malformed, or takes more than what is left of `budget`
 */
export function expandEvent(
  group: ICAL.Component[],
  p: {
    zones: Zones
    span: { from: EpochMs; until: EpochMs }
    budget: { steps: number }
    minutesMax: number
  },
): { shifts: Occurrence[] } | { reason: LeftReason } {
  const exceptions = group.filter((event) => event.hasProperty('recurrence-id'))
  const masters = group.filter((event) => !event.hasProperty('recurrence-id'))
  if (masters.length > 1) return { reason: 'unclear' }
  const [master] = masters
  const moved = new Map<EpochMs, ICAL.Component>()
  for (const event of exceptions) {
    const property = event.getFirstProperty('recurrence-id')!
    if (property.getParameter('range') !== undefined) return { reason: 'repeats' }
    const of = writtenIn(property, p.zones)
    if (!of) return { reason: 'unknown zone' }
    if (of.isDate) return { reason: 'all day' }
    moved.set(of.clock.instantOf(of.wall), event)
  }

  const shifts: Occurrence[] = []
  const add = (event: ICAL.Component, from: EpochMs, until: EpochMs) => {
    if (until > p.span.from && from < p.span.until) shifts.push({ event, from, until })
  }
  if (master && isCancelled(master)) return { reason: 'cancelled' }
  const times = master && timesOf(master, p)
  if (times && 'reason' in times) return times
  if (master && times) {
    const { clock, lengthMs } = times
    const begins = beginnings(master, { ...p, ...times })
    if ('reason' in begins) return begins
    for (const each of begins.walls) {
      const from = clock.instantOf(each)
      if (!moved.has(from)) add(master, from, clock.instantOf(each + lengthMs))
    }
  }
  for (const event of moved.values()) {
    if (isCancelled(event)) continue
    const own = timesOf(event, p)
    if ('reason' in own) return own
    add(event, own.clock.instantOf(own.wall), own.clock.instantOf(own.wall + own.lengthMs))
  }
  return { shifts }
}

const isCancelled = (event: ICAL.Component) =>
  String(event.getFirstPropertyValue('status') ?? '').toUpperCase() === 'CANCELLED'

function writtenIn(property: ICAL.Property, zones: Zones, time = property.getFirstValue()): Written | undefined {
  if (!(time instanceof ICAL.Time)) throw new Error('no time')
  const wall = wallTime(time)
  if (!Number.isFinite(wall)) throw new Error('no time')
  if (time.isDate) return { wall, clock: { instantOf: (at) => at, wallOf: (at) => at }, isDate: true }
  const clock = zones.clockOf(property, time)
  return clock && { wall, clock, isDate: false }
}

/** When it begins and how long it lasts by the wall clock. */
function timesOf(
  event: ICAL.Component,
  { zones, minutesMax }: { zones: Zones; minutesMax: number },
): { wall: number; clock: WallClock; lengthMs: number } | { reason: LeftReason } {
  const startProperty = event.getFirstProperty('dtstart')
  if (!startProperty) return { reason: 'unclear' }
  const start = writtenIn(startProperty, zones)
  if (!start) return { reason: 'unknown zone' }
  if (start.isDate) return { reason: 'all day' }
  const { wall, clock } = start
  const duration = event.getFirstPropertyValue('duration')
  const endProperty = event.getFirstProperty('dtend')
  let lengthMs: number
  if (endProperty) {
    const end = writtenIn(endProperty, zones)
    if (!end) return { reason: 'unknown zone' }
    if (end.isDate) return { reason: 'all day' }
    // Written by another clock, it is as long as it is the first time.
    lengthMs = end.clock === clock ? end.wall - wall : clock.wallOf(end.clock.instantOf(end.wall)) - wall
  } else if (duration instanceof ICAL.Duration) lengthMs = duration.toSeconds() * 1_000
  else return { reason: 'no end' }
  if (!(lengthMs > 0)) return { reason: 'no end' }
  return lengthMs > minutesMax * minuteMs ? { reason: 'too long' } : { wall, clock, lengthMs }
}

/** The wall times at which it begins, up to the end of the span. */
function beginnings(
  event: ICAL.Component,
  p: {
    zones: Zones
    span: { from: EpochMs; until: EpochMs }
    budget: { steps: number }
    minutesMax: number
    wall: number
    clock: WallClock
  },
): { walls: number[] } | { reason: LeftReason } {
  const { wall, clock } = p
  const walls = new Set([wall])
  const last = clock.wallOf(p.span.until) + dayMs
  const rules = event.getAllProperties('rrule').map((each) => each.getFirstValue() as unknown as ICAL.Recur)
  if (rules.length > 1 || event.hasProperty('exrule')) return { reason: 'repeats' }
  const [rule] = rules
  if (rule) {
    if (!isPlain(rule)) return { reason: 'repeats' }
    if (rule.until && rule.until.zone === ICAL.Timezone.utcTimezone)
      rule.until = floating(clock.wallOf(wallTime(rule.until)))
    // Until a day means: until the end of that day.
    else if (rule.until?.isDate) rule.until = floating(wallTime(rule.until) + dayMs - 1_000)
    const iterator = rule.iterator(
      floating(wall + skippedMs(rule, clock.wallOf(p.span.from) - p.minutesMax * minuteMs - wall)),
    )
    for (let next = iterator.next(); next; next = iterator.next()) {
      if (--p.budget.steps <= 0) throw new Error('too many')
      const each = wallTime(next)
      if (each > last) break
      walls.add(each)
    }
  }
  for (const property of event.getAllProperties('rdate'))
    for (const value of property.getValues()) {
      const time = value instanceof ICAL.Period ? value.start : value
      const written = writtenIn(property, p.zones, time)
      if (!written) return { reason: 'unknown zone' }
      if (written.isDate) return { reason: 'all day' }
      walls.add(clock.wallOf(written.clock.instantOf(written.wall)))
    }
  const skipped = new Set<number>()
  const skippedDays = new Set<number>()
  for (const property of event.getAllProperties('exdate'))
    for (const value of property.getValues()) {
      const written = writtenIn(property, p.zones, value as unknown as ICAL.Time)
      if (!written) return { reason: 'unknown zone' }
      // Some write the day alone.
      if (written.isDate) skippedDays.add(written.wall)
      else skipped.add(written.clock.instantOf(written.wall))
    }
  return {
    walls: [...walls].filter(
      (each) => !skipped.has(clock.instantOf(each)) && !skippedDays.has(Math.floor(each / dayMs) * dayMs),
    ),
  }
}

/** Of the time that has passed, as much as a rule without a count can leave out: whole turns of it. */
function skippedMs({ freq, interval, count }: ICAL.Recur, passedMs: number): number {
  if (count || freq === 'MONTHLY' || passedMs <= 0) return 0
  const turnMs = interval * (freq === 'DAILY' ? 1 : 7) * dayMs
  // One more for the week that the rule begins in.
  return Math.max(0, Math.floor(passedMs / turnMs) - 1) * turnMs
}

const floating = (wall: number): ICAL.Time => {
  const time = ICAL.Time.fromJSDate(new Date(wall), true)
  time.zone = ICAL.Timezone.localTimezone
  return time
}

const partsAllowed: Record<string, string[]> = {
  DAILY: ['BYDAY'],
  WEEKLY: ['BYDAY'],
  MONTHLY: ['BYDAY', 'BYMONTHDAY', 'BYSETPOS'],
}
const intervalMax: Record<string, number> = { DAILY: 99, WEEKLY: 52, MONTHLY: 6 }

/** Rules that shifts have. The library looks for ever for a date that others never give: "every 7th day, on Tuesdays". */
function isPlain({ freq, interval, parts }: ICAL.Recur): boolean {
  const allowed = partsAllowed[freq]
  const by = Object.keys(parts)
  if (!allowed || interval > intervalMax[freq]! || !by.every((part) => allowed.includes(part))) return false
  if (freq === 'DAILY') return by.length === 0 || interval % 7 !== 0
  return !(by.includes('BYDAY') && by.includes('BYMONTHDAY'))
}
