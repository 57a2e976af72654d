import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { Database } from '../../db/pool.js'
import { summariseResidents } from '../../db/resident-summary.js'
import { beginSession } from '../../db/sessions.js'
import { createProcesses, eventually, freePort } from '../support/processes.js'
import type { Figure } from './figure.js'
import type { LoadJob, LoadResult } from './scale-load.js'
import { median, p99 } from './scale-numbers.js'
import { cityId, familyToken, operatorId, residentId, size, workerId } from './scale-size.js'

const part = 'dashboard, 100,000 residents'
const connections = 4
/** Of the pages that have a goal; the others are asked less often. */
const requestsPerRound = 300
const requestsOfOthers = 80

type Question = { name: string; as?: string; paths: (n: number) => string; goalMs?: number }

const someHome = (n: number) => 1 + ((n * 1_009) % size.wholeHistory)
const questions: Question[] = [
  { name: 'open alerts (console), one community of 500', as: workerId, paths: () => '/', goalMs: 100 },
  { name: 'open alerts (console), all 200 communities', as: cityId, paths: () => '/', goalMs: 100 },
  {
    name: 'a resident, 14 days, hourly meters',
    as: cityId,
    paths: (n) => `/residents/${residentId(someHome(n))}`,
    goalMs: 100,
  },
  {
    name: 'a resident, 14 days, meters every 5 min',
    as: cityId,
    paths: (n) => `/residents/${residentId(size.wholeHistory + 1 + (n % size.everyFiveMinutes))}`,
    goalMs: 100,
  },
  { name: 'family page, a week', paths: (n) => `/f/${familyToken(someHome(n))}`, goalMs: 100 },
  { name: 'list of residents, page 2 to 41 of 2,000', as: cityId, paths: (n) => `/?page=${2 + (n % 40)}` },
  { name: 'list of residents, a search', as: cityId, paths: (n) => `/?q=${encodeURIComponent(`居民${n * 37}`)}` },
  { name: 'gateways of the operator', as: operatorId, paths: () => '/gateways' },
  { name: 'devices of the operator', as: operatorId, paths: () => '/devices' },
]

/** The dashboard as a process of its own, asked by another: requests/s and p99 of each page. */
export async function measurePages({
  db,
  url,
  rounds,
  print,
}: {
  db: Database
  url: string
  rounds: number
  print: (line: string) => void
}): Promise<Figure[]> {
  const processes = createProcesses()
  const folder = await mkdtemp(join(tmpdir(), 'shouwang-bench-'))
  try {
    const port = await freePort()
    const base = `http://127.0.0.1:${port}`
    processes.start('dashboard/main', { env: { DATABASE_URL: url, HTTP_PORT: String(port), LOG_LEVEL: 'warn' } })
    await eventually(
      'the dashboard',
      () =>
        fetch(`${base}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        ),
      30_000,
    )
    const figures: Figure[] = []
    for (const question of questions) {
      const session = question.as ? await beginSession(db, { staffId: question.as, now: new Date() }) : ''
      const headers = { 'accept-language': 'en', ...(session ? { cookie: `shouwang_session=${session}` } : {}) }
      const ask = async (from: number, count: number): Promise<LoadResult> => {
        const paths = Array.from({ length: count }, (_, n) => question.paths(from + n))
        const job: LoadJob = { base, headers, paths, connections }
        const file = join(folder, 'job.json')
        await writeFile(file, JSON.stringify(job))
        const load = processes.start('test/bench/scale-load', { args: [file] })
        await load.closed
        const result = JSON.parse(load.stdout() || `{"failures":${JSON.stringify([load.stderr().slice(0, 500)])}}`)
        if (result.failures.length > 0) throw new Error(`${question.name}: ${result.failures.slice(0, 3).join(', ')}`)
        return result
      }
      const count = question.goalMs ? requestsPerRound : requestsOfOthers
      await ask(0, 20)
      const results: LoadResult[] = []
      for (let round = 0; round < rounds; round++) results.push(await ask(20 + round * count, count))
      const last = results.at(-1)!
      const late = results.map(({ latencies }) => p99(latencies))
      const rates = results.map(({ latencies, seconds }) => latencies.length / seconds)
      const note = `${connections} connections, ${Math.round(last.bytes / last.latencies.length / 1_024)} KB each; p50 ${median(last.latencies).toFixed(1)} ms`
      print(`  ${question.name}: ${median(rates).toFixed(0)}/s, p99 ${median(late).toFixed(0)} ms, ${note}`)
      const goal = question.goalMs ? `; goal ≤ ${question.goalMs} ms` : ''
      figures.push(
        { part, name: `${question.name}: requests/s`, value: median(rates), unit: '1/s', rounds: rates, note },
        { part, name: `${question.name}: p99`, value: median(late), unit: 'ms', rounds: late, note: `${note}${goal}` },
      )
    }
    const summaries: number[] = []
    for (let round = 0; round < rounds; round++) summaries.push(await timeSummary(db))
    const note = 'the line "all quiet": asked for once in 10 s for all who look; the whole city'
    print(`  summary of all residents: ${median(summaries).toFixed(0)} ms, ${note}`)
    figures.push({
      part,
      name: 'summary of all residents',
      value: median(summaries),
      unit: 'ms',
      rounds: summaries,
      note,
    })
    return figures
  } finally {
    await processes.stopAll()
    await rm(folder, { recursive: true, force: true })
  }
}

async function timeSummary(db: Database): Promise<number> {
  const { rows } = await db.query<{ id: string }>('select community_id as id from communities')
  const startedAt = performance.now()
  await summariseResidents(db, { communityIds: rows.map(({ id }) => id), now: new Date() })
  return performance.now() - startedAt
}
