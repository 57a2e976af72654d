import { expect, test } from 'vitest'
import type { Arrival, EpochMs, Verdict } from '../model.js'
import { emptyState, fold, type ResidentState } from './fold.js'
import { lineHours, lineView } from './line-view.js'
import { livedHome } from './lived-home.test-support.js'
import { effectOfMark } from './mark-effect.js'
import { gapAt, isEmergency } from './marks.js'
import { gapStart } from './routine.js'
import { hour, inOrder, minute, monday7, reading } from './scene.test-support.js'

const day = 24 * hour
const night = monday7 - 7 * hour
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
const days = 50
/** Silent from about 09:00 to about 16:00 on the last day. */
const quiet = [night + days * day + 9 * hour, night + days * day + 16 * hour] as const
const arrivals = livedHome({ to: night + (days + 2) * day, days, night, quiet: [quiet] })
const until = (at: EpochMs) => arrivals.filter(({ receivedAt }) => receivedAt <= at)
const play = (list: Arrival[]) => fold(emptyState(), list, list.at(-1)!.receivedAt, context)
const opened = play(until(quiet[1])).decisions.filter((d) => d.type === 'open' && d.kind === 'silence_unusual')
const alert = opened.at(-1) as Extract<(typeof opened)[number], { type: 'open' }>
const since = alert.reason.since as number
const noon = night + (days + 1) * day + 12 * hour
const ended = play(until(noon)).state
const mark = (state: ResidentState, verdict: Verdict | 'none', receivedAt = state.newestAt) =>
  fold(state, [{ type: 'mark', since, verdict, receivedAt }], receivedAt, context).state
const limits = (state: ResidentState) => lineHours(state, noon, context).map(({ limitMs }) => limitMs)
const sum = (values: number[]) => values.reduce((a, b) => a + b, 0)
/** The list of the highest scores is full: the lowest that made room does not come back. */
const known = ({ routine, ...state }: ResidentState) => ({
  ...state,
  routine: { ...routine!, tops: routine!.tops.slice(0, 85), gaps: routine!.gaps.slice(-190) },
})
const hourOf = (at: EpochMs) => Math.floor(((at + 8 * hour) % day) / hour)

test('the home was silent for most of a day, and one alert came', () => {
  expect(hourOf(since)).toBeGreaterThanOrEqual(7)
  expect(alert.openedAt).toBeGreaterThan(quiet[0])
  expect(alert.openedAt).toBeLessThan(quiet[1])
})

test('false: the limit for a silence like it is longer than before; true: that silence no longer counts', () => {
  const asFalse = mark(ended, 'false')
  const asTrue = mark(ended, 'true')
  const at = hourOf(since)
  expect(limits(asFalse)[at]!).toBeGreaterThanOrEqual(limits(ended)[at]!)
  expect(limits(asTrue)[at]!).toBeLessThan(limits(asFalse)[at]!)
  expect(sum(limits(asFalse))).toBeGreaterThan(sum(limits(ended)))
  expect(sum(limits(asTrue))).toBeLessThan(sum(limits(ended)))
  const own = gapAt(ended.routine!, since, context.timeZone)!
  const length = ({ routine }: ResidentState) => routine!.gaps.filter((gap) => gap === own).length
  expect([length(asTrue), length(ended), length(asFalse)]).toEqual([0, 1, 2])
  expect(asFalse.routine!.bias).toBeGreaterThan(ended.routine!.bias)
  expect(asTrue.routine!.bias).toBeLessThan(ended.routine!.bias)
})

test('false, over eight homes: no hour has a shorter limit than before, some a longer one, sometimes this very hour', () => {
  const effects = [7, 8, 9, 10, 11, 12, 13, 14].flatMap((seed) => {
    const readings = livedHome({ to: noon, days, night, quiet: [quiet], seed })
    const { state, decisions } = fold(emptyState(), readings, noon, context)
    const alerts = decisions.flatMap((d) => (d.type === 'open' && d.kind === 'silence_unusual' ? [d] : []))
    const last = alerts.at(-1)
    if (!last || last.openedAt < quiet[0] || last.openedAt > quiet[1]) return []
    return [effectOfMark(state, { since: last.reason.since as number, verdict: 'false' }, noon, context)!]
  })
  expect(effects.length).toBeGreaterThan(5)
  for (const { longer, shorter } of effects) {
    expect(longer).toBeGreaterThan(0)
    expect(shorter).toBe(0)
  }
  expect(effects.filter(({ beforeMs, afterMs }) => afterMs < beforeMs)).toEqual([])
  // Limits go by half hours: not every mark moves each of them.
  expect(effects.filter(({ beforeMs, afterMs }) => afterMs > beforeMs)).not.toEqual([])
})

test('said otherwise, or nothing any more: as if only the last had been said', () => {
  const [asTrue, asFalse] = [mark(ended, 'true'), mark(ended, 'false')]
  expect(known(mark(asFalse, 'true'))).toEqual(known(asTrue))
  expect(known(mark(asTrue, 'false'))).toEqual(known(asFalse))
  expect(known(mark(asTrue, 'none'))).toEqual(known(ended))
  expect(known(mark(mark(asTrue, 'false'), 'none'))).toEqual(known(ended))
  expect(mark(asTrue, 'true')).toEqual(asTrue)
  expect(known(mark(asFalse, 'false'))).toEqual(known(asFalse))
})

