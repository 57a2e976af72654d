import { readFileSync } from 'node:fs'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { compiledEntry } from '../../kit/entry.js'
import { createProcesses } from '../support/processes.js'
import { gatewaysMax } from './bench-database.js'
import { startEdgeProcess } from './edge-process.js'
import type { Figure, Measure } from './figure.js'
import { startLoad } from './load.js'

/** What is there before the first of them counts: compiled code, caches of the database client, pools. */
const warmUpGateways = 1_000
/** Descriptors of an edge that are no gateway: database, journal, listeners, Node's own. */
const otherDescriptors = 300
const publishesPerSecond = 2_000
const settleMsMax = 20_000

/**
 * Bytes of the edge's memory for each gateway that is connected over plain TCP and has published once, garbage collected:
 * what it grows by from 1,000 gateways to 20,000, or to as many as it may have descriptors.
 */
export async function measureMemory({ url, print }: Measure): Promise<Figure[]> {
  const processes = createProcesses()
  const stops: (() => Promise<void>)[] = []
  try {
    const preload = pathToFileURL(compiledEntry('test/bench/gc-on-signal')).href
    const edge = await startEdgeProcess(processes, { url, env: { NODE_OPTIONS: `--import ${preload}` } })
    const { pid } = edge.running
    const gateways = Math.min(gatewaysMax, descriptorsOf(pid) - otherDescriptors)
    const connect = async (from: number, clients: number) => {
      const load = await startLoad({
        port: edge.port,
        from,
        clients,
        window: 1,
        readingsPerPublish: 1,
        ratePerSecond: publishesPerSecond,
        spread: true,
      })
      stops.push(load.stop)
      await load.run({ warmUpMs: 0, measureMs: (1_000 * clients) / publishesPerSecond })
      return load
    }
    await connect(0, warmUpGateways)
    const before = await settledBytes(pid)
    const { connectedMs } = await connect(warmUpGateways, gateways - warmUpGateways)
    const after = await settledBytes(pid)
    const counted = gateways - warmUpGateways
    print(
      `${gateways} gateways: from ${mb(before)} to ${mb(after)} MB, connected in ${(connectedMs / 1_000).toFixed(1)} s`,
    )
    const few = gateways < gatewaysMax ? `: as many as this machine allows descriptors (${descriptorsOf(pid)})` : ''
    return [
      {
        part: 'memory',
        name: 'edge, resident memory per idle gateway',
        value: (after - before) / counted / 1_024,
        unit: 'KB',
        note: `${gateways.toLocaleString('en-US')} connected over plain TCP from ${Math.ceil(counted / 1_000)} addresses${few}`,
      },
      { part: 'memory', name: 'edge, resident memory in all', value: after / 1_048_576, unit: 'MB' },
      {
        part: 'memory',
        name: 'logins',
        value: counted / (connectedMs / 1_000),
        unit: 'logins/s',
        note: 'with a hash of 1 ms; a real one takes 50 ms, two at a time',
      },
    ]
  } finally {
    for (const stop of stops) await stop()
    await processes.stopAll()
  }
}

const mb = (bytes: number) => (bytes / 1_048_576).toFixed(0)

function descriptorsOf(pid: number): number {
  const limit = /^Max open files\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/limits`, 'utf8'))
  return limit ? Number(limit[1]) : Number.POSITIVE_INFINITY
}

const residentBytes = (pid: number) =>
  1_024 * Number(/^VmRSS:\s+(\d+)/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))![1])

/** Once it falls no more with its garbage collected. */
async function settledBytes(pid: number): Promise<number> {
  let least = Number.POSITIVE_INFINITY
  for (let waitedMs = 0; waitedMs < settleMsMax; waitedMs += 1_000) {
    process.kill(pid, 'SIGUSR2')
    await sleep(1_000)
    const bytes = residentBytes(pid)
    if (bytes > least * 0.995) return Math.min(bytes, least)
    least = bytes
  }
  return least
}
