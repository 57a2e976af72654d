import { mkdirSync } from 'node:fs'
import type { AddressInfo } from 'node:net'
import { test } from 'vitest'
import type { Arrival } from '../alerts/model.js'
import { emptyState, fold } from '../alerts/rules/fold.js'
import { systemClock } from '../kit/clock.js'
import { openBrowser } from '../test/support/browser.js'
import { startTestDatabase } from '../test/support/database.js'
import { seedAlert, seedCommunity, seedPage } from '../test/support/fixtures.js'
import { createTestDashboard, testNow } from './test-app.js'

test('look', async () => {
  mkdirSync('/tmp/hb/shots', { recursive: true })
  const database = await startTestDatabase()
  const { db } = database
  const now = new Date()
  const ago = (min: number) => new Date(now.getTime() - min * 60000)
  const c = await seedCommunity(db, { key: 'demo', now: ago(1), residents: 12 })
  const names = [
    '王奶奶',
    '李爷爷',
    '赵奶奶',
    '孙大爷',
    '周阿姨',
    '吴奶奶',
    '郑爷爷',
    '冯奶奶',
    '陈爷爷',
    '褚奶奶',
    '卫爷爷',
    '蒋奶奶',
  ]
  for (const [i, r] of c.residents.entries()) {
    await db.query('update residents set name=$2 where resident_id=$1', [r.residentId, `示例·${names[i]}`])
    if (i === 3) continue
    const arr: Arrival[] = []
    let litres = 1000
    for (let m = 30 * 60; m >= (i === 5 ? 700 : 2); m -= 10) {
      const at = ago(m).getTime()
      if (i !== 7 && m > 20 && m % 50 === 0) litres += 6
      arr.push({
        type: 'reading',
        deviceNo: r.devices.water,
        kind: 'water',
        observedAt: at,
        receivedAt: at,
        event: '',
        value: litres,
      })
      arr.push({
        type: 'reading',
        deviceNo: r.devices.electricity,
        kind: 'electricity',
        observedAt: at,
        receivedAt: at,
        event: '',
        value: Math.round(5000 + (3000 - m) / 2),
      })
    }
    const { state } = fold(emptyState(), arr, now.getTime(), { timeZone: 'Asia/Shanghai' })
    await db.query('insert into resident_state (resident_id, state, folded_at) values ($1,$2,$3)', [
      r.residentId,
      JSON.stringify(state),
      now,
    ])
  }
  const quiet = process.env.QUIET === '1'
  await seedAlert(db, {
    communityId: c.communityId,
    residentId: c.residents[1]!.residentId,
    kind: 'smoke',
    deviceNo: c.residents[1]!.devices.smoke,
    openedAt: ago(4),
    stage: 'en_route',
    handledBy: c.staff.colleague.staffId,
    dueAt: ago(-26),
    headline: { zh: '14:01 厨房的烟雾报警器报警。', en: 'The smoke alarm in the kitchen went off at 14:01.' },
  })
  await seedAlert(db, {
    communityId: c.communityId,
    residentId: c.residents[7]!.residentId,
    kind: 'silent_12h',
    openedAt: ago(45),
    dueAt: ago(-15),
    headline: {
      zh: '自 01:20 起没有用水用电；这个时段平时最多安静 3 小时 20 分钟。',
      en: 'No water or electricity used since 01:20; at this hour she is normally silent for at most 3 h 20 min.',
    },
    reason: {
      since: ago(765).getTime(),
      until: ago(45).getTime(),
      hours: 12,
      litres: 0,
      water: true,
      electricity: true,
      metersOffline: 0,
    },
  })
  await seedAlert(db, {
    communityId: c.communityId,
    residentId: c.residents[3]!.residentId,
    kind: 'gateway_offline',
    openedAt: ago(200),
    headline: { zh: '网关自 10:40 起没有消息。', en: 'The gateway has not been heard since 10:40.' },
  })
  await seedPage(db, { alertId: c.alertId, staffId: c.staff.colleague.staffId, now: ago(0.5), channel: 'email' })
  await db.query("insert into alert_events (alert_id, at, kind, detail) values ($1, $2, 'told', $3)", [
    c.alertId,
    ago(1),
    { staffId: c.staff.worker.staffId, role: 'responsible', step: 1, round: 0 },
  ])
  await db.query(
    "insert into staff_channels (staff_id, position, kind, address) values ($1, 1, 'email', 'x@example.org')",
    [c.staff.supervisor.staffId],
  )
  await db.query('update alerts set due_at=$2 where alert_id=$1', [c.alertId, ago(-0.7)])
  const closed = await seedAlert(db, {
    communityId: c.communityId,
    residentId: c.residents[2]!.residentId,
    kind: 'button',
    openedAt: ago(300),
    closedAt: ago(280),
    stage: 'closed',
    handledBy: c.staff.worker.staffId,
    outcome: 'fall',
  })
  if (quiet)
    await db.query("update alerts set stage='closed', closed_at=$1, outcome='test' where closed_at is null", [now])
  const { app } = await createTestDashboard(db, { clock: systemClock })
  await app.listen({ port: 0, host: '127.0.0.1' })
  const base = `http://127.0.0.1:${(app.server.address() as AddressInfo).port}`
  const browser = await openBrowser()
  const paths: [string, string][] = quiet
    ? [['quiet', '/']]
    : [
        ['console', '/'],
        ['alert', `/alerts/${c.alertId}`],
        ['closed', `/alerts/${closed}`],
        ['missing', '/nope'],
        ['link', `/p/${c.linkToken}`],
        ['resident', `/residents/${c.residents[1]!.residentId}`],
        ['family', `/f/${c.family.token}`],
      ]
  for (const locale of ['zh-CN', 'en-GB'])
    for (const width of [360, 1280]) {
      const context = await browser.newContext({ locale, viewport: { width, height: 800 } })
      const page = await context.newPage()
      page.on('console', (m) => console.log('console:', m.text()))
      page.on('pageerror', (e) => console.log('pageerror:', e.message))
      await page.goto(`${base}/`)
      await page.screenshot({ path: `/tmp/hb/shots/login-${width}-${locale}.png` })
      await page.fill('[name=login]', c.staff.worker.login)
      await page.fill('[name=password]', c.password)
      await page.click('main button[type=submit]')
      await page.waitForURL(`${base}/`)
      for (const [name, path] of paths) {
        await page.goto(base + path)
        if (name === 'alert') await page.click('#close summary')
        await page.waitForTimeout(300)
        await page.screenshot({ path: `/tmp/hb/shots/${name}-${width}-${locale}.png`, fullPage: true })
        const wide = await page.evaluate('document.documentElement.scrollWidth')
        if (Number(wide) > width) console.log('too wide', name, width, locale, wide)
      }
      await context.close()
    }
  await browser.close()
  await app.close()
  await database.stop()
}, 300000)
