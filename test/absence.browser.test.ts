import type { AddressInfo } from 'node:net'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDashboard, type TestDashboard, testNow } from '../dashboard/test-app.js'
import { openBrowser } from './support/browser.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type Community, seedCommunity } from './support/fixtures.js'
import { basicsWrong, openVisitor, tabTo } from './support/visitor.js'

/** Away mode and "I am here" on a phone: without browser code, by keyboard, in both languages. */
const viewport = { width: 360, height: 740 }
let database: TestDatabase
let dashboard: TestDashboard
let browser: Browser
let base: string
let home: Community

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await createTestDashboard(database.db)
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  home = await seedCommunity(database.db, { key: 'away', now: testNow })
  await database.db.query('update family_members set may_set_away = true')
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await dashboard?.app.close()
  await database?.stop()
})

const words = {
  'zh-CN': {
    set: '登记外出',
    until: '外出至 3月11日 周三 20:00',
    past: '这个时间已经过了',
    undo: '撤销',
    here: '我正在老人家里',
    back: '已经回家，结束外出',
    with: '我正陪着老人',
    family: '外出，预计回家：3月11日 周三 20:00',
  },
  'en-GB': {
    set: 'Going away: set away mode',
    until: 'Away until Wed 11 Mar 20:00',
    past: 'That time has passed already',
    undo: 'Undo',
    here: 'I am here with them',
    back: 'They are back: end away mode',
    with: 'I am with them now',
    family: 'Away until Wed 11 Mar 20:00',
  },
} as const

test.each(['zh-CN', 'en-GB'] as const)('the station, without browser code and by keyboard, in %s', async (locale) => {
  const t = words[locale]
  const { page, leave } = await openVisitor(browser, { locale, viewport, javaScriptEnabled: false })
  const { residentId } = home.residents[0]!
  await page.goto(`${base}/residents/${residentId}`)
  await page.fill('[name=login]', home.staff.worker.login)
  await page.fill('[name=password]', home.password)
  await page.click('main button[type=submit]')
  await page.waitForURL(`${base}/residents/${residentId}`)

  await tabTo(page, t.here)
  await page.keyboard.press('Enter')
  await page.locator('main form.undo').first().waitFor()
  await tabTo(page, t.undo)
  await page.keyboard.press('Enter')
  await expect.poll(() => page.locator('main form.undo').count()).toBe(0)

  await tabTo(page, t.set)
  await page.keyboard.press('Enter')
  await page.locator('#away-form').waitFor()
  expect(await basicsWrong(page, { thumb: true })).toEqual([])
  await page.check('input[value=other]')
  await page.locator('#away-other').evaluate((field) => field.removeAttribute('min'))
  await page.fill('#away-other', '2026-03-10T09:00')
  await page.fill('#away-note', '示例备注')
  await page.click('#away-form button')
  await page.locator(`[role=alert]:has-text("${t.past}")`).waitFor()
  expect(await page.inputValue('#away-note')).toBe('示例备注')
  expect(await page.inputValue('#away-other')).toBe('2026-03-10T09:00')
  expect(await basicsWrong(page, { thumb: true })).toEqual([])

  await page.fill('#away-other', '')
  await page.check('input[value="2026-03-11T20:00"]')
  await page.click('#away-form button')
  await page.locator(`.away-until:has-text("${t.until}")`).waitFor()
  await page.goto(`${base}/residents/${residentId}/absence`)
  await page.click(`text=${t.back}`)
  await page.waitForURL(`${base}/residents/${residentId}`)
  expect(await page.locator('.away-until').count()).toBe(0)
  await leave()
})

test.each(['zh-CN', 'en-GB'] as const)('the family, on their own page, in %s', async (locale) => {
  const t = words[locale]
  const { page, complaints, leave } = await openVisitor(browser, { locale, viewport })
  const link = `${base}/f/${home.family.token}`
  await page.goto(link)
  await page.click(`text=${t.with}`)
  await page.locator('main form.undo').waitFor()
  await page.click('main form.undo button')
  await expect.poll(() => page.locator('main form.undo').count()).toBe(0)
  await page.click(`a[href$="/away"]`)
  await page.locator('#away-form').waitFor()
  expect(await basicsWrong(page, { thumb: true })).toEqual([])
  const sizes = await page.evaluate(() =>
    [...document.querySelectorAll('main p, main label, main legend, main .sub, main button')].map((element) =>
      Number.parseFloat(getComputedStyle(element).fontSize),
    ),
  )
  expect(Math.min(...sizes)).toBeGreaterThanOrEqual(20)
  await page.check('input[value="2026-03-11T20:00"]')
  await page.click('#away-form button')
  await page.waitForURL(link)
  await page.locator(`.answer-line:has-text("${t.family}")`).waitFor()
  expect(await basicsWrong(page, { thumb: true })).toEqual([])
  await page.click(`a[href$="/away"]`)
  await page.click(`text=${t.back}`)
  await page.waitForURL(link)
  expect(complaints).toEqual([])
  await leave()
})
