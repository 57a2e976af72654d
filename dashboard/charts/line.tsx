import type { Language } from '../../alerts/model.js'
import type { LineHour } from '../../alerts/rules/line-view.js'
import { lineText } from '../shell/text-line.js'
import { durationWords } from '../shell/times.js'
import { localClock } from './days.js'

const hourMs = 3_600_000
/** Heights that four equal parts divide into whole hours. */
const tops = [8, 12, 16, 20, 24]
/** Of the width: a silence of a few hours is a bar that a thumb would hide. */
const barWidth = 2.4

/** A silence on the chart, at the hour in which it began; `limitMs`: how far it may go, or could. */
export type LineBar = { since: number; lengthMs: number; limitMs?: number; what: 'today' | 'now' | 'alert' }

/**
 * The learned line over the hours of a day: what is usual as an area, the limit as a line, silences as bars. Drawn in
 * percent of its box, so that lines, text and thumbs keep their size on a phone. Its numbers are in a table below it.
 */
export function LineChart({
  hours,
  bars,
  weekend,
  language,
  timeZone,
}: {
  hours: readonly LineHour[]
  bars: readonly LineBar[]
  weekend: boolean
  language: Language
  timeZone: string
}) {
  const t = lineText(language)
  const limits = hours.map(({ limitMs }) => limitMs)
  const highest = Math.max(...limits, ...bars.map(({ lengthMs, limitMs }) => Math.max(lengthMs, limitMs ?? 0)))
  // With room above: a line on the very edge is half a line.
  const top = tops.find((hoursMost) => hoursMost * hourMs > highest) ?? 24
  const y = (ms: number) => round(100 - (Math.min(ms, top * hourMs) / (top * hourMs)) * 100)
  const title = `${t.chart}${language === 'zh' ? '（' : ' ('}${weekend ? t.weekend : t.weekday}${language === 'zh' ? '）' : ')'}`
  const has = (what: LineBar['what']) => bars.some((bar) => bar.what === what)
  return (
    <figure class="chart line-chart">
      <figcaption>
        <strong>{title}</strong>
      </figcaption>
      <p class="line-axis" aria-hidden="true">
        {t.yAxis}
      </p>
      <div class="line-box">
        <div class="line-ticks" aria-hidden="true">
          {[4, 3, 2, 1, 0].map((part) => (
            <span key={part}>{(top / 4) * part}</span>
          ))}
        </div>
        <svg role="img" aria-labelledby="line-title line-desc">
          <title id="line-title">{title}</title>
          <desc id="line-desc">
            {t.desc(durationWords(Math.min(...limits), language), durationWords(Math.max(...limits), language))}
          </desc>
          {hours.map(({ hour, usualMs }) => (
            <rect
              key={hour}
              class="line-usual"
              x={percent(x(hour))}
              y={percent(y(usualMs))}
              width={percent(x(1.03))}
              height={percent(100 - y(usualMs))}
            />
          ))}
          {[1, 2, 3].map((part) => (
            <line key={part} class="line-grid" x1="0" x2="100%" y1={percent(part * 25)} y2={percent(part * 25)} />
          ))}
          {bars.map((bar) => (
            <Bar key={`${bar.what} ${bar.since}`} bar={bar} at={hourOf(bar.since, timeZone)} y={y} />
          ))}
          {hours.map(({ hour, limitMs }, index) => {
            const before = hours[index - 1]
            return (
              <g key={hour}>
                {before && before.limitMs !== limitMs && (
                  <Limit x1={x(hour)} x2={x(hour)} y1={y(before.limitMs)} y2={y(limitMs)} />
                )}
                <Limit x1={x(hour)} x2={x(hour + 1)} y1={y(limitMs)} y2={y(limitMs)} />
              </g>
            )
          })}
          {bars
            .filter(({ what }) => what !== 'today')
            .map(({ what, since, lengthMs, limitMs }) => (
              <Label
                key={what}
                at={x(hourOf(since, timeZone))}
                y={y(Math.max(lengthMs, what === 'alert' ? (limitMs ?? 0) : 0))}
                words={t[what === 'alert' ? 'alert' : 'now']}
              />
            ))}
        </svg>
      </div>
      <div class="line-hours" aria-hidden="true">
        {[0, 6, 12, 18, 24].map((hour) => (
          <span key={hour}>{hour}</span>
        ))}
      </div>
      <p class="line-axis line-axis-x" aria-hidden="true">
        {t.xAxis}
      </p>
      <ul class="line-legend">
        <li class="of-usual">{t.legendUsual}</li>
        <li class="of-limit">{t.legendLimit}</li>
        {has('today') && <li class="of-today">{t.legendToday}</li>}
        {has('now') && <li class="of-now">{t.legendNow}</li>}
        {has('alert') && <li class="of-now">{t.legendAlert}</li>}
      </ul>
      <LineTable hours={hours} title={title} language={language} />
    </figure>
  )
}

