import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { samplePage } from '../../test/support/page.js'
import { type RobotServer, startDingtalk, startFeishu, startWecom } from '../../test/support/provider-robots.js'
import type { Channel, Message } from './channel.js'
import { dingtalkChannel } from './dingtalk.js'
import { feishuChannel } from './feishu.js'
import { wecomChannel } from './wecom.js'

const clock = manualClock(new Date('2026-03-10T06:05:30Z'))
const now = () => clock.now()
const idle = () => new AbortController().signal
const dingtalkSecret = 'SEC0123456789abcdef'
const feishuSecret = 'fei-shu-secret'
const message: Message = {
  messageId: 'm-1',
  kind: 'digest',
  text: { zh: '12 条预警', en: '12 alerts' },
  lines: [{ zh: '第一条', en: 'The first' }],
  url: 'https://shouwang.example/',
  at: clock.now(),
  language: 'zh',
}

let server: RobotServer
let channel: Channel
let secret: string | null
const to = (changes = {}) => ({ address: server.address, secret, name: '示例', ...changes })
const send = (changes = {}, recipient = to()) =>
  channel.send(samplePage(changes), recipient, { attempt: 1, signal: idle() })
const tell = (attempt = 1) => channel.tell(message, to(), { attempt, signal: idle() })

const robots = [
  { name: 'wecom', start: () => startWecom({ now }), open: wecomChannel, secret: null, limit: 20 },
  {
    name: 'dingtalk',
    start: () => startDingtalk({ now, secret: dingtalkSecret }),
    open: dingtalkChannel,
    secret: dingtalkSecret,
    limit: 20,
  },
  {
    name: 'feishu',
    start: () => startFeishu({ now, secret: feishuSecret }),
    open: feishuChannel,
    secret: feishuSecret,
    limit: 5,
  },
]

describe.each(robots)('$name', (robot) => {
  beforeEach(async () => {
    clock.advance(3_600_000)
    server = await robot.start()
    channel = robot.open({ clock, origins: [server.origin], answerMsMax: 800 })
    secret = robot.secret
  })
  afterEach(async () => {
    await channel.stop?.()
    await server.stop()
  })

  test('an emergency reaches the group, and everybody’s telephone sounds', async () => {
    expect(await send()).toMatchObject({ kind: 'sent', detail: expect.stringMatching(/^200 /) })
    const [{ text, everybody }] = server.texts as [RobotServer['texts'][number]]
    expect(everybody).toBe(true)
    expect(text).toContain('【守望】紧急呼叫：示例·王奶奶\n示例路 1 号 101 室\n')
    expect(text).toContain(samplePage().url)
    expect(text).not.toMatch(/1357|听力|000-0000/)
  })

  test('what is no emergency calls nobody by name', async () => {
    await send({ severity: 'warning', kind: 'leak' })
    await tell()
    expect(server.texts.map(({ everybody }) => everybody)).toEqual([false, false])
    expect(server.texts[1]!.text).toBe('【守望】12 条预警\n第一条\nhttps://shouwang.example/')
  })

  test('the longest records fit, the link whole', async () => {
    const resident = { id: 'r', name: '名'.repeat(1_000), address: '址'.repeat(1_000) }
    const headline = { zh: '长'.repeat(2_000), en: '' }
    expect(await send({ resident, headline, keyHolder: '钥'.repeat(1_000) })).toMatchObject({ kind: 'sent' })
    expect(server.texts[0]!.text).toContain(samplePage().url)
    const lines = Array.from({ length: 500 }, (_, at) => ({ zh: `第 ${at} 条：很长的一行`.repeat(3), en: '' }))
    expect(await channel.tell({ ...message, lines }, to(), { attempt: 1, signal: idle() })).toMatchObject({
      kind: 'sent',
    })
    expect(server.texts[1]!.text).toMatch(/https:\/\/shouwang\.example\/$/)
  })

  test('a robot that is not there is broken: nothing will arrive until somebody mends it', async () => {
    const address = server.address.replace(/robot-key-0001|a{64}|[0-9a-f-]{36}$/, 'b'.repeat(64))
    expect(address).not.toBe(server.address)
    expect(await send({}, to({ address }))).toMatchObject({ kind: 'refused', broken: true })
    expect(server.texts).toHaveLength(0)
  })

  test('digests keep below the limit by themselves, and emergencies still go', async () => {
    let kept = 0
    for (let count = 0; count < robot.limit; count += 1) {
      const result = await tell()
      if (result.kind === 'retry') kept += 1
      if (result.kind === 'retry')
        expect(result).toMatchObject({ limited: true, detail: expect.stringMatching(/^kept back/) })
    }
    expect(kept).toBeGreaterThan(0)
    expect(server.asked).toHaveLength(robot.limit - kept)
    expect(await send()).toMatchObject({ kind: 'sent' })
    clock.advance(60_000)
    expect(await tell()).toMatchObject({ kind: 'sent' })
  })

  test('an emergency is sent beyond the limit too; the provider’s no goes to the next channel, and digests wait', async () => {
    for (let count = 0; count < robot.limit; count += 1) expect(await send()).toMatchObject({ kind: 'sent' })
    expect(await send()).toMatchObject({
      kind: 'retry',
      limited: true,
      detail: expect.stringMatching(/45009|130101|11232/),
    })
    expect(server.asked).toHaveLength(robot.limit + 1)
    clock.advance(1_000)
    expect(await tell()).toMatchObject({ kind: 'retry', limited: true, detail: expect.stringMatching(/^kept back/) })
    expect(server.asked).toHaveLength(robot.limit + 1)
  })

  test('an address elsewhere is never called', async () => {
    const address = server.address.replace('127.0.0.1', 'localhost')
    expect(await send({}, to({ address }))).toMatchObject({ kind: 'refused', broken: true })
    expect(server.asked).toHaveLength(0)
  })
})

