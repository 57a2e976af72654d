import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { recordAlertEvent } from '../db/alerts.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { createTestDashboard, logIn, type TestDashboard, testNow } from './test-app.js'

let database: TestDatabase
let dashboard: TestDashboard
let c: Community
let base: string
let cookie: string

beforeAll(async () => {
  database = await startTestDatabase()
  c = await seedCommunity(database.db, { key: 'c', now: testNow })
  dashboard = await createTestDashboard(database.db)
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  cookie = await logIn(dashboard.app, { login: c.staff.worker.login, password: c.password })
})
afterAll(async () => {
  await dashboard.app.close()
  await database.stop()
})

async function listen() {
  const aborter = new AbortController()
  const response = await fetch(`${base}/events`, { headers: { cookie }, signal: aborter.signal })
  const reader = response.body!.pipeThrough(new TextDecoderStream()).getReader()
  let text = ''
  /** Reads until so many events came, or the stream ended. */
  const events = async (count: number) => {
    while (text.split('event: change').length - 1 < count) {
      const { value, done } = await reader.read()
      if (done) break
      text += value
    }
    return text
  }
  return { response, events, stop: () => aborter.abort() }
}

test('a change anywhere reaches a browser, and says nothing but that there was one', async () => {
  const stream = await listen()
  expect(stream.response.headers.get('content-type')).toBe('text/event-stream; charset=utf-8')
  expect(await stream.events(1)).toMatch(/^retry: \d+\nevent: change\ndata: \d+\n\n$/)
  dashboard.signal.raise('alerts')
  await stream.events(2)
  // Another process, which shares only the database: found by the poll. First the poll has to know where it begins.
  await new Promise((resolve) => setTimeout(resolve, 1_200))
  const startedAt = performance.now()
  await recordAlertEvent(database.db, { alertId: c.alertId, at: testNow, kind: 'repeat' })
  const text = await stream.events(3)
  expect(performance.now() - startedAt).toBeLessThan(5_000)
  expect(text.replace(/retry: \d+\n/, '').replaceAll(/event: change\ndata: \d+\n\n/g, '')).toBe('')
  stream.stop()
})

test('at most ten streams a session; one that ends makes room', async () => {
  const streams = await Promise.all(Array.from({ length: 10 }, listen))
  expect(streams.map(({ response }) => response.status)).toEqual(Array(10).fill(200))
  const eleventh = await fetch(`${base}/events`, { headers: { cookie } })
  expect(eleventh.status).toBe(429)
  await eleventh.text()
  streams.pop()!.stop()
  await expect
    .poll(async () => {
      const again = await listen()
      again.stop()
      return again.response.status
    })
    .toBe(200)
  for (const stream of streams) stream.stop()
})

test('closing the dashboard ends the streams at once', async () => {
  const other = await createTestDashboard(database.db)
  await other.app.listen({ port: 0, host: '127.0.0.1' })
  const url = `http://127.0.0.1:${(other.app.server.address() as AddressInfo).port}/events`
  const response = await fetch(url, { headers: { cookie } })
  const startedAt = performance.now()
  const ended = response.text()
  await other.app.close()
  await ended
  expect(performance.now() - startedAt).toBeLessThan(2_000)
})
