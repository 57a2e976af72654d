import { expect, test } from 'vitest'
import { seededRandom } from '../../simulators/random.js'
import type { Arrival } from '../model.js'
import { flowsOf } from './flows.js'
import { emptyState, fold } from './fold.js'
import { hour, meter, minute, monday7 } from './scene.test-support.js'

const day = 24 * hour
const from = monday7
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
const at = (days: number, hours: number) => from + days * day + (hours - 7) * hour
const flowsAt = (arrivals: Arrival[], now: number) =>
  flowsOf(
    fold(
      emptyState(),
      arrivals.filter(({ receivedAt }) => receivedAt <= now),
      now,
      context,
    ).state,
  )

test('water: when it ran last, and until when that is known', () => {
  const arrivals = meter('water', { from, to: at(0, 20), every: hour }, (to) => (to <= at(0, 12) ? 10 : 0))
  expect(flowsAt(arrivals, at(0, 15))).toEqual({ long: false, water: { at: at(0, 12), until: at(0, 15) }, power: null })
  // What a silent meter does not tell is not known.
  expect(flowsAt(arrivals, at(1, 7)).water).toBeNull()
})

test('where nothing has run since the meter began to tell, it may have run until then', () => {
  const arrivals = meter('water', { from, to: at(0, 12), every: hour }, () => 0)
  expect(flowsAt(arrivals, at(0, 12)).water).toEqual({ at: at(0, 12), until: at(0, 12) })
})

test('a silence becomes long after 2 h at the least, stays so, and water ends it; away mode is no silence', () => {
  const random = seededRandom('flows')
  const arrivals = meter('water', { from, to: at(43, 20), every: hour }, (to) => {
    const clock = ((to - from) / hour + 7) % 24
    const isUp = clock > 6 && clock <= 22 && random() < 0.8
    return isUp && !(to > at(43, 9) && to <= at(43, 17)) ? 12 : 0
  })
  const hours = [9, 10, 11, 12, 13, 14, 15, 16, 17, 18]
  const longAt = (all: Arrival[]) => hours.filter((each) => flowsAt(all, at(43, each)).long)
  const first = longAt(arrivals)[0]!
  expect(first).toBeGreaterThanOrEqual(11)
  expect(first).toBeLessThan(15)
  expect(longAt(arrivals)).toEqual(hours.filter((each) => each >= first && each <= 17))
  const away: Arrival = { type: 'away', from: at(43, 15), until: at(44, 9), receivedAt: at(43, 15) - minute }
  expect(longAt([...arrivals, away].sort((a, b) => a.receivedAt - b.receivedAt))).toEqual(
    hours.filter((each) => each >= first && each <= 14),
  )
})

const watts = (to: number) => {
  const clock = ((to - from) / hour + 7) % 24
  return clock >= 18 && clock < 20 ? 600 : 40
}
const dark = (to: number) => to > at(1, 10.5) && to <= at(1, 14)

test.each([
  ['an hourly meter', hour, 1, 12],
  ['one of every minute', minute, 1, 11.2],
  ['one of every half hour that counts in 10 Wh', hour / 2, 10, 12],
])('electricity: %s stands still when the mains are off, and the fridge with it', (_name, every, step, deadBy) => {
  const arrivals = meter('electricity', { from, to: at(1, 16), every }, (to) => (dark(to) ? 0 : watts(to))).map(
    (one) => ({
      ...one,
      value: Math.floor(one.value! / step) * step,
    }),
  )
  const lit = flowsAt(arrivals, at(1, 10)).power!
  expect(lit.at).toBe(lit.until)
  const power = flowsAt(arrivals, at(1, deadBy + 0.5)).power!
  expect(power.at).toBeLessThan(power.until)
  expect(Math.abs(power.at - at(1, 10.5)) / hour).toBeLessThanOrEqual(1)
  const again = flowsAt(arrivals, at(1, 15.5)).power!
  expect(again.at).toBe(again.until)
})

test('a home that draws nothing for hours every day, or of which too little is known, does not tell of the mains', () => {
  const often = meter('electricity', { from, to: at(3, 16), every: hour }, (to) =>
    ((to - from) / hour) % 3 === 0 ? 100 : 0,
  )
  const flow = flowsAt(often, at(3, 15)).power!
  expect(flow.at).toBe(flow.until)
  const young = meter('electricity', { from, to: at(0, 14), every: hour }, (to) => (to > at(0, 11) ? 0 : 40))
  const known = flowsAt(young, at(0, 14)).power!
  expect(known.at).toBe(known.until)
})
