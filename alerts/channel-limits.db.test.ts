import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { openAlert } from '../db/alerts.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type RobotServer, startDingtalk } from '../test/support/provider-robots.js'
import { type SmtpReceiver, startSmtpServer } from '../test/support/smtp-server.js'
import { dingtalkChannel } from './channels/dingtalk.js'
import { emailChannel } from './channels/email.js'
import { createOutbox } from './outbox.js'

// A robot whose provider takes no more, a real outbox and a real mail server behind it.
const clock = manualClock(new Date('2026-06-01T00:00:00Z'))
let database: TestDatabase
let robot: RobotServer
let mail: SmtpReceiver
let outbox: ReturnType<typeof createOutbox>
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows

beforeAll(async () => {
  database = await startTestDatabase()
  robot = await startDingtalk({ now: () => clock.now() })
  mail = await startSmtpServer()
  await registerCommunity(database.db, { key: 'l', homes: 30, now: clock.now(), channelsOf: () => [] })
  const step = { afterSeconds: 0, to: ['responsible'], channels: 'first', family: false, condition: 'not acknowledged' }
  await database.db.query(
    `insert into escalation_policies (community_id, severity, policy, changed_at) values ('l', 'emergency', $1, $2)`,
    [
      {
        steps: [step],
        repeatAfterSeconds: 300,
        roundsMax: null,
        stageSecondsMax: { acknowledged: 120, en_route: 600, arrived: 2_700 },
      },
      clock.now(),
    ],
  )
  const log = createLog({ role: 'test', level: 'silent' })
  outbox = createOutbox({
    db: database.db,
    channels: [
      dingtalkChannel({ clock, origins: [robot.origin] }),
      emailChannel({ smtpUrl: mail.url, from: 'shouwang@demo.example', clock }),
    ],
    publicUrl: 'http://localhost',
    clock,
    log,
    metrics: new Registry(),
    signal: createSignal(),
  })
  outbox.start()
})
afterAll(async () => {
  await outbox.stop()
  await Promise.all([robot.stop(), mail.stop(), database.stop()])
})
beforeEach(async () => {
  await database.db.query("delete from staff_channels where staff_id = 'l-worker'")
})

const setChannels = async (channels: [string, string][]) => {
  for (const [at, [kind, address]] of channels.entries())
    await database.db.query(
      `insert into staff_channels (staff_id, position, kind, address) values ('l-worker', $1, $2, $3)`,
      [at + 1, kind, address],
    )
}
const open = (home: number) =>
  database.db.transaction(async (tx) => {
    const now = clock.now()
    const headline = { zh: '示例', en: 'sample' }
    const what = { residentId: `l-${home}`, deviceNo: null, kind: 'button' as const, headline, reason: {} }
    return (await openAlert(tx, { ...what, openedAt: now, observedAt: now }, now))!
  })
async function eventually<T>(look: () => Promise<T | undefined>, msMax = 10_000): Promise<T> {
  for (const endsAt = performance.now() + msMax; ; ) {
    const found = await look()
    if (found !== undefined) return found
    if (performance.now() > endsAt) throw new Error('not within time')
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}
const sentThrough = async (alertIds: number[]) => {
  const found = await rows(`select channel from pages where alert_id = any($1) and status = 'sent'`, [alertIds])
  return found.length >= alertIds.length ? found.map(({ channel }) => channel as string).sort() : undefined
}

test('emergencies beyond a robot’s limit go by the next channel at once, and the history says why', async () => {
  await setChannels([
    ['dingtalk', robot.address],
    ['email', 'worker@demo.example'],
  ])
  const alertIds: number[] = []
  for (let home = 1; home <= 24; home += 1) alertIds.push(await open(home))
  // The clock stands still: nothing that waits for a later attempt would ever leave.
  const channels = await eventually(() => sentThrough(alertIds))
  expect(channels.filter((each) => each === 'dingtalk')).toHaveLength(20)
  expect(channels.filter((each) => each === 'email')).toHaveLength(4)
  expect(mail.mails).toHaveLength(4)
  const [{ said }] = await rows(
    `select detail as said from page_attempts join pages using (page_id) where channel = 'dingtalk' and status = 'failed' limit 1`,
  )
  expect(said).toContain('130101')
  // It is full, not broken: the next one tries it first.
  expect(await rows(`select broken_at from staff_channels where kind = 'dingtalk'`)).toEqual([{ broken_at: null }])
})

test('with no other channel it is tried again', async () => {
  await setChannels([['dingtalk', robot.address]])
  const alertId = await open(25)
  const attempts = async () =>
    (await rows(`select status, attempts from pages where alert_id = $1`, [alertId])) as {
      status: string
      attempts: number
    }[]
  await eventually(async () => ((await attempts())[0]?.attempts === 1 ? true : undefined))
  expect(await attempts()).toEqual([{ status: 'pending', attempts: 1 }])
  // The limit is a minute, but who exceeded it is shut out for ten.
  clock.advance(660_000)
  expect(await eventually(() => sentThrough([alertId]))).toEqual(['dingtalk'])
})
