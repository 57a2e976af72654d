import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { ResidentState } from '../alerts/rules/fold.js'
import { setAway } from '../db/absences.js'
import { manualClock } from '../kit/clock.js'
import { openTestDashboard } from '../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { foldReadings, insertReadings, readRegister } from '../test/support/usage.js'

/** 14:05 in Shanghai. */
const now = new Date('2026-03-10T06:05:00Z')
const minute = 60_000
const hour = 60 * minute
const clock = manualClock(now)
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let home: Community
let other: Community

beforeAll(async () => {
  database = await startTestDatabase()
  home = await seedCommunity(database.db, { key: 'home', now })
  other = await seedCommunity(database.db, { key: 'other', now })
  await database.db.query("update alerts set stage = 'closed', closed_at = $1, outcome = 'test'", [now])
  dashboard = await openTestDashboard({ db: database.db, clock })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})
/** What the links are throttled by is over. */
beforeEach(() => clock.advance(2 * minute))

const first = () => home.residents[0]!.residentId
const at = (residentId = first()) => `/residents/${residentId}`
const worker = () => home.staff.worker.staffId
const supervisor = () => home.staff.supervisor.staffId
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const words = async (residentId = first()) =>
  (await rows('select body from arrivals where resident_id = $1 order by arrival_id', [residentId])).flatMap(
    ({ body }) => body,
  )
const away = (end: string, more: Record<string, string> = {}) => ({ end, other: '', note: '', ...more })
const forget = () => database.db.query('delete from absences; delete from visits; delete from arrivals')

test('from the page of the resident to away mode and back, in both languages', async () => {
  await forget()
  const page = await dashboard.ask(at(), { as: worker(), language: 'zh' })
  expect(page.body).toContain(`href="${at()}/absence"`)
  const form = await dashboard.ask(`${at()}/absence`, { as: worker(), language: 'zh' })
  expect(form.text).toContain('没有登记外出')
  expect(form.text).toMatch(/今晚 20:00 .*明天晚上，3月11日 周三 20:00 .*三天后，3月13日 周五 20:00/)
  const set = await dashboard.ask(`${at()}/absence`, {
    as: worker(),
    form: away('2026-03-11T20:00', { note: '去女儿家' }),
  })
  expect([set.status, set.headers.location]).toEqual([303, at()])
  expect(await words()).toMatchObject([
    { type: 'away', from: clock.now().getTime(), until: Date.parse('2026-03-11T20:00:00+08:00') },
  ])
  const zh = await dashboard.ask(at(), { as: worker(), language: 'zh' })
  expect(zh.text).toMatch(
    /外出至 3月11日 周三 20:00 登记时间： 刚刚，14:\d\d · 登记人：示例·张社工 home 备注：去女儿家/,
  )
  const en = await dashboard.ask(at(), { as: worker() })
  expect(en.text).toContain('Away until Wed 11 Mar 20:00')
  // Nobody is asked to say where she is while she is away.
  expect(en.text).not.toContain('I am here with them')
  const list = await dashboard.ask('/', { as: worker(), language: 'zh' })
  expect(list.text).toContain('外出至 3月11日 周三 20:00')
  const ended = await dashboard.ask(`${at()}/absence/end`, { as: worker(), form: {} })
  expect(ended.headers.location).toBe(at())
  expect((await words()).at(-1)).toMatchObject({ type: 'back' })
  expect((await dashboard.ask('/', { as: worker(), language: 'zh' })).text).not.toContain('外出至')
  const again = await dashboard.ask(`${at()}/absence/end`, { as: worker(), form: {} })
  expect(again.headers.location).toBe(`${at()}/absence?problem=over`)
})

test.each([
  [away('other', { other: '2026-03-10T09:00', note: '示例备注' }), 'That time has passed already', '2026-03-10T09:00'],
  [away('other', { other: '2026-06-10T09:00', note: '示例备注' }), 'At most 60 days', '2026-06-10T09:00'],
  [away('other', { other: 'soon', note: '示例备注' }), 'That is not a day and time', 'soon'],
  [away('2026-03-11T20:00', { other: '2026-03-12T20:00', note: '示例备注' }), 'One end was chosen', '2026-03-12T20:00'],
  [away('', { note: '示例备注' }), 'Please choose until when', ''],
])('what is wrong stands on the form, with what was written (%#)', async (form, says, kept) => {
  await forget()
  for (const [path, as] of [
    [`${at()}/absence`, worker()],
    [`/f/${home.family.token}/away`, undefined],
  ] as const) {
    if (!as) await database.db.query('update family_members set may_set_away = true')
    const { status, text, body } = await dashboard.ask(path, { ...(as ? { as } : {}), form })
    expect(status).toBe(400)
    expect(text).toContain(says)
    expect(body).toContain('value="示例备注"')
    if (kept) expect(body).toContain(`value="${kept}"`)
  }
  expect(await rows('select from absences')).toEqual([])
  expect(await words()).toEqual([])
})

