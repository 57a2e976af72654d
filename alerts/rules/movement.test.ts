import { describe, expect, test } from 'vitest'
import type { Arrival, Decision, DeviceKind, EpochMs } from '../model.js'
import { emptyState, fold, forgetDevice, knowledge } from './fold.js'
import { holdsUntil } from './holds.js'
import {
  context,
  headlines,
  heldBack,
  hour,
  inOrder,
  lines,
  meter,
  minute,
  monday7,
  play,
  reading,
} from './scene.test-support.js'

const t = monday7
const five = 5 * minute
const span = (hours: number, from = 0) => ({ from: t + from * hour, to: t + hours * hour, every: five })
const still = () => 0
const silent = /silent/
const says = (kind: DeviceKind, event: string, hours: number, deviceNo = 9) =>
  reading(kind, t + hours * hour, undefined, { event, deviceNo })
/** No water for 30 h; 40 W all the time. */
const quietHome = (hours = 30) =>
  inOrder(
    meter('water', span(hours), still),
    meter('electricity', span(hours), () => 40),
  )
const silences = (more: Arrival[], hours?: number) => lines(play(inOrder(quietHome(hours), more)).decisions, silent)

const opens12 = (time: string) => `open silent_12h ${time}`
test.each<[string, Arrival[], string[]]>([
  ['nothing but meters', [], [opens12('2025-03-03 19:00:00')]],
  ['movement', [says('motion', 'motion', 3)], [opens12('2025-03-03 22:00:00')]],
  [
    'a sensor that sees nothing',
    [says('motion', 'still', 3), says('motion', 'still', 6)],
    [opens12('2025-03-03 19:00:00')],
  ],
  ['a door that opens', [says('door', 'open', 3), says('door', 'closed', 4)], [opens12('2025-03-03 22:00:00')]],
  ['a door that closes', [says('door', 'closed', 3)], [opens12('2025-03-03 19:00:00')]],
  [
    'getting out of bed',
    [says('bed', 'in', 1), says('bed', 'in', 2), says('bed', 'out', 3)],
    [opens12('2025-03-03 22:00:00')],
  ],
  ['getting into bed', [says('bed', 'out', 1), says('bed', 'in', 3)], [opens12('2025-03-03 22:00:00')]],
  ['the first word of a bed sensor', [says('bed', 'in', 3)], [opens12('2025-03-03 19:00:00')]],
  [
    'lying in bed, breathing: alive, and not up',
    Array.from({ length: 18 }, (_, i) => ({ ...says('bed', 'in', i + 1), value: 14, rate: 60 })),
    [opens12('2025-03-03 19:00:00')],
  ],
  [
    'two beds, one in and one out',
    [says('bed', 'in', 3, 8), says('bed', 'out', 4, 9)],
    [opens12('2025-03-03 19:00:00')],
  ],
  ['“I’m fine”', [says('voice', 'fine', 3)], [opens12('2025-03-03 22:00:00')]],
  ['help', [says('voice', 'help', 3)], [opens12('2025-03-03 22:00:00')]],
  ['a smoke alarm', [says('smoke', 'alarm', 3)], [opens12('2025-03-03 19:00:00')]],
])('a silence is counted from the newest sign of life: %s', (_name, more, expected) => {
  expect(silences(more, 22)).toEqual(expected)
})

test.each<[string, Arrival, string, string]>([
  ['motion', says('motion', 'motion', 3), 'when movement was last seen', '最后一次感应到活动'],
  ['door', says('door', 'open', 3), 'when the door was last opened', '最后一次开门'],
  ['voice', says('voice', 'fine', 3), 'when “I’m fine” was last said', '最后一次报平安'],
])(
  'the sentence says with what the silence began, and claims nothing for a sensor that is silent: %s',
  (_name, sight, en, zh) => {
    const { decisions } = play(inOrder(quietHome(16), [sight]))
    expect(headlines(decisions, 'silent_12h')[0]).toEqual({
      en: `No water or electricity used since 10:00 (12 h), ${en}: 0 L of water, no appliance switched on.`,
      zh: `自 10:00（${zh}）起 12 小时内未用水、未用电：水表没有走字，无电器启动。`,
    })
  },
)

test.each<[string, Arrival[], string[], string?]>([
  ['movement', [says('motion', 'motion', 13)], ['clear silent_12h 2025-03-03 20:00:00'], '20:00 感应到有人活动。'],
  [
    'getting out of bed',
    [says('bed', 'in', 1), says('bed', 'out', 14)],
    ['clear silent_12h 2025-03-03 21:00:00'],
    '21:00 上下过床。',
  ],
  ['“I’m fine”', [says('voice', 'fine', 13)], ['clear silent_12h 2025-03-03 20:00:00'], '20:00 在语音面板上报了平安。'],
  ['a door, which anybody may open', [says('door', 'open', 13)], []],
  [
    'a door, and movement inside',
    [says('door', 'open', 13), says('motion', 'motion', 13.5)],
    ['clear silent_12h 2025-03-03 20:30:00'],
  ],
])('an alert that is open ends with what proves somebody inside: %s', (_name, more, ends, zh) => {
  const { decisions } = play(inOrder(quietHome(16), more))
  expect(lines(decisions, /clear/)).toEqual(ends)
  if (zh) expect(headlines(decisions, 'silent_12h').at(-1)!.zh).toBe(zh)
})

