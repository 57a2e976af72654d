import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'
import { createTestDashboard, formHeaders, logIn, type TestDashboard } from '../test-app.js'

/** Tuesday 2026-03-10, 14:05 in Shanghai. */
let database: TestDatabase
let dashboard: TestDashboard
let north: Community
let supervisor: string
let worker: string

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await createTestDashboard(database.db)
  const now = dashboard.clock.now()
  north = await seedCommunity(database.db, { key: 'north', now })
  await seedCommunity(database.db, { key: 'south', now })
  for (const number of [1, 2, 3, 4, 5]) {
    await database.db.query(
      `insert into staff (staff_id, name, role, login, password_hash) values ($1, $2, 'social_worker', $1, 'none')`,
      [`five-${number}`, `示例·${'赵钱孙李周'[number - 1]}社工`],
    )
    await database.db.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [
      `five-${number}`,
      north.communityId,
    ])
  }
  await database.db.query(
    `insert into staff_channels (staff_id, position, kind, address) select staff_id, 1, 'email', staff_id || '@example.org' from staff`,
  )
  const { app } = dashboard
  supervisor = await logIn(app, { login: north.staff.supervisor.login, password: north.password })
  worker = await logIn(app, { login: north.staff.worker.login, password: north.password })
})
afterAll(async () => {
  await dashboard.app.close()
  await database.stop()
})
beforeEach(async () => {
  for (const table of ['roster_changes', 'roster_edits', 'weekly_shifts', 'duty_shifts', 'roster_feeds'])
    await database.db.query(`delete from ${table}`)
})

const get = async (url: string, { cookie = supervisor, language = 'en' } = {}) => {
  const response = await dashboard.app.inject({ url, headers: { cookie: `${cookie}; shouwang_language=${language}` } })
  return { status: response.statusCode, body: response.body, type: response.headers['content-type'] }
}
const post = async (url: string, fields: Record<string, string | string[]>, { language = 'en' } = {}) => {
  const body = new URLSearchParams({ community: north.communityId })
  for (const [name, value] of Object.entries(fields)) for (const each of [value].flat()) body.append(name, each)
  const response = await dashboard.app.inject({
    method: 'POST',
    url,
    payload: body.toString(),
    headers: formHeaders(`${supervisor}; shouwang_language=${language}`),
  })
  return { status: response.statusCode, body: response.body, location: String(response.headers.location ?? '') }
}
const everyNight = ['1', '2', '3', '4', '5', '6', '7']
const nights = {
  weekday: everyNight,
  start: '20:00',
  end: '08:00',
  days: '0',
  first: '2026-03-09',
  last: '',
  every: '1',
}
const five = [1, 2, 3, 4, 5].map((number) => `five-${number}`)
const heading = (body: string) => /<h1>(.*?)<\/h1>/s.exec(body)?.[1]
const linksOf = (body: string, start: string) =>
  [...body.matchAll(/href="([^"]+)"/g)]
    .map(([, href]) => href!.replaceAll('&amp;', '&'))
    .filter((href) => href.startsWith(start))

