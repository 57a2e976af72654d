import type { FastifyInstance } from 'fastify'
import type { Registry } from 'prom-client'
import { isMigrated } from '../../db/readiness.js'
import type { DashboardDeps } from '../app.js'
import type { RouteDeps } from '../shell/here.js'

/** For whoever runs the process: is it up, can it work, how is it doing. Nothing here is about people. */
export function healthRoutes(
  app: FastifyInstance,
  { db, log, metrics, isWell }: RouteDeps & { metrics: Registry; isWell?: DashboardDeps['isWell'] },
): void {
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok'))
  app.get('/readyz', async (_request, reply) => {
    const judge = async () => (await isMigrated(db)) && (isWell ? isWell() : true)
    const ready = await judge().catch((error: Error) => {
      log.warn({ error: error.message }, 'database.notReady')
      return false
    })
    return reply
      .code(ready === true ? 200 : 503)
      .header('cache-control', 'no-store')
      .type('text/plain')
      .send(ready === true ? 'ready' : typeof ready === 'string' ? `not ready: ${ready}` : 'not ready')
  })
  app.get('/metrics', async (_request, reply) => reply.type(metrics.contentType).send(await metrics.metrics()))
}
