import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { seedAlert, seedPage } from '../../test/support/fixtures.js'
import { type NumbersStation, seedNumbersMonth, seedNumbersStation } from '../../test/support/numbers-month.js'

/** 14:27 on 10 March in Shanghai. */
const now = new Date('2026-03-10T06:27:00Z')
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
/** A month by hand; a made-up month of 300 alerts; one that has begun today. */
let small: NumbersStation
let large: NumbersStation
let fresh: NumbersStation

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  small = await seedNumbersStation(db, { key: 'small', name: '=示例社区·小' })
  large = await seedNumbersStation(db, { key: 'large' })
  fresh = await seedNumbersStation(db, { key: 'fresh', name: '示例社区·新' })
  await seedByHand()
  await seedNumbersMonth(db, { station: large, month: '2026-01', seed: 7, alerts: 200, slower: 1.3 })
  await seedNumbersMonth(db, { station: large, month: '2026-02', seed: 8 })
  dashboard = await openTestDashboard({ db, clock: manualClock(now) })
})
afterAll(async () => {
  await dashboard?.close()
  await database?.stop()
})

/** Four alerts of February: two doors at 10 and 50 min, one test, one that nobody took. */
async function seedByHand() {
  const { db } = database
  const { communityId } = small
  const [worker] = small.staffIds.slice(1)
  const add = async (openedAt: string, more: Partial<Parameters<typeof seedAlert>[1]>, doorMinutes?: number) => {
    const at = new Date(`${openedAt}+08:00`)
    const later = (minutes: number) => new Date(at.getTime() + minutes * 60_000)
    const alertId = await seedAlert(db, {
      communityId,
      residentId: small.residentIds[0]!,
      kind: 'button',
      openedAt: at,
      stage: 'closed',
      closedAt: later(90),
      ...more,
    })
    await seedPage(db, { alertId, staffId: worker!, now: new Date(at.getTime() + 3_000) })
    const event = (kind: string, minutes: number) =>
      db.query('insert into alert_events (alert_id, at, kind, staff_id) values ($1, $2, $3, $4)', [
        alertId,
        later(minutes),
        kind,
        worker,
      ])
    if (doorMinutes !== undefined) {
      await event('acknowledged', 1)
      await event('arrived', doorMinutes)
      await event('closed', 90)
    }
    return alertId
  }
  await add('2026-02-03T23:30:00', { outcome: 'fall' }, 10)
  await add('2026-02-03T10:00:00', { outcome: 'resident fine', kind: 'smoke' }, 50)
  await add('2026-02-10T10:00:00', { outcome: 'test' }, 5)
  await add('2026-02-11T10:00:00', { outcome: 'resident fine', kind: 'silent_12h' })
  await add('2026-02-11T10:00:00', { outcome: 'device fault', kind: 'battery_low' })
}

const ask = (path: string, as: string, language: 'en' | 'zh' = 'en') => dashboard.ask(path, { as, language })
/** The cells of each row of the table that `caption` names. */
function rowsOf(body: string, caption: string): string[][] {
  const table = body.match(new RegExp(`<caption[^>]*>${caption}</caption>.*?</table>`, 's'))?.[0] ?? ''
  return [...table.matchAll(/<tr.*?<\/tr>/gs)].map(([row]) =>
    [...row.matchAll(/<t[hd].*?<\/t[hd]>/gs)].map(([cell]) =>
      cell.replace(/<svg.*?<\/svg>|<[^>]*>/gs, '').replaceAll('\u00a0', ' '),
    ),
  )
}

test('the first line answers how quickly and how often it was nothing, in both languages', async () => {
  const en = await ask('/numbers', small.supervisor)
  expect(en.status).toBe(200)
  expect(en.text).toContain(
    'In February 2026: somebody was at the door of an emergency within 10 min half of the time (3 visits), 2 of 3 within 45 min; 2 of 3 of the alerts turned out to be nothing.',
  )
  expect((await ask('/numbers', small.supervisor, 'zh')).text).toContain(
    '2026年2月：紧急预警有一半在 10 分钟内有人到门口（3 次上门），45 分钟内到门口：3 条中 2 条；误报：3 条中 2 条。',
  )
})

