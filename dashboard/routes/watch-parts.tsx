import type { Lateness } from '../../db/lateness.js'
import type { WatchedCommunity, WatchProcess } from '../../db/watch-views.js'
import { tookWords } from '../charts/watch-day.js'
import type { Here } from '../shell/here.js'
import { watchText } from '../shell/text-watch.js'
import { clockWords, durationWords, When } from '../shell/times.js'
import { lateParts, lateSMax, processGoneMs, switchState, type WatchVerdict } from './watch-judge.js'

/** Times of the operator's pages are in the zone of the installation. */
const Time = ({ at, here }: { at: Date; here: Here }) => (
  <When at={at} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
)

/** The first line in words: is Shouwang itself well? */
export function verdictWords(verdict: WatchVerdict, lateness: Lateness, { language }: Here): string {
  const t = watchText(language)
  switch (verdict.kind) {
    case 'well':
      return t.well(verdict.communities)
    case 'failing':
      return t.failing(verdict.failing, verdict.communities)
    case 'untold':
      return t.untold(verdict.untold)
    case 'late':
      return t.late(
        lateParts(lateness)
          .map(([work, seconds]) => `${t.workNames[work]} ${durationWords(seconds * 1_000, language)}`)
          .join(language === 'zh' ? '、' : ', '),
      )
    case 'stopped':
      return verdict.seenAt ? t.stopped : t.off
    case 'waiting':
      return t.waiting
    case 'switch silent':
      return t.switchSilent
  }
}

/** Red is for emergencies alone: one of which nobody was told is one. */
const toneOf = ({ kind }: WatchVerdict) =>
  kind === 'well' ? 'quiet' : kind === 'untold' ? 'emergency' : kind === 'waiting' ? 'plain' : 'busy'

export function Answer({ verdict, lateness, here }: { verdict: WatchVerdict; lateness: Lateness; here: Here }) {
  const t = watchText(here.language)
  return (
    <div class={`answer answer-${toneOf(verdict)}`}>
      <h1>{verdictWords(verdict, lateness, here)}</h1>
      {verdict.kind === 'well' && (
        <p>
          {t.newest}
          <Time at={verdict.newestAt} here={here} />
        </p>
      )}
      {verdict.kind === 'failing' && <p>{t.failingMore}</p>}
      {verdict.kind === 'untold' && <p>{t.untoldMore}</p>}
      {verdict.kind === 'late' && <p>{t.lateMore}</p>}
      {verdict.kind === 'waiting' && <p>{t.waitingMore}</p>}
      {verdict.kind === 'stopped' &&
        (verdict.seenAt ? (
          <p>
            {t.stoppedSince}
            <Time at={verdict.seenAt} here={here} />
          </p>
        ) : (
          <p>{t.offMore}</p>
        ))}
    </div>
  )
}

/** The operator's home has one line of it. */
export function WatchLine({ verdict, here }: { verdict: WatchVerdict; here: Here }) {
  const t = watchText(here.language)
  const state = verdict.kind === 'well' ? 'well' : verdict.kind === 'stopped' && !verdict.seenAt ? 'off' : 'unwell'
  return (
    <p class={`watch-line watch-${state}`}>
      <a href="/watch">{state === 'unwell' && verdict.kind === 'waiting' ? t.waiting : t.line[state]}</a>
    </p>
  )
}

export function Work({ lateness, here }: { lateness: Lateness; here: Here }) {
  const t = watchText(here.language)
  const seconds = { escalation: lateness.escalationS, pages: lateness.pagesS, arrivals: lateness.arrivalsS }
  return (
    <section aria-labelledby="work">
      <h2 id="work">{t.work}</h2>
      <dl class="facts watch-work">
        {(['escalation', 'pages', 'arrivals'] as const).flatMap((work) => [
          <dt key={work}>{t.workNames[work]}</dt>,
          <dd key={`${work}-value`}>
            {seconds[work] > lateSMax ? (
              <strong>{t.waits(durationWords(seconds[work] * 1_000, here.language))}</strong>
            ) : (
              t.nothingWaits
            )}
          </dd>,
        ])}
        <dt>{t.untoldRow}</dt>
        <dd>{lateness.untold === 0 ? t.none : <strong>{lateness.untold}</strong>}</dd>
      </dl>
    </section>
  )
}

export function Communities({ communities, here }: { communities: readonly WatchedCommunity[]; here: Here }) {
  const t = watchText(here.language)
  if (communities.length === 0) return <p>{t.noCommunities}</p>
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{t.community}</th>
          <th scope="col">{t.last}</th>
          <th scope="col">{t.took}</th>
          <th scope="col" class="number">
            {t.median}
          </th>
          <th scope="col" class="number">
            {t.p99}
          </th>
          <th scope="col" class="number">
            {t.missedColumn}
          </th>
        </tr>
      </thead>
      <tbody>
        {communities.map((each) => (
          <tr key={each.communityId}>
            <th scope="row">{each.name}</th>
            <td data-label={t.last}>{each.pressedAt ? <Time at={each.pressedAt} here={here} /> : t.never}</td>
            <td data-label={t.took}>
              <Took community={each} here={here} />
            </td>
            <td data-label={t.median} class="number">
              {each.p50Ms === null ? '–' : tookWords(each.p50Ms, here)}
            </td>
            <td data-label={t.p99} class="number">
              {each.p99Ms === null ? '–' : tookWords(each.p99Ms, here)}
            </td>
            <td data-label={t.missedColumn} class="number">
              {t.ofRounds(each.missedRounds, each.rounds)}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

function Took({ community, here }: { community: WatchedCommunity; here: Here }) {
  const t = watchText(here.language)
  const { failingSince, missed, pageMs } = community
  if (failingSince && missed)
    return (
      <>
        <span class="condition watch-failing">{t.cameNot}</span>
        {here.language === 'zh' ? '：' : ': '}
        {t.why[missed]}
        {t.since}
        <Time at={failingSince} here={here} />
      </>
    )
  return <>{pageMs === null ? '–' : tookWords(pageMs, here)}</>
}

export function Switch({ processes, here }: { processes: readonly WatchProcess[]; here: Here }) {
  const t = watchText(here.language)
  const withSwitch = processes.filter(({ hasSwitch }) => hasSwitch)
  const clock = (at: Date) => clockWords(at.getTime(), here.now.getTime(), here.timeZoneDefault, here.language)
  return (
    <section aria-labelledby="switch">
      <h2 id="switch">{t.switch}</h2>
      <p>{t.switchLead}</p>
      {withSwitch.length === 0 && <p class="message caution">{t.noSwitch}</p>}
      <ul class="lines">
        {withSwitch.map((each) => {
          const state = switchState(each)
          const gone = here.now.getTime() - each.seenAt.getTime() >= processGoneMs
          return (
            <li class={gone ? 'line stale' : 'line'} key={each.processId}>
              <p>
                {state === 'beats' && (
                  <>
                    <span class="condition condition-well">{t.beats}</span>
                    <Time at={each.beatAt!} here={here} />
                  </>
                )}
                {state === 'silent' && (
                  <>
                    <span class="condition watch-failing">{t.silentSince}</span>
                    <Time at={each.beatFailedAt!} here={here} />
                    {each.beatWhy && <code> {each.beatWhy}</code>}
                  </>
                )}
                {state === 'not yet' && t.notYet}
              </p>
              <p class="sub">
                {t.process(clock(each.startedAt))}
                {gone && (
                  <>
                    {' · '}
                    {t.gone}
                    <Time at={each.seenAt} here={here} />
                  </>
                )}
              </p>
            </li>
          )
        })}
      </ul>
    </section>
  )
}
