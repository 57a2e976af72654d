import { expect, test } from 'vitest'
import { calmHeadline, flappingHeadline, flapsWithin } from './flapping.js'

const minute = 60_000
const noon = Date.parse('2026-06-01T04:00:00Z')
const each = (minutes: number, count: number) => Array.from({ length: count }, (_, i) => noon + i * minutes * minute)

test.each<[string, number[], number | null]>([
  ['nothing', [], null],
  ['four changes in a minute', each(0.2, 4), null],
  ['five', each(0.2, 5), 5],
  ['five within 56 min', each(14, 5), 5],
  ['five within an hour', each(15, 5), null],
  ['thirty, one each quarter of an hour', each(15, 30), null],
  ['thirty, one each 10 min: six in the last hour', each(10, 30), 6],
  ['five in a minute, and one two hours later', [...each(0.2, 5), noon + 120 * minute], null],
])('%s', (_name, changes, flaps) => {
  expect(flapsWithin(changes)).toBe(flaps)
})

test('what it says', () => {
  expect(flappingHeadline({ kind: 'gas', room: '厨房', changes: 6, isAlarm: true })).toEqual({
    en: 'Gas alarm (厨房) went on and off: 6 changes within an hour. Please check the device. Its alarms are paged all the same.',
    zh: '厨房燃气报警器一小时内报警又解除，共变化 6 次，请检查设备。期间的报警照常通知。',
  })
  expect(flappingHeadline({ kind: 'door', room: '', changes: 8, isAlarm: false }).zh).toBe(
    '门磁一小时内反复上报又解除同一情况，共变化 8 次，请检查设备。',
  )
  expect(calmHeadline({ kind: 'gas', room: '厨房' })).toEqual({
    en: 'Gas alarm (厨房) has been steady for 6 h.',
    zh: '厨房燃气报警器已稳定 6 小时。',
  })
})
