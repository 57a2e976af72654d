import type { AddressInfo } from 'node:net'
import type { Browser, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDashboard, logIn, type TestDashboard, testNow } from '../dashboard/test-app.js'
import { keepSilenceBudget } from '../db/silence-budget.js'
import { openBrowser } from './support/browser.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { seedCommunity } from './support/fixtures.js'
import { seedLivedHome } from './support/lived.js'
import { basicsWrong, openVisitor, tabTo } from './support/visitor.js'

/** A social worker at a phone, without browser code: the line against today, why an alert came, and whether it was right. */
let database: TestDatabase
let dashboard: TestDashboard
let browser: Browser
let base: string
let session: string
const residents: Record<'zh-CN' | 'en-GB', { residentId: string; alertId: number }> = {
  'zh-CN': { residentId: '', alertId: 0 },
  'en-GB': { residentId: '', alertId: 0 },
}
const hour = 3_600_000

beforeAll(async () => {
  ;[database, browser] = await Promise.all([startTestDatabase(), openBrowser()])
  const { db } = database
  dashboard = await createTestDashboard(db)
  const home = await seedCommunity(db, { key: 'home', now: testNow })
  await keepSilenceBudget(db, { alarmsPerMonth: 2, now: testNow })
  const yesterday = testNow.getTime() - 29 * hour
  for (const [index, locale] of (['zh-CN', 'en-GB'] as const).entries()) {
    const { residentId, devices } = home.residents[index]!
    const { alertIds } = await seedLivedHome(db, {
      residentId,
      communityId: home.communityId,
      deviceNo: devices.water,
      now: testNow,
      days: 60,
      alarmsPerMonth: 2,
      quiet: [[yesterday, yesterday + 7 * hour]],
    })
    residents[locale] = { residentId, alertId: alertIds.at(-1)! }
  }
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  session = (await logIn(dashboard.app, { login: 'home-worker', password: home.password })).split('=')[1]!
})
afterAll(async () => {
  await browser?.close()
  await dashboard?.app.close()
  await database?.stop()
})

const words = {
  'zh-CN': {
    silent: '已安静',
    asks: '会先问一声家里',
    section: '平时作息与今天',
    table: '以表格查看',
    right: '对，确实有事',
    isRight: '标记为“确实有事”',
    change: '更改',
    wrong: '不对，是误报',
    isWrong: '标记为“误报”',
    back: '撤销标记',
    why: '为什么预警',
  },
  'en-GB': {
    silent: 'Silent for',
    asks: 'the home is asked first',
    section: 'The usual routine, and today',
    table: 'As a table',
    right: 'Yes, something was wrong',
    isRight: 'marked it as right',
    change: 'Change',
    wrong: 'No, a false alarm',
    isWrong: 'marked it as a false alarm',
    back: 'Take the mark back',
    why: 'Why it came',
  },
} as const

/** Runs in the page, for what is below `selector`: pressed things under 44 px, text under 16 px, also in drawings. */
const tooSmall = (selector: string) => `(() => {
  const inside = [...document.querySelectorAll('${selector} *')].filter((element) => element.getClientRects().length > 0)
  return [
    ...inside.filter((element) => element.matches('button, summary') && element.getBoundingClientRect().height < 43.5),
    ...inside.filter((element) => [...element.childNodes].some((node) => node.nodeType === 3 && node.data.trim() !== '')
      && !element.matches('title, desc') && parseFloat(getComputedStyle(element).fontSize) < 16),
  ].map((element) => element.outerHTML.slice(0, 120))
})()`
/** Runs in the page: how much of the line and how many bars the first chart draws, and whether the line is in its box. */
const chart = `(() => {
  const svg = document.querySelector('.line-chart svg')
  const box = svg.getBoundingClientRect()
  const lines = [...svg.querySelectorAll('.line-limit')].map((line) => line.getBoundingClientRect())
  return {
    lines: lines.length,
    inside: lines.every(({ left, right, top, bottom }) =>
      left >= box.left - 3 && right <= box.right + 3 && top >= box.top - 3 && bottom <= box.bottom + 3),
    bars: svg.querySelectorAll('.line-today, .line-now').length,
  }
})()`
const drawn = (page: Page) => page.evaluate(chart) as Promise<{ lines: number; inside: boolean; bars: number }>