test('sensors cover no time: with the meters gone there is no silence, whatever they go on saying', () => {
  const heartbeats = Array.from({ length: 300 }, (_, i) => says('motion', 'still', i / 10))
  expect(lines(play(heartbeats).decisions)).toEqual([])
  const holed = quietHome().filter(({ receivedAt }) => receivedAt < t + 6 * hour)
  expect(lines(play(inOrder(holed, heartbeats), t + 30 * hour).decisions, silent)).toEqual([])
})

test('a sighting kept back counts for when it was, and never moves time back', () => {
  const late = heldBack([says('motion', 'motion', 3)], { from: t + 3 * hour, to: t + 9 * hour })
  expect(silences(late, 22)).toEqual([opens12('2025-03-03 22:00:00')])
  expect(silences([says('motion', 'motion', 5), ...late], 22)).toEqual(['open silent_12h 2025-03-04 00:00:00'])
  // Out of order, the newer way out of bed stands, and being out is no way out.
  const older = { ...says('bed', 'in', 2), receivedAt: t + 4 * hour }
  const beds = [says('bed', 'in', 1), says('bed', 'out', 3), older, says('bed', 'out', 5)]
  expect(silences(beds, 22)).toEqual([opens12('2025-03-03 22:00:00')])
})

describe('sensors teach the line', () => {
  const zone = { ...context, alarmsPerMonth: 1 }
  const day = 24 * hour
  /** Water at 7, 12 and 18 h, and from 7 to 22 h somebody moves about each hour. */
  const water = (days: number) =>
    meter('water', { from: t, to: t + days * day, every: 10 * minute }, (at) =>
      [0, 5, 11].some((h) => (at - t) % day === h * hour) ? 72 : 0,
    )
  const moves = (days: number) =>
    Array.from({ length: days * 16 }, (_, i) => says('motion', 'motion', Math.floor(i / 16) * 24 + (i % 16)))
  const folded = (arrivals: Arrival[]) => fold(emptyState(), arrivals, arrivals.at(-1)!.receivedAt, zone)
  const unusualAfter = (arrivals: Arrival[], from: number) =>
    folded(arrivals).decisions.filter((d) => d.type === 'open' && d.kind === 'silence_unusual' && d.openedAt > from)

  test('who is seen every hour is missed sooner than who is known by the water alone', () => {
    const end = t + 40 * day + 5.5 * hour
    const fallen = (arrivals: Arrival[]) =>
      arrivals.filter((a) => a.type !== 'reading' || a.kind === 'water' || a.receivedAt < end)
    const still = water(41).map((a) => ({ ...a, value: Math.min(a.value!, 121 * 12) }))
    const [seen] = unusualAfter(inOrder(still, fallen(moves(41))), end)
    const [alone] = unusualAfter(still, end)
    const openedAt = (d: Decision | undefined) => (d?.type === 'open' ? d.openedAt : Number.NaN)
    expect(openedAt(seen)).toBeLessThan(openedAt(alone) - 2 * hour)
  })

  test('one that dies makes learning begin anew within days, and nobody is alarmed for it month after month', () => {
    const dead = t + 40 * day
    const { state } = folded(inOrder(water(60), moves(40)))
    const { firstAt, unsensed } = state.routine!
    expect(unsensed).toBeUndefined()
    expect(firstAt! - dead).toBeGreaterThan(6 * day)
    expect(firstAt! - dead).toBeLessThan(10 * day)
    const opened = unusualAfter(inOrder(water(100), moves(40)), t)
    expect(opened.filter((d) => d.type === 'open' && d.openedAt > firstAt!)).toEqual([])
    expect(opened.length).toBeLessThanOrEqual(3)
    expect(folded(inOrder(water(60), moves(60))).state.routine!.firstAt).toBe(t)
  })

  test('a heartbeat shows that it is alive, and an outage of the home proves nothing', () => {
    const beats = Array.from({ length: 20 * 24 }, (_, i) => says('motion', 'still', 40 * 24 + i))
    expect(folded(inOrder(water(60), moves(40), beats)).state.routine!.firstAt).toBe(t)
    const outage = { from: t + 30 * day, to: t + 42 * day }
    const late = inOrder(heldBack(water(60), outage), heldBack(moves(60), { ...outage, to: outage.to + minute }))
    expect(folded(late).state.routine!.firstAt).toBe(t)
  })
})

