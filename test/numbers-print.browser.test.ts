import type { AddressInfo } from 'node:net'
import type { Browser, BrowserContextOptions, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDashboard, logIn, type TestDashboard } from '../dashboard/test-app.js'
import { openBrowser } from './support/browser.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type NumbersStation, seedNumbersMonth, seedNumbersStation } from './support/numbers-month.js'

/** The numbers of a month as a supervisor sees them on a phone, and as the street office gets them on paper. */
let database: TestDatabase
let dashboard: TestDashboard
let browser: Browser
let station: NumbersStation
let base: string
let session: string

beforeAll(async () => {
  ;[database, browser] = await Promise.all([startTestDatabase(), openBrowser()])
  dashboard = await createTestDashboard(database.db)
  station = await seedNumbersStation(database.db, { key: 'lotus' })
  await seedNumbersMonth(database.db, { station, month: '2026-01', seed: 7, alerts: 270, slower: 1.25 })
  await seedNumbersMonth(database.db, { station, month: '2026-02', seed: 8 })
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  session = (await logIn(dashboard.app, { login: station.supervisor, password: station.password })).split('=')[1]!
})
afterAll(async () => {
  await browser?.close()
  await dashboard?.app.close()
  await database?.stop()
})

async function withPage<T>(options: BrowserContextOptions, work: (page: Page) => Promise<T>): Promise<T> {
  const context = await browser.newContext(options)
  try {
    await context.addCookies([{ name: 'shouwang_session', value: session, url: base }])
    return await work(await context.newPage())
  } finally {
    await context.close()
  }
}

/** What a thumb or an eye would miss: pressed things below 44 px, text below 16 px. Runs in the page. */
const tooSmall = `(() => {
  const seen = (element) => element.getClientRects().length > 0 && !element.closest('.visually-hidden, .sr-only')
  const pressed = [...document.querySelectorAll('main :is(a, button, select, summary)')].filter(seen)
    .filter((element) => element.getBoundingClientRect().height < 43.5).map((element) => element.outerHTML.slice(0, 100))
  const read = [...document.querySelectorAll('main *')].filter(seen)
    .filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== ''))
    .filter((element) => !(element instanceof SVGElement) && parseFloat(getComputedStyle(element).fontSize) < 16)
    .map((element) => element.outerHTML.slice(0, 100))
  return [...pressed, ...read]
})()`
const overflows = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'

test.each(['zh-CN', 'en-GB'] as const)('on a phone, without browser code, in %s', async (locale) => {
  await withPage({ locale, viewport: { width: 360, height: 740 }, javaScriptEnabled: false }, async (page) => {
    await page.goto(`${base}/`)
    await page.click('nav a[href="/numbers"]')
    const heading = () => page.textContent('h1')
    expect(await heading()).toContain(locale === 'zh-CN' ? '2026年2月' : 'February 2026')
    await page.selectOption('select[name=month]', '2026-01')
    await page.click('.month-choice button')
    expect(await heading()).toContain(locale === 'zh-CN' ? '2026年1月' : 'January 2026')
    await page.click('.month-choice .pager a >> nth=0')
    expect(await heading()).toContain(locale === 'zh-CN' ? '2026年2月' : 'February 2026')
    for (const details of await page.$$('main details summary')) await details.click()
    expect(await page.evaluate(overflows)).toBe(0)
    expect(await page.evaluate(tooSmall)).toEqual([])
  })
})

test('the files are offered as files', async () => {
  await withPage({ locale: 'zh-CN', acceptDownloads: true }, async (page) => {
    await page.goto(`${base}/numbers`)
    const names: string[] = []
    for (const link of ['/numbers.csv', '/numbers/alerts.csv']) {
      const [download] = await Promise.all([page.waitForEvent('download'), page.click(`a[href^="${link}"]`)])
      names.push(download.suggestedFilename())
    }
    expect(names).toEqual(['numbers-2026-02.csv', 'alerts-2026-02.csv'])
  })
})

test.each(['zh-CN', 'en-GB'] as const)('on paper: A4, what is pressed left out, made when, in %s', async (locale) => {
  await withPage({ locale, viewport: { width: 718, height: 1_000 } }, async (page) => {
    await page.goto(`${base}/numbers`)
    await page.emulateMedia({ media: 'print' })
    for (const hidden of ['header.top', '.month-choice', '.hand-on', '.numbers-chart details'])
      expect(await page.isVisible(hidden), hidden).toBe(false)
    expect(await page.textContent('.print-only')).toContain('2026')
    expect(await page.isVisible('.print-only')).toBe(true)
    expect(await page.isVisible('.definitions')).toBe(true)
    // The width between the margins of an A4 page, in CSS pixels.
    await page.setViewportSize({ width: 688, height: 1_000 })
    expect(await page.evaluate(overflows)).toBe(0)
    const pdf = (await page.pdf({ preferCSSPageSize: true, printBackground: true })).toString('latin1')
    const boxes = [...pdf.matchAll(/\/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]/g)].map(([, width, height]) => [
      Math.round(Number(width)),
      Math.round(Number(height)),
    ])
    expect(boxes.length).toBeGreaterThanOrEqual(3)
    expect(boxes.length).toBeLessThanOrEqual(6)
    for (const box of boxes) {
      // Points.
      expect(Math.abs(box[0]! - 595)).toBeLessThanOrEqual(1)
      expect(Math.abs(box[1]! - 842)).toBeLessThanOrEqual(1)
    }
  })
})
