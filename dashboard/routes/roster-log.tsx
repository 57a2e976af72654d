import type { ChangeReason } from '../../alerts/roster.js'
import type { RosterEdit } from '../../db/rosters.js'
import { dateWords, spanWords, weekdaysWords, weeklyClock } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { When } from '../shell/times.js'
import type { RosterScope } from './roster-scope.js'

type Names = (staffId: string) => string
type Weekly = {
  staffId: string
  weekdays: number[]
  start: string
  minutes: number
  validUntil: string | null
  everyWeeks: number
}
type Change = {
  staffId: string | null
  standInStaffId: string | null
  from: number
  until: number
  reason: ChangeReason
}

/** Who changed what when, the last first. */
export function RosterLog({ scope, edits, names }: { scope: RosterScope; edits: RosterEdit[]; names: Names }) {
  const { here, community } = scope
  const { language, now } = here
  const t = rosterText(language)
  return (
    <details class="folded">
      <summary>
        <h2>{t.log}</h2>
      </summary>
      {edits.length === 0 ? (
        <p class="empty">{t.logNone}</p>
      ) : (
        <ul class="lines">
          {edits.map((edit) => (
            <li key={edit.edit} class="line">
              <strong>{edit.byStaffId === null ? t.byServer : names(edit.byStaffId)}</strong>{' '}
              {t.edited[edit.kind](whatOf(edit, scope, names))}
              <span class="sub">
                <When at={edit.at} now={now} timeZone={community.timeZone} language={language} />
              </span>
            </li>
          ))}
        </ul>
      )}
    </details>
  )
}

function whatOf({ kind, detail }: RosterEdit, scope: RosterScope, names: Names): string {
  const { language } = scope.here
  const { timeZone } = scope.community
  const t = rosterText(language)
  const span = (part: { from: number; until: number }) => spanWords(part, timeZone, language, scope.here.now.getTime())
  switch (kind) {
    case 'weekly added':
    case 'weekly ended':
    case 'weekly removed':
      return (detail as { weekly: Weekly[] }).weekly.map((weekly) => weeklyWords(weekly, scope, names)).join(t.and)
    case 'shift added':
    case 'shift removed': {
      const shift = detail as { staffId: string; from: number; until: number }
      return `${names(shift.staffId)} ${span(shift)}`
    }
    case 'absence':
      return changeWords(detail as Change, scope, names)
    case 'swap': {
      const { first, second } = detail as { first: Change; second: Partial<Change> & { staffId: string } }
      const other = second.from && second.until ? ` ${span({ from: second.from, until: second.until })}` : ''
      return `${names(first.staffId!)} ${span(first)} ↔ ${names(second.staffId)}${other}`
    }
    case 'change ended':
    case 'change removed':
      return (detail as { changes: Change[] }).changes.map((change) => changeWords(change, scope, names)).join(t.and)
    case 'imported': {
      const { added, removed } = detail as { added: number; removed: number }
      return t.importedCounts(added, removed)
    }
  }
}

function weeklyWords(weekly: Weekly, { here }: RosterScope, names: Names): string {
  const { language } = here
  const t = rosterText(language)
  const days = weekdaysWords(weekly.weekdays, language)
  const until = weekly.validUntil === null ? '' : ` ${t.weekly.validUntil(dateWords(weekly.validUntil, language))}`
  const every = weekly.everyWeeks > 1 ? ` ${t.weekly.everyWeeks(weekly.everyWeeks)}` : ''
  const clock = weeklyClock(weekly.start, weekly.minutes, language)
  return `${names(weekly.staffId)} ${days} ${clock}${every}${until}`
}

/** "Lin: ill, Mon 4 Jan 20:00 – …, Chen stands in". */
export function changeWords(change: Change, { here, community }: RosterScope, names: Names): string {
  const t = rosterText(here.language)
  const { staffId, standInStaffId } = change
  const span = spanWords(change, community.timeZone, here.language, here.now.getTime())
  const { comma } = t
  if (change.reason === 'swap' && staffId !== null && standInStaffId !== null)
    return `${t.away.takes(names(standInStaffId), names(staffId))}${comma}${span}`
  const who = t.away.isAway(staffId === null ? t.away.all : names(staffId), t.away.reasons[change.reason])
  const instead = standInStaffId === null ? t.away.nobody : t.away.standsIn(names(standInStaffId))
  return [who, span, instead].join(comma)
}