test('an end that is not offered any more is not lost', async () => {
  const { body } = await dashboard.ask(`${at()}/absence`, { as: worker(), form: away('2026-03-10T13:00') })
  expect(body).toMatch(/<input[^>]*name="other"[^>]*value="2026-03-10T13:00"/)
})

test('a note is a text and never markup, and of bounded length', async () => {
  await forget()
  const note = '<b onclick=x>&"'
  await dashboard.ask(`${at()}/absence`, { as: worker(), form: away('2026-03-11T20:00', { note }) })
  const { body, text } = await dashboard.ask(at(), { as: worker() })
  expect(body).not.toContain('<b onclick')
  expect(text).toContain(note)
  await dashboard.ask(`${at()}/absence`, { as: worker(), form: away('2026-03-12T20:00', { note: 'x'.repeat(500) }) })
  expect((await rows('select note from absences'))[0].note.length).toBeLessThanOrEqual(200)
})

test('“I am here” and “I spoke with them”: who, when; undo for a minute, for whoever said it', async () => {
  await forget()
  for (const what of ['visit', 'spoken'] as const) {
    const said = await dashboard.ask(`${at()}/said`, { as: worker(), form: { what } })
    expect([said.status, said.headers.location]).toEqual([303, at()])
    expect((await words()).at(-1)).toMatchObject({ type: what, at: clock.now().getTime() })
    const mine = await dashboard.ask(at(), { as: worker() })
    expect(mine.text).toContain(
      what === 'visit' ? '示例·张社工 home was here: just now' : 'home spoke with them: just now',
    )
    expect(mine.body).toContain(`action="${at()}/said/undo"`)
    const theirs = await dashboard.ask(at(), { as: supervisor() })
    expect(theirs.body).not.toContain('/said/undo')
    const refused = await dashboard.ask(`${at()}/said/undo`, { as: supervisor(), form: {} })
    expect(refused.headers.location).toBe(`${at()}/absence?problem=late`)
    const undone = await dashboard.ask(`${at()}/said/undo`, { as: worker(), form: {} })
    expect(undone.headers.location).toBe(at())
    expect((await words()).at(-1)).toMatchObject({ type: 'unsaid', word: what, at: clock.now().getTime() })
    expect((await dashboard.ask(at(), { as: worker() })).body).not.toContain('/said/undo')
  }
  const looks = await dashboard.ask(at(), { as: worker() })
  expect(looks.text).toMatch(/home \(social worker\) · took “I spoke with them” back/i)
  await dashboard.ask(`${at()}/said`, { as: worker(), form: { what: 'visit' } })
  clock.advance(61_000)
  const late = await dashboard.ask(`${at()}/said/undo`, { as: worker(), form: {} })
  const told = await dashboard.ask(String(late.headers.location), { as: worker() })
  expect(told.text).toContain('It can be taken back for one minute only')
  const odd = await dashboard.ask(`${at()}/said`, { as: worker(), form: { what: 'dance' } })
  expect(odd.status).toBe(400)
})

test('nobody else’s: a foreign resident, alert or family member is not there, and nothing is written', async () => {
  await forget()
  const foreign = other.residents[0]!.residentId
  for (const [path, form] of [
    [`${at(foreign)}/absence`, away('2026-03-11T20:00')],
    [`${at(foreign)}/absence/end`, {}],
    [`${at(foreign)}/absence/undo`, {}],
    [`${at(foreign)}/said`, { what: 'visit' }],
    [`${at(foreign)}/said/undo`, {}],
    [`${at()}/family/${other.family.familyMemberId}/away-right`, { allow: 'yes' }],
    [`${at(home.residents[1]!.residentId)}/family/${home.family.familyMemberId}/away-right`, { allow: 'yes' }],
  ] as const)
    expect((await dashboard.ask(path, { as: supervisor(), form })).status, path).toBe(404)
  expect(
    (
      await dashboard.ask(`${at()}/family/${home.family.familyMemberId}/away-right`, {
        as: worker(),
        form: { allow: 'yes' },
      })
    ).status,
  ).toBe(404)
  expect(await rows('select from absences union all select from visits union all select from arrivals')).toEqual([])
})

