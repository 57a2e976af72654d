import { getEventListeners } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { decodeWords } from '../../test/support/mime.js'
import { samplePage } from '../../test/support/page.js'
import { type SmtpReceiver, startSmtpServer } from '../../test/support/smtp-server.js'
import { pageMessage } from '../page-message.js'
import type { Channel } from './channel.js'
import { emailChannel } from './email.js'

const clock = manualClock(new Date('2026-03-10T06:05:30Z'))
const to = { address: 'worker@demo.example', secret: null, name: '示例·张社工' }
const deadlines = { connectMsMax: 1_000, greetingMsMax: 1_000, silenceMsMax: 1_000, sendMsMax: 9_000 }
const from = '守望 <shouwang@demo.example>'
const idle = () => new AbortController().signal
let server: SmtpReceiver
let channel: Channel
const send = (changes = {}, attempt = 1) => channel.send(samplePage(changes), to, { attempt, signal: idle() })
async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const started = performance.now()
  return { value: await work, ms: performance.now() - started }
}

beforeEach(async () => {
  server = await startSmtpServer()
  channel = emailChannel({ smtpUrl: server.url, from, clock, deadlines })
})
afterEach(async () => {
  await channel.stop?.()
  await server.stop()
})

test('a page arrives in Chinese as it was written: subject, text and html', async () => {
  expect(await send()).toMatchObject({ kind: 'sent', detail: expect.stringMatching(/^250 /) })
  const [mail] = server.mails
  const written = pageMessage({ page: samplePage(), now: clock.now() })
  expect(mail!.subject).toBe('紧急呼叫：示例·王奶奶，示例路 1 号 101 室')
  expect(mail!.text.trim()).toBe(written.text.trim())
  expect(mail!.html.trim()).toBe(written.html.trim())
  expect(mail!.to).toEqual(['worker@demo.example'])
  expect(mail!.from).toBe('shouwang@demo.example')
  expect(decodeWords(mail!.headers.get('to')![0]!)).toContain('示例·张社工')
})

test('in English for a person who reads English', async () => {
  await send({ language: 'en', resident: { id: 'demo-r01', name: 'Example Wang', address: '1 Example Road' } })
  expect(server.mails[0]!.subject).toBe('Call button pressed: Example Wang, 1 Example Road')
  expect(server.mails[0]!.text).toContain('The call button in the bedroom was pressed at 14:03.')
})

test.each([
  ['zh', '守望系统通知：数据库已恢复。', '数据库已恢复。'],
  ['en', 'Shouwang: The database is back.', 'The database is back.'],
] as const)('a notice to the operator, in %s', async (language, subject, body) => {
  const text = { zh: '数据库已恢复。', en: 'The database is back.' }
  const notice = { messageId: 'n-1', kind: 'database back' as const, text, at: clock.now(), language }
  expect(await channel.tell!(notice, to, { attempt: 1, signal: idle() })).toMatchObject({ kind: 'sent' })
  const [mail] = server.mails
  expect(mail!.subject).toBe(subject)
  expect(mail!.text.trim()).toBe(body)
  expect(mail!.headers.get('message-id')).toEqual(['<notice-n-1@demo.example>'])
})

test('the headers say what it is, and each attempt of one page is the same message', async () => {
  await send()
  await send({}, 2)
  const [first, second] = server.mails
  expect(first!.headers.get('auto-submitted')).toEqual(['auto-generated'])
  expect(first!.headers.get('x-shouwang-page-id')).toEqual([samplePage().pageId])
  expect(first!.headers.get('message-id')).toEqual([`<page-${samplePage().pageId}@demo.example>`])
  expect(second!.headers.get('message-id')).toEqual(first!.headers.get('message-id'))
  expect(first!.headers.get('importance')).toEqual(['High'])
})

