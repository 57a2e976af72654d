import type { EpochMs } from './model.js'

/** What its homes are without: the line to us, or water or electricity while their meters go on telling. */
export type IncidentKind = 'offline' | 'no water' | 'no power'

/** A home whose gateway is gone, since when. */
export type SilentHome = { residentId: string; gatewayId: string; silentAt: EpochMs; address: string }

/** Many homes that fell silent within minutes. `place`: where all of them are, '' for the whole community. */
export type OpenIncident = {
  firstAt: EpochMs
  lastAt: EpochMs
  /** All that ever belonged to it, and whether they are heard again. */
  homes: { residentId: string; isBack: boolean }[]
}

export type IncidentVerdict =
  | { kind: 'nothing' }
  | { kind: 'open'; place: string; firstAt: EpochMs; lastAt: EpochMs; homes: SilentHome[]; homesKnown: number }
  /** More homes fell silent, or some are heard again. */
  | { kind: 'changed'; lastAt: EpochMs; joined: SilentHome[]; back: string[] }
  | { kind: 'close'; back: string[] }

const minuteMs = 60_000
/** What the mains take with them is gone within this: as long as two keepalives of a minute may differ. */
export const togetherMs = 5 * minuteMs
/** A restart of Shouwang's own broker, or of a router, is over by then. */
export const settleMs = 2 * minuteMs
/** So long after the last one, a home that falls silent belongs to it. */
const joinsMs = 15 * minuteMs
/** Fewer are no incident. */
export const homesMin = 5
/** One box that serves many homes may simply be broken. */
const gatewaysMin = 3
const shareMin = 0.2
/** At one address it takes more: a few neighbours may switch off for the holidays. */
const placeShareMin = 0.6
const backShareMin = 0.8

/**
 * The street and number that an address begins with; '' where it does not begin with letters before its first number. In
 * SQL: `substring(address from '^\D+\d+')`.
 */
export function placeOf(address: string): string {
  const place = /^\D+\d+/.exec(address)?.[0] ?? ''
  return /\p{L}/u.test(place) ? place : ''
}

/** Places at which enough homes are silent for it to matter how many there are in all. */
export function placesToCount(silent: readonly SilentHome[]): string[] {
  const counts = new Map<string, number>()
  for (const { address } of silent) counts.set(placeOf(address), (counts.get(placeOf(address)) ?? 0) + 1)
  return [...counts].filter(([place, homes]) => place !== '' && homes >= homesMin).map(([place]) => place)
}

/**
 * Whether homes of one community that are silent now are one incident. `known`: how many homes with a gateway there are, in
 * all ('') and at each of `placesToCount`. Pure.
 */
export function judgeIncident(
  p: { silent: readonly SilentHome[]; known: ReadonlyMap<string, number>; open: OpenIncident | null },
  now: EpochMs,
): IncidentVerdict {
  const settled = p.silent.filter(({ silentAt }) => silentAt <= now - settleMs).sort((a, b) => a.silentAt - b.silentAt)
  if (p.open) return follow(p.open, p.silent, settled)
  const whole = incidentAt('', settled, p.known, shareMin)
  if (whole) return whole
  const places = [...p.known.keys()].filter((place) => place !== '').sort()
  for (const place of places) {
    const there = settled.filter(({ address }) => placeOf(address) === place)
    const incident = incidentAt(place, there, p.known, placeShareMin)
    if (incident) return incident
  }
  return { kind: 'nothing' }
}

function incidentAt(
  place: string,
  silent: SilentHome[],
  known: ReadonlyMap<string, number>,
  share: number,
): IncidentVerdict | undefined {
  const homesKnown = Math.max(known.get(place) ?? 0, silent.length)
  let most: SilentHome[] = []
  let first = 0
  for (let last = 0; last < silent.length; last++) {
    while (silent[last]!.silentAt - silent[first]!.silentAt > togetherMs) first++
    if (last - first + 1 > most.length) most = silent.slice(first, last + 1)
  }
  if (most.length < homesMin || most.length < share * homesKnown) return undefined
  if (new Set(most.map(({ gatewayId }) => gatewayId)).size < gatewaysMin) return undefined
  return { kind: 'open', place, firstAt: most[0]!.silentAt, lastAt: most.at(-1)!.silentAt, homes: most, homesKnown }
}

function follow(open: OpenIncident, silent: readonly SilentHome[], settled: SilentHome[]): IncidentVerdict {
  const silentNow = new Set(silent.map(({ residentId }) => residentId))
  const known = new Set(open.homes.map(({ residentId }) => residentId))
  const back = open.homes
    .filter(({ residentId, isBack }) => !isBack && !silentNow.has(residentId))
    .map(({ residentId }) => residentId)
  const joined = settled.filter(
    ({ residentId, silentAt }) =>
      !known.has(residentId) && silentAt >= open.firstAt - togetherMs && silentAt <= open.lastAt + joinsMs,
  )
  const backInAll = open.homes.filter(({ isBack }) => isBack).length + back.length
  if (backInAll >= backShareMin * (open.homes.length + joined.length)) return { kind: 'close', back }
  if (back.length + joined.length === 0) return { kind: 'nothing' }
  const lastAt = Math.max(open.lastAt, ...joined.map(({ silentAt }) => silentAt))
  return { kind: 'changed', lastAt, joined, back }
}
