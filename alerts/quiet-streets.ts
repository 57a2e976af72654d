import { homesMin, type IncidentKind, type IncidentVerdict, placeOf, type SilentHome } from './incidents.js'
import type { EpochMs } from './model.js'

export type QuietKind = Exclude<IncidentKind, 'offline'>

/** What the meters of one home tell of one flow, water or electricity. */
export type QuietHome = {
  residentId: string
  gatewayId: string
  address: string
  /** It ran last then, or may have; a meter tells of it until `knownUntil`. */
  usedAt: EpochMs
  knownUntil: EpochMs
  /** Water: silent for longer than four in five silences that begin like it. Electricity: draws nothing at all. */
  isUnusual: boolean
}

/** An open incident, with the homes that ever belonged to it. */
export type OpenQuiet = {
  lastAt: EpochMs
  homes: { residentId: string; silentAt: EpochMs; isBack: boolean }[]
}

const minuteMs = 60_000
const hourMs = 60 * minuteMs
/** Hourly meters have been heard within this; what tells less often says nothing of now. */
export const freshMs = 90 * minuteMs
/** A home has had nothing since the others stopped when its meter proves so much of it. */
export const provenMs = 30 * minuteMs
/** One in ten has a tank of its own, hangs at another main, or is still emptying the pipe. */
export const otherShareMax = 0.1
/**
 * By day a home that is in use leaves its taps alone for up to 3 h, and an hourly meter tells it an hour late: what fell
 * silent earlier than that before the others did so by itself, and she may have fallen.
 */
export const onsetMs = 4 * hourMs
/** Who has used nothing for longer was asleep or away, and is not counted among those that fell silent. */
const memberMs = 12 * hourMs
/** So long after the last one, a home whose meter tells by the hour still belongs to it. */
const joinsMs = hourMs
const backShareMin = 0.8
/** After a day without water people have moved out, or the meters are wrong: nothing is explained by it any more. */
const silentMsMax = 24 * hourMs
/**
 * How many homes may find it unusual where nothing has happened. Water: at the hours at which all but one in ten of 25
 * homes of one town used nothing, never more than 28 in 100 in 14 months; a tenth, and a millionth of chance, makes half of
 * them the limit. That was reached in none of these 400 days, and of 331 cuts by day in half within 2 h, in 70 of 100
 * within 3 h: a tenth of the alerts came before. (98 in 100 silences shorter instead of 4 in 5: by then two homes in five
 * had their alert.) Electricity: who leaves for long may turn off the main switch.
 */
const unusualShares = { 'no water': 0.1, 'no power': 0.03 } as const
/** A thousand streets looked at each minute are mistaken once in some years. */
const chanceMax = 1e-6

/** The chance that of `of` homes, each unusual with `share` on its own, at least `atLeast` are: the tail of the binomial. */
export function chanceOf(atLeast: number, of: number, share: number): number {
  if (atLeast <= 0) return 1
  if (atLeast > of) return 0
  // By logarithms: (1 − share)^n is nothing any more for some ten thousand homes. Beyond the mean each term is smaller.
  let log = of * Math.log1p(-share)
  const odds = Math.log(share) - Math.log1p(-share)
  for (let k = 1; k <= atLeast; k += 1) log += Math.log((of - k + 1) / k) + odds
  let term = Math.exp(log)
  let sum = term
  for (let k = atLeast + 1; k <= of && term > sum * 1e-12; k += 1) {
    term *= ((of - k + 1) / k) * Math.exp(odds)
    sum += term
  }
  return Math.min(1, sum)
}

/** Whether so many of a place at once can be chance. */
export const isNoChance = (kind: QuietKind, unusual: number, homes: number): boolean =>
  unusual >= homesMin && chanceOf(unusual, homes, unusualShares[kind]) < chanceMax

/** The street that an address begins with: all before its first number; '' where that has no letters. */
export function streetOf(address: string): string {
  const street = (/^\D+/.exec(address)?.[0] ?? '').replace(/ +$/, '')
  return /\d/.test(address) && /\p{L}/u.test(street) ? street : ''
}

/** Whether a home lies at this place: '' is the whole community, then a street, then a street and number. */
export const liesAt = (address: string, place: string): boolean =>
  place === '' || placeOf(address) === place || streetOf(address) === place

