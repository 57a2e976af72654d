import type { Lateness } from '../../db/lateness.js'
import type { WatchedCommunity, WatchProcess } from '../../db/watch-views.js'

/** Seen every 30 s; a process that was not seen for this long is gone. */
export const processGoneMs = 2 * 60_000
/** As the alerts role judges itself. */
export const lateSMax = 60

export type WatchFacts = {
  communities: WatchedCommunity[]
  processes: WatchProcess[]
  lateness: Lateness
}

export type WatchVerdict =
  | { kind: 'failing'; failing: number; communities: number }
  | { kind: 'untold'; untold: number }
  | { kind: 'late' }
  /** Nobody plays; `seenAt`: the last who did. */
  | { kind: 'stopped'; seenAt: Date | null }
  | { kind: 'waiting' }
  | { kind: 'switch silent' }
  | { kind: 'well'; communities: number; newestAt: Date }

/** Is Shouwang itself well? The worst comes first. Pure. */
export function judgeWatch({ communities, processes, lateness }: WatchFacts, now: Date): WatchVerdict {
  const isHere = ({ seenAt }: WatchProcess) => now.getTime() - seenAt.getTime() < processGoneMs
  const failing = communities.filter(({ failingSince }) => failingSince !== null).length
  if (failing > 0) return { kind: 'failing', failing, communities: communities.length }
  if (lateness.untold > 0) return { kind: 'untold', untold: lateness.untold }
  if (lateParts(lateness).length > 0) return { kind: 'late' }
  const players = processes.filter(({ plays }) => plays)
  if (!players.some(isHere)) return { kind: 'stopped', seenAt: players[0]?.seenAt ?? null }
  const silent = processes.filter((each) => each.hasSwitch && isHere(each) && switchState(each) === 'silent')
  if (silent.length > 0) return { kind: 'switch silent' }
  const newest = communities.flatMap(({ cameAt }) => cameAt?.getTime() ?? [])
  if (newest.length === 0) return { kind: 'waiting' }
  return { kind: 'well', communities: communities.length, newestAt: new Date(Math.max(...newest)) }
}

/** What has been waiting for too long, in seconds. */
export const lateParts = ({ escalationS, pagesS, arrivalsS }: Lateness) =>
  Object.entries({ escalation: escalationS, pages: pagesS, arrivals: arrivalsS }).filter(
    ([, seconds]) => seconds > lateSMax,
  ) as ['escalation' | 'pages' | 'arrivals', number][]

/** Whether its newest beat said that all is well. */
export function switchState({ beatAt, beatFailedAt }: WatchProcess): 'beats' | 'silent' | 'not yet' {
  if (beatFailedAt && (!beatAt || beatFailedAt > beatAt)) return 'silent'
  return beatAt ? 'beats' : 'not yet'
}
