import jsQR from 'jsqr'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { systemClock as clock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createZigbee2MqttGateway, type Zigbee2MqttGateway } from '../simulators/zigbee2mqtt-gateway.js'
import { openBrowser } from './support/browser.js'
import { registerCommunity, staffPassword, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { startRoles } from './support/roles.js'
import { startWebhookReceiver } from './support/webhook-receiver.js'

/** From the box in the hand to the device on the wall: a gateway added, its devices claimed and tested, in a browser. */
let database: TestDatabase
let roles: Awaited<ReturnType<typeof startRoles>>
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
let browser: Browser

beforeAll(async () => {
  ;[database, browser] = await Promise.all([startTestDatabase(), openBrowser()])
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  roles = await startRoles({ db: database.db, channels: [webhookChannel({ clock })] })
})
afterAll(async () => {
  await browser?.close()
  await roles?.stop()
  await receiver?.stop()
  await database?.stop()
})

const words = {
  'zh-CN': {
    add: '添加网关',
    once: '密钥只显示这一次',
    claim: '认领',
    untested: '尚未测试',
    press: '请现在按一下按钮',
    tap: '请打开水龙头 30 秒',
    passed: '测试通过',
    pressed: '按钮按下',
    moved: '表数走动',
    tested: '测试通过：',
  },
  'en-GB': {
    add: 'Add a gateway',
    once: 'The secret is shown this once',
    claim: 'Claim',
    untested: 'Not tested yet',
    press: 'Press the button now',
    tap: 'Open a tap for 30 seconds',
    passed: 'The test has passed',
    pressed: 'pressed',
    moved: 'the meter moved',
    tested: 'Tested ',
  },
} as const

const seenMsMax = 30_000
const edgesKnowMs = 3_000
/** The package is CommonJS, and its types say so. */
const decodeQr = jsQR as unknown as typeof jsQR.default

type Settings = { user: string; password: string; host: string; port: number; tls: boolean; baseTopic: string }

/** The QR code as a phone reads it: from the picture on the screen. */
async function readQr(page: Page): Promise<Settings> {
  const pixels = (await page.evaluate(`(async () => {
    const svg = document.querySelector('svg.qr')
    const picture = new Image()
    const side = 600
    const copy = svg.cloneNode(true)
    copy.setAttribute('xmlns', 'http://www.w3.org/2000/svg')
    copy.setAttribute('width', side)
    copy.setAttribute('height', side)
    picture.src = 'data:image/svg+xml,' + encodeURIComponent(copy.outerHTML)
    await picture.decode()
    const canvas = Object.assign(document.createElement('canvas'), { width: side, height: side })
    const context = canvas.getContext('2d')
    context.drawImage(picture, 0, 0, side, side)
    return { side, bytes: Array.from(context.getImageData(0, 0, side, side).data) }
  })()`)) as { side: number; bytes: number[] }
  const read = decodeQr(Uint8ClampedArray.from(pixels.bytes), pixels.side, pixels.side)
  if (!read) throw new Error('no QR code can be read on the page')
  return JSON.parse(read.data) as Settings
}

async function logIn(locale: string, login: string): Promise<Page> {
  const context = await browser.newContext({ locale, viewport: { width: 360, height: 740 } })
  const page = await context.newPage()
  await page.goto(roles.publicUrl)
  await page.fill('[name=login]', login)
  await page.fill('[name=password]', staffPassword)
  await page.click('main button[type=submit]')
  await page.waitForURL(`${roles.publicUrl}/`)
  return page
}

const isTooWide = (page: Page) => page.evaluate('document.documentElement.scrollWidth > window.innerWidth')
/** What a thumb has to hit: 44 px in at least one direction of each button and choice of the page itself. */
const tooSmall = (page: Page) =>
  page.evaluate(`[...document.querySelectorAll('main button, main .button, main .choice, main input:not([type=radio]):not([type=hidden])')]
    .filter((each) => each.getBoundingClientRect().height > 0 && each.getBoundingClientRect().height < 44)
    .map((each) => each.outerHTML.slice(0, 80))`)
async function expectFit(page: Page) {
  expect(await isTooWide(page)).toBe(false)
  expect(await tooSmall(page)).toEqual([])
}

test.each(['zh-CN', 'en-GB'] as const)(
  'from the QR code to tested and bound, and a press that pages, in %s',
  async (locale) => {
    const t = words[locale]
    const key = `claim-${locale.slice(0, 2)}`
    await registerCommunity(database.db, {
      key,
      homes: 2,
      channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${key}-${who}`, secret: webhookSecret }],
    })
    const supervisor = await logIn(locale, `${key}-supervisor`)
    const worker = await logIn(locale, `${key}-worker`)
    let bridge: Zigbee2MqttGateway | undefined
    try {
      // The supervisor registers the box, and reads its settings off the screen with a phone.
      await supervisor.goto(`${roles.publicUrl}/gateways`)
      await supervisor.click(`a:has-text("${t.add}")`)
      await supervisor.click('a[href$="dialect=zigbee2mqtt"]')
      await supervisor.fill('[name=label]', '3 栋 <b>地下室</b>')
      const gatewayId = await supervisor.inputValue('[name=id]')
      expect(gatewayId).toBe(`${key}-gw1`)
      await expectFit(supervisor)
      const answer = supervisor.waitForResponse((response) => response.request().method() === 'POST')
      await supervisor.click('button[value=save]')
      expect((await answer).headers()['cache-control']).toBe('no-store')
      await supervisor.waitForSelector(`main:has-text("${t.once}")`)
      await expectFit(supervisor)
      const settings = await readQr(supervisor)
      expect(settings).toMatchObject({ user: gatewayId, baseTopic: `v1/${gatewayId}`, tls: false })
      expect(await supervisor.textContent('#secret-once')).toBe(settings.password)
      expect(await supervisor.textContent('.snippet')).toContain(`password: '${settings.password}'`)
      const kept = await database.db.query('select secret_hash from gateways where gateway_id = $1', [gatewayId])
      expect(kept.rows[0].secret_hash).not.toContain(settings.password)
      await supervisor.goto(`${roles.publicUrl}/gateways/${gatewayId}`)
      expect(await supervisor.content()).not.toContain(settings.password)

      // The box is plugged in. Its ten devices appear on the page by themselves.
      await worker.goto(`${roles.publicUrl}/gateways/${gatewayId}`)
      bridge = createZigbee2MqttGateway({
        user: settings.user,
        secret: settings.password,
        url: roles.mqttUrl,
        baseTopic: settings.baseTopic,
        seed: locale.length,
        clock,
        log: createLog({ role: 'test', level: 'silent' }),
      })
      await bridge.start()
      await worker.locator('main .device').nth(9).waitFor({ timeout: seenMsMax })
      expect(await worker.locator('main .device').count()).toBe(10)
      await expectFit(worker)

      const claim = async (device: string, expected: string) => {
        const { friendlyName } = bridge!.devices.find((each) => each.key === device)!
        await worker.goto(`${roles.publicUrl}/gateways/${gatewayId}`)
        await worker.click(`.device:has(.device-name:text-is("${friendlyName}")) a.button`)
        await worker.waitForSelector('input[name=resident]')
        await expectFit(worker)
        await worker.check(`input[name=resident][value=${key}-2]`)
        await worker.check('input[name=room] >> nth=0')
        await worker.click(`form[method=post] button.primary:has-text("${t.claim}")`)
        await worker.waitForSelector(`h1:has-text("${expected}")`)
        await expectFit(worker)
      }
      const passes = async (what: string) => {
        // Without a touch: the page sees it arrive.
        await worker.waitForSelector(`h1:has-text("${t.passed}")`, { timeout: seenMsMax })
        expect(await worker.textContent('main')).toContain(what)
        await expectFit(worker)
      }
      const alerts = async () =>
        (
          await database.db.query(
            `select kind, stage from alerts where resident_id = $1 and severity <> 'notice' order by alert_id`,
            [`${key}-2`],
          )
        ).rows

      await claim('button 1', t.press)
      await supervisor.goto(`${roles.publicUrl}/residents/${key}-2`)
      expect(await supervisor.locator('.untested').count()).toBe(1)
      // A thumb needs a moment; within a second each edge knows of the claim.
      await new Promise((resolve) => setTimeout(resolve, edgesKnowMs))
      await bridge.press('button 1')
      await passes(t.pressed)
      expect(await alerts()).toEqual([])

      await claim('water 1', t.tap)
      const tap = bridge.openTap('water 1', 6)
      await passes(t.moved)
      await worker.goto(`${roles.publicUrl}/gateways/${gatewayId}`)
      expect(await worker.locator('#bound ~ ul .tested').count()).toBe(2)
      expect(await worker.locator('main .device').count()).toBe(10)
      await supervisor.reload()
      expect(await supervisor.locator('.untested').count()).toBe(0)
      const bound = await database.db.query(
        `select d.kind, d.resident_id, d.bound_by, t.begun_by, t.passed_at is not null as passed
         from devices d join device_tests t using (device_no) where d.gateway_id = $1 order by d.kind`,
        [gatewayId],
      )
      const by = { resident_id: `${key}-2`, bound_by: `${key}-worker`, begun_by: `${key}-worker`, passed: true }
      await tap
      expect(bound.rows).toEqual([
        { kind: 'button', ...by },
        { kind: 'water', ...by },
      ])

      // Some other day she presses it herself.
      const pagesBefore = receiver.requests.length
      await bridge.press('button 1')
      await expect.poll(alerts, { timeout: seenMsMax }).toEqual([{ kind: 'button', stage: 'open' }])
      await expect.poll(() => receiver.requests.length, { timeout: seenMsMax }).toBeGreaterThan(pagesBefore)
      expect(receiver.requests[pagesBefore]).toMatchObject({ path: `/pages/${key}-worker`, signatureValid: true })
      expect(receiver.requests[pagesBefore]!.json).toMatchObject({ kind: 'button', resident: { id: `${key}-2` } })
    } finally {
      await bridge?.stop()
      await supervisor.context().close()
      await worker.context().close()
    }
  },
)
