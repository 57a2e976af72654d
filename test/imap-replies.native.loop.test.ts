import { randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { createTransport } from 'nodemailer'
import { Registry } from 'prom-client'
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from 'vitest'
import { startReplies } from '../alerts/replies/replies.js'
import { openAlert } from '../db/alerts.js'
import { systemClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type Dovecot, startDovecot } from './support/dovecot.js'
import { type Community, seedAlert, seedCommunity, seedPage } from './support/fixtures.js'
import { createProcesses, eventually, freePort } from './support/processes.js'
import { type SmtpReceiver, startSmtpServer } from './support/smtp-server.js'

const processes = createProcesses()
let database: TestDatabase
/** Where pages go out, and where replies come in: the second puts what it takes into the box. */
let outgoing: SmtpReceiver
let incoming: SmtpReceiver
let dovecot: Dovecot
let c: Community
let seeded = 0
const watching: { stop(): Promise<void> }[] = []

beforeAll(async () => {
  database = await startTestDatabase()
  outgoing = await startSmtpServer()
  incoming = await startSmtpServer()
})
afterAll(async () => {
  await processes.stopAll()
  await outgoing?.stop()
  await incoming?.stop()
  await database?.stop()
})
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now: new Date() })
  await database.db.query(
    "insert into staff_channels (staff_id, position, kind, address) values ($1, 1, 'email', $2)",
    [c.staff.worker.staffId, address()],
  )
  dovecot = await startDovecot()
})
afterEach(async () => {
  for (const one of watching.splice(0)) await one.stop()
  await dovecot.stop()
})

const address = () => `zhang@${c.key}.example`
function watch() {
  const replies = startReplies({
    db: database.db,
    imapUrl: dovecot.url,
    mailbox: 'INBOX',
    clock: systemClock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal: createSignal(),
  })
  watching.push(replies)
  return replies
}
const mail = (p: { pageId?: string; from?: string; text?: string; headers?: string[] }) =>
  [
    `From: 张 <${p.from ?? address()}>`,
    'To: replies@example.org',
    'Subject: Re: page',
    `Message-ID: <${randomUUID()}@phone.example>`,
    ...(p.pageId ? [`In-Reply-To: <page-${p.pageId}@localhost>`] : []),
    ...(p.headers ?? []),
    ...(p.headers?.some((line) => /^content-type/i.test(line)) ? [] : ['Content-Type: text/plain; charset=utf-8']),
    '',
    p.text ?? '1',
    '',
  ].join('\r\n')
async function pages(count: number) {
  const now = new Date()
  const made: { alertId: number; pageId: string }[] = []
  for (let n = 0; n < count; n++) {
    const [{ residentId, devices }] = [c.residents[0]!]
    const alertId = await seedAlert(database.db, {
      communityId: c.communityId,
      residentId,
      deviceNo: devices.button,
      kind: 'button',
      openedAt: now,
    })
    // Nothing escalates while this goes on.
    await database.db.query('update alerts set due_at = null where alert_id = $1', [alertId])
    made.push({
      alertId,
      ...(await seedPage(database.db, { alertId, staffId: c.staff.worker.staffId, now, channel: 'email' })),
    })
  }
  return made
}
const stageOf = async (alertId: number): Promise<string> =>
  (await database.db.query('select stage from alerts where alert_id = $1', [alertId])).rows[0].stage
const reaches = (alertId: number, stage: string, msMax?: number) =>
  eventually(`alert ${alertId} is ${stage}`, async () => (await stageOf(alertId)) === stage || undefined, msMax)

test('a page goes out, its answer comes in by SMTP and is acknowledged within 5 s; so is the answer to our answer', async () => {
  const alerts = processes.start('alerts/main', {
    env: {
      DATABASE_URL: database.url,
      ALERTS_HTTP_PORT: String(await freePort()),
      PUBLIC_URL: 'http://localhost',
      SMTP_URL: outgoing.url,
      MAIL_FROM: 'Shouwang <shouwang@station.example>',
      REPLY_TO: 'Shouwang <replies@station.example>',
      IMAP_URL: dovecot.url,
    },
  })
  await alerts.printed('replies.watched')
  const now = new Date()
  const { residentId, devices } = c.residents[1]!
  const headline = { zh: '卧室的呼叫按钮被按下。', en: 'The call button in the bedroom was pressed.' }
  const alertId = (await database.db.transaction((tx) =>
    openAlert(
      tx,
      { residentId, deviceNo: devices.button, kind: 'button', openedAt: now, observedAt: now, headline, reason: {} },
      now,
    ),
  ))!
  const mine = () => outgoing.mails.filter(({ to }) => to.includes(address()))
  const page = await eventually('the page', () => mine()[0])
  expect(page.headers.get('reply-to')).toEqual(['Shouwang <replies@station.example>'])
  expect(page.text).toContain('也可以直接回复这封邮件：1 由我处理')
  expect(page.html).toContain('也可以直接回复这封邮件')

  const answerTo = async (to: typeof page, text: string) => {
    const [id] = to.headers.get('message-id')!
    const before = incoming.mails.length
    const transport = createTransport({ url: incoming.url })
    const quoted = `${text}\n\n在 2026-11-21 14:05，守望 <shouwang@station.example> 写道：\n${to.text.replace(/^/gm, '> ')}`
    await transport.sendMail({
      from: `张社工 <${address()}>`,
      to: 'replies@station.example',
      subject: `Re: ${to.subject}`,
      inReplyTo: id!,
      references: [id!],
      text: quoted,
    })
    transport.close()
    await dovecot.deliver(incoming.mails[before]!.raw.toString('utf8'))
    return performance.now()
  }
  const first = await answerTo(page, '收到')
  await reaches(alertId, 'acknowledged', 5_000)
  const tookMs = performance.now() - first
  const told = await eventually('the answer', () => mine()[1])
  expect(told.text).toContain('已由您接手')
  const second = await answerTo(told, '2')
  await reaches(alertId, 'en_route', 5_000)
  const { rows } = await database.db.query("select kind, via from alert_events where alert_id = $1 and via = 'email'", [
    alertId,
  ])
  expect(rows).toEqual([
    { kind: 'acknowledged', via: 'email' },
    { kind: 'en_route', via: 'email' },
  ])
  console.log(
    `acknowledged ${Math.round(tookMs)} ms after the mail lay in the box, on the way after ${Math.round(performance.now() - second)} ms`,
  )
  expect((await alerts.end('SIGTERM')).code).toBe(0)
})

