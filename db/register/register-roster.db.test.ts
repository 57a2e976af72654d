import { afterAll, beforeAll, expect, test } from 'vitest'
import { onDutyAt } from '../../alerts/roster.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { removeWeekly } from '../roster-weekly-edits.js'
import { listEdits, listWeekly, rosterOf } from '../rosters.js'
import { type RegisterInput, registerDocument } from './document.js'
import { register } from './register.js'

const now = new Date('2027-01-01T00:00:00Z')
let database: TestDatabase
beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())

const nights = { community: 'c', staff: 'lin', weekdays: [6, 7], start: '20:00', end: '08:00', from: '2026-12-28' }
const put = (roster: RegisterInput['roster']) =>
  register(database.db, {
    document: registerDocument.parse({
      communities: [{ id: 'c', name: 'c', timeZone: 'Asia/Shanghai' }],
      staff: ['lin', 'ops'].map((id) => ({
        id,
        name: id,
        role: id === 'ops' ? 'operator' : 'social_worker',
        login: id,
        password: 'invented-password-1',
        communities: ['c'],
      })),
      roster,
    }),
    timeZoneDefault: 'UTC',
    now,
  })
const onDuty = async (iso: string) => {
  const at = Date.parse(iso)
  return onDutyAt(await rosterOf(database.db, 'c', { from: at, until: at }), at)
}
const kinds = async () => (await listEdits(database.db, { communityId: 'c', rowsMax: 9 })).map(({ kind }) => kind)

test('weekly shifts are added, updated, and left alone once somebody has changed the roster on its page', async () => {
  const { db } = database
  expect((await put([nights])).keptRosters).toEqual([])
  expect([await onDuty('2027-01-02T23:00Z'), await onDuty('2027-01-03T00:00Z')]).toEqual([['lin'], []])
  await put([nights])
  expect(await kinds()).toEqual(['weekly added'])
  await put([{ ...nights, end: '09:00' }])
  expect([await onDuty('2027-01-03T00:30Z'), await onDuty('2027-01-03T01:00Z')]).toEqual([['lin'], []])
  expect(await kinds()).toEqual(['weekly added', 'weekly added'])

  const weeklyShiftIds = (await listWeekly(db, { communityId: 'c', date: '2027-01-01' })).map(
    (each) => each.weeklyShiftId,
  )
  await removeWeekly(db, { communityId: 'c', byStaffId: 'lin', now, weeklyShiftIds })
  expect((await put([nights])).keptRosters).toEqual(['c'])
  expect(await onDuty('2027-01-02T23:00Z')).toEqual([])
})

test('an operator is nobody to be on duty, and a shift has its limits', async () => {
  await database.db.query('delete from roster_edits')
  await expect(put([{ ...nights, staff: 'ops' }])).rejects.toThrow('roster: not all of these are social workers')
  const refuses = (more: object) => expect(() => put([{ ...nights, ...more }])).toThrow()
  refuses({ start: '24:00' })
  refuses({ weekdays: [8] })
  refuses({ end: '21:00', days: 6 })
  refuses({ until: '2026-12-27' })
  expect((await put([{ ...nights, end: '20:00', days: 6 }])).keptRosters).toEqual([])
})
