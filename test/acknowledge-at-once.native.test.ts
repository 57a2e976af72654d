import { createHash, createHmac, randomUUID } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { handleMail } from '../alerts/replies/handle-mail.js'
import { createTestDashboard, formHeaders, logIn, type TestDashboard, testNow } from '../dashboard/test-app.js'
import { seededRandom } from '../simulators/random.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type Community, seedAlert, seedCommunity, seedPage } from './support/fixtures.js'
import { seedOf } from './support/processes.js'

const rounds = 25
const secret = 'invented-webhook-secret'
const seed = seedOf('acknowledge-at-once')

let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let cookie: string
/** Four people, each with a way of their own. */
let people: Record<Way, { staffId: string; name: string }>
type Way = 'console' | 'link' | 'email' | 'webhook'

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await createTestDashboard(database.db)
  c = await seedCommunity(database.db, { key: 'c', now: testNow })
  cookie = await logIn(dashboard.app, { login: c.staff.supervisor.login, password: c.password })
  await database.db.query(
    "insert into staff (staff_id, name, role) values ('c-neighbour', '示例·邻居', 'volunteer'); insert into staff_channels (staff_id, position, kind, address, secret) values ('c-neighbour', 1, 'webhook', 'http://127.0.0.1:9/', 'invented-webhook-secret'), ('c-colleague', 1, 'email', 'chen@station.example', null)",
  )
  people = {
    console: c.staff.supervisor,
    link: c.staff.worker,
    email: c.staff.colleague,
    webhook: { staffId: 'c-neighbour', name: '示例·邻居' },
  }
})
afterAll(async () => {
  await dashboard.app.close()
  await database.stop()
})

const sent = ({ way, alertId }: { way: Way; alertId: number }) => {
  const channel = way === 'link' ? 'sms' : way
  return seedPage(database.db, { alertId, staffId: people[way].staffId, now: testNow, channel })
}

/** Takes it; whether that one has it, and what was said. */
async function take({
  way,
  alertId,
  pageId,
  linkToken,
}: { way: Way; alertId: number } & Awaited<ReturnType<typeof sent>>): Promise<{ won: boolean; said: string }> {
  const { app } = dashboard
  const { staffId } = people[way]
  const english = { 'accept-language': 'en' }
  if (way === 'console') {
    const headers = { ...formHeaders(cookie), ...english }
    const { headers: answer } = await app.inject({ method: 'POST', url: `/alerts/${alertId}/acknowledge`, headers })
    const url = String(answer.location)
    return { won: url === `/alerts/${alertId}`, said: (await app.inject({ method: 'GET', url, headers })).body }
  }
  if (way === 'link') {
    const { headers: answer } = await app.inject({ method: 'POST', url: `/p/${linkToken}`, headers: english })
    const url = String(answer.location)
    return { won: url === `/p/${linkToken}`, said: (await app.inject({ method: 'GET', url, headers: english })).body }
  }
  if (way === 'webhook') {
    const payload = JSON.stringify({ pageId, action: 'acknowledge' })
    const t = Math.floor(testNow.getTime() / 1_000)
    const signature = `t=${t},v1=${createHmac('sha256', secret).update(`${t}.${payload}`).digest('hex')}`
    const headers = { 'shouwang-signature': signature, 'content-type': 'application/json' }
    const { statusCode, body } = await app.inject({
      method: 'POST',
      url: `/api/pages/${pageId}/acknowledge`,
      headers,
      payload,
    })
    expect([200, 409]).toContain(statusCode)
    return { won: statusCode === 200, said: body }
  }
  const result = await handleMail(database.db, {
    place: { mailbox: 'box', uidValidity: 1, uid: alertId },
    mailKey: createHash('sha256').update(randomUUID()).digest(),
    verdict: {
      kind: 'reply',
      ids: [{ kind: 'page', id: pageId }],
      from: 'chen@station.example',
      intent: 'acknowledge',
    },
    now: testNow,
  })
  const { rows } = await database.db.query('select text_en from messages where staff_id = $1 and path = $2', [
    staffId,
    `/alerts/${alertId}`,
  ])
  return { won: result === 'acknowledged', said: rows[0].text_en }
}

