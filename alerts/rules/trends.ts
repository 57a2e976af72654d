import type { EpochMs, Headline } from '../model.js'
import { baseOf, recentOf, recentWeeks, unknownWeek, type Weeks } from './decline.js'
import { backNights, baselineNights, meanOf } from './night-visits.js'
import { againstUsual, countedBy } from './night-words.js'
import type { ResidentState } from './state.js'

/** What people are shown of the nights and the weeks of a resident. */

/** What has changed over weeks in how a resident lives, and has not gone back; each with when it was found. */
export function changesOf(state: ResidentState): { at: EpochMs; headline: Headline }[] {
  return [riseOf(state), declineOf(state)].filter((change) => change !== null).sort((a, b) => b.at - a.at)
}

/** More visits at night than usual, with what they are by now. */
export function riseOf(state: ResidentState): { at: EpochMs; headline: Headline } | null {
  const { nights } = state
  if (!nights?.told) return null
  const { at, usual } = nights.told
  const perNight = meanOf(nights.counts.slice(-nights.run))
  return { at, headline: againstUsual({ perNight, usual: usual / 100, nights: nights.run, by: countedBy(state) }) }
}

/** Fewer hours of the day with use than usual, with what they are by now. */
export function declineOf({ weeks }: ResidentState): { at: EpochMs; headline: Headline } | null {
  if (!weeks?.fall) return null
  const { at, usual, fallen } = weeks.fall
  const now = recentOf(weeks.weeks) ?? fallen
  const percent = Math.round((1 - now / usual) * 100)
  const { en, zh } = dailyOf(weeks, now)
  return {
    at,
    headline: {
      en: `${en}; usual was ${(usual / 10).toFixed(1)} (${percent} % less).`,
      zh: `${zh}，此前通常 ${(usual / 10).toFixed(1)} 个小时（少了 ${percent}%）。`,
    },
  }
}

function dailyOf({ kinds }: Weeks, tenths: number): Headline {
  const water = kinds.includes('water')
  const electricity = kinds.includes('electricity')
  const en = [water && 'Water', electricity && (water ? 'electricity' : 'Electricity')].filter(Boolean).join(' or ')
  const zh = [water && '用水', electricity && '用电'].filter(Boolean).join('或')
  const much = (tenths / 10).toFixed(1)
  return {
    en: `${en} used in ${much} hours of the day over the last ${recentWeeks} weeks`,
    zh: `近 ${recentWeeks} 周平均每天有 ${much} 个小时${zh}`,
  }
}

/** How the nights are against what is usual; how many are known where those are too few; null where none are. */
export function nightsKnown(state: ResidentState): { known: number; needed: number; headline: Headline | null } | null {
  const { nights } = state
  if (!nights || nights.counts.length === 0) return null
  const { counts, run } = nights
  const known = counts.length
  if (known < baselineNights) return { known, needed: baselineNights, headline: null }
  const usual = meanOf(counts.slice(0, known - run).slice(-baselineNights))
  const perNight = meanOf(counts.slice(-backNights))
  const headline = againstUsual({ perNight, usual, nights: backNights, by: countedBy(state) })
  return { known, needed: baselineNights, headline }
}

/** How the weeks are against what is usual; `hours` of each known week, null for one that is not, newest last. */
export function weeksKnown({ weeks }: ResidentState): {
  known: number
  headline: Headline | null
  hours: (number | null)[]
  /** The local day on which the newest of them ended: a Sunday, counted from 1970-01-01. */
  endDay: number
} | null {
  if (!weeks || weeks.weeks.length === 0) return null
  const hours = weeks.weeks.map((value) => (value === unknownWeek ? null : value / 10))
  const known = hours.filter((value) => value !== null).length
  // 1970-01-01 was a Thursday: the week of that day began three days before it.
  const endDay = Math.floor((weeks.day + 3) / 7) * 7 - 4
  const recent = recentOf(weeks.weeks)
  const base = baseOf(weeks.weeks)
  if (recent === null || base === null) return { known, headline: null, hours, endDay }
  const { en, zh } = dailyOf(weeks, recent)
  const usual = (base.median / 10).toFixed(1)
  return { known, headline: { en: `${en}; usual is ${usual}.`, zh: `${zh}，平时 ${usual} 个小时。` }, hours, endDay }
}
