import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { samplePage } from '../../test/support/page.js'
import {
  aliyunKeys,
  type PhoneServer,
  startAliyun,
  startTwilio,
  twilioKeys,
} from '../../test/support/provider-phone.js'
import { smsParts } from '../text-fit.js'
import type { Channel, Message } from './channel.js'
import { judgeAnswer, numberFor, providerChannel, providerRequest } from './provider.js'
import { gapNames, parseProvider } from './provider-file.js'

const clock = manualClock(new Date('2026-03-10T06:05:30Z'))
const idle = () => new AbortController().signal
const link = `https://shouwang.example/p/${'k'.repeat(21)}-${'l'.repeat(21)}`
const message: Message = {
  messageId: 'm-1',
  kind: 'test',
  text: { zh: '这是一条测试消息。', en: 'This is a test.' },
  url: 'https://shouwang.example/t/x',
  at: clock.now(),
  language: 'zh',
}
const kinds = { sms: 'sms', voice: 'voice_call' } as const

let server: PhoneServer
let channel: Channel
const to = (address = '138 0000 0000') => ({ address, secret: null, name: '示例' })
const send = (changes = {}, recipient = to()) =>
  channel.send(samplePage({ url: link, ...changes }), recipient, { attempt: 1, signal: idle() })
const tell = () => channel.tell(message, to(), { attempt: 1, signal: idle() })

/** An example as it stands in the repository, with the test's server and keys in it. */
function example(name: string, changes: { sign?: object } = {}) {
  const json = JSON.parse(readFileSync(new URL(`./examples/${name}.json`, import.meta.url), 'utf8')) as {
    url: string
    sign: object
  }
  const url = new URL(json.url)
  const keys = name.endsWith('twilio') ? twilioKeys : aliyunKeys
  const path = url.pathname.replace(/AC[X]+/, twilioKeys.user)
  return parseProvider({ ...json, url: `${server.origin}${path}`, sign: { ...json.sign, ...keys, ...changes.sign } })
}
const open = (what: 'sms' | 'voice', provider: string, changes = {}) =>
  providerChannel({ kind: kinds[what], provider: example(`${what}-${provider}`, changes), clock })

afterEach(async () => {
  await channel.stop?.()
  await server.stop()
})

describe.each(['sms', 'voice'] as const)('Aliyun, %s', (what) => {
  beforeEach(async () => {
    server = await startAliyun({ now: () => clock.now() })
    channel = open(what, 'aliyun')
  })

  test('a page fills the approved template, signed', async () => {
    expect(await send()).toMatchObject({ kind: 'sent', detail: expect.stringContaining('"OK"') })
    const where = what === 'sms' ? '示例路 1 号 101 室' : '示例路 1 号 1 0 1 室'
    const values = { what: '紧急呼叫', who: '示例·王奶奶', where }
    const token = link.slice(link.lastIndexOf('/') + 1)
    const ends = { head: token.slice(0, 22), tail: token.slice(22) }
    expect(server.taken).toEqual([{ to: '13800000000', values: what === 'sms' ? { ...values, ...ends } : values }])
  })

  test('the longest records fit into the gaps', async () => {
    const resident = { id: 'r', name: '名'.repeat(500), address: '1 2 3 4 '.repeat(50) }
    expect(await send({ resident })).toMatchObject({ kind: 'sent' })
  })

  test('a message has a template of its own', async () => {
    expect(await tell()).toMatchObject({ kind: 'sent' })
    expect(server.taken[0]!.values).toEqual({ line: '这是一条测试消息。' })
  })

  test('a wrong secret is refused, and breaks no person’s channel', async () => {
    await channel.stop?.()
    channel = open(what, 'aliyun', { sign: { accessKeySecret: 'wrong' } })
    const result = await send()
    expect(result).toMatchObject({ kind: 'refused', reason: expect.stringContaining('SignatureDoesNotMatch') })
    expect(result).not.toHaveProperty('broken')
  })

  test('a number that is none is broken; an operator’s limit is worth waiting for; a number abroad is written so', async () => {
    expect(await send({}, to('+34600000000'))).toMatchObject({ kind: 'refused', broken: true })
    expect(
      server.asked[0]!.query.get('PhoneNumbers') ??
        new URLSearchParams(server.asked[0]!.body.toString()).get('CalledNumber'),
    ).toBe('0034600000000')
    for (let count = 0; count < 5; count += 1) expect(await send()).toMatchObject({ kind: 'sent' })
    expect(await send()).toMatchObject({
      kind: 'retry',
      limited: true,
      afterMs: 60_000,
      detail: expect.stringContaining('BUSINESS_LIMIT_CONTROL'),
    })
  })

  test.each([
    [{ status: 500, json: { Code: 'InternalError' } }, { kind: 'retry' }],
    [{ status: 503, text: '' }, { kind: 'retry' }],
    [
      { status: 400, json: { Code: 'Throttling.User' } },
      { kind: 'retry', limited: true },
    ],
    [{ status: 200, json: { Code: 'isv.AMOUNT_NOT_ENOUGH' } }, { kind: 'refused' }],
    [{ status: 200, json: { Code: 'isp.SYSTEM_ERROR' } }, { kind: 'retry' }],
  ])('%o means %o', async (reply, expected) => {
    server.misbehave(reply)
    expect(await send()).toMatchObject(expected)
  })
})

