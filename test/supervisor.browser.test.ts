import { readFile } from 'node:fs/promises'
import type { AddressInfo } from 'node:net'
import ICAL from 'ical.js'
import type { Browser, Locator, Page } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emailChannel } from '../alerts/channels/email.js'
import { createMessagesOutbox } from '../alerts/messages-outbox.js'
import { createTestDashboard, type TestDashboard } from '../dashboard/test-app.js'
import { createLog } from '../kit/log.js'
import { createMetrics } from '../kit/metrics.js'
import { openBrowser } from './support/browser.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type NumbersStation, seedNumbersMonth, seedNumbersStation } from './support/numbers-month.js'
import { type SmtpReceiver, startSmtpServer } from './support/smtp-server.js'
import { basicsWrong, openVisitor, tabTo, type Visitor } from './support/visitor.js'

/**
 * The first hours of a new supervisor, who has read nothing: a roster of five for a month, the hole that was left in it,
 * a night swapped, last month's numbers. It is Tuesday, 10 March 2026, 14:05. What she sees is what is asked for.
 */
let database: TestDatabase
let dashboard: TestDashboard
let outbox: ReturnType<typeof createMessagesOutbox>
let mail: ReturnType<typeof emailChannel>
let smtp: SmtpReceiver
let browser: Browser
let station: NumbersStation
let base: string

beforeAll(async () => {
  ;[database, browser, smtp] = await Promise.all([startTestDatabase(), openBrowser(), startSmtpServer()])
  const { db } = database
  dashboard = await createTestDashboard(db)
  const { clock, signal } = dashboard
  station = await seedNumbersStation(db, { key: 'station' })
  await seedNumbersMonth(db, { station, month: '2026-01', seed: 7, alerts: 270, slower: 1.25 })
  await seedNumbersMonth(db, { station, month: '2026-02', seed: 8, alerts: 287 })
  // Her colleagues can be reached already. She is new.
  await db.query(
    `insert into staff_channels (staff_id, position, kind, address)
     select staff_id, 1, 'email', staff_id || '@example.org' from staff where staff_id = any($1) and staff_id <> $2`,
    [station.staffIds, station.supervisor],
  )
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  mail = emailChannel({ smtpUrl: smtp.url, from: 'Shouwang <shouwang@example.org>', clock })
  const log = createLog({ role: 'test', level: 'silent' })
  const metrics = createMetrics({ role: 'test' })
  outbox = createMessagesOutbox({ db, channels: [mail], publicUrl: base, clock, log, metrics, signal })
  outbox.start()
})
afterAll(async () => {
  await browser?.close()
  await dashboard?.app.close()
  await outbox?.stop()
  await mail?.stop?.()
  await smtp?.stop()
  await database?.stop()
})

const zhang = '示例·张社工'
const chen = '示例·陈社工'
const lin = '示例·林社工'
const zhao = '示例·赵社工'
const herself = '示例·李主管'

const heading = (page: Page) => page.getByRole('heading', { level: 1 })
/** One day of the roster, by its date as a reader sees it. */
const dayOf = (page: Page, words: string): Locator =>
  page.getByRole('listitem').filter({ has: page.getByRole('heading', { name: words }) })
/** The part of a page below a heading. */
const partOf = (page: Page, words: string): Locator => page.getByRole('region', { name: words, exact: true })

