import { randomUUID } from 'node:crypto'
import { expect, onTestFinished, test } from 'vitest'
import { systemClock as clock } from '../../kit/clock.js'
import type { Page } from '../channels/channel.js'
import { webhookChannel } from '../channels/webhook.js'
import { startReceiver } from './receiver.js'

const secret = 'invented-secret'
const pressedAt = new Date('2026-11-21T08:00:00.123Z')

const page = (over: { residentId?: string; observedAt?: Date } = {}): Page => ({
  pageId: randomUUID(),
  alertId: '1',
  severity: 'emergency',
  kind: 'button',
  resident: { id: over.residentId ?? 'r', name: '示例', address: '示例路 1 号' },
  headline: { zh: '', en: '' },
  openedAt: pressedAt,
  observedAt: over.observedAt ?? pressedAt,
  step: 1,
  round: 0,
  url: 'http://localhost/p/x',
  timeZone: 'Asia/Shanghai',
  language: 'zh',
  audience: 'staff',
})

async function scene() {
  const receiver = await startReceiver({ clock })
  const channel = webhookChannel({ clock })
  onTestFinished(async () => {
    await channel.stop?.()
    await receiver.stop()
  })
  const expected = receiver.expect({ residentId: 'r', secret, pressedAt })
  let came = false
  void expected.came.then(() => {
    came = true
  })
  const send = async (what: Page, signedWith = secret) => {
    const to = { address: receiver.url, secret: signedWith, name: '' }
    const result = await channel.send(what, to, { attempt: 1, signal: AbortSignal.timeout(5_000) })
    return { result: result.kind, came }
  }
  return { receiver, expected, send }
}

test('takes the page of this press, as the real channel sends it', async () => {
  const { send } = await scene()
  expect((await send(page())).came).toBe(true)
})

test.each([
  ['of an earlier press', page({ observedAt: new Date(pressedAt.getTime() - 180_000) }), secret],
  ['signed by somebody else', page(), 'another-secret'],
  ['of another resident', page({ residentId: 'other' }), secret],
])('a page %s is not it', async (_, what, signedWith) => {
  const { send } = await scene()
  expect((await send(what, signedWith)).came).toBe(false)
  expect((await send(page())).came).toBe(true)
})

test('a page that comes when nobody waits for it any more is taken: it must not count as a broken address', async () => {
  const { expected, send } = await scene()
  expected.forget()
  const { result, came } = await send(page())
  expect(result).not.toBe('refused')
  expect(result).not.toBe('retry')
  expect(came).toBe(false)
})

test('what is no page is refused, also when it is large', async () => {
  const { receiver } = await scene()
  const post = async (body: string) => (await fetch(receiver.url, { method: 'POST', body })).status
  expect(await post('{}')).toBe(400)
  expect(await post('no json')).toBe(400)
  expect(await post('x'.repeat(100_000)).catch(() => 400)).toBe(400)
  expect((await fetch(receiver.url)).status).toBe(400)
})
