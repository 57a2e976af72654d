import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { actOnAlert } from '../db/alert-actions.js'
import { escalate, openAlert } from '../db/alerts.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort, type Running } from './support/processes.js'

/** The steps of the community's policy, and who is told at each. */
const chain = ['e-worker', 'e-colleague', 'e-supervisor', 'e-operator']
/**
 * Where the process is killed: before the step is taken, when its page is written, while the page is on its way, and when
 * its receiver has answered.
 */
const moments = ['due', 'written', 'arriving', 'answered'] as const
type Moment = (typeof moments)[number]

const processes = createProcesses()
let database: TestDatabase
let phone: Server
let running: Running
let env: Record<string, string>
let arrived: { alertId: number; step: number; pageId: string }[] = []
let atArrival: ((page: { alertId: number; step: number }) => Promise<'answer' | 'be silent'>) | undefined

beforeAll(async () => {
  database = await startTestDatabase()
  phone = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', async () => {
      const { alertId, step, pageId } = JSON.parse(Buffer.concat(chunks).toString())
      const page = { alertId: Number(alertId), step: step as number, pageId: pageId as string }
      arrived.push(page)
      if ((await atArrival?.(page)) === 'be silent') return
      response.writeHead(204).end()
    })
  })
  await new Promise<void>((resolve) => phone.listen(0, '127.0.0.1', resolve))
  const { port } = phone.address() as AddressInfo
  const address = (who: string) => `http://127.0.0.1:${port}/${who}`
  await registerCommunity(database.db, {
    key: 'e',
    homes: chain.length * moments.length,
    channelsOf: (who) => [{ kind: 'webhook', address: address(who), secret: webhookSecret }],
  })
  await database.db.query(
    `insert into staff_channels (staff_id, position, kind, address, secret) values ('e-operator', 1, 'webhook', $1, $2)`,
    [address('operator'), webhookSecret],
  )
  const to = ['responsible', 'on duty', 'supervisor', { staffId: 'e-operator' }]
  const policy = {
    steps: to.map((target, i) => ({
      afterSeconds: i,
      to: [target],
      channels: 'all',
      family: false,
      condition: 'not acknowledged',
    })),
    repeatAfterSeconds: 300,
    roundsMax: null,
    stageSecondsMax: { acknowledged: 120, en_route: 600, arrived: 2_700 },
  }
  await database.db.query(
    "insert into escalation_policies (community_id, severity, policy, changed_at) values ('e', 'emergency', $1, $2)",
    [policy, new Date()],
  )
  env = {
    DATABASE_URL: database.url,
    ALERTS_HTTP_PORT: String(await freePort()),
    PUBLIC_URL: 'http://localhost',
    LOG_LEVEL: 'warn',
  }
})
afterAll(async () => {
  await processes.stopAll()
  phone?.closeAllConnections()
  phone?.close()
  await database?.stop()
})

const start = () => {
  running = processes.start('alerts/main', { env })
}
async function kill() {
  // What is under way when it dies is not answered any more.
  expect(await running.end('SIGKILL')).toMatchObject({ signal: 'SIGKILL' })
}

/** An emergency that has been walked up to the step before `step`, whose pages arrived; the next is due in `inMs`. */
async function alertBefore(step: number, home: number, inMs: number): Promise<number> {
  const opened = new Date(Date.now() - 60_000)
  const headline = { zh: '卫生间的呼叫按钮被按下。', en: 'The call button in the bathroom was pressed.' }
  const alertId = (await database.db.transaction(async (tx) => {
    const news = { deviceNo: null, kind: 'button' as const, openedAt: opened, observedAt: opened, headline, reason: {} }
    const id = await openAlert(tx, { ...news, residentId: `e-${home}` }, opened)
    for (let at = 1; at < Math.max(1, step - 1); at++)
      await escalate(tx, { alertId: id!, now: new Date(opened.getTime() + at * 1_000) })
    await tx.query("update pages set status = 'sent', sent_at = created_at where alert_id = $1 and step < $2", [
      id,
      step,
    ])
    await tx.query('update alerts set due_at = $2 where alert_id = $1 and $3', [
      id,
      new Date(Date.now() + inMs),
      step > 1,
    ])
    return id
  }))!
  return alertId
}

const isWritten = async (alertId: number, step: number) =>
  (await database.db.query('select from pages where alert_id = $1 and step = $2', [alertId, step])).rowCount !== 0
const expireLeases = () =>
  database.db.query("update pages set claimed_until = null where status = 'pending' and claimed_until is not null")

/** Kills the process at that moment of that step, and starts another. */
async function killAt(alertId: number, step: number, moment: Moment): Promise<void> {
  if (moment === 'due') await sleep(150)
  if (moment === 'written')
    await eventually('the page is written', async () => (await isWritten(alertId, step)) || undefined, 10_000)
  if (moment === 'arriving' || moment === 'answered')
    await new Promise<void>((resolve) => {
      atArrival = async (page) => {
        if (page.alertId !== alertId || page.step !== step) return 'answer'
        atArrival = undefined
        if (moment === 'arriving') {
          await kill()
          resolve()
          return 'be silent'
        }
        // The answer leaves first; whether it was recorded is left to chance.
        setTimeout(() => kill().then(resolve), Math.random() * 10)
        return 'answer'
      }
    })
  else await kill()
  atArrival = undefined
  // For 15 s a dead process holds the pages that it had claimed.
  await expireLeases()
  start()
}

test('killed at every step of an escalation: nothing is missed, and no step is told more than twice', async () => {
  let home = 0
  const told: Record<string, number> = {}
  start()
  for (let step = 1; step <= chain.length; step++)
    for (const moment of moments) {
      arrived = []
      home += 1
      const place = `step ${step}, killed ${moment}`
      const alertId = await alertBefore(step, home, moment === 'due' ? 300 : 0)
      await killAt(alertId, step, moment)
      const next = Math.min(step + 1, chain.length)
      await eventually(
        `${place}: the steps that follow`,
        async () => {
          const { rows } = await database.db.query<{ step: number }>(
            `select distinct step from pages where alert_id = $1 and status = 'sent' and step in ($2, $3)`,
            [alertId, step, next],
          )
          return rows.length === next - step + 1 || undefined
        },
        // A claim that the database commits after the kill is the dead process's for 15 s.
        30_000,
      )
      const done = await actOnAlert(database.db, {
        alertId,
        action: { kind: 'close', outcome: 'test', note: '' },
        staffId: 'e-worker',
        via: 'console',
        now: new Date(),
      })
      expect(done).toEqual({ kind: 'done' })
      const times = (at: number) => arrived.filter((page) => page.alertId === alertId && page.step === at).length
      expect(times(step), place).toBeGreaterThanOrEqual(1)
      expect(times(step), place).toBeLessThanOrEqual(2)
      if (next > step) expect(times(next), `${place}: the next step`).toBe(1)
      const { rows } = await database.db.query<{ step: number; staff: string }>(
        `select (detail->>'step')::int as step, detail->>'staffId' as staff from alert_events
          where alert_id = $1 and kind = 'told' order by alert_event_id`,
        [alertId],
      )
      // Each step once in the history, in order, each with its person.
      const expected = rows.map((_, i) => ({ step: i + 1, staff: chain[i]! }))
      expect(rows, `${place}: history`).toEqual(expected)
      expect(rows.length).toBeGreaterThanOrEqual(next)
      told[moment] = (told[moment] ?? 0) + times(step)
    }
  console.log(`${chain.length * moments.length} kills; told, of ${chain.length} each: ${JSON.stringify(told)}`)
})
