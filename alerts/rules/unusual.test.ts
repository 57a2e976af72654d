import { expect, test } from 'vitest'
import type { Arrival, Decision, EpochMs, ReadingArrival } from '../model.js'
import { type Context, emptyState, fold, type ResidentState } from './fold.js'
import { dayQuarters, type Gap, gapQuarters, gapStart } from './routine.js'
import {
  context as fixed,
  heldBack,
  hour,
  inOrder,
  lines,
  local,
  meter,
  minute,
  monday7,
  reading,
} from './scene.test-support.js'

const t = monday7
const day = 24 * hour
const zone = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 1 }
const unusual = /silence_unusual/
const learned = /silen/

/** A generator of our own, so that one seed gives one home. */
function random(from: number): () => number {
  let x = from | 0
  return () => {
    x = (x + 0x6d2b79f5) | 0
    let y = Math.imul(x ^ (x >>> 15), 1 | x)
    y = (y + Math.imul(y ^ (y >>> 7), 61 | y)) ^ y
    return ((y ^ (y >>> 14)) >>> 0) / 4_294_967_296
  }
}

type Habit = { every?: number; wake?: number; sleep?: number; litres?: number; leak?: number; seed?: number }

/** Litres in each interval of a resident who uses water about every hour and a half from `wake` to `sleep`. */
function uses(days: number, p: Habit = {}): Map<number, number> {
  const { every = 10 * minute, wake = 7, sleep = 22, litres, seed = 11 } = p
  const roll = random(seed)
  const used = new Map<number, number>()
  for (let index = 0; index < days; index += 1)
    for (let h = wake + roll(); h < sleep; h += 0.5 + roll() * 2) {
      const at = t - 7 * hour + index * day + h * hour
      used.set(Math.ceil(at / every) * every, litres ?? 2 + Math.floor(roll() * 10))
    }
  return used
}

/** That resident's water meter, up and about until `collapseAt`, read for `hours` more. */
function home(days: number, hours: number, p: Habit = {}, collapseAt = t + days * day): ReadingArrival[] {
  const { every = 10 * minute, leak = 0 } = p
  const used = uses(days + 2, p)
  return meter(
    'water',
    { from: t, to: t + days * day + hours * hour, every },
    (at) => leak + (at <= collapseAt ? ((used.get(at) ?? 0) * hour) / every : 0),
  )
}

const play = (arrivals: Arrival[], context: Context = zone) =>
  fold(emptyState(), arrivals, arrivals.at(-1)!.receivedAt, context)
const routineOf = ({ routine }: ResidentState) => routine!
const after = (decisions: Decision[], from: number) =>
  decisions.filter((d) => d.type === 'open' && d.openedAt > from) as Extract<Decision, { type: 'open' }>[]

/** The collapse is at 15:00 of the last day; hours until the first inactivity alert. */
function delayOf(arrivals: Arrival[], days: number, context: Context = zone): number {
  const collapseAt = t + days * day + 8 * hour
  const first = after(play(arrivals, context).decisions, collapseAt).find(({ kind }) => learned.test(kind))
  return first ? (first.openedAt - collapseAt) / hour : Number.POSITIVE_INFINITY
}
const fallen = (days: number, p: Habit = {}) => home(days, 56, p, t + days * day + 8 * hour)

/** One collapse is chance: the middle one of five homes that differ in their seed. */
function middleDelay(make: (seed: number) => Arrival[], days: number): number {
  const delays = [11, 12, 13, 14, 15].map((seed) => delayOf(make(seed), days))
  return delays.sort((a, b) => a - b)[2]!
}

