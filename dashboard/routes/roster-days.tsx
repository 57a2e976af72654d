import type { Shift, Span } from '../../alerts/roster.js'
import { type DayNumber, dateOfDay, instantOf } from '../../alerts/roster-time.js'
import { clockSpan, dayWords, fieldOf, momentWords } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { type RosterScope, rosterPath } from './roster-scope.js'

const dayMs = 86_400_000

/** The page of one concrete shift, which stays the same as long as the shift does. */
export const shiftPath = (communityId: string, { staffId, startsAt, endsAt }: Shift): string =>
  rosterPath('/roster/shift', communityId, { staff: staffId, from: String(startsAt), until: String(endsAt) })

/** Days with their shifts: below each other on a phone, as weeks on a desk. A shift stands on the day on which it begins. */
export function RosterDays(p: {
  scope: RosterScope
  days: DayNumber[]
  today: DayNumber
  shifts: Shift[]
  holes: Span[]
  names: (staffId: string) => string
}) {
  const { scope, days, today, names } = p
  const { language } = scope.here
  const { timeZone } = scope.community
  const t = rosterText(language)
  return (
    <ol class="roster-days">
      {days.map((day) => {
        const from = instantOf(day, 0, timeZone)
        const until = instantOf(day + 1, 0, timeZone)
        const isHere = (at: number) => from <= at && at < until
        const running = p.shifts.filter(({ startsAt, endsAt }) => startsAt < from && endsAt > from)
        const openHole = p.holes.find((hole) => isShort(hole) && hole.from < from && hole.until > from)
        const lines = [
          ...p.shifts.filter(({ startsAt }) => isHere(startsAt)).map((shift) => ({ at: shift.startsAt, shift })),
          ...p.holes.flatMap((hole) => partOfDay(hole, { from, until })).map((hole) => ({ at: hole.from, hole })),
        ].sort((a, b) => a.at - b.at)
        return (
          <li key={day} class={`roster-day${day === today ? ' is-today' : ''}${day < today ? ' is-past' : ''}`}>
            <h3>
              <time datetime={dateOfDay(day)}>{dayWords(day, language)}</time>
              {day === today && <span class="today">{t.today}</span>}
            </h3>
            {running.length + lines.length === 0 && <p class="sub">{t.noneThisDay}</p>}
            <ul>
              {running.map((shift) => (
                <li key={`r${shift.startsAt}${shift.staffId}`} class="running">
                  {names(shift.staffId)} {t.since(momentWords(shift.endsAt, timeZone, language, from))}
                </li>
              ))}
              {openHole && (
                <li class="running">
                  {t.nobody} {t.since(momentWords(openHole.until, timeZone, language, from))}
                </li>
              )}
              {lines.map((line) =>
                'hole' in line ? (
                  <Hole key={`h${line.at}`} scope={scope} hole={line.hole} />
                ) : (
                  <ShiftLine key={`s${line.at}${line.shift.staffId}`} scope={scope} shift={line.shift} names={names} />
                ),
              )}
            </ul>
          </li>
        )
      })}
    </ol>
  )
}

function ShiftLine(p: { scope: RosterScope; shift: Shift; names: (staffId: string) => string }) {
  const { scope, shift, names } = p
  const { here, community, mayEdit } = scope
  const t = rosterText(here.language)
  const { startsAt, endsAt } = shift
  const what = (
    <>
      <span class="clock">{clockSpan({ from: startsAt, until: endsAt }, community.timeZone, here.language)}</span>{' '}
      <strong>{names(shift.staffId)}</strong>
      {shift.insteadOf !== null && <span class="sub">{t.insteadOf(names(shift.insteadOf))}</span>}
    </>
  )
  const isOver = endsAt <= here.now.getTime()
  return (
    <li class={shift.insteadOf === null ? 'shift' : 'shift changed'}>
      {mayEdit && !isOver ? <a href={shiftPath(community.communityId, shift)}>{what}</a> : <span>{what}</span>}
    </li>
  )
}

const isShort = ({ from, until }: Span) => until - from <= dayMs

/** A hole of up to a day stands where it begins, a longer one on each of its days. */
function partOfDay(hole: Span, day: Span): Span[] {
  if (isShort(hole)) return day.from <= hole.from && hole.from < day.until ? [hole] : []
  const part = { from: Math.max(hole.from, day.from), until: Math.min(hole.until, day.until) }
  return part.from < part.until ? [part] : []
}

function Hole({ scope, hole }: { scope: RosterScope; hole: Span }) {
  const { here, community, mayEdit } = scope
  const { timeZone, communityId } = community
  const t = rosterText(here.language)
  const now = here.now.getTime()
  const isOver = hole.until <= now
  const fields = { from: fieldOf(Math.max(hole.from, now), timeZone), until: fieldOf(hole.until, timeZone) }
  return (
    <li class={`hole${isOver ? ' is-over' : ''}`}>
      <span class="clock">{clockSpan(hole, timeZone, here.language)}</span> <strong>{t.nobody}</strong>
      {mayEdit && !isOver && <a href={rosterPath('/roster/shift/new', communityId, fields)}>{t.fill}</a>}
    </li>
  )
}
