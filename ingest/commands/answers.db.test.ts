import { randomUUID } from 'node:crypto'
import { Registry } from 'prom-client'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { claimCommands } from '../../db/command-queue.js'
import { findCommand } from '../../db/command-views.js'
import { askCommand } from '../../db/commands.js'
import { manualClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'
import { registerCommunity } from '../../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { createIngest, type Ingest } from '../ingest.js'
import { quarantineRowsPerHourMax } from '../quarantine-budget.js'

/** What a device says of a command, from the publish to the row. */
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
const signal = createSignal()
let raised = 0
let database: TestDatabase
let ingest: Ingest

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'a', homes: 2, now: clock.now() })
  signal.on('commands', () => raised++)
  const log = createLog({ role: 'test', level: 'silent' })
  ingest = createIngest({ db: database.db, clock, log, metrics: new Registry(), signal })
  await ingest.start()
})
afterAll(async () => {
  await ingest?.stop()
  await database?.stop()
})

const send = (gatewayId: string, rest: string, body: unknown) =>
  ingest.accept({
    gatewayId,
    topic: `v1/${gatewayId}/${rest}`,
    payload: Buffer.from(JSON.stringify(body)),
    retain: false,
    receivedAt: clock.now(),
  })
const stateOf = async (commandId: string) =>
  (await findCommand(database.db, { commandId, communityIds: ['a'], now: clock.now() }))!
async function quarantined() {
  const { rows } = await database.db.query('select topic, reason, detail from quarantine order by quarantine_id')
  await database.db.query('delete from quarantine')
  return rows
}
/** A self-test of the smoke alarm of the first home, on its way. */
async function sentCommand(): Promise<string> {
  const { rows } = await database.db.query<{ device_no: number }>(
    `select device_no from devices where device_id = 'a-1-smoke'`,
  )
  const asked = await askCommand(database.db, {
    residentId: 'a-1',
    deviceNo: rows[0]!.device_no,
    command: { name: 'self-test' },
    staffId: 'a-worker',
    communityIds: ['a'],
    now: clock.now(),
  })
  clock.advance(4_000)
  if (asked.kind !== 'asked') throw new Error(asked.kind)
  await claimCommands(database.db, { gatewayIds: ['a-1'], now: clock.now(), leaseMs: 10_000, rowsMax: 5 })
  return asked.commandId
}

test('is on record when accept resolves, beside readings of the same moment', async () => {
  const id = await sentCommand()
  await Promise.all([
    send('a-1', 'a-1-smoke/command-result', { id, result: 'failed', detail: '电池电量不足' }),
    ...Array.from({ length: 20 }, (_, i) =>
      send('a-1', 'a-1-water/water', { ts: clock.now().getTime() - i * 1_000, litres: 1 }),
    ),
  ])
  expect(await stateOf(id)).toMatchObject({ state: 'failed', detail: '电池电量不足' })
  expect(raised).toBeGreaterThan(0)
  expect(await quarantined()).toEqual([])
})

test("another gateway's answer, another device's, and one that nobody was asked for are quarantined and change nothing", async () => {
  const id = await sentCommand()
  await Promise.all([
    send('a-2', 'a-1-smoke/command-result', { id, result: 'done' }),
    send('a-2', 'a-2-smoke/command-result', { id, result: 'done' }),
    send('a-1', 'a-1-water/command-result', { id, result: 'done' }),
    send('a-1', 'a-1-smoke/command-result', { id: randomUUID(), result: 'done' }),
    send('a-1', 'a-1-smoke/command-result', { id, result: 'well' }),
  ])
  expect((await stateOf(id)).state).toBe('pending')
  const reasons = (await quarantined()).map(({ topic, reason }) => `${topic} ${reason}`)
  expect(reasons.sort()).toEqual([
    'v1/a-1/a-1-smoke/command-result unknown command',
    'v1/a-1/a-1-smoke/command-result wrong shape',
    'v1/a-1/a-1-water/command-result unknown command',
    'v1/a-2/a-1-smoke/command-result unknown command',
    'v1/a-2/a-2-smoke/command-result unknown command',
  ])
  await send('a-1', 'a-1-smoke/command-result', { id, result: 'done' })
  expect((await stateOf(id)).state).toBe('done')
})

test('forged answers cannot fill the quarantine', async () => {
  for (let round = 0; round < 25; round++)
    await Promise.all(
      Array.from({ length: 100 }, () => send('a-2', 'a-2-smoke/command-result', { id: randomUUID(), result: 'done' })),
    )
  expect((await quarantined()).length).toBeLessThanOrEqual(quarantineRowsPerHourMax)
})