test('a family member may only where the supervisor allowed it by name', async () => {
  await forget()
  await database.db.query('update family_members set may_set_away = false')
  const link = `/f/${home.family.token}`
  const never = await dashboard.ask(link)
  expect(never.body).not.toContain(`${link}/away`)
  for (const path of ['/away', '/away/end', '/away/undo', '/here', '/here/undo'])
    expect((await dashboard.ask(link + path, { form: away('2026-03-11T20:00') })).status, path).toBe(404)
  expect((await dashboard.ask(`${link}/away`)).status).toBe(404)
  expect(await rows('select from absences union all select from visits')).toEqual([])

  const right = `${at()}/family/${home.family.familyMemberId}/away-right`
  const page = await dashboard.ask(`${at()}/absence`, { as: supervisor(), language: 'zh' })
  expect(page.text).toContain('不可以登记 允许 示例·女儿 home 登记')
  expect((await dashboard.ask(`${at()}/absence`, { as: worker() })).body).not.toContain('away-right')
  const given = await dashboard.ask(right, { as: supervisor(), form: { allow: 'yes' } })
  expect(given.headers.location).toBe(`${at()}/absence#rights`)

  const zh = await dashboard.ask(link, { language: 'zh' })
  expect(zh.text).toContain('我正陪着老人')
  expect((await dashboard.ask(`${link}/here`, { form: {} })).headers.location).toBe(link)
  expect((await words()).at(-1)).toMatchObject({ type: 'visit' })
  expect((await dashboard.ask(link)).text).toContain('The station knows that you are there: just now')
  expect((await dashboard.ask(at(), { as: worker() })).text).toContain('示例·女儿 home was here')
  await dashboard.ask(`${link}/here/undo`, { form: {} })
  expect((await words()).at(-1)).toMatchObject({ type: 'unsaid', word: 'visit' })

  await dashboard.ask(`${link}/away`, { form: away('2026-03-13T20:00', { note: '在我家' }) })
  const told = await dashboard.ask(link, { language: 'zh' })
  expect(told.text).toContain('外出，预计回家：3月13日 周五 20:00')
  expect(told.text).not.toMatch(/没有用水用电的时间|现在还不知道/)
  // Until when the flat is empty is not for everybody who holds a link.
  await database.db.query('update family_members set may_set_away = false')
  const plain = await dashboard.ask(link, { language: 'zh' })
  expect(plain.text).toContain('目前外出。')
  expect(plain.text).not.toContain('3月13日')
  await database.db.query('update family_members set may_set_away = true')
  expect((await dashboard.ask(at(), { as: worker(), language: 'zh' })).text).toContain(
    '登记人：示例·女儿 home（家属） 备注：在我家',
  )
  // What the station wrote is not the family's to read, and not lost when they give another end.
  await dashboard.ask(`${link}/away/end`, { form: {} })
  await dashboard.ask(`${at()}/absence`, { as: worker(), form: away('2026-03-12T20:00', { note: '已住院，勿告知' }) })
  expect((await dashboard.ask(`${link}/away`)).body).not.toContain('住院')
  await dashboard.ask(`${link}/away`, { form: away('2026-03-13T20:00') })
  expect((await rows('select note, until_at from absences where ended_at is null'))[0]).toMatchObject({
    note: '已住院，勿告知',
    until_at: new Date('2026-03-13T20:00:00+08:00'),
  })
  await dashboard.ask(`${link}/away/end`, { form: {} })
  expect((await rows('select ended_by_family as by from absences'))[0].by).toBe(home.family.familyMemberId)
  const looks = (
    await rows('select distinct page from access_log where family_member_id = $1', [home.family.familyMemberId])
  ).map(({ page: name }) => name)
  expect(looks).toEqual(expect.arrayContaining(['family', 'said visit', 'unsaid visit', 'away set', 'away ended']))

  await dashboard.ask(right, { as: supervisor(), form: { allow: 'no' } })
  expect((await dashboard.ask(`${link}/here`, { form: {} })).status).toBe(404)
})

test('a link is throttled, and so is whoever tries links', async () => {
  await database.db.query('update family_members set may_set_away = true')
  const link = `/f/${home.family.token}`
  const answers = []
  for (let n = 0; n < 32; n += 1) answers.push((await dashboard.ask(`${link}/here/undo`, { form: {} })).status)
  expect(answers.filter((status) => status === 303)).toHaveLength(30)
  expect(answers.slice(-2)).toEqual([429, 429])
  const guesses = []
  for (let n = 0; n < 22; n += 1)
    guesses.push((await dashboard.ask(`/f/${'x'.repeat(43)}/here`, { form: {}, address: '192.0.2.7' })).status)
  expect(guesses.slice(-3)).toEqual([404, 429, 429])
})

/** Water until 09:00, nothing since; the door at 09:05. */
async function leftHome(residentId: string, deviceNo: number) {
  const nine = clock.now().getTime() - 5 * hour
  const readings = readRegister({
    deviceNo,
    kind: 'water',
    from: nine - 2 * 24 * hour,
    to: clock.now().getTime(),
    stepMin: 5,
    register: (when) => Math.round(Math.min(when, nine) / hour) * 20 - 9_000_000,
  })
  await insertReadings(database.db, readings)
  await foldReadings(database.db, { residentId, readings, now: clock.now() })
  const [{ state }] = await rows('select state from resident_state where resident_id = $1', [residentId])
  const seen: ResidentState = { ...state, seen: { door: nine + 35 * minute } }
  await database.db.query('update resident_state set state = $2 where resident_id = $1', [
    residentId,
    JSON.stringify(seen),
  ])
}

