import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest'
import { actOnAlert, undoLast } from '../db/alert-actions.js'
import { findAlert } from '../db/alert-views.js'
import { clearAlert, dueAlerts, escalate, openAlert } from '../db/alerts.js'
import { sendSomebodyNow, spokeWithResident } from '../db/ask-answers.js'
import { findAskLink } from '../db/ask-links.js'
import { askNext, failedAsks } from '../db/asks.js'
import { recordAnswers } from '../db/command-answers.js'
import { claimCommands, recordCommandSent } from '../db/command-queue.js'
import { askCommand } from '../db/commands.js'
import { dropClosedAlerts, dropOldRows } from '../db/maintenance.js'
import { monthAlerts } from '../db/numbers.js'
import { claimPages } from '../db/pages.js'
import { registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import { addChannel } from '../db/staff-channels.js'
import { setAgreedToAsk, tellFamily } from '../db/told-family.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity, webhookSecret } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createAskWatch } from './ask-next.js'
import { callsPerPersonMax } from './asking.js'
import type { Channel, Message, SendResult } from './channels/channel.js'
import { createEscalator } from './escalate-due.js'
import { createMessagesOutbox } from './messages-outbox.js'
import type { AlertKind } from './model.js'
import { falseAlarms, timesOf } from './numbers.js'
import { toPage } from './outbox-message.js'
import { pageMessage } from './page-message.js'

const minute = 60_000
const askMs = 30 * minute
const clock = manualClock(new Date('2026-06-01T00:00:00Z'))
const log = createLog({ role: 'test', level: 'silent' })
const signal = createSignal()
let database: TestDatabase
let db: TestDatabase['db']
let voiceNo: number
let outbox: ReturnType<typeof createMessagesOutbox>
let told: { to: string; message: Message }[]
let answer: (to: string) => SendResult
/** Made anew in each look, as by processes that are killed in between. */
const look = () => createAskWatch({ db, clock, log, signal })()
const escalateDue = async () => {
  await createEscalator({ db, clock, log, signal })()
}
const rows = async (sql: string, values: unknown[] = []) => (await db.query(sql, values)).rows

const channel: Channel = {
  kind: 'email',
  send: async () => ({ kind: 'sent', detail: '' }),
  tell: async (message, to) => {
    told.push({ to: to.address.replace('@example.org', ''), message })
    return answer(to.address)
  },
}

beforeAll(async () => {
  database = await startTestDatabase()
  db = database.db
  await registerCommunity(db, {
    key: 'a',
    homes: 2,
    now: clock.now(),
    channelsOf: (who) => [
      { kind: 'email', address: `${who}@example.org` },
      { kind: 'webhook', address: `http://127.0.0.1/${who}`, secret: webhookSecret },
    ],
  })
  const [{ device_no }] = await rows(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at) values ('a-1-voice', 'voice', 'a-1', 'a-1', '客厅', $1)
     returning device_no`,
    [clock.now()],
  )
  voiceNo = device_no
  const by = { by: 'a-supervisor', communityIds: ['a'], now: clock.now() }
  const staffId = (await tellFamily(db, { familyMemberId: 'a-daughter', ...by }))!
  const email = { kind: 'email' as const, address: 'daughter@example.org', secret: null }
  await addChannel(db, { staffId, channel: email, now: clock.now() })
})
afterAll(() => database?.stop())
beforeEach(async () => {
  await db.query(
    "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null where closed_at is null",
  )
  await db.query("update asks set ended_at = asked_at, ended_why = 'settled' where ended_at is null")
  await db.query("update messages set status = 'cancelled' where status = 'pending'")
  await db.query('delete from commands')
  await db.query('delete from arrivals')
  await db.query('update gateways set online = true')
  await db.query('update devices set unbound_at = null')
  await family('no')
  told = []
  answer = () => ({ kind: 'sent', detail: '' })
  clock.advance(24 * 60 * minute)
  const shift = [clock.now(), new Date(clock.now().getTime() + 12 * 60 * minute)]
  await db.query(
    "insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ('a', 'a-colleague', $1, $2) on conflict do nothing",
    shift,
  )
})

const family = (agreed: 'yes' | 'no') =>
  setAgreedToAsk(db, {
    staffId: 'family:a-daughter',
    agreed: agreed === 'yes',
    by: 'a-supervisor',
    communityIds: ['a'],
    now: clock.now(),
  })
const open = async (
  kind: AlertKind = 'silence_unusual',
  { residentId = 'a-1', asks = askMs } = {},
): Promise<number> => {
  const now = clock.now()
  const alert = {
    residentId,
    deviceNo: null,
    kind,
    openedAt: now,
    observedAt: now,
    headline: { zh: '10:05 起没有用水。', en: 'No water used since 10:05.' },
    reason: {},
    ...(asks > 0 ? { askUntil: new Date(now.getTime() + asks) } : {}),
  }
  return (await db.transaction((tx) => openAlert(tx, alert, now)))!
}
const stateOf = async (alertId: number) => {
  const [row] = await rows(
    `select stage, outcome, step, round((extract(epoch from due_at - $2) / 60)::numeric)::int as due,
            round((extract(epoch from asked_until - $2) / 60)::numeric)::int as asked from alerts where alert_id = $1`,
    [alertId, clock.now()],
  )
  return row
}
const asksOf = async (alertId: number) =>
  (
    await rows(
      `select way, coalesce(k.staff_id, d.kind) as who, ended_why as why from asks k left join devices d using (device_no)
        where alert_id = $1 order by ask_id`,
      [alertId],
    )
  ).map(({ way, who, why }) => `${way} ${who}${why ? `: ${why}` : ''}`)
const pagesOf = async (alertId: number): Promise<string[]> =>
  (await rows('select staff_id from pages where alert_id = $1 order by created_at, staff_id', [alertId])).map(
    (row) => row.staff_id,
  )
const eventsOf = async (alertId: number): Promise<string[]> =>
  (await rows('select kind from alert_events where alert_id = $1 order by alert_event_id', [alertId])).map(
    (row) => row.kind,
  )
const commands = () => rows('select name, state, device_no, asked_by, arguments from commands order by command_no')
/** What an edge does with the commands that are due, and what the device says of them. */
const carryOut = async (result: 'done' | 'failed' | 'nothing', deviceId = 'a-1-voice') => {
  const claimed = await claimCommands(db, { gatewayIds: ['a-1'], now: clock.now(), leaseMs: 10_000, rowsMax: 10 })
  for (const { commandId } of claimed) {
    await recordCommandSent(db, { commandId, now: clock.now() })
    if (result === 'nothing') continue
    const said = { commandId, gatewayId: 'a-1', deviceId, result, detail: '', receivedAt: clock.now().getTime() }
    expect(await recordAnswers(db, [said])).toEqual([])
  }
  return claimed.length
}
/** What the outbox of messages sends until it has nothing more to do. */
const sendMessages = async () => {
  const parts = { db, channels: [channel], publicUrl: 'http://localhost', clock, log, signal }
  outbox = createMessagesOutbox({ ...parts, metrics: new Registry(), pollMs: 20 })
  outbox.start()
  for (let still = 0; still < 3; ) {
    await new Promise((resolve) => setTimeout(resolve, 60))
    const [{ n }] = await rows(
      "select count(*)::int as n from messages where status = 'pending' and next_attempt_at <= $1",
      [clock.now()],
    )
    still = n === 0 ? still + 1 : 0
  }
  await outbox.stop()
}
const staff = (alertId: number, staffId = 'a-worker') => ({
  alertId,
  staffId,
  via: 'console' as const,
  now: clock.now(),
})
const tokenOf = (message: Message) => message.url!.split('/').at(-1)!

describe('the ways', () => {
  test('a voice panel is told to ask, and nobody is paged before half an hour is over; then the page says so', async () => {
    const alertId = await open()
    expect(await commands()).toMatchObject([
      { name: 'prompt', state: 'pending', device_no: voiceNo, asked_by: null, arguments: { language: 'zh-CN' } },
    ])
    expect(await stateOf(alertId)).toEqual({ stage: 'open', outcome: null, step: 0, due: 30, asked: 30 })
    expect(await eventsOf(alertId)).toEqual(['opened', 'asked'])
    expect(await carryOut('done')).toBe(1)
    for (let m = 0; m < 29; m++) {
      clock.advance(minute)
      await look()
      await escalateDue()
      expect(await pagesOf(alertId)).toEqual([])
    }
    clock.advance(minute)
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual(['a-worker'])
    expect(await asksOf(alertId)).toEqual(['home voice: unanswered'])
    expect(await eventsOf(alertId)).toEqual(['opened', 'asked', 'unanswered', 'told'])
    // The chain goes on from there.
    clock.advance(15 * minute)
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual(['a-worker', 'a-colleague'])
    const [page] = await claimPages(db, {
      now: clock.now(),
      leaseMs: 10_000,
      of: 'others',
      pagesMax: 10,
      perLineMax: 10,
      linesMax: 10,
      lineMax: new Map(),
    })
    const { text, html } = pageMessage({ page: toPage(page!, 'http://localhost'), now: clock.now() })
    expect(text).toContain('08:00 起询问过（家里的语音或提示音），没有回应。')
    expect(html).toContain('08:00 起询问过（家里的语音或提示音），没有回应。')
  })

  test('no voice panel: the chime of the button; no gateway: the family, who gets a link; nobody of it: whom a page would be for', async () => {
    await db.query('update devices set unbound_at = $2 where device_no = $1', [voiceNo, clock.now()])
    expect(await asksOf(await open())).toEqual(['home button'])
    await db.query(
      "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null where closed_at is null",
    )
    await db.query('update gateways set online = false')
    await family('yes')
    const asked = await open()
    expect(await asksOf(asked)).toEqual(['family family:a-daughter'])
    await sendMessages()
    expect(told.map(({ to, message }) => `${to} ${message.kind}`)).toEqual(['daughter call task'])
    const token = tokenOf(told[0]!.message)
    expect(await findAskLink(db, { token, now: clock.now() })).toMatchObject({
      alertId: asked,
      way: 'family',
      familyMemberId: 'a-daughter',
      expired: false,
    })
    expect(JSON.stringify(await rows('select * from messages'))).not.toContain(token)
    await family('no')
    await db.query(
      "update alerts set stage = 'closed', outcome = 'test', closed_at = opened_at, due_at = null where closed_at is null",
    )
    told = []
    expect(await asksOf(await open())).toEqual(['task a-worker'])
    await sendMessages()
    expect(told).toMatchObject([{ to: 'worker', message: { kind: 'call task', text: { zh: /^请给示例·居民 a-1/ } } }])
  })

  test('a device of the home that is offline is passed over', async () => {
    await db.query(
      `insert into alerts (resident_id, community_id, device_no, kind, severity, opened_at, observed_at, headline_zh, headline_en)
       values ('a-1', 'a', $1, 'device_offline', 'notice', $2, $2, '', '')`,
      [voiceNo, clock.now()],
    )
    expect(await asksOf(await open())).toEqual(['home button'])
  })

  test('the prompt goes out at night, and to whoever sleeps, all the same', async () => {
    await db.query(
      "update staff set quiet_from = '00:00', quiet_until = '23:59', quiet_zone = 'Asia/Shanghai' where staff_id = 'a-worker'",
    )
    await db.query("delete from duty_shifts where community_id = 'a'")
    await db.query('update gateways set online = false')
    expect((await asksOf(await open())).every((line) => line.startsWith('task '))).toBe(true)
    await sendMessages()
    expect(told.length).toBeGreaterThan(0)
    await db.query('update staff set quiet_from = null, quiet_until = null, quiet_zone = null')
  })
})

test('that a family member agreed may be registered as well; left out it stays', async () => {
  const agreed = async () =>
    (await rows("select agreed_to_ask as is from family_members where resident_id = 'a-1'"))[0].is
  const again = (more: object) => {
    const daughter = { id: 'a-daughter', resident: 'a-1', name: '示例·女儿', ...more }
    const document = registerDocument.parse({ family: [daughter] })
    return register(db, { document, timeZoneDefault: 'Asia/Shanghai', now: clock.now() })
  }
  for (const [more, expected] of [
    [{}, false],
    [{ agreedToAsk: true }, true],
    [{}, true],
    [{ agreedToAsk: false }, false],
  ] as const) {
    await again(more)
    expect(await agreed()).toBe(expected)
  }
})

describe('a way that fails', () => {
  test('refused by every device, then by every address: at once the next, and a page when none is left', async () => {
    await family('yes')
    const alertId = await open()
    await carryOut('failed')
    await look()
    expect(await asksOf(alertId)).toEqual(['home voice: failed', 'home button'])
    await carryOut('failed', 'a-1-button')
    await look()
    answer = () => ({ kind: 'refused', reason: 'no such mailbox' })
    await sendMessages()
    await look()
    expect((await asksOf(alertId)).slice(1)).toEqual([
      'home button: failed',
      'family family:a-daughter: failed',
      'task a-worker',
    ])
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual([])
    await db.query("delete from staff_channels where staff_id = 'a-worker' and kind = 'webhook'")
    await sendMessages()
    expect(await look()).toBe('idle')
    expect((await asksOf(alertId)).at(-1)).toBe('task a-worker: failed')
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open', due: 0, asked: 0 })
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual(['a-worker'])
    await db.query('update staff_channels set broken_at = null, broken_reason = null')
  })

  test('a device that says nothing for two minutes has not asked; nor has a message that does not leave for three', async () => {
    await family('yes')
    const alertId = await open()
    await carryOut('nothing')
    clock.advance(2 * minute - 1_000)
    await look()
    expect(await asksOf(alertId)).toEqual(['home voice'])
    clock.advance(1_000)
    await look()
    expect(await asksOf(alertId)).toEqual(['home voice: failed', 'home button'])
    clock.advance(2 * minute)
    await look()
    expect((await asksOf(alertId)).at(-1)).toBe('family family:a-daughter')
    clock.advance(3 * minute)
    await look()
    expect((await asksOf(alertId)).slice(2)).toEqual(['family family:a-daughter: failed', 'task a-worker'])
    // What was given up is not sent any more.
    await sendMessages()
    expect(told.map(({ to }) => to)).toEqual(['worker'])
    expect(await eventsOf(alertId)).toEqual([
      'opened',
      'asked',
      'ask failed',
      'asked',
      'ask failed',
      'asked',
      'ask failed',
      'asked',
    ])
  })

  test('with too little time left for another way a person is paged at once', async () => {
    const alertId = await open('silence_unusual', { asks: 6 * minute })
    clock.advance(2 * minute)
    await look()
    await escalateDue()
    expect(await asksOf(alertId)).toEqual(['home voice: failed'])
    expect(await pagesOf(alertId)).toEqual(['a-worker'])
  })

  test('an alert that waits for something else as well, as in an incident, goes on waiting for that', async () => {
    const alertId = await open('silence_unusual', { asks: 6 * minute })
    await db.query("update alerts set due_at = due_at + interval '2 hours' where alert_id = $1", [alertId])
    clock.advance(2 * minute)
    await look()
    await escalateDue()
    expect(await stateOf(alertId)).toMatchObject({ asked: 0, due: 124 })
    expect(await pagesOf(alertId)).toEqual([])
    clock.advance(124 * minute)
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual(['a-worker'])
  })

  test('with no time to answer at all, as after a standstill, it is paged at once', async () => {
    const late = await open('silence_unusual', { asks: 4 * minute })
    expect(await pagesOf(late)).toEqual(['a-worker'])
    expect(await asksOf(late)).toEqual([])
  })

  test('after a clock has jumped back, the rules being hours ahead, nobody waits for longer than half an hour', async () => {
    const ahead = await open('silence_unusual', { asks: 300 * minute })
    expect(await stateOf(ahead)).toMatchObject({ asked: 30, due: 30 })
  })

  test('where nothing and nobody can be asked it goes as without asking', async () => {
    await db.query('update gateways set online = false')
    const channels = await rows('select * from staff_channels')
    await db.query('delete from staff_channels')
    const alertId = await open()
    expect(await asksOf(alertId)).toEqual([])
    expect(await stateOf(alertId)).toMatchObject({ asked: null, due: 30 })
    expect(await eventsOf(alertId)).toEqual(['opened', 'nobody to tell'])
    await db.query('insert into staff_channels select * from jsonb_populate_recordset(null::staff_channels, $1)', [
      JSON.stringify(channels),
    ])
  })

  test('though every command fails and nobody looks after it, the page comes at its time', async () => {
    const alertId = await open()
    await carryOut('failed')
    clock.advance(askMs)
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual(['a-worker'])
  })
})

describe('what settles it', () => {
  test('activity: closed as fine, nobody was paged, and what has not left is not sent', async () => {
    await db.query('update gateways set online = false')
    await family('yes')
    const alertId = await open()
    clock.advance(10 * minute)
    const headline = { zh: '用水了。', en: 'Water used.' }
    const cleared = {
      residentId: 'a-1',
      kind: 'silence_unusual' as const,
      deviceNo: null,
      headline,
      outcome: 'resident fine' as const,
    }
    await db.transaction((tx) => clearAlert(tx, { ...cleared, at: clock.now() }))
    await sendMessages()
    expect(told).toEqual([])
    clock.advance(askMs)
    await look()
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual([])
    expect(await asksOf(alertId)).toEqual(['family family:a-daughter: settled'])
    expect(await stateOf(alertId)).toMatchObject({ stage: 'closed', outcome: 'resident fine', due: null })
    expect(await eventsOf(alertId)).toEqual(['opened', 'asked', 'cleared', 'closed'])
  })

  test('a prompt that has not left when it is settled is not said any more', async () => {
    const alertId = await open()
    await spokeWithResident(db, staff(alertId))
    expect(await carryOut('done')).toBe(0)
    expect((await commands()).map(({ state }) => state)).toEqual(['cancelled'])
  })

  test('somebody spoke with them: closed, the rules are told, and it can be taken back', async () => {
    const alertId = await open()
    clock.advance(10 * minute)
    expect(await spokeWithResident(db, staff(alertId))).toEqual({ kind: 'done' })
    expect(await spokeWithResident(db, staff(alertId))).toEqual({ kind: 'late' })
    const at = clock.now().getTime()
    expect(await rows('select resident_id, body from arrivals')).toEqual([
      { resident_id: 'a-1', body: [{ type: 'spoken', at, receivedAt: at }] },
    ])
    expect(await stateOf(alertId)).toMatchObject({ stage: 'closed', outcome: 'resident fine' })
    clock.advance(30_000)
    const undo = { alertId, staffId: 'a-worker', via: 'console' as const, now: clock.now() }
    expect(await undoLast(db, undo)).toEqual({ kind: 'done' })
    // Else the rules would take the call that never was for a sign of life, and close the alert.
    expect(await rows('select body from arrivals order by arrival_id desc limit 1')).toEqual([
      { body: [{ type: 'unsaid', word: 'spoken', at, receivedAt: clock.now().getTime() }] },
    ])
    expect((await findAlert(db, { alertId, communityIds: ['a'] }))!.asking).toMatchObject({
      way: 'home',
      device: 'voice',
    })
    clock.advance(askMs)
    await escalateDue()
    expect((await pagesOf(alertId)).length).toBeGreaterThan(0)
  })

  test('who has taken it meanwhile goes on with it; a word of the family is noted there', async () => {
    await db.query('update gateways set online = false')
    await family('yes')
    const alertId = await open()
    await sendMessages()
    await actOnAlert(db, { ...staff(alertId, 'a-colleague'), action: { kind: 'en_route' } })
    expect(await asksOf(alertId)).toEqual(['family family:a-daughter: taken'])
    const kin = { alertId, staffId: 'family:a-daughter', via: 'link' as const, now: clock.now() }
    expect(await spokeWithResident(db, kin)).toEqual({ kind: 'noted' })
    expect(await sendSomebodyNow(db, kin)).toEqual({ kind: 'late' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'en_route' })
    expect((await eventsOf(alertId)).at(-1)).toBe('spoken')
    expect(await rows('select from arrivals')).toHaveLength(1)
  })

  test('somebody is sent for: the chain begins at once, in its own order', async () => {
    const alertId = await open()
    clock.advance(10 * minute)
    expect(await sendSomebodyNow(db, staff(alertId))).toEqual({ kind: 'done' })
    expect(await sendSomebodyNow(db, staff(alertId))).toEqual({ kind: 'late' })
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual(['a-worker'])
    clock.advance(15 * minute)
    await escalateDue()
    expect(await pagesOf(alertId)).toEqual(['a-worker', 'a-colleague'])
    expect(await eventsOf(alertId)).toEqual(['opened', 'asked', 'sent for', 'told', 'told'])
  })

  test('a word with the resident is none about a pressed button', async () => {
    const alertId = await open('button')
    expect(await spokeWithResident(db, staff(alertId))).toEqual({ kind: 'missing' })
    expect(await stateOf(alertId)).toMatchObject({ stage: 'open' })
  })
})

test('in the numbers it is apart: no false alarm, and nothing that anybody waited for', async () => {
  const settled = await open()
  clock.advance(10 * minute)
  await spokeWithResident(db, staff(settled))
  const paged = await open()
  clock.advance(askMs)
  await escalateDue()
  clock.advance(10_000)
  await db.query("update pages set status = 'sent', sent_at = $2 where alert_id = $1", [paged, clock.now()])
  await actOnAlert(db, { ...staff(paged), action: { kind: 'close', outcome: 'resident fine', note: '' } })
  const span = { from: new Date(clock.now().getTime() - 60 * minute), to: clock.now(), timeZone: 'Asia/Shanghai' }
  const alerts = await monthAlerts(db, { communityId: 'a', span, now: clock.now() })
  expect(falseAlarms(alerts)).toEqual({ share: { part: 1, of: 1 }, settled: 1, tests: 0, others: 0, open: 0 })
  expect(timesOf(alerts, 'page')).toMatchObject({
    n: 1,
    medianMs: 10_000,
    within: [
      { part: 1, of: 1 },
      { part: 1, of: 1 },
    ],
  })
  expect(timesOf(alerts, 'taken')).toMatchObject({ n: 1, medianMs: 10_000 })
})

test('many homes at once: one person is asked for as many calls as can be made, and paged for the rest', async () => {
  const homes = callsPerPersonMax + 3
  const channelsOf = (who: string) => [{ kind: 'email' as const, address: `${who}@example.org` }]
  await registerCommunity(db, { key: 'm', homes, now: clock.now(), channelsOf })
  await db.query('update gateways set online = false')
  const alertIds: number[] = []
  for (let n = 1; n <= homes; n++) alertIds.push(await open('silence_unusual', { residentId: `m-${n}` }))
  const tasks = await Promise.all(alertIds.map(asksOf))
  expect(tasks.filter(({ length }) => length > 0)).toEqual(Array(callsPerPersonMax).fill(['task m-worker']))
  for (const alertId of alertIds.slice(callsPerPersonMax)) expect(await pagesOf(alertId)).toEqual(['m-worker'])
  // One call made is room for another.
  await spokeWithResident(db, staff(alertIds[0]!, 'm-worker'))
  expect(await asksOf(await open('silence_unusual', { residentId: 'm-1' }))).toEqual(['task m-worker'])
})

describe('what never waits', () => {
  test('an emergency is paged at once, asking or not; so is 24 h of silence', async () => {
    await open()
    for (const kind of ['button', 'smoke', 'gas', 'co', 'voice'] as const) {
      const alertId = await open(kind)
      expect(await pagesOf(alertId)).toContain('a-worker')
      expect(await asksOf(alertId)).toEqual([])
    }
    expect(await pagesOf(await open('silent_24h', { asks: 0 }))).toEqual(['a-worker'])
  })
})

describe('crashes and company', () => {
  test('whatever goes wrong with asking, the alert opens, a person is paged at once, and the history says why', async () => {
    await db.query('alter table asks rename to asks_away')
    const alertId = await open()
    await db.query('alter table asks_away rename to asks')
    expect(await eventsOf(alertId)).toEqual(['opened', 'asking failed', 'told'])
  })

  test('two processes open it at once: asked once; two look after it at once: the next way once', async () => {
    const opened = await Promise.all([open().catch(() => null), open().catch(() => null)])
    const [alertId] = opened.filter((id) => id !== null)
    expect(opened.filter((id) => id !== null)).toHaveLength(1)
    expect(await commands()).toHaveLength(1)
    await carryOut('failed')
    await Promise.all([look(), look(), look()])
    expect(await asksOf(alertId!)).toEqual(['home voice: failed', 'home button'])
    expect(await commands()).toHaveLength(2)
  })

  test('a transaction that dies leaves nothing: no alert, no prompt, no message', async () => {
    const before = await rows('select count(*)::int as n from alerts')
    const now = clock.now()
    const news = { residentId: 'a-1', deviceNo: null, kind: 'silence_unusual' as const, openedAt: now, observedAt: now }
    const dying = db.transaction(async (tx) => {
      const headline = { zh: '', en: '' }
      await openAlert(tx, { ...news, headline, reason: {}, askUntil: new Date(now.getTime() + askMs) }, now)
      throw new Error('killed')
    })
    await expect(dying).rejects.toThrow('killed')
    expect(await rows('select count(*)::int as n from alerts')).toEqual(before)
    expect(await commands()).toEqual([])
    const alertId = await open()
    await carryOut('failed')
    const next = db.transaction(async (tx) => {
      expect(await askNext(tx, { alertId, now: clock.now() })).toBe(true)
      throw new Error('killed')
    })
    await expect(next).rejects.toThrow('killed')
    expect(await asksOf(alertId)).toEqual(['home voice'])
    expect(await failedAsks(db, { now: clock.now(), alertsMax: 10, except: [] })).toEqual([alertId])
    await look()
    expect(await asksOf(alertId)).toEqual(['home voice: failed', 'home button'])
  })

  test('a due alert of another process is taken once', async () => {
    const alertId = await open()
    clock.advance(askMs)
    const now = clock.now()
    expect(await dueAlerts(db, { now, alertsMax: 10, except: [] })).toEqual([alertId])
    await Promise.all([1, 2].map(() => db.transaction((tx) => escalate(tx, { alertId, now }))))
    expect(await pagesOf(alertId)).toEqual(['a-worker'])
  })

  test('Shouwang itself asks a home to answer, and never for anything else', async () => {
    const valve = `insert into commands (resident_id, device_no, gateway_id, name, state, asked_at, due_at, expires_at, expires_after_s)
      values ('a-1', $1, 'a-1', 'led', 'pending', $2, $2, $2, 60)`
    await expect(db.query(valve, [voiceNo, clock.now()])).rejects.toThrow(/commands_asked_by_whom/)
    const asked = await askCommand(db, {
      residentId: 'a-1',
      deviceNo: voiceNo,
      command: { name: 'chime' },
      staffId: 'a-worker',
      communityIds: ['a'],
      now: clock.now(),
    })
    expect(asked.kind).toBe('asked')
  })

  test('old alerts go with what was asked about them, and messages and commands go before them', async () => {
    await db.query('update gateways set online = false')
    const alertId = await open()
    await sendMessages()
    await spokeWithResident(db, staff(alertId))
    clock.advance(91 * 24 * 60 * minute)
    await dropOldRows(db, { now: clock.now(), retentionDays: 400 })
    expect(await asksOf(alertId)).toEqual(['task a-worker: settled'])
    await db.query('update devices set unbound_at = null')
    await dropClosedAlerts(db, { closedBefore: clock.now() })
    expect(await rows('select from asks where alert_id = $1', [alertId])).toEqual([])
  })
})
