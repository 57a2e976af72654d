import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteAnnounced } from '../db/announced.js'
import { claimDevice, moveDevice } from '../db/claims.js'
import { createDirectorySource } from '../db/directory.js'
import { createRightsSource } from '../db/gateway-rights.js'
import { createDirectory } from '../ingest/directory.js'
import { systemClock as clock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { seedCommunity } from '../test/support/fixtures.js'
import { withFreshCards } from './fresh-cards.js'

let database: TestDatabase
beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())

const noShelf = { put: () => undefined, delete: () => undefined, all: async () => [] }

test('an edge learns at its next look that a device was moved, and asks for no gateway that it does not know', async () => {
  const { db } = database
  const now = clock.now()
  const c = await seedCommunity(db, { key: 'cards', now })
  const { gatewayId, communityId, staff } = c
  const [first, second] = c.residents.map(({ residentId }) => residentId) as [string, string]
  const device = { gatewayId, deviceId: 'dev.button.1', nativeId: 'dev', kind: 'button' }
  await noteAnnounced(db, [{ ...device, name: undefined, model: undefined, fields: undefined, seenAt: now.getTime() }])
  const by = { communityIds: [communityId], staffId: staff.worker.staffId, now }
  const claim = { ...by, gatewayId, deviceId: device.deviceId, residentId: first, room: '卧室' }
  const claimed = await claimDevice(db, claim)
  if (claimed.kind !== 'bound') throw new Error(claimed.kind)

  const directory = createDirectory({
    source: createDirectorySource(db),
    shelf: noShelf as unknown as Parameters<typeof createDirectory>[0]['shelf'],
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
  })
  const asked: string[] = []
  const rights = withFreshCards(createRightsSource(db), {
    cardOf: directory.cardOf,
    findGateway: (id) => {
      asked.push(id)
      return directory.findGateway(id)
    },
  })
  const residentNow = async () => {
    const found = await directory.lookUpOwn(gatewayId, device.deviceId)
    return found.kind === 'found' ? found.device.residentId : found.kind
  }
  let { cursor } = await rights.changedSince(undefined)
  expect(await residentNow()).toBe(first)
  const moved = await moveDevice(db, { ...claim, deviceNo: claimed.deviceNo, residentId: second })
  expect(moved.kind).toBe('bound')
  await seedCommunity(db, { key: 'unknown', now })
  expect(await residentNow()).toBe(first) // from memory
  ;({ cursor } = await rights.changedSince(cursor))
  await expect.poll(residentNow, { timeout: 10_000 }).toBe(second)
  expect(new Set(asked)).toEqual(new Set([gatewayId]))
  expect(cursor).toMatch(/^\d+$/)
  await directory.stop()
})
