import { getEventListeners } from 'node:events'
import { type AddressInfo, createServer } from 'node:net'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manualClock, systemClock } from '../../kit/clock.js'
import { samplePage } from '../../test/support/page.js'
import { startWebhookReceiver, type WebhookReceiver } from '../../test/support/webhook-receiver.js'
import type { Channel } from './channel.js'
import { parseRetryAfterMs } from './poster.js'
import { verifySignature } from './signature.js'
import { webhookChannel } from './webhook.js'

const secret = 'demo-secret'
let receiver: WebhookReceiver
let channel: Channel
const idle = () => new AbortController().signal
const to = () => ({ address: receiver.url, secret, name: 'Demo Worker' })
const send = (changes = {}, attempt = 1) => channel.send(samplePage(changes), to(), { attempt, signal: idle() })
async function timed<T>(work: Promise<T>): Promise<{ value: T; ms: number }> {
  const from = performance.now()
  return { value: await work, ms: performance.now() - from }
}

beforeEach(async () => {
  receiver = await startWebhookReceiver({ secret })
  channel = webhookChannel({ clock: systemClock, answerMsMax: 800, bodyMsMax: 100 })
})
afterEach(async () => {
  await channel.stop?.()
  await receiver.stop()
})

test('a page arrives with exactly the fields of the contract, signed, and is delivered', async () => {
  expect(await send()).toEqual({ kind: 'delivered', detail: '200 ok' })
  const [request] = receiver.requests
  expect(request).toMatchObject({ method: 'POST', path: '/pages', signatureValid: true })
  expect(request!.headers).toMatchObject({
    'content-type': 'application/json',
    'idempotency-key': samplePage().pageId,
    'user-agent': 'Shouwang-Webhook/1',
  })
  const { resident, headline, pageId, alertId, severity, kind, step, url } = samplePage()
  expect(request!.json).toEqual({
    pageId,
    alertId,
    severity,
    kind,
    resident,
    headline,
    openedAt: '2026-03-10T06:03:02.000Z',
    observedAt: '2026-03-10T06:03:00.000Z',
    step,
    url,
  })
})

test('a notice to the operator arrives signed, told apart from a page', async () => {
  const text = { zh: '数据库已恢复。', en: 'The database is back.' }
  const at = new Date('2026-03-10T06:03:00Z')
  const notice = { messageId: 'n-1', kind: 'database back' as const, text, at, language: 'zh' as const }
  expect(await channel.tell!(notice, to(), { attempt: 1, signal: idle() })).toMatchObject({ kind: 'delivered' })
  const [request] = receiver.requests
  expect(request).toMatchObject({ signatureValid: true, headers: { 'idempotency-key': 'n-1' } })
  const told = { noticeId: 'n-1', severity: 'notice', kind: 'database back', text, at: at.toISOString() }
  expect(request!.json).toEqual(told)
})

test('what is said at the door only does not travel, even inside the resident', async () => {
  const resident = { ...samplePage().resident, healthNote: 'hidden-note', phone: 'hidden-phone' }
  await send({ resident })
  for (const hidden of ['hidden-note', 'hidden-phone', '1357#', '听力', '门卫'])
    expect(receiver.requests[0]!.body).not.toContain(hidden)
})

test('the family gets no address and nothing that a device said', async () => {
  await send({ audience: 'family' })
  const { body, json } = receiver.requests[0]!
  expect(json).toMatchObject({
    resident: { id: 'demo-r01', name: '示例·王奶奶', address: '' },
    headline: { zh: '示例·王奶奶：紧急呼叫', en: '示例·王奶奶: Call button pressed' },
  })
  expect(body).not.toMatch(/101|卧室|bedroom/)
})

test('our own verifySignature takes what we send and nothing that was changed', async () => {
  await send()
  const { body, headers } = receiver.requests[0]!
  const header = String(headers['shouwang-signature'])
  const now = new Date()
  expect(verifySignature({ header, body, secret, now })).toEqual({ kind: 'valid' })
  expect(verifySignature({ header, body: body.replace('101', '102'), secret, now }).kind).toBe('invalid')
  expect(verifySignature({ header, body, secret: 'other', now }).kind).toBe('invalid')
})

test('a receiver with another secret sees that the signature does not fit', async () => {
  await channel.send(samplePage(), { ...to(), secret: 'other' }, { attempt: 1, signal: idle() })
  expect(receiver.requests[0]!.signatureValid).toBe(false)
})