test(`four people by four ways at the same moment, ${rounds} times: the first has it, each other is told who`, async () => {
  const random = seededRandom(seed, 'at once')
  const wins: Partial<Record<Way, number>> = {}
  for (let round = 0; round < rounds; round++) {
    const { residentId, devices } = c.residents[0]!
    const alertId = await seedAlert(database.db, {
      communityId: c.communityId,
      residentId,
      deviceNo: devices.button,
      kind: 'button',
      openedAt: testNow,
    })
    const ways: Way[] = ['console', 'link', 'email', 'webhook']
    const ready = await Promise.all(ways.map(async (way) => ({ way, alertId, ...(await sent({ way, alertId })) })))
    const answers = await Promise.all(
      ready.map(async (one) => {
        await sleep(random() * 8)
        return { way: one.way, ...(await take(one)) }
      }),
    )
    const { rows } = await database.db.query(
      'select staff_id, via from alert_events where alert_id = $1 and kind = $2',
      [alertId, 'acknowledged'],
    )
    expect(rows).toHaveLength(1)
    const winners = answers.filter(({ won }) => won)
    expect(winners.map(({ way }) => [people[way].staffId, way])).toEqual([[rows[0].staff_id, rows[0].via]])
    const [winner] = winners
    wins[winner!.way] = (wins[winner!.way] ?? 0) + 1
    for (const { way, said } of answers)
      if (way !== winner!.way) expect(said, `${way} after ${winner!.way}`).toContain(people[winner!.way].name)
    const { rows: late } = await database.db.query(
      "select staff_id from alert_events where alert_id = $1 and kind = 'too late'",
      [alertId],
    )
    const expected = answers.filter(({ won, way }) => !won && way !== 'console').map(({ way }) => people[way].staffId)
    expect(late.map(({ staff_id }) => staff_id).sort()).toEqual(expected.sort())
  }
  console.log(`first: ${JSON.stringify(wins)}`)
})

test('two links of one alert, twenty taps at once: one acknowledgement, and the other link is not lost', async () => {
  const { residentId, devices } = c.residents[0]!
  const alertId = await seedAlert(database.db, {
    communityId: c.communityId,
    residentId,
    deviceNo: devices.button,
    kind: 'button',
    openedAt: testNow,
  })
  const own = await seedPage(database.db, { alertId, staffId: people.link.staffId, now: testNow })
  const other = await seedPage(database.db, { alertId, staffId: people.email.staffId, now: testNow })
  const tap = (token: string) => dashboard.app.inject({ method: 'POST', url: `/p/${token}` })
  await Promise.all(Array.from({ length: 20 }, (_, n) => tap(n % 2 === 0 ? own.linkToken : other.linkToken)))
  const { rows } = await database.db.query(
    "select staff_id from alert_events where alert_id = $1 and kind = 'acknowledged'",
    [alertId],
  )
  expect(rows).toHaveLength(1)
  const { rows: links } = await database.db.query(
    'select p.staff_id, l.used_at is not null as used from page_links l join pages p using (page_id) where p.alert_id = $1',
    [alertId],
  )
  for (const link of links) expect(link.used, link.staff_id).toBe(link.staff_id === rows[0].staff_id)
})

test('one mail, handled by eight processes at once: it acts once, and its writer is told once', async () => {
  const { residentId, devices } = c.residents[0]!
  const alertId = await seedAlert(database.db, {
    communityId: c.communityId,
    residentId,
    deviceNo: devices.button,
    kind: 'button',
    openedAt: testNow,
  })
  const { pageId } = await seedPage(database.db, {
    alertId,
    staffId: people.email.staffId,
    now: testNow,
    channel: 'email',
  })
  const mailKey = createHash('sha256').update(randomUUID()).digest()
  const results = await Promise.all(
    Array.from({ length: 8 }, () =>
      handleMail(database.db, {
        place: { mailbox: 'another box', uidValidity: 1, uid: 1 },
        mailKey,
        verdict: {
          kind: 'reply',
          ids: [{ kind: 'page', id: pageId }],
          from: 'chen@station.example',
          intent: 'decline',
        },
        now: testNow,
      }),
    ),
  )
  expect(results.sort()).toEqual(['declined', ...Array.from({ length: 7 }, () => 'handled before')])
  const { rows } = await database.db.query(
    `select (select count(*) from alert_events where alert_id = $1 and kind = 'declined') as events,
            (select count(*) from messages where dedupe_key like 'reply/' || $2 || '/%') as answers`,
    [alertId, pageId],
  )
  expect(rows[0]).toEqual({ events: 1, answers: 1 })
})
