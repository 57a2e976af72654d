import type { EpochMs, Headline } from '../model.js'
import { alarmHeadline } from './alarm-headline.js'
import { minuteMs } from './say.js'

/** The episode that an alarm device is in: what its newest alert is about. */
export type AlarmEpisode = {
  alertId: string | number
  /** The alarm stands: not cleared, not cancelled. */
  active: boolean
  firstAt: EpochMs
  /** Newest press, alarm, clear or cancel of the episode. */
  lastAt: EpochMs
  /** When its alert was closed; null: it is open. */
  closedAt: EpochMs | null
}

export type AlarmReading = {
  kind: 'button' | 'smoke' | 'gas'
  event: 'pressed' | 'cancelled' | 'test' | 'alarm' | 'clear'
  observedAt: EpochMs
  receivedAt: EpochMs
  clockWrong: boolean
  retained: boolean
  level?: number | undefined
  unit?: string | undefined
  /** Free text; may be empty. */
  room: string
}

/** The episode afterwards. After `open` its alert is the new one, whose id only the caller knows. */
type NextEpisode = Omit<AlarmEpisode, 'alertId'>

export type AlarmVerdict =
  /** A new alert. */
  | { kind: 'open'; headline: Headline; reason: Record<string, number | string | boolean | null>; episode: NextEpisode }
  /** Joins the episode: noted in its history, never a second alert. */
  | { kind: 'repeat'; episode: NextEpisode }
  /** Noted in the history; a person still has to close the alert. */
  | { kind: 'cleared' | 'cancelled'; episode: NextEpisode }
  /** A test, or an end with nothing to end. The episode stays as it is. */
  | { kind: 'ignore' }

/** After so long without a repeat an alarm is armed again. */
const rearmMs = 10 * minuteMs

/**
 * Judges one reading of a call button, a smoke or a gas alarm. In doubt it opens: an alert too many costs a walk, one
 * too few may cost a life.
 */
export function judgeAlarm(episode: AlarmEpisode | undefined, reading: AlarmReading, timeZone: string): AlarmVerdict {
  const { clockWrong, receivedAt, observedAt } = reading
  const at = clockWrong ? receivedAt : Math.min(observedAt, receivedAt)
  switch (reading.event) {
    case 'test':
      return { kind: 'ignore' }
    case 'clear':
      return end(episode, 'cleared', at)
    case 'cancelled':
      // Nobody is on the way any more: a later press opens a new alert in any case.
      return episode?.closedAt === null ? end(episode, 'cancelled', at) : { kind: 'ignore' }
    case 'pressed':
    case 'alarm': {
      const joins =
        episode && (reading.event === 'pressed' ? pressJoins(episode, at) : alarmJoins(episode, reading, at))
      if (!episode || !joins) return open(episode, reading, at, timeZone)
      const lastAt = Math.max(episode.lastAt, at)
      return { kind: 'repeat', episode: { ...without(episode), firstAt: Math.min(episode.firstAt, at), lastAt } }
    }
  }
}

const isInside = ({ firstAt, lastAt }: AlarmEpisode, at: EpochMs) => at >= firstAt - rearmMs && at <= lastAt + rearmMs

/**
 * A press joins while its alert is open and she pressed within 10 min; one from before she cancelled is that call, too.
 * After the alert was closed each press opens a new one, whatever its device says about the time: device clocks jump, and
 * what joins a closed alert is told to nobody.
 */
function pressJoins(episode: AlarmEpisode, at: EpochMs): boolean {
  if (episode.closedAt !== null || !isInside(episode, at)) return false
  return episode.active || at < episode.lastAt
}

/**
 * A smoke or gas alarm that stays true is one episode, for 10 min also after its alert was closed: whoever closed it is
 * still airing the kitchen. When it stands longer by our own clock, nobody is at it any more, and it opens again. The retain
 * flag says only that the gateway wants the message kept, and some set it always: it joins what is from before, never what is
 * new.
 */
function alarmJoins(episode: AlarmEpisode, { receivedAt, retained }: AlarmReading, at: EpochMs): boolean {
  const { active, lastAt, closedAt } = episode
  if (closedAt !== null && receivedAt - closedAt > rearmMs) return false
  if (!active) return isInside(episode, at) && at < lastAt
  return isInside(episode, at) || (retained && at <= lastAt)
}

function end(episode: AlarmEpisode | undefined, kind: 'cleared' | 'cancelled', at: EpochMs): AlarmVerdict {
  // An end that was kept back and is older than the newest alarm ends nothing.
  if (!episode?.active || at < episode.lastAt) return { kind: 'ignore' }
  return { kind, episode: { ...without(episode), active: false, lastAt: at } }
}

function open(episode: AlarmEpisode | undefined, reading: AlarmReading, at: EpochMs, timeZone: string): AlarmVerdict {
  // A backlog that comes after a newer alarm pages once: its further pieces fall between the two, and join.
  const isOlder = episode !== undefined && at < episode.firstAt
  return {
    kind: 'open',
    headline: alarmHeadline(reading, at, timeZone),
    reason: {
      at,
      lateMs: reading.receivedAt - at,
      clockWrong: reading.clockWrong,
      level: reading.level ?? null,
      unit: reading.unit ?? null,
      room: reading.room,
    },
    episode: {
      active: isOlder ? episode.active : true,
      firstAt: at,
      lastAt: isOlder ? episode.lastAt : at,
      closedAt: null,
    },
  }
}

function without({ active, firstAt, lastAt, closedAt }: AlarmEpisode): NextEpisode {
  return { active, firstAt, lastAt, closedAt }
}