test('marked while it goes on: it ends nothing, and teaches at its end what marking it afterwards teaches', () => {
  const during = play(until(alert.openedAt)).state
  const rest = arrivals.filter(({ receivedAt }) => receivedAt > alert.openedAt && receivedAt <= noon)
  for (const verdict of ['true', 'false'] as const) {
    const marked = mark(during, verdict)
    expect(marked.routine!.alert).toEqual(during.routine!.alert)
    expect(marked.routine!.activeAt).toBe(during.routine!.activeAt)
    expect(isEmergency(marked.routine!)).toBe(verdict === 'true')
    const then = fold(marked, rest, noon, context).state
    expect(then.routine!.gaps).toEqual(mark(ended, verdict).routine!.gaps)
    expect(then.routine!.bias).toBeCloseTo(mark(ended, verdict).routine!.bias, 5)
    expect(mark(then, 'none').routine!.gaps).toEqual(ended.routine!.gaps)
    // Taken back before its end, it has never been.
    expect(fold(mark(marked, 'none'), rest, noon, context).state).toEqual(ended)
  }
})

test('an emergency that ends in a call for help, which is no routine, is no false alarm', () => {
  const during = play(until(alert.openedAt)).state
  const at = alert.openedAt + 5 * minute
  const seen: Arrival = { ...reading('button', at, undefined, { event: 'help' }), kind: 'voice', deviceNo: 9 }
  const bias = (state: ResidentState) => fold(state, [seen], at, context).state.routine!.bias
  expect(bias(mark(during, 'true'))).toBe(during.routine!.bias)
  expect(bias(during)).toBeGreaterThan(during.routine!.bias)
})

test('an alert that counted from a later sighting is about the same silence', () => {
  const later = since + 30 * minute
  const word: Arrival = { type: 'mark', since: later, verdict: 'false', receivedAt: noon }
  const state = fold(ended, [word], noon, context).state
  expect(state.routine!.gaps).toEqual(mark(ended, 'false').routine!.gaps)
  // And two alerts about one silence mark it once.
  expect(mark(state, 'false', noon).routine!.gaps).toEqual(state.routine!.gaps)
})

test('a silence that nobody knows is not kept', () => {
  const state = fold(
    ended,
    [{ type: 'mark', since: night - day, verdict: 'false', receivedAt: noon }],
    noon,
    context,
  ).state
  expect(state).toEqual(ended)
})

test('stored in between, and in its place among the readings: the same', () => {
  const later = arrivals.filter(({ receivedAt }) => receivedAt > noon)
  const word: Arrival = { type: 'mark', since, verdict: 'false', receivedAt: noon }
  const last = arrivals.at(-1)!.receivedAt
  const whole = fold(emptyState(), inOrder(until(noon), [word], later), last, context)
  const stored = JSON.parse(JSON.stringify(mark(ended, 'false', noon)))
  expect(fold(stored, later, last, context).state).toEqual(whole.state)
})

test('the marks that are kept are few', () => {
  let state = ended
  for (const gap of ended.routine!.gaps.slice(-30)) {
    const start = gapStart(gap) * 15 * minute - 8 * hour
    state = fold(state, [{ type: 'mark', since: start, verdict: 'false', receivedAt: noon }], noon, context).state
  }
  expect(state.routine!.marked!.length).toBe(10)
  expect(JSON.stringify(state.routine!.marked).length).toBeLessThan(500)
  expect(state.routine!.gaps.length).toBeLessThanOrEqual(200)
  expect(state.routine!.tops.length).toBeLessThanOrEqual(90)
})

test('what a page says of a mark is what the rules make of it', () => {
  for (const verdict of ['true', 'false'] as const) {
    const effect = effectOfMark(ended, { since, verdict }, noon, context)!
    const after = mark(ended, verdict, noon)
    const [was, is] = [limits(ended), limits(after)]
    expect(effect.longer).toBe(is.filter((limit, index) => limit > was[index]!).length)
    expect(effect.shorter).toBe(is.filter((limit, index) => limit < was[index]!).length)
    expect(verdict === 'false' ? effect.longer : effect.shorter).toBeGreaterThan(0)
    if (verdict === 'false') expect(effect.afterMs).toBeGreaterThanOrEqual(effect.beforeMs)
    else expect(effect.afterMs).toBeLessThan(effect.beforeMs)
    const back = effectOfMark(after, { since, verdict: 'none' }, noon, context)!
    expect([back.beforeMs, back.afterMs]).toEqual([effect.afterMs, effect.beforeMs])
  }
  const during = play(until(alert.openedAt)).state
  expect(effectOfMark(during, { since, verdict: 'false' }, alert.openedAt, context)).toBeNull()
  expect(effectOfMark(ended, { since, verdict: 'false' }, noon, { ...context, alarmsPerMonth: null })).toBeNull()
  expect(lineView(ended, noon, context).learning.kind).toBe('learned')
})
