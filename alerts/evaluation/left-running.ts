import type { AlertKind, Decision, EpochMs, ReadingArrival } from '../model.js'
import { emptyState, foldInto, type ResidentState } from '../rules/fold.js'
import { seeded } from './collapse.js'

const hourMs = 3_600_000
const dayMs = 24 * hourMs
/** A moment in a hole of the recording would measure the hole. */
const holeMsMax = 3 * hourMs
const triesMax = 20_000

export const otherRules = ['running', 'leak', 'appliance'] as const
export type OtherRule = (typeof otherRules)[number]

/** What is injected, from when on, and how long the rule has to notice. `amounts`: L/h, or W. */
export type Protocol = {
  kind: AlertKind
  meter: 'water' | 'electricity'
  amounts: number[]
  unit: 'L/h' | 'W'
  observeMs: number
  isMoment: (state: ResidentState, reading: ReadingArrival, before: ReadingArrival) => boolean
}

const isUse = (_state: ResidentState, reading: ReadingArrival, before: ReadingArrival) => reading.value! > before.value!

export const protocols: Record<OtherRule, Protocol> = {
  /** A tap that somebody opened and did not close. */
  running: {
    kind: 'water_running',
    meter: 'water',
    amounts: [400],
    unit: 'L/h',
    observeMs: dayMs,
    isMoment: isUse,
  },
  /** A cistern or a pipe begins to leak at any moment. */
  leak: {
    kind: 'leak_standing',
    meter: 'water',
    amounts: [3, 5, 10, 30],
    unit: 'L/h',
    observeMs: 7 * dayMs,
    isMoment: () => true,
  },
  /** Something that somebody has just switched on stays on. */
  appliance: {
    kind: 'appliance_on',
    meter: 'electricity',
    amounts: [1_000, 1_500, 2_000],
    unit: 'W',
    observeMs: dayMs,
    isMoment: ({ meters }, { deviceNo, observedAt }) =>
      meters.some(
        (meter) => meter.kind === 'electricity' && meter.deviceNo === deviceNo && meter.activeAt === observedAt,
      ),
  },
}

/** Readings drawn at random after which something is left running; fewer where a recording has too few such moments. */
export function drawMoments(
  readings: ReadingArrival[],
  { meter, isMoment }: Protocol,
  { from, until, each, seed: start }: { from: EpochMs; until: EpochMs; each: number; seed: number },
  timeZone: string,
): { index: number; at: EpochMs }[] {
  const roll = seeded(start)
  const state = emptyState()
  const ignored: Decision[] = []
  const candidates: { index: number; spanMs: number }[] = []
  let before: ReadingArrival | null = null
  let last = -1
  for (let index = 0; index < readings.length; index += 1) {
    const reading = readings[index]!
    foldInto(state, [reading], reading.receivedAt, { timeZone, alarmsPerMonth: null }, ignored)
    ignored.length = 0
    if (reading.kind !== meter || reading.value === undefined) continue
    const spanMs = before ? reading.receivedAt - before.receivedAt : Number.POSITIVE_INFINITY
    // The interval in which it happens is the one after the candidate.
    if (last >= 0 && spanMs > 0 && spanMs <= holeMsMax) candidates.push({ index: last, spanMs })
    last = -1
    if (before && reading.receivedAt >= from && reading.receivedAt <= until && isMoment(state, reading, before))
      last = index
    before = reading
  }
  const moments = new Map<number, EpochMs>()
  for (let tries = 0; tries < triesMax && moments.size < Math.min(each, candidates.length); tries += 1) {
    const { index, spanMs } = candidates[Math.floor(roll() * candidates.length)]!
    if (!moments.has(index)) moments.set(index, Math.floor(readings[index]!.receivedAt + roll() * spanMs))
  }
  return [...moments].map(([index, at]) => ({ index, at })).sort((a, b) => a.index - b.index)
}

/** The readings that follow, with so many L/h (W) more from `at` on; the register counts in `step`. */
export function* leftRunning(
  readings: ReadingArrival[],
  first: number,
  { at, amount, step, meter, ms }: { at: EpochMs; amount: number; step: number; meter: string; ms: number },
): Generator<ReadingArrival> {
  for (let index = first; index < readings.length && readings[index]!.receivedAt <= at + ms; index += 1) {
    const reading = readings[index]!
    const more = (amount * Math.max(0, reading.observedAt - at)) / hourMs
    const isMine = reading.kind === meter && reading.value !== undefined
    yield isMine ? { ...reading, value: Math.floor((reading.value! + more) / step + 1e-6) * step } : reading
  }
}