test('finds in the afternoon what 12 h would find in the night, and says why', () => {
  const { decisions } = play(fallen(60))
  const [first, second] = after(decisions, t + 60 * day + 8 * hour)
  expect(first!.kind).toBe('silence_unusual')
  expect((first!.openedAt - t - 60 * day) / hour - 8).toBeLessThan(6)
  const { usualMinutes, limitMinutes } = first!.reason
  expect(Number(usualMinutes)).toBeGreaterThanOrEqual(120)
  expect(Number(usualMinutes)).toBeLessThanOrEqual(Number(limitMinutes))
  expect(first!.headline.en).toMatch(
    /^No water used since \d\d:\d\d \(\d h( \d+ min)?\); at this hour silence normally lasts at most \d h( 30 min)?\.$/,
  )
  expect(first!.headline.zh).toMatch(
    /^自 \d\d:\d\d 起 \d 小时( \d+ 分钟)?未用水；这个时段平时最多安静 \d 小时( 30 分钟)?。$/,
  )
  // The rule of 12 h has given way; that of 24 h stays.
  expect(second!.kind).toBe('silent_24h')
})

test('the budget is kept on a regular life, and the more it allows the sooner it finds', () => {
  const quiet = home(180, 0)
  const perMonth = (alarmsPerMonth: number) =>
    lines(after(play(quiet, { ...zone, alarmsPerMonth }).decisions, t + 28 * day), unusual).length / 5
  expect(perMonth(4)).toBeGreaterThan(2)
  expect(perMonth(4)).toBeLessThan(6)
  expect(perMonth(1)).toBeLessThan(2.2)
  const [often, seldom] = [8, 0.2].map((alarmsPerMonth) => delayOf(fallen(90), 90, { ...zone, alarmsPerMonth }))
  expect(often!).toBeLessThanOrEqual(seldom!)
})

test.each([0, 7, 13])('%i days of history: the fixed rule of 12 h stands alone', (days) => {
  const { decisions } = play(fallen(days))
  expect(lines(decisions, unusual)).toEqual([])
  expect(after(decisions, t + days * day + 8 * hour).map(({ kind }) => kind)).toEqual([
    'silent_12h',
    'silent_24h',
    'silent_24h',
  ])
})

test('from 14 to 28 days the line comes down from 12 h to its own', () => {
  const [young, old] = [15, 40].map((days) => middleDelay((seed) => fallen(days, { seed }), days))
  expect(young!).toBeGreaterThan(8)
  expect(old!).toBeLessThan(young! - 2)
})

const days = 45
test.each<[string, (seed: number) => Arrival[], number, number]>([
  ['a leak of 3 L/h does not hide silence', (seed) => fallen(days, { seed, leak: 3 }), 2, 7],
  ['pulses of 10 L', (seed) => fallen(days, { seed, litres: 10 }), 2, 7],
  ['one reading an hour', (seed) => fallen(days, { seed, every: hour }), 2, 8],
  ['one reading every two minutes', (seed) => fallen(days, { seed, every: 2 * minute }), 2, 8],
  [
    'hourly water beside power every 5 min with 1 Wh of noise',
    (seed) =>
      inOrder(
        fallen(days, { seed, every: hour }),
        meter('electricity', { from: t, to: t + days * day + 56 * hour, every: 5 * minute }, () => 40).map((r, i) => ({
          ...r,
          value: Math.floor(r.value!) + (i % 2),
        })),
      ),
    2,
    8,
  ],
  [
    'the television stays on after the collapse',
    (seed) =>
      inOrder(
        fallen(days, { seed }),
        meter('electricity', { from: t, to: t + days * day + 56 * hour, every: 10 * minute }, (at) => {
          const local = ((at - t) / hour + 7) % 24
          return (local > 14 && local < 22) || at > t + days * day + 8 * hour ? 160 : 60
        }),
      ),
    2,
    8,
  ],
  [
    'a register that was changed in the morning',
    (seed) =>
      fallen(days, { seed }).map((r) => (r.observedAt > t + days * day ? { ...r, value: r.value! - 4_000 } : r)),
    2,
    8,
  ],
  [
    'a register that rolls over',
    (seed) => fallen(days, { seed }).map((r) => ({ ...r, value: (r.value! + 97_000) % 100_000 })),
    2,
    8,
  ],
  [
    'each reading twice',
    (seed) => fallen(days, { seed }).flatMap((r) => [r, { ...r, receivedAt: r.receivedAt + 1_000 }]),
    2,
    7,
  ],
  [
    'pairs of readings in the wrong order',
    (seed) =>
      fallen(days, { seed }).map((r, i, all) => ({
        ...all[i ^ 1 ? i ^ 1 : i]!,
        receivedAt: r.receivedAt,
        ...(all[i ^ 1] ? {} : r),
      })),
    2,
    7,
  ],
  ['active at night, asleep by day', (seed) => fallen(days, { seed, wake: 11, sleep: 27 }), 2, 8],
])('%s', (_name, make, from, to) => {
  const delay = middleDelay(make, days)
  expect(delay).toBeGreaterThan(from - 1)
  expect(delay).toBeLessThanOrEqual(to)
})

