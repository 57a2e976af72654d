import { createHash, randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actOnAlert } from '../../db/alert-actions.js'
import { markRead, nextUid } from '../../db/replies.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity, seedPage } from '../../test/support/fixtures.js'
import { handleMail } from './handle-mail.js'
import type { MailVerdict, OwnMailId } from './inbound-mail.js'
import type { ReplyIntent } from './words.js'

const now = new Date('2026-03-10T06:05:00Z')
const later = (seconds: number) => new Date(now.getTime() + seconds * 1_000)

let database: TestDatabase
let c: Community
let seeded = 0
let uid = 0
/** Of the worker and of the colleague: a page each about the same alert. */
let pages: { worker: string; colleague: string }

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now })
  for (const who of ['worker', 'colleague'] as const)
    await database.db.query(
      "insert into staff_channels (staff_id, position, kind, address, secret) values ($1, 1, 'webhook', 'http://127.0.0.1:9/', 's'), ($1, 2, 'email', $2, null)",
      [c.staff[who].staffId, `${who.toUpperCase()}@${c.key}.example`],
    )
  const { alertId } = c
  const page = (who: 'worker' | 'colleague') =>
    seedPage(database.db, { alertId, staffId: c.staff[who].staffId, now, channel: 'email' })
  pages = { worker: (await page('worker')).pageId, colleague: (await page('colleague')).pageId }
})

type Reply = { intent?: ReplyIntent; from?: string; ids?: OwnMailId[]; at?: Date; key?: string; place?: number }

/** Who answers their own page, as the box would hand it on. */
function reply(who: 'worker' | 'colleague', p: Reply = {}) {
  const { intent = 'acknowledge', from = `${who}@${c.key}.example`, ids = [{ kind: 'page', id: pages[who] }] } = p
  return handle({ kind: 'reply', ids, from, intent }, p)
}
function handle(verdict: Exclude<MailVerdict, { kind: 'not ours' }>, p: Pick<Reply, 'at' | 'key' | 'place'> = {}) {
  uid += 1
  const place = { mailbox: 'box', uidValidity: 7, uid: p.place ?? uid }
  const mailKey = createHash('sha256')
    .update(p.key ?? randomUUID())
    .digest()
  return handleMail(database.db, { place, mailKey, verdict, now: p.at ?? later(10) })
}
const alert = async () =>
  (await database.db.query('select stage, handled_by, due_at from alerts where alert_id = $1', [c.alertId])).rows[0]
const events = async () =>
  (
    await database.db.query(
      "select kind, staff_id, via from alert_events where alert_id = $1 and kind <> 'opened' order by alert_event_id",
      [c.alertId],
    )
  ).rows.map(({ kind, staff_id, via }) => `${kind} ${staff_id?.replace(`${c.key}-`, '') ?? '-'} ${via}`)
const told = async (who: 'worker' | 'colleague') =>
  (
    await database.db.query(
      `select m.text_en, m.text_zh, m.path, m.urgent, h.kind from messages m left join staff_channels h on h.channel_id = m.only_channel
        where m.staff_id = $1 order by m.created_at, m.message_id`,
      [c.staff[who].staffId],
    )
  ).rows

test('a word by e-mail takes the alert, and the writer is told at the address that wrote', async () => {
  expect(await reply('worker')).toBe('acknowledged')
  expect(await alert()).toMatchObject({ stage: 'acknowledged', handled_by: c.staff.worker.staffId })
  expect(await events()).toEqual(['acknowledged worker email'])
  const [answer] = await told('worker')
  expect(answer).toMatchObject({ path: `/alerts/${c.alertId}`, urgent: true, kind: 'email' })
  expect(answer.text_en).toContain('you have it.')
  expect(answer.text_zh).toContain('已由您接手')
})

test('on the way, at the door, each by its word; the same again is said to be nothing new', async () => {
  expect(await reply('worker', { intent: 'en_route' })).toBe('en_route')
  expect(await reply('worker')).toBe('already yours')
  expect(await reply('worker', { intent: 'arrived' })).toBe('arrived')
  expect(await events()).toEqual(['en_route worker email', 'arrived worker email'])
})

test('who is second is told who was first and since when, nothing changes, and history says so once', async () => {
  await reply('worker')
  for (const intent of ['acknowledge', 'en_route', 'arrived'] as const)
    expect(await reply('colleague', { intent, at: later(60) })).toBe('taken')
  expect(await alert()).toMatchObject({ stage: 'acknowledged', handled_by: c.staff.worker.staffId })
  expect(await events()).toEqual(['acknowledged worker email', 'too late colleague email'])
  const [answer] = await told('colleague')
  expect(answer.text_en).toContain(`${c.staff.worker.name} has had it since 14:05`)
  expect(answer.text_zh).toContain(`${c.staff.worker.name} 14:05 起在处理`)
})

