import { readdir, readFile } from 'node:fs/promises'
import type { Log } from '../kit/log.js'
import type { Database, Queryable } from './pool.js'

const folder = new URL('./migrations/', import.meta.url)
/** Any number that only we use: the advisory lock under which migrations run. */
const lockKey = 7_468_929

/**
 * Applies the numbered files of `migrations/` that this database has not seen, in order, each in one transaction, under
 * a lock, so that several processes may start at once. A file that has been applied never changes.
 */
export async function migrate({ db, log }: { db: Database; log: Log }): Promise<void> {
  const files = (await readdir(folder)).filter((name) => /^\d{3}_.*\.sql$/.test(name)).sort()
  for (const name of files) {
    const applied = await db.transaction(async (tx) => {
      await tx.query('select pg_advisory_xact_lock($1)', [lockKey])
      if (await isApplied(tx, name)) return false
      await tx.query(await readFile(new URL(name, folder), 'utf8'))
      await tx.query('insert into migrations (name) values ($1)', [name])
      return true
    })
    if (applied) log.info({ migration: name }, 'migration.applied')
  }
}

async function isApplied(tx: Queryable, name: string): Promise<boolean> {
  await tx.query(
    'create table if not exists migrations (name text primary key, applied_at timestamptz not null default now())',
  )
  const { rowCount } = await tx.query('select from migrations where name = $1', [name])
  return rowCount === 1
}
