import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteAnnounced } from '../db/announced.js'
import { claimDevice } from '../db/claims.js'
import { askCommand } from '../db/commands.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity, seedPage } from '../test/support/fixtures.js'
import { createTestDashboard, logIn, type TestDashboard, testNow } from './test-app.js'

/**
 * Who may ask for what, over all routes that the app has: a new route without a row here fails the first test.
 * `north` and `south` are two communities; each address below asks for something of north's.
 */
const viewers = [
  'anonymous',
  'north worker',
  'north supervisor',
  'north operator',
  'south worker',
  'south supervisor',
  'south operator',
] as const
type Viewer = (typeof viewers)[number]
/** A status, or `login`: sent to the login form. */
type Answer = number | 'login'
type Fresh = {
  alertId: number
  linkToken: string
  commandId: string
  /** Of north's gateway: one that hangs at nobody's, and one that does. */
  unclaimed: string
  claimed: { deviceId: string; deviceNo: number }
}
type Row = {
  path: (p: Fresh) => string
  form?: Record<string, string> | ((p: Fresh) => Record<string, string>)
  answers: Record<Viewer, Answer>
}

const all = (answer: Answer) => Object.fromEntries(viewers.map((viewer) => [viewer, answer])) as Row['answers']
const care = (answer: Answer): Row['answers'] => ({
  ...all(404),
  anonymous: 'login',
  'north worker': answer,
  'north supervisor': answer,
})
const operators = (answers: { north: Answer; south: Answer }): Row['answers'] => ({
  ...all(404),
  anonymous: 'login',
  'north operator': answers.north,
  'south operator': answers.south,
})
/** Whoever works for north: the pages of its gateways show an operator no names. */
const northOnly = (answer: Answer): Row['answers'] => ({ ...care(answer), 'north operator': answer })
const registrars = (answers: { north: Answer; south: Answer }): Row['answers'] => ({
  ...operators(answers),
  'north supervisor': answers.north,
  'south supervisor': answers.south,
})
const secretRow = (what: string, answer: Answer): Row => ({
  path: () => `${gateway()}/secret/${what}`,
  form: {},
  answers: registrars({ north: answer, south: 404 }),
})
const boundRow = (what: string, answer: Answer, form?: (p: Fresh) => Record<string, string>): Row => ({
  path: ({ claimed }) => `${gateway()}/devices/${claimed.deviceId}/${what}`,
  ...(form ? { form } : {}),
  answers: northOnly(answer),
})
const gateway = () => `/gateways/${north.gatewayId}`
const supervisorOnly = (answer: Answer) => ({ ...care(answer), 'north worker': 404 })
const resident = () => `/residents/${north.residents[0]!.residentId}`
const family = () => `${resident()}/family/${north.family.familyMemberId}`

