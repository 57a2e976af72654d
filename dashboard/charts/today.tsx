import { residentText } from '../shell/text-resident.js'
import type { LocalDay } from './days.js'
import { amountWords, niceTop, unitOf } from './scale.js'
import { type ChartContext, hourWords, spanWords, totalWords } from './words.js'

/** An axis that ends lower makes a dripping tap look like a shower. */
const topLeast = { water: 10, electricity: 200 }
const height = 100

/**
 * Today, hour by hour. The background is hatched; what is known paints it over, so that what is not known stays visible
 * as such. Hours to come are blank.
 */
export function TodayChart({ day, context }: { day: LocalDay; context: ChartContext }) {
  const { kind, language } = context
  const t = residentText(language)
  const columns = day.hours.length
  const top = niceTop(Math.max(0, ...day.hours.map(({ use }) => use ?? 0)), topLeast[kind])
  const title = t.todayTitle(t[kind], unitOf[kind])
  const total = day.total === null ? t.nothingKnown : t.todayTotal(totalWords(day, context))
  return (
    <figure class={`chart chart-${kind}`}>
      <figcaption>
        <strong>{title}</strong> <span class="chart-total">{total}</span>
      </figcaption>
      <div class="bars">
        <span class="bars-top">{amountWords(top, kind, language)}</span>
        <svg
          viewBox={`0 0 ${columns} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${title}: ${total}`}
        >
          {day.hours.map((hour, index) => (
            <g key={hour.at}>
              <title>{t.hourOf(spanWords(hour, context), hourWords(hour, context) || '–')}</title>
              {hour.state !== 'unknown' && !hour.partly && (
                <rect
                  class={hour.state === 'not yet' ? 'not-yet' : 'known-hour'}
                  x={index}
                  y="0"
                  width="1.02"
                  height={height}
                />
              )}
              {hour.state === 'unknown' && <rect class="hit" x={index} y="0" width="1" height={height} />}
              {hour.state === 'used' && (
                <rect
                  class="bar"
                  x={index + 0.12}
                  y={height - barHeight(hour.use ?? 0, top)}
                  width="0.76"
                  height={barHeight(hour.use ?? 0, top)}
                />
              )}
            </g>
          ))}
          <line class="half" x1="0" x2={columns} y1={height / 2} y2={height / 2} />
        </svg>
        <div class="axis" aria-hidden="true">
          <span>0</span>
          <span>6</span>
          <span>12</span>
          <span>18</span>
          <span>24</span>
        </div>
      </div>
      <details>
        <summary>{t.table}</summary>
        <table>
          <caption class="visually-hidden">{title}</caption>
          <thead>
            <tr>
              <th scope="col">{t.hour}</th>
              <th scope="col">{t[kind]}</th>
            </tr>
          </thead>
          <tbody>
            {day.hours
              .filter(({ state }) => state !== 'not yet')
              .map((hour) => (
                <tr key={hour.at}>
                  <th scope="row">{spanWords(hour, context)}</th>
                  <td>{hourWords(hour, context)}</td>
                </tr>
              ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}

/** The least that is used can be seen. */
const barHeight = (use: number, top: number) => Math.round(Math.max(2, (use / top) * height) * 100) / 100
