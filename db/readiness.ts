import { readdir } from 'node:fs/promises'
import type { Queryable } from './pool.js'

/** Whether the database answers and has every migration that this build carries. */
export async function isMigrated(db: Queryable): Promise<boolean> {
  const files = (await readdir(new URL('./migrations/', import.meta.url))).filter((name) => name.endsWith('.sql'))
  const { rows } = await db.query<{ missing: number }>(
    'select count(*) as missing from unnest($1::text[]) as f (name) where name not in (select name from migrations)',
    [files],
  )
  return rows[0]?.missing === 0
}