describe('as a new supervisor', () => {
  test('a roster of five for a month, the hole that was left in it, and a night swapped', async () => {
    const empty = await get('/roster')
    expect(heading(empty.body)).toBe('Nobody is on duty now')
    expect(empty.body).toContain('There is no roster yet')

    // Nights in turns of a week, but nobody on Sundays; the days are one person's.
    const days = { ...nights, staff: [north.staff.worker.staffId], start: '08:00', end: '20:00' }
    expect((await post('/roster/weekly', days)).status).toBe(303)
    const withoutSunday = { ...nights, staff: [...five, '', ''], weekday: everyNight.slice(0, 6) }
    expect((await post('/roster/weekly', withoutSunday)).location).toContain('saved=done')

    const roster = await get('/roster?weeks=5')
    expect(heading(roster.body)).toBe('On duty now: 示例·张社工 north, until 20:00')
    expect(roster.body).toContain('Then: 示例·赵社工.')
    expect(roster.body).toContain(
      'There are 4 holes in the next 28 days: nobody is on duty Sun 15 Mar 20:00–08:00 (Mon), among others.',
    )
    for (const name of ['赵', '钱', '孙', '李', '周']) expect(roster.body).toContain(`示例·${name}社工`)
    const fill = linksOf(roster.body, '/roster/shift/new').find((href) => href.includes('03-15T20%3A00'))!
    const form = await get(fill)
    expect(form.body).toContain('value="2026-03-15T20:00"')
    expect(form.body).toContain('value="2026-03-16T08:00"')
    const filled = await post('/roster/shift/new', {
      staff: five[4]!,
      from: '2026-03-15T20:00',
      until: '2026-03-16T08:00',
    })
    expect(filled.location).toContain('from=2026-03-15')
    expect((await get('/roster')).body).toContain('There are 3 holes in the next 28 days')

    // Week of 16 March is Qian's: her Monday for Zhang's … of this week, Wednesday.
    const week = await get('/roster?from=2026-03-10')
    const [shift] = linksOf(week.body, '/roster/shift?').filter((href) => href.includes('staff=five-1'))
    const page = await get(shift!)
    expect(heading(page.body)).toBe('A shift of 示例·赵社工')
    const asked = new URL(shift!, 'http://x').searchParams
    const other = /value="(five-2\|[^"]+)"/.exec(page.body)![1]!
    const shown = { staff: 'five-1', from: asked.get('from')!, until: asked.get('until')! }
    expect((await post('/roster/swap', { ...shown, with: other })).status).toBe(303)
    const after = await get('/roster?from=2026-03-10')
    expect(after.body).toContain('for 示例·赵社工')
    expect((await post('/roster/swap', { ...shown, with: other })).status).toBe(404)

    const changes = await get('/roster/away')
    expect(changes.body).toContain('示例·钱社工 takes over from 示例·赵社工')
    const takeBack = /action="(\/roster\/away\/\d+\/remove)"/.exec(changes.body)![1]!
    expect((await post(takeBack, {})).status).toBe(303)
    expect((await get('/roster?from=2026-03-10')).body).not.toContain('for 示例·赵社工')
    const log = (await get('/roster')).body
    expect(log).toContain('took back: ')
    expect(log).toContain('示例·李主管 north')
  })

  test('somebody is ill tonight, and another stands in', async () => {
    await post('/roster/weekly', { ...nights, staff: ['five-1'] })
    const ill = {
      staff: 'five-1',
      reason: 'ill',
      from: '2026-03-10T12:00',
      until: '2026-03-12T08:00',
      standIn: 'five-2',
    }
    expect((await post('/roster/away', ill)).location).toContain('saved=done')
    expect((await post('/roster/away', ill)).location).toContain('saved=exists')
    const { body } = await get('/roster', { language: 'zh' })
    expect(body).toContain('替 示例·赵社工')
    expect(body).toContain('下一班：示例·钱社工。')
    const list = (await get('/roster/away', { language: 'zh' })).body
    expect(list).toContain('示例·赵社工：生病，3月10日 周二 12:00–3月12日 周四 08:00，由 示例·钱社工 替班')
    const end = /action="(\/roster\/away\/\d+\/end)"/.exec(list)![1]!
    expect((await post(end, {})).status).toBe(303)
    expect((await get('/roster')).body).toContain('Then: 示例·赵社工.')
  })

  test('on a holiday all weekly shifts rest', async () => {
    await post('/roster/weekly', { ...nights, staff: ['five-1'] })
    const holiday = { reason: 'holiday', from: '2026-03-11T00:00', until: '2026-03-13T00:00', standIn: '*nobody' }
    await post('/roster/away', { ...holiday, staff: '*everybody' })
    expect((await get('/roster/away')).body).toContain('All weekly shifts: Holiday')
    expect((await get('/roster?from=2026-03-10')).body).toContain('Nobody on duty')
  })
})

