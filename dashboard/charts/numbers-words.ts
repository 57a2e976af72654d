import type { Language } from '../../alerts/model.js'
import { type CountedSeverity, countedSeverities, type Share, type Times } from '../../alerts/numbers.js'
import { shellText } from '../shell/shell-text.js'
import { numbersText } from '../shell/text-numbers.js'

/** What the charts of a month are told in. */
export type MonthContext = { language: Language; month: string; days: number; daysPassed: number }

/** Of fewer, a percentage says more than is known. */
const percentMin = 10
/** Of fewer, the 95th percentile is the longest. */
const p95Min = 20

/** Between a number and its unit, so that no line ends there. */
const nbsp = '\u00a0'

const second = 1_000
const minute = 60 * second
const hour = 60 * minute

/** How long it took, as exactly as it matters: "4.2 s", "75 s", "3 min 20 s", "18 min", "2 h 5 min"; unknown for null. */
export function timeWords(ms: number | null, language: Language): string {
  const zh = language === 'zh'
  const unit = { s: zh ? '秒' : 's', min: zh ? '分钟' : 'min', h: zh ? '小时' : 'h' }
  if (ms === null) return numbersText(language).unknown
  if (ms < 9.95 * second) return `${Math.round(ms / 100) / 10}${nbsp}${unit.s}`
  if (ms < 119.5 * second) return `${Math.round(ms / second)}${nbsp}${unit.s}`
  if (ms < 9.99 * minute) return two(Math.round(ms / second), 60, zh ? '分' : unit.min, unit.s, unit.min)
  if (ms < 119.5 * minute) return `${Math.round(ms / minute)}${nbsp}${unit.min}`
  if (ms < 48 * hour) return two(Math.round(ms / minute), 60, unit.h, unit.min, unit.h)
  return `${Math.round(ms / hour)}${nbsp}${unit.h}`
}

function two(amount: number, per: number, large: string, small: string, alone: string): string {
  const rest = amount % per
  const whole = Math.floor(amount / per)
  return rest === 0 ? `${whole}${nbsp}${alone}` : `${whole}${nbsp}${large} ${rest}${nbsp}${small}`
}

/** A limit as it is spoken of: "60 s", "180 s", "45 min", "2 h". */
export function limitWords(ms: number, language: Language): string {
  const zh = language === 'zh'
  if (ms <= 180 * second) return `${ms / second}${nbsp}${zh ? '秒' : 's'}`
  if (ms < 120 * minute) return `${ms / minute}${nbsp}${zh ? '分钟' : 'min'}`
  return `${ms / hour}${nbsp}${zh ? '小时' : 'h'}`
}

/** "43 % (30 of 70)"; of a few "3 of 7"; of none "unknown", never 0 %. */
export function shareWords({ part, of }: Share, language: Language): string {
  const t = numbersText(language)
  if (of === 0) return t.unknown
  return of < percentMin ? t.fewOf(part, of) : t.shareOf(percentOf({ part, of }), part, of)
}

/** As `shareWords`, where the number that it is of stands beside it already: "43 %", "3 of 7". */
export const shortShare = (share: Share, language: Language): string =>
  share.of < percentMin ? shareWords(share, language) : numbersText(language).percent(percentOf(share))

/** Whole per cent; neither 0 nor 100 unless it is none or all. */
export function percentOf({ part, of }: Share): number {
  const percent = Math.round((part / of) * 100)
  if (part > 0 && percent === 0) return 1
  return part < of && percent === 100 ? 99 : percent
}

export const p95Words = ({ p95Ms, n }: Times, language: Language): string => {
  const time = timeWords(p95Ms, language)
  return n > 0 && n < p95Min ? numbersText(language).longest(time) : time
}

const utc = (locale: string, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options })
const months = {
  zh: utc('zh-CN', { year: 'numeric', month: 'long' }),
  en: utc('en-GB', { year: 'numeric', month: 'long' }),
}
const days = {
  zh: utc('zh-CN', { month: 'long', day: 'numeric' }),
  en: utc('en-GB', { day: 'numeric', month: 'short' }),
}

/** "October 2026", "2026年10月". */
export const monthWords = (month: string, language: Language): string =>
  months[language].format(Date.parse(`${month}-01T12:00:00Z`))

/** "3 Oct", "10月3日", of a date YYYY-MM-DD. */
export const dateWords = (date: string, language: Language): string =>
  days[language].format(Date.parse(`${date}T12:00:00Z`))

export const dateOf = (month: string, day: number): string => `${month}-${String(day).padStart(2, '0')}`

/** "2 emergency, 5 urgent", of those that there were. */
export function countsWords(counts: Record<CountedSeverity, number>, language: Language): string {
  const severityName = shellText(language).severity
  return countedSeverities
    .filter((severity) => counts[severity] > 0)
    .map((severity) => `${severityName[severity]} ${counts[severity]}`)
    .join(language === 'zh' ? '，' : ', ')
}
