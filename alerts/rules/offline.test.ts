import { expect, test } from 'vitest'
import type { Arrival } from '../model.js'
import {
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
const offline = /offline/
const every = (ms: number, hours: number, from = 0) => ({ from: t + from * hour, to: t + hours * hour, every: ms })
const both = (hours: number) =>
  inOrder(
    meter('water', every(5 * minute, hours), () => 30),
    meter('electricity', every(5 * minute, hours), () => 60).map((r) => ({
      ...r,
      observedAt: r.observedAt + 20_000,
      receivedAt: r.receivedAt + 20_000,
    })),
  )
const without = (arrivals: Arrival[], from: number, to: number, deviceNo?: number) =>
  arrivals.filter(
    (a) =>
      a.receivedAt < t + from * hour ||
      a.receivedAt > t + to * hour ||
      (deviceNo && a.type === 'reading' && a.deviceNo !== deviceNo),
  )
const presence = (hours: number, online: boolean): Arrival => ({
  type: 'presence',
  gatewayId: 'g1',
  online,
  receivedAt: t + hours * hour,
})

test('all meters silent: one alert for the gateway, and one clear', () => {
  const { decisions } = play(without(both(10), 6.7, 8))
  expect(lines(decisions)).toEqual([
    'open gateway_offline 2025-03-03 13:55:20',
    'clear gateway_offline 2025-03-03 15:00:20',
  ])
  expect(headlines(decisions, 'gateway_offline')).toEqual([
    {
      en: 'Gateway silent since 13:40; it normally reports every 5 min. Whether water or electricity is used is unknown since then.',
      zh: '网关自 13:40 起无数据（通常每 5 分钟上报一次），此后是否用水、用电未知。',
    },
    { en: 'Gateway heard again at 15:00, after 1 h 20 min.', zh: '网关于 15:00 恢复上报，中断 1 小时 20 分钟。' },
  ])
})

test.each<[string, Arrival[], number, string[]]>([
  [
    'one meter of two',
    without(both(10), 6.7, 8, 2),
    10,
    ['open device_offline 2 13:55:20', 'clear device_offline 2 15:00:20'],
  ],
  [
    'one meter returns after the gateway: it is given its time, then told',
    without(without(both(10), 4, 6), 3.99, 9, 1),
    10,
    [
      'open gateway_offline 11:10:20',
      'clear gateway_offline 13:00:20',
      'open device_offline 1 13:15:20',
      'clear device_offline 1 16:05:00',
    ],
  ],
  [
    'an hourly water meter does not hold back the notice about electricity',
    inOrder(
      meter('water', every(hour, 12), () => 30),
      meter('electricity', every(5 * minute, 4), () => 60),
    ),
    12,
    ['open device_offline 2 11:15:00'],
  ],
  ['hourly: offline after 2 h 5 min', meter('water', every(hour, 10), () => 30), 13, ['open gateway_offline 19:05:00']],
  [
    'nothing learned yet: 1 h is assumed',
    meter('water', every(5 * minute, 0.25), () => 30),
    4,
    ['open gateway_offline 09:20:00'],
  ],
  ['a last will does not open before the meters are due', inOrder(both(5), [presence(4.99, false)]), 5.2, []],
  [
    'no meters: 15 min of presence',
    [presence(0, true), presence(1, false), presence(3, true)],
    4,
    ['open gateway_offline 08:15:00', 'clear gateway_offline 10:00:00'],
  ],
  ['no meters: 14 min', [presence(1, false), presence(1.23, true)], 4, []],
  [
    'no meters, button only, never offline',
    [presence(0, true), reading('button', t, undefined, { event: 'test' })],
    99,
    [],
  ],
])('%s', (_name, arrivals, until, expected) => {
  const played = play(arrivals, t + until * hour).decisions
  expect(lines(played, offline).map((l) => l.replace(/2025-03-0\d /, ''))).toEqual(expected)
})

test.each([0, 50, 1_500])('a backlog (pieces %i ms apart) teaches no short interval', (gapMs) => {
  const arrivals = heldBack(
    meter('water', every(hour, 60), () => 30),
    { from: t + 12 * hour, to: t + 50 * hour, gapMs },
  )
  const { state, decisions } = play(arrivals, t + 62 * hour)
  expect(state.meters[0]!.reach.usualMs).toBe(hour)
  expect(lines(decisions, offline)).toHaveLength(2)
})

test('a gateway that sends an array every 6 h is learned as such', () => {
  const arrivals = meter('water', every(5 * minute, 100), () => 30).map((r) => ({
    ...r,
    receivedAt: t + Math.ceil((r.observedAt - t) / (6 * hour)) * 6 * hour,
  }))
  const found = lines(
    play(arrivals.filter((a) => a.receivedAt > t && a.receivedAt <= t + 96 * hour)).decisions,
    offline,
  )
  expect(found.filter((l) => l > 'open gateway_offline 2025-03-05 12')).toEqual([])
})

test('one outage does not teach a long interval, a new rhythm is learned', () => {
  const holed = without(
    meter('water', every(5 * minute, 20), () => 30),
    5,
    9,
  )
  expect(play(holed).state.meters[0]!.reach.usualMs).toBe(5 * minute)
  const slower = [
    ...meter('water', every(5 * minute, 5), () => 30),
    ...meter('water', { ...every(hour, 30, 6), start: 500 }, () => 30),
  ]
  // Told offline and back: for the first long interval, which may be an outage, and for the two that teach.
  expect(lines(play(slower).decisions, offline)).toHaveLength(6)
  const usual = play(slower).state.meters[0]!.reach.usualMs
  expect(usual).toBe(hour)
})

test('two outages within 32 readings teach nothing either', () => {
  const often = without(
    meter('water', every(hour, 60), () => 30),
    20,
    26,
  ).filter(({ receivedAt }) => receivedAt < monday7 + 34 * hour || receivedAt > monday7 + 44 * hour)
  expect(play(often).state.meters[0]!.reach.usualMs).toBe(hour)
})
