import type { PersonNights } from '../../alerts/numbers.js'
import { numbersText } from '../shell/text-numbers.js'
import { dateOf, dateWords, type MonthContext } from './numbers-words.js'

/** Where one shade ends and the next begins, in pages a night. */
const shadesUpTo = [1, 2, 4, 8] as const
const shadeOf = (pages: number) => (pages === 0 ? 0 : 1 + shadesUpTo.filter((limit) => pages > limit).length)

/** One digit; a few are not none. */
const perNight = (pages: number) => (pages < 0.05 ? '< 0.1' : pages.toFixed(1))

/** One row a person, one column a night, shaded by the pages that left to that person. */
export function NightsByPerson({ people, context }: { people: readonly PersonNights[]; context: MonthContext }) {
  const { language, month, days, daysPassed } = context
  const t = numbersText(language)
  const nights = Array.from({ length: days }, (_, i) => dateOf(month, i + 1))
  return (
    <figure class="chart chart-water numbers-chart">
      <div class="strip nights">
        {people.map((person) => (
          <div class="strip-row" key={person.staffId}>
            <span class="strip-day">{person.name}</span>
            <svg
              viewBox={`0 0 ${days} 1`}
              preserveAspectRatio="none"
              role="img"
              aria-label={`${person.name}: ${t.pages(person.pages)}`}
            >
              {nights.map((night, index) => {
                const { pages, alerts } = person.nights.get(night) ?? { pages: 0, alerts: 0 }
                return index >= daysPassed ? (
                  <rect key={night} class="to-come" x={index} y="0" width="1.02" height="1" />
                ) : (
                  <rect key={night} class={`s${shadeOf(pages)}`} x={index + 0.04} y="0" width="0.92" height="1">
                    <title>{t.nightOf(dateWords(night, language), pages, alerts)}</title>
                  </rect>
                )
              })}
            </svg>
            <span class="strip-total">{person.pages}</span>
          </div>
        ))}
        <div class="strip-row" aria-hidden="true">
          <span class="strip-day" />
          <span class="day-axis">
            {nights.map((night, index) => (
              <span key={night}>{index % 7 === 0 ? index + 1 : ''}</span>
            ))}
          </span>
          <span class="strip-total" />
        </div>
      </div>
      <Legend context={context} />
      <table class="rows people">
        <caption class="visually-hidden">{t.nights}</caption>
        <thead>
          <tr>
            <th scope="col">{t.person}</th>
            <th scope="col" class="number">
              {t.nightsPaged}
            </th>
            <th scope="col" class="number">
              {t.pagesColumn}
            </th>
            <th scope="col" class="number">
              {t.perNight}
            </th>
            <th scope="col" class="number">
              {t.worst}
            </th>
          </tr>
        </thead>
        <tbody>
          {people.map((person) => (
            <tr key={person.staffId}>
              <th scope="row">{person.name}</th>
              <td class="number" data-label={t.nightsPaged}>
                {person.nights.size}
              </td>
              <td class="number" data-label={t.pagesColumn}>
                {person.pages}
              </td>
              <td class="number" data-label={t.perNight}>
                {perNight(person.pages / Math.max(1, daysPassed))}
              </td>
              <td class="number" data-label={t.worst}>
                {t.worstOf(person.worst.pages, dateWords(person.worst.night, language))}
              </td>
            </tr>
          ))}
        </tbody>
      </table>
      <EachNight people={people} context={context} />
    </figure>
  )
}

function EachNight({ people, context: { language } }: { people: readonly PersonNights[]; context: MonthContext }) {
  const t = numbersText(language)
  const rows = people.flatMap((person) => [...person.nights].map(([night, counts]) => ({ person, night, ...counts })))
  rows.sort((a, b) => (a.night < b.night ? -1 : a.night > b.night ? 1 : b.pages - a.pages))
  return (
    <details>
      <summary>{t.table}</summary>
      <table>
        <caption class="visually-hidden">{t.nights}</caption>
        <thead>
          <tr>
            <th scope="col">{t.night}</th>
            <th scope="col">{t.person}</th>
            <th scope="col">{t.pagesColumn}</th>
            <th scope="col">{t.alertsColumn}</th>
          </tr>
        </thead>
        <tbody>
          {rows.map(({ person, night, pages, alerts }) => (
            <tr key={`${night} ${person.staffId}`}>
              <th scope="row">{dateWords(night, language)}</th>
              <td>{person.name}</td>
              <td>{pages}</td>
              <td>{alerts}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

function Legend({ context: { language } }: { context: MonthContext }) {
  const t = numbersText(language)
  const spans = ['1', '2', '3–4', '5–8']
  const words = [t.noPages, ...spans, t.orMore(shadesUpTo.at(-1)! + 1)]
  return (
    <ul class="legend" aria-label={t.legend}>
      <li>{t.legendPages}</li>
      {words.map((word, shade) => (
        <li key={word}>
          <svg viewBox="0 0 1 1" aria-hidden="true">
            <rect class={`s${shade}`} width="1" height="1" />
          </svg>
          {word}
        </li>
      ))}
    </ul>
  )
}
