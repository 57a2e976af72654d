import type { EpochMs, Headline } from '../model.js'
import { amountOf, lengthOf, sinceZh, timeOf } from './say.js'

const kilowatts = (watts: number) => amountOf(watts / 1_000)

/** `usualMs`: how long such runs last at most; null while that is not known and `limitMs` stands for every home. */
export function onHeadline(
  {
    since,
    until,
    watts,
    usualMs,
    limitMs,
    at,
  }: { since: EpochMs; until: EpochMs; watts: number; usualMs: number | null; limitMs: number; at: EpochMs },
  timeZone: string,
): Headline {
  const time = timeOf(since, at, timeZone)
  const length = lengthOf(until - since)
  const usual = lengthOf(usualMs ?? limitMs)
  const end =
    usualMs === null
      ? {
          en: `. What is normal in this home is still being learned; ${usual.en} is long for anything.`,
          zh: `；这户人家的用电习惯还没摸清，先以 ${usual.zh}为限。`,
        }
      : { en: `; such runs normally last at most ${usual.en}.`, zh: `；平时这样用电最多 ${usual.zh}。` }
  return {
    en: `Power has been ${kilowatts(watts)} kW above what always runs since ${time.en} (${length.en})${end.en}`,
    zh: `${sinceZh(time.zh)} ${length.zh}，用电功率一直比平常高出 ${kilowatts(watts)} 千瓦${end.zh}可能有电器忘了关。`,
  }
}

/** `isAlways`: it was not switched off, but has run for so long that it counts as what always runs. */
export function endHeadline(
  {
    since,
    endedAt,
    kWh,
    isAlways,
    at,
  }: { since: EpochMs; endedAt: EpochMs; kWh: number; isAlways: boolean; at: EpochMs },
  timeZone: string,
): Headline {
  const length = lengthOf(endedAt - since)
  if (isAlways)
    return {
      en: `Power has been this high for ${length.en}: from now on it counts as what always runs.`,
      zh: `用电功率这样高已有 ${length.zh}，今后算作平常水平。`,
    }
  const time = timeOf(endedAt, at, timeZone)
  return {
    en: `Power no longer high since ${time.en}, after ${length.en} and ${amountOf(kWh)} kWh.`,
    zh: `用电功率于 ${time.zh} 回落，共持续 ${length.zh}，其间用电 ${amountOf(kWh)} 度。`,
  }
}
