import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { nextUid } from '../../db/replies.js'
import { systemClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedAlert, seedCommunity, seedPage } from '../../test/support/fixtures.js'
import { eventually } from '../../test/support/processes.js'
import { imapAddress, type Mailbox, type MailHead, UnreadableMails } from './mailbox.js'
import { startReplies } from './replies.js'

let database: TestDatabase
let c: Community
beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'c', now: new Date() })
  await database.db.query(
    "insert into staff_channels (staff_id, position, kind, address) values ('c-worker', 1, 'email', 'zhang@c.example')",
  )
})
afterAll(() => database.stop())

test('the address of a mailbox, with what is escaped in it', () => {
  expect(imapAddress('imaps://replies%40station.example:p%40ss%2Fword@imap.station.example')).toEqual({
    host: 'imap.station.example',
    port: 993,
    secure: true,
    user: 'replies@station.example',
    pass: 'p@ss/word',
  })
  expect(imapAddress('imap://a:b@[::1]:1143')).toMatchObject({ host: '::1', port: 1143, secure: false })
})

test('a mail that cannot be read, or not be handled, is passed by after a few tries; those behind it are handled', async () => {
  const alerts: { alertId: number; pageId: string }[] = []
  for (let n = 0; n < 3; n++) {
    const now = new Date()
    const { residentId, devices } = c.residents[0]!
    const alertId = await seedAlert(database.db, {
      communityId: c.communityId,
      residentId,
      deviceNo: devices.button,
      kind: 'button',
      openedAt: now,
    })
    alerts.push({ alertId, ...(await seedPage(database.db, { alertId, staffId: 'c-worker', now, channel: 'email' })) })
  }
  const head = (uid: number, n: number): MailHead => ({
    uid,
    headers: new Map([
      ['from', ['zhang@c.example']],
      ['in-reply-to', [`<page-${alerts[n]!.pageId}@localhost>`]],
      ['message-id', [`<${uid}@phone.example>`]],
    ]),
    structure: undefined,
  })
  const heads = [head(1, 0), head(2, 1), head(3, 1), head(4, 2)]
  const asked: string[] = []
  const box: Mailbox = {
    uidValidity: 1,
    pushes: false,
    firstSince: async () => 1,
    async from(uid, mailsMax) {
      const found = heads.filter((one) => one.uid >= uid).slice(0, mailsMax)
      asked.push(found.map((one) => one.uid).join())
      if (found.length === 0) return null
      // The second breaks whatever is asked together with it.
      if (found.some((one) => one.uid === 2))
        throw new UnreadableMails(
          found.map((one) => one.uid),
          new Error('odd'),
        )
      return { heads: found, upTo: found.at(-1)!.uid + 1 }
    },
    async read({ uid, headers }) {
      if (uid === 3) throw new Error('a bug of ours')
      return { headers, text: '1', html: false }
    },
    wait: () => new Promise((resolve) => setTimeout(resolve, 20)),
    isLost: () => false,
    close: async () => undefined,
  }
  const metrics = new Registry()
  const replies = startReplies({
    db: database.db,
    imapUrl: 'imaps://a:b@imap.example',
    mailbox: 'INBOX',
    clock: { now: () => systemClock.now() },
    log: createLog({ role: 'test', level: 'silent' }),
    metrics,
    signal: createSignal(),
    open: async () => box,
  })
  const stages = async () =>
    (
      await database.db.query<{ stage: string }>(
        'select stage from alerts where alert_id = any($1) order by alert_id',
        [alerts.map(({ alertId }) => alertId)],
      )
    ).rows.map(({ stage }) => stage)
  await eventually('the last is handled', async () => (await stages())[2] === 'acknowledged' || undefined)
  await replies.stop()
  expect(await stages()).toEqual(['acknowledged', 'open', 'acknowledged'])
  expect(asked[0]).toBe('1,2,3,4')
  expect(await nextUid(database.db, { mailbox: 'a@imap.example:993/INBOX', uidValidity: 1 })).toBe(5)
  expect(await metrics.getSingleMetricAsString('shouwang_mail_replies_total')).toContain('{result="failed"} 2')
})