test('movement keeps an unusual silence from opening, and ends one that is open', () => {
  const zone = { ...context, alarmsPerMonth: 1 }
  const day = 24 * hour
  const end = t + 40 * day
  const life = meter('water', { from: t, to: end + 10 * hour, every: 10 * minute }, (at) =>
    at <= end && (at - t) % day < 15 * hour && (at - t) % hour === 0 ? 72 : 0,
  )
  const unusual = (more: Arrival[]) => {
    const { decisions } = fold(emptyState(), inOrder(life, more), end + 10 * hour, zone)
    return decisions.filter((d) => 'kind' in d && d.kind === 'silence_unusual' && timeOf(d) > end)
  }
  const timeOf = (d: { openedAt?: EpochMs; at?: EpochMs }) => d.openedAt ?? d.at ?? 0
  const [alone, ...rest] = unusual([])
  expect(alone?.type).toBe('open')
  expect(rest).toEqual([])
  const openedAt = timeOf(alone!)
  const before = unusual([reading('motion', openedAt - 10 * minute, undefined, { event: 'motion', deviceNo: 9 })])
  expect(timeOf(before[0]!)).toBeGreaterThan(openedAt + hour)
  expect(headlinesOf(before[0]!).zh).toContain('（最后一次感应到活动）起')
  const after = unusual([reading('motion', openedAt + minute, undefined, { event: 'motion', deviceNo: 9 })])
  expect(after.map(({ type }) => type).slice(0, 2)).toEqual(['open', 'clear'])
  expect(headlinesOf(after[1]!).en).toMatch(/^Movement seen at/)
  const door = unusual([reading('door', openedAt + minute, undefined, { event: 'open', deviceNo: 9 })])
  expect(door.map(({ type }) => type)).toEqual(['open'])
})
const headlinesOf = (decision: unknown) => (decision as { headline: { zh: string; en: string } }).headline

test('what the pages know: used while somebody was seen lately, by whom; then unknown, never “not used”', () => {
  const { state } = play([says('motion', 'motion', 1)])
  const known = (hours: number, of = state) => knowledge(of, t + hours * hour)
  expect(known(1.5)).toEqual({ knowledge: 'used', lastUseAt: t + hour, lastUseBy: 'motion', knownUntil: null })
  expect(known(3).knowledge).toBe('used')
  expect(known(3.1)).toMatchObject({ knowledge: 'unknown', lastUseAt: t + hour })
  expect(holdsUntil(state, t + 1.5 * hour)).toBe(t + 3 * hour)
  expect(holdsUntil(state, t + 4 * hour)).toBeNull()
  for (const nothing of [
    says('door', 'open', 1),
    says('voice', 'help', 1),
    says('bed', 'in', 1),
    says('motion', 'still', 1),
  ])
    expect(known(1.1, play([nothing]).state)).toEqual({ knowledge: 'unknown', lastUseAt: null, knownUntil: null })
  expect(known(1.1, play([says('voice', 'fine', 1)]).state)).toMatchObject({ knowledge: 'used', lastUseBy: 'fine' })
  const covered = play(inOrder(quietHome(14), [says('motion', 'motion', 1)])).state
  expect(known(12.5, covered)).toMatchObject({ knowledge: 'not used', lastUseAt: t + hour, lastUseBy: 'motion' })
  const later = play(inOrder(quietHome(14), [says('motion', 'motion', 4)])).state
  expect(known(14, later)).toMatchObject({ knowledge: 'used', lastUseAt: t + 4 * hour, knownUntil: t + 14 * hour })
})

test('the state stays small however much is seen, and forgets the bed of a device that is gone', () => {
  const much = Array.from({ length: 5_000 }, (_, i) =>
    says(
      (['motion', 'door', 'bed', 'voice'] as const)[i % 4]!,
      ['motion', 'open', i % 8 < 4 ? 'in' : 'out', 'fine'][i % 4]!,
      i / 100,
    ),
  )
  const { state } = play(much)
  expect(JSON.stringify({ seen: state.seen, beds: state.beds }).length).toBeLessThan(200)
  expect(forgetDevice(state, 9).beds).toEqual({})
  expect(forgetDevice(play([]).state, 9)).not.toHaveProperty('beds')
})

test('however it is cut and stored in between, the same comes of it', () => {
  const arrivals = inOrder(quietHome(20), [
    says('motion', 'motion', 1),
    says('bed', 'in', 2),
    says('bed', 'out', 5),
    says('voice', 'fine', 18),
  ])
  const whole = play(arrivals)
  for (const size of [1, 7, 100]) {
    let state = emptyState()
    const decisions = []
    for (let from = 0; from < arrivals.length; from += size) {
      const part = arrivals.slice(from, from + size)
      const folded = fold(JSON.parse(JSON.stringify(state)), part, part.at(-1)!.receivedAt, context)
      state = folded.state
      decisions.push(...folded.decisions)
    }
    expect(decisions).toEqual(whole.decisions)
    expect(state).toEqual(whole.state)
  }
})
