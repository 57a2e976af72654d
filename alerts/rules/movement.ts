import type { EpochMs, Headline, ReadingArrival } from '../model.js'
import { timeOf } from './say.js'
import type { ResidentState } from './state.js'

/**
 * What else than a meter or a button shows that somebody is up: movement in a room, the door, getting into or out of bed,
 * and what is said at a voice panel.
 */
export type SeenBy = 'motion' | 'door' | 'bed' | 'fine' | 'help' | Told
/** What people say of her: a carer is there, somebody spoke with her, she is due home from now on. */
export type Told = 'visit' | 'spoken' | 'due'
/** When each was seen last. */
export type Seen = Partial<Record<SeenBy, EpochMs>>
export type Sighting<By extends SeenBy = SeenBy> = { at: EpochMs; by: By }
/** What the pages tell of: a door that a neighbour opened, or a call for help from the floor, is nobody up and about. */
export type UpBy = 'motion' | 'bed' | 'fine'
export const isUp = (by: string | null): by is UpBy => by === 'motion' || by === 'bed' || by === 'fine'

/**
 * Takes a reading of a motion, door, bed or voice device; returns what it shows, if anything. It only ever ends a silence: a
 * sensor that says nothing covers no time, so that none of these makes a silence longer or better known. Lying in bed is no
 * sign of being up, whatever breath is measured; getting in or out is, and shows in two readings that differ. A door that
 * closes says what its opening said.
 */
export function takeSighting(state: ResidentState, reading: ReadingArrival, at: EpochMs): SeenBy | null {
  const by = sightingOf(state, reading, at)
  if (by) see(state, by, at)
  return by
}

function sightingOf(state: ResidentState, { kind, event, deviceNo }: ReadingArrival, at: EpochMs): SeenBy | null {
  if (kind === 'motion') return event === 'motion' ? 'motion' : null
  if (kind === 'door') return event === 'open' ? 'door' : null
  if (kind === 'voice') return event === 'help' || event === 'fine' ? event : null
  return kind === 'bed' && isMove(state, { deviceNo, inBed: event === 'in' }, at) ? 'bed' : null
}

function isMove(state: ResidentState, { deviceNo, inBed }: { deviceNo: number; inBed: boolean }, at: EpochMs): boolean {
  state.beds ??= {}
  const before = state.beds[deviceNo]
  if (before && at < before.at) return false
  state.beds[deviceNo] = { inBed, at }
  return before !== undefined && before.inBed !== inBed
}

export function see(state: ResidentState, by: SeenBy, at: EpochMs): void {
  state.seen ??= {}
  if (at > (state.seen[by] ?? 0)) state.seen[by] = at
}

const all: readonly SeenBy[] = ['motion', 'door', 'bed', 'fine', 'help', 'visit', 'spoken', 'due']
/** A door is opened from outside as well: by a neighbour who finds her, or by whoever was sent. */
const inside: readonly SeenBy[] = ['motion', 'bed', 'fine', 'help', 'visit', 'spoken']
const up: readonly UpBy[] = ['motion', 'bed', 'fine']

function newest<By extends SeenBy>({ seen }: ResidentState, kinds: readonly By[]): Sighting<By> | null {
  if (!seen) return null
  let found: Sighting<By> | null = null
  for (const by of kinds) {
    const at = seen[by]
    if (at !== undefined && (found === null || at > found.at)) found = { at, by }
  }
  return found
}

/** The newest sighting of all: from here on a silence is counted. */
export const newestSighting = (state: ResidentState): Sighting | null => newest(state, all)
/** The newest one that proves somebody inside: what ends an alert that is open. */
export const newestInside = (state: ResidentState): Sighting | null => newest(state, inside)
/** The newest one that proves somebody up and about: what the pages tell. */
export const newestUp = (state: ResidentState): Sighting<UpBy> | null => newest(state, up)

/** Nobody needs to be paged for a silence any more; how she is a carer has yet to say, and a call for help does not say "fine". */
export const outcomeOf = (by: string | null): { outcome?: 'other' } =>
  by === 'visit' || by === 'help' ? { outcome: 'other' } : {}

/** What a sentence about a silence says of its beginning. */
export const lastSeenWords: Record<SeenBy, Headline> = {
  motion: { en: ', when movement was last seen', zh: '（最后一次感应到活动）' },
  door: { en: ', when the door was last opened', zh: '（最后一次开门）' },
  bed: { en: ', when somebody last got into or out of bed', zh: '（最后一次上下床）' },
  fine: { en: ', when “I’m fine” was last said', zh: '（最后一次报平安）' },
  help: { en: ', when help was last called', zh: '（最后一次语音求助）' },
  visit: { en: ', when a carer was last there', zh: '（最后一次有人上门照看）' },
  spoken: { en: ', when somebody last spoke with them', zh: '（最后一次与本人通话）' },
  due: { en: ', when away mode ended', zh: '（外出模式结束）' },
}

/** "Movement seen at 08:40.": why a silence is over. */
export function seenHeadline({ at, by }: Sighting, beside: EpochMs, timeZone: string): Headline {
  const time = timeOf(at, beside, timeZone)
  return {
    motion: { en: `Movement seen at ${time.en}.`, zh: `${time.zh} 感应到有人活动。` },
    door: { en: `Door opened at ${time.en}.`, zh: `${time.zh} 有人开门。` },
    bed: { en: `Got into or out of bed at ${time.en}.`, zh: `${time.zh} 上下过床。` },
    fine: { en: `“I’m fine” said at the voice panel at ${time.en}.`, zh: `${time.zh} 在语音面板上报了平安。` },
    help: { en: `Help called at the voice panel at ${time.en}.`, zh: `${time.zh} 在语音面板上求助。` },
    visit: { en: `A carer was there at ${time.en}.`, zh: `${time.zh} 有人上门照看。` },
    spoken: { en: `Somebody spoke with them at ${time.en}.`, zh: `${time.zh} 已与本人通话确认。` },
    due: { en: `Away mode ended at ${time.en}.`, zh: `外出模式于 ${time.zh} 结束。` },
  }[by]
}
