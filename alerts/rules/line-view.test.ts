import { expect, test } from 'vitest'
import type { Arrival, EpochMs } from '../model.js'
import { emptyState, fold, type ResidentState } from './fold.js'
import { lineOf } from './line.js'
import { hasOwnLine, lineHours, lineView, type Present } from './line-view.js'
import { livedHome } from './lived-home.test-support.js'
import { heldBack, hour, meter, minute, monday7, reading } from './scene.test-support.js'

const day = 24 * hour
const night = monday7 - 7 * hour
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
const off = { ...context, alarmsPerMonth: null }
const days = 60
/** Nothing is used from the afternoon of the last day on. */
const quietFrom = night + days * day + 14 * hour
const arrivals = livedHome({ to: night + (days + 3) * day, days, night, quiet: [[quietFrom, quietFrom + 9 * day]] })
const play = (at: EpochMs, list: Arrival[] = arrivals, rules = context) =>
  fold(
    emptyState(),
    list.filter(({ receivedAt }) => receivedAt <= at),
    at,
    rules,
  ).state
const silent = (present: Present) => present as Extract<Present, { kind: 'silent' }>
const opened = fold(emptyState(), arrivals, arrivals.at(-1)!.receivedAt, context).decisions.flatMap((d) =>
  d.type === 'open' && d.openedAt > quietFrom ? [d] : [],
)
const first = opened.find(({ kind }) => kind === 'silence_unusual')!

test('the present silence has the very line that the rules then judge by, from its first hour on', () => {
  const at = Number(first.reason.since) + hour
  const state = play(at)
  // Not 2 h yet: the rules themselves have drawn no line.
  expect(state.routine!.line).toBeNull()
  const present = silent(lineView(state, at, context).present)
  expect(present.own).toBe(true)
  expect(present.asks).toBe(true)
  expect(present.alerted).toBe(false)
  expect(present.since).toBe(first.reason.since)
  expect(present.limitMs).toBe(Number(first.reason.limitMinutes) * minute)
  expect(present.usualMs).toBe(Number(first.reason.usualMinutes) * minute)
  expect(first.openedAt).toBeGreaterThanOrEqual(present.alertAt - minute)
  expect(first.openedAt).toBeLessThan(present.alertAt + 10 * minute)
  const after = silent(lineView(play(first.openedAt), first.openedAt, context).present)
  expect(after).toMatchObject({ since: present.since, limitMs: present.limitMs, alerted: true })
  expect(silent(lineView(state, at, { ...context, alarmsPerMonth: 1 }).present).asks).toBe(false)
})

test('each hour of the day has its line, of weekdays or of the weekend, as the rules would draw it', () => {
  const at = quietFrom + hour
  const state = play(at)
  const view = lineView(state, at, context)
  expect(view.weekend).toBe(false)
  expect(view.learning).toEqual({ kind: 'learned', silences: state.routine!.gaps.length })
  expect(view.hours.map((line) => line.hour)).toEqual(Array.from({ length: 24 }, (_, index) => index))
  for (const { usualMs, limitMs } of view.hours) {
    expect(usualMs).toBeGreaterThanOrEqual(2 * hour)
    expect(usualMs).toBeLessThanOrEqual(limitMs)
    expect(limitMs).toBeLessThanOrEqual(day)
  }
  // She sleeps from 22 to 7: what begins in the evening lasts longer than what begins at noon.
  expect(view.hours[21]!.limitMs).toBeGreaterThan(view.hours[11]!.limitMs + 2 * hour)
  // Not with the home before it as it is now, but as it mostly is at that hour.
  const lineFor = (index: number, calm: 0 | 1 | 2) => {
    const since = night + days * day + (index + 0.5) * hour
    const { usualMs, limitMs } = lineOf({ ...state.routine!, calm }, since, { budget: 2, timeZone: 'Asia/Shanghai' })!
    return { hour: index, usualMs, limitMs }
  }
  for (const line of view.hours) expect([0, 1, 2].map((calm) => lineFor(line.hour, calm as 0))).toContainEqual(line)
  const asNow = view.hours.map((line) => lineFor(line.hour, state.routine!.calm))
  expect(view.hours).not.toEqual(asNow)
  const saturday = lineView(state, at + day, context)
  expect(new Date(at + day + 8 * hour).getUTCDay()).toBe(6)
  expect(saturday.weekend).toBe(true)
})

test('how far learning is, and that the rule of 12 h stands until then', () => {
  expect(lineView(emptyState(), monday7, context).learning).toEqual({ kind: 'not begun' })
  const at = (n: number) => night + n * day + 12 * hour
  const view = (n: number, rules: { timeZone: string; alarmsPerMonth: number | null } = context) =>
    lineView(play(at(n), arrivals, rules as typeof context), at(n), rules)
  const young = view(2)
  expect(young.learning).toEqual({ kind: 'young', day: 3, of: 14 })
  expect(young.hours).toEqual([])
  expect(silent(young.present)).toMatchObject({ own: false, usualMs: null, limitMs: 12 * hour, asks: false })
  expect(hasOwnLine(play(at(2)), at(2))).toBe(false)
  const blending = view(17)
  expect(blending.learning).toEqual({ kind: 'blending', day: 18, of: 28 })
  expect(hasOwnLine(play(at(17)), at(17))).toBe(true)
  const mean = ({ hours }: typeof blending) => hours.reduce((sum, { limitMs }) => sum + limitMs, 0) / hours.length
  expect(mean(blending)).toBeGreaterThan(mean(view(40)))
  const none = view(40, off as unknown as typeof context)
  expect(none.learning).toEqual({ kind: 'off' })
  expect(none.hours).toEqual([])
  expect(silent(none.present).own).toBe(false)
  // Learned before, and switched off since: the page says so before the next reading.
  expect(lineView(play(at(40)), at(40), off)).toMatchObject({ learning: { kind: 'off' }, hours: [], today: [] })
})

