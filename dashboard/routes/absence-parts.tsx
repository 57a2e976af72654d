import type { VNode } from 'preact'
import type { EpochMs } from '../../alerts/model.js'
import { isSilence } from '../../alerts/model.js'
import { departureOf } from '../../alerts/rules/departure.js'
import type { ResidentState } from '../../alerts/rules/fold.js'
import { type Absence, runningAbsence } from '../../db/absences.js'
import type { Viewer } from '../../db/access-log.js'
import type { AlertDetail } from '../../db/alert-views.js'
import type { Queryable } from '../../db/pool.js'
import { findResidentState } from '../../db/residents.js'
import { undoableUntil } from '../../db/said.js'
import { lastSaid, type Said } from '../../db/visits.js'
import type { Here } from '../shell/here.js'
import { momentWords } from '../shell/roster-words.js'
import { absenceText } from '../shell/text-absence.js'
import { clockWords, When } from '../shell/times.js'
import { UndoForm } from '../shell/undo.js'

/** What was said stays on the page for a shift. */
const saidShownMs = 12 * 3_600_000

export type Presence = { absence: Absence | null; said: Said[] }

/** Whether somebody is away now, and what was said of a resident lately. */
export async function loadPresence(
  db: Queryable,
  { residentId, now }: { residentId: string; now: Date },
): Promise<Presence> {
  const [absence, said] = await Promise.all([
    runningAbsence(db, { residentId, now }),
    lastSaid(db, { residentId, since: new Date(now.getTime() - saidShownMs) }),
  ])
  return { absence, said }
}

export const absencePath = (residentId: string) => `/residents/${encodeURIComponent(residentId)}/absence`
export const saidPath = (residentId: string) => `/residents/${encodeURIComponent(residentId)}/said`

type Home = { residentId: string; timeZone: string }

/** On the page of a resident: away until when, what was said lately, and the taps that say it. */
export function AbsencePart(p: Presence & { resident: Home; here: Here; by: Viewer; departedAt: EpochMs | null }) {
  const { absence, said, here, resident, by } = p
  const { residentId, timeZone } = resident
  const t = absenceText(here.language)
  const path = absencePath(residentId)
  return (
    <section aria-labelledby="absence">
      <link rel="stylesheet" href={`${here.assets}/absence.css`} />
      <h2 id="absence">{t.heading}</h2>
      {absence && <AwayNow absence={absence} here={here} timeZone={timeZone} by={by} undo={`${path}/undo`} />}
      {!absence && p.departedAt !== null && <Departure at={p.departedAt} resident={resident} here={here} />}
      <SaidLines said={said} here={here} timeZone={timeZone} by={by} undo={`${saidPath(residentId)}/undo`} />
      <div class="acts-row">
        {!absence && (
          <>
            <SayForm what="visit" residentId={residentId} here={here} />
            <SayForm what="spoken" residentId={residentId} here={here} />
          </>
        )}
        {(absence || p.departedAt === null) && (
          <a class="button" href={path}>
            {absence ? t.change : t.setAway}
          </a>
        )}
      </div>
      {!absence && <p class="sub">{t.hereHelp}</p>}
    </section>
  )
}

/** What an alert's page says of people: nothing, where the alert is about something else than silence. */
export async function alertPresence(
  db: Queryable,
  { alert, here, by }: { alert: AlertDetail; here: Here; by: Viewer },
): Promise<VNode | undefined> {
  if (!isSilence(alert.kind)) return undefined
  const { residentId, alertId } = alert
  const isOpen = alert.stage !== 'closed'
  const said = await lastSaid(db, { residentId, since: new Date(here.now.getTime() - saidShownMs) })
  const state = isOpen ? await findResidentState(db, residentId) : null
  const departedAt = state === null ? null : departureOf(state as ResidentState, here.now.getTime())
  return <AlertPresence {...{ said, resident: alert, here, by, alertId, isOpen, departedAt }} />
}