const table: Record<string, Row> = {
  'GET /': {
    path: () => '/',
    answers: { ...all(200), anonymous: 'login', 'north operator': 303, 'south operator': 303 },
  },
  'GET /login': { path: () => '/login', answers: { ...all(303), anonymous: 200 } },
  'POST /login': { path: () => '/login', form: { login: 'nobody', password: 'wrong' }, answers: all(401) },
  'POST /logout': { path: () => '/logout', form: {}, answers: all('login') },
  'POST /language': { path: () => '/language', form: { language: 'zh', back: '/' }, answers: all(303) },
  'GET /events': { path: () => '/events', answers: { ...all(200), anonymous: 401 } },
  'GET /alerts/:alertId': { path: ({ alertId }) => `/alerts/${alertId}`, answers: care(200) },
  'POST /alerts/:alertId/acknowledge': {
    path: ({ alertId }) => `/alerts/${alertId}/acknowledge`,
    form: {},
    answers: care(303),
  },
  'POST /alerts/:alertId/en-route': {
    path: ({ alertId }) => `/alerts/${alertId}/en-route`,
    form: {},
    answers: care(303),
  },
  'POST /alerts/:alertId/arrived': {
    path: ({ alertId }) => `/alerts/${alertId}/arrived`,
    form: {},
    answers: care(303),
  },
  'POST /alerts/:alertId/close': {
    path: ({ alertId }) => `/alerts/${alertId}/close`,
    form: { outcome: 'test', note: '' },
    answers: care(303),
  },
  // Who holds the token was sent this alert; being logged in as somebody else makes no difference.
  'GET /p/:token': { path: ({ linkToken }) => `/p/${linkToken}`, answers: all(200) },
  'POST /p/:token': { path: ({ linkToken }) => `/p/${linkToken}`, form: {}, answers: all(303) },
  'GET /residents/:residentId': { path: resident, answers: care(200) },
  'POST /residents/:residentId/family/:familyMemberId/link': {
    path: () => `${family()}/link`,
    form: {},
    answers: supervisorOnly(200),
  },
  'POST /residents/:residentId/family/:familyMemberId/revoke': {
    path: () => `${family()}/revoke`,
    form: {},
    answers: supervisorOnly(303),
  },
  'POST /residents/:residentId/commands': {
    path: () => `${resident()}/commands`,
    get form() {
      return { device: String(north.residents[0]!.devices.smoke), command: 'self-test' }
    },
    answers: care(303),
  },
  // Asked for by a colleague: whoever else looks after north may decide.
  'GET /commands/:commandId': { path: ({ commandId }) => `/commands/${commandId}`, answers: care(200) },
  'POST /commands/:commandId/confirm': {
    path: ({ commandId }) => `/commands/${commandId}/confirm`,
    form: {},
    answers: care(303),
  },
  'POST /commands/:commandId/cancel': {
    path: ({ commandId }) => `/commands/${commandId}/cancel`,
    form: {},
    answers: care(303),
  },
  'GET /f/:token': { path: () => `/f/${familyToken}`, answers: all(200) },
  'GET /gateways': { path: () => '/gateways', answers: { ...all(200), anonymous: 'login' } },
  'GET /gateways/new': { path: () => '/gateways/new', answers: registrars({ north: 200, south: 200 }) },
  // For north's community; south's staff are told to choose one of theirs.
  'POST /gateways': {
    path: () => '/gateways',
    form: ({ alertId }) => ({ dialect: 'zigbee2mqtt', community: 'north-community', id: `fresh-${alertId}` }),
    answers: registrars({ north: 200, south: 400 }),
  },
  'GET /gateways/:gatewayId': { path: gateway, answers: northOnly(200) },
  'POST /gateways/:gatewayId/secret/rotate': secretRow('rotate', 200),
  'POST /gateways/:gatewayId/secret/end-overlap': secretRow('end-overlap', 303),
  'POST /gateways/:gatewayId/secret/revoke': secretRow('revoke', 303),
  'GET /gateways/:gatewayId/devices/:deviceId/claim': {
    path: ({ unclaimed }) => `${gateway()}/devices/${unclaimed}/claim`,
    answers: northOnly(200),
  },
  'POST /gateways/:gatewayId/devices/:deviceId/claim': {
    path: ({ unclaimed }) => `${gateway()}/devices/${unclaimed}/claim`,
    form: () => ({ resident: north.residents[1]!.residentId, room: '卧室' }),
    answers: northOnly(303),
  },
  'GET /gateways/:gatewayId/devices/:deviceId/test': boundRow('test', 200),
  'POST /gateways/:gatewayId/devices/:deviceId/test': boundRow('test', 303, () => ({})),
  'POST /gateways/:gatewayId/devices/:deviceId/test/end': boundRow('test/end', 303, () => ({})),
  'GET /gateways/:gatewayId/devices/:deviceId/move': boundRow('move', 200),
  'POST /gateways/:gatewayId/devices/:deviceId/move': boundRow('move', 303, ({ claimed }) => ({
    from: String(claimed.deviceNo),
    resident: north.residents[1]!.residentId,
    room: '卧室',
  })),
  'GET /gateways/:gatewayId/devices/:deviceId/unbind': boundRow('unbind', 200),
  'POST /gateways/:gatewayId/devices/:deviceId/unbind': boundRow('unbind', 303, ({ claimed }) => ({
    from: String(claimed.deviceNo),
  })),
  'GET /devices': { path: () => '/devices', answers: operators({ north: 200, south: 200 }) },
  'GET /quarantine': { path: () => '/quarantine', answers: operators({ north: 200, south: 200 }) },
  'GET /assets/:version/:file': { path: () => '/assets/any/style.css', answers: all(200) },
  'GET /healthz': { path: () => '/healthz', answers: all(200) },
  'GET /readyz': { path: () => '/readyz', answers: all(200) },
  'GET /metrics': { path: () => '/metrics', answers: all(200) },
}