test('on a phone, in Chinese: from the first login to the numbers of last month', async () => {
  const { page, complaints, leave }: Visitor = await openVisitor(browser, {
    locale: 'zh-CN',
    viewport: { width: 360, height: 740 },
    hasTouch: true,
    isMobile: true,
    acceptDownloads: true,
  })
  const look = async (what: string) => expect(await basicsWrong(page, { thumb: true }), what).toEqual([])
  /** A tap that leads to a page: a link, or a form's answer. */
  const follow = (what: Locator) => Promise.all([page.waitForEvent('load'), what.tap()])
  const tapLink = (name: string | RegExp) => follow(page.getByRole('link', { name }))
  const tapButton = (name: string | RegExp) => follow(page.getByRole('button', { name }))
  const choose = (name: string, label: string) =>
    page.getByRole('combobox', { name, exact: true }).selectOption({ label })
  const saved = () => page.getByRole('status').filter({ hasText: '已保存' }).waitFor()
  const toRoster = () => follow(page.getByRole('navigation', { name: '主导航' }).getByRole('link', { name: '值班表' }))
  try {
    await page.goto(base)
    await look('login')
    await page.getByLabel('登录名').fill(station.supervisor)
    await page.getByLabel('密码').fill(station.password)
    await tapButton('登录')
    await page.getByRole('navigation', { name: '主导航' }).waitFor()

    // How does Shouwang reach me? Not at all: she adds her mail address and sends herself a test.
    await tapLink(/怎样通知到我/)
    expect(await heading(page).textContent()).toBe('现在通知不到您：还没有设置通知方式')
    await look('no channel')
    await tapLink('电子邮件')
    await look('add a channel')
    await page.getByLabel('邮箱地址').fill('li@example.org')
    await tapButton('添加：电子邮件')
    expect(await heading(page).textContent()).toBe('应该能通知到您，但还没有确认收到过测试')
    await tapButton(/给我发一次测试/)
    const [letter] = await smtp.waitFor(1, 10_000)
    expect(letter!.to).toEqual(['li@example.org'])
    expect(letter!.subject).toBe('守望系统通知：守望测试：请打开链接，按“我收到了”。')
    await page.getByText('已发出。请打开它，按“我收到了”。').waitFor({ timeout: 15_000 })
    await look('a test has left')
    await page.goto(/http:\S+/.exec(letter!.text)![0])
    await look('did it reach you')
    await tapButton('我收到了')
    await page.getByRole('heading', { name: '谢谢，这种通知方式是通的。' }).waitFor()
    await tapLink('查看我的通知方式')
    expect(await heading(page).textContent()).toBe('可以通知到您')

    // Nobody is on duty. The shifts that come back each week, for five people.
    await toRoster()
    expect(await heading(page).textContent()).toBe('现在没有人值班')
    await page.getByText('还没有值班表。请先添加每周固定的班次。').waitFor()
    await look('no roster')
    await tapLink('每周班次')
    const addWeekly = async (shift: {
      who: string[]
      days: string[]
      hours: [start: string, end: string]
      every?: string
      first?: string
    }) => {
      const [first, ...others] = shift.who
      await choose('人员', first!)
      for (const day of shift.days) await page.getByLabel(day, { exact: true }).tap()
      await page.getByLabel('上班时间').fill(shift.hours[0])
      await page.getByLabel('下班时间').fill(shift.hours[1])
      if (shift.every) await choose('重复', shift.every)
      if (others.length > 0) await page.getByText('和其他人轮流').tap()
      for (const [place, other] of others.entries()) await choose(`第 ${place + 2} 周`, other)
      if (shift.first) await page.getByLabel('第一天').fill(shift.first)
      await tapButton('添加')
      await saved()
    }
    const [mo, tu, we, th, fr, sa, su] = ['周一', '周二', '周三', '周四', '周五', '周六', '周日'] as const
    const [byDay, byNight] = [
      ['08:00', '20:00'],
      ['20:00', '08:00'],
    ] as [[string, string], [string, string]]
    await look('no weekly shifts')
    await addWeekly({ who: [zhang], days: [mo, tu, we, th, fr], hours: byDay })
    await addWeekly({ who: [herself, chen], days: [sa, su], hours: byDay })
    await addWeekly({ who: [lin], days: [mo, tu, we, th], hours: byNight })
    await addWeekly({ who: [zhao], days: [fr, sa], hours: byNight })
    // Sunday nights: every other week one of two. The second begins two weeks late.
    await addWeekly({ who: [chen], days: [su], hours: byNight, every: '每 2 周' })
    await addWeekly({ who: [herself], days: [su], hours: byNight, every: '每 2 周', first: '2026-03-30' })
    await page.getByText('周一至周五 08:00–20:00').waitFor()
    await look('weekly shifts')

    // The hole: in the first lines, and on its day.
    await tapLink('返回值班表')
    expect(await heading(page).textContent()).toBe(`现在值班：${zhang}，到 20:00`)
    await page.getByText('今后 28 天有一处空班：3月22日 周日 20:00–次日 08:00 没有人值班。').waitFor()
    await look('a hole')
    await tapLink('五周')
    await look('five weeks')
    expect(await page.getByRole('link', { name: '安排人值班' }).count()).toBe(1)
    await tapLink('查看这处空班')
    const hole = dayOf(page, '3月22日 周日')
    await hole.getByText('20:00–次日 08:00 无人值班').waitFor()

    // Who would be paged in that night? The chain goes on past the empty place.
    await tapLink('会通知谁？')
    await page.getByLabel('居民：姓名或地址').fill('居民 7')
    await tapButton('查找')
    await page.getByLabel('示例·居民 7').tap()
    await page.getByLabel('时间').fill('2026-03-23T03:00')
    await look('which resident')
    const askWho = async () => {
      await tapButton('查看会通知谁')
      await partOf(page, '紧急').waitFor()
      const steps = partOf(page, '紧急').getByRole('list').first().getByRole('listitem')
      const lines = (await steps.allInnerTexts()).filter((line) => /立即|后/.test(line))
      return lines.map((line) => line.split(/\s+/).slice(0, -1).join(' '))
    }
    expect(await askWho()).toEqual([`立即 03:00 ${zhang} 负责社工`, `1 分钟后 03:01 ${herself} 主管`])
    expect(await heading(page).textContent()).toBe(`3月23日 周一 03:00，示例·居民 7 发生紧急情况时，最先通知 ${zhang}`)
    await page.getByText('这个时间没有人值班，会直接通知下一步的人。').waitFor()
    await look('who is paged')
    const paged = page.url()

    // She closes the hole with a single shift.
    await tapLink('返回值班表')
    await tapLink('查看这处空班')
    await follow(hole.getByRole('link', { name: '安排人值班' }))
    await look('a single shift')
    await choose('人员', lin)
    await tapButton('添加')
    await saved()
    await page.getByText('今后 28 天，每个时段都有人值班。').waitFor()
    await dayOf(page, '3月22日 周日').getByText(`20:00–次日 08:00 ${lin}`).waitFor()
    await page.goto(paged)
    expect(await askWho()).toEqual([
      `立即 03:00 ${zhang} 负责社工`,
      `1 分钟后 03:01 ${lin} 值班`,
      `3 分钟后 03:03 ${herself} 主管`,
    ])
    expect(await page.getByText('这个时间没有人值班').count()).toBe(0)

    // Lin and Zhao swap a night.
    await tapLink('返回值班表')
    await follow(dayOf(page, '3月11日 周三').getByRole('link', { name: lin }))
    expect(await heading(page).textContent()).toBe(`${lin} 的班`)
    await page.getByText('3月11日 周三 20:00–次日 08:00').first().waitFor()
    await look('one shift')
    await choose('对换的班', `3月13日 周五 20:00–次日 08:00 · ${zhao}`)
    await follow(partOf(page, '和另一个班对换').getByRole('button', { name: '对换' }))
    await saved()
    await dayOf(page, '3月11日 周三').getByText(`${zhao}替 ${lin}`).waitFor()
    await dayOf(page, '3月13日 周五').getByText(`${lin}替 ${zhao}`).waitFor()

    // Zhang calls in ill for two days; she stands in herself.
    await follow(dayOf(page, '3月12日 周四').getByRole('link', { name: zhang }))
    await tapLink(`登记 ${zhang} 请假`)
    await page.getByLabel('生病').tap()
    await page.getByLabel('结束').fill('2026-03-13T20:00')
    await choose('替班人', herself)
    await look('somebody is ill')
    await tapButton('保存')
    await saved()
    await page.getByText(`${zhang}：生病，3月12日 周四 08:00–次日 20:00，由 ${herself} 替班`).waitFor()
    await page.getByText(`${zhao} 接 ${lin} 的班，3月11日 周三 20:00–次日 08:00`).waitFor()
    await look('who is away')
    await tapLink('返回值班表')
    for (const day of ['3月12日 周四', '3月13日 周五'])
      await dayOf(page, day).getByText(`${herself}替 ${zhang}`).waitFor()
    await page.getByText('最近的改动').tap()
    await look('the roster')
    await tapLink('五周')
    const fiveWeeks = await partOf(page, /* with the community's name */ '每天的班次 示例社区·荷花里').textContent()

    // Into a calendar, and back: nothing changes.
    await tapLink('日历')
    await look('calendars')
    const [download] = await Promise.all([
      page.waitForEvent('download'),
      page.getByRole('link', { name: '下载文件（.ics）' }).tap(),
    ])
    const file = await download.path()
    const events = new ICAL.Component(ICAL.parse(await readFile(file, 'utf8'))).getAllSubcomponents('vevent')
    const swapped = events.filter((event) => String(event.getFirstPropertyValue('dtstart')) === '2026-03-11T12:00:00Z')
    expect(swapped.map((event) => event.getFirstPropertyValue('summary'))).toEqual([zhao])
    expect(swapped[0]!.getFirstPropertyValue('description')).toBe(`替 ${lin}`)
    await page.getByLabel('文件（.ics）').setInputFiles(file)
    await tapButton('查看内容')
    expect(await heading(page).textContent()).toBe('会有哪些改动？')
    await page.getByText(`文件里有 ${events.length} 班本来就是守望的班次，不用导入`).waitFor()
    await page.getByText('没有可以导入的内容。').waitFor()
    expect(await page.getByRole('button', { name: '确认导入' }).count()).toBe(0)
    await look('what an import would change')
    await toRoster()
    await tapLink('五周')
    expect(await partOf(page, '每天的班次 示例社区·荷花里').textContent()).toBe(fiveWeeks)

    // Who is told when? She adds a step: a pause that is too long is refused, with what she wrote.
    await tapLink('通知顺序')
    expect(await heading(page).textContent()).toBe('通知谁、何时通知')
    await look('policies')
    const emergencies = '紧急：呼叫按钮、烟雾、燃气、一氧化碳、语音求助'
    const stepsOf = async () => {
      await page.getByRole('heading', { name: emergencies }).waitFor()
      const part = page.locator('section').filter({ has: page.getByRole('heading', { name: emergencies }) })
      return part.getByRole('listitem').allInnerTexts()
    }
    const own = [
      '立刻：负责社工，同时用其全部通知方式',
      '1 分钟后：值班人员、同意帮忙的邻居或志愿者，同时用其全部通知方式',
      '3 分钟后：主管，同时用其全部通知方式，同时告知家属（以居民同意的范围为限）',
    ]
    expect(await stepsOf()).toEqual(own)
    await tapLink(`修改：${emergencies}`)
    const added = page.getByRole('group', { name: '再加一步' })
    await added.getByLabel('预警发出后多少分钟（0.5 即 30 秒）').fill('10')
    await added.getByLabel('社区全体人员').tap()
    await look('change a policy')
    await tapButton('保存')
    await page.getByRole('alert').filter({ hasText: '最多隔 5 分钟' }).waitFor()
    const fourth = page.getByRole('group', { name: '第 4 步' })
    expect(await fourth.getByLabel('社区全体人员').isChecked()).toBe(true)
    await fourth.getByLabel('预警发出后多少分钟（0.5 即 30 秒）').fill('6')
    await tapButton('保存')
    expect(await stepsOf()).toEqual([...own, '6 分钟后：社区全体人员，同时用其全部通知方式'])

    // The numbers of last month.
    await tapLink('统计')
    expect(await heading(page).textContent()).toBe('统计：示例社区·荷花里，2026年2月')
    const { of, part } = await falseAlarms('2026-02')
    await page
      .getByText(`误报：${Math.round((100 * part) / of)}%（${of} 条中 ${part} 条）`)
      .first()
      .waitFor()
    await page.getByText(/^2026年2月：紧急预警有一半在 \d+\s分钟.*内有人到门口/).waitFor()
    await page.getByText('共 287 条，最多的一天是').waitFor()
    await look('numbers')
    expect(complaints.filter((each) => !each.startsWith('400 ') && !each.includes('status of 400'))).toEqual([])
    // The one refused form.
    expect(complaints.filter((each) => each.startsWith('400 '))).toEqual([`400 ${base}/policies`])
  } finally {
    await leave()
  }
})