describe('a form that cannot be right is said to be so, in both languages, and kept', () => {
  const cases: [string, Record<string, string | string[]>, string, string][] = [
    ['/roster/weekly', { ...nights, staff: [''] }, 'Please choose who.', '请选择人员。'],
    ['/roster/weekly', { ...nights, staff: ['five-1'], weekday: [] }, 'at least one day', '请至少选择一天'],
    ['/roster/weekly', { ...nights, staff: ['five-1'], start: '25:00' }, 'such as 20:00', '例如 20:00'],
    ['/roster/weekly', { ...nights, staff: ['five-1'], first: '2026-02-30' }, 'such as 2027-01-03', '例如 2027-01-03'],
    ['/roster/weekly', { ...nights, staff: ['five-1'], last: '2026-03-01' }, 'must not be before', '不能早于'],
    ['/roster/weekly', { ...nights, staff: ['five-1', 'five-1'] }, 'each person once', '只能选一次'],
    ['/roster/weekly', { ...nights, staff: ['five-1'], end: '21:00', days: '7' }, '7 days at most', '最长 7 天'],
    ['/roster/weekly', { ...nights, staff: ['south-worker'] }, 'not on the staff', '不是这个社区'],
    [
      '/roster/shift/new',
      { staff: 'five-1', from: '2026-03-10T20:00', until: '2026-03-10T08:00' },
      'after the beginning',
      '必须晚于',
    ],
    [
      '/roster/shift/new',
      { staff: 'five-1', from: '2026-03-10T20:00', until: '2026-03-20T08:00' },
      '7 days at most',
      '最长 7 天',
    ],
    [
      '/roster/shift/new',
      { staff: 'five-1', from: 'soon', until: '2026-03-10T08:00' },
      'after the beginning',
      '必须晚于',
    ],
    [
      '/roster/away',
      { staff: 'five-1', from: '2026-03-10T20:00', until: '2026-03-11T08:00' },
      'who stands in',
      '请选择替班人',
    ],
    [
      '/roster/away',
      { staff: 'five-1', standIn: 'five-1', from: '2026-03-10T20:00', until: '2026-03-11T08:00' },
      'the same person',
      '同一个人',
    ],
  ]
  test.each(cases)('%s %j', async (url, fields, en, zh) => {
    const english = await post(url, fields)
    expect([english.status, english.body.includes(en)]).toEqual([400, true])
    expect(english.body).toContain('role="alert"')
    const chinese = await post(url, fields, { language: 'zh' })
    expect([chinese.status, chinese.body.includes(zh)]).toEqual([400, true])
    if (typeof fields.from === 'string' && fields.from !== 'soon')
      expect(english.body).toContain(`value="${fields.from}"`)
    const { rows } = await database.db.query('select from roster_edits')
    expect(rows).toEqual([])
  })

  test('odd addresses are no failures', async () => {
    for (const url of [
      '/roster?from=9999-12-31',
      '/roster?from=x&weeks=99',
      '/roster?from=0001-01-01',
      '/roster/shift/new?from=x&until=%F0%9F%98%80',
      '/roster/away?from=x',
      '/roster/paged?at=x&resident=north-r01',
      '/roster/paged?at=9000-01-01T00:00&resident=north-r01',
    ])
      expect([200, 400], url).toContain((await get(url)).status)
    for (const url of [
      '/roster?community=',
      '/roster/shift',
      '/roster/shift?staff=a&from=-1e300&until=9',
      '/c/x',
      `/c/${'x'.repeat(43)}`,
    ])
      expect([200, 404], url).toContain((await get(url)).status)
  })
})