test('undone within a minute: it goes on, and who had been told that it was taken is told that nobody has it', async () => {
  await reply('worker')
  await reply('colleague')
  expect(await reply('worker', { intent: 'undo', at: later(65) })).toBe('undone')
  expect((await alert()).stage).toBe('open')
  expect((await told('colleague')).at(-1).text_en).toContain('nobody has it now')
  expect(await reply('colleague', { at: later(70) })).toBe('acknowledged')
  expect(await reply('colleague', { intent: 'undo', at: later(135) })).toBe('undo too late')
  expect((await alert()).stage).toBe('acknowledged')
  expect(await reply('worker', { intent: 'undo', at: later(140) })).toBe('nothing to undo')
})

test('a refusal is on record and makes the next step due; it takes nothing away from somebody else', async () => {
  expect((await alert()).due_at).toEqual(later(60))
  expect(await reply('worker', { intent: 'decline' })).toBe('declined')
  expect(await alert()).toMatchObject({ stage: 'open', due_at: later(10) })
  expect(await events()).toEqual(['declined worker email'])
  await reply('colleague')
  const { due_at } = await alert()
  expect(await reply('worker', { intent: 'decline' })).toBe('declined, taken')
  expect(await reply('colleague', { intent: 'decline' })).toBe('declined but yours')
  expect(await alert()).toMatchObject({ stage: 'acknowledged', handled_by: c.staff.colleague.staffId, due_at })
})

test('a refusal said again in the same round hurries nobody; in the next one it does', async () => {
  const dueIn = async (round: number) => {
    await database.db.query('update alerts set round = $2, due_at = $3 where alert_id = $1', [
      c.alertId,
      round,
      later(60),
    ])
    expect(await reply('worker', { intent: 'decline' })).toBe('declined')
    return (await alert()).due_at
  }
  expect(await dueIn(0)).toEqual(later(10))
  expect(await dueIn(0)).toEqual(later(60))
  expect(await dueIn(1)).toEqual(later(10))
})

test('what is not clear takes nothing and says how to answer', async () => {
  expect(await reply('worker', { intent: 'unclear' })).toBe('unclear')
  expect(await alert()).toMatchObject({ stage: 'open', due_at: later(60) })
  expect((await told('worker'))[0].text_en).toContain('Reply 1 to take it')
})

test('nobody acts from another address, and nobody there is answered', async () => {
  expect(await reply('worker', { from: 'stranger@example.org' })).toBe('another address')
  // A page is the one person's to whom it was sent: a colleague who was forwarded it does not act as that person.
  expect(await reply('worker', { from: `colleague@${c.key}.example` })).toBe('another address')
  expect((await alert()).stage).toBe('open')
  expect(await told('worker')).toEqual([])
  expect(await told('colleague')).toEqual([])
  expect(await reply('worker', { ids: [{ kind: 'page', id: randomUUID() }] })).toBe('not ours')
})

test('a forged mail does nothing; an automatic answer is noted in the history and does nothing', async () => {
  const from = `worker@${c.key}.example`
  const ids: OwnMailId[] = [{ kind: 'page', id: pages.worker }]
  expect(await handle({ kind: 'refused', reason: 'forged', ids, from })).toBe('forged')
  expect(await handle({ kind: 'refused', reason: 'automatic', ids, from })).toBe('automatic')
  expect(await alert()).toMatchObject({ stage: 'open', due_at: later(60) })
  expect(await events()).toEqual(['automatic answer worker email'])
  expect(await told('worker')).toEqual([])
})

test('who left, a family member, and Shouwang’s own watcher never act', async () => {
  const { staffId } = c.staff.worker
  await database.db.query('update staff set disabled_at = $2 where staff_id = $1', [staffId, now])
  expect(await reply('worker')).toBe('may not act')
  for (const role of ['family', 'watcher']) {
    await database.db.query(
      'update staff set disabled_at = null, role = $2, login = null, password_hash = null where staff_id = $1',
      [staffId, role],
    )
    for (const intent of ['acknowledge', 'decline'] as const)
      expect(await reply('worker', { intent }), role).toBe('may not act')
  }
  expect(await alert()).toMatchObject({ stage: 'open', due_at: later(60) })
  await database.db.query("update staff set role = 'volunteer' where staff_id = $1", [staffId])
  expect(await reply('worker')).toBe('acknowledged')
  // A volunteer has no login that a link could lead to.
  expect((await told('worker')).at(-1).path).toBeNull()
})

