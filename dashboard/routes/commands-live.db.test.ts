import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { askCommand } from '../../db/commands.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'
import { createTestDashboard, logIn, type TestDashboard, testNow } from '../test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let c: Community

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'c', now: testNow })
  dashboard = await createTestDashboard(database.db)
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
})
afterAll(async () => {
  await dashboard?.app.close()
  await database?.stop()
})

test('pages hear of what becomes of a command in another process, of which only the database knows', async () => {
  const cookie = await logIn(dashboard.app, { login: c.staff.worker.login, password: c.password })
  const { port } = dashboard.app.server.address() as AddressInfo
  const aborter = new AbortController()
  const response = await fetch(`http://127.0.0.1:${port}/events`, { headers: { cookie }, signal: aborter.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  const told = async (change: number) => {
    while (![...text.matchAll(/data: (\d+)\n/g)].some(([, n]) => Number(n) >= change))
      text += (await reader.read()).value ?? ''
  }
  await told(0)
  // The first look of the process only learns where things stand.
  await new Promise((resolve) => setTimeout(resolve, 2_500))
  expect(text).not.toContain('data: 1\n')
  const asked = await askCommand(database.db, {
    residentId: c.residents[0]!.residentId,
    deviceNo: c.residents[0]!.devices.smoke,
    command: { name: 'self-test' },
    staffId: c.staff.worker.staffId,
    communityIds: [c.communityId],
    now: testNow,
  })
  expect(asked.kind).toBe('asked')
  await told(1)
  await database.db.query(`update commands set state = 'sent'`)
  await told(2)
  aborter.abort()
})
