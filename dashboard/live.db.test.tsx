import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContext, Page } from 'playwright-core'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { actOnAlert } from '../db/alert-actions.js'
import { recordAlertEvent } from '../db/alerts.js'
import { openBrowser } from '../test/support/browser.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity } from '../test/support/fixtures.js'
import { createTestDashboard, type TestDashboard, testNow } from './test-app.js'

/** The browser code in a real browser: what is open stays fresh, and nobody loses what they are doing. */
let database: TestDatabase
let browser: Browser
let dashboard: TestDashboard
let context: BrowserContext
let page: Page
let c: Community
let base: string
let complaints: string[]
let seeded = 0

beforeAll(async () => {
  ;[database, browser] = await Promise.all([startTestDatabase(), openBrowser()])
})
afterAll(async () => {
  await browser.close()
  await database.stop()
})
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now: testNow })
  dashboard = await createTestDashboard(database.db)
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  context = await newContext({})
  page = await context.newPage()
  complaints = watch(page)
  return async () => {
    await context.close()
    await dashboard.app.close()
  }
})

const newContext = (options: object) =>
  browser.newContext({ locale: 'en-GB', viewport: { width: 360, height: 740 }, ...options })

/** What the browser complains about: errors of our code, and anything that the policy refuses. */
function watch(on: Page): string[] {
  const found: string[] = []
  on.on('pageerror', (error) => found.push(error.message))
  on.on('console', (message) => {
    if (message.type() === 'error') found.push(message.text())
  })
  return found
}

async function logIn(on: Page = page) {
  await on.goto(base)
  await on.fill('[name=login]', c.staff.worker.login)
  await on.fill('[name=password]', c.password)
  await on.click('main button[type=submit]')
  await on.waitForURL(`${base}/`)
}

/** As another process would do it: only the database knows. */
async function openEmergency(residentIndex = 1) {
  const resident = c.residents[residentIndex]!
  const alertId = await seedAlert(database.db, {
    communityId: c.communityId,
    residentId: resident.residentId,
    deviceNo: resident.devices.smoke,
    kind: 'smoke',
    openedAt: testNow,
    headline: { zh: '14:05 烟雾报警器报警。', en: 'The smoke alarm went off at 14:05.' },
  })
  dashboard.signal.raise('alerts')
  return alertId
}

const act = (alertId: number, staffId: string) =>
  actOnAlert(database.db, { alertId, action: { kind: 'acknowledge' }, staffId, via: 'console', now: testNow })

test('the console updates by itself, with focus, opened sections and typed text where they were', async () => {
  await seedAlert(database.db, {
    communityId: c.communityId,
    residentId: c.residents[1]!.residentId,
    kind: 'battery_low',
    openedAt: testNow,
  })
  await logIn()
  expect(await page.textContent('h1')).toBe('1 emergency: nobody on the way')
  await page.click('#notices summary')
  await page.fill('#q', 'half a na')
  const alertId = await openEmergency()
  await page.waitForSelector(`#alert-${alertId}`)
  expect(await page.textContent('h1')).toBe('2 emergencies: nobody on the way')
  expect(await page.title()).toBe('2 emergencies: nobody on the way · Shouwang')
  expect(await page.inputValue('#q')).toBe('half a na')
  expect(await page.evaluate('document.activeElement.id')).toBe('q')
  expect(await page.evaluate('document.querySelector("#notices").open')).toBe(true)
  expect(await page.textContent('#announce')).toBe('2 emergencies: nobody on the way')
  expect(complaints).toEqual([])
})

test('a half-filled close form survives what happens meanwhile', async () => {
  await logIn()
  await page.goto(`${base}/alerts/${c.alertId}`)
  await page.click('#close summary')
  await page.check('#outcome-illness')
  await page.fill('#note', 'she says she feels')
  await act(c.alertId, c.staff.colleague.staffId)
  dashboard.signal.raise('alerts')
  await page.waitForSelector(`text=${c.staff.colleague.name} has taken it`)
  expect(await page.inputValue('#note')).toBe('she says she feels')
  expect(await page.isChecked('#outcome-illness')).toBe(true)
  expect(await page.evaluate('document.activeElement.id')).toBe('note')
  await page.click('#close button')
  await page.waitForSelector('text=Outcome: Illness')
  expect(complaints).toEqual([])
})

