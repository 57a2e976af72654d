import { type Bar, barsMs, countedSeverities, goalsMs } from '../../alerts/numbers.js'
import { numbersText } from '../shell/text-numbers.js'
import { SeverityLegend } from './numbers-days.js'
import { countsWords, limitWords, type MonthContext, shortShare } from './numbers-words.js'

/**
 * How long it took, as a table with a bar in each row: the bar is what the numbers beside it say. Where a goal lies is
 * said and drawn.
 */
export function TimesSpread({
  measure,
  bars,
  context,
}: {
  measure: keyof typeof barsMs
  bars: readonly Bar[]
  context: MonthContext
}) {
  const { language } = context
  const t = numbersText(language)
  const total = bars.reduce((sum, bar) => sum + bar.total, 0)
  const most = Math.max(1, ...bars.map((bar) => bar.total))
  const goals: readonly number[] = goalsMs[measure]
  let together = 0
  if (total === 0) return null
  return (
    <figure class="chart numbers-chart">
      <figcaption>
        <strong>{t.spread[measure]}</strong> <span>{measure === 'door' ? t.visits(total) : t.alerts(total)}</span>
      </figcaption>
      <table class="spread">
        <caption class="visually-hidden">{t.spread[measure]}</caption>
        <thead>
          <tr>
            <th scope="col">{t.took}</th>
            <th scope="col" class="spread-bar">
              <span class="visually-hidden">{t.severity}</span>
            </th>
            <th scope="col" class="number">
              {measure === 'door' ? t.nVisits : t.n}
            </th>
            <th scope="col" class="number">
              {t.together}
            </th>
          </tr>
        </thead>
        <tbody>
          {bars.map((bar) => {
            together += bar.total
            const isGoal = bar.upToMs !== null && goals.includes(bar.upToMs)
            return (
              <tr key={String(bar.upToMs)} class={isGoal ? 'goal' : undefined}>
                <th scope="row">
                  {bar.upToMs === null
                    ? t.longer(limitWords(barsMs[measure].at(-1)!, language))
                    : t.upTo(limitWords(bar.upToMs, language))}
                  {isGoal && <span class="goal-word"> {t.goal}</span>}
                </th>
                <td class="spread-bar">
                  <Stack bar={bar} most={most} />
                  <span class="visually-hidden">{countsWords(bar.counts, language)}</span>
                </td>
                <td class="number">{bar.total}</td>
                <td class="number">{shortShare({ part: together, of: total }, language)}</td>
              </tr>
            )
          })}
        </tbody>
      </table>
      <SeverityLegend context={context} />
    </figure>
  )
}

function Stack({ bar, most }: { bar: Bar; most: number }) {
  let from = 0
  return (
    <svg viewBox="0 0 100 10" preserveAspectRatio="none" aria-hidden="true">
      {countedSeverities.map((severity) => {
        const width = (bar.counts[severity] / most) * 100
        const x = from
        from += width
        return width === 0 ? null : (
          <rect key={severity} class={`of-${severity}`} x={round(x)} y="0" width={round(width)} height="10" />
        )
      })}
    </svg>
  )
}

const round = (value: number) => Math.round(value * 100) / 100
