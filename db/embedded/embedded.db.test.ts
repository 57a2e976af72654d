import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { createLog } from '../../kit/log.js'
import { migrate } from '../migrate.js'
import { openDatabase } from '../pool.js'
import { startEmbedded } from './start.js'

const log = createLog({ role: 'test', level: 'silent' })
const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-embedded-'))
afterEach(() => rm(dataDir, { recursive: true, force: true }))

test('a second start finds the readings of the first, and takes new ones', async () => {
  for (const start of [1, 2, 3]) {
    const embedded = await startEmbedded({ dataDir })
    const db = openDatabase({ url: embedded.url, log })
    try {
      await migrate({ db, log })
      await db.query('insert into readings (device_no, observed_at, received_at, value) values (1, $1, $1, $2)', [
        new Date(Date.UTC(2026, 0, start)),
        start,
      ])
      const { rows } = await db.query<{ n: number }>('select count(*) as n from readings')
      expect(rows[0]!.n).toBe(start)
    } finally {
      await db.end()
      await embedded.stop()
    }
  }
})
