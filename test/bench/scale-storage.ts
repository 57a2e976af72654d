import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { startEmbedded } from '../../db/embedded/start.js'
import { compressOldReadings } from '../../db/maintenance.js'
import { migrate } from '../../db/migrate.js'
import { type Database, openDatabase } from '../../db/pool.js'
import type { Log } from '../../kit/log.js'
import type { Figure } from './figure.js'
import { seedSimulated } from './scale-simulated.js'

const part = 'database'
/** Few enough for the embedded database to take in 10 s. */
const homes = 15
const days = 28

/** Bytes a reading takes with its index, and what is left of that after compression, where the edition has it. */
export async function measureStorage({
  db,
  log,
  print,
}: {
  db: Database
  log: Log
  print: (line: string) => void
}): Promise<Figure[]> {
  const figures: Figure[] = []
  const add = (name: string, value: number, note: string) => {
    print(`  ${name}: ${value.toFixed(1)} bytes, ${note}`)
    figures.push({ part, name, value, unit: 'bytes', note })
  }
  const city = await sizeOf(db)
  const { rows } = await db.query<{ license: string }>("select current_setting('timescaledb.license', true) as license")
  const license = rows[0]?.license
  add(
    'a reading in the city, with its index',
    city.bytes / city.readings,
    `${city.readings} readings, ${(city.bytes / 2 ** 30).toFixed(2)} GiB, of which index ${((100 * city.indexBytes) / city.bytes).toFixed(0)} %; this edition (${license}) ${license === 'timescale' ? 'can compress' : 'has no compression'}`,
  )
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-bench-'))
  const embedded = await startEmbedded({ dataDir })
  const small = openDatabase({ url: embedded.url, log, connectionsMax: 1, statementMsMax: 120_000 })
  try {
    await migrate({ db: small, log })
    const now = new Date()
    for (const everyS of [3_600, 300]) {
      await small.query('truncate readings')
      await seedSimulated(small, { now, homes, days, intervalS: everyS })
      // Whole chunks only: the newest is never compressed.
      const before = await oldChunks(small, now)
      await compressOldReadings(small, { now })
      const after = await oldChunks(small, now)
      const every = everyS === 3_600 ? 'hourly and at use' : 'every 5 min and at use'
      const note = `${homes} simulated homes in the embedded database (the edition with compression), ${before.readings} readings`
      add(`before compression, ${every}`, before.bytes / before.readings, note)
      add(`after compression, ${every}`, after.bytes / before.readings, note)
    }
  } finally {
    await small.end()
    await embedded.stop()
    await rm(dataDir, { recursive: true, force: true })
  }
  return figures
}

async function sizeOf(db: Database) {
  const { rows } = await db.query<{ bytes: number; indexBytes: number; readings: number }>(
    `select sum(total_bytes) as bytes, sum(index_bytes) as "indexBytes", (select count(*) from readings) as readings
       from hypertable_detailed_size('readings')`,
  )
  const { bytes, indexBytes, readings } = rows[0]!
  return { bytes: Number(bytes), indexBytes: Number(indexBytes), readings }
}

/** Chunks that `compressOldReadings` compresses: those that ended over 7 days ago. */
async function oldChunks(db: Database, now: Date) {
  const { rows } = await db.query<{ bytes: number; readings: number }>(
    `with old as (select format('%I.%I', chunk_schema, chunk_name)::regclass as chunk, chunk_name, range_start, range_end
                    from timescaledb_information.chunks
                   where hypertable_name = 'readings' and range_end < $1::timestamptz - interval '7 days')
     select (select sum(total_bytes) from chunks_detailed_size('readings') where chunk_name in (select chunk_name from old)) as bytes,
            (select count(*) from readings where observed_at >= (select min(range_start) from old)
                and observed_at < (select max(range_end) from old)) as readings`,
    [now],
  )
  return { bytes: Number(rows[0]!.bytes), readings: rows[0]!.readings }
}
