import { randomBytes, scryptSync } from 'node:crypto'
import { migrate } from '../../db/migrate.js'
import { type Database, openDatabase, type Queryable } from '../../db/pool.js'
import { createLog } from '../../kit/log.js'
import { createNative } from '../support/database.js'

/** One gateway, one resident and one water meter for each of the 20,000 connections of the memory figure. */
export const gatewaysMax = 20_000
export const benchSecret = 'invented-bench-secret'
export const gatewayIdOf = (n: number) => `bench-${n}`
export const meterIdOf = (n: number) => `bench-${n}-water`

/** A migrated database of the benchmark's own on the server at `serverUrl`, dropped by `drop`. */
export async function createBenchDatabase(serverUrl: string) {
  const own = await createNative(serverUrl, 'bench')
  const log = createLog({ role: 'bench', level: 'silent' })
  const db = openDatabase({ url: own.url, log })
  return {
    url: own.url,
    db,
    /** @throws what the server says where it is no TimescaleDB */
    prepare: async () => {
      await migrate({ db, log })
      await seedMeters(db)
    },
    drop: async () => {
      await db.end()
      await own.drop()
    },
  }
}

/**
 * The cheapest hash that a login accepts: 1 ms where a real one takes 50 ms. What logins cost is no figure here, and
 * 20,000 of the others would take 8 minutes.
 */
function cheapHash(secret: string): string {
  const salt = randomBytes(16)
  const hash = scryptSync(secret, salt, 32, { N: 1_024, r: 1, p: 1 })
  return ['scrypt', 1_024, 1, 1, salt.toString('base64'), hash.toString('base64')].join('$')
}

async function seedMeters(db: Queryable): Promise<void> {
  await db.query(
    "insert into communities (community_id, name, time_zone) values ('bench', '示例社区 压测', 'Asia/Shanghai')",
  )
  await db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone)
     select 'bench-' || n, 'bench', '示例·居民 ' || n, '示例路 ' || n || ' 号', 'Asia/Shanghai' from generate_series(0, $1 - 1) n`,
    [gatewaysMax],
  )
  await db.query(
    `insert into gateways (gateway_id, community_id, secret_hash)
     select 'bench-' || n, 'bench', $2 from generate_series(0, $1 - 1) n`,
    [gatewaysMax, cheapHash(benchSecret)],
  )
  await db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
     select 'bench-' || n || '-water', 'water', 'bench-' || n, 'bench-' || n, now() from generate_series(0, $1 - 1) n`,
    [gatewaysMax],
  )
  await db.query('analyze residents, gateways, devices')
}

/** The device numbers of the meters, in the order of their gateways. */
export async function meterNumbers(db: Queryable, count: number): Promise<number[]> {
  const { rows } = await db.query<{ device_no: number }>(
    `select d.device_no from generate_series(0, $1 - 1) n join devices d on d.device_id = 'bench-' || n || '-water'
      order by n`,
    [count],
  )
  return rows.map((row) => row.device_no)
}

/** So that each measurement begins with the same, empty tables. */
export async function emptyTables(db: Database): Promise<void> {
  await db.query('truncate readings, arrivals')
  await db.query('drop table if exists bench_pipeline')
  // Keys and columns of `readings`, for the pipeline that is compared with.
  await db.query('create table bench_pipeline (like readings including all)')
  await db.query(
    "select create_hypertable('bench_pipeline', by_range('observed_at', interval '7 days'), create_default_indexes => false)",
  )
}