test('a leak that starts with the collapse hides its first hours only', () => {
  const collapseAt = t + days * day + 8 * hour
  const leaking = fallen(days).map((r) => {
    const leakHours = Math.max(0, r.observedAt - collapseAt) / hour
    return { ...r, value: r.value! + Math.floor(leakHours * 20) / 10 }
  })
  expect(delayOf(leaking, days)).toBeLessThan(20)
})

test('an outage of 3 h or 3 days opens no inactivity alert and teaches nothing', () => {
  const whole = home(80, 0)
  const taught = routineOf(play(whole).state)
  for (const hours of [3, 72]) {
    const from = t + 50 * day + 3 * hour
    const holed = whole.filter((r) => r.observedAt <= from || r.observedAt >= from + hours * hour)
    const { state, decisions } = play(holed)
    expect(
      lines(decisions, learned).filter((line) => line.includes(local(from).slice(0, 10))),
      `${hours} h`,
    ).toEqual([])
    const longest = (gaps: number[]) => Math.max(...gaps.map(gapQuarters))
    expect(longest(routineOf(state).gaps)).toBeLessThanOrEqual(longest(taught.gaps))
  }
})

test('a backlog that ends in use opens nothing; what it tells still teaches', () => {
  const from = t + 50 * day + 3 * hour
  const late = heldBack(home(51, 0), { from, to: from + 8 * hour })
  const before = after(play(home(51, 0)).decisions, from).length
  const { state, decisions } = play(late)
  expect(after(decisions, from).filter(({ kind }) => learned.test(kind)).length).toBeLessThanOrEqual(before)
  const dayOf = (gap: Gap) => Math.floor(gapStart(gap) / dayQuarters)
  expect(dayOf(routineOf(state).gaps.at(-1)!)).toBe(dayOf(routineOf(play(home(51, 0)).state).gaps.at(-1)!))
})

test('one upload a day, without times between: the line is never learned and the fixed rules stay', () => {
  const { state, decisions } = play(home(60, 60, { every: day }))
  expect(routineOf(state).gaps).toEqual([])
  expect(lines(decisions, unusual)).toEqual([])
})

test('an absence of days is found by the 24 h rule and teaches nothing', () => {
  const away = [t + 40 * day, t + 46 * day] as const
  const used = uses(60)
  const { state } = play(
    meter('water', { from: t, to: t + 60 * day, every: 10 * minute }, (at) =>
      at > away[0] && at < away[1] ? 0 : ((used.get(at) ?? 0) * hour) / (10 * minute),
    ),
  )
  expect(Math.max(...routineOf(state).gaps.map(gapQuarters))).toBeLessThan(24 * 4)
})

