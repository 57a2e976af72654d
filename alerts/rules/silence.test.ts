import { expect, test } from 'vitest'
import type { Arrival } from '../model.js'
import { knowledge } from './fold.js'
import {
  button,
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
/** 40 W all the time. */
const base = () => 40
/** 12 L in the 5 minutes that end at `at`. */
const flush =
  (...times: number[]) =>
  (at: number) =>
    times.includes(at) ? 144 : 0
const silent = /silent/

test('says since when, for how long and with which numbers, once for 12 h and once for 24 h', () => {
  const used = t + 10 * minute
  const arrivals = inOrder(
    meter('water', span(30), (at) => (at === used ? 144 : at === t + 3 * hour ? 36 : 0)),
    meter('electricity', span(30), base),
  )
  const { decisions } = play(arrivals)
  expect(lines(decisions)).toEqual(['open silent_12h 2025-03-03 19:10:00', 'open silent_24h 2025-03-04 07:10:00'])
  expect(headlines(decisions, 'silent_12h')).toEqual([
    {
      en: 'No water or electricity used since 07:10 (12 h): 3 L of water, no appliance switched on.',
      zh: '自 07:10 起 12 小时内未用水、未用电：用水仅 3 升，无电器启动。',
    },
  ])
  expect(headlines(decisions, 'silent_24h')[0]!.en).toMatch(/^No water or electricity used since Mon 07:10 \(24 h\)/)
})

test('activity afterwards clears both, and the next silence opens again', () => {
  const arrivals = meter('water', span(40), flush(t + 25 * hour))
  const { decisions } = play(arrivals)
  expect(lines(decisions)).toEqual([
    'open silent_12h 2025-03-03 19:00:00',
    'open silent_24h 2025-03-04 07:00:00',
    'clear silent_12h 2025-03-04 08:00:00',
    'clear silent_24h 2025-03-04 08:00:00',
    'open silent_12h 2025-03-04 20:00:00',
  ])
  expect(headlines(decisions, 'silent_12h')[1]).toEqual({
    en: 'Water used again at 08:00 (12 L).',
    zh: '08:00 再次用水（12 升）。',
  })
})

test('a silence that goes on is told again each further day, and clears as one', () => {
  const days = ['open silent_24h 2025-03-04 07:00:00', 'open silent_24h 2025-03-05 07:00:00']
  const first = play(meter('water', span(71), () => 0)).decisions
  expect(lines(first, silent)).toEqual(['open silent_12h 2025-03-03 19:00:00', ...days])
  expect(headlines(first, 'silent_24h')[1]!.en).toMatch(/^No water used since Mon 07:00 \(2 days\)/)
  expect(lines(play(meter('water', span(73), flush(t + 72 * hour))).decisions, silent)).toEqual([
    'open silent_12h 2025-03-03 19:00:00',
    ...days,
    'clear silent_12h 2025-03-06 07:00:00',
    'clear silent_24h 2025-03-06 07:00:00',
  ])
})

test('after a hole the days are counted anew', () => {
  const all = inOrder(
    meter('water', span(60), () => 0),
    meter('electricity', span(60), base),
  )
  const holed = all.filter((a) => a.receivedAt < t + 25 * hour || a.receivedAt > t + 30 * hour)
  expect(lines(play(holed).decisions, silent)).toEqual([
    'open silent_12h 2025-03-03 19:00:00',
    'open silent_24h 2025-03-04 07:00:00',
    'open silent_24h 2025-03-05 13:05:00',
  ])
})

test.each<[string, Arrival[], string[]]>([
  [
    '9.9 L spread over the day are silence',
    meter('water', span(13), () => 9.9 / 13),
    ['open silent_12h 2025-03-03 19:00:00'],
  ],
  ['a drip of just over 10 L in 12 h never is', meter('water', span(60), () => 0.9), []],
  [
    '2 L every 2 h 35 min, just under 10 L in 12 h, do not flap',
    meter('water', span(72), (at) => ((at - t) % (155 * minute) === 0 ? 25.2 : 0)),
    ['open silent_12h 2025-03-03 19:00:00'],
  ],
  ['a flush every 10 h', meter('water', span(60), flush(...[10, 20, 30, 40, 50].map((h) => t + h * hour))), []],
  [
    'a kettle is activity, without water',
    inOrder(
      meter('water', span(20), () => 0),
      meter('electricity', span(20), (at) => (at === t + 10 * hour ? 1200 : 40)),
    ),
    [],
  ],
  [
    'the fridge is not',
    inOrder(
      meter('water', span(13), () => 0),
      meter('electricity', span(13), (at) => (at % hour < hour / 3 ? 120 : 20)),
    ),
    ['open silent_12h 2025-03-03 19:00:00'],
  ],
  [
    'half-hourly: kettle',
    meter('electricity', { ...span(20), every: 30 * minute }, (at) => (at === t + 10 * hour ? 250 : 40)),
    [],
  ],
  [
    'half-hourly: fridge',
    meter('electricity', { ...span(13), every: 30 * minute }, (at) => (at % hour === 0 ? 140 : 40)),
    ['open silent_12h 2025-03-03 19:00:00'],
  ],
  ['hourly: kettle', meter('electricity', { ...span(20), every: hour }, (at) => (at === t + 10 * hour ? 150 : 40)), []],
  [
    'hourly: nothing',
    meter('electricity', { ...span(13), every: hour }, base),
    ['open silent_12h 2025-03-03 19:00:00'],
  ],
  [
    'a meter that counts in 100 Wh does not make a kettle of each count',
    meter('electricity', span(13), base).map((r) => ({ ...r, value: Math.floor(r.value! / 100) * 100 })),
    ['open silent_12h 2025-03-03 19:00:00'],
  ],
  [
    'the button is activity',
    inOrder(
      meter('water', span(16), () => 0),
      [reading('button', t + 5 * hour, undefined, { event: 'test' })],
    ),
    [],
  ],
  [
    'a busy first evening shows once the night is quiet',
    meter('electricity', span(16), (at) => (at < t + 5 * hour ? 400 : 40)),
    [],
  ],
  [
    'no meters',
    Array.from({ length: 40 }, (_, i) => reading('smoke', t + i * hour, undefined, { deviceNo: 4, event: 'clear' })),
    [],
  ],
])('%s', (_name, arrivals, expected) => {
  expect(lines(play(arrivals).decisions, silent)).toEqual(expected)
})

test('a hole in both meters: a register that stood still proves silence, one that grew proves use at its end', () => {
  const still = meter('water', span(14), () => 0).filter((r) => r.observedAt < t + hour || r.observedAt > t + 12 * hour)
  expect(lines(play(still).decisions, silent)).toEqual(['open silent_12h 2025-03-03 19:05:00'])
  const grown = still.map((r) => (r.observedAt > t + hour ? { ...r, value: 100 } : r))
  expect(lines(play(grown).decisions, silent)).toEqual([])
})

test('electricity is not known over a hole of more than 2 h, and silence counts from its end', () => {
  const all = inOrder(
    meter('water', span(20), () => 0),
    meter('electricity', span(20), base),
  )
  const holed = all.filter((a) => a.receivedAt < t + 2 * hour || a.receivedAt > t + 5 * hour)
  expect(lines(play(holed).decisions, silent)).toEqual(['open silent_12h 2025-03-04 00:05:00'])
})

test('one meter offline: the other goes on, and the sentence says what is unknown', () => {
  const arrivals = inOrder(
    meter('water', span(13), () => 0),
    meter('electricity', span(4), base),
  )
  const { decisions } = play(arrivals)
  expect(lines(decisions)).toEqual(['open device_offline 2 2025-03-03 11:15:00', 'open silent_12h 2025-03-03 19:00:00'])
  expect(headlines(decisions, 'silent_12h')[0]).toEqual({
    en: 'No water used since 07:00 (12 h): 0 L of water. Electricity is unknown since 11:00: its meter is silent.',
    zh: '自 07:00 起 12 小时内未用水：水表没有走字。电表自 11:00 起无数据，是否用电未知。',
  })
})

test.each([0, 300, 4_000])(
  'a backlog (pieces %i ms apart) that ends in use opens nothing; one that ends in silence opens once, settled',
  (gapMs) => {
    const flushes = flush(t + 2 * hour, t + 11 * hour)
    const outage = { from: t + 3 * hour, to: t + 14 * hour, gapMs }
    const ended = heldBack(inOrder(meter('water', span(14), flushes), meter('electricity', span(14), base)), outage)
    expect(lines(play(ended, t + 15 * hour).decisions, silent)).toEqual([])

    const silentOne = heldBack(
      inOrder(
        meter('water', span(14.5), () => 0),
        meter('electricity', span(14.5), base),
      ),
      outage,
    )
    const opened = play(silentOne, t + 15 * hour).decisions.filter((d) => d.type === 'open' && d.kind === 'silent_12h')
    expect(opened).toHaveLength(1)
    const lastLate = Math.max(
      ...silentOne.flatMap((a) =>
        a.type === 'reading' && a.receivedAt - a.observedAt > 2 * minute ? [a.receivedAt] : [],
      ),
    )
    expect(opened[0]!.type === 'open' && opened[0]!.openedAt).toBeGreaterThanOrEqual(lastLate + 10_000)
  },
)

test('half a backlog, whose end is long past, opens nothing: what was used since is unknown', () => {
  const outage = { from: t + hour, to: t + 27 * hour }
  const half = heldBack(
    meter('water', span(13), () => 0),
    outage,
  )
  const played = play(half, t + 28 * hour)
  expect(lines(played.decisions)).toEqual([
    'open gateway_offline 2025-03-03 08:10:00',
    'clear gateway_offline 2025-03-04 10:00:00',
    'open gateway_offline 2025-03-04 10:15:00',
  ])
  expect(knowledge(played.state, t + 27 * hour + minute).knowledge).toBe('unknown')
})

test('a piece of a backlog that would be recent enough waits for the next one', () => {
  const hourly = meter('water', { from: t, to: t + 14 * hour, every: hour }, (at) => (at === t + 13 * hour ? 30 : 0))
  const pieces = heldBack(hourly, { from: t + hour, to: t + 13.5 * hour, gapMs: 4_000 })
  expect(lines(play(pieces).decisions, silent)).toEqual([])
})

test('the meter that returns first does not speak for the one that is still on its way', () => {
  const outage = { from: t + 2 * hour, to: t + 14 * hour }
  const still = meter('water', span(14), () => 0).filter((r) => r.observedAt < outage.from || r.observedAt >= outage.to)
  const kettle = meter('electricity', span(14), (at) => (at === t + 9 * hour ? 1200 : 40))
  const behind = kettle.map((r) => (r.observedAt < outage.from ? r : { ...r, receivedAt: outage.to + 30_000 }))
  expect(lines(play(inOrder(still, behind), t + 14.1 * hour).decisions)).toEqual([
    'open gateway_offline 2025-03-03 09:10:00',
    'clear gateway_offline 2025-03-03 21:00:00',
  ])
})

test('late pieces that are older than what is known move nothing backwards', () => {
  const live = meter('water', span(20), flush(t + 10 * hour))
  const again = live.slice(0, 50).map((r) => ({ ...r, observedAt: r.observedAt + 1, receivedAt: t + 15 * hour }))
  expect(lines(play(inOrder(live, again)).decisions)).toEqual([])
})

test('registers: jitter is no use, backflow is no hole, a reset is a hole; each step back is a finding', () => {
  const jitter = meter('water', span(13), () => 0).map((r, i) => ({ ...r, value: 500 - (i % 2) * 0.5 }))
  const played = play(jitter).decisions
  expect(lines(played, silent)).toEqual(['open silent_12h 2025-03-03 19:00:00'])
  expect(lines(played, /finding/)).toHaveLength(78)
  const backflow = meter('water', span(13), () => 0).map((r, i) => ({ ...r, value: i < 50 ? 500 : 492 }))
  expect(lines(play(backflow).decisions)).toEqual([
    'finding register ran backwards: from 500 L to 492 L (8 L back)',
    'open silent_12h 2025-03-03 19:00:00',
  ])
  const reset = meter('water', span(18), () => 0).map((r, i) => ({ ...r, value: i < 60 ? 12_345.6 : 0.2 }))
  expect(lines(play(reset).decisions)).toEqual([
    'finding register ran backwards: from 12345.6 L to 0.2 L (12345 L back)',
    'open silent_12h 2025-03-04 00:00:00',
  ])
})

test('a clock ahead: readings are from their arrival, and silence is still found, and not invented', () => {
  const ahead = meter('water', span(13), () => 0).map((r) => ({ ...r, observedAt: r.observedAt + 6 * hour }))
  expect(lines(play(ahead).decisions, silent)).toEqual(['open silent_12h 2025-03-03 19:00:00'])
  const corrected = meter('water', span(20), flush(t + 8 * hour)).map((r) =>
    r.receivedAt < t + 4 * hour ? { ...r, observedAt: r.observedAt + 6 * hour } : r,
  )
  expect(lines(play(corrected).decisions, silent)).toEqual(['open silent_12h 2025-03-04 03:00:00'])
})

test('hours are hours on the days when clocks change', () => {
  const zone = { timeZone: 'Europe/Rome' }
  for (const [evening, since, opened] of [
    ['2025-03-29T20:00:00+01:00', 'Sat 20:00', '2025-03-30T09:00:00+02:00'],
    ['2025-10-25T20:00:00+02:00', 'Sat 20:00', '2025-10-26T07:00:00+01:00'],
  ] as const) {
    const from = Date.parse(evening)
    const { decisions } = play(
      meter('water', { from, to: from + 13 * hour, every: five }, () => 0),
      undefined,
      zone,
    )
    const open = decisions.find((d) => d.type === 'open')!
    expect(open.type === 'open' && open.openedAt).toBe(Date.parse(opened))
    expect(open.type === 'open' && open.headline.en).toBe(`No water used since ${since} (12 h): 0 L of water.`)
  }
})

test('knowledge is three-valued', () => {
  const { state } = play(inOrder(meter('water', span(8), flush(t + 2 * hour)), meter('electricity', span(8), base)))
  const at = (hours: number) => knowledge(state, t + hours * hour)
  expect(at(8)).toEqual({ knowledge: 'used', lastUseAt: t + 2 * hour, knownUntil: t + 8 * hour })
  expect(at(8.5).knowledge).toBe('unknown')
  expect(knowledge(play(meter('water', span(5), () => 0)).state, t + 5 * hour).knowledge).toBe('unknown')
  expect(knowledge(play(meter('water', span(13), () => 0)).state, t + 13 * hour).knowledge).toBe('not used')
  expect(knowledge(play([]).state, t)).toEqual({ knowledge: 'unknown', lastUseAt: null, knownUntil: null })
  expect(button).toBe(3)
})
