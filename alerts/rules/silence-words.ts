import type { EpochMs, Headline } from '../model.js'
import { isAnyOften, isSeldom, seldomMs, tells } from './cadence.js'
import { leakOf } from './leak.js'
import { amountOf, lengthOf, minuteMs, sinceZh, timeOf } from './say.js'
import type { Meter, ResidentState } from './state.js'

const kinds = {
  water: { en: 'Water', zh: '水' },
  electricity: { en: 'Electricity', zh: '电' },
}
const usualOf = ({ reach }: Meter): Headline => lengthOf(Math.round(reach.usualMs / minuteMs) * minuteMs)

/** What the sentence about a silence is about: the meters that tell of it, and those that do not. */
export type Told = { telling: Meter[]; others: Meter[] }

export function toldBy({ meters }: ResidentState): Told {
  const isHeard = ({ reach }: Meter) => !reach.overdue
  const anyOften = isAnyOften(meters, isHeard)
  const isTelling = (meter: Meter) => isHeard(meter) && tells(meter, anyOften)
  return { telling: meters.filter(isTelling), others: meters.filter((meter) => !isTelling(meter)) }
}

/** "No water or electricity": what those meters say that tell. */
export function nothingUsed({ telling }: Told): Headline {
  const has = (kind: Meter['kind']) => telling.some((meter) => meter.kind === kind)
  return {
    en: [has('water') && 'water', has('electricity') && 'electricity'].filter(Boolean).join(' or '),
    zh: [has('water') && '未用水', has('electricity') && '未用电'].filter(Boolean).join('、'),
  }
}

/** What runs with nobody at a tap, in L/h: no use, and no standstill either. */
export const leakOfAll = ({ telling }: Told): number =>
  telling.reduce((sum, meter) => (meter.kind === 'water' && meter.leak ? sum + leakOf(meter) : sum), 0)

/** "…, beyond the 3 L/h of water that run all the time": a tap that stands open is nobody at the tap. */
export function beyondLeak(told: Told): Headline {
  const rate = leakOfAll(told)
  if (rate === 0) return { en: '', zh: '' }
  const litres = amountOf(rate)
  return {
    en: `, beyond the ${litres} L/h of water that run all the time`,
    zh: `（一直在流的每小时 ${litres} 升除外）`,
  }
}

/** Chinese sets a space before digits only. */
const spaced = (time: string): string => (/^\d/.test(time) ? ` ${time}` : time)

/** What an alert about a silence could not know: sentences to follow its own. */
export function unknownOf(
  { telling, others }: Told,
  p: { since: EpochMs; until: EpochMs; at: EpochMs; lastWater: { from: EpochMs; at: EpochMs } | null },
  timeZone: string,
): Headline {
  const parts: Headline[] = others.map((meter) => {
    const { en, zh } = kinds[meter.kind]
    const known = timeOf(meter.coveredTo, p.at, timeZone)
    const usual = usualOf(meter)
    return meter.reach.overdue
      ? {
          en: ` ${en} is unknown since ${known.en}: its meter is silent.`,
          zh: `${zh}表${sinceZh(known.zh)}无数据，是否用${zh}未知。`,
        }
      : {
          en: ` ${en} is unknown since ${known.en}: its meter reports about every ${usual.en}.`,
          zh: `${zh}表约每 ${usual.zh}上报一次，${known.zh} 以后是否用${zh}未知。`,
        }
  })
  const slowest = telling.filter(isSeldom).sort((a, b) => b.reach.usualMs - a.reach.usualMs)[0]
  if (slowest) {
    const usual = usualOf(slowest)
    const until = timeOf(p.until, p.at, timeZone)
    const name = kinds[slowest.kind]
    // The register tells at its end what was used in a whole interval.
    const isVague = p.lastWater !== null && p.lastWater.at === p.since && p.since - p.lastWater.from > seldomMs
    const from = isVague ? timeOf(p.lastWater!.from, p.at, timeZone) : null
    parts.push({
      en: ` The ${slowest.kind} meter reports about every ${usual.en}: ${from ? `the last use may have been as early as ${from.en}, and ` : ''}nothing is known yet after ${until.en}.`,
      zh: `${name.zh}表约每 ${usual.zh}上报一次：${from ? `最后一次用水可能早至${spaced(from.zh)}，` : ''}${until.zh} 以后的情况还不知道。`,
    })
  }
  return { en: parts.map(({ en }) => en).join(''), zh: parts.map(({ zh }) => zh).join('') }
}

/** A reading that took longer than this was kept back somewhere. */
const keptBackMs = 10 * minuteMs

/** Why a silence is over, where the alert would not have come had the reading been here: the history is to say so. */
export function sentLate(
  { en, zh }: Headline,
  { usedAt, openedAt, at }: { usedAt: EpochMs; openedAt: EpochMs; at: EpochMs },
  timeZone: string,
): Headline {
  if (usedAt >= openedAt || at - usedAt <= keptBackMs) return { en, zh }
  const sent = timeOf(at, at, timeZone)
  return {
    en: `${en} This was sent only at ${sent.en}: it was not known when the alert came.`,
    zh: `${zh}这条数据 ${sent.zh} 才补传上来，预警时还不知道。`,
  }
}
