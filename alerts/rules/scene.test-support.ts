import type { Arrival, Decision, EpochMs, ReadingArrival } from '../model.js'
import { emptyState, fold, type ResidentState } from './fold.js'

export const minute = 60_000
export const hour = 60 * minute
/** 07:00 in Shanghai on a Monday. */
export const monday7 = Date.parse('2025-03-03T07:00:00+08:00')
export const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: null }
export const water = 1
export const electricity = 2
export const button = 3

type More = Partial<ReadingArrival>

export function reading(
  kind: ReadingArrival['kind'],
  observedAt: EpochMs,
  value?: number,
  more: More = {},
): ReadingArrival {
  const deviceNo = kind === 'water' ? water : kind === 'electricity' ? electricity : button
  const base = { type: 'reading' as const, deviceNo, kind, observedAt, receivedAt: observedAt, event: '' }
  return { ...base, ...(value === undefined ? {} : { value }), ...more }
}

/** Readings every `every` ms in (from, to], the register growing by what `rate` (L/h or W) says for each interval. */
export function meter(
  kind: 'water' | 'electricity',
  { from, to, every, start = 0 }: { from: EpochMs; to: EpochMs; every: number; start?: number },
  rate: (at: EpochMs) => number,
): ReadingArrival[] {
  const readings: ReadingArrival[] = []
  let value = start
  for (let at = from; at <= to; at += every) {
    if (at > from) value += (rate(at) * every) / hour
    readings.push(reading(kind, at, Math.round(value * 1000) / 1000))
  }
  return readings
}

export const inOrder = (...parts: Arrival[][]): Arrival[] =>
  parts
    .flat()
    .map((arrival, index) => ({ arrival, index }))
    .sort((a, b) => a.arrival.receivedAt - b.arrival.receivedAt || a.index - b.index)
    .map(({ arrival }) => arrival)

/** The gateway keeps what it has in [from, to), then sends it as one array or one at a time; what is newer waits its turn. */
export function heldBack(
  arrivals: Arrival[],
  { from, to, gapMs = 0 }: { from: EpochMs; to: EpochMs; gapMs?: number },
): Arrival[] {
  let free = to
  return arrivals.map((arrival) => {
    if (arrival.receivedAt < from) return arrival
    const receivedAt = Math.max(arrival.receivedAt, free)
    free = receivedAt + gapMs
    return { ...arrival, receivedAt }
  })
}

export function play(
  arrivals: Arrival[],
  now?: EpochMs,
  zone: { timeZone: string } = context,
): { state: ResidentState; decisions: Decision[] } {
  const last = arrivals.at(-1)?.receivedAt ?? 0
  return fold(emptyState(), arrivals, now ?? last, { ...context, ...zone })
}

export const local = (at: EpochMs, timeZone = context.timeZone) =>
  new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short', timeStyle: 'medium' }).format(at)

/** Decisions as short lines: "open silent_12h 2025-03-03 19:05:00". */
export const lines = (decisions: Decision[], only?: RegExp): string[] =>
  decisions
    .map((decision) =>
      decision.type === 'finding'
        ? `finding ${decision.reason}: ${decision.detail}`
        : decision.type === 'back'
          ? `back ${decision.why} ${local(decision.at)}`
          : `${decision.type} ${decision.kind}${decision.deviceNo ? ` ${decision.deviceNo}` : ''} ${local(decision.type === 'open' ? decision.openedAt : decision.at)}`,
    )
    .filter((line) => !only || only.test(line))

export const headlines = (decisions: Decision[], kind: string) =>
  decisions.flatMap((d) => ('kind' in d && d.kind === kind ? [d.headline] : []))