test('each table says what it stands on: few are not told in percent, none is unknown', async () => {
  const { body } = await ask('/numbers', small.supervisor)
  expect(rowsOf(body, 'Alerts by rule and by what was found.')).toEqual([
    ['Rule', 'Fall', 'Resident is fine', 'Test', 'All'],
    ['Call buttonEmergency', '1', '0', '1', '2'],
    ['Smoke alarmEmergency', '0', '1', '0', '1'],
    ['Silent for 12 hUrgent', '0', '1', '0', '1'],
    ['All', '1', '2', '1', '4'],
  ])
  expect(rowsOf(body, 'Until somebody was at the door')).toEqual([
    ['Severity', 'Visits', 'Half within', '95 % within', 'Within 45 min', 'Within 60 min', 'Half within, month before'],
    ['Emergency', 'all 3', '10 min', '50 min, the longest', '2 of 3', '3 of 3', 'unknown'],
    ['Urgent', '0 of 1', 'unknown', 'unknown', 'unknown', 'unknown', 'unknown'],
  ])
  expect(rowsOf(body, 'False alarms by rule').map((row) => row.filter((_, column) => column !== 1))).toEqual([
    ['Rule', 'Share that was nothing', 'Not counted', 'Month before'],
    ['Call button', '0 of 1', '1 test', '–'],
    ['Smoke alarm', '1 of 1', '–', '–'],
    ['Silent for 12 h', '1 of 1', '–', '–'],
    ['All', '2 of 3', '1 test', '–'],
  ])
  expect(body).toContain('Beside these, 1 notice about devices')
  expect(body).toContain('1 alert was closed without anybody at the door on record (Urgent 1)')
  expect(rowsOf(body, 'Pages at night, by person')[1]).toEqual(['示例·张社工', '1', '1', '&lt; 0.1', '1 (3 Feb)'])
})

test('a month is compared with the one before, and others can be chosen', async () => {
  const page = await ask('/numbers?community=large-community&month=2026-02', large.supervisor)
  expect(page.text).toMatch(/The month before, January 2026: at the door of an emergency within \d+ min/)
  expect(page.body).toContain('href="/numbers?community=large-community&amp;month=2026-01"')
  expect(page.body).toContain('href="/numbers?community=large-community&amp;month=2026-03"')
  expect(page.body).toContain('<option value="2026-01">January 2026</option>')
  const january = await ask('/numbers?month=2026-01', large.supervisor)
  expect(january.text).toContain('In January 2026')
  expect(january.text).not.toContain('The month before')
  expect(january.text).toContain('The record of this community begins on')
})

test('a month without alerts says so, and invents no time and no share', async () => {
  const march = await ask('/numbers?month=2026-03', large.supervisor)
  expect(march.text).toContain('No alerts in March 2026.')
  expect(march.text).toContain('The month is not over: counted up to 14:27.')
  const first = await ask('/numbers', fresh.supervisor)
  expect(first.text).toContain('No alerts in March 2026.')
  expect(first.text.split('What is counted')[0]).not.toMatch(/\d %|\d min|\d s\b|NaN/)
  expect((await ask('/numbers', fresh.supervisor, 'zh')).text).toContain('2026年3月没有预警。')
})

test('no resident is on the page or in a file; an operator sees no names of staff either, nor single alerts', async () => {
  for (const [who, files] of [
    [large.supervisor, ['/numbers', '/numbers.csv', '/numbers/alerts.csv']],
    [large.operator, ['/numbers', '/numbers.csv']],
  ] as const)
    for (const path of files) {
      const { body, status } = await ask(path, who, 'zh')
      expect(status, path).toBe(200)
      for (const secret of ['示例·居民', '示例路', 'large-r'])
        expect(body.includes(secret), `${who} ${path} ${secret}`).toBe(false)
      const main = body.slice(Math.max(0, body.indexOf('<main')))
      expect(main.includes('示例·张社工'), `${who} ${path}`).toBe(
        who === large.supervisor && path !== '/numbers/alerts.csv',
      )
      if (who === large.operator) expect(main.includes('large-zhang'), path).toBe(false)
    }
  const operators = await ask('/numbers', large.operator)
  expect(operators.text).toContain('Person 1')
  expect(operators.body).not.toContain('/numbers/alerts.csv')
  expect((await ask('/numbers/alerts.csv', large.operator)).status).toBe(404)
})

test('names can be left out for handing on', async () => {
  const page = await ask('/numbers?names=hide', large.supervisor)
  expect(page.body.slice(page.body.indexOf('<main'))).not.toContain('社工')
  expect(page.body).toContain('/numbers.csv?community=large-community&amp;month=2026-02&amp;names=hide')
  expect((await ask('/numbers.csv?names=hide', large.supervisor)).body).not.toContain('社工')
})