describe('signatures', () => {
  test.each([
    { open: dingtalkChannel, start: startDingtalk, right: dingtalkSecret, wrong: 'SECother', said: '310000' },
    { open: feishuChannel, start: startFeishu, right: feishuSecret, wrong: 'other', said: '19021' },
  ])('$said: a wrong secret, none, or a clock an hour off is refused, and the channel is broken', async (robot) => {
    const server = await robot.start({ now, secret: robot.right })
    const channel = robot.open({ clock, origins: [server.origin] })
    const late = manualClock(new Date(now().getTime() - 3_700_000))
    const lateChannel = robot.open({ clock: late, origins: [server.origin] })
    const recipient = { address: server.address, secret: robot.right, name: '示例' }
    const options = { attempt: 1, signal: idle() }
    const refused = { kind: 'refused', broken: true, reason: expect.stringContaining(robot.said) }
    expect(await channel.send(samplePage(), { ...recipient, secret: robot.wrong }, options)).toMatchObject(refused)
    expect(await channel.send(samplePage(), { ...recipient, secret: null }, options)).toMatchObject(refused)
    expect(await lateChannel.send(samplePage(), recipient, options)).toMatchObject(refused)
    expect(server.texts).toHaveLength(0)
    expect(await channel.send(samplePage(), recipient, options)).toMatchObject({ kind: 'sent' })
    await channel.stop?.()
    await lateChannel.stop?.()
    await server.stop()
  })

  test.each([
    { name: 'dingtalk', open: dingtalkChannel, start: startDingtalk },
    { name: 'feishu', open: feishuChannel, start: startFeishu },
  ])('$name without a secret passes by the keyword, in both languages', async ({ open, start }) => {
    const server = await start({ now })
    const channel = open({ clock, origins: [server.origin] })
    const recipient = { address: server.address, secret: null, name: '示例' }
    for (const language of ['zh', 'en'] as const) {
      clock.advance(1_000)
      const options = { attempt: 1, signal: idle() }
      expect(await channel.send(samplePage({ language }), recipient, options)).toMatchObject({ kind: 'sent' })
      expect(await channel.tell({ ...message, language }, recipient, options)).toMatchObject({ kind: 'sent' })
    }
    await channel.stop?.()
    await server.stop()
  })
})

test('a text that DingTalk dislikes is refused, but the robot is not broken', async () => {
  const server = await startDingtalk({ now })
  const channel = dingtalkChannel({ clock, origins: [server.origin] })
  const recipient = { address: server.address, secret: null, name: '示例' }
  const headline = { zh: '赌博', en: '' }
  const result = await channel.send(samplePage({ headline }), recipient, { attempt: 1, signal: idle() })
  expect(result).toMatchObject({ kind: 'refused', reason: expect.stringContaining('430104') })
  expect(result).not.toHaveProperty('broken')
  await channel.stop?.()
  await server.stop()
})

test('a name cannot call people in Feishu', async () => {
  const server = await startFeishu({ now })
  const channel = feishuChannel({ clock, origins: [server.origin] })
  const resident = { ...samplePage().resident, name: '<at user_id="all">所有人</at>' }
  const page = samplePage({ resident, severity: 'warning' })
  await channel.send(page, { address: server.address, secret: null, name: '示例' }, { attempt: 1, signal: idle() })
  expect(server.texts[0]).toMatchObject({ everybody: false, text: expect.stringContaining('＜at user_id') })
  await channel.stop?.()
  await server.stop()
})
