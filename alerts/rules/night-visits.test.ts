import { expect, test } from 'vitest'
import type { Arrival, Decision, EpochMs } from '../model.js'
import { instantOf } from '../roster-time.js'
import { type Context, emptyState, fold, foldInto, forgetDevice, type ResidentState } from './fold.js'
import { hour, minute, reading } from './scene.test-support.js'
import { riseOf } from './trends.js'

const shanghai: Context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 1 }
const madrid = { timeZone: 'Europe/Madrid', alarmsPerMonth: 1 }
/** 2025-01-06, a Monday. */
const firstDay = Date.UTC(2025, 0, 6) / 86_400_000

/** Once or twice a night, in no order. */
const usualVisits = (night: number): number => [1, 2, 1, 1, 2, 2, 1, 2, 1, 2, 2][night % 11] ?? 1

/**
 * A water register read every `every` ms of `nights` days: three uses by day, and in each night as many visits as
 * `visitsOf` says, `apart` minutes from each other, the first `startsAt` minutes after midnight.
 */
function home(
  nights: number,
  visitsOf: (night: number) => number,
  {
    every = 15 * minute,
    timeZone = shanghai.timeZone,
    startsAt = 40,
    apart = 45,
  }: { every?: number; timeZone?: string; startsAt?: number; apart?: number } = {},
): Arrival[] {
  const uses: EpochMs[] = []
  for (let night = 0; night < nights; night += 1) {
    const day = firstDay + night
    for (let visit = 0; visit < visitsOf(night); visit += 1)
      uses.push(instantOf(day, startsAt + visit * apart, timeZone))
    for (const clock of [8 * 60 + 5, 12 * 60 + 20, 19 * 60 + 50]) uses.push(instantOf(day, clock, timeZone))
  }
  const readings: Arrival[] = []
  let used = 0
  const end = instantOf(firstDay + nights, 0, timeZone)
  for (let at = instantOf(firstDay, 0, timeZone); at <= end; at += every) {
    while (used < uses.length && uses[used]! < at) used += 1
    readings.push(reading('water', at, used * 6))
  }
  return readings
}

function play(arrivals: Arrival[], context = shanghai, state = emptyState()) {
  const decisions: Decision[] = []
  foldInto(state, arrivals, arrivals.at(-1)?.receivedAt ?? 0, context, decisions)
  return { state, told: decisions.filter((one) => 'kind' in one && one.kind === 'night_visits') }
}
const words = (told: Decision[]) => told.map((one) => ('headline' in one ? one.headline : null))
const at = (night: number, clock: number, timeZone = shanghai.timeZone) => instantOf(firstDay + night, clock, timeZone)

test('more visits than usual are told once, with their numbers, and cleared when they are over', () => {
  const more = home(130, (night) => usualVisits(night) + (night >= 80 && night < 100 ? 2 : 0))
  const { told, state } = play(more)
  expect(told.map(({ type }) => type)).toEqual(['open', 'clear'])
  const [open, clear] = told as [Extract<Decision, { type: 'open' }>, Extract<Decision, { type: 'clear' }>]
  expect(open.openedAt).toBeGreaterThan(at(83, 0))
  expect(open.openedAt).toBeLessThan(at(90, 0))
  // At the first reading after five, about the night that ended then.
  expect([open.observedAt, open.openedAt]).toEqual([at(86, 300), at(86, 315)])
  expect(open.reason).toEqual({ perNight: 3.57, usualPerNight: 1.54, nights: 7 })
  expect(words(told)).toEqual([
    {
      en: 'Up 3.6 times a night over the last 7 nights (water used, 00:00 to 05:00); usual is 1.5.',
      zh: '近 7 夜平均每夜起夜 3.6 次（按 0 点至 5 点用水计），平时 1.5 次。',
    },
    {
      en: 'Up 2.1 times a night over the last 7 nights (water used, 00:00 to 05:00): as usual again.',
      zh: '近 7 夜平均每夜起夜 2.1 次（按 0 点至 5 点用水计），已恢复平时水平。',
    },
  ])
  expect(clear.at).toBeGreaterThan(at(103, 0))
  expect(clear.at).toBeLessThan(at(112, 0))
  expect(riseOf(state)).toBeNull()
  // The nights of the rise have taught nothing: the next one is told as soon.
  expect(state.nights!.counts.filter((count) => count > 2).length).toBeLessThan(8)
})

test('what lasts as long as a baseline is the new usual, and a rise above that is told again', () => {
  const steps = (night: number) => usualVisits(night) + (night >= 70 ? 2 : 0) + (night >= 170 ? 2 : 0)
  const { told } = play(home(190, steps, { startsAt: 10, every: 10 * minute }))
  expect(told.map(({ type }) => type)).toEqual(['open', 'clear', 'open'])
  expect(words(told)[1]!.en).toBe(
    'Up 3.6 times a night over the last 56 nights (water used, 00:00 to 05:00): this is what is usual now.',
  )
  expect(words(told)[2]!.en).toMatch(/^Up 5\.\d times a night .*; usual is 3\.[56]\.$/)
})

