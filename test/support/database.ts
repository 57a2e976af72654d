import { randomBytes } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import pg from 'pg'
import { startEmbedded } from '../../db/embedded/start.js'
import { migrate } from '../../db/migrate.js'
import { type Database, openDatabase } from '../../db/pool.js'
import { createLog } from '../../kit/log.js'

export type TestDatabase = { url: string; db: Database; native: boolean; stop(): Promise<void> }

/**
 * A migrated database of the test's own: on the native TimescaleDB that TEST_DATABASE_URL names, or embedded in a
 * temporary folder. Each test file starts one and stops it.
 */
export async function startTestDatabase(): Promise<TestDatabase> {
  const log = createLog({ role: 'test', level: 'silent' })
  const server = process.env.TEST_DATABASE_URL
  const { url, drop } = server ? await createNative(server) : await createEmbedded()
  const db = openDatabase({ url, log })
  await migrate({ db, log })
  return {
    url,
    db,
    native: Boolean(server),
    stop: async () => {
      await db.end()
      await drop()
    },
  }
}

/** An empty database of the caller's own on the server at `server`; `purpose` stands in its name. */
export async function createNative(server: string, purpose = 'test') {
  const name = `shouwang_${purpose}_${randomBytes(6).toString('hex')}`
  await administer(server, `create database ${name}`)
  const url = new URL(server)
  url.pathname = `/${name}`
  return { url: url.href, drop: () => administer(server, `drop database ${name} with (force)`) }
}

async function administer(server: string, sql: string) {
  const client = new pg.Client({ connectionString: server })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}

async function createEmbedded() {
  const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-test-'))
  const embedded = await startEmbedded({ dataDir })
  return {
    url: embedded.url,
    drop: async () => {
      await embedded.stop()
      await rm(dataDir, { recursive: true, force: true })
    },
  }
}
