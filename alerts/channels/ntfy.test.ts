import { afterEach, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { samplePage } from '../../test/support/page.js'
import { type NtfyServer, startNtfy } from '../../test/support/provider-ntfy.js'
import type { Channel, Message } from './channel.js'
import { ntfyChannel } from './ntfy.js'

const clock = manualClock(new Date('2026-03-10T06:05:30Z'))
const idle = () => new AbortController().signal
let server: NtfyServer
let channel: Channel
const to = (changes = {}) => ({ address: server.address, secret: server.token, name: '示例', ...changes })
const send = (changes = {}, recipient = to()) =>
  channel.send(samplePage(changes), recipient, { attempt: 1, signal: idle() })

beforeEach(async () => {
  server = await startNtfy({ now: () => clock.now() })
  channel = ntfyChannel({ clock, origins: [server.origin] })
})
afterEach(async () => {
  await channel.stop?.()
  await server.stop()
})

test('an emergency arrives with the highest priority, and a button that opens the page', async () => {
  expect(await send()).toMatchObject({ kind: 'sent' })
  const { url } = samplePage()
  expect(server.messages).toEqual([
    {
      topic: 'guarded-topic',
      title: '紧急呼叫：示例·王奶奶',
      message:
        '示例路 1 号 101 室\n14:03 卧室的呼叫按钮被按下。\n时间：2 分钟前，14:03\n备用钥匙：示例·李师傅（门卫室）\n无人确认时，系统会继续通知其他人。',
      priority: 5,
      tags: ['rotating_light'],
      click: url,
      actions: [{ action: 'view', label: '点此确认由您处理', url, clear: true }],
    },
  ])
})

test.each([
  ['urgent', 4],
  ['warning', 3],
  ['notice', 2],
] as const)('%s has priority %i', async (severity, priority) => {
  await send({ severity })
  expect(server.messages[0]!.priority).toBe(priority)
})

test('a message, with and without a link', async () => {
  const message: Message = {
    messageId: 'm-1',
    kind: 'test',
    text: { zh: '测试', en: 'This is a test.' },
    url: 'https://shouwang.example/t/x',
    at: clock.now(),
    language: 'en',
  }
  const options = { attempt: 1, signal: idle() }
  expect(await channel.tell(message, to(), options)).toMatchObject({ kind: 'sent' })
  expect(await channel.tell({ ...message, url: null }, to(), options)).toMatchObject({ kind: 'sent' })
  expect(server.messages[0]).toMatchObject({ message: 'This is a test.', priority: 2, actions: [{ label: 'Open' }] })
  expect(server.messages[1]).not.toHaveProperty('actions')
})

test('the longest records and digests fit without becoming an attachment', async () => {
  const digest: Message = {
    messageId: 'm-2',
    kind: 'digest',
    text: { zh: '300 条预警', en: '300 alerts' },
    lines: Array.from({ length: 300 }, (_, at) => ({ zh: `第 ${at} 条：示例·王奶奶，水一直在流`, en: '' })),
    at: clock.now(),
    language: 'zh',
  }
  expect(await channel.tell(digest, to(), { attempt: 1, signal: idle() })).toMatchObject({ kind: 'sent' })
  expect(server.messages[0]!.message.length).toBeGreaterThan(1_000)
  const resident = { id: 'r', name: '名'.repeat(2_000), address: '址'.repeat(5_000) }
  expect(
    await send({ resident, headline: { zh: '长'.repeat(9_000), en: '' }, keyHolder: '钥'.repeat(9_000) }),
  ).toMatchObject({
    kind: 'sent',
  })
})

test('a token that is none, or none at all where one is needed, breaks the channel', async () => {
  const wrong = await send({}, to({ secret: 'tk_wrong' }))
  expect(wrong).toMatchObject({ kind: 'refused', broken: true, reason: expect.stringContaining('unauthorized') })
  const none = await send({}, to({ secret: null }))
  expect(none).toMatchObject({ kind: 'refused', broken: true, reason: expect.stringContaining('forbidden') })
})

test('too many requests: limited', async () => {
  for (let count = 0; count < 60; count += 1) await send()
  expect(await send()).toMatchObject({ kind: 'retry', limited: true, detail: expect.stringContaining('42901') })
})

test('a payload that is too large is refused for good', async () => {
  server.misbehave({ status: 413, json: { code: 41303, http: 413, error: 'JSON payload too large' } })
  const result = await send()
  expect(result).toMatchObject({ kind: 'refused', reason: expect.stringContaining('41303') })
  expect(result).not.toHaveProperty('broken')
})
