import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { countResidents, listResidents } from './resident-list.js'

let database: TestDatabase
let here: Community
let elsewhere: Community
const now = new Date('2026-03-10T06:05:00Z')
const names = ['Bao', 'An', 'Chen', 'dong', 'An 100%', 'Fang_1', 'Gu', 'He', 'Jin', 'Kong', 'Lu', 'Mo']

beforeAll(async () => {
  database = await startTestDatabase()
  here = await seedCommunity(database.db, { key: 'here', now, residents: names.length })
  elsewhere = await seedCommunity(database.db, { key: 'elsewhere', now })
  for (const [index, name] of names.entries())
    await database.db.query('update residents set name = $2 where resident_id = $1', [
      here.residents[index]!.residentId,
      name,
    ])
  await database.db.query("update alerts set stage = 'closed', outcome = 'test', closed_at = $1, due_at = null", [now])
  const open = (index: number, kind: 'smoke' | 'water_running' | 'battery_low', deviceNo: number) =>
    seedAlert(database.db, {
      communityId: here.communityId,
      residentId: here.residents[index]!.residentId,
      deviceNo,
      kind,
      openedAt: now,
      headline: { zh: '示例', en: 'Invented' },
    })
  const { devices } = here.residents[6]!
  await open(6, 'smoke', devices.smoke)
  await open(6, 'water_running', devices.water)
  await open(2, 'water_running', here.residents[2]!.devices.water)
  await open(0, 'battery_low', here.residents[0]!.devices.water)
  await database.db.query('update residents set left_at = $2 where resident_id = $1', [
    here.residents[11]!.residentId,
    now,
  ])
})
afterAll(() => database.stop())

const list = (p: { search?: string; offset?: number; rowsMax?: number; communityIds?: string[] } = {}) =>
  listResidents(database.db, { communityIds: [here.communityId], search: '', offset: 0, rowsMax: 50, ...p })
const namesOf = async (p: Parameters<typeof list>[0]) => (await list(p)).map(({ name }) => name)

describe('the list of residents', () => {
  test('begins with those who need somebody, then goes by name; a notice needs nobody', async () => {
    const all = await list()
    expect(all.slice(0, 2).map(({ name, openAlerts }) => [name, openAlerts])).toEqual([
      ['Chen', 1],
      ['Gu', 2],
    ])
    const others = all.slice(2)
    expect(others.every(({ openAlerts }) => openAlerts === 0)).toBe(true)
    expect(others.map(({ name }) => name).sort()).toEqual(
      names.filter((name) => !['Chen', 'Gu', 'Mo'].includes(name)).sort(),
    )
  })
  test('pages of any size put together are the whole list, nobody twice', async () => {
    const whole = await namesOf({})
    for (const rowsMax of [1, 2, 3, 5, 50]) {
      const pages: string[] = []
      for (let offset = 0; offset < whole.length + rowsMax; offset += rowsMax)
        pages.push(...(await namesOf({ offset, rowsMax })))
      expect(pages).toEqual(whole)
    }
  })
  test('a search is found in names and addresses, whatever the case, and % and _ are themselves', async () => {
    expect(await namesOf({ search: 'DONG' })).toEqual(['dong'])
    expect(await namesOf({ search: '100%' })).toEqual(['An 100%'])
    expect(await namesOf({ search: 'g_1' })).toEqual(['Fang_1'])
    expect(await namesOf({ search: 'a%o' })).toEqual([])
    const [one] = await list({ search: 'gu' })
    expect(await namesOf({ search: one!.address })).toContain('Gu')
  })
  test('what is counted is what is listed, and nobody of another community is in either', async () => {
    const scopes = [[here.communityId], [elsewhere.communityId], [here.communityId, elsewhere.communityId], []]
    for (const communityIds of scopes)
      for (const search of ['', 'an', '示例'])
        expect(await countResidents(database.db, { communityIds, search })).toBe(
          (await list({ communityIds, search })).length,
        )
    expect((await list({ communityIds: [elsewhere.communityId] })).map(({ residentId }) => residentId).sort()).toEqual(
      elsewhere.residents.map(({ residentId }) => residentId).sort(),
    )
  })
})