/** Whoever is at the door says so, and a door that was opened is told. */
function AlertPresence(p: {
  said: readonly Said[]
  resident: Home
  here: Here
  by: Viewer
  alertId: number
  isOpen: boolean
  departedAt: EpochMs | null
}) {
  const { here, resident, by, isOpen } = p
  const { residentId, timeZone } = resident
  const t = absenceText(here.language)
  if (!isOpen && p.said.length === 0) return null
  return (
    <section aria-labelledby="presence">
      <link rel="stylesheet" href={`${here.assets}/absence.css`} />
      <h2 id="presence">{t.heading}</h2>
      {isOpen && p.departedAt !== null && <Departure at={p.departedAt} resident={resident} here={here} />}
      <SaidLines said={p.said} here={here} timeZone={timeZone} by={by} undo={`${saidPath(residentId)}/undo`} />
      {isOpen && (
        <div class="acts-row">
          <SayForm what="visit" residentId={residentId} here={here} alertId={p.alertId} />
        </div>
      )}
    </section>
  )
}

/** Never assumed: what was seen, that it is not certain, and the way to the form. */
export function Departure({ at, resident, here }: { at: EpochMs; resident: Home; here: Here }) {
  const t = absenceText(here.language)
  return (
    <div class="away departure">
      <p>
        <strong>{t.departure(clockWords(at, here.now.getTime(), resident.timeZone, here.language))}</strong>
      </p>
      <p>{t.departureMore}</p>
      <p>
        <a class="button" href={absencePath(resident.residentId)}>
          {t.setAway}
        </a>
      </p>
    </div>
  )
}

/** Away until when, by whom, and undo for whoever set it a moment ago. */
export function AwayNow(p: { absence: Absence; here: Here; timeZone: string; by: Viewer; undo: string }) {
  const { absence, here, timeZone, by } = p
  const { language, now } = here
  const t = absenceText(language)
  const undoUntil = undoableUntil({ byId: absence.byId, at: absence.from }, by, now)
  return (
    <div class="away">
      <p class="away-until">{t.awayUntil(momentWords(absence.until.getTime(), timeZone, language, now.getTime()))}</p>
      <p>
        {t.awaySince}
        <When at={absence.from} now={now} timeZone={timeZone} language={language} />
        {' · '}
        {absence.isFamily ? t.byFamily(absence.by) : t.setBy(absence.by)}
      </p>
      {absence.note && <p>{t.note(absence.note)}</p>}
      {undoUntil && <UndoForm action={p.undo} until={undoUntil} here={here} />}
    </div>
  )
}

function SayForm(p: { what: 'visit' | 'spoken'; residentId: string; here: Here; alertId?: number }) {
  const t = absenceText(p.here.language)
  return (
    <form method="post" action={saidPath(p.residentId)}>
      <input type="hidden" name="what" value={p.what} />
      {p.alertId !== undefined && <input type="hidden" name="alert" value={p.alertId} />}
      <button type="submit">{p.what === 'visit' ? t.here : t.spoken}</button>
    </form>
  )
}

/** Who said what, newest first; whoever said the last thing a moment ago may take it back. */
function SaidLines(p: { said: readonly Said[]; here: Here; timeZone: string; by: Viewer; undo: string }) {
  const { said, here, timeZone, by } = p
  const { language, now } = here
  const t = absenceText(language)
  if (said.length === 0) return null
  const own = said.find((each) => undoableUntil(each, by, now) !== null)
  return (
    <ul class="lines" aria-label={t.heading}>
      {said.map((each) => (
        <li class="line" key={`${each.byId} ${each.at.getTime()} ${each.what}`}>
          {t.said[each.what](each.by)}
          <When at={each.at} now={now} timeZone={timeZone} language={language} />
          {each === own && <UndoForm action={p.undo} until={undoableUntil(each, by, now)!} here={here} />}
        </li>
      ))}
    </ul>
  )
}
