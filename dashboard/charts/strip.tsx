import { residentText } from '../shell/text-resident.js'
import type { LocalDay, LocalHour } from './days.js'
import type { UnknownStretch } from './hourly-use.js'
import { shadeOf, shadesOf, unitOf } from './scale.js'
import { type ChartContext, dayWords, hourWords, spanWords, stretchWords, totalWords } from './words.js'

const stretchesShownMax = 5

/** The last days, one row a day, 24 hours a row, shaded by what was used; hatched where nothing is known. */
export function DaysChart({
  days,
  stretches,
  context,
}: {
  days: readonly LocalDay[]
  stretches: readonly UnknownStretch[]
  context: ChartContext
}) {
  const { kind, language } = context
  const t = residentText(language)
  const title = t.daysTitle(t[kind], unitOf[kind])
  const newestFirst = [...days].reverse()
  const told = stretches.slice(-stretchesShownMax).reverse()
  return (
    <figure class={`chart chart-${kind}`}>
      <figcaption>
        <strong>{title}</strong>
      </figcaption>
      <div class="strip" role="img" aria-label={`${title}. ${summaryWords(days, context)}`}>
        {newestFirst.map((day, index) => (
          <div class="strip-row" key={day.date}>
            <span class="strip-day">{index === 0 ? t.today : dayWords(day.date, language)}</span>
            <svg viewBox="0 0 24 1" preserveAspectRatio="none" aria-hidden="true">
              {runsOf(day).map((run) => (
                <Cell key={run.hours[0]!.at} run={run} context={context} />
              ))}
            </svg>
            <span class="strip-total">{totalWords(day, context)}</span>
          </div>
        ))}
        <div class="strip-row axis-row" aria-hidden="true">
          <span class="strip-day" />
          <span class="axis">
            <span>0</span>
            <span>6</span>
            <span>12</span>
            <span>18</span>
            <span>24</span>
          </span>
          <span class="strip-total" />
        </div>
      </div>
      <Legend context={context} />
      {told.length > 0 && (
        <div class="stretches">
          <h4>{t.stretches}</h4>
          <ul>
            {told.map((stretch) => (
              <li key={stretch.from}>{stretchWords(stretch, context)}</li>
            ))}
            {stretches.length > told.length && <li>{t.stretchesMore(stretches.length - told.length)}</li>}
          </ul>
        </div>
      )}
      <DaysTable days={newestFirst} title={title} context={context} />
    </figure>
  )
}

type Run = { hours: LocalHour[]; x: number; width: number }

/**
 * Hours in which nothing was used, or nothing known, are drawn as one piece. On the day that clocks go back two hours
 * share a column; on the day they go forward one column stays empty.
 */
function runsOf(day: LocalDay): Run[] {
  const runs: Run[] = []
  for (const hour of day.hours) {
    const sharing = day.hours.filter(({ localHour }) => localHour === hour.localHour)
    const width = 1 / sharing.length
    const x = hour.localHour + sharing.indexOf(hour) * width
    const run = runs.at(-1)
    const joins = run && hour.state !== 'used' && run.hours[0]!.state === hour.state && run.x + run.width === x
    if (joins) {
      run.hours.push(hour)
      run.width += width
    } else runs.push({ hours: [hour], x, width })
  }
  return runs
}

function Cell({ run: { hours, x, width }, context }: { run: Run; context: ChartContext }) {
  const t = residentText(context.language)
  const hour = hours[0]!
  const shaded = hour.state === 'used' || hour.state === 'not used'
  const name = shaded ? `s${shadeOf(hour.use ?? 0, context.kind)}` : hour.state.replace(' ', '-')
  return (
    <rect class={name} x={x} y="0" width={width} height="1">
      {hour.state !== 'not yet' && (
        <title>{t.hourOf(spanWords(hour, context, hours.at(-1)), hourWords(hour, context))}</title>
      )}
    </rect>
  )
}

function Legend({ context: { kind, language } }: { context: ChartContext }) {
  const t = residentText(language)
  const limits = shadesOf[kind]
  const words = [t.legendNone, ...limits.map((limit) => `≤ ${limit}`), `> ${limits.at(-1)} ${unitOf[kind]}`]
  return (
    <ul class="legend" aria-label={t.legend}>
      {words.map((word, shade) => (
        <li key={word}>
          <svg viewBox="0 0 1 1" aria-hidden="true">
            <rect class={`s${shade}`} width="1" height="1" />
          </svg>
          {word}
        </li>
      ))}
      <li>
        <svg viewBox="0 0 1 1" aria-hidden="true" />
        {t.legendUnknown}
      </li>
    </ul>
  )
}

function DaysTable({ days, title, context }: { days: readonly LocalDay[]; title: string; context: ChartContext }) {
  const t = residentText(context.language)
  return (
    <details>
      <summary>{t.table}</summary>
      <table>
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{t.day}</th>
            <th scope="col">{t.total}</th>
            <th scope="col">{t.hoursWithUse}</th>
            <th scope="col">{t.hoursUnknown}</th>
          </tr>
        </thead>
        <tbody>
          {days.map((day) => (
            <tr key={day.date}>
              <th scope="row">{dayWords(day.date, context.language)}</th>
              <td>{totalWords(day, context)}</td>
              <td>{day.hours.filter(({ state }) => state === 'used').length}</td>
              <td>{unknownHours(day)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

const unknownHours = (day: LocalDay) => day.hours.filter(({ state }) => state === 'unknown').length

function summaryWords(days: readonly LocalDay[], context: ChartContext): string {
  const t = residentText(context.language)
  return days
    .map((day) => {
      const unknown = unknownHours(day)
      const parts = [totalWords(day, context), ...(unknown > 0 ? [t.unknownHours(unknown)] : [])]
      return t.hourOf(dayWords(day.date, context.language), parts.join(', '))
    })
    .join('; ')
}
