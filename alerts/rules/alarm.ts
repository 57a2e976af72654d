import type { EpochMs, Headline } from '../model.js'
import { alarmHeadline, quietHeadline, standingHeadline } from './alarm-headline.js'
import { minuteMs, secondMs } from './say.js'
import { lateMs } from './state.js'

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
  /**
   * Since when somebody is at its alert, which is open; null: nobody has taken it, and people are being told. Left out: not
   * known, as by an edge that has no database.
   */
  takenAt?: EpochMs | null
  /** That it stands though its alert was closed was told, once. */
  standingTold?: boolean
}

export type AlarmReading = {
  kind: 'button' | 'smoke' | 'gas' | 'co' | 'leak' | 'voice'
  event: 'pressed' | 'cancelled' | 'test' | 'alarm' | 'clear' | 'help' | 'fine'
  observedAt: EpochMs
  receivedAt: EpochMs
  clockWrong: boolean
  retained: boolean
  /** Said again from memory, by a bridge that restarted or a broker that had kept it. */
  cached?: boolean | undefined
  /** 0..1 */
  battery?: number | undefined
  level?: number | undefined
  unit?: string | undefined
  /** Free text; may be empty. */
  room: string
}

/** The episode afterwards. After `open` its alert is the new one, whose id only the caller knows. */
type NextEpisode = Omit<AlarmEpisode, 'alertId'>

type Words = { headline: Headline; reason: Record<string, number | string | boolean | null> }

export type AlarmVerdict =
  /** A new alert. */
  | ({ kind: 'open'; episode: NextEpisode } & Words)
  /** Joins the episode: noted in its history, never a second alert. */
  | { kind: 'repeat'; episode: NextEpisode }
  /**
   * Said again from memory: noted in the history, never a second emergency. `standing`: the alert was closed and the
   * device still says so, which is worth a notice about the device, once for each episode.
   */
  | { kind: 'verify'; episode: NextEpisode; standing: Words | null }
  /** Noted in the history; a person still has to close the alert. `headline`: what ends a notice that it stands. */
  | { kind: 'cleared'; episode: NextEpisode; headline: Headline }
  | { kind: 'cancelled' | 'fine'; episode: NextEpisode }
  /** A test, the same press once more, or an end with nothing to end. The episode stays as it is. */
  | { kind: 'ignore' }

/** After so long without a repeat an alarm is armed again. */
const rearmMs = 10 * minuteMs
/** So long after it cleared, an alarm that goes off again is the same episode while its alert is open. */
const flapMs = 30 * minuteMs
/** Buttons and bridges say one press up to three times within a second or two. */
const echoMs = 5 * secondMs
/** Below it a device may say anything. */
const suspectBatteryMax = 0.05

/**
 * Judges one reading of a call button, an alarm or a voice panel. In doubt it opens: an alert too many costs a walk, one
 * too few may cost a life.
 */
export function judgeAlarm(episode: AlarmEpisode | undefined, reading: AlarmReading, timeZone: string): AlarmVerdict {
  const { clockWrong, receivedAt, observedAt } = reading
  const at = clockWrong ? receivedAt : Math.min(observedAt, receivedAt)
  switch (reading.event) {
    case 'test':
      return { kind: 'ignore' }
    case 'clear':
      return endsAt(episode, at)
        ? { kind: 'cleared', episode: ended(episode, at), headline: quietHeadline(reading, at, timeZone) }
        : { kind: 'ignore' }
    case 'cancelled':
    case 'fine':
      // Nobody is on the way any more: a later press opens a new alert in any case.
      return endsAt(episode, at) && episode.closedAt === null
        ? { kind: reading.event, episode: ended(episode, at) }
        : { kind: 'ignore' }
    case 'pressed':
    case 'help':
    case 'alarm': {
      if (episode && reading.cached && !isNews(episode, reading, at)) return verify(episode, reading, timeZone)
      const joins =
        episode && (reading.event === 'alarm' ? alarmJoins(episode, reading, at) : pressJoins(episode, reading, at))
      if (!episode || !joins) return open(episode, reading, at, timeZone)
      if (episode.active && at !== episode.lastAt && Math.abs(at - episode.lastAt) <= echoMs) return { kind: 'ignore' }
      const active = episode.active || at >= episode.lastAt
      const lastAt = Math.max(episode.lastAt, at)
      return {
        kind: 'repeat',
        episode: { ...without(episode), active, firstAt: Math.min(episode.firstAt, at), lastAt },
      }
    }
  }
}

