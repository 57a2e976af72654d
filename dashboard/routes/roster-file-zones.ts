import ICAL from 'ical.js'
import type { EpochMs } from '../../alerts/model.js'
import { instantOf } from '../../alerts/roster-time.js'
import { offsetMsAt } from '../../alerts/rules/zone.js'

const minuteMs = 60_000
const dayMs = 86_400_000

/** A wall clock: turns what it shows, as ms of a time written in UTC, into an instant, and back. */
export type WallClock = { instantOf(wall: number): EpochMs; wallOf(at: EpochMs): number }
/** The clock that a time is written by; undefined for a zone that nobody knows. */
export type Zones = { clockOf(property: ICAL.Property, time: ICAL.Time): WallClock | undefined }

const utc: WallClock = { instantOf: (wall) => wall, wallOf: (at) => at }

/**
 * The zones of some calendars: by their names where these are known, as what a calendar says of a known zone is often cut
 * short, else by what it says. `timeZone` is for times without any.
 */
export function createZones(calendars: ICAL.Component[], timeZone: string): Zones {
  const described = new Map<string, ICAL.Component>()
  for (const calendar of calendars)
    for (const zone of calendar.getAllSubcomponents('vtimezone'))
      described.set(String(zone.getFirstPropertyValue('tzid') ?? ''), zone)
  const clocks = new Map<string, WallClock | undefined>()
  const clockOfZone = (tzid: string): WallClock | undefined => {
    if (!clocks.has(tzid)) {
      const zone = described.get(tzid)
      clocks.set(
        tzid,
        isKnown(tzid) ? namedClock(tzid) : zone && isPlain(zone) ? describedClock(zone, tzid) : undefined,
      )
    }
    return clocks.get(tzid)
  }
  return {
    clockOf: (property, time) => {
      if (time.zone === ICAL.Timezone.utcTimezone) return utc
      const tzid = property.getParameter('tzid')
      return clockOfZone(tzid === undefined ? timeZone : String(tzid))
    },
  }
}

/** What a time shows, as ms of the same time in UTC. */
export const wallTime = ({ year, month, day, hour, minute, second }: ICAL.Time): number =>
  Date.UTC(year, month - 1, day, hour, minute, second)

function isKnown(timeZone: string): boolean {
  try {
    return Boolean(new Intl.DateTimeFormat('en', { timeZone }))
  } catch {
    return false
  }
}

const namedClock = (timeZone: string): WallClock => ({
  instantOf: (wall) => {
    const day = Math.floor(wall / dayMs)
    const minutes = Math.floor((wall - day * dayMs) / minuteMs)
    const restMs = wall - day * dayMs - minutes * minuteMs
    return instantOf(day, minutes, timeZone) + restMs
  },
  wallOf: (at) => at + offsetMsAt(at, timeZone),
})

function describedClock(component: ICAL.Component, tzid: string): WallClock {
  const zone = new ICAL.Timezone({ component, tzid })
  const offsetMs = (wall: number) => zone.utcOffset(ICAL.Time.fromJSDate(new Date(wall), true)) * 1_000
  const toInstant = (wall: number) => wall - offsetMs(wall)
  return {
    instantOf: toInstant,
    wallOf: (at) => {
      const guess = at + offsetMs(at)
      return at + offsetMs(guess)
    },
  }
}

/** No month has a ninth Sunday, and the library looks for it for seconds. */
const dayOfMonth = /^[+-]?[1-5]?(SU|MO|TU|WE|TH|FR|SA)$/

/** The library looks for each change of the clock one by one: a rule that is no yearly one could keep it busy for ever. */
const isPlain = (zone: ICAL.Component): boolean => {
  const parts = zone.getAllSubcomponents()
  return (
    parts.length > 0 &&
    parts.length <= 100 &&
    parts.every((part) => {
      const rules = part.getAllProperties('rrule').map((each) => each.getFirstValue() as unknown as ICAL.Recur)
      const start = part.getFirstPropertyValue('dtstart')
      return (
        start instanceof ICAL.Time &&
        start.year >= 1_000 &&
        rules.length <= 1 &&
        rules.every(
          ({ freq, interval, parts: by }) =>
            freq === 'YEARLY' &&
            interval === 1 &&
            Object.keys(by).every((key) => ['BYMONTH', 'BYDAY'].includes(key)) &&
            Object.values(by).every((values) => (values as unknown[]).length === 1) &&
            dayOfMonth.test(String(by.BYDAY?.[0] ?? 'SU')),
        )
      )
    })
  )
}
