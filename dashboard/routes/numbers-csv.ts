import { type Language, outcomes } from '../../alerts/model.js'
import { countedSeverities, type FalseAlarms, goalsMs, measures, type Share } from '../../alerts/numbers.js'
import { localClock } from '../charts/days.js'
import { dateOf, limitWords } from '../charts/numbers-words.js'
import { outcomeWord } from '../shell/marks.js'
import { shellText } from '../shell/shell-text.js'
import { numbersText, ruleName } from '../shell/text-numbers.js'
import type { MonthReport } from './numbers-month.js'

type Cell = string | number | null

/** Excel takes a file without it for the code page of the machine, and Chinese for noise. */
const byteOrderMark = '\uFEFF'

/** Rows as RFC 4180 has them, in UTF-8 that Excel knows as such; null is an empty cell. */
export const csv = (rows: readonly Cell[][]): string =>
  `${byteOrderMark}${rows.map((row) => `${row.map(csvCell).join(',')}\r\n`).join('')}`

/**
 * A text that a spreadsheet would run as a formula begins with an apostrophe instead, also in the wide forms that a
 * Chinese keyboard types (OWASP, "CSV Injection"). Numbers are ours.
 */
export function csvCell(cell: Cell): string {
  if (cell === null) return ''
  if (typeof cell === 'number') return String(cell)
  const harmless = /^\s*[=+\-@＝＋－＠\t\r\n]/u.test(cell) ? `'${cell}` : cell
  return /[",\r\n]/.test(harmless) ? `"${harmless.replaceAll('"', '""')}"` : harmless
}

const second = 1_000
const inSeconds = (ms: number | null): Cell => (ms === null ? null : Math.round(ms / 100) / 10)
/** Per cent with one digit; empty where nothing is known. */
const inPercent = ({ part, of }: Share): Cell => (of === 0 ? null : Math.round((part / of) * 1_000) / 10)

/** Each number of the month in a row of its own, with its unit and what it stands on. */
export function figuresCsv(report: MonthReport, language: Language): string {
  const { span, community, numbers, notices, people } = report
  const t = numbersText(language)
  const severityName = shellText(language).severity
  const rows: Cell[][] = []
  const add = (section: string, measure: string, group: string, value: Cell, unit: string, n: Cell, label: string) =>
    rows.push([span.month, community.name, section, measure, group, value, unit, n, label.replaceAll('\u00a0', ' ')])

  for (const severity of countedSeverities)
    add('alerts', 'opened', severity, numbers.bySeverity[severity], 'alerts', null, severityName[severity])
  add('alerts', 'opened', 'all', numbers.alerts, 'alerts', null, t.total)
  add('notices', 'opened', 'all', notices, 'notices', null, severityName.notice)
  for (const { kind, outcomes: found } of numbers.byKind)
    for (const outcome of [...outcomes, 'open' as const]) {
      const word = outcome === 'open' ? t.open : outcomeWord(outcome, language)
      add('outcomes', outcome, kind, found[outcome] ?? 0, 'alerts', null, `${ruleName(kind, language)} · ${word}`)
    }
  const addFalse = (group: string, { share }: FalseAlarms, label: string) =>
    add('false alarms', 'share', group, inPercent(share), '%', share.of, label)
  for (const kind of numbers.byKind) addFalse(kind.kind, kind.falseAlarms, ruleName(kind.kind, language))
  addFalse('all', numbers.falseAlarms, t.total)
  for (const measure of measures)
    for (const severity of numbers.severities) {
      const times = numbers.times[measure][severity]!
      const label = (what: string) => `${t.measure[measure]} · ${severityName[severity]} · ${what}`
      add(`time to ${measure}`, 'median', severity, inSeconds(times.medianMs), 's', times.n, label(t.median))
      add(`time to ${measure}`, 'p95', severity, inSeconds(times.p95Ms), 's', times.n, label(t.p95))
      times.within.forEach((share, index) => {
        const limitMs = goalsMs[measure][index]!
        const what = t.within(limitWords(limitMs, language))
        add(
          `time to ${measure}`,
          `within ${limitMs / second} s`,
          severity,
          inPercent(share),
          '%',
          share.of,
          label(what),
        )
      })
    }
  for (const { day, counts } of numbers.byDay)
    if (day <= report.daysPassed)
      for (const severity of countedSeverities)
        add('by day', severity, dateOf(span.month, day), counts[severity], 'alerts', null, severityName[severity])
  for (const person of people)
    for (const [night, { pages, alerts }] of person.nights)
      add('pages at night', night, person.name, pages, 'pages', alerts, t.nights)
  return csv([['month', 'community', 'section', 'measure', 'group', 'value', 'unit', 'n', 'label'], ...rows])
}

/** One row an alert: what it was and when, without anybody's name and without words of anybody's. */
export function alertsCsv({ alerts, community: { timeZone } }: MonthReport, language: Language): string {
  const columns = ['first_page', 'acknowledged', 'arrived', 'closed']
  const head = [
    ...['alert_id', 'kind', 'severity', 'outcome', 'opened_at'],
    ...columns.map((column) => `${column}_at`),
    'time_zone',
    ...columns.map((column) => `${column}_after_s`),
    ...['kind_label', 'outcome_label'],
  ]
  const rows = alerts.map((alert): Cell[] => {
    const after = [alert.pageMs, alert.takenMs, alert.doorMs, alert.closedMs]
    return [
      ...[alert.alertId, alert.kind, alert.severity, alert.outcome, wallTime(alert.openedAtMs, timeZone)],
      ...after.map((ms) => (ms === null ? null : wallTime(alert.openedAtMs + ms, timeZone))),
      timeZone,
      ...after.map(inSeconds),
      ...[ruleName(alert.kind, language), alert.outcome && outcomeWord(alert.outcome, language)],
    ]
  })
  return csv([head, ...rows])
}

/** "2026-10-03 14:05:11": what Excel takes for a time. Ambiguous in the hour that clocks go back; the seconds are not. */
function wallTime(atMs: number, timeZone: string): string {
  const { date, hour, minute } = localClock(atMs, timeZone)
  const two = (number: number) => String(number).padStart(2, '0')
  // Zones are whole minutes ahead of UTC.
  return `${date} ${two(hour)}:${two(minute)}:${two(Math.floor(atMs / second) % 60)}`
}