describe('who is paged', () => {
  const ask = async (at: string, more: Record<string, string> = {}) => {
    const { status, body } = await get(`/api/paged?${new URLSearchParams({ resident: 'north-r01', at, ...more })}`)
    return { status, body: JSON.parse(body) }
  }

  test('on the page and as JSON, with the roster of each step’s own moment', async () => {
    await post('/roster/weekly', { ...nights, staff: ['five-1'] })
    await post('/roster/weekly', { ...nights, staff: ['five-2'], start: '08:00', end: '20:00' })
    const { body } = await ask('2027-01-03T03:00:00+08:00')
    expect(body.resident).toEqual({ id: 'north-r01', name: '示例·居民 north 1' })
    expect(body.at).toBe('2027-01-02T19:00:00.000Z')
    expect(body.severities.emergency).toEqual({
      steps: [
        step('2027-01-02T19:00:00.000Z', 0, ['north-worker', '示例·张社工 north', 'responsible']),
        step('2027-01-02T19:01:00.000Z', 60, ['five-1', '示例·赵社工', 'on duty']),
        step('2027-01-02T19:03:00.000Z', 180, ['north-supervisor', '示例·李主管 north', 'supervisor']),
      ],
      repeatsAfterSeconds: 360,
    })
    // Half a minute before the hand-over the next one is already the one on duty.
    const late = (await ask('2027-01-03T07:59:30+08:00')).body.severities.emergency.steps
    expect(late[1].people[0].id).toBe('five-2')

    const page = await get('/roster/paged?resident=north-r01&at=2027-01-03T03:00', { cookie: worker })
    expect(heading(page.body)).toBe(
      'If 示例·居民 north 1 has an emergency on Sun 3 Jan 2027 03:00, 示例·张社工 north is paged first',
    )
    expect(page.body).toContain('after 1 min')
    expect(page.body).toMatch(/示例·赵社工 <span class="role">on duty/)
    expect(page.body).toContain('After 3 min the whole chain begins again')
    const { rows } = await database.db.query<{ n: number }>(
      `select count(*)::int as n from access_log where resident_id = 'north-r01' and page = 'who is paged' and staff_id = $1`,
      [north.staff.worker.staffId],
    )
    expect(rows[0]!.n).toBe(1)
  })
  const step = (at: string, afterSeconds: number, [id, name, role]: [string, string, string]) => ({
    at,
    afterSeconds,
    people: [{ id, name, role, channels: [{ kind: 'email', usable: true }], reachable: true, informs: false }],
  })

  test('a channel that this server has not set up is marked, and whom nothing reaches is not paged first', async () => {
    const { db } = database
    const mailless = await createTestDashboard(db, { kinds: ['ntfy'] })
    const read = async (url: string, language = 'en') =>
      (await mailless.app.inject({ url, headers: { cookie: `${supervisor}; shouwang_language=${language}` } })).body
    const path = 'resident=north-r01&at=2026-03-11T03:00'
    await db.query(
      `insert into staff_channels (staff_id, position, kind, address) values ('north-supervisor', 2, 'ntfy', 'https://ntfy.sh/a-long-topic')`,
    )
    const { severities } = JSON.parse(await read(`/api/paged?${path}:00Z`))
    const { steps } = severities.emergency
    expect(steps[0].people).toMatchObject([
      { id: 'north-worker', channels: [{ kind: 'email', usable: false }], reachable: false },
    ])
    expect(steps.at(-1).people).toMatchObject([
      {
        id: 'north-supervisor',
        channels: [
          { kind: 'email', usable: false },
          { kind: 'ntfy', usable: true },
        ],
        reachable: true,
      },
    ])
    // Where a step uses the first channel alone, the next one takes over.
    for (const { steps } of Object.values<{ steps: typeof severities.emergency.steps }>(severities))
      expect(steps.at(-1).people[0].reachable).toBe(true)
    const page = await read(`/roster/paged?${path}`)
    expect(heading(page)).toContain('示例·李主管 north is paged first')
    expect(page).toContain(
      '<strong> cannot be reached</strong><span class="sub">E-mail (not set up on this server)</span>',
    )
    expect(await read(`/roster/paged?${path}`, 'zh')).toContain('电子邮件（这台服务器没有开通）')
    await db.query(`delete from staff_channels where kind = 'ntfy'`)
    expect(heading(await read(`/roster/paged?${path}`))).toContain('nobody is paged first')
    await mailless.app.close()
  })

  test('a plus that an address bar sends as a space is read as one; without a login a program is told so', async () => {
    const url = '/api/paged?resident=north-r01&at=2027-01-03T03:00:00+08:00'
    const { status, body } = await get(url)
    expect([status, JSON.parse(body).at]).toEqual([200, '2027-01-02T19:00:00.000Z'])
    const { app } = dashboard
    const json = { accept: 'application/json' }
    for (const asked of [{ url }, { url: '/roster', headers: json }]) {
      const refused = await app.inject(asked)
      expect([refused.statusCode, refused.json()]).toEqual([401, { error: 'not logged in' }])
    }
    for (const accept of ['text/html,application/json;q=0.9', '*/*', ''])
      expect((await app.inject({ url: '/roster', headers: { accept } })).statusCode).toBe(303)
  })

  test('asks what is missing, and does not answer for others', async () => {
    expect((await ask('tomorrow')).status).toBe(400)
    expect((await ask('2027-01-03T03:00:00')).status).toBe(400)
    expect((await ask('2099-01-03T03:00:00Z')).status).toBe(400)
    expect((await ask('2027-01-03T03:00:00Z', { resident: 'south-r01' })).status).toBe(404)
    const found = await get('/roster/paged?q=north%201')
    expect(found.body).toContain('value="north-r01"')
    expect(found.body).not.toContain('value="north-r02"')
    expect((await get('/roster/paged?q=nobody')).body).toContain('Nobody by that name or address.')
  })
})

