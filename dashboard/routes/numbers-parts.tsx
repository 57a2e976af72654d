import { outcomes } from '../../alerts/model.js'
import { type CountedSeverity, goalsMs, type Measure, type MonthNumbers } from '../../alerts/numbers.js'
import { limitWords, monthWords, p95Words, shareWords, timeWords } from '../charts/numbers-words.js'
import type { Here } from '../shell/here.js'
import { outcomeWord, SeverityTag } from '../shell/marks.js'
import { numbersText, ruleName } from '../shell/text-numbers.js'
import { clockWords } from '../shell/times.js'
import type { Chosen, MonthReport } from './numbers-month.js'

type Part = { report: MonthReport; here: Here }

/** The answer: how quickly were we at the door, and how often was it nothing? */
export function NumbersAnswer({ report, here }: Part) {
  const t = numbersText(here.language)
  const { numbers, before, span, finished, community } = report
  const month = monthWords(span.month, here.language)
  const clock = (at: Date) => clockWords(at.getTime(), here.now.getTime(), community.timeZone, here.language)
  const began =
    community.firstAlertAt !== null && community.firstAlertAt > span.from && community.firstAlertAt < span.to
  return (
    <div class="answer">
      <p class="numbers-answer">
        {numbers.alerts === 0
          ? t.none(month)
          : `${finished ? t.inMonth(month) : t.soFar(month)}${here.language === 'zh' ? '：' : ': '}${[
              doorPart(numbers, here),
              nothingPart(numbers, here),
            ].join(t.and)}${t.stop}`}
      </p>
      {numbers.alerts === 0 && <p>{t.noneMore}</p>}
      {before && <p>{t.monthBefore(monthWords(before.month, here.language), beforeParts(before.numbers, here))}</p>}
      {!finished && <p>{t.unfinished(clock(here.now))}</p>}
      {began && <p>{t.recordBegins(clock(community.firstAlertAt!))}</p>}
    </div>
  )
}

function doorPart({ bySeverity, times }: MonthNumbers, { language }: Here): string {
  const t = numbersText(language)
  const door = times.door.emergency
  if (!door) return t.noEmergency
  if (door.n === 0) return t.doorUnknown(t.emergencies(bySeverity.emergency))
  const time = timeWords(door.medianMs, language)
  if (door.n === 1) return t.doorInOne(time)
  return `${t.doorIn(time, t.visits(door.n))}${language === 'zh' ? '，' : ', '}${t.doorGoal(shareWords(door.within[0]!, language))}`
}

function nothingPart({ falseAlarms: { share } }: MonthNumbers, { language }: Here): string {
  const t = numbersText(language)
  return share.of === 0 ? t.nothingUnknown : t.nothingShare(shareWords(share, language))
}

function beforeParts({ times, falseAlarms: { share } }: MonthNumbers, { language }: Here): string {
  const t = numbersText(language)
  const door = times.door.emergency
  const parts = [
    ...(door && door.n > 0 ? [t.beforeDoor(timeWords(door.medianMs, language), t.visits(door.n))] : []),
    ...(share.of > 0 ? [t.beforeNothing(shareWords(share, language))] : []),
  ]
  return parts.join(t.and) || t.beforeUnknown
}

/** Which community, which month: works without browser code. */
export function MonthChoice({
  chosen,
  communities,
  here,
}: {
  chosen: Chosen
  communities: Chosen['community'][]
  here: Here
}) {
  const t = numbersText(here.language)
  const { community, month, months, current } = chosen
  const at = months.indexOf(month)
  const to = (wanted: string) => `/numbers?${new URLSearchParams({ community: community.communityId, month: wanted })}`
  const name = (each: string) => {
    const words = monthWords(each, here.language)
    return each === current ? t.soFar(words) : words
  }
  return (
    <nav class="month-choice no-print" aria-label={t.choose}>
      <form method="get" action="/numbers" class="search">
        {communities.length > 1 ? (
          <label>
            {t.community}
            <select name="community">
              {communities.map(({ communityId, name: each }) => (
                <option key={communityId} value={communityId} selected={communityId === community.communityId}>
                  {each}
                </option>
              ))}
            </select>
          </label>
        ) : (
          <input type="hidden" name="community" value={community.communityId} />
        )}
        <label>
          {t.month}
          <select name="month">
            {months.map((each) => (
              <option key={each} value={each} selected={each === month}>
                {name(each)}
              </option>
            ))}
          </select>
        </label>
        <button type="submit">{t.show}</button>
      </form>
      <p class="pager">
        {months[at + 1] && <a href={to(months[at + 1]!)}>{`← ${name(months[at + 1]!)}`}</a>}
        {months[at - 1] && <a href={to(months[at - 1]!)}>{`${name(months[at - 1]!)} →`}</a>}
      </p>
    </nav>
  )
}