test('what is no month, or not the viewer’s, does not exist; a month outside the record says so', async () => {
  for (const query of ['', 'month=', 'names=all']) {
    const { text } = await ask(`/numbers?${query}`, large.supervisor)
    expect(text, query).toContain('In February 2026')
    expect(text, query).not.toContain('outside the record')
  }
  for (const query of ['month=2026-13', 'month=%27;drop', 'month=2026-02&month=2026-01'])
    for (const path of ['/numbers', '/numbers.csv', '/numbers/alerts.csv'])
      expect((await ask(`${path}?${query}`, large.supervisor)).status, query).toBe(404)
  const outside = await ask('/numbers?month=1999-01', large.supervisor)
  expect(outside.text).toContain('January 1999 is outside the record. This is February 2026.')
  expect((await ask('/numbers?month=2026-04', large.supervisor, 'zh')).text).toContain(
    '2026年4月没有记录，下面是2026年2月的数字。',
  )
  expect((await ask('/numbers.csv?month=1999-01', large.supervisor)).status).toBe(404)
  for (const path of ['/numbers', '/numbers.csv', '/numbers/alerts.csv'])
    expect((await ask(`${path}?community=small-community`, large.supervisor)).status).toBe(404)
})

test('who belongs to no community is told so', async () => {
  await database.db.query(`insert into staff values ('lonely', '示例', 'supervisor', 'lonely', 'x')`)
  expect((await ask('/numbers', 'lonely')).text).toContain('You do not belong to a community yet')
  expect((await ask('/numbers.csv', 'lonely')).status).toBe(404)
})

const parse = (body: string) =>
  body
    .replace('\uFEFF', '')
    .trimEnd()
    .split('\r\n')
    .map((line) => [...line.matchAll(/("(?:[^"]|"")*"|[^,]*)(?:,|$)/g)].slice(0, -1).map(([, cell]) => cell!))

test('the figures as a file: each number with its unit and what it stands on', async () => {
  const { body, headers } = await ask('/numbers.csv?month=2026-02', small.supervisor)
  expect(headers['content-type']).toBe('text/csv; charset=utf-8')
  expect(headers['content-disposition']).toBe('attachment; filename="numbers-2026-02.csv"')
  expect(headers['cache-control']).toBe('no-store')
  expect(body.startsWith('\uFEFFmonth,community,section,measure,group,value,unit,n,label\r\n')).toBe(true)
  // A community may be called like a formula.
  expect(body).toContain("\r\n2026-02,'=示例社区·小,alerts,opened,emergency,3,alerts,,Emergency\r\n")
  expect(body).toContain(',time to door,median,emergency,600,s,3,')
  expect(body).toContain(',time to door,within 2700 s,emergency,66.7,%,3,')
  // Unknown is empty, never 0.
  expect(body).toContain(',time to door,median,urgent,,s,0,')
  expect(body).toContain(',time to door,within 2700 s,urgent,,%,0,')
  expect(body).toContain(',false alarms,share,all,66.7,%,3,')
  expect(body).toContain(',pages at night,2026-02-03,示例·张社工,1,pages,1,')
})

test('one row an alert: when, by the clock of the community and in seconds', async () => {
  const { body } = await ask('/numbers/alerts.csv?month=2026-02', small.supervisor, 'zh')
  const [head, ...rows] = parse(body)
  const of = (row: string[], column: string) => row[head!.indexOf(column)]
  expect(rows).toHaveLength(4)
  const [smoke, fall] = rows
  expect(head!.slice(0, 5)).toEqual(['alert_id', 'kind', 'severity', 'outcome', 'opened_at'])
  expect(of(smoke!, 'opened_at')).toBe('2026-02-03 10:00:00')
  expect(of(fall!, 'opened_at')).toBe('2026-02-03 23:30:00')
  expect(of(fall!, 'closed_at')).toBe('2026-02-04 01:00:00')
  expect(of(fall!, 'first_page_after_s')).toBe('3')
  expect(of(fall!, 'acknowledged_after_s')).toBe('60')
  expect(of(fall!, 'arrived_after_s')).toBe('600')
  expect(of(fall!, 'time_zone')).toBe('Asia/Shanghai')
  expect(of(fall!, 'outcome_label')).toBe('跌倒')
  expect(of(rows[3]!, 'acknowledged_at')).toBe('')
})

test('supervisors and operators find the numbers in their navigation, social workers do not', async () => {
  const link = 'href="/numbers"'
  expect((await ask('/', large.supervisor)).body).toContain(link)
  expect((await ask('/gateways', large.operator)).body).toContain(link)
  expect((await ask('/', 'large-zhang')).body).not.toContain(link)
  expect((await ask('/numbers', 'large-zhang')).status).toBe(404)
})
