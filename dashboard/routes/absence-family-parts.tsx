import type { Absence } from '../../db/absences.js'
import type { FamilyView } from '../../db/family.js'
import { undoableUntil } from '../../db/said.js'
import type { Said } from '../../db/visits.js'
import type { Here } from '../shell/here.js'
import { momentWords } from '../shell/roster-words.js'
import { absenceText } from '../shell/text-absence.js'
import { When } from '../shell/times.js'
import { UndoForm } from '../shell/undo.js'

/** A visit is worth a line for this long. */
const saidShownMs = 3 * 3_600_000

/**
 * On the family's page, in place of how quiet the home is. Nothing is green, and nothing is wrong. Until when a home stands
 * empty is for those alone who were given the right to say so: links are passed on.
 */
export function AwayAnswer({ absence, view, here }: { absence: Absence; view: FamilyView; here: Here }) {
  const t = absenceText(here.language).family
  const { language, now } = here
  return (
    <div class="known known-earlier">
      <p class="answer-line">
        {view.maySetAway
          ? `${t.answer}${momentWords(absence.until.getTime(), view.timeZone, language, now.getTime())}`
          : t.answerPlain}
      </p>
      <p>{t.answerMore}</p>
    </div>
  )
}

/** The two taps of a family member who may: "I am with them now", and away mode. Nothing for anybody else. */
export function FamilySays(p: {
  absence: Absence | null
  said: readonly Said[]
  view: FamilyView
  token: string
  here: Here
}) {
  const { absence, view, here } = p
  if (!view.maySetAway) return null
  const { now, language } = here
  const t = absenceText(language).family
  const by = { familyMemberId: view.familyMemberId }
  const base = `/f/${p.token}`
  const own = p.said.find(({ byId, at }) => byId === view.familyMemberId && now.getTime() - at.getTime() < saidShownMs)
  const undoUntil = own && undoableUntil(own, by, now)
  const undoAwayUntil = absence && undoableUntil({ byId: absence.byId, at: absence.from }, by, now)
  return (
    <section aria-labelledby="says">
      <link rel="stylesheet" href={`${here.assets}/absence.css`} />
      <h2 id="says">{t.heading}</h2>
      {own && (
        <p role="status">
          {t.saidHere}
          <When at={own.at} now={now} timeZone={view.timeZone} language={language} />
        </p>
      )}
      {undoUntil && <UndoForm action={`${base}/here/undo`} until={undoUntil} here={here} />}
      {undoAwayUntil && <UndoForm action={`${base}/away/undo`} until={undoAwayUntil} here={here} />}
      <div class="acts-row">
        {!absence && (
          <form method="post" action={`${base}/here`}>
            <button type="submit">{t.here}</button>
          </form>
        )}
        <a class="button" href={`${base}/away`}>
          {absence ? t.change : t.set}
        </a>
      </div>
      {!absence && <p>{t.hereHelp}</p>}
    </section>
  )
}