describe('Twilio', () => {
  beforeEach(async () => {
    server = await startTwilio()
  })

  test('a page is one text message of at most two parts, the link whole', async () => {
    channel = open('sms', 'twilio')
    expect(await send()).toMatchObject({ kind: 'sent', detail: expect.stringMatching(/^201 /) })
    const { Body, To } = server.taken[0]!.values
    expect(To).toBe('+8613800000000')
    expect(Body).toBe(`紧急呼叫：示例·王奶奶，示例路 1 号 101 室。确认：${link}`)
    expect(smsParts(Body!)).toBe(2)
    expect(await tell()).toMatchObject({ kind: 'sent' })
    expect(server.taken[1]!.values.Body).toBe('这是一条测试消息。 https://shouwang.example/t/x')
  })

  test('a call speaks what it has to say, and a name cannot become an instruction', async () => {
    channel = open('voice', 'twilio')
    const resident = { ...samplePage().resident, name: '王</Say><Hangup/>&' }
    expect(await send({ resident })).toMatchObject({ kind: 'sent' })
    expect(server.taken[0]!.values.Twiml).toContain('王&#60;/Say&#62;&#60;Hangup/&#62;&#38;')
    expect(await send({ language: 'en' })).toMatchObject({ kind: 'sent' })
    expect(server.taken[1]!.values.Twiml).toContain('<Say language="en-GB">This is Shouwang. Call button pressed.')
    expect(await tell()).toMatchObject({ kind: 'sent' })
  })

  test('wrong credentials are refused; who has unsubscribed, or has no such number, is broken', async () => {
    channel = open('sms', 'twilio', { sign: { password: 'wrong' } })
    const result = await send()
    expect(result).toMatchObject({ kind: 'refused', reason: expect.stringContaining('20003') })
    expect(result).not.toHaveProperty('broken')
    await channel.stop?.()
    channel = open('sms', 'twilio')
    const stopped = { kind: 'refused', broken: true, reason: expect.stringContaining('21610') }
    expect(await send({}, to('13900000000'))).toMatchObject(stopped)
    expect(await send({}, to('nobody'))).toMatchObject({ kind: 'refused', broken: true })
  })

  test.each([
    [
      { status: 429, json: { code: 20429 } },
      { kind: 'retry', limited: true, afterMs: 60_000 },
    ],
    [
      { status: 429, json: { code: 20429 }, headers: { 'retry-after': '3' } },
      { kind: 'retry', limited: true, afterMs: 3_000 },
    ],
    [
      { status: 500, json: { code: 20500 } },
      { kind: 'retry', afterMs: 1_000 },
    ],
    [{ status: 400, json: { code: 21617 } }, { kind: 'refused' }],
  ])('%o means %o', async (reply, expected) => {
    channel = open('sms', 'twilio')
    server.misbehave(reply)
    expect(await send()).toMatchObject(expected)
  })
})

describe('what a file can say besides', () => {
  const provider = (changes = {}) =>
    parseProvider({
      name: 'Example',
      url: 'https://sms.example/v1/{to}/send',
      send: 'json',
      headers: { 'x-api-version': '2' },
      values: { message: { text: '{text}', urgent: true, parts: 2 } },
      sign: { way: 'bearer', token: 'abc' },
      answers: [
        { field: 'result.state', is: ['answered'], means: 'delivered' },
        { status: [200], field: 'result.state', is: ['queued', 1], means: 'sent' },
        { field: 'result.state', is: ['bad.*'], means: 'broken' },
        { status: ['4xx'], means: 'refused' },
      ],
      ...changes,
    })
  const gaps = Object.fromEntries(gapNames.map((name) => [name, `<${name}&>`])) as Parameters<typeof providerRequest>[2]
  const at = { now: clock.now(), nonce: 'n' }

  test('JSON with what is not text, a gap in the URL, a header, a bearer token', () => {
    const { url, headers, body } = providerRequest(provider(), provider().values, gaps, at)
    expect(url.href).toBe('https://sms.example/v1/%3Cto%26%3E/send')
    expect(headers).toMatchObject({
      'x-api-version': '2',
      authorization: 'Bearer abc',
      'content-type': 'application/json',
    })
    expect(JSON.parse(body)).toEqual({ message: { text: '<text&>', urgent: true, parts: 2 } })
  })

  test('a gap cannot add a parameter', () => {
    const form = provider({ send: 'form', sign: { way: 'none' } })
    const { body } = providerRequest(form, { text: '{text}' }, { ...gaps, text: 'a&to=b' }, at)
    expect([...new URLSearchParams(body)]).toEqual([['text', 'a&to=b']])
  })

  test.each([
    [200, '{"result":{"state":"answered"}}', 'delivered'],
    [200, '{"result":{"state":"queued"}}', 'sent'],
    [200, '{"result":{"state":1}}', 'sent'],
    [202, '{"result":{"state":"queued"}}', undefined],
    [200, '{"result":{"state":"bad.number"}}', 'broken'],
    [200, '{"result":{"state":"bad"}}', undefined],
    [200, '{"result":null}', undefined],
    [200, '<html>', undefined],
    [404, '', 'refused'],
    [500, '', undefined],
  ])('status %i with %s means %s', (status, text, means) => {
    expect(judgeAnswer(provider(), { status, text, askedMs: undefined })).toBe(means)
  })

  test.each([
    ['13800000000', 'international', '+8613800000000'],
    ['+34600000000', 'international', '+34600000000'],
    ['01012345678', 'international', '+861012345678'],
    ['13800000000', 'national', '13800000000'],
    ['+8613800000000', 'national', '13800000000'],
    ['+34600000000', 'national', '0034600000000'],
  ] as const)('%s is written %s as %s', (number, numbers, expected) => {
    expect(numberFor(number, { numbers, countryCode: '86' })).toBe(expected)
  })
})