test.each(['zh-CN', 'en-GB'] as const)('on a phone, in %s', async (locale) => {
  const t = words[locale]
  const { residentId, alertId } = residents[locale]
  const { page, complaints, leave } = await openVisitor(browser, {
    locale,
    viewport: { width: 360, height: 740 },
    javaScriptEnabled: false,
    hasTouch: true,
  })
  await page.context().addCookies([{ name: 'shouwang_session', value: session, url: base }])
  try {
    await page.goto(`${base}/residents/${residentId}`)
    expect(await page.textContent('.present')).toContain(t.silent)
    expect(await page.textContent('.present')).toContain(t.asks)
    const section = page.getByRole('region', { name: t.section, exact: true })
    expect(await drawn(page)).toMatchObject({ inside: true })
    expect((await drawn(page)).lines).toBeGreaterThanOrEqual(24)
    expect((await drawn(page)).bars).toBeGreaterThan(0)
    // The drawing says in words what it is; its numbers are a tap away.
    expect(await section.getByRole('img').getAttribute('aria-labelledby')).toBe('line-title line-desc')
    await section.getByText(t.table).click()
    expect(await section.getByRole('row').count()).toBe(25)
    for (const part of ['.routine-line', '.silence-alert']) expect(await page.evaluate(tooSmall(part))).toEqual([])
    const wide = 'document.documentElement.scrollWidth - document.documentElement.clientWidth'
    expect(await page.evaluate(wide)).toBe(0)

    // One tap, and it is said; another two, and it is said otherwise.
    const row = page.locator('.silence-alert').first()
    await row.getByRole('button', { name: t.right }).click()
    await page.waitForURL(`${base}/residents/${residentId}#silence-alerts`)
    expect(await row.textContent()).toContain(t.isRight)
    await row.getByText(t.change, { exact: true }).click()
    await row.getByRole('button', { name: t.wrong }).click()
    expect(await row.textContent()).toContain(t.isWrong)

    await page.goto(`${base}/alerts/${alertId}`)
    expect(await page.textContent('.why-silence')).toContain(t.why)
    expect(await drawn(page)).toMatchObject({ inside: true, bars: 1 })
    expect(await page.textContent('.mark-section')).toContain(t.isWrong)
    expect(await basicsWrong(page, { thumb: true })).toEqual([])
    await page.locator('.mark-section').getByText(t.change, { exact: true }).click()
    await page.getByRole('button', { name: t.back }).click()
    await page.waitForURL(`${base}/alerts/${alertId}#mark`)
    expect(await page.textContent('.mark-section')).not.toContain(t.isWrong)
    expect(complaints).toEqual([])
  } finally {
    await leave()
  }
})

test('by keyboard alone', async () => {
  const { residentId, alertId } = residents['en-GB']
  const { page, leave } = await openVisitor(browser, { locale: 'en-GB', viewport: { width: 1280, height: 800 } })
  await page.context().addCookies([{ name: 'shouwang_session', value: session, url: base }])
  try {
    await page.goto(`${base}/residents/${residentId}`)
    await tabTo(page, words['en-GB'].table)
    await page.keyboard.press('Enter')
    expect(await page.locator('.line-chart details').first().getAttribute('open')).not.toBeNull()
    await page.goto(`${base}/alerts/${alertId}`)
    await tabTo(page, words['en-GB'].wrong)
    await page.keyboard.press('Enter')
    await page.waitForSelector(`.mark-section:has-text("${words['en-GB'].isWrong}")`)
  } finally {
    await leave()
  }
})
