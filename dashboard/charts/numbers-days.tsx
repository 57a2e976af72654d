import { countedSeverities, type DayNumbers } from '../../alerts/numbers.js'
import { shellText } from '../shell/shell-text.js'
import { numbersText } from '../shell/text-numbers.js'
import { countsWords, dateOf, dateWords, type MonthContext } from './numbers-words.js'
import { niceTop } from './scale.js'

const height = 100
/** Below this an axis makes one alert look like a storm. */
const topLeast = 4
const labelEvery = 7

/** Alerts by day, one bar a day, the worst at the bottom. Days to come are left blank. */
export function AlertsByDay({ byDay, context }: { byDay: readonly DayNumbers[]; context: MonthContext }) {
  const { language, month, daysPassed } = context
  const t = numbersText(language)
  const severityName = shellText(language).severity
  const top = niceTop(Math.max(0, ...byDay.map(({ total }) => total)), topLeast)
  const busiest = byDay.reduce((most, day) => (day.total > most.total ? day : most), byDay[0]!)
  const summary = t.byDaySum(
    byDay.reduce((sum, { total }) => sum + total, 0),
    dateWords(dateOf(month, busiest.day), language),
    busiest.total,
  )
  return (
    <figure class="chart numbers-chart">
      <figcaption>
        <span>{summary}</span>
      </figcaption>
      <div class="bars">
        <span class="bars-top">{top}</span>
        <svg
          viewBox={`0 0 ${byDay.length} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${t.byDay}. ${summary}`}
        >
          <line class="half" x1="0" x2={byDay.length} y1={height / 2} y2={height / 2} />
          {byDay.map((day, index) =>
            day.day > daysPassed ? (
              <rect key={day.day} class="to-come" x={index} y="0" width="1.02" height={height} />
            ) : (
              <DayBar key={day.day} day={day} x={index} top={top} context={context} />
            ),
          )}
        </svg>
        <div class="day-axis" aria-hidden="true">
          {byDay.map(({ day }) => (
            <span key={day}>{(day - 1) % labelEvery === 0 ? day : ''}</span>
          ))}
        </div>
      </div>
      <SeverityLegend context={context} />
      <details>
        <summary>{t.table}</summary>
        <table>
          <caption class="visually-hidden">{t.byDay}</caption>
          <thead>
            <tr>
              <th scope="col">{t.day}</th>
              {countedSeverities.map((severity) => (
                <th scope="col" key={severity}>
                  {severityName[severity]}
                </th>
              ))}
              <th scope="col">{t.total}</th>
            </tr>
          </thead>
          <tbody>
            {byDay
              .filter(({ day }) => day <= daysPassed)
              .map(({ day, counts, total }) => (
                <tr key={day}>
                  <th scope="row">{dateWords(dateOf(month, day), language)}</th>
                  {countedSeverities.map((severity) => (
                    <td key={severity}>{counts[severity]}</td>
                  ))}
                  <td>{total}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

function DayBar({ day, x, top, context }: { day: DayNumbers; x: number; top: number; context: MonthContext }) {
  const { language, month } = context
  const t = numbersText(language)
  const said = day.total === 0 ? t.alerts(0) : countsWords(day.counts, language)
  let stacked = 0
  return (
    <g>
      <title>{`${dateWords(dateOf(month, day.day), language)}: ${said}`}</title>
      <rect class="hit" x={x} y="0" width="1" height={height} />
      {countedSeverities.map((severity) => {
        const tall = (day.counts[severity] / top) * height
        stacked += tall
        return tall === 0 ? null : (
          <rect
            key={severity}
            class={`of-${severity}`}
            x={x + 0.12}
            y={round(height - stacked)}
            width="0.76"
            height={round(tall)}
          />
        )
      })}
    </g>
  )
}

const round = (value: number) => Math.round(value * 100) / 100

export function SeverityLegend({ context: { language } }: { context: Pick<MonthContext, 'language'> }) {
  const severityName = shellText(language).severity
  return (
    <ul class="legend" aria-label={numbersText(language).legend}>
      {countedSeverities.map((severity) => (
        <li key={severity}>
          <svg viewBox="0 0 1 1" aria-hidden="true">
            <rect class={`of-${severity}`} width="1" height="1" />
          </svg>
          {severityName[severity]}
        </li>
      ))}
    </ul>
  )
}
