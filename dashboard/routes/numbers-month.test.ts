import { expect, test } from 'vitest'
import { addMonths, chooseMonth } from './numbers-month.js'

const community = (communityId: string, firstAlertAt: string | null, timeZone = 'Asia/Shanghai') => ({
  communityId,
  name: communityId,
  timeZone,
  firstAlertAt: firstAlertAt === null ? null : new Date(firstAlertAt),
})
const lotus = community('lotus', '2025-12-05T00:00:00Z')
const now = new Date('2026-03-10T06:05:00Z')
const chosen = (asked: { community?: string; month?: string }, communities = [lotus], at = now) => {
  const found = chooseMonth(communities, { community: '', month: '', ...asked }, at)
  return found && [found.community.communityId, found.month]
}

test.each<[string, number, string]>([
  ['2026-03', -1, '2026-02'],
  ['2026-01', -1, '2025-12'],
  ['2025-12', 1, '2026-01'],
  ['2026-03', -15, '2024-12'],
])('%s and %i months', (month, count, expected) => {
  expect(addMonths(month, count)).toBe(expected)
})

test('without a wish: the last month that is over, of the first community', () => {
  expect(chosen({})).toEqual(['lotus', '2026-02'])
})
test('in the first month of a community: that one', () => {
  expect(chosen({}, [community('new', '2026-03-02T00:00:00Z')])).toEqual(['new', '2026-03'])
  expect(chosen({}, [community('empty', null)])).toEqual(['empty', '2026-03'])
})
test('a month of the record can be chosen, one before or after it cannot', () => {
  expect(chosen({ month: '2025-12' })).toEqual(['lotus', '2025-12'])
  expect(chosen({ month: '2025-11' })).toEqual(['lotus', '2026-02'])
  expect(chosen({ month: '2026-04' })).toEqual(['lotus', '2026-02'])
  expect(chooseMonth([lotus], { community: '', month: '' }, now)!.months).toEqual([
    '2026-03',
    '2026-02',
    '2026-01',
    '2025-12',
  ])
})
test('months turn by the clock of the community', () => {
  const at = new Date('2026-02-28T17:00:00Z')
  const east = community('east', '2026-01-05T00:00:00Z')
  const west = community('west', '2026-01-05T00:00:00Z', 'America/Los_Angeles')
  expect(chosen({ community: 'east' }, [east, west], at)).toEqual(['east', '2026-02'])
  expect(chosen({ community: 'west' }, [east, west], at)).toEqual(['west', '2026-01'])
})
test("somebody else's community is none", () => {
  expect(chosen({ community: 'pine' })).toBeUndefined()
  expect(chosen({}, [])).toBeUndefined()
})
