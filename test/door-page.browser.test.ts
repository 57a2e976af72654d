import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDashboard, type TestDashboard, testNow } from '../dashboard/test-app.js'
import { openBrowser } from './support/browser.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type Community, seedCommunity } from './support/fixtures.js'

const viewport = { width: 360, height: 740 }
const targetPxMin = 44
let database: TestDatabase
let dashboard: TestDashboard
let browser: Browser
let base: string

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await createTestDashboard(database.db)
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  browser = await openBrowser()
})
afterAll(async () => {
  await browser?.close()
  await dashboard?.app.close()
  await database?.stop()
})

const alertOf = async (c: Community) =>
  (await database.db.query('select stage, outcome, outcome_note from alerts where alert_id = $1', [c.alertId])).rows[0]

/** Everything that is pressed is large enough for a thumb, and nothing runs out of the picture. */
async function fitsThumb(page: Page) {
  const found = await page.evaluate(() => ({
    width: document.documentElement.scrollWidth,
    small: [...document.querySelectorAll('main button, main a.button, main summary, main label.choice, main a.phone')]
      .map((one) => ({ text: one.textContent, height: one.getBoundingClientRect().height }))
      .filter(({ height }) => height > 0 && height < 44),
  }))
  expect(found.width).toBeLessThanOrEqual(viewport.width)
  expect(found.small, `below ${targetPxMin} px`).toEqual([])
}

for (const javaScriptEnabled of [true, false])
  test(`from the link to what was found, ${javaScriptEnabled ? 'with' : 'without'} browser code; another browser cannot`, async () => {
    const c = await seedCommunity(database.db, { key: javaScriptEnabled ? 'js' : 'plain', now: testNow })
    const phone = await browser.newContext({ viewport, locale: 'zh-CN', javaScriptEnabled })
    const page = await phone.newPage()
    const broken: string[] = []
    page.on('pageerror', (error) => broken.push(error.message))
    page.on('console', (message) => message.type() === 'error' && broken.push(message.text()))
    await page.goto(`${base}/p/${c.linkToken}`)
    await page.getByRole('button', { name: '我来处理' }).click()
    await page.getByText('谢谢，已由您接手。').waitFor()
    await page.getByText('1001#').waitFor()
    await page.getByText('请在 14:07 前点“我在路上”，否则会再次通知其他人。').waitFor()
    if (javaScriptEnabled) await fitsThumb(page)

    const forwarded = await (await browser.newContext({ viewport, locale: 'zh-CN' })).newPage()
    await forwarded.goto(`${base}/p/${c.linkToken}`)
    expect(await forwarded.getByRole('button', { name: '我在路上' }).count()).toBe(0)
    expect(await forwarded.getByText('1001#').count()).toBe(0)

    await page.getByRole('button', { name: '我在路上' }).click()
    await page.getByText('谢谢，您正在路上。').waitFor()
    await page.getByRole('button', { name: '撤销' }).click()
    await page.getByText('谢谢，已由您接手。').waitFor()
    expect((await alertOf(c)).stage).toBe('acknowledged')
    await page.getByRole('button', { name: '我已到门口' }).click()
    await page.getByText('谢谢，您已到门口。').waitFor()
    if (javaScriptEnabled) await fitsThumb(page)
    await page.getByLabel('跌倒').check()
    await page.getByLabel('备注').fill('已扶起')
    await page.getByRole('button', { name: '结束', exact: true }).click()
    await page.getByText('您已结束这条预警，辛苦了。').waitFor()
    expect(await alertOf(c)).toEqual({ stage: 'closed', outcome: 'fall', outcome_note: '已扶起' })
    expect(broken).toEqual([])
    await phone.close()
  })

test('undo counts its seconds down and goes when they are over', async () => {
  const c = await seedCommunity(database.db, { key: 'count', now: testNow })
  const page = await (await browser.newContext({ viewport, locale: 'en-GB' })).newPage()
  await page.goto(`${base}/p/${c.linkToken}`)
  await page.getByRole('button', { name: 'I am taking this' }).click()
  const undo = page.getByRole('button', { name: 'Undo' })
  await undo.waitFor()
  dashboard.clock.advance(55_000)
  await page.reload()
  await page.getByText(/Possible for a minute\. [1-5] s/).waitFor()
  await undo.waitFor({ state: 'hidden', timeout: 10_000 })
})
