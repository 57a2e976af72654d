import ICAL from 'ical.js'
import type { Shift } from '../../alerts/roster.js'

/** What the ids of our own events end with, by which they are known when they come back. */
export const ownUidEnd = '@roster.shouwang'

/**
 * A roster as a calendar file (RFC 5545) for calendar apps: each shift an event in UTC, after all changes. `nameOf` gives
 * what the person of a shift is called, `note` a line about a shift.
 */
export function writeRosterFile(p: {
  communityId: string
  title: string
  shifts: readonly Shift[]
  nameOf: (staffId: string) => string
  note: (shift: Shift) => string | undefined
  now: Date
}): string {
  const calendar = new ICAL.Component(['vcalendar', [], []])
  for (const [name, value] of [
    ['version', '2.0'],
    ['prodid', '-//Shouwang//Roster//EN'],
    ['calscale', 'GREGORIAN'],
    ['method', 'PUBLISH'],
    ['x-wr-calname', p.title],
    ['x-published-ttl', 'PT1H'],
  ] as const)
    calendar.addPropertyWithValue(name, value)
  const refresh = new ICAL.Property(['refresh-interval', {}, 'duration', 'PT1H'])
  calendar.addProperty(refresh)
  for (const shift of p.shifts) {
    const event = new ICAL.Component('vevent')
    event.addPropertyWithValue('uid', `${uidOf(shift)}.${p.communityId}${ownUidEnd}`)
    event.addPropertyWithValue('dtstamp', utc(p.now.getTime()))
    event.addPropertyWithValue('dtstart', utc(shift.startsAt))
    event.addPropertyWithValue('dtend', utc(shift.endsAt))
    event.addPropertyWithValue('summary', p.nameOf(shift.staffId))
    const note = p.note(shift)
    if (note !== undefined) event.addPropertyWithValue('description', note)
    calendar.addSubcomponent(event)
  }
  return `${calendar.toString()}\r\n`
}

/** The same for the same shift, whoever carries it; a part of one that was cut has its own. */
function uidOf({ source, startsAt }: Shift): string {
  const of = source.kind === 'weekly' ? `weekly-${source.weeklyShiftId}-${source.date}` : `shift-${source.shiftId}`
  return `${of}-${startsAt / 60_000}`
}

const utc = (at: number): ICAL.Time => ICAL.Time.fromJSDate(new Date(at), true)