test.each([7, 30, 56])('after %i days of history nothing is told', (nights) => {
  expect(play(home(nights, (night) => (night > 20 ? 5 : 0))).told).toEqual([])
})

test('one wild night, or two, or a month that is slightly more, is not told', () => {
  const upset = (night: number) => (night === 70 || night === 71 ? 14 : usualVisits(night))
  expect(play(home(90, upset, { startsAt: 10, apart: 20, every: 10 * minute })).told).toEqual([])
  expect(play(home(100, (night) => (night >= 70 && night % 7 === 0 ? 3 : usualVisits(night)))).told).toEqual([])
})

test('flush, tap and a glass of water within ten minutes are one visit; an hour with use is one where meters tell the hour', () => {
  const fine = home(3, () => 0, { every: minute })
  const flushes = [60, 63, 71, 79, 240, 251].map((clock) => at(1, clock))
  const { state } = play(
    fine.map((one) =>
      one.type === 'reading'
        ? { ...one, value: one.value! + flushes.filter((f) => f < one.receivedAt).length * 3 }
        : one,
    ),
  )
  // 01:00 to 01:19 is one, 04:00 and 04:11 are two.
  expect(state.nights!.counts.at(-2)).toBe(3)
  const hourly = home(95, (night) => (night >= 80 ? 3 : 1), { every: hour })
  const { told } = play(hourly)
  expect(words(told)[0]).toEqual({
    en: 'Water used in 3.0 of the 5 hours from 00:00 to 05:00 over the last 6 nights; usual is 1.0.',
    zh: '近 6 夜平均每夜有 3.0 个小时用过水（0 点至 5 点），平时 1.0 个小时。',
  })
})

test('who is up every hour of every night is told of never', () => {
  expect(play(home(130, (night) => (night > 90 ? 5 : 4 + (night % 2)), { every: hour, apart: 60 })).told).toEqual([])
})

/** The nights that were counted, of 20 that would be. */
const counted = (arrivals: Arrival[], context = shanghai) => play(arrivals, context).state.nights!.counts.length
const twenty = home(21, usualVisits)

test('a night over which the meter was away is counted only where the register stood still', () => {
  expect(counted(twenty)).toBe(20)
  const without = (from: EpochMs, to: EpochMs) =>
    twenty.filter(({ receivedAt }) => receivedAt <= from || receivedAt > to)
  expect(counted(without(at(9, 20), at(9, 130)))).toBe(19)
  // From one to half past four nothing had run.
  expect(counted(without(at(9, 165), at(9, 290)))).toBe(20)
  // Three days, with use in each of them: the four nights that it touches are not known.
  expect(counted(without(at(9, 20), at(12, 130)))).toBe(16)
  expect(counted(without(at(9, 600), at(9, 900)))).toBe(20)
})

test('a register that is changed in the night does not tell it', () => {
  const changed = twenty.map((one) =>
    one.type === 'reading' && one.receivedAt > at(9, 120) ? { ...one, value: one.value! - 30 } : one,
  )
  expect(counted(changed)).toBe(19)
})

test('nights away, with a carer, or with nobody there are not hers', () => {
  const said = (...spoken: Arrival[]) => [...twenty, ...spoken].sort((a, b) => a.receivedAt - b.receivedAt)
  expect(counted(said({ type: 'visit', receivedAt: at(9, 130), at: at(9, 130) }))).toBe(19)
  expect(counted(said({ type: 'visit', receivedAt: at(9, 600), at: at(9, 600) }))).toBe(20)
  /** Nobody there: the register stands still, and what is used later counts on from there. */
  const still = (from: EpochMs, to: EpochMs) => {
    const valueAt = (time: EpochMs) => {
      const one = twenty.findLast(({ receivedAt }) => receivedAt <= time)
      return one?.type === 'reading' ? one.value! : 0
    }
    return twenty.map((one) => {
      if (one.type !== 'reading' || one.receivedAt <= from) return one
      return { ...one, value: valueAt(from) + (one.receivedAt > to ? one.value! - valueAt(to) : 0) }
    })
  }
  const away: Arrival = { type: 'away', receivedAt: at(9, 1230), from: at(9, 1230), until: at(13, 700) }
  const trip = still(at(9, 1230), at(13, 600))
  expect(counted([...trip, away].sort((a, b) => a.receivedAt - b.receivedAt))).toBe(16)
  // Nobody said so: where water ran in the evening she may have slept through; the nights after that are not hers.
  expect(counted(trip)).toBe(17)
})