/**
 * Whether the homes of one place have lost their water, or their electricity, at once. All but one in ten must have
 * had nothing since the same time, and so many of them must find that unusual, of those who were up to then, that it cannot be chance: by night
 * nobody does, and of a street that is half away the other half goes on. Pure.
 */
export function judgeQuiet(
  { kind, place, homes }: { kind: QuietKind; place: string; homes: readonly QuietHome[] },
  now: EpochMs,
): IncidentVerdict {
  const there = homes.filter(({ address, knownUntil }) => liesAt(address, place) && knownUntil >= now - freshMs)
  const heard = oneOfEach(there)
  if (heard.length < homesMin) return { kind: 'nothing' }
  // Since then nothing has been used, but by those who have it from elsewhere.
  const stoppedAt = heard.map(({ usedAt }) => usedAt).sort((a, b) => b - a)[Math.floor(heard.length * otherShareMax)]!
  if (stoppedAt < now - silentMsMax) return { kind: 'nothing' }
  const quiet = heard.filter((home) => isQuiet(home, stoppedAt))
  const unusual = quiet.filter(({ isUnusual, usedAt }) => isUnusual && usedAt >= stoppedAt - onsetMs)
  const others = heard.filter(({ usedAt }) => usedAt > stoppedAt).length
  // Of the rest nothing is known yet.
  if (quiet.length < heard.length / 2 || !isNoChance(kind, unusual.length, quiet.length + others))
    return { kind: 'nothing' }
  const fell = there.filter((home) => belongs(home, stoppedAt))
  const silent = fell.map(asSilent).sort((a, b) => a.silentAt - b.silentAt)
  const near = silent.filter(({ silentAt }) => silentAt >= stoppedAt - onsetMs)
  return {
    kind: 'open',
    place,
    firstAt: near[0]!.silentAt,
    lastAt: near.at(-1)!.silentAt,
    homes: silent,
    homesKnown: there.length,
  }
}

/**
 * What has become of an open incident: who has water or electricity again, or was found to be without as well, and whether
 * it is over. `homes`: those that lie there, and those that belong to it. Pure.
 */
export function followQuiet(
  { open, homes, place }: { open: OpenQuiet; homes: readonly QuietHome[]; place: string },
  now: EpochMs,
): IncidentVerdict {
  const byId = new Map(homes.map((home) => [home.residentId, home]))
  const back = open.homes.flatMap(({ residentId, silentAt, isBack }) => {
    if (isBack) return []
    const home = byId.get(residentId)
    // Moved out, or without its meter: it waits for nothing any more.
    return !home || home.usedAt > Math.max(silentAt, open.lastAt) ? [residentId] : []
  })
  const known = new Set(open.homes.map(({ residentId }) => residentId))
  const joined = homes
    .filter(({ residentId, address }) => !known.has(residentId) && liesAt(address, place))
    .filter((home) => home.knownUntil >= now - freshMs && belongs(home, open.lastAt))
    .map(asSilent)
  const backInAll = open.homes.filter(({ isBack }) => isBack).length + back.length
  const isOver = backInAll >= backShareMin * (open.homes.length + joined.length) || open.lastAt < now - silentMsMax
  if (isOver) return { kind: 'close', back }
  return back.length + joined.length === 0
    ? { kind: 'nothing' }
    : { kind: 'changed', lastAt: open.lastAt, joined, back }
}

/** It fell silent with the others, or soon after: by an hourly meter, or out of what was left in the pipes. */
const belongs = (home: QuietHome, stoppedAt: EpochMs) =>
  home.usedAt >= stoppedAt - memberMs &&
  home.usedAt <= stoppedAt + joinsMs &&
  isQuiet(home, Math.max(home.usedAt, stoppedAt))

const isQuiet = ({ usedAt, knownUntil }: QuietHome, since: EpochMs) => usedAt <= since && knownUntil >= since + provenMs

/** Two who live together are one home, and say the same thing twice. */
function oneOfEach(homes: readonly QuietHome[]): QuietHome[] {
  return [...new Map(homes.map((home) => [home.address, home])).values()]
}

const asSilent = ({ residentId, gatewayId, usedAt, address }: QuietHome): SilentHome => ({
  residentId,
  gatewayId,
  silentAt: usedAt,
  address,
})