test('a departure is suggested on both pages, with the way to the form; and is gone once something else was seen', async () => {
  await forget()
  const { residentId, devices } = home.residents[1]!
  await leftHome(residentId, devices.water)
  const alertId = await seedAlert(database.db, {
    communityId: home.communityId,
    residentId,
    kind: 'silent_12h',
    openedAt: clock.now(),
  })
  for (const path of [at(residentId), `/alerts/${alertId}`]) {
    const zh = await dashboard.ask(path, { as: worker(), language: 'zh' })
    expect(zh.text).toMatch(/门 \d\d:\d\d 开过，此后无动静：可能外出。/)
    expect(zh.text).toContain('还不能确定')
    expect(zh.body).toContain(`href="${at(residentId)}/absence"`)
    expect((await dashboard.ask(path, { as: worker() })).text).toContain('they may have gone out')
  }
  // Suggested, never assumed.
  expect(await rows('select from absences')).toEqual([])
  const said = await dashboard.ask(`${at(residentId)}/said`, {
    as: worker(),
    form: { what: 'visit', alert: String(alertId) },
  })
  expect(said.headers.location).toBe(`/alerts/${alertId}#presence`)
  const alert = await dashboard.ask(`/alerts/${alertId}`, { as: worker(), language: 'zh' })
  expect(alert.text).toContain('示例·张社工 home 在老人家里。')
  await database.db.query(
    `update resident_state set state = jsonb_set(state, '{seen,motion}', $2) where resident_id = $1`,
    [residentId, String(clock.now().getTime() - hour)],
  )
  for (const path of [at(residentId), `/alerts/${alertId}`])
    expect((await dashboard.ask(path, { as: worker(), language: 'zh' })).text).not.toContain('可能外出')
})

test('an emergency’s page says nothing of doors and visits', async () => {
  const alertId = await seedAlert(database.db, {
    communityId: home.communityId,
    residentId: home.residents[1]!.residentId,
    kind: 'smoke',
    openedAt: clock.now(),
  })
  const { body } = await dashboard.ask(`/alerts/${alertId}`, { as: worker() })
  expect(body).not.toContain('id="presence"')
})

test('none, one and forty past absences', async () => {
  await forget()
  const path = `${at()}/absence`
  expect((await dashboard.ask(path, { as: worker() })).text).toContain('Earlier absences 0 There were none yet.')
  const by = { staffId: worker() }
  const add = async (days: number) => {
    const from = new Date(clock.now().getTime() - days * 24 * hour)
    const until = new Date(from.getTime() + 8 * hour)
    await setAway(database.db, { residentId: first(), by, now: from, until, note: `示例 ${days}` })
  }
  await add(41)
  const one = await dashboard.ask(path, { as: worker(), language: 'zh' })
  expect(one.text).toMatch(/以往的外出 1 .*到时间自动结束 · 备注：示例 41/)
  for (let days = 40; days >= 2; days -= 1) await add(days)
  const forty = await dashboard.ask(path, { as: worker() })
  expect(forty.text).toContain('Show all 40')
  expect(forty.text.match(/ended when its time came/g)).toHaveLength(10)
  const all = await dashboard.ask(`${path}?all=1`, { as: worker() })
  expect(all.text.match(/ended when its time came/g)).toHaveLength(40)
  expect(all.text).not.toContain('Show all')
})

test('what no database can hold is no fault of ours, and changes nothing', async () => {
  await forget()
  const note = 'a\0b\ud800'
  for (const [path, as, form] of [
    [`${at()}/absence`, worker(), away('2026-03-11T20:00', { note })],
    ['/residents/%00/absence', worker(), away('2026-03-11T20:00')],
    ['/residents/%00/said', worker(), { what: 'visit' }],
    [`${at()}/family/%00/away-right`, supervisor(), { allow: 'yes' }],
    [`${at()}/said`, worker(), { what: 'visit', alert: '99999999999999999999' }],
    ['/f/%00/away', undefined, away('2026-03-11T20:00')],
    ['/ask/%00/spoken', undefined, {}],
    [`/alerts/${2 ** 53 - 1}/mark`, worker(), { verdict: 'true' }],
    [`/alerts/${2 ** 53 - 1}/spoken`, worker(), {}],
  ] as const)
    expect
      .soft((await dashboard.ask(path, { ...(as ? { as } : {}), form: form as Record<string, string> })).status, path)
      .toBeLessThan(500)
})
