import { connectAsync } from 'mqtt'
import type { Browser } from 'playwright-core'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { issueFamilyLink } from '../db/family.js'
import { readingTopic } from '../ingest/contract.js'
import { systemClock as clock } from '../kit/clock.js'
import { openBrowser } from './support/browser.js'
import { gatewaySecret, registerCommunity, staffPassword } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { startRoles } from './support/roles.js'

/** A button pressed over MQTT, seen and followed to its end in a browser, by the station and by the family. */
let database: TestDatabase
let roles: Awaited<ReturnType<typeof startRoles>>
let browser: Browser

beforeAll(async () => {
  ;[database, browser] = await Promise.all([startTestDatabase(), openBrowser()])
  roles = await startRoles({ db: database.db, channels: [webhookChannel({ clock })] })
})
afterAll(async () => {
  await browser?.close()
  await roles?.stop()
  await database?.stop()
})

const words = {
  'zh-CN': {
    console: '1 起紧急情况，还没有人过去',
    closed: '结果：跌倒',
    quiet: '有动静',
    pressed: '呼叫按钮被按下了。',
    nobody: '正在通知社区工作人员，还没有人回应。',
    onTheWay: '正在赶去',
    atTheDoor: '已经到门口',
    over: '已经处理完：跌倒',
    week: '最近 7 天',
  },
  'en-GB': {
    console: '1 emergency: nobody on the way',
    closed: 'Outcome: Fall',
    quiet: 'Up and about',
    pressed: 'The call button was pressed.',
    nobody: 'Nobody has answered yet.',
    onTheWay: 'is on the way',
    atTheDoor: 'is at the door',
    over: 'Over: Fall',
    week: 'The last 7 days',
  },
} as const

test.each(['zh-CN', 'en-GB'] as const)('from open to closed, and the family page beside it, in %s', async (locale) => {
  const t = words[locale]
  const key = `browser-${locale.slice(0, 2)}`
  await registerCommunity(database.db, { key })
  const token = await issueFamilyLink(database.db, { familyMemberId: `${key}-daughter`, now: clock.now() })
  const home = `${key}-1`
  const gateway = await connectAsync(roles.mqttUrl, {
    username: home,
    password: gatewaySecret(home),
    protocolVersion: 4,
  })
  const context = await browser.newContext({ locale, viewport: { width: 360, height: 740 } })
  const station = await context.newPage()
  const family = await (await browser.newContext({ locale, viewport: { width: 360, height: 740 } })).newPage()
  const says = async (text: string) => {
    await family.reload()
    await family.waitForSelector(`main:has-text("${text}")`, { timeout: 5_000 })
  }
  try {
    const water = [120, 60, 1].map((minutesAgo, n) => ({ ts: Date.now() - minutesAgo * 60_000, litres: 100 + n * 10 }))
    await gateway.publishAsync(readingTopic(home, `${home}-water`, 'water'), JSON.stringify(water), { qos: 1 })
    await family.goto(`${roles.publicUrl}/f/${token}`)
    await says(t.quiet)
    await says(t.week)

    await station.goto(roles.publicUrl)
    await station.fill('[name=login]', `${key}-worker`)
    await station.fill('[name=password]', staffPassword)
    await station.click('main button[type=submit]')
    await station.waitForURL(`${roles.publicUrl}/`)
    await gateway.publishAsync(
      readingTopic(home, `${home}-button`, 'button'),
      JSON.stringify({ ts: Date.now(), event: 'pressed' }),
      { qos: 1 },
    )

    // Both pages change by themselves, the family's twice a minute.
    await station.waitForSelector(`h1:has-text("${t.console}")`)
    await family.waitForSelector(`main:has-text("${t.pressed}")`, { timeout: 45_000 })
    await says(t.nobody)
    expect(await family.textContent('main')).not.toMatch(/\d\s?(L|升|Wh|kWh)\b/)

    await station.click('form[action$="/acknowledge"] button')
    await station.waitForURL(/\/alerts\/\d+$/)
    await station.click('form[action$="/en-route"] button')
    await says(t.onTheWay)
    await station.click('form[action$="/arrived"] button')
    await says(t.atTheDoor)
    await station.check('input[name=outcome][value=fall]')
    await station.fill('#note', '示例备注')
    await station.click('#close button')
    await station.waitForSelector(`text=${t.closed}`)
    await says(t.over)
    const { rows } = await database.db.query('select stage, outcome, handled_by from alerts where resident_id = $1', [
      home,
    ])
    expect(rows).toEqual([{ stage: 'closed', outcome: 'fall', handled_by: `${key}-worker` }])
  } finally {
    await context.close()
    await family.context().close()
    await gateway.endAsync()
  }
})
