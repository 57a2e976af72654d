import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAlert } from '../db/alerts.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort } from './support/processes.js'

/** When the default policy tells the supervisor of an emergency that nobody has taken. */
const policyMs = 180_000

const processes = createProcesses()
let database: TestDatabase
let topic: Server
const notified: { atMs: number; title: string; message: string; click: string }[] = []

beforeAll(async () => {
  database = await startTestDatabase()
  topic = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      notified.push({ atMs: Date.now(), ...JSON.parse(Buffer.concat(chunks).toString()) })
      response.writeHead(200, { 'content-type': 'application/json' }).end('{"id":"sample","event":"message"}')
    })
  })
  await new Promise<void>((resolve) => topic.listen(0, '127.0.0.1', resolve))
})
afterAll(async () => {
  await processes.stopAll()
  topic?.closeAllConnections()
  topic?.close()
  await database?.stop()
})

test('the first two cannot be reached and the mail server is down: the third is, another way, and the history says why', async () => {
  const nobodyListens = await freePort()
  const mailServer = await freePort()
  const { port } = topic.address() as AddressInfo
  const mail = (who: string) => ({ kind: 'email' as const, address: `${who}@example.org` })
  await registerCommunity(database.db, {
    key: 'q',
    channelsOf: (who) =>
      who === 'supervisor'
        ? [mail(who)]
        : [{ kind: 'webhook', address: `http://127.0.0.1:${nobodyListens}/${who}`, secret: webhookSecret }, mail(who)],
  })
  await database.db.query(
    `insert into staff_channels (staff_id, position, kind, address) values ('q-supervisor', 9, 'ntfy', $1)`,
    [`http://127.0.0.1:${port}/invented-topic`],
  )
  const alerts = processes.start('alerts/main', {
    env: {
      DATABASE_URL: database.url,
      ALERTS_HTTP_PORT: String(await freePort()),
      SMTP_URL: `smtp://127.0.0.1:${mailServer}`,
      PUBLIC_URL: 'http://localhost',
      CHANNEL_ORIGINS: `http://127.0.0.1:${port}`,
      LOG_LEVEL: 'fatal',
    },
  })
  const openedAt = new Date()
  const headline = { zh: '卫生间的呼叫按钮被按下。', en: 'The call button in the bathroom was pressed.' }
  const news = { deviceNo: null, kind: 'button' as const, openedAt, observedAt: openedAt, headline, reason: {} }
  const alertId = await database.db.transaction((tx) => openAlert(tx, { ...news, residentId: 'q-1' }, openedAt))
  const [first] = await eventually('the supervisor is told', () => notified[0] && notified, 60_000)
  expect(first!.atMs - openedAt.getTime()).toBeLessThan(policyMs)
  expect(`${first!.title} ${first!.message}`).toContain('示例·居民 q-1')

  const history = await eventually('the history has it', async () => {
    const { rows } = await database.db.query<{ kind: string; who: string; how: string; follows: string | null }>(
      `select kind, detail->>'staffId' as who, detail->>'channel' as how, detail->>'follows' as follows
         from alert_events where alert_id = $1 order by alert_event_id`,
      [alertId],
    )
    return rows.some(({ kind, how }) => kind === 'page sent' && how === 'ntfy') ? rows : undefined
  })
  const lines = history.map(({ kind, who, how, follows }) =>
    [kind, who, how, follows].filter((word) => word !== null).join(' '),
  )
  expect(lines.filter((line) => line.startsWith('told'))).toEqual([
    'told q-worker',
    'told q-colleague',
    'told q-supervisor',
  ])
  for (const who of ['q-worker', 'q-colleague'])
    for (const how of ['webhook', 'email']) expect(lines.join('\n')).toContain(`page failed ${who} ${how}`)
  // When nothing got through to a person, the next one is told without waiting.
  expect(lines.filter((line) => line.endsWith('next step'))).toHaveLength(2)
  const { rows: attempts } = await database.db.query<{ how: string; detail: string }>(
    `select p.channel as how, t.detail from page_attempts t join pages p using (page_id)
      where p.alert_id = $1 and t.result = 'retry'`,
    [alertId],
  )
  for (const { detail } of attempts) expect(detail).toMatch(/ECONNREFUSED/)
  console.log(
    `the third was reached after ${first!.atMs - openedAt.getTime()} ms, after ${attempts.length} attempts in vain`,
  )
  expect((await alerts.end('SIGINT')).code).toBe(0)
})
