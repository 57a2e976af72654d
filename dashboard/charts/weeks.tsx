import type { Language } from '../../alerts/model.js'
import { trendsText } from '../shell/text-trends.js'

const dayMs = 86_400_000
const height = 100
const tops = [4, 8, 12, 16, 24]
const weeksMax = 26

const formats: Record<Language, Intl.DateTimeFormat> = {
  en: new Intl.DateTimeFormat('en-GB', { timeZone: 'UTC', day: 'numeric', month: 'short' }),
  zh: new Intl.DateTimeFormat('zh-CN', { timeZone: 'UTC', day: 'numeric', month: 'long' }),
}

/**
 * Hours a day with use, one bar a week; weeks that are not known stay hatched. `endDay`: the day on which the newest of
 * them ended, counted from 1970-01-01.
 */
export function WeeksChart({
  hours,
  endDay,
  kind,
  language,
}: {
  hours: readonly (number | null)[]
  endDay: number
  kind: 'water' | 'electricity'
  language: Language
}) {
  const t = trendsText(language)
  const shown = hours.slice(-weeksMax)
  const known = shown.filter((value) => value !== null)
  if (known.length === 0) return null
  const high = Math.max(...known)
  const top = tops.find((one) => one >= high) ?? 24
  const dateOf = (day: number) => formats[language].format(day * dayMs)
  const spanOf = (index: number) => {
    const last = endDay - 7 * (shown.length - 1 - index)
    return t.span(dateOf(last - 6), dateOf(last))
  }
  const wordsOf = (value: number | null) => (value === null ? t.unknown : t.hours(value.toFixed(1)))
  const [from, to] = [dateOf(endDay - 7 * shown.length + 1), dateOf(endDay)]
  const summary = t.summary(from, to, Math.min(...known).toFixed(1), high.toFixed(1))
  return (
    <figure class={`chart chart-${kind}`}>
      <figcaption>
        <strong>{t.chart}</strong>
      </figcaption>
      <div class="bars">
        <span class="bars-top">{t.hours(String(top))}</span>
        <svg
          viewBox={`0 0 ${shown.length} ${height}`}
          preserveAspectRatio="none"
          role="img"
          aria-label={`${t.chart}. ${summary}`}
        >
          {shown.map((value, index) => (
            <g key={endDay - 7 * (shown.length - index)}>
              <title>{`${spanOf(index)}: ${wordsOf(value)}`}</title>
              {value === null ? (
                <rect class="hit" x={index} y="0" width="1" height={height} />
              ) : (
                <>
                  <rect class="known-hour" x={index} y="0" width="1.02" height={height} />
                  <rect
                    class="bar"
                    x={index + 0.12}
                    y={height - (value / top) * height}
                    width="0.76"
                    height={(value / top) * height}
                  />
                </>
              )}
            </g>
          ))}
        </svg>
        <div class="axis" aria-hidden="true">
          <span>{from}</span>
          <span>{to}</span>
        </div>
      </div>
      <details>
        <summary>{t.table}</summary>
        <table>
          <caption class="visually-hidden">{t.chart}</caption>
          <thead>
            <tr>
              <th scope="col">{t.week}</th>
              <th scope="col">{t.use}</th>
            </tr>
          </thead>
          <tbody>
            {shown
              .map((value, index) => (
                <tr key={spanOf(index)}>
                  <th scope="row">{spanOf(index)}</th>
                  <td>{value === null ? t.unknown : value.toFixed(1)}</td>
                </tr>
              ))
              .reverse()}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
