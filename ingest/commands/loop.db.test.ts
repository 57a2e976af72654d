import { Registry } from 'prom-client'
import { afterAll, beforeAll, beforeEach, expect, onTestFinished, test, vi } from 'vitest'
import { findCommand } from '../../db/command-views.js'
import { askCommand } from '../../db/commands.js'
import type { Queryable } from '../../db/pool.js'
import { systemClock as clock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'
import { eventually } from '../../test/support/processes.js'
import type { DeviceCommand } from '../dialects/dialect.js'
import { type PublishTo, type SendResult, startCommandLoop } from './loop.js'

/** The loop over a real database, with the broker replaced: what each outcome leads to. */
let database: TestDatabase
let c: Community
let seeded = 0
vi.setConfig({ testTimeout: 90_000 })

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database?.stop())
beforeEach(async () => {
  seeded += 1
  c = await seedCommunity(database.db, { key: `c${seeded}`, now: clock.now() })
})

type Sent = { edge: string; gatewayId: string; topic: string; id: string }

/** One edge: to it these gateways are connected, and the sends end as `outcomes` say, then as delivered. */
function startEdge(p: {
  edge?: string
  connected?: () => boolean
  outcomes?: (SendResult['kind'] | 'throws')[]
  sent: Sent[]
  db?: Queryable
}) {
  const { edge = 'one', outcomes = [], sent } = p
  const publishTo: PublishTo = async (gatewayId, { topic, payload }) => {
    sent.push({ edge, gatewayId, topic, id: JSON.parse(payload).id })
    const kind = outcomes.shift() ?? 'delivered'
    if (kind === 'throws') throw new Error('the line broke')
    return kind === 'delivered' ? { kind, acknowledged: true } : { kind }
  }
  const signal = createSignal()
  const loop = startCommandLoop({
    db: p.db ?? database.db,
    isConnected: (gatewayId) => gatewayId === c.gatewayId && (p.connected?.() ?? true),
    publishTo,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    signal,
  })
  onTestFinished(() => loop.stop())
  return { signal, stop: loop.stop }
}

async function asked(command: DeviceCommand = { name: 'self-test' }, over: { now?: Date } = {}): Promise<string> {
  const { residentId, devices } = c.residents[0]!
  const result = await askCommand(database.db, {
    residentId,
    deviceNo: command.name === 'self-test' ? devices.smoke : devices.button,
    command,
    staffId: c.staff.worker.staffId,
    communityIds: [c.communityId],
    now: clock.now(),
    ...over,
  })
  if (result.kind !== 'asked') throw new Error(result.kind)
  return result.commandId
}
const rowOf = async (commandId: string) =>
  (await findCommand(database.db, { commandId, communityIds: [c.communityId], now: clock.now() }))!
const until = (commandId: string, state: string, msMax = 60_000) =>
  eventually(`${state}`, async () => ((await rowOf(commandId)).state === state ? rowOf(commandId) : undefined), msMax)

test('several processes on one database: what is due is sent once, by the one that its gateway is connected to', async () => {
  const sent: Sent[] = []
  const ids = [await asked(), await asked({ name: 'chime' }), await asked({ name: 'led', on: true })]
  startEdge({ edge: 'away', connected: () => false, sent })
  startEdge({ edge: 'here', sent })
  startEdge({ edge: 'here too', sent })
  for (const id of ids) await until(id, 'sent')
  expect(sent.map(({ id }) => id).sort()).toEqual([...ids].sort())
  expect(sent.filter(({ edge }) => edge === 'away')).toEqual([])
  expect(new Set(sent.map(({ topic }) => topic))).toEqual(
    new Set(['smoke', 'button'].map((kind) => `v1/${c.gatewayId}/${c.residents[0]!.residentId}-${kind}/command`)),
  )
})

test('it waits for the gateway, and a nudge or the next second finds it there', async () => {
  const sent: Sent[] = []
  let connected = false
  startEdge({ connected: () => connected, sent })
  const id = await asked()
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(sent).toEqual([])
  expect((await rowOf(id)).state).toBe('pending')
  connected = true
  await until(id, 'sent')
  expect(sent).toHaveLength(1)
})

test('not subscribed, a broken line, no acknowledgement: tried again with the same id, until it is delivered', async () => {
  const sent: Sent[] = []
  startEdge({ outcomes: ['not connected', 'not subscribed', 'throws'], sent })
  const id = await asked()
  await until(id, 'sent')
  expect(sent.map((each) => each.id)).toEqual([id, id, id, id])
})

test('what nobody takes in time is given up, with the last thing that was heard', async () => {
  const sent: Sent[] = []
  startEdge({ outcomes: Array(50).fill('not subscribed'), sent })
  const id = await asked({ name: 'self-test' }, { now: new Date(clock.now().getTime() - 297_000) })
  expect(await until(id, 'expired')).toMatchObject({ detail: 'not subscribed' })
  const tries = sent.length
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(sent).toHaveLength(tries)
})

test('delivered, while the database cannot note it: noted later, and not sent again', async () => {
  const sent: Sent[] = []
  let fails = 4
  const query = ((...args: [string]) => {
    if (/state = 'sent'/.test(args[0]) && fails-- > 0) return Promise.reject(new Error('the database is away'))
    return database.db.query(...args)
  }) as unknown as Queryable['query']
  startEdge({ db: { query }, sent })
  const id = await asked()
  await until(id, 'sent')
  expect(fails).toBeLessThan(0)
  expect(sent).toHaveLength(1)
})

test('a device that was taken away, or that cannot do it, is not sent anything', async () => {
  const sent: Sent[] = []
  const gone = await asked()
  const cannot = await asked({ name: 'chime' })
  const { devices } = c.residents[0]!
  await database.db.query('update devices set unbound_at = $2 where device_no = $1', [devices.smoke, clock.now()])
  await database.db.query(`update commands set name = 'prompt' where command_id = $1`, [cannot])
  startEdge({ sent })
  expect(await until(gone, 'failed')).toMatchObject({ detail: 'device gone' })
  expect(await until(cannot, 'failed')).toMatchObject({ detail: 'device cannot' })
  expect(sent).toEqual([])
})
