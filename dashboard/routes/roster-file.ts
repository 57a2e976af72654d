import ICAL from 'ical.js'
import type { EpochMs } from '../../alerts/model.js'
import { shiftMinutesMax } from '../../alerts/roster.js'
import { expandEvent } from './roster-file-expand.js'
import { ownUidEnd } from './roster-file-write.js'
import { createZones } from './roster-file-zones.js'

/** A shift as a calendar file has it. `person` is whoever the file names: a mail address, or words. */
export type FileShift = { uid: string; person: string; from: EpochMs; until: EpochMs }
/** Somebody whom the file names, for how many shifts. */
export type FilePerson = { person: string; name: string; shifts: number }
export const leftReasons = [
  'all day',
  'no end',
  'cancelled',
  'over',
  'unknown zone',
  'repeats',
  'too long',
  'nobody named',
  'own',
  'unclear',
] as const
export type LeftReason = (typeof leftReasons)[number]
/** An event that gives no shift, and why. */
export type LeftEvent = { title: string; reason: LeftReason }
export type RosterFile = {
  shifts: FileShift[]
  people: FilePerson[]
  left: LeftEvent[]
  /** All events that were understood, also those that have no shift any more. */
  uids: string[]
  /** Shifts are taken until then. */
  until: EpochMs
}
export type FileProblem = 'empty' | 'too large' | 'not a calendar' | 'too many'

export const fileCharsMax = 512 * 1024
const eventsMax = 3_000
const shiftsMax = 2_000
const aheadMs = 400 * 86_400_000
const titleChars = 100
/** How often rules are asked for their next date, over a whole file: some 30 µs each. */
const stepsMax = 30_000

/**
 * What a calendar file (RFC 5545) has in shifts that are not over: events with a beginning and an end, whose people stand
 * among their attendees or, without any, in their title. `timeZone` is for times without one. Nothing in a file is trusted.
 */
export function readRosterFile(
  text: string,
  { timeZone, now }: { timeZone: string; now: EpochMs },
): RosterFile | { problem: FileProblem } {
  if (text.trim() === '') return { problem: 'empty' }
  if (text.length > fileCharsMax) return { problem: 'too large' }
  const calendars = parse(text)
  if (!calendars) return { problem: 'not a calendar' }
  const events = calendars.flatMap((calendar) => calendar.getAllSubcomponents('vevent'))
  if (events.length > eventsMax) return { problem: 'too many' }

  const file: RosterFile = { shifts: [], people: [], left: [], uids: [], until: now + aheadMs }
  const names = new Map<string, string>()
  const zones = createZones(calendars, timeZone)
  const budget = { steps: stepsMax }
  for (const [uid, group] of byUid(events)) {
    const title = titleOf(group[0]!)
    const leave = (reason: LeftReason) => file.left.push({ title, reason })
    if (uid === '') leave('unclear')
    else if (uid.endsWith(ownUidEnd)) leave('own')
    else {
      const span = { from: now, until: file.until }
      const expanded = attempt(() => expandEvent(group, { zones, span, budget, minutesMax: shiftMinutesMax }))
      if (!expanded) {
        if (budget.steps <= 0) return { problem: 'too many' }
        leave('unclear')
        continue
      }
      if ('reason' in expanded) {
        leave(expanded.reason)
        continue
      }
      file.uids.push(uid)
      for (const { event, from, until } of expanded.shifts)
        for (const { person, name } of peopleOf(event)) {
          names.set(person, names.get(person) ?? name)
          file.shifts.push({ uid, person, from, until })
        }
      if (expanded.shifts.length === 0) leave('over')
      else if (!file.shifts.some((shift) => shift.uid === uid)) leave('nobody named')
    }
    if (file.shifts.length > shiftsMax) return { problem: 'too many' }
  }
  file.shifts.sort((a, b) => a.from - b.from || (a.person < b.person ? -1 : 1))
  file.people = [...names]
    .map(([person, name]) => ({
      person,
      name,
      shifts: file.shifts.filter((shift) => shift.person === person).length,
    }))
    .sort((a, b) => b.shifts - a.shifts || (a.name < b.name ? -1 : 1))
  return file
}

function parse(text: string): ICAL.Component[] | undefined {
  return attempt(() => {
    // A file may hold several calendars, and then parses to a list of them.
    const parsed = ICAL.parse(text.replace(/^\uFEFF/, '').trim()) as unknown[]
    const calendars = (Array.isArray(parsed[0]) ? parsed : [parsed]).map((each) => new ICAL.Component(each as []))
    return calendars.length > 0 && calendars.every(({ name }) => name === 'vcalendar') ? calendars : undefined
  })
}

/** The library throws on what it cannot read. */
function attempt<T>(work: () => T): T | undefined {
  try {
    return work()
  } catch {
    return undefined
  }
}

function byUid(events: ICAL.Component[]): Map<string, ICAL.Component[]> {
  const groups = new Map<string, ICAL.Component[]>()
  for (const event of events) {
    const uid = textOf(event, 'uid').slice(0, 500)
    groups.set(uid, [...(groups.get(uid) ?? []), event])
  }
  return groups
}

const textOf = (event: ICAL.Component, name: string): string => {
  const value = event.getFirstPropertyValue(name)
  return typeof value === 'string' ? value.trim() : ''
}
const titleOf = (event: ICAL.Component): string => textOf(event, 'summary').slice(0, titleChars)

const absent = ['DECLINED', 'DELEGATED']

/** Attendees who come; without any attendee at all, whoever stands in the title. */
function peopleOf(event: ICAL.Component): { person: string; name: string }[] {
  const attendees = event.getAllProperties('attendee')
  const parameter = (each: ICAL.Property, name: string) => String(each.getParameter(name) ?? '').toUpperCase()
  const people = attendees
    .filter((each) => !['ROOM', 'RESOURCE'].includes(parameter(each, 'cutype')))
    .filter((each) => !absent.includes(parameter(each, 'partstat')))
    .map((each) => {
      const address = String(each.getFirstValue())
        .replace(/^mailto:/i, '')
        .trim()
        .toLowerCase()
        .slice(0, titleChars)
      const name = String(each.getParameter('cn') ?? '')
        .trim()
        .slice(0, titleChars)
      return { person: address, name: name || address }
    })
    .filter(({ person }) => person !== '')
  if (attendees.length > 0) return people
  const title = titleOf(event)
  return title === '' ? [] : [{ person: title, name: title }]
}