/** Alerts by rule and by what was found. */
export function ByKind({ report: { numbers, notices }, here }: Part) {
  const t = numbersText(here.language)
  const found = [...outcomes, 'open' as const].filter((outcome) =>
    numbers.byKind.some((kind) => (kind.outcomes[outcome] ?? 0) > 0),
  )
  const word = (outcome: (typeof found)[number]) => (outcome === 'open' ? t.open : outcomeWord(outcome, here.language))
  const sum = (outcome: (typeof found)[number]) =>
    numbers.byKind.reduce((total, kind) => total + (kind.outcomes[outcome] ?? 0), 0)
  const rows = [
    ...numbers.byKind.map((each) => ({
      key: each.kind as string,
      name: ruleName(each.kind, here.language),
      severity: each.severity as CountedSeverity | null,
      total: each.total,
      count: (outcome: (typeof found)[number]) => each.outcomes[outcome] ?? 0,
    })),
    { key: '', name: t.total, severity: null, total: numbers.alerts, count: sum },
  ]
  return (
    <section>
      <h2>{t.byKind}</h2>
      <p>{t.byKindLead}</p>
      <table class="rows by-kind">
        <caption class="visually-hidden">{t.byKindLead}</caption>
        <thead>
          <tr>
            <th scope="col">{t.rule}</th>
            {found.map((outcome) => (
              <th scope="col" class="number" key={outcome}>
                {word(outcome)}
              </th>
            ))}
            <th scope="col" class="number">
              {t.total}
            </th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, name, severity, total, count }) => (
            <tr key={key} class={severity ? undefined : 'sum'}>
              <th scope="row">
                {name}
                {severity && <SeverityTag severity={severity} language={here.language} />}
              </th>
              {found.map((outcome) => (
                <td key={outcome} class={count(outcome) === 0 ? 'number zero' : 'number'} data-label={word(outcome)}>
                  {count(outcome)}
                </td>
              ))}
              <td class="number" data-label={t.total}>
                {total}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <p>{t.notices(notices)}</p>
    </section>
  )
}

/** One measure by severity: how many, how long, how many in time, and how long it took in the month before. */
export function TimesTable({ report: { numbers, before }, here, measure }: Part & { measure: Measure }) {
  const t = numbersText(here.language)
  const { language } = here
  const n = measure === 'door' ? t.nVisits : measure === 'page' ? t.nPaged : t.nTaken
  const goals = goalsMs[measure].map((limit) => t.within(limitWords(limit, language)))
  return (
    <table class="rows times">
      <caption class="visually-hidden">{t.measure[measure]}</caption>
      <thead>
        <tr>
          <th scope="col">{t.severity}</th>
          {[n, t.median, t.p95, ...goals, t.before].map((head) => (
            <th scope="col" key={head}>
              {head}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {numbers.severities.map((severity) => {
          const times = numbers.times[measure][severity]!
          const earlier = before?.numbers.times[measure][severity]
          return (
            <tr key={severity}>
              <th scope="row">
                <SeverityTag severity={severity} language={language} />
              </th>
              <td data-label={n}>{t.ofAlerts(times.n, numbers.bySeverity[severity])}</td>
              <td data-label={t.median}>{timeWords(times.medianMs, language)}</td>
              <td data-label={t.p95}>{p95Words(times, language)}</td>
              {times.within.map((share, index) => (
                <td key={goals[index]} data-label={goals[index]}>
                  {shareWords(share, language)}
                </td>
              ))}
              <td data-label={t.before}>
                {earlier && earlier.n > 0 ? t.beforeOf(timeWords(earlier.medianMs, language), earlier.n) : t.unknown}
              </td>
            </tr>
          )
        })}
      </tbody>
    </table>
  )
}
