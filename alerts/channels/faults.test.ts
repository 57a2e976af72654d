import { createECDH } from 'node:crypto'
import { getEventListeners } from 'node:events'
import { readFileSync } from 'node:fs'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { samplePage } from '../../test/support/page.js'
import { startNtfy } from '../../test/support/provider-ntfy.js'
import { aliyunKeys, startAliyun, startTwilio, twilioKeys } from '../../test/support/provider-phone.js'
import { startPushService } from '../../test/support/provider-push.js'
import { startDingtalk, startFeishu, startWecom } from '../../test/support/provider-robots.js'
import type { Misbehaviour, ProviderServer } from '../../test/support/provider-server.js'
import type { Channel } from './channel.js'
import { dingtalkChannel } from './dingtalk.js'
import { feishuChannel } from './feishu.js'
import { ntfyChannel } from './ntfy.js'
import { providerChannel } from './provider.js'
import { parseProvider } from './provider-file.js'
import { webPushChannel } from './web-push.js'
import { wecomChannel } from './wecom.js'

// What every channel over HTTP does when its provider, or the line to it, fails. The webhook has tests of its own.
const clock = manualClock(new Date('2026-03-10T06:05:30Z'))
const now = () => clock.now()
const idle = () => new AbortController().signal
const answerMsMax = 400

type Scene = { server: ProviderServer; channel: Channel; address: string; secret: string | null }
const example = (name: string, server: ProviderServer, sign: object) => {
  const json = JSON.parse(readFileSync(new URL(`./examples/${name}.json`, import.meta.url), 'utf8')) as {
    url: string
    sign: object
  }
  const path = new URL(json.url).pathname.replace(/ACX+/, twilioKeys.user)
  return parseProvider({ ...json, url: `${server.origin}${path}`, sign: { ...json.sign, ...sign } })
}

const scenes: Record<string, () => Promise<Scene>> = {
  wecom: async () => {
    const server = await startWecom({ now })
    const channel = wecomChannel({ clock, origins: [server.origin], answerMsMax })
    return { server, channel, address: server.address, secret: null }
  },
  dingtalk: async () => {
    const server = await startDingtalk({ now, secret: 'SEC1' })
    const channel = dingtalkChannel({ clock, origins: [server.origin], answerMsMax })
    return { server, channel, address: server.address, secret: 'SEC1' }
  },
  feishu: async () => {
    const server = await startFeishu({ now, secret: 'secret' })
    const channel = feishuChannel({ clock, origins: [server.origin], answerMsMax })
    return { server, channel, address: server.address, secret: 'secret' }
  },
  ntfy: async () => {
    const server = await startNtfy({ now })
    const channel = ntfyChannel({ clock, origins: [server.origin], answerMsMax })
    return { server, channel, address: server.address, secret: server.token }
  },
  web_push: async () => {
    const server = await startPushService({ now })
    const curve = createECDH('prime256v1')
    const publicKey = curve.generateKeys('base64url')
    const privateKey = Buffer.concat([Buffer.alloc(32), curve.getPrivateKey()])
      .subarray(-32)
      .toString('base64url')
    const vapidKeys = async () => ({ publicKey, privateKey })
    const subject = 'https://shouwang.example'
    const channel = webPushChannel({ clock, vapidKeys, subject, origins: [server.origin], answerMsMax })
    return { server, channel, ...server.subscribe(publicKey) }
  },
  'sms, Aliyun': async () => {
    const server = await startAliyun({ now })
    const provider = example('sms-aliyun', server, aliyunKeys)
    const channel = providerChannel({ kind: 'sms', provider, clock, answerMsMax })
    return { server, channel, address: '13800000000', secret: null }
  },
  'voice, Twilio': async () => {
    const server = await startTwilio()
    const provider = example('voice-twilio', server, twilioKeys)
    const channel = providerChannel({ kind: 'voice_call', provider, clock, answerMsMax })
    return { server, channel, address: '13800000000', secret: null }
  },
}

