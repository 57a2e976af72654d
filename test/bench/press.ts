import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { type Database, openDatabase } from '../../db/pool.js'
import { readingTopic } from '../../ingest/contract.js'
import { createLog } from '../../kit/log.js'
import { gatewaySecret, registerCommunity, webhookSecret } from '../support/community.js'
import { createProcesses, freePort } from '../support/processes.js'
import { startWebhookReceiver, type WebhookReceiver } from '../support/webhook-receiver.js'
import { emptyTables } from './bench-database.js'
import { startEdgeProcess } from './edge-process.js'
import { type Figure, type Measure, median, percentile } from './figure.js'
import { type LoadOptions, startLoad } from './load.js'

const presses = 320
const warmUpPresses = 10
const pauseMsMax = 60
const pageMsMax = 20_000
const loadShare = 0.7
const shape = { clients: 1_000, window: 2, readingsPerPublish: 1 }
/** Longer than the presses take: the load is stopped when they are done. */
const loadMsMax = 300_000

/**
 * From the publish of a pressed button to the webhook with its first page, with edge and alerts as processes of their
 * own: idle, and while meters publish at 70 % of what these two take (measured just before, alerts folding meanwhile).
 */
export async function measurePress({ url, rounds, print }: Measure): Promise<Figure[]> {
  const processes = createProcesses()
  const db = openDatabase({ url, log: createLog({ role: 'bench', level: 'silent' }) })
  const receiver = await startWebhookReceiver({ secret: webhookSecret })
  let gateway: MqttClient | undefined
  try {
    await seedButtons(db, receiver, 2 * presses + warmUpPresses)
    const edge = await startEdgeProcess(processes, { url })
    await startAlertsProcess(processes, url)
    gateway = await connectAsync(`mqtt://127.0.0.1:${edge.port}`, {
      username: 'press-1',
      password: gatewaySecret('press-1'),
      protocolVersion: 4,
    })
    const press = createPress({ gateway, receiver })
    await press(0, warmUpPresses)
    const idle = await press(warmUpPresses, presses)
    await closeAlerts(db)

    const limit = await limitOf({ db, rounds, options: { ...shape, port: edge.port } })
    const ratePerSecond = Math.round(loadShare * limit)
    print(`limit with alerts folding: ${Math.round(limit).toLocaleString('en-US')} readings/s`)
    await emptyTables(db)
    const load = await startLoad({ ...shape, port: edge.port, ratePerSecond })
    void load.run({ warmUpMs: 0, measureMs: loadMsMax }).catch(() => undefined)
    await sleep(2_000)
    const before = await readingsCount(db)
    const startedAt = performance.now()
    const loaded = await press(warmUpPresses + presses, presses)
    const rate = ((await readingsCount(db)) - before) / ((performance.now() - startedAt) / 1_000)
    await load.stop()
    print(`${Math.round(rate).toLocaleString('en-US')} readings/s committed during the presses`)
    return [
      ...figuresOf('idle', idle),
      ...figuresOf(
        'at 70 % load',
        loaded,
        `${Math.round(rate).toLocaleString('en-US')} readings/s of ${Math.round(limit).toLocaleString('en-US')}`,
      ),
    ]
  } finally {
    gateway?.end(true)
    await receiver.stop()
    await processes.stopAll()
    await db.end()
  }
}

const figuresOf = (when: string, ms: number[], note = `${ms.length} presses`): Figure[] =>
  [50, 99, 99.9].map((percent) => ({
    part: 'press',
    name: `press → webhook, ${when}, p${percent}`,
    value: percentile(ms, percent),
    unit: 'ms',
    note,
  }))

/** One gateway for a building: a call button in each of its homes, so that each press is an alert of its own. */
async function seedButtons(db: Database, receiver: WebhookReceiver, homes: number) {
  await registerCommunity(db, {
    key: 'press',
    channelsOf: (who) => [{ kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret }],
  })
  await db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select 'flat-' || n, 'press', '示例·居民 ' || n, '示例路 ' || n || ' 号', 'Asia/Shanghai', 'press-worker'
       from generate_series(0, $1 - 1) n`,
    [homes],
  )
  await db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
     select 'button-' || n, 'button', 'press-1', 'flat-' || n, '卫生间', now() from generate_series(0, $1 - 1) n`,
    [homes],
  )
}

async function startAlertsProcess(processes: ReturnType<typeof createProcesses>, url: string) {
  const env = { DATABASE_URL: url, ALERTS_HTTP_PORT: String(await freePort()), LOG_LEVEL: 'info' }
  await processes.start('alerts/main', { env }).printed('alerts.started')
}

/** Presses one button after the other, with pauses, and returns how many ms each took to its page. */
function createPress({ gateway, receiver }: { gateway: MqttClient; receiver: WebhookReceiver }) {
  const firstPageOf = (residentId: string) =>
    receiver.requests.find(({ json }) => {
      const page = json as { resident: { id: string }; step: number }
      return page.resident.id === residentId && page.step === 1
    })
  async function pageOf(residentId: string) {
    const giveUpAt = performance.now() + pageMsMax
    for (;;) {
      const page = firstPageOf(residentId)
      if (page) return page
      const left = giveUpAt - performance.now()
      if (left <= 0) throw new Error(`the press of ${residentId} was not paged within ${pageMsMax} ms`)
      await receiver.waitFor(receiver.requests.length + 1, left)
    }
  }
  return async (from: number, count: number): Promise<number[]> => {
    const ms: number[] = []
    for (let n = from; n < from + count; n++) {
      const publishedAt = performance.timeOrigin + performance.now()
      const body = JSON.stringify({ ts: Date.now(), event: 'pressed' })
      const published = gateway.publishAsync(readingTopic('press-1', `button-${n}`, 'button'), body, { qos: 1 })
      const { arrivedMs } = await pageOf(`flat-${n}`)
      await published
      ms.push(arrivedMs - publishedAt)
      await sleep((pauseMsMax * ((n * 37) % 60)) / 60)
    }
    return ms
  }
}

/** So that nobody is told of the next step while something else is measured. */
async function closeAlerts(db: Database) {
  await db.query(
    "update alerts set stage = 'closed', outcome = 'test', closed_at = now(), due_at = null where closed_at is null",
  )
}

async function limitOf({ db, rounds, options }: { db: Database; rounds: number; options: LoadOptions }) {
  const load = await startLoad(options)
  const rates: number[] = []
  for (let round = 0; round < rounds; round++) {
    await emptyTables(db)
    const { readings, seconds } = await load.run({ warmUpMs: 2_000, measureMs: 3_000 })
    rates.push(readings / seconds)
  }
  await load.stop()
  return median(rates)
}

async function readingsCount(db: Database): Promise<number> {
  const { rows } = await db.query<{ n: number }>('select count(*) as n from readings')
  return rows[0]!.n
}
