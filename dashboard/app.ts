import cookie from '@fastify/cookie'
import formbody from '@fastify/formbody'
import helmet from '@fastify/helmet'
import { type FastifyInstance, type FastifyRequest, fastify } from 'fastify'
import { Histogram, type Registry } from 'prom-client'
import { channelKinds } from '../alerts/channels/address.js'
import type { Database } from '../db/pool.js'
import { findSession } from '../db/sessions.js'
import { vapidKeysOf } from '../db/vapid-keys.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import type { Signal } from '../kit/signal.js'
import { absenceRoutes } from './routes/absence.js'
import { familyAbsenceRoutes } from './routes/absence-family.js'
import { acknowledgeRoutes } from './routes/acknowledge.js'
import { alertRoutes } from './routes/alert.js'
import { apiAcknowledgeRoutes } from './routes/api-acknowledge.js'
import { askingRoutes } from './routes/asking.js'
import { commandRoutes } from './routes/commands.js'
import { consoleRoutes } from './routes/console.js'
import { claimRoutes } from './routes/devices-claim.js'
import { deviceTestRoutes } from './routes/devices-claim-test.js'
import { moveRoutes } from './routes/devices-move.js'
import { eventsRoutes } from './routes/events.js'
import { familyRoutes } from './routes/family.js'
import { gatewayPageRoutes } from './routes/gateway-page.js'
import { gatewaySecretRoutes } from './routes/gateway-secrets.js'
import { gatewaysRoutes } from './routes/gateways.js'
import { newGatewayRoutes } from './routes/gateways-new.js'
import { healthRoutes } from './routes/health.js'
import { incidentRoutes } from './routes/incident.js'
import { languageRoutes } from './routes/language.js'
import { loginRoutes, sessionCookie } from './routes/login.js'
import { markRoutes } from './routes/marks.js'
import { myChannelsRoutes } from './routes/my-channels.js'
import { testConfirmRoutes } from './routes/my-channels-got.js'
import { numbersRoutes } from './routes/numbers.js'
import { operatorRoutes } from './routes/operator.js'
import { peopleRoutes } from './routes/people.js'
import { personRoutes } from './routes/people-person.js'
import { policyRoutes } from './routes/policies.js'
import { pushRoutes } from './routes/push.js'
import { residentRoutes } from './routes/resident.js'
import { rosterRoutes } from './routes/roster.js'
import { rosterAwayRoutes } from './routes/roster-away.js'
import { rosterCalendarRoutes } from './routes/roster-calendar.js'
import { rosterPagedRoutes } from './routes/roster-paged.js'
import { rosterShiftRoutes } from './routes/roster-shift.js'
import { rosterWeeklyRoutes } from './routes/roster-weekly.js'
import { watchRoutes } from './routes/watch.js'
import { coverageRoutes } from './routes/watch-coverage.js'
import { dueTestRoutes } from './routes/watch-device-tests.js'
import { serveAssets } from './shell/assets.js'
import { createChanges } from './shell/changes.js'
import type { ChannelSetup } from './shell/channel-setup.js'
import { handleErrors, sendProblem } from './shell/errors.js'
import { isOwnForm, localPath, type RouteDeps } from './shell/here.js'
import { languageOf } from './shell/language.js'
import { servePushFiles } from './shell/push-files.js'

export type DashboardDeps = {
  db: Database
  signal: Signal
  clock: Clock
  log: Log
  metrics: Registry
  /** Where browsers reach this dashboard, as in links. */
  publicUrl: string
  trustProxy: boolean
  timeZoneDefault: string
  /** The port at which gateways reach the broker on the host of `publicUrl`; TLS where that is https, unless it says so. */
  mqtt?: { port: number; tls: boolean }
  /** Which channels people may choose; all of them unless told, with the push key that the database keeps. */
  channels?: ChannelSetup
  /** What else has to be so for `/readyz`, in one process with other roles: true, or why not in one line. */
  isWell?: () => Promise<true | string>
  /** Called with each route as it is registered; the authorisation test walks them. */
  onRoute?: (route: { method: string; url: string }) => void
}

const bodyBytesMax = 16 * 1024
const urlChars = 300
const requestMsMax = 30_000
const headersMsMax = 10_000