test('a slow decline is told, not learned away', () => {
  const roll = random(5)
  const used = new Map<number, number>()
  for (let index = 0; index < 120; index += 1) {
    // From day 60 on the pauses by day grow from one and a half hours to nine.
    const pause = 1.5 + Math.max(0, index - 60) * 0.125
    for (let h = 7 + roll(); h < 22; h += pause * (0.5 + roll()))
      used.set(Math.ceil((t - 7 * hour + index * day + h * hour) / (10 * minute)) * 10 * minute, 6)
  }
  const { decisions } = play(
    meter('water', { from: t, to: t + 119 * day, every: 10 * minute }, (at) => (used.get(at) ?? 0) * 6),
  )
  expect(lines(after(decisions, t + 60 * day), unusual).length).toBeGreaterThanOrEqual(3)
})

test('a silence that was an emergency is unlearned, during it or afterwards', () => {
  const unlearn = (state: ResidentState, since: EpochMs, receivedAt: EpochMs) =>
    fold(state, [{ type: 'mark', since, verdict: 'true', receivedAt }], receivedAt, zone).state
  const found = t + 45 * day + 24 * hour
  const arrivals = fallen(45).map((r) => ({ ...r, value: r.value! + (r.observedAt > found ? 8 : 0) }))
  const during = arrivals.filter(({ observedAt }) => observedAt <= found)
  const rest = arrivals.slice(during.length)
  const lying = play(during).state
  const since = routineOf(lying).activeAt!
  const later = fold(lying, rest, arrivals.at(-1)!.receivedAt, zone).state
  const isOfThis = (gap: Gap) => gapQuarters(gap) > 12 * 4
  expect(routineOf(later).gaps.some(isOfThis)).toBe(true)
  const marked = fold(unlearn(lying, since, found), rest, arrivals.at(-1)!.receivedAt, zone).state
  expect(routineOf(marked).gaps.some(isOfThis)).toBe(false)
  expect(routineOf(marked).bias).toBeLessThan(routineOf(later).bias)
  const corrected = routineOf(unlearn(later, since, later.newestAt))
  expect(corrected.gaps).toEqual(routineOf(marked).gaps)
  // The list of the highest is full: the lowest that made room does not come back.
  expect(corrected.tops).toEqual(routineOf(marked).tops.slice(0, corrected.tops.length))
  expect(unlearn(later, t - day, later.newestAt)).toEqual(later)
})

test('days of 23 and 25 h move the line with the clock on the wall', () => {
  const rome = { timeZone: 'Europe/Rome', alarmsPerMonth: 1 }
  for (const changed of ['2025-03-30T00:00:00+01:00', '2025-10-26T00:00:00+02:00']) {
    const start = Date.parse(changed) - 50 * day
    const offset = (at: number) => (at < Date.parse(changed) + 3 * hour ? 0 : changed.includes('-03-') ? -hour : hour)
    const roll = random(3)
    const used = new Set<number>()
    for (let index = 0; index < 56; index += 1)
      for (let h = 7 + roll(); h < 22; h += 0.5 + roll() * 2) {
        const at = start + index * day + h * hour
        used.add(Math.ceil((at + offset(at)) / (10 * minute)))
      }
    const arrivals = meter('water', { from: start, to: start + 56 * day, every: 10 * minute }, (at) =>
      used.has(at / (10 * minute)) ? 36 : 0,
    )
    expect(lines(after(play(arrivals, rome).decisions, Date.parse(changed)), learned).length).toBeLessThanOrEqual(1)
  }
})

test('a washing machine on a timer after the collapse delays the alert once, and no longer', () => {
  const collapseAt = t + days * day + 8 * hour
  const machine = fallen(days).map((r) => ({ ...r, value: r.value! + (r.observedAt > collapseAt + 2 * hour ? 50 : 0) }))
  expect(delayOf(machine, days)).toBeLessThan(16)
})

test('restarted at every 100th reading, stored in between: the identical list, to the second', () => {
  const arrivals = fallen(70)
  const whole = play(arrivals)
  let state: ResidentState = emptyState()
  const decisions: Decision[] = []
  for (let index = 0; index < arrivals.length; index += 100) {
    const part = arrivals.slice(index, index + 100)
    const folded = fold(JSON.parse(JSON.stringify(state)), part, part.at(-1)!.receivedAt, zone)
    state = folded.state
    decisions.push(...folded.decisions)
  }
  expect(decisions).toEqual(whole.decisions)
  expect(JSON.stringify(state)).toBe(JSON.stringify(JSON.parse(JSON.stringify(whole.state))))
})

