import type { Headline } from '../model.js'
import { minuteMs } from './say.js'
import type { ResidentState } from './state.js'

/** What the nights are counted in: visits that water tells, hours of the night with use, or times out of bed. */
export type CountedBy = 'water' | 'hours' | 'bed'

/** Between readings that are farther apart than this one visit cannot be told from two. */
const coarseMsMin = 20 * minuteMs

/** A meter that tells the hour knows in how many hours water was used, not how often. */
export function countedBy({ meters }: ResidentState): CountedBy {
  let by: CountedBy = 'bed'
  for (const { kind, reach } of meters)
    if (kind === 'water') by = by === 'hours' || reach.usualMs > coarseMsMin ? 'hours' : 'water'
  return by
}

/** `mean` of so many nights, with the hours that count. */
function nightlyOf(by: CountedBy, mean: number, nights: number): Headline {
  const much = mean.toFixed(1)
  const over = `over the last ${nights} nights`
  const near = `近 ${nights} 夜平均每夜`
  return {
    water: {
      en: `Up ${much} times a night ${over} (water used, 00:00 to 05:00)`,
      zh: `${near}起夜 ${much} 次（按 0 点至 5 点用水计）`,
    },
    hours: {
      en: `Water used in ${much} of the 5 hours from 00:00 to 05:00 ${over}`,
      zh: `${near}有 ${much} 个小时用过水（0 点至 5 点）`,
    },
    bed: {
      en: `Out of bed ${much} times a night ${over} (00:00 to 05:00)`,
      zh: `${near}离床 ${much} 次（0 点至 5 点）`,
    },
  }[by]
}

/** "Up 3.4 times a night over the last 9 nights (…); usual is 1.6." */
export function againstUsual(p: { perNight: number; usual: number; nights: number; by: CountedBy }): Headline {
  const { en, zh } = nightlyOf(p.by, p.perNight, p.nights)
  const usual = p.usual.toFixed(1)
  return {
    en: `${en}; usual is ${usual}.`,
    zh: `${zh}，平时 ${usual} ${p.by === 'hours' ? '个小时' : '次'}。`,
  }
}

export function usualAgain(p: { perNight: number; nights: number; by: CountedBy }): Headline {
  const { en, zh } = nightlyOf(p.by, p.perNight, p.nights)
  return { en: `${en}: as usual again.`, zh: `${zh}，已恢复平时水平。` }
}

export function usualNow(p: { perNight: number; nights: number; by: CountedBy }): Headline {
  const { en, zh } = nightlyOf(p.by, p.perNight, p.nights)
  return { en: `${en}: this is what is usual now.`, zh: `${zh}，今后以此为平时水平。` }
}