test('the fixed rule is told with its own time, from the last 10 L', () => {
  const list = livedHome({
    to: night + 5 * day,
    days: 3,
    night,
    quiet: [[night + 3 * day + 14 * hour, night + 9 * day]],
  })
  const decisions = fold(emptyState(), list, list.at(-1)!.receivedAt, context).decisions
  const alert = decisions.find((d) => d.type === 'open' && d.kind === 'silent_12h')
  const at = night + 3 * day + 18 * hour
  const present = silent(lineView(play(at, list), at, context).present)
  expect(alert).toMatchObject({ reason: { since: present.since } })
  expect(present.alertAt).toBe(present.since + 12 * hour)
  const later = night + 4 * day + 12 * hour
  expect(silent(lineView(play(later, list), later, context).present)).toMatchObject({ own: false, alerted: true })
})

test('what is not known is unknown: offline, without a meter, before the first reading; never a silence', () => {
  const lost = quietFrom - 2 * hour
  const state = play(lost)
  expect(lineView(state, lost, context).present.kind).toBe('silent')
  const later = fold(state, [], lost + 3 * hour, context).state
  expect(lineView(later, lost + 3 * hour, context).present).toEqual({ kind: 'unknown', knownUntil: lost })
  // Before the rules have looked again, too.
  expect(lineView(state, lost + 3 * hour, context).present.kind).toBe('unknown')
  expect(lineView(emptyState(), lost, context).present).toEqual({ kind: 'no meter' })
  const button = fold(emptyState(), [reading('button', monday7, undefined, { event: 'pressed' })], monday7, context)
  expect(lineView(button.state, monday7, context).present).toEqual({ kind: 'no meter' })
  // A gateway that tells the past first is heard, and says nothing of now.
  const slow = arrivals
    .filter(({ receivedAt }) => receivedAt > lost && receivedAt <= lost + 30 * minute)
    .map((late) => ({ ...late, receivedAt: lost + 4 * hour }))
  const backlog = fold(later, slow, lost + 4 * hour + minute, context).state
  expect(lineView(backlog, lost + 4 * hour + minute, context).present.kind).toBe('unknown')
  const back = fold(
    later,
    heldBack(
      arrivals.filter((r) => r.receivedAt > lost && r.receivedAt <= lost + 4 * hour),
      { from: lost, to: lost + 4 * hour },
    ),
    lost + 4 * hour + minute,
    context,
  ).state
  expect(lineView(back, lost + 4 * hour + minute, context).present.kind).toBe('silent')
})

test('away: until when, and no silence', () => {
  const until = quietFrom + 2 * day
  const away: Arrival = { type: 'away', from: quietFrom, until, receivedAt: quietFrom }
  const state = fold(play(quietFrom), [away], quietFrom, context).state
  expect(lineView(state, quietFrom + hour, context).present).toEqual({ kind: 'away', until })
})

test('after a hole it is "at least": use is known only from its end on', () => {
  const list = meter('water', { from: monday7, to: monday7 + 3 * hour, every: 10 * minute }, () => 0)
  expect(silent(lineView(play(monday7 + 3 * hour, list), monday7 + 3 * hour, context).present).atLeast).toBe(true)
})

test("today's silences: those that ended today, the night that began yesterday with them, a marked one once", () => {
  const at = night + 50 * day + 20 * hour
  const state = play(at)
  const { today } = lineView(state, at, context)
  const dayFrom = night + 50 * day
  expect(today.length).toBeGreaterThan(0)
  expect(today[0]!.since).toBeLessThan(dayFrom)
  for (const { since, lengthMs } of today) {
    expect(lengthMs).toBeGreaterThanOrEqual(2 * hour)
    expect(since + lengthMs).toBeGreaterThan(dayFrom)
    expect(since + lengthMs).toBeLessThanOrEqual(at)
  }
  const marked = fold(
    state,
    [{ type: 'mark', since: today[0]!.since, verdict: 'false', receivedAt: at }],
    at,
    context,
  ).state
  expect(marked.routine!.gaps.length).toBe(state.routine!.gaps.length + 1)
  expect(lineView(marked, at, context).today).toEqual(today)
})

test.each(['2025-03-30T12:00:00+02:00', '2025-10-26T12:00:00+01:00'])(
  'a day of 23 or 25 h has a line for each hour on the wall (%s)',
  (noon) => {
    const rome = { timeZone: 'Europe/Rome', alarmsPerMonth: 2 }
    const at = Date.parse(noon)
    const list = livedHome({ to: at, days: 60, night: at - 60 * day - 12 * hour })
    const { state }: { state: ResidentState } = fold(emptyState(), list, at, rome)
    expect(lineHours(state, at, rome).length).toBe(24)
  },
)