test('any 2xx is delivery', async () => {
  for (const status of [201, 202, 204]) {
    receiver.answerWith({ status })
    expect(await send()).toMatchObject({ kind: 'delivered' })
  }
})

test.each([408, 425, 429, 500, 502, 503, 504])('%i is worth another attempt, later each time', async (status) => {
  receiver.answerWith({ status, body: 'busy' })
  const limited = status === 429 ? { limited: true } : {}
  expect(await send()).toEqual({ kind: 'retry', afterMs: 1_000, detail: `${status} busy`, ...limited })
  expect(await send({}, 3)).toMatchObject({ kind: 'retry', afterMs: 5_000 })
})

test.each([400, 401, 403, 404, 410, 422])('%i is refused for good', async (status) => {
  receiver.answerWith({ status, body: 'no' })
  expect(await send()).toEqual({ kind: 'refused', reason: `${status} no` })
})

test('a redirect is not followed', async () => {
  receiver.answerWith({ status: 302, headers: { location: `${receiver.url}/elsewhere` } })
  expect(await send()).toMatchObject({ kind: 'refused', reason: expect.stringMatching(/^302: redirects are not/) })
  expect(receiver.requests).toHaveLength(1)
})

test('Retry-After is honoured, and bounded for an emergency', async () => {
  receiver.answerWith({ status: 429, headers: { 'retry-after': '7' } })
  expect(await send()).toMatchObject({ kind: 'retry', afterMs: 7_000 })
  receiver.answerWith({ status: 503, headers: { 'retry-after': '3600' } })
  expect(await send()).toMatchObject({ kind: 'retry', afterMs: 60_000 })
  expect(await send({ severity: 'notice' })).toMatchObject({ kind: 'retry', afterMs: 900_000 })
  receiver.answerWith({ status: 503, headers: { 'retry-after': 'soon' } })
  expect(await send()).toMatchObject({ kind: 'retry', afterMs: 1_000 })
})

test('Retry-After is seconds or a date', () => {
  const now = new Date('2026-03-10T06:00:00Z')
  expect(parseRetryAfterMs('20', now)).toBe(20_000)
  expect(parseRetryAfterMs('Tue, 10 Mar 2026 06:00:45 GMT', now)).toBe(45_000)
  expect(parseRetryAfterMs('Tue, 10 Mar 2026 05:00:00 GMT', now)).toBe(0)
  for (const noise of [undefined, '', '-1', '1.5', 'x', '9'.repeat(40)])
    expect(parseRetryAfterMs(noise, now)).toBe(undefined)
})

test('a receiver that hangs costs the deadline and no more', async () => {
  receiver.answerWith('hang')
  const { value, ms } = await timed(send())
  expect(value).toEqual({ kind: 'retry', afterMs: 1_000, detail: 'no answer in 800 ms' })
  expect(ms).toBeGreaterThan(780)
  expect(ms).toBeLessThan(3_000)
})

test('an answer whose headers trickle in for ever ends at the deadline', async () => {
  receiver.answerWith('trickle')
  const { value, ms } = await timed(send())
  expect(value).toMatchObject({ kind: 'retry', detail: 'no answer in 800 ms' })
  expect(ms).toBeLessThan(3_000)
})

test('an answer whose body trickles is delivery as soon as its status is known', async () => {
  receiver.answerWith('trickleBody')
  const patient = webhookChannel({ clock: systemClock, answerMsMax: 9_000, bodyMsMax: 100 })
  const { value, ms } = await timed(patient.send(samplePage(), to(), { attempt: 1, signal: idle() }))
  expect(value).toMatchObject({ kind: 'delivered', detail: expect.stringMatching(/^200 a+$/) })
  expect(ms).toBeLessThan(3_000)
})

test('an answer without end is cut off, its first KB kept', async () => {
  receiver.answerWith('oversize')
  const patient = webhookChannel({ clock: systemClock, answerMsMax: 9_000, bodyMsMax: 9_000 })
  const { value, ms } = await timed(patient.send(samplePage(), to(), { attempt: 1, signal: idle() }))
  expect(ms).toBeLessThan(2_000)
  expect(value.kind).toBe('delivered')
  expect(value.kind === 'delivered' && value.detail.length).toBe(1_024)
})

test('what a receiver answers cannot break the record: no NUL, no line breaks', async () => {
  receiver.answerWith({ status: 200, body: 'a\u0000b\r\nc' })
  expect(await send()).toEqual({ kind: 'delivered', detail: '200 a b c' })
})