test('the learned state stays under 8 KB after years of an irregular life', () => {
  const roll = random(9)
  const used = new Set<number>()
  for (let at = t; at < t + 400 * day; at += roll() ** 3 * 16 * hour + 20 * minute) used.add(Math.floor(at / hour))
  const { state } = play(
    meter('water', { from: t, to: t + 400 * day, every: hour }, (at) => (used.has(at / hour) ? 5.3 : 0)),
  )
  expect(routineOf(state).gaps.length).toBe(200)
  expect(JSON.stringify(state.routine).length).toBeLessThan(7_000)
  expect(JSON.stringify(state).length).toBeLessThan(8_000)
})

test('the button is a sign of life for the line, too', () => {
  const pressed = t + days * day + 9 * hour
  const arrivals = inOrder(fallen(days), [reading('button', pressed, undefined, { event: 'test' })])
  expect(delayOf(arrivals, days)).toBeGreaterThan(delayOf(fallen(days), days))
})

test('with a state from before there were routines the line starts cold: fixed rules first, its own later', () => {
  const arrivals = home(80, 56, {}, t + 80 * day + 8 * hour)
  const before = (at: number) => arrivals.filter(({ observedAt }) => observedAt <= at)
  const between = (from: number, to: number) => arrivals.filter((r) => r.observedAt > from && r.observedAt <= to)
  const stored = play(before(t + 40 * day), fixed).state
  const young = fold(stored, between(t + 40 * day, t + 50 * day), t + 50 * day, zone)
  expect(routineOf(young.state).firstAt).toBeGreaterThan(t + 40 * day)
  expect(lines(young.decisions, unusual)).toEqual([])
  const old = fold(young.state, between(t + 50 * day, t + 83 * day), arrivals.at(-1)!.receivedAt, zone)
  const found = after(old.decisions, t + 80 * day + 8 * hour)
  expect(found.map(({ kind }) => kind)).toEqual(['silence_unusual', 'silent_24h', 'silent_24h'])
})

test('switched off: 40 days of history are followed by silent_12h at 12 h, and nothing is learned', () => {
  const inhabited = (arrivals: ReadingArrival[]) =>
    inOrder(
      arrivals,
      meter('electricity', { from: t, to: t + 40 * day + 56 * hour, every: 10 * minute }, () => 60),
    )
  const lastAt = t + 40 * day + 7 * hour
  const arrivals = inhabited(
    home(40, 56, {}, lastAt).map((r) => ({ ...r, value: r.value! + (r.observedAt >= lastAt ? 12 : 0) })),
  )
  const { state, decisions } = play(arrivals, fixed)
  expect(lines(after(decisions, lastAt))).toEqual([
    `open silent_12h ${local(lastAt + 12 * hour)}`,
    `open silent_24h ${local(lastAt + 24 * hour)}`,
    `open silent_24h ${local(lastAt + 48 * hour)}`,
  ])
  expect(lines(decisions, unusual)).toEqual([])
  expect(state).not.toHaveProperty('routine')
  for (const one of state.meters) for (const part of ['leak', 'cycles']) expect(one).not.toHaveProperty(part)
  // Switched on for these 40 days and off again, the state is that of one where it was never on.
  const split = arrivals.findIndex(({ receivedAt }) => receivedAt > t + 40 * day)
  const learning = play(arrivals.slice(0, split)).state
  expect(routineOf(learning).gaps.length).toBeGreaterThan(0)
  const off = fold(learning, arrivals.slice(split), arrivals.at(-1)!.receivedAt, fixed)
  expect(off.state).toEqual(state)
  expect(after(off.decisions, lastAt)).toEqual(after(decisions, lastAt))
})
