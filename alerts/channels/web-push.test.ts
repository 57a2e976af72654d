import { createECDH } from 'node:crypto'
import { afterEach, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { samplePage } from '../../test/support/page.js'
import { type PushServer, startPushService } from '../../test/support/provider-push.js'
import type { Channel, Message } from './channel.js'
import { type PushPayload, webPushChannel } from './web-push.js'

const clock = manualClock(new Date('2026-03-10T06:05:30Z'))
const idle = () => new AbortController().signal
function makeKeys() {
  const curve = createECDH('prime256v1')
  const publicKey = curve.generateKeys('base64url')
  return {
    publicKey,
    privateKey: Buffer.concat([Buffer.alloc(32), curve.getPrivateKey()])
      .subarray(-32)
      .toString('base64url'),
  }
}
const keys = makeKeys()
const open = (changes = {}) =>
  webPushChannel({
    clock,
    vapidKeys: async () => keys,
    subject: 'mailto:operator@demo.example',
    origins: [server.origin],
    ...changes,
  })
let server: PushServer
let channel: Channel
let browser: ReturnType<PushServer['subscribe']>
const to = () => ({ address: browser.address, secret: browser.secret, name: '示例' })
const options = () => ({ attempt: 1, signal: idle() })
const send = (changes = {}) => channel.send(samplePage(changes), to(), options())
const shown = (at = 0) => JSON.parse(browser.pushed[at]!.text) as PushPayload

beforeEach(async () => {
  server = await startPushService({ now: () => clock.now() })
  browser = server.subscribe(keys.publicKey)
  channel = open()
})
afterEach(async () => {
  await channel.stop?.()
  await server.stop()
})

test('an emergency is shown: encrypted on the way, read by the browser, urgent', async () => {
  expect(await send()).toMatchObject({ kind: 'sent', detail: '201' })
  expect(shown()).toEqual({
    title: '紧急呼叫：示例·王奶奶',
    body: '示例路 1 号 101 室\n14:03 卧室的呼叫按钮被按下。\n时间：2 分钟前，14:03\n备用钥匙：示例·李师傅（门卫室）\n无人确认时，系统会继续通知其他人。',
    url: samplePage().url,
    tag: 'alert-41',
    urgent: true,
  })
  expect(browser.pushed[0]).toMatchObject({ ttl: 3_600, urgency: 'high' })
  for (const { body } of server.asked) expect(body.includes('王奶奶')).toBe(false)
})

test('what waits for a telephone that is off is replaced by the next one about the same alert', async () => {
  await send()
  await send({ step: 2, pageId: 'another' })
  await send({ alertId: '42' })
  const [first, second, other] = browser.pushed.map(({ topic }) => topic)
  expect(first).toMatch(/^[\w-]{32}$/)
  expect(second).toBe(first)
  expect(other).not.toBe(first)
})

test('a message is shown too, without haste', async () => {
  const message: Message = {
    messageId: 'm-1',
    kind: 'test',
    text: { zh: '测试', en: 'A test' },
    at: clock.now(),
    language: 'en',
  }
  expect(await channel.tell(message, to(), options())).toMatchObject({ kind: 'sent' })
  expect(shown()).toEqual({ title: 'A test', body: '', url: null, tag: 'message-m-1', urgent: false })
  expect(browser.pushed[0]!.urgency).toBe('low')
})

test('the longest records fit into 4,096 bytes, whatever their letters', async () => {
  for (const letter of ['字', '😀', '"', '\\'])
    expect(
      await send({
        resident: { id: 'r', name: letter.repeat(1_000), address: letter.repeat(2_000) },
        headline: { zh: letter.repeat(4_000), en: '' },
        keyHolder: letter.repeat(4_000),
        url: `https://shouwang.example/p/${'k'.repeat(400)}`,
      }),
    ).toMatchObject({ kind: 'sent' })
})

test('so does the longest digest, beside the longest title', async () => {
  const digest: Message = {
    messageId: 'm-2',
    kind: 'digest',
    text: { zh: '😀'.repeat(500), en: '' },
    lines: Array.from({ length: 2_000 }, (_, at) => ({ zh: String(at), en: '' })),
    at: clock.now(),
    language: 'zh',
  }
  expect(await channel.tell(digest, to(), options())).toMatchObject({ kind: 'sent' })
  expect(server.asked[0]!.body.length).toBeGreaterThan(3_700)
})

test('a subscription that has expired, or is none, is broken for good', async () => {
  server.unsubscribe(browser.address)
  expect(await send()).toMatchObject({ kind: 'refused', broken: true, reason: expect.stringMatching(/^410 /) })
  const address = `${server.origin}/push/nobody`
  expect(await channel.send(samplePage(), { ...to(), address }, options())).toMatchObject({
    kind: 'refused',
    broken: true,
    reason: expect.stringMatching(/^404 /),
  })
})

test('a subscription made with other keys is broken; the browser has to subscribe again', async () => {
  browser = server.subscribe(makeKeys().publicKey)
  expect(await send()).toMatchObject({ kind: 'refused', broken: true, reason: expect.stringMatching(/^403 /) })
})

test('keys of a subscription that are no point of the curve are refused without an attempt', async () => {
  const secret = JSON.stringify({ p256dh: `B${'A'.repeat(86)}`, auth: 'A'.repeat(22) })
  expect(await channel.send(samplePage(), { ...to(), secret }, options())).toMatchObject({
    kind: 'refused',
    broken: true,
  })
  expect(server.asked).toHaveLength(0)
})

test('one proof serves for hours, and is renewed long before it ends', async () => {
  await send()
  clock.advance(5 * 3_600_000)
  await send()
  clock.advance(2 * 3_600_000)
  expect(await send()).toMatchObject({ kind: 'sent' })
  clock.advance(48 * 3_600_000)
  expect(await send()).toMatchObject({ kind: 'sent' })
  const [first, second, third, fourth] = browser.pushed.map(({ proof }) => proof)
  expect(second).toBe(first)
  expect(third).not.toBe(first)
  expect(fourth).not.toBe(third)
})

test('while the keys cannot be had it is worth another attempt', async () => {
  let away = true
  channel = open({
    vapidKeys: async () => {
      if (away) throw new Error('the database is away')
      return keys
    },
  })
  expect(await send()).toMatchObject({
    kind: 'retry',
    afterMs: 1_000,
    detail: expect.stringContaining('database is away'),
  })
  away = false
  expect(await send()).toMatchObject({ kind: 'sent' })
})

test.each([
  [{ status: 413, text: 'too large' }, { kind: 'refused' }],
  [{ status: 400, text: 'bad' }, { kind: 'refused' }],
  [
    { status: 429, headers: { 'retry-after': '20' } },
    { kind: 'retry', limited: true, afterMs: 20_000 },
  ],
  [{ status: 503 }, { kind: 'retry', afterMs: 1_000 }],
])('%o means %o', async (reply, expected) => {
  server.misbehave(reply)
  const result = await send()
  expect(result).toMatchObject(expected)
  expect(result).not.toHaveProperty('broken')
})
