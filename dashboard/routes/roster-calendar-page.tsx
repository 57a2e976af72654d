import { wallOf } from '../../alerts/roster-time.js'
import type { ImportCounts } from '../../db/roster-import.js'
import { dayWords } from '../shell/roster-words.js'
import { rosterCalendarText } from '../shell/text-roster-calendar.js'
import { When } from '../shell/times.js'
import type { RosterFile } from './roster-file.js'
import { PersonSelect, RosterPage } from './roster-parts.js'
import { leaveOut } from './roster-people.js'
import { type RosterScope, rosterPath } from './roster-scope.js'

const leftShownMax = 50

export type ImportPreview = {
  file: RosterFile
  text: string
  /** For each person of the file whom it means; '' for nobody yet. */
  chosen: string[]
  counts: ImportCounts | undefined
}

export function CalendarPage(p: {
  scope: RosterScope
  feed: { since: Date; onlyOwn: boolean } | undefined
  notice?: string | undefined
  problem?: string
  link?: string
  preview?: ImportPreview
}) {
  const { scope, problem, notice, preview } = p
  const t = rosterCalendarText(scope.here.language)
  if (preview)
    return (
      <RosterPage {...{ scope, problem }} title={t.preview}>
        <Preview scope={scope} preview={preview} />
      </RosterPage>
    )
  return (
    <RosterPage {...{ scope, problem, notice }} title={t.title}>
      <div class="narrow-left">
        <Export scope={scope} feed={p.feed} link={p.link} />
        {scope.mayEdit && <Import scope={scope} />}
      </div>
    </RosterPage>
  )
}

function Export(p: {
  scope: RosterScope
  feed: { since: Date; onlyOwn: boolean } | undefined
  link?: string | undefined
}) {
  const { here, community } = p.scope
  const { communityId, timeZone } = community
  const t = rosterCalendarText(here.language)
  return (
    <section aria-labelledby="export">
      <h2 id="export">{t.export}</h2>
      <p>
        <a class="button" href={rosterPath('/roster.ics', communityId)}>
          {t.download}
        </a>
        <span class="sub">{t.downloadHelp}</span>
      </p>
      <h3>{t.subscribe}</h3>
      <p>{t.subscribeHelp}</p>
      {p.link && (
        <div class="message" role="status">
          <label>
            {t.once}
            <input type="text" id="link-once" value={p.link} readOnly class="code" />
          </label>
        </div>
      )}
      {p.feed && !p.link && (
        <p>
          {t.since}
          <When at={p.feed.since} now={here.now} timeZone={timeZone} language={here.language} /> (
          {p.feed.onlyOwn ? t.own : t.all})
        </p>
      )}
      <form method="post" action="/roster/calendar/link" class="stack">
        <input type="hidden" name="community" value={communityId} />
        <div class="choices">
          {(['own', 'all'] as const).map((shifts) => (
            <label key={shifts} class="choice">
              <input
                type="radio"
                name="shifts"
                value={shifts}
                checked={(p.feed?.onlyOwn === false) === (shifts === 'all')}
              />
              {t[shifts]}
            </label>
          ))}
        </div>
        <button type="submit">{p.feed ? t.issueAnew : t.issue}</button>
      </form>
      {p.feed && (
        <form method="post" action="/roster/calendar/revoke">
          <input type="hidden" name="community" value={communityId} />
          <button class="quiet" type="submit">
            {t.revoke}
          </button>
        </form>
      )}
    </section>
  )
}

function Import({ scope }: { scope: RosterScope }) {
  const { here, community } = scope
  const t = rosterCalendarText(here.language)
  return (
    <section aria-labelledby="import">
      <h2 id="import">{t.import}</h2>
      <p>{t.importLead}</p>
      <form method="post" action="/roster/calendar/import" encType="multipart/form-data" class="stack">
        <input type="hidden" name="community" value={community.communityId} />
        <label>
          {t.file}
          <input type="file" name="file" accept=".ics,text/calendar" />
        </label>
        <details>
          <summary>{t.text}</summary>
          <textarea name="text" rows={6} class="code" spellcheck={false} aria-label={t.text} />
        </details>
        <button class="primary wide" type="submit" name="action" value="look">
          {t.look}
        </button>
      </form>
    </section>
  )
}

/** What a file would change: who is who, what is not taken over, and the button that does it. */
function Preview({ scope, preview }: { scope: RosterScope; preview: ImportPreview }) {
  const { here, community, people } = scope
  const { file, counts } = preview
  const t = rosterCalendarText(here.language)
  const own = file.left.filter(({ reason }) => reason === 'own').length
  const left = file.left.filter(({ reason }) => reason !== 'own')
  const until = dayWords(wallOf(file.until, community.timeZone).day, here.language, 0)
  return (
    <div class="narrow-left">
      {counts && counts.added + counts.removed + counts.unchanged > 0 && (
        <p class="big">{t.counts(counts.added, counts.removed, counts.unchanged)}</p>
      )}
      {own > 0 && <p>{t.ownLeft(own)}</p>}
      {left.length > 0 && (
        <section aria-labelledby="left">
          <h2 id="left">
            {t.left} <span class="count">{left.length}</span>
          </h2>
          <ul class="lines">
            {left.slice(0, leftShownMax).map(({ title, reason }, place) => (
              <li key={String(place)} class="line">
                <strong>{title || t.untitled}</strong> {t.reason[reason]}
              </li>
            ))}
          </ul>
        </section>
      )}
      {file.people.length === 0 && counts?.removed === 0 ? (
        <p class="empty">{t.nothing}</p>
      ) : (
        <form method="post" action="/roster/calendar/import" class="stack">
          <input type="hidden" name="community" value={community.communityId} />
          <input type="hidden" name="text" value={preview.text} />
          {file.people.length > 0 && (
            <fieldset>
              <legend>{t.people}</legend>
              <p class="sub">{t.peopleHelp}</p>
              <div class="stack">
                {file.people.map(({ person, name, shifts }, index) => (
                  <PersonSelect
                    key={person}
                    here={here}
                    name={`person${index}`}
                    label={`${name} (${t.shifts(shifts)})`}
                    people={people}
                    value={preview.chosen[index]}
                    more={[{ value: leaveOut, label: t.leaveOut }]}
                  />
                ))}
              </div>
            </fieldset>
          )}
          <p class="sub">{t.until(until)}</p>
          <button class="primary wide" type="submit" name="action" value="take">
            {t.confirm}
          </button>
        </form>
      )}
      <p>
        <a href={rosterPath('/roster/calendar', community.communityId)}>{t.title}</a>
      </p>
    </div>
  )
}
