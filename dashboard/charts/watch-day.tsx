import type { WatchedHour } from '../../db/watch-views.js'
import type { Here } from '../shell/here.js'
import { watchText } from '../shell/text-watch.js'

const hourMs = 3_600_000
const hours = 24
/** Of the scale of tens, from one millisecond at the bottom to ten seconds at the top: a page that takes longer has not come. */
const scaleMs = [10_000, 1_000, 100, 10, 1]
/** Every so many hours one is named. */
const namedHours = 6

/** "85 ms", "1.2 s". */
export const tookWords = (ms: number, { language }: Here): string =>
  ms < 1_000
    ? watchText(language).ms(String(Math.round(ms)))
    : `${Number((ms / 1_000).toFixed(1))} ${language === 'zh' ? '秒' : 's'}`

/** 0 at the bottom to 100 at the top: what usually takes 50 ms and once took 5 s can both be seen. */
const heightOf = (ms: number) => (Math.log10(Math.max(ms, 1)) / Math.log10(scaleMs[0]!)) * 100

/**
 * How long pages took in each of the last 24 hours: 99 % (bar), half (line), and a cross where some did not come back.
 * The table beside it says the same.
 */
export function WatchDay({ rows, here }: { rows: readonly WatchedHour[]; here: Here }) {
  const t = watchText(here.language)
  const last = Math.floor(here.now.getTime() / hourMs) * hourMs
  const byHour = new Map(rows.map((row) => [row.hour.getTime(), row]))
  const clock = new Intl.DateTimeFormat('en-GB', { timeZone: here.timeZoneDefault, hour: '2-digit', minute: '2-digit' })
  const worst = rows.reduce<number | null>(
    (most, { p99Ms }) => (p99Ms === null ? most : Math.max(most ?? 0, p99Ms)),
    null,
  )
  const medians = rows.flatMap(({ p50Ms }) => p50Ms ?? []).sort((a, b) => a - b)
  const median = medians[Math.floor((medians.length - 1) / 2)]
  const missed = rows.reduce((sum, { missedRounds }) => sum + missedRounds, 0)
  if (rows.length === 0) return <p>{t.noRounds}</p>
  const slots = Array.from({ length: hours }, (_, i) => {
    const at = last - (hours - 1 - i) * hourMs
    return { at, row: byHour.get(at) }
  })
  const label = t.chart({
    median: median === undefined ? '–' : tookWords(median, here),
    p99: worst === null ? '–' : tookWords(worst, here),
    missed,
  })
  return (
    <figure class="watch-day">
      <div class="watch-plot" role="img" aria-label={label}>
        <div class="watch-scale" aria-hidden="true">
          {scaleMs.map((ms) => (
            <span key={ms}>{tookWords(ms, here)}</span>
          ))}
        </div>
        <div class="watch-crosses" aria-hidden="true">
          {slots.map(({ at, row }) => (
            <span key={at}>{row && row.missedRounds > 0 ? '✕' : ''}</span>
          ))}
        </div>
        <svg viewBox={`0 0 ${hours} 100`} preserveAspectRatio="none" aria-hidden="true" focusable="false">
          {scaleMs.map((ms) => (
            <line key={ms} x1={0} x2={hours} y1={100 - heightOf(ms)} y2={100 - heightOf(ms)} class="watch-grid" />
          ))}
          {slots.map(({ at, row }, i) => (
            <g key={at}>
              {row && row.p99Ms !== null && (
                <rect
                  x={i + 0.15}
                  width={0.7}
                  y={100 - heightOf(row.p99Ms)}
                  height={heightOf(row.p99Ms)}
                  class="watch-bar"
                />
              )}
              {row && row.p50Ms !== null && (
                <line
                  x1={i + 0.15}
                  x2={i + 0.85}
                  y1={100 - heightOf(row.p50Ms)}
                  y2={100 - heightOf(row.p50Ms)}
                  class="watch-median"
                />
              )}
            </g>
          ))}
        </svg>
        <div class="watch-hours" aria-hidden="true">
          {slots
            .filter((_, i) => i % namedHours === 0)
            .map(({ at }) => (
              <span key={at}>{clock.format(at)}</span>
            ))}
        </div>
      </div>
      <figcaption>{t.dayLead}</figcaption>
      <details class="folded" id="watch-table">
        <summary>{t.asTable}</summary>
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">{t.hour}</th>
              <th scope="col" class="number">
                {t.rounds}
              </th>
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
            {rows.map((row) => (
              <tr key={row.hour.getTime()}>
                <th scope="row">{clock.format(row.hour)}</th>
                <td data-label={t.rounds} class="number">
                  {row.rounds}
                </td>
                <td data-label={t.median} class="number">
                  {row.p50Ms === null ? '–' : tookWords(row.p50Ms, here)}
                </td>
                <td data-label={t.p99} class="number">
                  {row.p99Ms === null ? '–' : tookWords(row.p99Ms, here)}
                </td>
                <td data-label={t.missedColumn} class="number">
                  {row.missedRounds}
                </td>
              </tr>
            ))}
          </tbody>
        </table>
      </details>
    </figure>
  )
}
