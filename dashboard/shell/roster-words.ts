import type { EpochMs, Language } from '../../alerts/model.js'
import type { Span } from '../../alerts/roster.js'
import {
  clockOfMinute,
  type DayNumber,
  dateOfDay,
  dayOfDate,
  instantOf,
  minuteOfClock,
  wallOf,
  weekdayOf,
} from '../../alerts/roster-time.js'
import type { RosterPerson } from '../../db/rosters.js'
import { rosterText } from './text-roster.js'

const dayMs = 86_400_000
const dayMinutes = 24 * 60

export const weekdayWord = (weekday: number, language: Language): string => rosterText(language).weekdays[weekday as 1]

const formats: Record<string, Intl.DateTimeFormat> = {}
const format = (language: Language, withYear: boolean) => {
  formats[`${language} ${withYear}`] ??= new Intl.DateTimeFormat(language === 'zh' ? 'zh-CN' : 'en-GB', {
    timeZone: 'UTC',
    day: 'numeric',
    month: language === 'zh' ? 'long' : 'short',
    ...(withYear ? { year: 'numeric' } : {}),
  })
  return formats[`${language} ${withYear}`]!
}

/** "Mon 4 Jan", "1月4日 周一"; with its year where that is not `thisYear`'s. */
export function dayWords(day: DayNumber, language: Language, now?: DayNumber): string {
  const withYear = now !== undefined && dateOfDay(day).slice(0, 4) !== dateOfDay(now).slice(0, 4)
  const date = format(language, withYear).format(day * dayMs)
  const weekday = weekdayWord(weekdayOf(day), language)
  return language === 'zh' ? `${date} ${weekday}` : `${weekday} ${date}`
}

export const dateWords = (date: string, language: Language): string =>
  format(language, true).format((dayOfDate(date) ?? 0) * dayMs)

/** "Mon 4 Jan 20:00", "1月4日 周一 20:00". */
export function momentWords(at: EpochMs, timeZone: string, language: Language, now?: EpochMs): string {
  const { day, minute } = wallOf(at, timeZone)
  const today = now === undefined ? undefined : wallOf(now, timeZone).day
  const clock = clockOfMinute(minute)
  return day === today ? clock : `${dayWords(day, language, today)} ${clock}`
}

/** Whether an instant is so far off that it stands for "without end". */
const isEndless = (at: EpochMs) => at > Date.UTC(9000, 0, 1) || at < Date.UTC(1901, 0, 1)

/** The clock times of a span that begins on a day that is known: "20:00–08:00 (Tue)", "20:00–次日 08:00". */
export function clockSpan({ from, until }: Span, timeZone: string, language: Language): string {
  const begin = wallOf(from, timeZone)
  return `${isEndless(from) ? '…' : clockOfMinute(begin.minute)}–${endOf(until, begin.day, timeZone, language)}`
}

function endOf(until: EpochMs, beginDay: DayNumber, timeZone: string, language: Language): string {
  if (isEndless(until)) return '…'
  const { day, minute } = wallOf(until, timeZone)
  const clock = clockOfMinute(minute)
  if (day === beginDay) return clock
  if (day === beginDay + 1 && minute === 0) return '24:00'
  if (language === 'zh') return day === beginDay + 1 ? `次日 ${clock}` : `${dayWords(day, language)} ${clock}`
  return `${clock} (${day < beginDay + 7 ? weekdayWord(weekdayOf(day), language) : dayWords(day, language)})`
}

/** "Mon 4 Jan 20:00–08:00 (Tue)". */
export function spanWords(span: Span, timeZone: string, language: Language, now?: EpochMs): string {
  const { day } = wallOf(span.from, timeZone)
  const today = now === undefined ? undefined : wallOf(now, timeZone).day
  if (isEndless(span.from)) return clockSpan(span, timeZone, language)
  return `${dayWords(day, language, today)} ${clockSpan(span, timeZone, language)}`
}

/** "20:00–08:00 (next day)", "20:00–次日 08:00" of a weekly shift. */
export function weeklyClock(start: string, minutes: number, language: Language): string {
  const end = (minuteOfClock(start) ?? 0) + minutes
  const days = Math.floor(end / dayMinutes)
  const clock = clockOfMinute(end % dayMinutes)
  if (days === 0) return `${start}–${clock}`
  if (days === 1 && end % dayMinutes === 0) return `${start}–24:00`
  if (language === 'zh') return days === 1 ? `${start}–次日 ${clock}` : `${start}–${days} 天后 ${clock}`
  return `${start}–${clock} (${days === 1 ? 'next day' : `${days} days later`})`
}

/** "Mon–Fri, Sun", "周一至周五、周日". */
export function weekdaysWords(weekdays: readonly number[], language: Language): string {
  const runs: number[][] = []
  for (const weekday of [...weekdays].sort((a, b) => a - b)) {
    const run = runs.at(-1)
    if (run?.at(-1) === weekday - 1) run.push(weekday)
    else runs.push([weekday])
  }
  const word = (weekday: number) => weekdayWord(weekday, language)
  const words = runs.flatMap((run) =>
    run.length < 3 ? run.map(word) : `${word(run[0]!)}${language === 'zh' ? '至' : '–'}${word(run.at(-1)!)}`,
  )
  return words.join(rosterText(language).and)
}

/** What people are called: by their names; of those who are not known any more nothing is made up. */
export const namesOf = (people: readonly RosterPerson[], language: Language) => {
  const names = new Map(people.map(({ staffId, name }) => [staffId, name]))
  return (staffId: string): string => names.get(staffId) ?? rosterText(language).somebody
}

/** An instant as a form field has it, by the wall clock: "2027-01-03T20:00". */
export function fieldOf(at: EpochMs, timeZone: string): string {
  const { day, minute } = wallOf(at, timeZone)
  return `${dateOfDay(day)}T${clockOfMinute(minute)}`
}

/** What a form field says by the wall clock of a zone; undefined for what is no time. Years that nobody means are none. */
export function instantOfField(field: string, timeZone: string): EpochMs | undefined {
  const parts = /^(20\d{2}-\d{2}-\d{2})[T ](\d{1,2}):(\d{2})(?::\d{2})?$/.exec(field.trim())
  const day = parts && dayOfDate(parts[1]!)
  if (!parts || day === undefined || day === null) return undefined
  const [hours, minutes] = [Number(parts[2]), Number(parts[3])]
  if (hours > 23 || minutes > 59) return undefined
  return instantOf(day, hours * 60 + minutes, timeZone)
}
