import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { Chain, Member } from '../alerts/chain.js'
import { loadChain } from '../db/chain.js'
import { createDirectorySource, type DirectorySource } from '../db/directory.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createDirectory, type Directory } from './directory.js'
import { createDice, createFakeShelf, createFakeSource, generateWorld, insertWorld } from './directory-testkit.js'

const seed = Math.floor(Math.random() * 1e9)
const now = Date.parse('2026-06-01T04:00:00Z')
const world = generateWorld({ seed, now })
const clock = manualClock(new Date(now))
const log = createLog({ role: 'test', level: 'silent' })

let database: TestDatabase
let real: DirectorySource
let directory: Directory
const fake = createFakeSource(world)

beforeAll(async () => {
  console.log(`seed ${seed}`)
  database = await startTestDatabase()
  await insertWorld(database.db, world)
  real = createDirectorySource(database.db)
  directory = createDirectory({ source: real, shelf: createFakeShelf().shelf, clock, log })
  await directory.start()
})
afterAll(async () => {
  await directory.stop()
  await database.stop()
})

const sorted = <T>(items: T[], idOf: (item: T) => string) => items.sort((a, b) => (idOf(a) < idOf(b) ? -1 : 1))

describe('the database answers as the fake does that the other tests use', () => {
  test('of gateways, their devices and residents', async () => {
    const ids = [...world.gateways.map(({ gatewayId }) => gatewayId), 'nobody']
    const [given, wanted] = await Promise.all([real.gateways(ids), fake.gateways(ids)])
    expect(given.gateways).toHaveLength(30)
    const inOrder = ({ gateways, residents }: typeof given) => ({
      gateways: sorted(gateways, (g) => g.gatewayId),
      residents: sorted(residents, (r) => r.residentId),
    })
    expect(inOrder(given)).toEqual(inOrder(wanted))
    expect(await real.gateways(['nobody'])).toEqual({ gateways: [], residents: [] })
  })
  test('of devices that hang anywhere', async () => {
    const ids = [...world.devices.map(({ deviceId }) => deviceId), 'nobody']
    const [given, wanted] = await Promise.all([real.boundDevices(ids), fake.boundDevices(ids)])
    expect(given.sort()).toEqual(wanted.sort())
    expect(given.length).toBeLessThan(world.devices.length)
  })
  test('of communities, people and operators', async () => {
    const ids = world.staff.map(({ staffId }) => staffId)
    expect(sorted(await real.communities(['c-1', 'c-2', 'c-3', 'nobody'], now), (c) => c.communityId)).toEqual(
      await fake.communities(['c-1', 'c-2', 'c-3', 'nobody'], now),
    )
    const byId = (p: { staffId: string }) => p.staffId
    expect(sorted(await real.people(ids), byId)).toEqual(sorted(await fake.people(ids), byId))
    expect(sorted(await real.operators(), byId)).toEqual(sorted(await fake.operators(), byId))
  })
  test('a shift that never ends is one', async () => {
    await database.db.query(
      "insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ('c-1', $1, '-infinity', 'infinity')",
      [world.staff[0]!.staffId],
    )
    const [community] = await real.communities(['c-1'], now)
    expect(community!.shifts.find(({ endsAt }) => endsAt > now + 1e12)?.startsAt).toBeLessThan(0)
    await database.db.query("delete from duty_shifts where ends_at = 'infinity'")
  })
})

/** An emergency knows no quiet hours: memory leaves them out. */
const wideAwake = (members: Member[]) => members.map(({ quietUntil: _, ...member }) => member)
async function chainToldBy(p: { residentId: string; at: number; everybody: boolean }): Promise<Chain> {
  const { residentId, at, everybody } = p
  const chain = (await loadChain(database.db, { residentId, severity: 'emergency', now: new Date(at), everybody }))!
  return {
    policy: chain.policy,
    steps: chain.steps.map(({ people, family }) => ({ people: wideAwake(people), family: wideAwake(family) })),
    lastResort: wideAwake(chain.lastResort),
  }
}

test('the chain from memory is the one that the database tells, for every resident at any hour', {
  timeout: 60_000,
}, async () => {
  for (const { gatewayId } of world.gateways) await directory.findGateway(gatewayId)
  clock.advance(60_000)
  await expect.poll(() => directory.refreshedAt(), { timeout: 10_000 }).toBe(clock.now().getTime())
  const known = world.residents.filter(({ residentId }) => directory.residentOf(residentId))
  expect(known.length).toBeGreaterThan(20)
  const dice = createDice(seed + 1)
  let told = 0
  for (const { residentId } of known)
    for (let i = 0; i < 5; i++) {
      const at = now + Math.floor((dice() * 40 - 20) * 3_600_000)
      const wanted = await chainToldBy({ residentId, at, everybody: true })
      expect(directory.chainOf(residentId, at), `${residentId} at ${at}`).toEqual(wanted)
      told += wanted.steps.flatMap(({ people }) => people).length
      // What the database leaves out where it is not needed is more than the chain itself.
      const short = i === 0 ? await chainToldBy({ residentId, at, everybody: false }) : wanted
      expect(short.steps).toEqual(wanted.steps)
    }
  expect(told).toBeGreaterThan(known.length)
  expect(directory.chainOf('nobody', now)).toEqual(
    await chainToldBy({ residentId: 'nobody', at: now, everybody: true }),
  )
})
