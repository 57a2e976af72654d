import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { createLog } from '../kit/log.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { confirmCommand } from './command-decisions.js'
import { claimCommands, lookForCommands } from './command-queue.js'
import { newestCommandChange } from './command-views.js'
import { askCommand } from './commands.js'
import { openDatabase, type Queryable } from './pool.js'

/** What several sessions do to the same commands at once, and what looking for them costs. */
const now = new Date('2026-03-10T06:05:00Z')
const homes = 40
let database: TestDatabase
let others: ReturnType<typeof openDatabase>[]
let c: Community
let seeded = 0

beforeAll(async () => {
  database = await startTestDatabase()
  const log = createLog({ role: 'test', level: 'silent' })
  others = Array.from({ length: 4 }, () => openDatabase({ url: database.url, log, connectionsMax: 2 }))
})
afterAll(async () => {
  await Promise.all((others ?? []).map((other) => other.end()))
  await database?.stop()
})
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now, residents: homes })
})

const ask = (db: TestDatabase['db'], home: number, p: { staffId?: string; valve?: boolean } = {}) =>
  askCommand(db, {
    residentId: c.residents[home]!.residentId,
    deviceNo: p.valve ? c.residents[home]!.devices.water : c.residents[home]!.devices.smoke,
    command: { name: p.valve ? 'close valve' : 'self-test' },
    staffId: p.staffId ?? c.staff.worker.staffId,
    communityIds: [c.communityId],
    now,
  })

test('many processes claim at once: each command is claimed by one of them', async () => {
  for (let home = 0; home < homes; home++) await ask(database.db, home)
  const claim = (db: Queryable) => claimCommands(db, { gatewayIds: [c.gatewayId], now, leaseMs: 15_000, rowsMax: 7 })
  const claimed: string[] = []
  for (let round = 0; round < 4; round++)
    for (const each of await Promise.all(others.flatMap((db) => [claim(db), claim(db)])))
      claimed.push(...each.map(({ commandId }) => commandId))
  expect(claimed).toHaveLength(homes)
  expect(new Set(claimed).size).toBe(homes)
})

test('of several who ask for the same valve, or confirm it, at once, one does', async () => {
  const { worker, colleague, supervisor } = c.staff
  const asked = await Promise.all(
    [worker, colleague, supervisor, worker].map(({ staffId }, i) => ask(others[i]!, 0, { staffId, valve: true })),
  )
  expect(asked.map(({ kind }) => kind).sort()).toEqual(['asked', 'asked before', 'asked before', 'asked before'])
  expect(new Set(asked.map((each) => 'commandId' in each && each.commandId)).size).toBe(1)
  const [first] = asked
  if (!first || !('commandId' in first)) throw new Error('not asked')
  const { rows } = await database.db.query<{ asked_by: string }>(
    'select asked_by from commands where command_id = $1',
    [first.commandId],
  )
  const staffIds = [worker, colleague, supervisor].map(({ staffId }) => staffId)
  const decided = await Promise.all(
    staffIds.map((staffId, i) =>
      confirmCommand(others[i]!, { commandId: first.commandId, staffId, communityIds: [c.communityId], now }),
    ),
  )
  expect(decided.filter(({ kind }) => kind === 'done')).toHaveLength(1)
  const who = await database.db.query<{ confirmed_by: string }>(
    'select confirmed_by from commands where command_id = $1',
    [first.commandId],
  )
  expect(who.rows[0]!.confirmed_by).not.toBe(rows[0]!.asked_by)
})

test('with 200,000 commands of the past a look costs an index with nothing in it', async () => {
  await database.db.query(
    `insert into commands (resident_id, device_no, gateway_id, name, state, asked_by, asked_at, due_at, expires_at, expires_after_s)
     select $1, $2, $3, 'self-test', 'done', $4, $5, $5, $5, 300 from generate_series(1, 200_000)`,
    [c.residents[0]!.residentId, c.residents[0]!.devices.smoke, c.gatewayId, c.staff.worker.staffId, now],
  )
  await database.db.query('analyze commands')
  for (const look of [() => lookForCommands(database.db, now), () => newestCommandChange(database.db)]) {
    const startedMs = performance.now()
    for (let i = 0; i < 20; i++) await look()
    const ms = (performance.now() - startedMs) / 20
    console.log(`a look: ${ms.toFixed(2)} ms`)
    expect(ms).toBeLessThan(20)
  }
  const plan = async (sql: string) =>
    (await database.db.query<{ 'QUERY PLAN': string }>(`explain ${sql}`)).rows
      .map((row) => row['QUERY PLAN'])
      .join('\n')
  expect(
    await plan(`select distinct gateway_id, expires_at <= now() from commands
                 where state in ('waiting', 'pending') and (expires_at <= now() or (state = 'pending' and due_at <= now()))`),
  ).toContain('commands_open')
  expect(await plan('select coalesce(max(change_no), 0) from commands')).toContain('commands_change_no_idx')
})
