import type { FastifyInstance } from 'fastify'
import type { ChannelKind } from '../alerts/channels/kinds.js'
import type { Database } from '../db/pool.js'
import { type Clock, manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createMetrics } from '../kit/metrics.js'
import { createSignal, type Signal } from '../kit/signal.js'
import { createDashboard } from './app.js'

/** A weekday afternoon, 14:05 in Shanghai. */
export const testNow = new Date('2026-03-10T06:05:00Z')

export type TestDashboard = {
  app: FastifyInstance
  clock: ReturnType<typeof manualClock>
  signal: Signal
  routes: { method: string; url: string }[]
}

/** The dashboard over a test's database, with a clock that the test moves, as yet listening nowhere. */
export async function createTestDashboard(
  db: Database,
  p: { clock?: Clock; publicUrl?: string; trustProxy?: boolean; kinds?: readonly ChannelKind[] } = {},
): Promise<TestDashboard> {
  const clock = manualClock(testNow)
  const signal = createSignal()
  const routes: TestDashboard['routes'] = []
  const app = await createDashboard({
    db,
    signal,
    clock: p.clock ?? clock,
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: createMetrics({ role: 'test' }),
    publicUrl: p.publicUrl ?? 'http://localhost:8080',
    trustProxy: p.trustProxy ?? false,
    timeZoneDefault: 'Asia/Shanghai',
    ...(p.kinds ? { channels: { kinds: p.kinds, origins: [], pushKey: async () => '' } } : {}),
    onRoute: (route) => routes.push(route),
  })
  return { app, clock, signal, routes }
}

/** Logs in; the cookie to send with what follows. @throws when the login is refused */
export async function logIn(
  app: FastifyInstance,
  p: { login: string; password: string; remoteAddress?: string },
): Promise<string> {
  const response = await app.inject({
    method: 'POST',
    url: '/login',
    payload: new URLSearchParams({ login: p.login, password: p.password }).toString(),
    headers: { 'content-type': 'application/x-www-form-urlencoded' },
    remoteAddress: p.remoteAddress ?? '127.0.0.1',
  })
  const session = response.cookies.find(({ name }) => name === 'shouwang_session')
  if (!session) throw new Error(`${p.login} cannot log in: ${response.statusCode}`)
  return `shouwang_session=${session.value}`
}

/** A form as a browser of this site sends it. */
export const formHeaders = (cookie: string) => ({
  cookie,
  'content-type': 'application/x-www-form-urlencoded',
  'sec-fetch-site': 'same-origin',
})