test('at a desk, in English, with the keyboard alone: what she has set up', async () => {
  const { page, complaints, leave } = await openVisitor(browser, {
    locale: 'en-GB',
    viewport: { width: 1280, height: 900 },
  })
  const look = async (what: string) => expect(await basicsWrong(page), what).toEqual([])
  const pressOn = async (name: string) => {
    await tabTo(page, name)
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
  }
  try {
    await page.goto(base)
    await tabTo(page, 'Login')
    await page.keyboard.type(station.supervisor)
    await tabTo(page, 'Password')
    await page.keyboard.type(station.password)
    await pressOn('Log in')

    await pressOn('Roster')
    expect(await heading(page).textContent()).toBe(`On duty now: ${zhang}, until 20:00`)
    await page.getByText('In the next 28 days somebody is on duty at all times.').waitFor()
    await dayOf(page, 'Wed 11 Mar').getByText(`${zhao}for ${lin}`).waitFor()
    await tabTo(page, 'Last changes')
    await page.keyboard.press('Enter')
    await page
      .getByText(`swapped: ${lin} Wed 11 Mar 20:00–08:00 (Thu) ↔ ${zhao} Fri 13 Mar 20:00–08:00 (Sat)`)
      .waitFor()
    await look('roster')

    await pressOn('Who is paged?')
    await tabTo(page, 'Resident: name or address')
    await page.keyboard.type('居民 7')
    await Promise.all([page.waitForEvent('load'), page.keyboard.press('Enter')])
    await tabTo(page, '示例·居民 7')
    await page.keyboard.press('Space')
    // How a date is typed depends on the machine.
    await page.getByLabel('When').fill('2026-03-23T03:00')
    await pressOn('Who is paged?')
    expect(await heading(page).textContent()).toMatch(/示例·居民 7.* on Mon 23 Mar 03:00, 示例·张社工 is paged first$/)
    await partOf(page, 'Emergency').getByText(`${lin} on duty`).waitFor()
    await look('who is paged')

    for (const [link, title] of [
      ['Weekly shifts', 'Which shifts come back each week?'],
      ['Ill, holidays, swaps', 'Who is away, and who stands in?'],
      ['Calendar apps', 'How does the roster get into a calendar?'],
      ['Who is told when', 'Who is told, and when'],
    ] as const) {
      await pressOn('Roster')
      await pressOn(link)
      expect(await heading(page).textContent()).toBe(title)
      await look(link)
    }
    await page.getByText('after 6 minutes: everybody of the community, through all their channels').waitFor()

    await pressOn('Numbers')
    expect(await heading(page).textContent()).toBe('Numbers: 示例社区·荷花里, February 2026')
    await page.getByText(/^In February 2026: somebody was at the door of an emergency within \d+\smin/).waitFor()
    await page.getByText('287 alerts; most on').waitFor()
    await look('numbers')

    await pressOn(herself)
    expect(await heading(page).textContent()).toBe('You can be reached')
    await look('my channels')
    expect(complaints).toEqual([])
  } finally {
    await leave()
  }
})

/** Counted apart from the code that makes the page. */
async function falseAlarms(month: string): Promise<{ of: number; part: number }> {
  const { rows } = await database.db.query<{ of: number; part: number }>(
    `select count(*) filter (where outcome not in ('test', 'other'))::int as of,
            count(*) filter (where outcome in ('resident fine', 'device fault'))::int as part
       from alerts where to_char(opened_at at time zone 'Asia/Shanghai', 'YYYY-MM') = $1`,
    [month],
  )
  return rows[0]!
}
