import type { Language } from '../../alerts/model.js'
import { residentText } from '../shell/text-resident.js'
import { clockWords } from '../shell/times.js'
import { type LocalDay, type LocalHour, localClock } from './days.js'
import type { UnknownStretch } from './hourly-use.js'
import type { MeterKind } from './load-use.js'
import { amountWords } from './scale.js'

/** What a chart draws: one kind of meter, told in one language. */
export type ChartContext = { kind: MeterKind; language: Language; timeZone: string; now: number }

const twoDigits = (number: number) => String(number).padStart(2, '0')

/** "14:00–15:00", or up to the end of a `last` hour; with the half hour of the zone. */
export function spanWords(hour: LocalHour, { timeZone, language }: ChartContext, last = hour): string {
  const minutes = twoDigits(localClock(hour.at, timeZone).minute)
  const end = (last.localHour + 1) % 24
  return residentText(language).hourSpan(`${twoDigits(hour.localHour)}:${minutes}`, `${twoDigits(end)}:${minutes}`)
}

/** What is known of an hour: "12 L", "no use", "unknown"; empty for an hour that has not been yet. */
export function hourWords(hour: LocalHour, { kind, language }: ChartContext): string {
  const t = residentText(language)
  if (hour.state === 'not yet') return ''
  if (hour.state === 'unknown') return t.unknown
  if (hour.state === 'not used') return t.noUse
  const amount = amountWords(hour.use ?? 0, kind, language)
  return hour.partly ? t.partly(amount) : amount
}

/** "86 L", "at least 86 L" where part of the day is unknown, or that nothing is known. */
export function totalWords(day: LocalDay, { kind, language }: ChartContext): string {
  const t = residentText(language)
  if (day.total === null) return day.partly ? t.nothingKnown : '–'
  const amount = amountWords(day.total, kind, language)
  return day.partly ? t.atLeast(amount) : amount
}

/** "Sat 21 Nov", "11月21日 周六". */
export function dayWords(date: string, language: Language): string {
  const at = Date.parse(`${date}T12:00:00Z`)
  if (language === 'zh') return `${formats.zh.date.format(at)} ${formats.zh.weekday.format(at)}`
  return formats.en.day.format(at).replace(',', '')
}

const utc = (locale: string, options: Intl.DateTimeFormatOptions) =>
  new Intl.DateTimeFormat(locale, { timeZone: 'UTC', ...options })
/** Made once: a page of 14 days tells sixty of them. */
const formats = {
  zh: {
    date: utc('zh-CN', { month: 'numeric', day: 'numeric' }),
    weekday: utc('zh-CN', { weekday: 'short' }),
    longWeekday: utc('zh-CN', { weekday: 'long' }),
  },
  en: {
    day: utc('en-GB', { weekday: 'short', day: 'numeric', month: 'short' }),
    longWeekday: utc('en-GB', { weekday: 'long' }),
  },
}

/** "Saturday", "星期六". */
export const weekdayWords = (date: string, language: Language) =>
  formats[language].longWeekday.format(Date.parse(`${date}T12:00:00Z`))

/** A stretch without readings, with what was used meanwhile where the register tells. */
export function stretchWords(stretch: UnknownStretch, { kind, language, timeZone, now }: ChartContext): string {
  const t = residentText(language)
  const clock = (at: number) => clockWords(at, now, timeZone, language)
  // The day is said once where both ends lie on it.
  const end = (at: number) =>
    localClock(at, timeZone).date === localClock(stretch.from, timeZone).date
      ? clockWords(at, at, timeZone, language)
      : clock(at)
  if (stretch.until === null) return t.stretchOpen(clock(stretch.from))
  if (stretch.use === null) return t.stretchUnknown(clock(stretch.from), end(stretch.until))
  if (stretch.use === 0) return t.stretchNothing(clock(stretch.from), end(stretch.until))
  return t.stretchUse(clock(stretch.from), end(stretch.until), amountWords(stretch.use, kind, language))
}