/** The dashboard, ready to listen. `close()` ends the streams that browsers hold. */
export async function createDashboard(deps: DashboardDeps): Promise<FastifyInstance> {
  const { db, signal, clock, log, metrics, publicUrl, timeZoneDefault } = deps
  // Fastify's own request log would write the tokens that stand in links.
  const app = fastify({
    logger: false,
    trustProxy: deps.trustProxy,
    bodyLimit: bodyBytesMax,
    routerOptions: { maxParamLength: urlChars },
    requestTimeout: requestMsMax,
    // Half a request is not waited for longer than this.
    http: { headersTimeout: headersMsMax, connectionsCheckingInterval: 5_000 },
    forceCloseConnections: true,
  })
  if (deps.onRoute) {
    const { onRoute } = deps
    app.addHook('onRoute', ({ method, url }) => {
      for (const each of [method].flat()) onRoute({ method: each, url })
    })
  }
  const { host: publicHost, hostname, protocol } = new URL(publicUrl)
  const tls = protocol === 'https:'
  const mqtt = { host: hostname, ...(deps.mqtt ?? { port: tls ? 8883 : 1883, tls }) }
  await app.register(helmet, securityHeaders({ https: publicUrl.startsWith('https:') }))
  await app.register(cookie)
  await app.register(formbody)
  handleErrors(app, { log })
  measure(app, metrics)

  const assets = await serveAssets(app)
  await servePushFiles(app, { assets })
  const hereOf = async (request: FastifyRequest) => {
    const now = clock.now()
    const token = request.cookies[sessionCookie]
    const language = languageOf(request)
    const path = request.method === 'GET' ? localPath(request.url) : '/'
    const refresh = request.headers['shouwang-refresh'] === '1'
    request.here = { language, path, assets, now, viewer: null, refresh, timeZoneDefault }
    // Files and health checks are the same for everybody: they need no session, and must answer without a database.
    if (!token || /^\/(assets\/|healthz|readyz|metrics)/.test(request.url)) return
    const staff = await findSession(db, { token, now })
    if (staff) request.here.viewer = { ...staff, kind: 'staff', language }
  }
  app.addHook('onRequest', hereOf)
  app.addHook('onRequest', async (request, reply) => {
    if (request.method === 'GET' || request.method === 'HEAD' || isOwnForm(request, publicHost)) return
    log.warn({ route: request.routeOptions.url }, 'request.foreignForm')
    return sendProblem(request, reply, 'refused')
  })

  app.addHook('preHandler', async (request, reply) => {
    if (hasNull(request.url) || Object.values(request.body ?? {}).some(hasNull))
      return sendProblem(request, reply, 'unclear')
  })

  const channels = deps.channels ?? {
    kinds: channelKinds,
    origins: [],
    pushKey: async () => (await vapidKeysOf(db, clock.now())).publicKey,
  }
  const changes = createChanges({ db, signal, log, metrics })
  app.addHook('preClose', () => changes.stop())
  const routeDeps: RouteDeps = { db, clock, log, signal, changes, publicUrl, timeZoneDefault, channels, mqtt }
  healthRoutes(app, { ...routeDeps, metrics, ...(deps.isWell ? { isWell: deps.isWell } : {}) })
  loginRoutes(app, routeDeps)
  languageRoutes(app, routeDeps)
  eventsRoutes(app, routeDeps)
  consoleRoutes(app, routeDeps)
  incidentRoutes(app, routeDeps)
  alertRoutes(app, routeDeps)
  markRoutes(app, routeDeps)
  acknowledgeRoutes(app, routeDeps)
  askingRoutes(app, routeDeps)
  apiAcknowledgeRoutes(app, routeDeps)
  policyRoutes(app, routeDeps)
  rosterRoutes(app, routeDeps)
  rosterWeeklyRoutes(app, routeDeps)
  rosterAwayRoutes(app, routeDeps)
  rosterShiftRoutes(app, routeDeps)
  rosterPagedRoutes(app, routeDeps)
  rosterCalendarRoutes(app, routeDeps)
  residentRoutes(app, routeDeps)
  absenceRoutes(app, routeDeps)
  commandRoutes(app, routeDeps)
  familyRoutes(app, routeDeps)
  familyAbsenceRoutes(app, routeDeps)
  operatorRoutes(app, routeDeps)
  gatewaysRoutes(app, routeDeps)
  newGatewayRoutes(app, routeDeps)
  gatewayPageRoutes(app, routeDeps)
  gatewaySecretRoutes(app, routeDeps)
  claimRoutes(app, routeDeps)
  deviceTestRoutes(app, routeDeps)
  moveRoutes(app, routeDeps)
  myChannelsRoutes(app, routeDeps)
  testConfirmRoutes(app, routeDeps)
  peopleRoutes(app, routeDeps)
  personRoutes(app, routeDeps)
  pushRoutes(app, routeDeps)
  numbersRoutes(app, routeDeps)
  watchRoutes(app, routeDeps)
  coverageRoutes(app, routeDeps)
  dueTestRoutes(app, routeDeps)
  await app.ready()
  return app
}

/** PostgreSQL stores no NUL in a text: what carries one is noise, on every route. */
const hasNull = (text: unknown) => typeof text === 'string' && (text.includes('\0') || text.includes('%00'))

const securityHeaders = ({ https }: { https: boolean }) => ({
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
      imgSrc: ["'self'", 'data:'],
      connectSrc: ["'self'"],
      workerSrc: ["'self'"],
      manifestSrc: ["'self'"],
      formAction: ["'self'"],
      frameAncestors: ["'none'"],
      baseUri: ["'none'"],
    },
  },
  // Not no-referrer: with it browsers send `Origin: null` with our own forms. Links with tokens stay on this site.
  referrerPolicy: { policy: 'same-origin' as const },
  frameguard: { action: 'deny' as const },
  // Browsers heed these only over https, and complain about them otherwise.
  hsts: https ? { maxAge: 31_536_000, includeSubDomains: false } : false,
  crossOriginOpenerPolicy: https,
  originAgentCluster: https,
})

function measure(app: FastifyInstance, metrics: Registry): void {
  const seconds = new Histogram({
    name: 'shouwang_http_request_seconds',
    help: 'Time to answer a request of the dashboard',
    labelNames: ['method', 'route', 'status'] as const,
    buckets: [0.005, 0.02, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10],
    registers: [metrics],
  })
  app.addHook('onResponse', async (request, reply) => {
    const route = request.routeOptions.url ?? 'none'
    seconds.observe({ method: request.method, route, status: String(reply.statusCode) }, reply.elapsedTime / 1_000)
  })
}
