import { readFileSync } from 'node:fs'
import { Agent, get } from 'node:http'

/** What the load process is told, in a file: it asks for the paths in turn, each connection when it has its answer. */
export type LoadJob = { base: string; headers: Record<string, string>; paths: string[]; connections: number }
/** `latencies` in ms, one for each path. */
export type LoadResult = { seconds: number; latencies: number[]; bytes: number; failures: string[] }

const job = JSON.parse(readFileSync(process.argv[2]!, 'utf8')) as LoadJob
const agent = new Agent({ keepAlive: true, maxSockets: job.connections })
const result: LoadResult = { seconds: 0, latencies: [], bytes: 0, failures: [] }
let next = 0

const ask = (path: string) =>
  new Promise<void>((resolve, reject) => {
    const startedAt = performance.now()
    get(job.base + path, { agent, headers: job.headers }, (response) => {
      response.on('data', (chunk: Buffer) => {
        result.bytes += chunk.length
      })
      response.on('end', () => {
        result.latencies.push(performance.now() - startedAt)
        if (response.statusCode !== 200) result.failures.push(`${response.statusCode} ${path}`)
        resolve()
      })
    }).on('error', reject)
  })

async function connection() {
  for (let path = job.paths[next++]; path !== undefined; path = job.paths[next++]) await ask(path)
}

const startedAt = performance.now()
await Promise.all(Array.from({ length: job.connections }, connection))
result.seconds = (performance.now() - startedAt) / 1_000
agent.destroy()
process.stdout.write(`${JSON.stringify(result)}\n`)