/** Web Push and Twilio say all in the status: a body that is cut, or that says something else, changes nothing. */
const readsBody = (name: string) => name !== 'web_push' && name !== 'voice, Twilio'

describe.each(Object.keys(scenes))('%s', (name) => {
  let scene: Scene
  const send = (attempt = 1, signal = idle(), severity: 'emergency' | 'notice' = 'emergency') =>
    scene.channel.send(
      samplePage({ severity }),
      { address: scene.address, secret: scene.secret, name: '示例' },
      { attempt, signal },
    )
  beforeEach(async () => {
    clock.advance(3_600_000)
    scene = await scenes[name]!()
  })
  afterEach(async () => {
    await scene.channel.stop?.()
    await scene.server.stop()
  })

  test('its kind, and a page that arrives', async () => {
    expect(name.startsWith(scene.channel.kind.replace('_call', ''))).toBe(true)
    expect(await send()).toMatchObject({ kind: 'sent' })
  })

  test.each<[Misbehaviour, object]>([
    ['hang', { kind: 'retry', afterMs: 1_000, detail: 'no answer in 400 ms' }],
    ['cut', { kind: 'retry', afterMs: 1_000, detail: 'not reached: ECONNRESET' }],
    [
      { status: 500, text: 'oops' },
      { kind: 'retry', afterMs: 1_000, detail: '500 oops' },
    ],
    [
      { status: 502, text: '<html>Bad gateway</html>' },
      { kind: 'retry', detail: '502 <html>Bad gateway</html>' },
    ],
    [
      { status: 503, headers: { 'retry-after': '7' } },
      { kind: 'retry', afterMs: 7_000 },
    ],
    [
      { status: 429, headers: { 'retry-after': '9' } },
      { kind: 'retry', limited: true, afterMs: 9_000 },
    ],
    [{ status: 429 }, { kind: 'retry', limited: true }],
    [
      { status: 302, headers: { location: 'http://127.0.0.1:1/' } },
      { kind: 'refused', reason: expect.stringMatching(/^302/) },
    ],
  ])('%o is %o, and the next page goes', async (how, expected) => {
    scene.server.misbehave(how)
    const startedAt = performance.now()
    expect(await send()).toMatchObject(expected)
    expect(performance.now() - startedAt).toBeLessThan(4_000)
    expect(scene.server.asked).toHaveLength(1)
    scene.server.misbehave(undefined)
    expect(await send()).toMatchObject({ kind: 'sent' })
  })

  test.each<Misbehaviour>(['garbage', 'half', 'endless'])(
    '%s instead of an answer is not taken for a yes',
    async (how) => {
      scene.server.misbehave(how)
      const startedAt = performance.now()
      const result = await send()
      expect(performance.now() - startedAt).toBeLessThan(3_500)
      // A half answer that names its id, or a status that says all, is one.
      const isSent = !readsBody(name) || (name === 'ntfy' && how === 'half')
      expect(result.kind).toBe(isSent ? 'sent' : 'retry')
    },
  )

  test('pauses grow with the attempts', async () => {
    scene.server.misbehave({ status: 500 })
    expect(await send(3)).toMatchObject({ kind: 'retry', afterMs: 5_000 })
    expect(await send(1, idle(), 'notice')).toMatchObject({ kind: 'retry', afterMs: 10_000 })
  })

  test('a provider that cannot be reached is worth another attempt', async () => {
    await scene.server.stop()
    expect(await send()).toMatchObject({ kind: 'retry', detail: 'not reached: ECONNREFUSED' })
  })

  test('the signal ends an attempt at once, and leaves nothing behind', async () => {
    scene.server.misbehave('hang')
    const controller = new AbortController()
    const sending = send(1, controller.signal)
    setTimeout(() => controller.abort(), 50)
    expect(await sending).toEqual({ kind: 'retry', afterMs: 0, detail: 'stopped before an answer' })
    expect(getEventListeners(controller.signal, 'abort')).toHaveLength(0)
  })
})
