import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { channelsOf } from '../db/staff-channels.js'
import { systemClock as clock } from '../kit/clock.js'
import { openBrowser } from './support/browser.js'
import { registerCommunity, staffPassword, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { startRoles } from './support/roles.js'
import { startWebhookReceiver, type WebhookReceiver } from './support/webhook-receiver.js'

/** A test sent from the page, through a real channel, seen and confirmed; and push in a real browser. */
let database: TestDatabase
let roles: Awaited<ReturnType<typeof startRoles>>
let browser: Browser
let receiver: WebhookReceiver

beforeAll(async () => {
  ;[database, browser, receiver] = await Promise.all([
    startTestDatabase(),
    openBrowser(),
    startWebhookReceiver({ secret: webhookSecret }),
  ])
  roles = await startRoles({ db: database.db, channels: [webhookChannel({ clock })] })
  await registerCommunity(database.db, {
    key: 'me',
    channelsOf: () => [{ kind: 'webhook', address: receiver.url, secret: webhookSecret }],
  })
})
afterAll(async () => {
  await browser?.close()
  await roles?.stop()
  await receiver?.stop()
  await database?.stop()
})

async function logIn(permissions: string[] = []): Promise<Page> {
  const context = await browser.newContext({ locale: 'en-GB', viewport: { width: 360, height: 740 }, permissions })
  const page = await context.newPage()
  await page.goto(roles.publicUrl)
  await page.fill('[name=login]', 'me-worker')
  await page.fill('[name=password]', staffPassword)
  await page.click('main button[type=submit]')
  await page.waitForURL(`${roles.publicUrl}/`)
  return page
}

test('a test goes out at once; its link confirms it, and the page shows so by itself', async () => {
  const page = await logIn()
  try {
    await page.click('a.me')
    await page.waitForSelector('h1:has-text("nobody has seen a test arrive")')
    await page.click('button:has-text("Send me a test")')
    const [test] = await receiver.waitFor(1, 5_000)
    expect(test!.signatureValid).toBe(true)
    expect(test!.json).toMatchObject({ kind: 'test', noticeId: expect.any(String), text: { zh: expect.any(String) } })
    await page.waitForSelector('text=/(sent|delivered). Open it and press/', { timeout: 10_000 })
    // On another device, where nobody is logged in.
    const phone = await (await browser.newContext({ locale: 'zh-CN' })).newPage()
    await phone.goto(String(test!.json!.url))
    await phone.click('button:has-text("我收到了")')
    await phone.waitForSelector('h1:has-text("谢谢")')
    await page.waitForSelector('h1:has-text("You can be reached")', { timeout: 10_000 })
  } finally {
    await page.context().close()
  }
})

test('push: subscribed from the page, shown by the worker', async () => {
  const page = await logIn(['notifications'])
  try {
    // The browser's push service is on the internet; all else is real.
    await page.addInitScript(() => {
      const keys = { p256dh: 'B'.repeat(87), auth: 'a'.repeat(22) }
      const endpoint = 'https://fcm.googleapis.com/fcm/send/invented'
      const made = { endpoint, toJSON: () => ({ endpoint, keys }), unsubscribe: async () => true }
      let subscription: typeof made | null = null
      Object.assign(PushManager.prototype, {
        subscribe: async ({ applicationServerKey: key }: { applicationServerKey: string }) => {
          if (!/^[\w-]{87}$/.test(key)) throw new Error('no key')
          sessionStorage.setItem('subscribed', '1')
          subscription = made
          return made
        },
        getSubscription: async () => ((subscription ?? sessionStorage.getItem('subscribed')) ? made : null),
      })
    })
    await page.goto(`${roles.publicUrl}/me`)
    await page.click('button:has-text("Switch push on here")')
    await page.waitForSelector('#push:has-text("Push is on in this browser.")')
    const own = await channelsOf(database.db, 'me-worker')
    expect(own.map(({ kind }) => kind)).toEqual(['webhook', 'web_push'])

    const cdp = await page.context().newCDPSession(page)
    const registrations: { registrationId: string; scopeURL: string }[] = []
    cdp.on('ServiceWorker.workerRegistrationUpdated', (event) => registrations.push(...event.registrations))
    await cdp.send('ServiceWorker.enable')
    await expect.poll(() => registrations.length, { timeout: 5_000 }).toBeGreaterThan(0)
    const push = (data: object) =>
      cdp.send('ServiceWorker.deliverPushMessage', {
        origin: roles.publicUrl,
        registrationId: registrations[0]!.registrationId,
        data: JSON.stringify(data),
      })
    // A browser without a window has nowhere to show it: what the worker asks for is all that can be seen.
    const [worker] = page.context().serviceWorkers()
    await worker!.evaluate(() => {
      const { registration } = globalThis as unknown as { registration: Record<string, unknown> }
      Object.assign(globalThis, { shown: [] })
      registration.showNotification = async (title: string, options: object) =>
        void (globalThis as unknown as { shown: object[] }).shown.push({ title, ...options })
    })
    const shown = () => worker!.evaluate(() => (globalThis as unknown as { shown: object[] }).shown)
    const url = `${roles.publicUrl}/p/invented`
    await push({ title: '紧急呼叫', body: '示例路 1 号', url, tag: 'alert-7', urgent: true })
    const expected = {
      title: '紧急呼叫',
      body: '示例路 1 号',
      tag: 'alert-7',
      renotify: true,
      requireInteraction: true,
      data: { url },
    }
    await expect.poll(shown, { timeout: 5_000 }).toMatchObject([expected])
    await push({ title: '每日汇总', body: '', url, urgent: false })
    await expect.poll(shown).toMatchObject([expected, { title: '每日汇总', requireInteraction: false }])
    // Whatever comes, something is shown: else the browser takes the permission away.
    await push('not an object' as unknown as object)
    await expect.poll(async () => (await shown()).length).toBe(3)
  } finally {
    await page.context().close()
  }
})