test('no tracking: nothing is loaded from anywhere, the only link is the one that acknowledges', async () => {
  await send()
  const { html } = server.mails[0]!
  expect(html).not.toMatch(/<img|<script|<link|src=|url\(/i)
  expect(html.match(/https?:\/\/[^"<\s]+/g)).toEqual([samplePage().url])
})

test.each(['connect', 'from', 'to', 'data'] as const)(
  '451 at "%s" is worth another attempt, later each time',
  async (at) => {
    server.answerWith(451, at)
    expect(await send()).toMatchObject({ kind: 'retry', afterMs: 1_000, detail: expect.stringContaining('451') })
    expect(await send({}, 3)).toMatchObject({ kind: 'retry', afterMs: 5_000 })
    expect(server.mails).toHaveLength(0)
  },
)

test.each(['from', 'to', 'data'] as const)(
  '550 at "%s" is refused for good, and the next page still goes',
  async (at) => {
    server.answerWith(550, at)
    expect(await send()).toMatchObject({ kind: 'refused', reason: expect.stringContaining('550') })
    server.answerWith(250)
    expect(await send()).toMatchObject({ kind: 'sent' })
  },
)

test('only a mailbox that is not there breaks the channel: not a full one, a sender or a mail that is disliked', async () => {
  for (const [status, at, broken] of [
    [550, 'to', true],
    [551, 'to', true],
    [552, 'to', undefined],
    [550, 'from', undefined],
    [554, 'data', undefined],
  ] as const) {
    server.answerWith(status, at)
    const result = await send()
    expect({ status, at, broken: result.kind === 'refused' && result.broken }).toEqual({ status, at, broken })
  }
})

test('a server that turns us away at the greeting says nothing about the page', async () => {
  server.answerWith(554, 'connect')
  expect(await send()).toMatchObject({ kind: 'retry' })
})

test.each(['connect', 'from', 'to', 'data'] as const)(
  'a server that hangs at "%s" costs a deadline and no more',
  async (at) => {
    server.answerWith('hang', at)
    const { value, ms } = await timed(send())
    expect(value).toMatchObject({ kind: 'retry', afterMs: 1_000 })
    expect(ms).toBeLessThan(4_000)
  },
)

test.each(['connect', 'from', 'to', 'data'] as const)(
  'a server that drops the connection at "%s" is worth another attempt',
  async (at) => {
    server.answerWith('drop', at)
    expect(await send()).toMatchObject({ kind: 'retry', afterMs: 1_000 })
    server.answerWith(250)
    expect(await send()).toMatchObject({ kind: 'sent' })
  },
)

test('a reply that trickles in for ever ends at the deadline of the whole attempt', async () => {
  const slow = createServer((socket) => {
    const timer = setInterval(() => socket.write('220-still here\r\n'), 50)
    socket.on('error', () => socket.destroy())
    socket.on('close', () => clearInterval(timer))
    socket.resume()
  })
  await new Promise<void>((resolve) => slow.listen(0, '127.0.0.1', resolve))
  const smtpUrl = `smtp://127.0.0.1:${(slow.address() as AddressInfo).port}`
  const patient = emailChannel({ smtpUrl, from, clock, deadlines: { sendMsMax: 400 } })
  const { value, ms } = await timed(patient.send(samplePage(), to, { attempt: 1, signal: idle() }))
  expect(value).toEqual({ kind: 'retry', afterMs: 1_000, detail: 'not taken in 400 ms' })
  expect(ms).toBeLessThan(2_000)
  await patient.stop?.()
  await new Promise((resolve) => slow.close(resolve))
})

test('no server: worth another attempt', async () => {
  const { port } = server
  await server.stop()
  expect(await send()).toMatchObject({ kind: 'retry', detail: expect.stringContaining('ECONNREFUSED') })
  server = await startSmtpServer({ port })
})

test('the pool keeps its connection, and finds the server again after it was restarted on the same port', async () => {
  await send()
  await send()
  expect(server.connections()).toBe(1)
  const { port } = server
  await server.stop()
  expect(await send()).toMatchObject({ kind: 'retry' })
  server = await startSmtpServer({ port })
  expect(await send()).toMatchObject({ kind: 'sent' })
  expect(server.mails).toHaveLength(1)
})

test('a connection that was cut while idle costs no attempt', async () => {
  await send()
  server.cutConnections()
  expect(await send()).toMatchObject({ kind: 'sent' })
})

test('ten pages at once all arrive', async () => {
  const results = await Promise.all(Array.from({ length: 10 }, (_, at) => send({ pageId: `demo-page-${at}` })))
  expect(results.every(({ kind }) => kind === 'sent')).toBe(true)
  expect(new Set(server.mails.map((mail) => mail.headers.get('x-shouwang-page-id')![0])).size).toBe(10)
})

test('the signal ends an attempt at once, and one that has aborted already sends nothing', async () => {
  server.answerWith('hang', 'to')
  const controller = new AbortController()
  const patient = emailChannel({ smtpUrl: server.url, from, clock, deadlines: { silenceMsMax: 9_000 } })
  const sending = timed(patient.send(samplePage(), to, { attempt: 1, signal: controller.signal }))
  setTimeout(() => controller.abort(), 100)
  const { value, ms } = await sending
  expect(value).toEqual({ kind: 'retry', afterMs: 0, detail: 'stopped before it was taken' })
  expect(ms).toBeLessThan(3_000)
  server.answerWith(250)
  expect(await channel.send(samplePage(), to, { attempt: 1, signal: controller.signal })).toMatchObject({ afterMs: 0 })
  expect(server.mails).toHaveLength(0)
  await patient.stop?.()
})

test('a name with CR LF adds no header and no recipient', async () => {
  const nasty = 'Demo\r\nBcc: other@demo.example\r\nX-Injected: yes\r\n\r\nfalse body'
  await channel.send(
    samplePage({ resident: { id: 'r', name: nasty, address: nasty }, headline: { zh: nasty, en: nasty } }),
    { ...to, name: nasty },
    { attempt: 1, signal: idle() },
  )
  const [mail] = server.mails
  expect(mail!.to).toEqual(['worker@demo.example'])
  expect(mail!.headers.has('bcc')).toBe(false)
  expect(mail!.headers.has('x-injected')).toBe(false)
  expect(mail!.subject).toContain('Demo Bcc: other@demo.example X-Injected: yes false body')
})

test.each([
  '',
  'nobody',
  'a@demo.example, b@demo.example',
  'a@demo.example\r\nBcc: b@demo.example',
  'Name <a@demo.example>',
  'a@b@demo.example',
])('%j is not one e-mail address: refused without an attempt', async (address) => {
  const result = await channel.send(samplePage(), { ...to, address }, { attempt: 1, signal: idle() })
  expect(result).toEqual({ kind: 'refused', reason: 'the address is not one e-mail address', broken: true })
  expect(server.connections()).toBe(0)
})

test('a signal that lives as long as the process gathers no listeners', async () => {
  const signal = idle()
  for (let attempt = 1; attempt <= 3; attempt += 1) await channel.send(samplePage(), to, { attempt, signal })
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