function Bar({ bar, at, y }: { bar: LineBar; at: number; y: (ms: number) => number }) {
  const left = Math.min(x(at), 100 - barWidth)
  const middle = percent(left + barWidth / 2)
  const { limitMs, lengthMs } = bar
  return (
    <g>
      <rect
        class={bar.what === 'today' ? 'line-today' : 'line-now'}
        x={percent(left)}
        y={percent(y(lengthMs))}
        width={percent(barWidth)}
        height={percent(100 - y(lengthMs))}
      />
      {limitMs !== undefined && limitMs > lengthMs && (
        <line class="line-to" x1={middle} x2={middle} y1={percent(y(lengthMs))} y2={percent(y(limitMs))} />
      )}
      {limitMs !== undefined && (
        <line
          class="line-own"
          x1={percent(left - 1)}
          x2={percent(left + barWidth + 1)}
          y1={percent(y(limitMs))}
          y2={percent(y(limitMs))}
        />
      )}
    </g>
  )
}

const Limit = ({ x1, x2, y1, y2 }: { x1: number; x2: number; y1: number; y2: number }) => (
  <line class="line-limit" x1={percent(x1)} x2={percent(x2)} y1={percent(y1)} y2={percent(y2)} />
)

/** Beside its bar, on the side where there is room, and never above the box. */
function Label({ at, y, words }: { at: number; y: number; words: string }) {
  const isLeft = at < 50
  return (
    <text
      class="line-label"
      x={percent(isLeft ? at + barWidth + 1 : at - 1)}
      y={percent(Math.min(94, Math.max(8, y - 3)))}
      text-anchor={isLeft ? 'start' : 'end'}
    >
      {words}
    </text>
  )
}

function LineTable({ hours, title, language }: { hours: readonly LineHour[]; title: string; language: Language }) {
  const t = lineText(language)
  return (
    <details>
      <summary>{t.table}</summary>
      <table>
        <caption class="visually-hidden">{title}</caption>
        <thead>
          <tr>
            <th scope="col">{t.hour}</th>
            <th scope="col">{t.usualColumn}</th>
            <th scope="col">{t.limitColumn}</th>
          </tr>
        </thead>
        <tbody>
          {hours.map(({ hour, usualMs, limitMs }) => (
            <tr key={hour}>
              <th scope="row">
                {two(hour)}:00–{two((hour + 1) % 24)}:00
              </th>
              <td>{durationWords(usualMs, language)}</td>
              <td>{durationWords(limitMs, language)}</td>
            </tr>
          ))}
        </tbody>
      </table>
    </details>
  )
}

const two = (value: number) => String(value).padStart(2, '0')
const round = (value: number) => Math.round(value * 100) / 100
const x = (hour: number) => round((hour / 24) * 100)
const percent = (value: number) => `${round(value)}%`

function hourOf(at: number, timeZone: string): number {
  const { hour, minute } = localClock(at, timeZone)
  return hour + minute / 60
}
