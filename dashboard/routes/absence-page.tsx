import type { Absence } from '../../db/absences.js'
import type { FamilyMember } from '../../db/family.js'
import type { ResidentCard } from '../../db/residents.js'
import type { Here } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { momentWords, spanWords } from '../shell/roster-words.js'
import { absenceText } from '../shell/text-absence.js'
import type { Role, StaffViewer } from '../shell/viewer.js'
import type { EndProblem } from './absence-ends.js'
import { type AwayFields, AwayForm, emptyAway } from './absence-form.js'
import { AwayNow, absencePath } from './absence-parts.js'

/** So many past absences are listed, and so many when all are asked for. */
export const shownMax = 10
export const allMax = 200
/** Who may decide what a family member may do. */
export const rightsRoles: readonly Role[] = ['supervisor']

export const residentPath = ({ residentId }: ResidentCard) => `/residents/${encodeURIComponent(residentId)}`

/** Away or not, the form, what was before, and who of the family may set it. `fields`: what was sent, where something is wrong. */
export function AbsencePage(p: {
  here: Here
  resident: ResidentCard
  viewer: StaffViewer
  absence: Absence | null
  past: { absences: readonly Absence[]; total: number }
  family: readonly FamilyMember[]
  fields: AwayFields | undefined
  problem: EndProblem | undefined
  notice: 'late' | 'over' | undefined
}) {
  const { here, resident, viewer, absence, past, family, fields, problem, notice } = p
  const { language, now } = here
  const { residentId, timeZone } = resident
  const path = absencePath(residentId)
  const t = absenceText(language)
  return (
    <Page here={here} title={t.title(resident.name)} live={false}>
      <link rel="stylesheet" href={`${here.assets}/absence.css`} />
      <div class="narrow">
        <div class="answer">
          <h1>
            {resident.name}
            {language === 'zh' ? '：' : ': '}
            {absence
              ? t.answerAway(momentWords(absence.until.getTime(), timeZone, language, now.getTime()))
              : t.answerHome}
          </h1>
          <p>{t.means}</p>
          <p>{t.endsItself}</p>
        </div>
        {notice && (
          <p class="message problem" role="alert">
            {t[notice]}
          </p>
        )}
        {absence && (
          <>
            <AwayNow absence={absence} here={here} timeZone={timeZone} by={viewer} undo={`${path}/undo`} />
            <form method="post" action={`${path}/end`}>
              <button class="wide" type="submit">
                {t.endNow}
              </button>
            </form>
            <p class="sub">{t.endHelp}</p>
          </>
        )}
        <AwayForm
          here={here}
          action={path}
          timeZone={timeZone}
          fields={fields ?? { ...emptyAway, note: absence?.note ?? '' }}
          problem={problem}
          running={absence?.until ?? null}
          noteHint={t.noteHint}
        />
        <Past {...{ here, timeZone, path, ...past }} />
        <Rights here={here} resident={resident} family={family} mayChange={rightsRoles.includes(viewer.role)} />
        <p>
          <a class="button wide" href={residentPath(resident)}>
            {t.back}
          </a>
        </p>
      </div>
    </Page>
  )
}

function Past(p: { here: Here; timeZone: string; path: string; absences: readonly Absence[]; total: number }) {
  const { here, timeZone, absences, total } = p
  const { language } = here
  const t = absenceText(language)
  const endWords = ({ endedWhy, endedBy }: Absence) => {
    if (endedWhy === 'person' || endedWhy === 'undone') return t.ended[endedWhy](endedBy ?? '')
    return endedWhy === null ? '' : t.ended[endedWhy]
  }
  return (
    <section aria-labelledby="past">
      <h2 id="past">
        {t.past} <span class="count">{total}</span>
      </h2>
      {total === 0 && <p class="empty">{t.noPast}</p>}
      <ul class="lines">
        {absences.map((absence) => (
          <li class="line" key={absence.absenceId}>
            {spanWords(
              { from: absence.from.getTime(), until: (absence.endedAt ?? absence.until).getTime() },
              timeZone,
              language,
              here.now.getTime(),
            )}
            <span class="sub">
              {[
                absence.isFamily ? t.byFamily(absence.by) : t.setBy(absence.by),
                endWords(absence),
                absence.note && t.note(absence.note),
              ]
                .filter(Boolean)
                .join(' · ')}
            </span>
          </li>
        ))}
      </ul>
      {total > absences.length &&
        (absences.length < allMax && absences.length <= shownMax ? (
          <p>
            <a class="button" href={`${p.path}?all=1#past`}>
              {t.all(Math.min(total, allMax))}
            </a>
          </p>
        ) : (
          <p>{t.newest(absences.length, total)}</p>
        ))}
    </section>
  )
}

/** Who of the family may set it from their private page; given by name, by the supervisor. */
function Rights(p: { here: Here; resident: ResidentCard; family: readonly FamilyMember[]; mayChange: boolean }) {
  const t = absenceText(p.here.language)
  const base = `${residentPath(p.resident)}/family`
  return (
    <section aria-labelledby="rights">
      <h2 id="rights">{t.rights}</h2>
      <p>{t.rightsLead}</p>
      {p.family.length === 0 && <p class="empty">{t.rightsNone}</p>}
      <ul class="lines">
        {p.family.map((member) => (
          <li class="line right" key={member.familyMemberId}>
            <span>
              <strong>{member.name}</strong> {member.relation}
              <span class="sub">{member.maySetAway ? t.may : t.mayNot}</span>
            </span>
            {p.mayChange && (
              <form method="post" action={`${base}/${encodeURIComponent(member.familyMemberId)}/away-right`}>
                <input type="hidden" name="allow" value={member.maySetAway ? 'no' : 'yes'} />
                <button type="submit">{member.maySetAway ? t.forbid(member.name) : t.allow(member.name)}</button>
              </form>
            )}
          </li>
        ))}
      </ul>
    </section>
  )
}
