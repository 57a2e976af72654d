import { setTimeout as sleep } from 'node:timers/promises'
import { benchSecret, gatewayIdOf } from './bench-database.js'
import { createLatencies } from './latencies.js'
import type { LoadCommand, LoadOptions, LoadReport } from './load.js'
import { type LoadClient, loadClient } from './load-client.js'
import { meterFrames } from './meter-frames.js'

// The process that makes the load: it connects all of its clients, says so, and then publishes when it is told to.

const connectsAtOnce = 200
const drainMsMax = 20_000
/** How often a paced load looks what is due. */
const paceMs = 2
const clientsPerAddress = 1_000

const options: LoadOptions = JSON.parse(process.argv[2]!)
const { port, from: firstGateway = 0, clients: count, window, readingsPerPublish } = options

let running = false
let measuring = false
let inFlight = 0
let acknowledged = 0
let acknowledgedMeasured = 0
/** Messages that a paced load may send now. */
let allowance = Number.POSITIVE_INFINITY
const latencies = createLatencies()
const sentAt = new Map<LoadClient, Float64Array>()
/** Message ids of a paced load that are free, with their client. */
const free: { client: LoadClient; id: number }[] = []

const tell = (report: LoadReport) => process.send!(report)
const fail = (error: Error) => {
  tell({ kind: 'failed', message: error.message })
  process.exit(1)
}

function send(client: LoadClient, ids: number[], now: number) {
  const times = sentAt.get(client)!
  for (const id of ids) times[id - 1] = now
  inFlight += ids.length
  client.send(ids)
}

const events = {
  failed: fail,
  acknowledged(client: LoadClient, ids: number[]) {
    const now = performance.now()
    inFlight -= ids.length
    acknowledged += ids.length
    if (measuring) {
      acknowledgedMeasured += ids.length
      const times = sentAt.get(client)!
      for (const id of ids) latencies.add(now - times[id - 1]!)
    }
    if (!running) return
    if (options.ratePerSecond === undefined) send(client, ids, now)
    else for (const id of ids) free.push({ client, id })
  },
}

function pace(ratePerSecond: number) {
  const from = performance.now()
  let sent = 0
  const timer = setInterval(() => {
    const now = performance.now()
    allowance = Math.floor(((now - from) * ratePerSecond) / 1_000) - sent
    // What could not be sent because all waited is not made up for later.
    if (allowance > free.length) sent += allowance - free.length
    for (let n = Math.min(allowance, free.length); n > 0; n--) {
      const { client, id } = free.shift()!
      send(client, [id], now)
      sent++
    }
  }, paceMs)
  return () => clearInterval(timer)
}

async function connectAll() {
  const now = Date.now()
  const clients: LoadClient[] = []
  for (let from = 0; from < count; from += connectsAtOnce) {
    const some: LoadClient[] = []
    for (let i = from; i < Math.min(count, from + connectsAtOnce); i++) {
      const n = firstGateway + i
      const localAddress = options.spread ? `127.0.0.${2 + Math.floor(n / clientsPerAddress)}` : undefined
      const frames = meterFrames({ n, readings: readingsPerPublish, now })
      some.push(loadClient({ port, localAddress, gatewayId: gatewayIdOf(n), secret: benchSecret, frames, events }))
    }
    await Promise.all(some.map((client) => client.connected))
    clients.push(...some)
  }
  for (const client of clients) sentAt.set(client, new Float64Array(window))
  return clients
}

const startedAt = performance.now()
const clients = await connectAll().catch(fail)
if (clients) tell({ kind: 'connected', ms: performance.now() - startedAt })
const allIds = Array.from({ length: window }, (_, i) => i + 1)

async function run({ warmUpMs, measureMs }: LoadCommand) {
  acknowledged = 0
  acknowledgedMeasured = 0
  latencies.clear()
  running = true
  const startedAtMs = Date.now()
  let stopPacing = () => {}
  if (options.ratePerSecond === undefined) for (const client of clients!) send(client, allIds, performance.now())
  else {
    free.length = 0
    for (const id of allIds) for (const client of clients!) free.push({ client, id })
    stopPacing = pace(options.ratePerSecond)
  }
  await sleep(warmUpMs)
  const cpuBefore = process.cpuUsage()
  const from = performance.now()
  measuring = true
  await sleep(measureMs)
  measuring = false
  const seconds = (performance.now() - from) / 1_000
  const cpu = process.cpuUsage(cpuBefore)
  running = false
  stopPacing()
  for (let waitedMs = 0; inFlight > 0 && waitedMs < drainMsMax; waitedMs += 10) await sleep(10)
  tell({
    kind: 'done',
    readings: acknowledgedMeasured * readingsPerPublish,
    readingsInAll: acknowledged * readingsPerPublish,
    seconds,
    startedAtMs,
    unacknowledged: inFlight,
    cpuSeconds: (cpu.user + cpu.system) / 1e6,
    p50Ms: latencies.percentile(50),
    p99Ms: latencies.percentile(99),
  })
}

process.on('message', (command: LoadCommand) => void run(command).catch(fail))
process.on('disconnect', () => process.exit(0))