const isInside = ({ firstAt, lastAt }: AlarmEpisode, at: EpochMs) => at >= firstAt - rearmMs && at <= lastAt + rearmMs

/**
 * Somebody is being told of its alert, or took it a short while ago: what is more of the same reaches somebody without
 * another alert. Whoever took it longer ago may believe that it is over.
 */
const isInHand = ({ closedAt, takenAt }: AlarmEpisode, receivedAt: EpochMs): boolean =>
  closedAt === null && takenAt !== undefined && (takenAt === null || receivedAt - takenAt <= rearmMs)

/** It was kept back somewhere: of a backlog of a thousand presses or alarms one alert tells. */
const isLate = (receivedAt: EpochMs, at: EpochMs): boolean => receivedAt - at > lateMs

/**
 * A press joins while its alert is open and she pressed within 10 min; one from before she cancelled is that call, too.
 * So does one that was kept back, while people are being told. After the alert was closed each press opens a new one, whatever its device says about the time: device clocks jump, and
 * what joins a closed alert is told to nobody.
 */
function pressJoins(episode: AlarmEpisode, { receivedAt }: AlarmReading, at: EpochMs): boolean {
  if (episode.closedAt !== null) return false
  const told = episode.takenAt === null || episode.active
  if (isLate(receivedAt, at) && told && isInHand(episode, receivedAt)) return true
  if (!isInside(episode, at)) return false
  return episode.active || at < episode.lastAt
}

/**
 * A device that goes on, off and on again within half an hour is one episode while somebody is being told or on the way,
 * and so is what was kept back. A smoke or gas alarm that stays true is one episode, for 10 min also after its alert was closed: whoever closed it is
 * still airing the kitchen. When it stands longer by our own clock, nobody is at it any more, and it opens again. The retain
 * flag says only that the gateway wants the message kept, and some set it always: it joins what is from before, never what is
 * new.
 */
function alarmJoins(episode: AlarmEpisode, { receivedAt, retained }: AlarmReading, at: EpochMs): boolean {
  const { active, lastAt, closedAt } = episode
  if (isInHand(episode, receivedAt) && (isLate(receivedAt, at) || (!active && at >= lastAt && at - lastAt <= flapMs)))
    return true
  if (closedAt !== null && receivedAt - closedAt > rearmMs) return false
  if (!active) return isInside(episode, at) && at < lastAt
  return isInside(episode, at) || (retained && at <= lastAt)
}

/**
 * Whether what comes from memory is of an alarm that is not known: the one before has ended since, or it is a press with a
 * time of its own. A button never ends its press, so that by its episode alone no other press would ever be news.
 */
function isNews({ active, lastAt }: AlarmEpisode, { event, receivedAt }: AlarmReading, at: EpochMs): boolean {
  if (!active) return at > lastAt
  return event !== 'alarm' && at > lastAt + echoMs && at < receivedAt - echoMs
}

/** Leaves `lastAt` where it is: what is from memory must not make a new fire join an old episode. */
function verify(episode: AlarmEpisode, reading: AlarmReading, timeZone: string): AlarmVerdict {
  const next = without(episode)
  const { active, closedAt, firstAt, standingTold } = episode
  if (!active || closedAt === null || standingTold) return { kind: 'verify', episode: next, standing: null }
  const headline = standingHeadline(reading, firstAt, timeZone)
  const standing = { headline, reason: { since: firstAt, room: reading.room } }
  return { kind: 'verify', episode: { ...next, standingTold: true }, standing }
}

/** An end that was kept back and is older than the newest alarm ends nothing. */
const endsAt = (episode: AlarmEpisode | undefined, at: EpochMs): episode is AlarmEpisode =>
  episode?.active === true && at >= episode.lastAt

const ended = (episode: AlarmEpisode, at: EpochMs): NextEpisode => ({ ...without(episode), active: false, lastAt: at })

function open(episode: AlarmEpisode | undefined, reading: AlarmReading, at: EpochMs, timeZone: string): AlarmVerdict {
  // A backlog that comes after a newer alarm pages once: its further pieces fall between the two, and join.
  const isOlder = episode !== undefined && at < episode.firstAt
  const suspect = reading.battery !== undefined && reading.battery <= suspectBatteryMax
  return {
    kind: 'open',
    headline: alarmHeadline(reading, { at, suspect }, timeZone),
    reason: {
      ...(suspect ? { suspect, battery: reading.battery! } : {}),
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

function without({ alertId: _, ...episode }: AlarmEpisode): NextEpisode {
  return episode
}
