import { connectAsync } from 'mqtt'
import { openDatabase } from '../../db/pool.js'
import { createLog } from '../../kit/log.js'
import { gatewaysMax, meterIdOf, meterNumbers } from './bench-database.js'
import type { PipelineReport } from './pipeline.js'

// What people put behind Mosquitto today: a subscriber that inserts what it hears in batches, each as large as what came
// meanwhile, on two connections. It checks nothing, and nobody waits for its commits.

const commitsMax = 2
const batchRowsMax = 5_000

type Row = { deviceNo: number; observedAt: number; value: number; receivedAt: number }

const insert = `
  insert into bench_pipeline (device_no, observed_at, received_at, event, value)
  select device_no, to_timestamp(observed_ms / 1000), to_timestamp(received_ms / 1000), '', value
    from unnest($1::int[], $2::float8[], $3::float8[], $4::float8[]) as r (device_no, observed_ms, received_ms, value)
  on conflict do nothing`

const db = openDatabase({ url: process.env.DATABASE_URL!, log: createLog({ role: 'bench', level: 'silent' }) })
const numbers = await meterNumbers(db, gatewaysMax)
const deviceNos = new Map(numbers.map((deviceNo, n) => [meterIdOf(n), deviceNo]))

const queue: Row[] = []
let underWay = 0
let committed = 0
let lastCommitAtMs = 0

async function commit() {
  underWay++
  const rows = queue.splice(0, batchRowsMax)
  await db.query(insert, [
    rows.map((row) => row.deviceNo),
    rows.map((row) => row.observedAt),
    rows.map((row) => row.receivedAt),
    rows.map((row) => row.value),
  ])
  committed += rows.length
  lastCommitAtMs = Date.now()
  underWay--
  pump()
}
function pump() {
  while (underWay < commitsMax && queue.length > 0) void commit()
}

const client = await connectAsync(`mqtt://127.0.0.1:${process.env.MQTT_PORT}`, { protocolVersion: 4, clean: true })
client.on('message', (topic, payload) => {
  const receivedAt = Date.now()
  const deviceNo = deviceNos.get(topic.split('/')[2]!)
  if (deviceNo === undefined) return
  const said = JSON.parse(payload.toString()) as { ts: string; litres: number } | { ts: string; litres: number }[]
  for (const { ts, litres } of Array.isArray(said) ? said : [said])
    queue.push({ deviceNo, observedAt: Date.parse(ts), value: litres, receivedAt })
  pump()
})
await client.subscribeAsync('v1/+/+/water', { qos: 1 })

process.on('message', () => {
  process.send!({ committed, lastCommitAtMs } satisfies PipelineReport)
})
process.on('disconnect', () => process.exit(0))
process.send!('subscribed')