/** What only these may show of north's residents; everywhere else their names, addresses and phones must not be. */
const showsByToken = new Set(['GET /p/:token', 'POST /p/:token', 'GET /f/:token'])

let database: TestDatabase
let dashboard: TestDashboard
let base: string
let north: Community
let familyToken: string
const cookies: Partial<Record<Viewer, string>> = {}

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  dashboard = await createTestDashboard(db)
  north = await seedCommunity(db, { key: 'north', now: testNow })
  const south = await seedCommunity(db, { key: 'south', now: testNow })
  familyToken = north.family.token
  await dashboard.app.listen({ port: 0, host: '127.0.0.1' })
  base = `http://127.0.0.1:${(dashboard.app.server.address() as AddressInfo).port}`
  for (const { key, staff, password } of [north, south])
    for (const role of ['worker', 'supervisor', 'operator'] as const)
      cookies[`${key} ${role}` as Viewer] = await logIn(dashboard.app, { login: staff[role].login, password })
})
afterAll(async () => {
  await dashboard.app.close()
  await database.stop()
})

/** An emergency of its own for each question, so that no answer depends on the one before. */
async function fresh(): Promise<Fresh> {
  const { db } = database
  const [{ residentId, devices }] = [north.residents[0]!]
  const { communityId, staff } = north
  const alertId = await seedAlert(db, {
    communityId,
    residentId,
    deviceNo: devices.button,
    kind: 'button',
    openedAt: testNow,
  })
  const { linkToken } = await seedPage(db, { alertId, staffId: staff.worker.staffId, now: testNow })
  await db.query('delete from commands')
  const asked = await askCommand(db, {
    residentId,
    deviceNo: devices.water,
    command: { name: 'close valve' },
    staffId: staff.colleague.staffId,
    communityIds: [communityId],
    now: testNow,
  })
  if (asked.kind !== 'asked') throw new Error(asked.kind)
  return { alertId, linkToken, commandId: asked.commandId, ...(await freshDevices(alertId)) }
}

async function freshDevices(key: number): Promise<Pick<Fresh, 'unclaimed' | 'claimed'>> {
  const { db } = database
  const { gatewayId, communityId, staff } = north
  const announced = [`${key}-a`, `${key}-b`].map((deviceId) => ({
    gatewayId,
    deviceId,
    nativeId: deviceId,
    kind: 'button',
  }))
  const nothing = { name: undefined, model: undefined, fields: undefined, seenAt: testNow.getTime() }
  await noteAnnounced(
    db,
    announced.map((device) => ({ ...device, ...nothing })),
  )
  const deviceId = `${key}-b`
  const claimed = await claimDevice(db, {
    communityIds: [communityId],
    staffId: staff.worker.staffId,
    now: testNow,
    gatewayId,
    deviceId,
    residentId: north.residents[0]!.residentId,
    room: '客厅',
  })
  if (claimed.kind !== 'bound') throw new Error(claimed.kind)
  return { unclaimed: `${key}-a`, claimed: { deviceId, deviceNo: claimed.deviceNo } }
}

async function ask(route: string, row: Row, viewer: Viewer, p: Fresh) {
  const aborter = new AbortController()
  const cookie = cookies[viewer]
  const response = await fetch(base + row.path(p), {
    method: route.split(' ')[0]!,
    redirect: 'manual',
    signal: aborter.signal,
    headers: cookie ? { cookie } : {},
    ...(row.form ? { body: new URLSearchParams(typeof row.form === 'function' ? row.form(p) : row.form) } : {}),
  })
  const stream = response.headers.get('content-type')?.startsWith('text/event-stream')
  // The page repeats the address that was asked for: what the viewer knew already.
  const body = stream ? '' : (await response.text()).replaceAll(row.path(p), 'PATH')
  aborter.abort()
  const toLogin = response.status === 303 && response.headers.get('location')?.startsWith('/login')
  return { status: response.status, answer: toLogin ? 'login' : response.status, body }
}