test('a connection that is cut, refused or speaks no HTTP is worth another attempt', async () => {
  receiver.answerWith('drop')
  expect(await send()).toMatchObject({ kind: 'retry', detail: 'not reached: ECONNRESET' })
  const noise = createServer((socket) => {
    socket.on('error', () => socket.destroy())
    socket.resume().end('220 this is no web server\r\n')
  })
  await new Promise<void>((resolve) => noise.listen(0, '127.0.0.1', resolve))
  const { port } = noise.address() as AddressInfo
  const options = { attempt: 2, signal: idle() }
  for (const scheme of ['http', 'https']) {
    const address = `${scheme}://127.0.0.1:${port}/`
    expect(await channel.send(samplePage(), { ...to(), address }, options)).toMatchObject({
      kind: 'retry',
      afterMs: 2_000,
    })
  }
  await new Promise((resolve) => noise.close(resolve))
  const gone = { ...to(), address: `http://127.0.0.1:${port}/` }
  expect(await channel.send(samplePage(), gone, options)).toMatchObject({ detail: 'not reached: ECONNREFUSED' })
})

test('pages to one receiver share a connection; one that was cut meanwhile costs no retry', async () => {
  await send()
  await send()
  expect(new Set(receiver.requests.map((request) => request.clientPort)).size).toBe(1)
  receiver.answerWith((_request, index) => (index === 2 ? 'drop' : { status: 200 }))
  expect(await send()).toMatchObject({ kind: 'delivered' })
  expect(receiver.requests).toHaveLength(4)
  expect(receiver.requests[3]!.headers['idempotency-key']).toBe(receiver.requests[2]!.headers['idempotency-key'])
})

test('the signal ends an attempt at once, and one that has aborted already sends nothing', async () => {
  receiver.answerWith('hang')
  const controller = new AbortController()
  const patient = webhookChannel({ clock: systemClock, answerMsMax: 9_000 })
  const sending = timed(patient.send(samplePage(), to(), { attempt: 1, signal: controller.signal }))
  await receiver.waitFor(1)
  controller.abort()
  const { value, ms } = await sending
  expect(value).toEqual({ kind: 'retry', afterMs: 0, detail: 'stopped before an answer' })
  expect(ms).toBeLessThan(3_000)
  expect(await channel.send(samplePage(), to(), { attempt: 1, signal: controller.signal })).toMatchObject({
    afterMs: 0,
  })
  expect(receiver.requests).toHaveLength(1)
})

test('an address that is no web address, or a missing secret, is refused without an attempt', async () => {
  const options = { attempt: 1, signal: idle() }
  for (const address of ['', 'nowhere', 'ftp://example.invalid/', 'file:///etc/hosts', 'javascript:alert(1)'])
    expect(await channel.send(samplePage(), { ...to(), address }, options)).toMatchObject({ kind: 'refused' })
  expect(await channel.send(samplePage(), { ...to(), secret: null }, options)).toMatchObject({ kind: 'refused' })
  expect(receiver.requests).toHaveLength(0)
})

test('a resident whose name carries CR LF changes no header', async () => {
  const name = 'Demo\r\nX-Injected: yes'
  await send({ resident: { ...samplePage().resident, name } })
  expect(receiver.requests[0]!.headers['x-injected']).toBe(undefined)
  expect(receiver.requests[0]!.json).toMatchObject({ resident: { name } })
})

test('the signature carries the time of the clock that was given', async () => {
  const clock = manualClock(new Date('2026-03-10T06:05:00.900Z'))
  await webhookChannel({ clock }).send(samplePage(), to(), { attempt: 1, signal: idle() })
  const { body, headers } = receiver.requests[0]!
  const header = String(headers['shouwang-signature'])
  expect(header).toMatch(/^t=1773122700,v1=/)
  expect(verifySignature({ header, body, secret, now: clock.now() }).kind).toBe('valid')
  clock.advance(301_000)
  expect(verifySignature({ header, body, secret, now: clock.now() }).kind).toBe('invalid')
})

test('a signal that lives as long as the process gathers no listeners', async () => {
  const signal = idle()
  for (let attempt = 1; attempt <= 3; attempt += 1) await channel.send(samplePage(), to(), { attempt, signal })
  expect(getEventListeners(signal, 'abort')).toHaveLength(0)
})