test('after a day a page is over, and says so', async () => {
  expect(await reply('worker', { at: later(86_400) })).toBe('over')
  expect((await alert()).stage).toBe('open')
  expect((await told('worker'))[0].text_en).toContain('over 24 hours old')
})

test('an alert that is closed stays so', async () => {
  const action = { kind: 'close', outcome: 'test', note: '' } as const
  await actOnAlert(database.db, { alertId: c.alertId, action, staffId: c.staff.colleague.staffId, via: 'console', now })
  expect(await reply('worker')).toBe('closed')
  expect((await told('worker'))[0].text_zh).toContain('已经结束')
})

test('an answer to one of our own answers is about the same page', async () => {
  await reply('worker')
  const { rows } = await database.db.query('select message_id from messages where staff_id = $1', [
    c.staff.worker.staffId,
  ])
  expect(await reply('worker', { intent: 'en_route', ids: [{ kind: 'notice', id: rows[0].message_id }] })).toBe(
    'en_route',
  )
  expect((await alert()).stage).toBe('en_route')
})

test('a program that answers each of our answers is not answered for ever, and still heard', async () => {
  for (let n = 0; n < 15; n++) expect(await reply('worker', { intent: 'unclear' })).toBe('unclear')
  expect(await told('worker')).toHaveLength(12)
  expect(await reply('worker')).toBe('acknowledged')
  expect(await told('worker')).toHaveLength(12)
})

test('a mail acts once: in its place, and wherever else it lies', async () => {
  await reply('worker', { key: 'a', place: 500 })
  await reply('worker', { intent: 'undo', at: later(20), place: 501 })
  expect(await reply('worker', { key: 'a', place: 500 })).toBe('handled before')
  expect(await reply('worker', { place: 500 })).toBe('handled before')
  expect(await reply('worker', { key: 'a', place: 560 })).toBe('handled before')
  expect((await alert()).stage).toBe('open')
  uid = 600
})

test('a mail whose handling fails is not marked as handled', async () => {
  await database.db.query('alter table alert_events add constraint refuse check (at is null) not valid')
  await expect(reply('worker', { key: 'b', place: 700 })).rejects.toThrow()
  await database.db.query('alter table alert_events drop constraint refuse')
  expect(await nextUid(database.db, { mailbox: 'box', uidValidity: 7 })).toBeLessThanOrEqual(700)
  expect(await reply('worker', { key: 'b', place: 700 })).toBe('acknowledged')
  uid = 800
})

test('how far a box was read never goes back, but in another box of that name', async () => {
  const box = { mailbox: 'other', uidValidity: 1 }
  expect(await nextUid(database.db, box)).toBeNull()
  await markRead(database.db, { ...box, uid: 5 }, now)
  await markRead(database.db, { ...box, uid: 3 }, now)
  expect(await nextUid(database.db, box)).toBe(5)
  await markRead(database.db, { ...box, uidValidity: 2, uid: 1 }, now)
  expect(await nextUid(database.db, { ...box, uidValidity: 2 })).toBe(1)
  expect(await nextUid(database.db, box)).toBeNull()
})

test('a mail that came back marks the address and goes to the person’s next channel, as if refused at once', async () => {
  await database.db.query(
    "insert into staff_channels (staff_id, position, kind, address) values ($1, 3, 'email', $2)",
    [c.staff.worker.staffId, 'second@example.org'],
  )
  await database.db.query('update pages set position = 2 where alert_id = $1', [c.alertId])
  const ids: OwnMailId[] = [{ kind: 'page', id: pages.worker }]
  const bounce = { kind: 'bounce', ids, recipient: `worker@${c.key}.example`, reason: '5.1.1 no such user' } as const
  expect(await handle({ ...bounce, recipient: 'stranger@example.org' })).toBe('not ours')
  expect(await handle(bounce)).toBe('bounced')
  const { rows: channels } = await database.db.query(
    'select position, broken_reason from staff_channels where staff_id = $1 order by position',
    [c.staff.worker.staffId],
  )
  expect(channels.map(({ broken_reason }) => broken_reason)).toEqual([null, 'bounced: 5.1.1 no such user', null])
  const { rows } = await database.db.query(
    'select channel, position, status, last_error from pages where alert_id = $1 and staff_id = $2 order by created_at, position',
    [c.alertId, c.staff.worker.staffId],
  )
  expect(rows).toEqual(
    expect.arrayContaining([
      { channel: 'email', position: 2, status: 'failed', last_error: 'bounced: 5.1.1 no such user' },
      expect.objectContaining({ status: 'pending' }),
    ]),
  )
  expect(await events()).toEqual(['page failed - system'])
})
