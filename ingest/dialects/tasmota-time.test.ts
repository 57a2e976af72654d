import { describe, expect, test } from 'vitest'
import { localToEpoch, readTasmotaTime } from './tasmota-time.js'

const at = (iso: string) => Date.parse(iso)
const toEpoch = (text: string, zone: string, near = '2026-06-01T00:00:00Z') => localToEpoch(text, zone, at(near))

describe('a local time without a zone', () => {
  test.each([
    ['summer in Berlin', '2026-06-01T12:00:00', 'Europe/Berlin', '2026-06-01T10:00:00Z'],
    ['winter in Berlin', '2026-01-15T12:00:00', 'Europe/Berlin', '2026-01-15T11:00:00Z'],
    ['Shanghai, which has no summer time', '2026-06-01T00:30:00', 'Asia/Shanghai', '2026-05-31T16:30:00Z'],
    ['half an hour of summer time', '2026-01-01T00:00:00', 'Australia/Lord_Howe', '2025-12-31T13:00:00Z'],
    ['milliseconds', '2019-09-04T14:31:29.12', 'UTC', '2019-09-04T14:31:29.120Z'],
    ['dots and a blank, of old', '2018.02.15 01:00:50', 'Europe/Berlin', '2018-02-15T00:00:50Z'],
    ['the last second before the gap', '2026-03-29T01:59:59', 'Europe/Berlin', '2026-03-29T00:59:59Z'],
    ['the first second after the gap', '2026-03-29T03:00:00', 'Europe/Berlin', '2026-03-29T01:00:00Z'],
    ['in the gap: a clock that was not put forward', '2026-03-29T02:30:00', 'Europe/Berlin', '2026-03-29T01:30:00Z'],
    ['before the overlap', '2026-10-25T01:30:00', 'Europe/Berlin', '2026-10-24T23:30:00Z'],
    ['after the overlap', '2026-10-25T03:00:00', 'Europe/Berlin', '2026-10-25T02:00:00Z'],
  ])('%s', (_what, text, zone, instant) => {
    expect(toEpoch(text, zone)).toBe(at(instant))
  })

  test('in the overlap it is the nearer to its arrival', () => {
    expect(toEpoch('2026-10-25T02:30:00', 'Europe/Berlin', '2026-10-25T00:30:05Z')).toBe(at('2026-10-25T00:30:00Z'))
    expect(toEpoch('2026-10-25T02:30:00', 'Europe/Berlin', '2026-10-25T01:30:05Z')).toBe(at('2026-10-25T01:30:00Z'))
  })

  test.each([
    '2026-02-30T12:00:00',
    '2026-13-01T12:00:00',
    '2026-06-01T24:00:00',
    '2026-06-01T12:00:60',
    '12:00',
    '',
    'x',
  ])('%s is none', (text) => expect(toEpoch(text, 'UTC')).toBeUndefined())

  test('each second of a year comes back as it was', () => {
    const zone = 'Europe/Berlin'
    const format = new Intl.DateTimeFormat('sv-SE', { timeZone: zone, dateStyle: 'short', timeStyle: 'medium' })
    for (let instant = at('2026-01-01T00:00:00Z'); instant < at('2027-01-01T00:00:00Z'); instant += 1_799_000)
      expect(localToEpoch(format.format(instant), zone, instant), new Date(instant).toISOString()).toBe(instant)
  })
})

const context = { timeZone: 'Asia/Shanghai', receivedAt: at('2026-06-01T04:00:02Z') }
test.each<[string, Record<string, unknown>, number | string]>([
  ['Time', { Time: '2026-06-01T12:00:00' }, at('2026-06-01T04:00:00Z')],
  ['Time with a zone', { Time: '2026-06-01T12:00:00+08:00' }, '2026-06-01T12:00:00+08:00'],
  ['an epoch in its place', { Time: 1_780_286_400 }, 1_780_286_400],
  ['an epoch beside it is believed', { Time: '1999-01-01T00:00:00', Epoch: 1_780_286_400 }, 1_780_286_400],
  ['none: its arrival', {}, context.receivedAt],
  ['null: its arrival', { Time: null }, context.receivedAt],
  ['nonsense: as it is, for the contract to refuse', { Time: 'soon\u0000ish' }, 'soon ish'],
])('%s', (_what, message, ts) => {
  expect(readTasmotaTime(message, context)).toBe(ts)
})