test('a night of 4 or of 6 hours is not counted', () => {
  const nights = (from: string) => {
    const shift = (Date.parse(from) - firstDay * 86_400_000) / 86_400_000
    return home(shift + 10, (night) => (night < shift ? 0 : 2), { timeZone: madrid.timeZone, every: hour }).filter(
      ({ receivedAt }) => receivedAt >= Date.parse(from),
    )
  }
  expect(counted(nights('2025-03-26T00:00Z'), madrid)).toBe(8)
  expect(counted(nights('2025-03-12T00:00Z'), madrid)).toBe(9)
  expect(counted(nights('2025-10-22T00:00Z'), madrid)).toBe(8)
})

test('a time zone that is put right changes one night, and tells nothing', () => {
  const state = emptyState()
  const readings = home(90, usualVisits, { startsAt: 90 })
  const cut = readings.findIndex(({ receivedAt }) => receivedAt > at(70, 700))
  expect(play(readings.slice(0, cut), shanghai, state).told).toEqual([])
  expect(play(readings.slice(cut), { ...shanghai, timeZone: 'Asia/Tokyo' }, state).told).toEqual([])
  expect(state.nights!.counts.length).toBeGreaterThan(55)
  expect(state.nights!.from).toBe(instantOf(firstDay + 90, 0, 'Asia/Tokyo'))
})

test('where a second meter has not told the night, it is not counted', () => {
  const other = twenty.flatMap((one) => (one.type === 'reading' ? [{ ...one, deviceNo: 9, value: 0 }] : []))
  const both = (second: Arrival[]) => [...twenty, ...second].sort((a, b) => a.receivedAt - b.receivedAt)
  expect(counted(both(other))).toBe(20)
  const late = other.filter(({ receivedAt }) => receivedAt < at(9, 120) || receivedAt > at(10, 600))
  expect(counted(both(late))).toBe(18)
})

test('without a water meter a bed that is heard each hour tells it', () => {
  const bed: Arrival[] = []
  for (let night = 0; night < 95; night += 1)
    for (let clock = 0; clock < 24 * 60; clock += 30) {
      const out = night >= 80 ? 3 : 1
      const inBed = clock >= 22 * 60 || (clock < 7 * 60 && !(clock % 60 === 30 && clock < out * 60))
      bed.push(reading('bed', at(night, clock), undefined, { deviceNo: 7, event: inBed ? 'in' : 'out' }))
    }
  const { told, state } = play(bed)
  expect(words(told)).toEqual([
    {
      en: 'Out of bed 3.0 times a night over the last 6 nights (00:00 to 05:00); usual is 1.0.',
      zh: '近 6 夜平均每夜离床 3.0 次（0 点至 5 点），平时 1.0 次。',
    },
  ])
  expect(state.nights!.counts.slice(0, 3)).toEqual([1, 1, 1])
  // Silent from one to half past four, whoever lay in it: nobody knows.
  const deaf = bed.filter(({ receivedAt }) => receivedAt < at(85, 65) || receivedAt > at(85, 265))
  expect(play(deaf).state.nights!.counts.length).toBe(state.nights!.counts.length - 1)
  // Where there is a meter, it counts, and nothing twice.
  const both = [...twenty, ...bed]
    .sort((a, b) => a.receivedAt - b.receivedAt)
    .filter((one) => one.receivedAt < at(21, 0))
  expect(play(both).state.nights!.counts).toEqual(play(twenty).state.nights!.counts)
  // One that only says when it changes tells nothing of the hours between.
  const edges = bed.filter((one, i) => {
    const before = bed[i - 1]
    return one.type === 'reading' && before?.type === 'reading' && before.event !== one.event
  })
  expect(play(edges).state.nights!.counts).toEqual([])
})

test('nothing is learned where nothing is to be learned; a device that goes takes no nights with it', () => {
  const { state } = play(twenty)
  expect(forgetDevice(state, 1).nights).toEqual(state.nights)
  const fixed = fold(state, [], at(21, 10), { ...shanghai, alarmsPerMonth: null }).state
  expect([fixed.nights, fixed.weeks]).toEqual([undefined, undefined])
  const bed = [at(1, 10), at(1, 20)].map((time) => reading('bed', time, undefined, { deviceNo: 7, event: 'in' }))
  expect(play(bed, { ...shanghai, alarmsPerMonth: null }).state.nights).toBeUndefined()
})

test('taken apart at any reading, and put together again from what was stored, it decides the same', () => {
  const readings = home(130, (night) => usualVisits(night) + (night >= 80 && night < 100 ? 2 : 0), {
    every: 30 * minute,
  })
  const whole = play(readings)
  let state: ResidentState = emptyState()
  const told: Decision[] = []
  let bytesMax = 0
  for (let from = 0; from < readings.length; from += 37) {
    const part = play(readings.slice(from, from + 37), shanghai, JSON.parse(JSON.stringify(state)) as ResidentState)
    state = part.state
    told.push(...part.told)
    bytesMax = Math.max(bytesMax, JSON.stringify({ nights: state.nights }).length)
  }
  expect(told).toEqual(whole.told)
  expect(state.nights).toEqual(whole.state.nights)
  expect(bytesMax).toBeLessThan(450)
})
