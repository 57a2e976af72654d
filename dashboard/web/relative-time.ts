/**
 * How a time reads: relative first, then by the clock of the resident's own zone. Pure, shared by the server and the
 * browser, so that what the browser renders again every half minute is what the server wrote.
 */

const minuteMs = 60_000
const hourMs = 60 * minuteMs
const dayMs = 24 * hourMs

/** How long, in words: "40 s", "25 min", "3 h 20 min", "2 days"; "40 秒"，"25 分钟"，"3 小时 20 分钟"，"2 天". */
export function durationWords(ms: number, language: 'zh' | 'en'): string {
  const zh = language === 'zh'
  const whole = Math.max(0, ms)
  if (whole < minuteMs) return `${Math.floor(whole / 1_000)} ${zh ? '秒' : 's'}`
  if (whole < hourMs) return `${Math.floor(whole / minuteMs)} ${zh ? '分钟' : 'min'}`
  if (whole < dayMs) {
    const hours = Math.floor(whole / hourMs)
    const minutes = Math.floor((whole % hourMs) / minuteMs)
    const first = `${hours} ${zh ? '小时' : 'h'}`
    return minutes === 0 ? first : `${first} ${minutes} ${zh ? '分钟' : 'min'}`
  }
  const days = Math.floor(whole / dayMs)
  return zh ? `${days} 天` : `${days} day${days === 1 ? '' : 's'}`
}

/** How long is left, rounded up: with 2 min to go it does not say 1 min a moment later. */
export function leftWords(ms: number, language: 'zh' | 'en'): string {
  const unitMs = ms > minuteMs ? minuteMs : 1_000
  return durationWords(Math.ceil(ms / unitMs) * unitMs, language)
}

/** By the clock in `timeZone`: "14:05" today, else with the day: "yesterday 14:05", "18 Nov, 14:05". */
export function clockWords(atMs: number, nowMs: number, timeZone: string, language: 'zh' | 'en'): string {
  const zh = language === 'zh'
  const clock = formatOf('clock', timeZone, zh).format(atMs)
  const day = dayOf(atMs, timeZone)
  if (day === dayOf(nowMs, timeZone)) return clock
  if (day === dayOf(nowMs - dayMs, timeZone)) return zh ? `昨天 ${clock}` : `yesterday ${clock}`
  const sameYear = day.slice(0, 4) === dayOf(nowMs, timeZone).slice(0, 4)
  const date = formatOf(sameYear ? 'date' : 'dateOfYear', timeZone, zh).format(atMs)
  return zh ? `${date} ${clock}` : `${date}, ${clock}`
}

/** "25 min ago, 14:05", "just now, 14:30", "in 40 s, 14:31"; "25 分钟前，14:05". */
export function relativeWords(atMs: number, nowMs: number, timeZone: string, language: 'zh' | 'en'): string {
  const zh = language === 'zh'
  const ageMs = nowMs - atMs
  const clock = clockWords(atMs, nowMs, timeZone, language)
  const comma = zh ? '，' : ', '
  if (ageMs < -5_000)
    return `${zh ? `${durationWords(-ageMs, language)}后` : `in ${durationWords(-ageMs, language)}`}${comma}${clock}`
  if (ageMs < minuteMs) return `${zh ? '刚刚' : 'just now'}${comma}${clock}`
  const age = durationWords(ageMs, language)
  return `${zh ? `${age}前` : `${age} ago`}${comma}${clock}`
}

/** The calendar day in that zone, as "2026-11-21". */
function dayOf(atMs: number, timeZone: string): string {
  return formatOf('day', timeZone, false).format(atMs)
}

const formatOptions = {
  clock: { hour: '2-digit', minute: '2-digit' },
  day: { year: 'numeric', month: '2-digit', day: '2-digit' },
  date: { day: 'numeric', month: 'short' },
  dateOfYear: { day: 'numeric', month: 'short', year: 'numeric' },
} as const satisfies Record<string, Intl.DateTimeFormatOptions>
const localeOf = { clock: () => 'en-GB', day: () => 'en-CA', date: nameLocale, dateOfYear: nameLocale }
function nameLocale(zh: boolean): string {
  return zh ? 'zh-CN' : 'en-GB'
}

/** Making a format costs as much as using it fifty times, and a page of 300 alerts tells a thousand times. */
const formats = new Map<string, Intl.DateTimeFormat>()
const formatsMax = 500

function formatOf(what: keyof typeof formatOptions, timeZone: string, zh: boolean): Intl.DateTimeFormat {
  const locale = localeOf[what](zh)
  const key = `${what} ${locale} ${timeZone}`
  let format = formats.get(key)
  if (!format) {
    if (formats.size >= formatsMax) formats.clear()
    format = new Intl.DateTimeFormat(locale, { timeZone, ...formatOptions[what] })
    formats.set(key, format)
  }
  return format
}
