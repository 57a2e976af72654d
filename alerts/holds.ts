import type { IncidentKind } from './incidents.js'
import type { AlertKind, EpochMs, Headline } from './model.js'
import { onsetMs } from './quiet-streets.js'

/**
 * Nobody waits longer than this for the mains. Of those who lay helpless for less than an hour 12 in 100 died, of those
 * who lay for days 67 (Gurley 1996): two hours more, for one who fell in the very morning of the cut, against a page for
 * each home of a street at once, in which hers would be lost. Shorter, and most cuts outlast it.
 */
export const holdMsMax = 2 * 3_600_000
/** After the end of an incident the meters of its homes tell one after the other, within the hour, who uses water again. */
export const afterMs = 30 * 60_000

/** The alerts that an incident may explain. A silence of 24 h, and an emergency, never waits. */
export const heldKinds = ['silence_unusual', 'silent_12h'] as const satisfies readonly AlertKind[]

/**
 * Until when an alert is held because of an open incident to which its home belongs; null: it is not. A silence that began
 * long before the others has another reason. `lastAt`: when the last home of the incident fell silent. Pure.
 */
export function heldUntil(p: { since: EpochMs; openedAt: EpochMs; lastAt: EpochMs }, now: EpochMs): EpochMs | null {
  // Opened ahead of now: a clock has jumped back since.
  const until = Math.min(p.openedAt, now) + holdMsMax
  return p.since >= p.lastAt - onsetMs && until > now ? until : null
}

/** Until when it is held once its incident, or its home's part in it, is over. Pure. */
export const heldAfter = (until: EpochMs, now: EpochMs): EpochMs => Math.min(until, now + afterMs)

/** That an alert waited, for whoever is paged; `kind`: of the incident, null where that has been deleted since. */
export type HeldBefore = { at: Date; kind: IncidentKind | null }

const causes: Record<IncidentKind, Headline> = {
  'no water': { zh: '周围多户同时没有用水，可能停水', en: 'many homes around it used no water since the same time' },
  'no power': {
    zh: '周围多户的电表同时停走，可能停电',
    en: 'the electricity meters of many homes around it stopped at the same time',
  },
  offline: { zh: '周围多户同时失去联系', en: 'many homes around it fell silent at the same time' },
}

/** One line of a page: since when it waited (`at`: by the clock of the home), and for what. */
export function heldLine({ kind }: HeldBefore, at: string): Headline {
  const cause = causes[kind ?? 'offline']
  return { zh: `${cause.zh}，所以自 ${at} 起暂缓，到现在才通知。`, en: `Held since ${at}, because ${cause.en}.` }
}