test('an emergency sounds until it is muted or taken, once somebody has turned the sound on', async () => {
  await logIn()
  const rings = () => page.evaluate('document.body.classList.contains("ringing")')
  expect(await page.textContent('#sound')).toContain('The sound is off')
  expect(await rings()).toBe(false)
  await page.click('#sound button')
  await expect.poll(rings).toBe(true)
  await page.click(`[data-mute="${c.alertId}"]`)
  expect(await rings()).toBe(false)
  // Nobody went: the chain is walked again, and what was muted was the round before.
  await database.db.query('update alerts set round = round + 1 where alert_id = $1', [c.alertId])
  await recordAlertEvent(database.db, { alertId: c.alertId, at: testNow, kind: 'returned', detail: { round: 1 } })
  dashboard.signal.raise('alerts')
  await expect.poll(rings).toBe(true)
  await page.click(`[data-mute="${c.alertId}"]`)
  expect(await rings()).toBe(false)
  const alertId = await openEmergency()
  await page.waitForSelector(`#alert-${alertId}`)
  await expect.poll(rings).toBe(true)
  expect(await page.isVisible(`[data-mute="${c.alertId}"]`)).toBe(false)
  await act(alertId, c.staff.colleague.staffId)
  dashboard.signal.raise('alerts')
  await expect.poll(rings).toBe(false)
  expect(complaints).toEqual([])
})

test('what another process did is seen within seconds, without any signal in this one', async () => {
  await logIn()
  await page.waitForTimeout(1_500)
  await act(c.alertId, c.staff.colleague.staffId)
  await recordAlertEvent(database.db, { alertId: c.alertId, at: testNow, kind: 'repeat' })
  await page.waitForSelector(`text=${c.staff.colleague.name} has taken it`, { timeout: 10_000 })
})

test('without a connection the page says since when and how old it is, and recovers', async () => {
  await logIn()
  await context.setOffline(true)
  await page.waitForSelector('#offline:not(:empty)')
  expect(await page.textContent('#offline')).toMatch(/^No connection since 14:05: what you see is \d+ s old\.$/)
  const alertId = await openEmergency()
  await context.setOffline(false)
  await page.waitForSelector(`#alert-${alertId}`)
  expect(await page.textContent('#offline')).toBe('')
})

test('logged out elsewhere: the open page leads to the login, and back', async () => {
  await logIn()
  await page.goto(`${base}/alerts/${c.alertId}`)
  await database.db.query('delete from sessions where staff_id = $1', [c.staff.worker.staffId])
  dashboard.signal.raise('alerts')
  await page.waitForURL(`${base}/login?next=${encodeURIComponent(`/alerts/${c.alertId}`)}`)
})

test('all of it works without JavaScript, in Chinese as well', async () => {
  const plain = await newContext({ javaScriptEnabled: false, locale: 'zh-CN' })
  const still = await plain.newPage()
  await logIn(still)
  expect(await still.textContent('h1')).toBe('1 起紧急情况，还没有人过去')
  await still.click(`#alert-${c.alertId} button[type=submit]`)
  await still.waitForURL(`${base}/alerts/${c.alertId}`)
  await still.click('text=我在路上')
  await still.click('text=我已到门口')
  // At the door the form to close is open already.
  await still.check('text=跌倒')
  await still.fill('#note', '示例备注')
  await still.click('#close button')
  await still.waitForSelector('text=结果：跌倒')
  await still.click('header [action="/language"] button')
  await still.waitForSelector('text=Outcome: Fall')
  expect(await still.getAttribute('html', 'lang')).toBe('en')
  await still.click('text=Log out')
  await still.waitForURL(`${base}/login`)
  await plain.close()
})

test('the one-tap page: a link, a button, done, without logging in', async () => {
  await page.goto(`${base}/p/${c.linkToken}`)
  await page.click('main button[type=submit]')
  await page.waitForSelector('text=Thank you. You have taken this.')
  expect(complaints).toEqual([])
})

test('fits a phone: nothing wider than the screen, text from 16 px, targets from 44 px, nothing for the policy to refuse', async () => {
  await logIn()
  const paths = ['/', `/alerts/${c.alertId}`, `/p/${c.linkToken}`, '/nothing', '/login']
  for (const path of paths) {
    await page.goto(base + path)
    if (path.startsWith('/alerts')) await page.click('#close summary')
    const found = await page.evaluate(`(() => {
      const seen = (e) => e.getClientRects().length > 0 && !e.closest('.sr-only, .skip')
      const small = [...document.querySelectorAll('button, .button, summary, input:not([type=hidden], [type=radio]), .choice, textarea')]
        .filter((e) => seen(e) && e.getBoundingClientRect().height < 43.5).map((e) => e.outerHTML.slice(0, 80))
      const fine = [...document.querySelectorAll('body *')]
        .filter((e) => seen(e) && e.textContent.trim() && parseFloat(getComputedStyle(e).fontSize) < 16).map((e) => e.outerHTML.slice(0, 80))
      return { small, fine, wide: document.documentElement.scrollWidth > innerWidth, h1: document.querySelectorAll('h1').length }
    })()`)
    expect(found, path).toEqual({ small: [], fine: [], wide: false, h1: 1 })
  }
  expect(complaints.filter((text) => !text.includes('404'))).toEqual([])
})
