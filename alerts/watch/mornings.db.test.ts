import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { registerCommunity } from '../../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { createMornings } from './mornings.js'

/** Saturday, 07:30 in Shanghai. */
const saturday = new Date('2027-01-02T07:30:00+08:00')
const hourMs = 3_600_000
const dayMs = 24 * hourMs
let database: TestDatabase
let clock: ReturnType<typeof manualClock>
let mornings: () => Promise<void>

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, {
    key: 'm',
    now: saturday,
    channelsOf: (who) => [
      { kind: 'email', address: `${who}@example.org` },
      { kind: 'webhook', address: 'http://127.0.0.1:9/', secret: 'invented-webhook-secret' },
    ],
  })
})
afterAll(() => database.stop())
/** A community that was seen on the day before, where everybody is reached at each hour. */
beforeEach(async () => {
  const { db } = database
  await db.query(`delete from messages`)
  await db.query('delete from mornings')
  await db.query('delete from duty_shifts')
  await db.query(`update staff_channels set broken_at = null, broken_reason = null`)
  await db.query(
    `insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ('m', 'm-colleague', $1, $2)`,
    [new Date(saturday.getTime() - dayMs), new Date(saturday.getTime() + 30 * dayMs)],
  )
  await db.query(
    `insert into devices_tested (device_no, tested_at, how) select device_no, $1, 'page' from devices
     on conflict (device_no) do update set tested_at = $1`,
    [saturday],
  )
  clock = manualClock(new Date(saturday.getTime() - dayMs + hourMs))
  mornings = createMornings({
    db,
    channelKinds: ['email', 'webhook'],
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
  })
  await mornings()
  clock.set(new Date(saturday.getTime() + hourMs))
})
const told = async () =>
  (
    await database.db.query<{ staff_id: string; kind: string; text_en: string; lines: { en: string }[]; path: string }>(
      'select staff_id, kind, text_en, lines, path from messages order by created_at, kind, staff_id',
    )
  ).rows.map(({ staff_id: to, kind, text_en: text, lines, path }) => ({
    to,
    kind,
    text,
    lines: lines.map(({ en }) => en),
    path,
  }))

test('where nothing is missing nobody is told, but on Mondays', async () => {
  await mornings()
  expect(await told()).toEqual([])
  clock.advance(2 * dayMs)
  await mornings()
  expect(await told()).toEqual([
    {
      to: 'm-supervisor',
      kind: 'coverage',
      text: '示例社区 m: in the coming 14 days every step reaches somebody.',
      lines: [],
      path: '/coverage',
    },
  ])
})

test('the roster has a hole: the supervisor is told in the morning, once, and every morning until it is filled', async () => {
  await database.db.query(`update duty_shifts set ends_at = $1`, [new Date('2027-01-09T20:00:00+08:00')])
  await Promise.all([mornings(), mornings(), mornings()])
  await mornings()
  const hole = 'Sat 9 Jan 20:00 – Sat 16 Jan 08:30: nobody on duty (step 2 of emergency, urgent and warning)'
  expect(await told()).toEqual([
    {
      to: 'm-supervisor',
      kind: 'coverage',
      text: '示例社区 m: 1 gap in the cover of the coming 14 days.',
      lines: [hole],
      path: '/coverage',
    },
  ])
  clock.advance(dayMs)
  await mornings()
  expect(await told()).toHaveLength(2)
})

test('what comes up during the day is for the next morning', async () => {
  await mornings()
  await database.db.query(`delete from duty_shifts`)
  clock.advance(2 * hourMs)
  await mornings()
  expect(await told()).toEqual([])
})

test('before eight in the morning, and in the evening, nobody is told', async () => {
  await database.db.query(`delete from duty_shifts`)
  clock.set(saturday)
  await mornings()
  clock.set(new Date('2027-01-02T20:00:00+08:00'))
  await mornings()
  expect(await told()).toEqual([])
  clock.set(new Date('2027-01-02T19:59:00+08:00'))
  await mornings()
  expect(await told()).toHaveLength(1)
})

test('a community that is seen for the first time has its first morning on the day after', async () => {
  await database.db.query(`delete from mornings`)
  await database.db.query(`delete from duty_shifts`)
  await mornings()
  expect(await told()).toEqual([])
  clock.advance(dayMs)
  await mornings()
  expect(await told()).toHaveLength(1)
})

test('a person whose channel is broken, and an address that bounces', async () => {
  await database.db.query(
    `update staff_channels set broken_at = $1, broken_reason = '550 no such mailbox'
      where staff_id = 'm-worker' and kind = 'email'`,
    [saturday],
  )
  await mornings()
  expect((await told())[0]!.lines).toEqual([
    '示例·张社工 m: the e-mail address has been refused since 2 Jan: 550 no such mailbox',
  ])
  await database.db.query(
    `update staff_channels set broken_at = $1, broken_reason = '404 gone' where staff_id = 'm-worker'`,
    [saturday],
  )
  clock.advance(dayMs)
  await mornings()
  expect((await told())[1]!.lines).toEqual([
    'Step 1 of emergency, urgent and warning: nobody in all 14 days',
    '示例·张社工 m (responsible for residents) is out of reach: every channel was refused for good',
  ])
})

test('where there is no supervisor, the operator is told', async () => {
  await database.db.query(`update staff set disabled_at = now() where staff_id = 'm-supervisor'`)
  await mornings()
  await database.db.query(`update staff set disabled_at = null where staff_id = 'm-supervisor'`)
  expect((await told()).map(({ to, lines }) => [to, lines.at(-1)])).toEqual([
    ['m-operator', 'The community has no supervisor'],
  ])
})

test('on Mondays, which devices are due for their test', async () => {
  await database.db.query(
    `delete from devices_tested where device_no = (select device_no from devices where device_id = 'm-1-button')`,
  )
  await mornings()
  expect(await told()).toEqual([])
  clock.advance(2 * dayMs)
  await mornings()
  await mornings()
  expect((await told()).filter(({ kind }) => kind === 'device tests')).toEqual([
    {
      to: 'm-supervisor',
      kind: 'device tests',
      text: '示例社区 m: 1 alarm device at 1 resident’s is due for a test (every 30 days).',
      lines: [],
      path: '/device-tests',
    },
  ])
})

test('no message is left behind by a morning that fails, which comes again', async () => {
  await database.db.query(`delete from duty_shifts`)
  await database.db.query('alter table messages rename to messages_away')
  await mornings()
  await database.db.query('alter table messages_away rename to messages')
  expect(await told()).toEqual([])
  await mornings()
  expect(await told()).toHaveLength(1)
})
