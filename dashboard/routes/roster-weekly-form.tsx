import { everyWeeksMax, shiftMinutesMax } from '../../alerts/roster.js'
import { dateOfDay, dayOfDate, minuteOfClock, weekdayOf } from '../../alerts/roster-time.js'
import type { NewWeekly } from '../../db/roster-weekly-edits.js'
import { weekdayWord } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { PersonSelect } from './roster-parts.js'
import type { RosterScope } from './roster-scope.js'

export const turnsMax = everyWeeksMax
const dayMinutes = 24 * 60
const weekdays = [1, 2, 3, 4, 5, 6, 7] as const

/** What the form of a weekly shift says, as it was typed. */
export type WeeklyFields = {
  staff: string[]
  weekdays: string[]
  start: string
  end: string
  days: string
  first: string
  last: string
  every: string
}
export type WeeklyProblem = 'who' | 'twice' | 'weekdays' | 'time' | 'tooLong' | 'date' | 'lastBeforeFirst'

/** The weekly shifts that a form asks for: with several people one each, in the weeks of their turn. */
export function readWeekly(fields: WeeklyFields): NewWeekly[] | { problem: WeeklyProblem } {
  const staff = fields.staff.filter((staffId) => staffId !== '').slice(0, turnsMax)
  if (staff.length === 0) return { problem: 'who' }
  if (new Set(staff).size < staff.length) return { problem: 'twice' }
  const days = weekdays.filter((weekday) => fields.weekdays.includes(String(weekday)))
  if (days.length === 0) return { problem: 'weekdays' }
  const start = minuteOfClock(fields.start)
  const end = minuteOfClock(fields.end)
  if (start === undefined || end === undefined) return { problem: 'time' }
  const more = Number(fields.days)
  if (!Number.isInteger(more) || more < 0) return { problem: 'time' }
  const minutes = ((end - start + dayMinutes - 1) % dayMinutes) + 1 + more * dayMinutes
  if (minutes > shiftMinutesMax) return { problem: 'tooLong' }
  const first = dayOfDate(fields.first)
  const last = fields.last === '' ? null : dayOfDate(fields.last)
  if (first === undefined || last === undefined) return { problem: 'date' }
  if (last !== null && last < first) return { problem: 'lastBeforeFirst' }
  const every = Number(fields.every)
  if (!Number.isInteger(every) || every < 1 || every > everyWeeksMax) return { problem: 'date' }
  const everyWeeks = staff.length > 1 ? staff.length : every
  const monday = first - weekdayOf(first) + 1
  return staff.flatMap((staffId, turn) => {
    const validFrom = turn === 0 ? first : monday + 7 * turn
    if (last !== null && validFrom > last) return []
    const validUntil = last === null ? null : dateOfDay(last)
    return [
      {
        staffId,
        weekdays: days,
        start: fields.start,
        minutes,
        validFrom: dateOfDay(validFrom),
        validUntil,
        everyWeeks,
      },
    ]
  })
}

export function WeeklyForm({ scope, fields }: { scope: RosterScope; fields: WeeklyFields }) {
  const { here, community, people } = scope
  const t = rosterText(here.language)
  const w = t.weekly
  return (
    <form method="post" action="/roster/weekly" class="stack" id="add">
      <input type="hidden" name="community" value={community.communityId} />
      <PersonSelect here={here} name="staff" label={t.who} people={people} value={fields.staff[0]} />
      <fieldset>
        <legend>{w.weekdays}</legend>
        <div class="choices weekdays">
          {weekdays.map((weekday) => (
            <label key={weekday} class="choice">
              <input
                type="checkbox"
                name="weekday"
                value={weekday}
                checked={fields.weekdays.includes(String(weekday))}
              />
              {weekdayWord(weekday, here.language)}
            </label>
          ))}
        </div>
      </fieldset>
      <div class="pair">
        <label>
          {w.start}
          <input type="time" name="start" value={fields.start} required />
        </label>
        <label>
          {w.end}
          <input type="time" name="end" value={fields.end} required />
        </label>
      </div>
      <p class="sub">{w.endHelp}</p>
      <div class="pair">
        <label>
          {w.days}
          <select name="days">
            {[0, 1, 2, 3, 4, 5, 6].map((days) => (
              <option key={days} value={days} selected={fields.days === String(days)}>
                {days === 0 ? w.daysNone : w.daysMore(days)}
              </option>
            ))}
          </select>
        </label>
        <label>
          {w.every}
          <select name="every">
            {Array.from({ length: everyWeeksMax }, (_, index) => index + 1).map((weeks) => (
              <option key={weeks} value={weeks} selected={fields.every === String(weeks)}>
                {w.everyWeeks(weeks)}
              </option>
            ))}
          </select>
        </label>
      </div>
      <details open={fields.staff.length > 1}>
        <summary>{w.turns}</summary>
        <p class="sub">{w.turnsHelp}</p>
        <div class="turns">
          {Array.from({ length: turnsMax - 1 }, (_, index) => index + 1).map((turn) => (
            <PersonSelect
              key={turn}
              here={here}
              name="staff"
              label={w.turn(turn + 1)}
              people={people}
              value={fields.staff[turn]}
              required={false}
            />
          ))}
        </div>
      </details>
      <div class="pair">
        <label>
          {w.first}
          <input type="date" name="first" value={fields.first} required />
        </label>
        <label>
          {w.last}
          <input type="date" name="last" value={fields.last} />
          <span class="sub">{w.lastHelp}</span>
        </label>
      </div>
      <button class="primary wide" type="submit">
        {w.add}
      </button>
    </form>
  )
}
