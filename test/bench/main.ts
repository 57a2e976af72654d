import { cpus } from 'node:os'
import type { Database } from '../../db/pool.js'
import { type BenchArguments, type PartName, readBenchArguments, usage } from './arguments.js'
import { createBenchDatabase } from './bench-database.js'
import { type Figure, type Measure, tableOf } from './figure.js'
import { measureIngest } from './ingest.js'
import { measureMemory } from './memory.js'
import { measurePress } from './press.js'
import { measureScale } from './scale.js'

const measures: Record<PartName, (given: Measure) => Promise<Figure[]>> = {
  ingest: measureIngest,
  press: measurePress,
  memory: measureMemory,
  // One seeded city serves both.
  scale: measureScale,
  database: measureScale,
}

function fail(message: string): never {
  console.error(message)
  process.exit(2)
}

function argumentsOf(): BenchArguments {
  try {
    return readBenchArguments(process.argv.slice(2))
  } catch (error) {
    fail(`${(error as Error).message}\n${usage}`)
  }
}

async function versionsOf(db: Database) {
  const { rows } = await db.query<{ postgres: string; timescaledb: string }>(
    `select current_setting('server_version') as postgres,
            (select extversion from pg_extension where extname = 'timescaledb') as timescaledb`,
  )
  return { node: process.versions.node, ...rows[0]! }
}

const { json, rounds, parts } = argumentsOf()
const serverUrl = process.env.TEST_DATABASE_URL
if (!serverUrl)
  fail('TEST_DATABASE_URL is not set: the benchmark needs a native TimescaleDB, and makes a database of its own there')
const print = (line: string) => (json ? console.error(line) : console.log(line))

const database = await createBenchDatabase(serverUrl).catch((error: Error) =>
  fail(`TEST_DATABASE_URL: ${error.message}`),
)
// Interrupted, it leaves nothing behind either; child processes end with this one.
for (const signal of ['SIGINT', 'SIGTERM'] as const)
  process.once(signal, () => void database.drop().finally(() => process.exit(1)))
const figures: Figure[] = []
try {
  await database.prepare()
  const head = {
    date: new Date().toISOString(),
    cores: cpus().length,
    cpu: cpus()[0]?.model ?? 'unknown',
    rounds,
    ...(await versionsOf(database.db)),
  }
  if (!json)
    print(
      Object.entries(head)
        .map(([name, value]) => `${name} ${value}`)
        .join(', '),
    )
  for (const measure of new Set(parts.map((part) => measures[part]))) {
    print(`\n${parts.filter((part) => measures[part] === measure).join(', ')}`)
    const measured = await measure({ url: database.url, rounds, print: (line) => print(`  ${line}`) })
    figures.push(...measured)
    if (!json) for (const line of tableOf(measured)) print(line)
  }
  if (json) console.log(JSON.stringify({ ...head, figures }, null, 2))
} finally {
  await database.drop()
}