test('two processes watch one box, one is killed and comes back: each of 60 replies acts once', async () => {
  const env = {
    DATABASE_URL: database.url,
    SMTP_URL: outgoing.url,
    PUBLIC_URL: 'http://localhost',
    IMAP_URL: dovecot.url,
  }
  const start = async () =>
    processes.start('alerts/main', { env: { ...env, ALERTS_HTTP_PORT: String(await freePort()) } })
  const [one, other] = [await start(), await start()]
  await Promise.all([one.printed('replies.watched'), other.printed('replies.watched')])
  const asked = await pages(60)
  const acknowledged = async () =>
    (
      await database.db.query<{ n: number }>(
        "select count(*) as n from alerts where alert_id = any($1) and stage = 'acknowledged'",
        [asked.map(({ alertId }) => alertId)],
      )
    ).rows[0]!.n
  await dovecot.deliver((n) => mail(asked[n]!), 30)
  await eventually('some are handled', async () => (await acknowledged()) >= 5 || undefined, 15_000)
  await one.end('SIGKILL')
  await dovecot.deliver((n) => mail(asked[30 + n]!), 30)
  const again = await start()
  await eventually('all are handled', async () => (await acknowledged()) === 60 || undefined, 30_000)
  await again.printed('replies.watched')
  await sleep(500)
  const { rows } = await database.db.query<{ acks: number; answers: number; noted: number }>(
    `select (select count(*) from alert_events where kind = 'acknowledged' and alert_id = any($1)) as acks,
            (select count(*) from messages where kind = 'alert news' and staff_id = $2) as answers,
            (select count(*) from reply_mails where page_id = any($3)) as noted`,
    [asked.map(({ alertId }) => alertId), c.staff.worker.staffId, asked.map(({ pageId }) => pageId)],
  )
  expect(rows[0]).toEqual({ acks: 60, answers: 60, noted: 60 })
  await Promise.all([other.end('SIGTERM'), again.end('SIGTERM')])
})

test('a box with 1,000 old mails, other people’s mail and broken mail: only the reply acts, and nothing in it changes', async () => {
  const [{ alertId, pageId }, other] = (await pages(2)) as [
    { alertId: number; pageId: string },
    { alertId: number; pageId: string },
  ]
  await dovecot.deliver(
    (n) =>
      mail({
        from: `somebody-${n}@example.org`,
        text: '1',
        headers: n % 3 === 0 ? [`In-Reply-To: <other-${n}@example.org>`] : [],
      }),
    1_000,
  )
  await dovecot.deliver('\r\n\r\n')
  await dovecot.deliver('no headers at all')
  await dovecot.deliver(`In-Reply-To: <page-${other.pageId}@localhost>\r\n\u0000\u0001\ufffd\r\n\r\n\u0000`)
  await dovecot.deliver(
    mail({ pageId: other.pageId, headers: ['Content-Type: multipart/mixed; boundary=never'], text: 'x' }),
  )
  await dovecot.deliver(
    mail({
      pageId: other.pageId,
      headers: ['Content-Type: text/plain; charset=no-such', 'Content-Transfer-Encoding: base64'],
      text: '%%%%',
    }),
  )
  await dovecot.deliver(mail({ pageId: other.pageId, from: 'stranger@example.org' }))
  await dovecot.deliver(mail({ pageId: other.pageId, headers: ['Auto-Submitted: auto-replied'] }))
  await dovecot.deliver(
    mail({ pageId: other.pageId, headers: ['Authentication-Results: mx.station.example; dmarc=fail'] }),
  )
  await dovecot.deliver(mail({ pageId: other.pageId, from: 'stranger@example.org', text: 'x'.repeat(3_000_000) }))
  const before = await dovecot.files()
  const startedAt = performance.now()
  watch()
  await dovecot.deliver(mail({ pageId }))
  await reaches(alertId, 'acknowledged', 20_000)
  console.log(`${before.length} mails looked through in ${Math.round(performance.now() - startedAt)} ms`)
  expect((await dovecot.files()).filter((file) => before.includes(file))).toEqual(before)
  const { rows } = await database.db.query('select result from reply_mails where page_id = $1 order by handled_at', [
    other.pageId,
  ])
  // Of the two whose text cannot be read there is only a writer without a word: which takes it.
  expect(rows.map(({ result }) => result)).toEqual(
    expect.arrayContaining(['another address', 'automatic', 'forged', 'another address']),
  )
}, 60_000)

