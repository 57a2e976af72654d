import fc from 'fast-check'
import { expect, test } from 'vitest'
import type { Arrival, Decision } from '../model.js'
import { emptyState, fold, forgetDevice, knowledge, type ResidentState } from './fold.js'
import { context, hour, inOrder, meter, minute, monday7, play, reading } from './scene.test-support.js'

const t = monday7
const seed = (process.env.SEED ? Number(process.env.SEED) : t % 1_000_003) | 0

/** A small generator of our own, so that one seed gives one home. */
function random(from: number): () => number {
  let x = from | 0
  return () => {
    x = (x + 0x6d2b79f5) | 0
    let y = Math.imul(x ^ (x >>> 15), 1 | x)
    y = (y + Math.imul(y ^ (y >>> 7), 61 | y)) ^ y
    return ((y ^ (y >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Outage = { from: number; to: number; how: 'lost' | 'array' | 'singles' }
const during = ({ from, to }: Outage, at: number) => at >= from && at < to

function withOutages(arrivals: Arrival[], outages: Outage[], roll: () => number): Arrival[] {
  const sent: Arrival[] = []
  for (const arrival of arrivals) {
    const outage = outages.find((one) => during(one, arrival.receivedAt))
    if (!outage) sent.push(arrival)
    else if (outage.how !== 'lost' || arrival.type !== 'reading')
      sent.push({ ...arrival, receivedAt: outage.to + (outage.how === 'singles' ? Math.floor(roll() * 90_000) : 0) })
  }
  return inOrder(sent)
}

/** Three days of a home with everything that goes wrong: outages, silence, taps, clocks, registers, duplicates. */
function troubledHome(homeSeed: number): Arrival[] {
  const roll = random(homeSeed)
  const waterEvery = [minute, 5 * minute, hour][Math.floor(roll() * 3)]!
  const powerEvery = [5 * minute, 30 * minute, hour][Math.floor(roll() * 3)]!
  const busy = (at: number) => Math.floor(at / (16 * hour)) % 2 === 0
  const parts: Arrival[][] = [
    meter('water', { from: t, to: t + 72 * hour, every: waterEvery }, (at) =>
      busy(at) && roll() < 0.05 ? 300 : at > t + 50 * hour && at < t + 54 * hour ? 260 : 0,
    ),
    meter('electricity', { from: t + 7_000, to: t + 72 * hour, every: powerEvery }, (at) =>
      busy(at) && roll() < 0.1 ? 900 : 50,
    ),
    Array.from({ length: 20 }, (_, i) =>
      reading('button', t + i * 4 * hour, undefined, {
        event: 'test',
        battery: roll(),
        fault: roll() < 0.3,
        clockWrong: roll() < 0.1,
      }),
    ),
    [30, 31, 55, 60].map((h, i) => ({
      type: 'presence',
      gatewayId: 'g',
      online: i % 2 === 1,
      receivedAt: t + h * hour,
    })),
  ]
  const outages = Array.from({ length: 4 }, (): Outage => {
    const from = t + roll() * 70 * hour
    return {
      from,
      to: from + roll() ** 3 * 20 * hour,
      how: (['lost', 'array', 'singles'] as const)[Math.floor(roll() * 3)]!,
    }
  })
  const resetAt = t + roll() * 72 * hour
  return withOutages(inOrder(...parts), outages, roll).flatMap((arrival): Arrival[] => {
    if (arrival.type !== 'reading') return [arrival]
    const reset = arrival.kind === 'water' && arrival.observedAt > resetAt && arrival.value !== undefined
    const shown = { ...arrival, ...(reset ? { value: arrival.value! / 10 } : {}) }
    const skewed = roll() < 0.02 ? { ...shown, observedAt: shown.observedAt + roll() * 3 * hour } : shown
    return roll() < 0.03 ? [skewed, skewed] : [skewed]
  })
}

const stored = (state: ResidentState): ResidentState => JSON.parse(JSON.stringify(state))

test('the same stream gives the same decisions and the same state, however it is cut, woken and stored in between', () => {
  let alerts = 0
  fc.assert(
    fc.property(
      fc.integer(),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1, maxLength: 40 }),
      (homeSeed, cuts) => {
        const arrivals = troubledHome(homeSeed)
        const end = arrivals.at(-1)!.receivedAt + 5 * hour
        const whole = fold(emptyState(), arrivals, end, context)
        alerts += whole.decisions.length

        const decisions: Decision[] = []
        let state = emptyState()
        let wakeAt: number | null = null
        const call = (part: Arrival[], now: number) => {
          const folded = fold(stored(state), part, now, context)
          decisions.push(...folded.decisions)
          state = stored(folded.state)
          wakeAt = folded.wakeAt
          if (wakeAt !== null) expect(wakeAt).toBeGreaterThan(now)
        }
        for (let index = 0, cut = 0; index < arrivals.length; cut += 1) {
          const part = arrivals.slice(index, index + cuts[cut % cuts.length]!)
          // Half of the time wakes come when they are due, and once more between; else a batch finds them overdue.
          const now = part[0]!.receivedAt
          for (let wakes = 0; cut % 2 === 0 && wakeAt !== null && wakeAt <= now && wakes < 100; wakes += 1)
            call([], wakeAt)
          call(part, part.at(-1)!.receivedAt)
          call([], part.at(-1)!.receivedAt)
          index += part.length
        }
        call([], end)
        expect(decisions).toEqual(whole.decisions)
        expect(state).toEqual(stored(whole.state))
      },
    ),
    { numRuns: 60, seed, verbose: 1 },
  )
  expect(alerts, `seed ${seed}`).toBeGreaterThan(500)
})

test('10,000 outages: an outage never makes an inactivity alert', () => {
  const roll = random(seed)
  let outagesPlayed = 0
  let kept = 0
  while (outagesPlayed < 10_000) {
    // She uses 15 L and a kettle at least every 6 h: whatever is lost or late, silence of 12 h is never true.
    const uses = new Set<number>()
    for (let at = t + roll() * 3 * hour; at < t + 120 * hour; at += (1 + roll() * 4.5) * hour)
      uses.add(Math.floor(at / (10 * minute)))
    const active = (at: number) => uses.has(Math.ceil(at / (10 * minute)) - 1)
    const span = { from: t - (t % (10 * minute)), to: t + 120 * hour, every: 10 * minute }
    const home = inOrder(
      roll() < 0.9 ? meter('water', span, (at) => (active(at) ? 90 : 0)) : [],
      meter('electricity', span, (at) => (active(at) ? 700 : 45)),
    )
    const outages = Array.from({ length: 25 }, (): Outage => {
      const from = t + roll() * 118 * hour
      const length = roll() < 0.2 ? roll() * 30 * hour : roll() * 3 * hour
      return { from, to: from + length, how: (['lost', 'array', 'singles'] as const)[Math.floor(roll() * 3)]! }
    })
    outagesPlayed += outages.length
    const sent = withOutages(home, outages, roll)
    kept += sent.length
    const { decisions } = play(sent, t + 140 * hour)
    const silent = decisions.filter((d) => d.type === 'open' && d.kind.startsWith('silent'))
    expect(silent, `seed ${seed}`).toEqual([])
  }
  expect(kept).toBeGreaterThan(100_000)
})

test('the outages of that test would be silences to a rule that took no data for no use', () => {
  const used = meter('water', { from: t, to: t + 30 * hour, every: 10 * minute }, () => 20)
  const { state, decisions } = play(used.slice(0, 60), t + 30 * hour)
  expect(decisions.map((d) => 'kind' in d && d.kind)).toEqual(['gateway_offline'])
  expect(knowledge(state, t + 30 * hour).knowledge).toBe('unknown')
})

test('the state stays small: 8 KB for a troubled home with 5 devices, and for one whose tap drips', () => {
  const more = (start: Arrival[]) => [
    ...start,
    ...[4, 5].map((deviceNo) =>
      reading('smoke', t + 80 * hour, undefined, { deviceNo, event: 'clear', battery: 0.1, tamper: true, fault: true }),
    ),
  ]
  for (let homeSeed = 0; homeSeed < 20; homeSeed += 1)
    expect(JSON.stringify(play(more(troubledHome(homeSeed))).state).length, `home ${homeSeed}`).toBeLessThan(6_000)
  const drip = inOrder(
    meter('water', { from: t, to: t + 72 * hour, every: minute }, () => 0.123),
    meter('electricity', { from: t, to: t + 72 * hour, every: minute }, (at) => 50 + (at % 7) * 11.3),
    [reading('button', t, undefined, { event: 'test' })],
  )
  expect(JSON.stringify(play(more(drip)).state).length).toBeLessThan(8_000)
})

test('the state that went in is not changed, and a device that was unbound is forgotten', () => {
  const before = play(meter('water', { from: t, to: t + 5 * hour, every: 5 * minute }, () => 7)).state
  const copy = stored(before)
  fold(
    before,
    meter('water', { from: t + 6 * hour, to: t + 9 * hour, every: 5 * minute }, () => 7),
    t + 30 * hour,
    context,
  )
  expect(before).toEqual(copy)
  const { decisions, wakeAt } = fold(forgetDevice(before, 1), [], t + 30 * hour, context)
  expect({ decisions, wakeAt }).toEqual({ decisions: [], wakeAt: null })
})
