/**
 * The words of the alerts folder as types. Pure: no clock, no I/O. Times inside rules are epoch milliseconds, so that
 * state is plain JSON and the same in every process.
 */

/** Milliseconds since 1970-01-01T00:00Z. */
export type EpochMs = number

export const severities = ['emergency', 'urgent', 'warning', 'notice'] as const
export type Severity = (typeof severities)[number]

export const stages = ['open', 'acknowledged', 'en_route', 'arrived', 'closed'] as const
export type Stage = (typeof stages)[number]

export const outcomes = [
  'fall',
  'illness',
  'fire',
  'gas',
  'leak',
  'resident fine',
  'device fault',
  'test',
  'other',
] as const
export type Outcome = (typeof outcomes)[number]

export const deviceKinds = [
  'water',
  'electricity',
  'button',
  'smoke',
  'gas',
  'co',
  'leak',
  'motion',
  'door',
  'bed',
  'voice',
] as const
export type DeviceKind = (typeof deviceKinds)[number]

/** What can be wrong, with how bad that is. */
export const severityOf = {
  button: 'emergency',
  smoke: 'emergency',
  gas: 'emergency',
  co: 'emergency',
  voice: 'emergency',
  silence_unusual: 'urgent',
  silent_12h: 'urgent',
  silent_24h: 'urgent',
  water_running: 'warning',
  leak_standing: 'warning',
  appliance_on: 'warning',
  leak: 'warning',
  gateway_offline: 'notice',
  device_offline: 'notice',
  battery_low: 'notice',
  tamper: 'notice',
  device_fault: 'notice',
  clock_wrong: 'notice',
  alarm_standing: 'notice',
  device_flapping: 'notice',
  night_visits: 'notice',
} as const satisfies Record<string, Severity>
export type AlertKind = keyof typeof severityOf

/** What silence is the reason of: a word with the resident settles these, and staff say whether they were right. */
export const silenceKinds = ['silence_unusual', 'silent_12h', 'silent_24h'] as const satisfies readonly AlertKind[]
export type SilenceKind = (typeof silenceKinds)[number]
const silences: ReadonlySet<AlertKind> = new Set(silenceKinds)
export const isSilence = (kind: AlertKind): kind is SilenceKind => silences.has(kind)

export type Language = 'zh' | 'en'
/** One sentence, in both languages, with its numbers. */
export type Headline = Record<Language, string>

/** Three-valued, everywhere: no data is unknown, never "not used" and never "normal". */
export type Knowledge = 'used' | 'not used' | 'unknown'

/** A reading as the rules see it. */
export type ReadingArrival = {
  type: 'reading'
  deviceNo: number
  kind: DeviceKind
  observedAt: EpochMs
  receivedAt: EpochMs
  /** '' for meters; pressed, cancelled, test; alarm, clear; motion, still; open, closed; in, out; help, fine. */
  event: string
  /** Cumulative register: L or Wh. */
  value?: number
  /** L/min or W. */
  rate?: number
  /** 0..1 */
  battery?: number
  tamper?: boolean
  fault?: boolean
  clockWrong?: boolean
}

/** The gateway of this resident was seen to connect, or to be gone. */
export type PresenceArrival = { type: 'presence'; gatewayId: string; online: boolean; receivedAt: EpochMs }

/**
 * What people say of a resident. The rules are handed it like a reading, in its place among them, so that a restart and a
 * replay know it too.
 */
export type WordArrival = { receivedAt: EpochMs } & (
  | /** Nobody is at home from here to there: away mode. */ { type: 'away'; from: EpochMs; until: EpochMs }
  | /** Away mode was ended by a person. */ { type: 'back' }
  | /** A carer is with the resident: what is used then is no routine of hers. */ { type: 'visit'; at: EpochMs }
  | /** Somebody spoke with the resident, who is fine. */ { type: 'spoken'; at: EpochMs }
  /** What was said at `at` was a slip of the thumb, taken back within a minute; of away mode `at` is its `from`. */
  | { type: 'unsaid'; word: 'away' | 'visit' | 'spoken'; at: EpochMs }
  /** An alert about the silence that began at `since` was right (she needed help), a false alarm, or is not marked any more. */
  | { type: 'mark'; since: EpochMs; verdict: Verdict | 'none' }
  /** Many homes around are without water or electricity as well: what is not used meanwhile is no routine of hers. */
  | { type: 'mains' }
  /** When an alert would come in the homes around: for each hour of the day in which a silence begins, after how many ms. */
  | { type: 'neighbours'; limitMs: number[] }
)
export type Verdict = 'true' | 'false'

/** What the rules are handed, in order of arrival; stored as JSON in `arrivals.body`. */
export type Arrival = ReadingArrival | PresenceArrival | WordArrival

/** What a rule decides. Opening an alert that is open already is the same episode and changes nothing. */
export type Decision =
  | {
      type: 'open'
      kind: AlertKind
      deviceNo?: number
      openedAt: EpochMs
      observedAt: EpochMs
      headline: Headline
      reason: Record<string, number | string | boolean | null>
      /** The home is asked first; a person is paged when nothing has settled it by then. */
      askUntil?: EpochMs
    }
  /**
   * What was wrong is so no longer: closes an alert that nobody has acknowledged, is noted on one that somebody has.
   * `outcome`: where it is not the one that such an alert mostly has.
   */
  | { type: 'clear'; kind: AlertKind; deviceNo?: number; at: EpochMs; headline: Headline; outcome?: Outcome }
  /** The away mode that began at `from` is over: somebody is up and about at home, or its time has come. */
  | { type: 'back'; at: EpochMs; from: EpochMs; why: 'activity' | 'expired' }
  /** Something the operator should see beside the reading, which is kept. */
  | { type: 'finding'; deviceNo: number; reason: string; detail: string; at: EpochMs }
