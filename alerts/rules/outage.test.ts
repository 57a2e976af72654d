import { expect, test } from 'vitest'
import type { Arrival, Decision } from '../model.js'
import { emptyState, fold } from './fold.js'
import { context as fixed, hour, inOrder, meter, minute, monday7 } from './scene.test-support.js'

const t = monday7
const day = 24 * hour
const context = { ...fixed, alarmsPerMonth: 1 }
const every = 10 * minute
const seed = process.env.SEED ? Number(process.env.SEED) : 77

function random(from: number): () => number {
  let x = from | 0
  return () => {
    x = (x + 0x6d2b79f5) | 0
    let y = Math.imul(x ^ (x >>> 15), 1 | x)
    y = (y + Math.imul(y ^ (y >>> 7), 61 | y)) ^ y
    return ((y ^ (y >>> 14)) >>> 0) / 4_294_967_296
  }
}

test('10,000 outages in a home whose line is learned: no alert ever speaks of a silence that was none', () => {
  const roll = random(seed)
  const used = new Set<number>()
  // The last use is in the evening of the day before the last.
  for (let index = 0; index < 54; index += 1)
    for (let h = 7 + roll(); h < 22; h += 0.4 + roll() * 2)
      used.add(Math.ceil((t - 7 * hour + index * day + h * hour) / every) * every)
  const home = inOrder(
    meter('water', { from: t, to: t + 55 * day, every }, (at) => (used.has(at) ? 30 : 0)),
    meter('electricity', { from: t, to: t + 55 * day, every }, (at) => (used.has(at) ? 700 : 45)),
  )
  const split = home.findIndex(({ receivedAt }) => receivedAt > t + 45 * day)
  const learned = fold(emptyState(), home.slice(0, split), t + 45 * day, context).state
  const rest = home.slice(split)
  let outagesPlayed = 0
  let silent: Extract<Decision, { type: 'open' }>[] = []
  while (outagesPlayed < 10_000) {
    const outages = Array.from({ length: 50 }, () => {
      const from = t + 45 * day + roll() * 9.8 * day
      return { from, to: from + (roll() < 0.1 ? roll() * 40 : roll() * 4) * hour, isLost: roll() < 0.5 }
    })
    outagesPlayed += outages.length
    const sent = rest.flatMap((arrival): Arrival[] => {
      const outage = outages.find(({ from, to }) => arrival.receivedAt >= from && arrival.receivedAt < to)
      if (!outage) return [arrival]
      return outage.isLost ? [] : [{ ...arrival, receivedAt: outage.to }]
    })
    const { decisions } = fold(learned, inOrder(sent), t + 57 * day, context)
    const opened = decisions.flatMap((d) => (d.type === 'open' && d.kind.startsWith('silen') ? [d] : []))
    silent = silent.concat(opened)
    for (const { kind, reason, observedAt } of opened)
      for (let at = Math.ceil((Number(reason.since) + 1) / every) * every; at <= observedAt; at += every)
        expect(used.has(at), `seed ${seed}: ${kind} over ${new Date(at).toISOString()}`).toBe(false)
  }
  // The line is learned, and speaks where silence is true.
  expect(silent.some(({ kind }) => kind === 'silence_unusual')).toBe(true)
  expect(silent.some(({ kind }) => kind === 'silent_12h')).toBe(false)
}, 60_000)

test('10,000 outages: each that lasts is told as offline within two usual intervals and 5 min, and no shorter one is', () => {
  const roll = random(seed + 1)
  let told = 0
  let outagesPlayed = 0
  while (outagesPlayed < 10_000) {
    const everyMs = [minute, 5 * minute, 30 * minute, hour][Math.floor(roll() * 4)]!
    const days = Math.max(6, (everyMs / hour) * 40)
    const readings = meter('water', { from: t, to: t + days * day, every: everyMs }, () => 6)
    const outages = Array.from({ length: 12 }, (_, index) => {
      const from = t + ((index + 2) * days * day) / 15 + roll() * hour
      return { from, to: from + roll() * Math.min(3 * day, (days * day) / 20) }
    })
    outagesPlayed += outages.length
    const sent = readings.filter(
      ({ receivedAt }) => !outages.some(({ from, to }) => receivedAt >= from && receivedAt < to),
    )
    const { decisions } = fold(emptyState(), sent, sent.at(-1)!.receivedAt, context)
    const opened = decisions.flatMap((d) => (d.type === 'open' && d.kind === 'gateway_offline' ? [d] : []))
    const gaps = sent.slice(1).map(({ receivedAt }, index) => ({ from: sent[index]!.receivedAt, to: receivedAt }))
    // Of the intervals before an outage the longest but one is the usual one: outages of one day in 32 readings teach little.
    const long = gaps.filter(({ from, to }) =>
      opened.some(({ observedAt, openedAt }) => observedAt === from && openedAt <= to),
    )
    expect(long.length, `seed ${seed}`).toBe(opened.length)
    for (const { openedAt, observedAt, reason } of opened) {
      const usualMs = Number(reason.usualMs)
      expect(openedAt - observedAt, `seed ${seed}`).toBe(2 * Math.max(usualMs, 5 * minute) + 5 * minute)
      expect(usualMs, `seed ${seed}`).toBeLessThanOrEqual(Math.max(everyMs, 5 * minute))
    }
    for (const { from, to } of gaps)
      if (to - from > 2 * Math.max(everyMs, 5 * minute) + 5 * minute)
        expect(
          opened.some(({ observedAt }) => observedAt === from),
          `seed ${seed}: ${(to - from) / minute} min`,
        ).toBe(true)
    told += opened.length
  }
  expect(told).toBeGreaterThan(5_000)
}, 60_000)