test('every route has a row', () => {
  const routes = dashboard.routes.filter(({ method }) => method !== 'HEAD').map(({ method, url }) => `${method} ${url}`)
  expect([...new Set(routes)].sort()).toEqual(Object.keys(table).sort())
})

for (const [route, row] of Object.entries(table))
  test(`${route}: each viewer gets what is theirs, and sees nobody else's residents`, async () => {
    for (const viewer of viewers) {
      const p = await fresh()
      const { answer, body } = await ask(route, row, viewer, p)
      expect(answer, viewer).toBe(row.answers[viewer])
      if (route === 'POST /logout') await logInAgain(viewer)
      if (route.endsWith('/link') || route.endsWith('/revoke')) await renewFamilyLink()
      const { stage } = (await database.db.query('select stage from alerts where alert_id = $1', [p.alertId])).rows[0]
      const acted = route.startsWith('POST') && answer === 303 && /alertId|token/.test(route)
      expect(stage !== 'open', `${viewer} acted`).toBe(acted)
      if (viewer === 'north worker' || viewer === 'north supervisor' || showsByToken.has(route)) continue
      for (const secret of ['示例·居民 north', '示例路 north', '000-0000-1001', '1001#'])
        expect(body.includes(secret), `${viewer} sees ${secret}`).toBe(false)
      if (viewer !== 'north operator') expect(body.includes('north-gw1'), `${viewer} sees the gateway`).toBe(false)
    }
  })

async function logInAgain(viewer: Viewer) {
  const [key, role] = viewer.split(' ') as [string, 'worker']
  if (role) cookies[viewer] = await logIn(dashboard.app, { login: `${key}-${role}`, password: north.password })
  dashboard.clock.advance(61_000)
}

async function renewFamilyLink() {
  await database.db.query('update family_links set revoked_at = null where family_member_id = $1', [
    north.family.familyMemberId,
  ])
}

test('what is out of scope looks exactly like what does not exist', async () => {
  const { alertId, unclaimed, claimed } = await fresh()
  const pairs: [Viewer, string, string][] = [
    ['south worker', `/alerts/${alertId}`, '/alerts/999999999'],
    ['south worker', resident(), '/residents/nobody'],
    ['north operator', `/alerts/${alertId}`, '/alerts/999999999'],
    ['north operator', resident(), '/residents/nobody'],
    ['south worker', 'COMMAND', '/commands/00000000-0000-4000-8000-000000000000'],
    ['north operator', 'COMMAND', '/commands/00000000-0000-4000-8000-000000000000'],
    ['south worker', `/gateways/${north.gatewayId}`, '/gateways/none'],
    ['south operator', `/gateways/${north.gatewayId}`, '/gateways/none'],
    ['south worker', '/gateways/new', '/nothing'],
    ['south worker', `${gateway()}/devices/${unclaimed}/claim`, '/gateways/none/devices/none/claim'],
    ['south operator', `${gateway()}/devices/${claimed.deviceId}/move`, '/gateways/none/devices/none/move'],
  ]
  for (const [viewer, hidden, missing] of pairs) {
    const bodies: string[] = []
    for (const path of [hidden, missing]) {
      const pathOf = ({ commandId }: Fresh) => path.replace('COMMAND', `/commands/${commandId}`)
      const { status, body } = await ask('GET', { path: pathOf, answers: all(404) }, viewer, await fresh())
      expect(status).toBe(404)
      bodies.push(body.replaceAll(/\d{4}-\d{2}-\d{2}T[^"]*/g, 'TIME'))
    }
    expect(bodies[0], `${viewer} ${hidden}`).toBe(bodies[1])
  }
})

test('odd ids are missing, not failures', async () => {
  for (const id of ['0', '-1', '1.5', '9007199254740993', 'x', "1'--", '%00', 'é'.repeat(50)])
    for (const path of ['alerts', 'residents', 'commands'].map((noun) => `/${noun}/${encodeURIComponent(id)}`)) {
      const { status } = await ask('GET', { path: () => path, answers: all(404) }, 'north worker', await fresh())
      expect(status, path).toBe(404)
    }
})