test('the mail server is away and comes back: what came meanwhile is handled', async () => {
  const asked = await pages(3)
  watch()
  watch()
  await dovecot.deliver(mail(asked[0]!))
  await reaches(asked[0]!.alertId, 'acknowledged')
  await dovecot.end()
  await dovecot.deliver(mail(asked[1]!))
  await sleep(2_500)
  await dovecot.start()
  await reaches(asked[1]!.alertId, 'acknowledged', 15_000)
  await dovecot.deliver(mail(asked[2]!))
  await reaches(asked[2]!.alertId, 'acknowledged', 5_000)
})

test('words in the character sets and encodings of mail programs', async () => {
  const asked = await pages(5)
  watch()
  const gb = (hex: string) => Buffer.from(hex, 'hex').toString('base64')
  const part = (type: string, body: string) => ['--b', `Content-Type: ${type}`, '', body].join('\r\n')
  await dovecot.deliver(
    mail({
      ...asked[0]!,
      headers: ['Content-Type: text/plain; charset=gb18030', 'Content-Transfer-Encoding: base64'],
      text: gb('d4dac2b7c9cf'),
    }),
  ) // 在路上
  await dovecot.deliver(
    mail({
      ...asked[1]!,
      headers: ['Content-Type: text/plain; charset=utf-8', 'Content-Transfer-Encoding: quoted-printable'],
      text: '=E5=88=B0=E4=BA=86',
    }),
  ) // 到了
  await dovecot.deliver(
    mail({
      ...asked[2]!,
      headers: ['Content-Type: multipart/alternative; boundary=b'],
      text: [part('text/plain', '到了'), part('text/html', '<p>no</p>'), '--b--'].join('\r\n'),
    }),
  )
  await dovecot.deliver(
    mail({
      ...asked[3]!,
      headers: ['Content-Type: text/html; charset=utf-8'],
      text: '<div>在路上</div><blockquote>不</blockquote>',
    }),
  )
  await dovecot.deliver(
    mail({
      ...asked[4]!,
      headers: ['Content-Type: multipart/mixed; boundary=b'],
      text: [
        '--b\r\nContent-Type: text/plain\r\nContent-Disposition: attachment; filename=a.txt\r\n\r\nno',
        part('text/plain', '3'),
        '--b--',
      ].join('\r\n'),
    }),
  )
  for (const [n, stage] of ['en_route', 'arrived', 'arrived', 'en_route', 'arrived'].entries())
    await reaches(asked[n]!.alertId, stage)
})

test('a mail server that says the address does not exist: the address is marked, the next channel is tried', async () => {
  const [{ alertId, pageId }] = (await pages(1)) as [{ alertId: number; pageId: string }]
  await database.db.query(
    "insert into staff_channels (staff_id, position, kind, address, secret) values ($1, 2, 'webhook', 'http://127.0.0.1:9/', 's')",
    [c.staff.worker.staffId],
  )
  watch()
  await dovecot.deliver(
    mail({
      from: 'MAILER-DAEMON@mx.example',
      headers: [
        'Content-Type: multipart/report; report-type=delivery-status; boundary=b',
        'Return-Path: <>',
        'Auto-Submitted: auto-replied',
      ],
      text: [
        '--b\r\nContent-Type: text/plain\r\n\r\nSorry, no such user.',
        `--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; ${address()}\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 no such user`,
        `--b\r\nContent-Type: message/rfc822\r\n\r\nFrom: shouwang@station.example\r\nMessage-ID: <page-${pageId}@localhost>\r\nSubject: x\r\n\r\nbody`,
        '--b--',
      ].join('\r\n'),
    }),
  )
  const next = await eventually('the next channel', async () => {
    const { rows } = await database.db.query(
      'select channel, status from pages where alert_id = $1 order by position',
      [alertId],
    )
    return rows.length === 2 ? rows : undefined
  })
  expect(next).toEqual([
    { channel: 'email', status: 'failed' },
    { channel: 'webhook', status: 'pending' },
  ])
  const { rows } = await database.db.query(
    'select broken_reason from staff_channels where staff_id = $1 order by position',
    [c.staff.worker.staffId],
  )
  expect(rows).toEqual([{ broken_reason: 'bounced: 5.1.1 550 no such user' }, { broken_reason: null }])
  expect(await stageOf(alertId)).toBe('open')
})