describe('calendars', () => {
  const upload = async (file: string | Uint8Array, fields: Record<string, string> = {}) => {
    const form = new FormData()
    form.set('community', north.communityId)
    for (const [name, value] of Object.entries(fields)) form.set(name, value)
    form.set(
      'file',
      new Blob([typeof file === 'string' ? file : new Uint8Array(file)], { type: 'text/calendar' }),
      'shifts.ics',
    )
    const { port } = dashboard.app.server.address() as AddressInfo
    const response = await fetch(`http://127.0.0.1:${port}/roster/calendar/import`, {
      method: 'POST',
      redirect: 'manual',
      headers: { cookie: `${supervisor}; shouwang_language=en`, 'sec-fetch-site': 'same-origin' },
      body: form,
    })
    return { status: response.status, body: await response.text() }
  }
  const event = (uid: string, ...lines: string[]) => ['BEGIN:VEVENT', `UID:${uid}`, ...lines, 'END:VEVENT']
  const night = ['DTSTART;TZID=Asia/Shanghai:20260312T200000', 'DTEND;TZID=Asia/Shanghai:20260313T080000']
  const file = [
    'BEGIN:VCALENDAR',
    'VERSION:2.0',
    ...event('a', ...night, 'RRULE:FREQ=WEEKLY;COUNT=3', 'SUMMARY:夜班 示例·赵社工'),
    ...event('b', ...night, 'SUMMARY:Mrs Unknown'),
    ...event('c', 'DTSTART;VALUE=DATE:20260312', 'SUMMARY:Spring outing'),
    'END:VCALENDAR',
  ].join('\r\n')
  const countShifts = async () =>
    (await database.db.query<{ n: number }>('select count(*)::int as n from duty_shifts')).rows[0]!.n

  beforeAll(() => dashboard.app.listen({ port: 0, host: '127.0.0.1' }))

  test('a file is shown before it is taken, unknown people are asked for, and nothing is taken by halves', async () => {
    const { status, body } = await upload(file, { action: 'look' })
    expect(status).toBe(200)
    expect(body).toContain('3 shifts would be added, 0 removed, 0 stay as they are.')
    expect(body).toMatch(/<strong>Spring outing<\/strong> lasts all day/)
    // Whoever the title names is chosen already, the other is to be chosen.
    expect(body).toMatch(/示例·赵社工 \(3 shifts\).*?<option value="five-1" selected>/s)
    expect(body).toContain('Mrs Unknown (1 shift)')
    expect(await countShifts()).toBe(0)

    const text = file
    const order = [...body.matchAll(/name="person(\d)"/g)].length
    expect(order).toBe(2)
    const half = await post('/roster/calendar/import', { text, action: 'take', person0: 'five-1' })
    expect([half.status, await countShifts()]).toEqual([400, 0])
    const stranger = { text, action: 'take', person0: 'five-1', person1: 'south-worker' }
    expect([(await post('/roster/calendar/import', stranger)).status, await countShifts()]).toEqual([400, 0])
    const whole = { text, action: 'take', person0: 'five-1', person1: '*leave out' }
    const taken = await post('/roster/calendar/import', whole)
    expect([taken.status, await countShifts()]).toEqual([303, 3])
    expect((await get(taken.location)).body).toContain('Done: 3 shifts added, 0 removed.')
    const again = await post('/roster/calendar/import', whole)
    expect(again.location).toContain('imported+0+0')
    expect(await countShifts()).toBe(3)
  })

  test('files that are none are refused with the reason', async () => {
    expect((await upload('')).body).toContain('Please choose a file')
    expect((await upload('hello')).body).toContain('This is no calendar file')
    expect((await upload(new Uint8Array([0xff, 0xfe, 0x42]))).body).toContain('not text in UTF-8')
    const large = await upload(`${file}${' '.repeat(600_000)}x`)
    expect([large.status, large.body.includes('512 KiB')]).toEqual([400, true])
    expect((await upload('x'.repeat(6_000_000))).status).toBe(400)
  })

  test('the roster as a file, and as a secret address that can be ended', async () => {
    await post('/roster/weekly', { ...nights, staff: ['five-1'] })
    await post('/roster/weekly', { ...nights, staff: [north.staff.worker.staffId], start: '08:00', end: '20:00' })
    const download = await get(`/roster.ics?community=${north.communityId}`)
    expect(download.type).toBe('text/calendar; charset=utf-8')
    expect(download.body).toContain('SUMMARY:示例·赵社工')
    expect(download.body).not.toContain('居民')

    const issue = async (shifts: string) =>
      /http:\/\/localhost:8080(\/c\/[\w-]+\.ics)/.exec((await post('/roster/calendar/link', { shifts })).body)![1]!
    const whole = await issue('all')
    const feed = (url: string) => dashboard.app.inject({ url })
    expect((await feed(whole)).body).toContain('SUMMARY:示例·张社工 north')
    const own = await issue('own')
    expect([(await feed(whole)).statusCode, (await feed(own)).statusCode]).toEqual([404, 200])
    expect((await feed(own)).body).not.toContain('SUMMARY')
    await post('/roster/calendar/revoke', {})
    expect((await feed(own)).statusCode).toBe(404)

    // Whoever no longer works here follows nothing.
    const last = await issue('all')
    const { staffId } = north.staff.supervisor
    await database.db.query('update staff set disabled_at = now() where staff_id = $1', [staffId])
    expect((await feed(last)).statusCode).toBe(404)
    await database.db.query('update staff set disabled_at = null where staff_id = $1', [staffId])
    expect((await feed(last)).statusCode).toBe(200)
  })

  test('what comes from Shouwang itself is not put down twice', async () => {
    await post('/roster/weekly', { ...nights, staff: ['five-1'] })
    const { body } = await get(`/roster.ics?community=${north.communityId}`)
    expect((await upload(body)).body).toContain('from Shouwang itself and need not be taken over')
    expect(await countShifts()).toBe(0)
  })
})
