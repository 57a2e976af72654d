import { randomBytes } from 'node:crypto'
import pg from 'pg'
import { migrate } from '../../db/migrate.js'
import { type Database, openDatabase } from '../../db/pool.js'
import type { Log } from '../../kit/log.js'

/** A migrated database of the benchmark's own on the server at `url`; `drop` ends it. */
export async function createScaleDatabase({
  url,
  log,
}: {
  url: string
  log: Log
}): Promise<{ db: Database; url: string; drop(): Promise<void> }> {
  const name = `shouwang_scale_${randomBytes(4).toString('hex')}`
  await administer(url, `create database ${name}`)
  const own = new URL(url)
  own.pathname = `/${name}`
  const db = openDatabase({ url: own.href, log })
  await migrate({ db, log })
  return {
    db,
    url: own.href,
    drop: async () => {
      await db.end()
      await administer(url, `drop database ${name} with (force)`)
    },
  }
}

async function administer(url: string, sql: string) {
  const client = new pg.Client({ connectionString: url })
  await client.connect()
  try {
    await client.query(sql)
  } finally {
    await client.end()
  }
}
