import { randomUUID } from 'node:crypto'
import type { AddressInfo } from 'node:net'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { noteAnnounced } from '../db/announced.js'
import { claimDevice } from '../db/claims.js'
import { askCommand } from '../db/commands.js'
import { issueRosterFeed } from '../db/roster-feeds.js'
import { addChannel, queueChannelTest } from '../db/staff-channels.js'
import { addVolunteer, agreeFor } from '../db/volunteers.js'
import { seedAsked } from '../test/support/ask.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedAlert, seedCommunity, seedPage } from '../test/support/fixtures.js'
import { seedIncident } from '../test/support/incident.js'
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
  people: FreshPeople
  /** About another resident of north: a call task to its social worker. */
  asked: { alertId: number; token: string }
}
/** A channel of north's social worker; a volunteer of north with a channel and a resident; a test that was sent. */
type FreshPeople = { channelId: string; volunteerId: string; theirs: string; messageId: string }
type Row = {
  path: (p: Fresh) => string
  form?: Record<string, string> | ((p: Fresh) => Record<string, string>)
  answers: Record<Viewer, Answer>
}

const volunteer = (what: string, answer: Answer, form?: Record<string, string>): Row => ({
  path: ({ people }) => `/people/${encodeURIComponent(people.volunteerId)}${what}`,
  ...(form ? { form } : {}),
  answers: supervisorOnly(answer),
})
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

const inNorth = () => new URLSearchParams({ community: north.communityId })
const rosterRow = (path: string, answer: Answer, form: () => Record<string, string> = () => ({})): Row => ({
  path: () => `/roster/${path}`,
  form: () => ({ community: north.communityId, ...form() }),
  answers: supervisorOnly(answer),
})

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
  // Whoever runs the system sees gateways there, and no names.
  'GET /incidents/:incidentId': { path: () => `/incidents/${incidentId}`, answers: northOnly(200) },
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
  // A button is no alert about silence: it is said so.
  'POST /alerts/:alertId/mark': {
    path: ({ alertId }) => `/alerts/${alertId}/mark`,
    form: { verdict: 'false' },
    answers: care(303),
  },
  'POST /alerts/:alertId/undo': { path: ({ alertId }) => `/alerts/${alertId}/undo`, form: {}, answers: care(303) },
  'POST /alerts/:alertId/spoken': {
    path: ({ asked }) => `/alerts/${asked.alertId}/spoken`,
    form: {},
    answers: care(303),
  },
  'POST /alerts/:alertId/send-now': {
    path: ({ asked }) => `/alerts/${asked.alertId}/send-now`,
    form: {},
    answers: care(303),
  },
  // Who holds the token was asked to phone; being logged in as somebody else makes no difference.
  'GET /ask/:token': { path: ({ asked }) => `/ask/${asked.token}`, answers: all(200) },
  'POST /ask/:token/spoken': { path: ({ asked }) => `/ask/${asked.token}/spoken`, form: {}, answers: all(303) },
  'POST /ask/:token/send': { path: ({ asked }) => `/ask/${asked.token}/send`, form: {}, answers: all(303) },
  'POST /ask/:token/undo': { path: ({ asked }) => `/ask/${asked.token}/undo`, form: {}, answers: all(303) },
  // Who holds the token was sent this alert; being logged in as somebody else makes no difference.
  'GET /p/:token': { path: ({ linkToken }) => `/p/${linkToken}`, answers: all(200) },
  'POST /p/:token': { path: ({ linkToken }) => `/p/${linkToken}`, form: {}, answers: all(303) },
  // Only the browser in which the link was used goes on, whoever is logged in there.
  'POST /p/:token/en-route': { path: ({ linkToken }) => `/p/${linkToken}/en-route`, form: {}, answers: all(403) },
  'POST /p/:token/arrived': { path: ({ linkToken }) => `/p/${linkToken}/arrived`, form: {}, answers: all(403) },
  'POST /p/:token/close': {
    path: ({ linkToken }) => `/p/${linkToken}/close`,
    form: { outcome: 'test', note: '' },
    answers: all(403),
  },
  'POST /p/:token/undo': { path: ({ linkToken }) => `/p/${linkToken}/undo`, form: {}, answers: all(403) },
  // By signature alone; this page went through no webhook that its person still has.
  'POST /api/pages/:pageId/:action': {
    path: ({ alertId }) => `/api/pages/00000000-0000-4000-8000-${String(alertId).padStart(12, '0')}/acknowledge`,
    form: {},
    answers: all(404),
  },
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
  'GET /residents/:residentId/absence': { path: () => `${resident()}/absence`, answers: care(200) },
  'POST /residents/:residentId/absence': {
    path: () => `${resident()}/absence`,
    form: { end: 'other', other: '2026-03-12T20:00', note: '' },
    answers: care(303),
  },
  'POST /residents/:residentId/absence/end': { path: () => `${resident()}/absence/end`, form: {}, answers: care(303) },
  'POST /residents/:residentId/absence/undo': {
    path: () => `${resident()}/absence/undo`,
    form: {},
    answers: care(303),
  },
  'POST /residents/:residentId/said': {
    path: () => `${resident()}/said`,
    form: { what: 'visit' },
    answers: care(303),
  },
  'POST /residents/:residentId/said/undo': { path: () => `${resident()}/said/undo`, form: {}, answers: care(303) },
  'POST /residents/:residentId/family/:familyMemberId/away-right': {
    path: () => `${family()}/away-right`,
    form: { allow: 'yes' },
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
  'GET /roster': { path: () => `/roster?${inNorth()}`, answers: care(200) },
  'GET /roster/weekly': { path: () => `/roster/weekly?${inNorth()}`, answers: care(200) },
  'POST /roster/weekly': rosterRow('weekly', 303, () => ({
    staff: north.staff.worker.staffId,
    weekday: '1',
    start: '20:00',
    end: '08:00',
    days: '0',
    every: '1',
    first: '2026-03-10',
  })),
  'POST /roster/weekly/end': rosterRow('weekly/end', 409, () => ({ id: '1000000', last: '' })),
  'POST /roster/weekly/remove': rosterRow('weekly/remove', 409, () => ({ id: '1000000' })),
  'GET /roster/away': { path: () => `/roster/away?${inNorth()}`, answers: care(200) },
  'POST /roster/away': rosterRow('away', 303, () => ({
    staff: north.staff.worker.staffId,
    reason: 'ill',
    from: '2026-04-10T08:00',
    until: '2026-04-11T08:00',
    standIn: '*nobody',
  })),
  'POST /roster/away/:edit/end': rosterRow('away/1000000/end', 409),
  'POST /roster/away/:edit/remove': rosterRow('away/1000000/remove', 409),
  'GET /roster/shift': {
    path: () => `/roster/shift?${new URLSearchParams({ community: north.communityId, ...shownShift('colleague') })}`,
    answers: supervisorOnly(200),
  },
  'GET /roster/shift/new': { path: () => `/roster/shift/new?${inNorth()}`, answers: supervisorOnly(200) },
  'POST /roster/shift/new': rosterRow('shift/new', 303, () => ({
    staff: north.staff.worker.staffId,
    from: '2026-05-10T08:00',
    until: '2026-05-10T12:00',
  })),
  'POST /roster/shift/:shiftId/remove': rosterRow('shift/1000000/remove', 303),
  'POST /roster/swap': rosterRow('swap', 303, () => ({
    ...shownShift('worker'),
    to: north.staff.colleague.staffId,
  })),
  'GET /roster/paged': {
    path: () => `/roster/paged?resident=${north.residents[0]!.residentId}`,
    answers: care(200),
  },
  'GET /api/paged': {
    path: () => `/api/paged?resident=${north.residents[0]!.residentId}&at=2027-01-03T03:00:00%2B08:00`,
    answers: { ...care(200), anonymous: 401 },
  },
  'GET /roster/calendar': { path: () => `/roster/calendar?${inNorth()}`, answers: care(200) },
  'GET /roster.ics': { path: () => `/roster.ics?${inNorth()}`, answers: care(200) },
  'POST /roster/calendar/link': { ...rosterRow('calendar/link', 200), answers: care(200) },
  'POST /roster/calendar/revoke': { ...rosterRow('calendar/revoke', 303), answers: care(303) },
  'POST /roster/calendar/import': rosterRow('calendar/import', 400, () => ({ text: 'none', action: 'take' })),
  // Who holds the address follows the roster: names of staff and times, nothing of a resident.
  'GET /c/:token': { path: () => `/c/${feedToken}.ics`, answers: all(200) },
  'GET /policies': { path: () => `/policies?community=${north.communityId}`, answers: care(200) },
  'GET /policies/edit': {
    path: () => `/policies/edit?community=${north.communityId}&severity=urgent`,
    answers: supervisorOnly(200),
  },
  'POST /policies': {
    path: () => '/policies',
    get form() {
      return { community: north.communityId, severity: 'urgent', action: 'reset' }
    },
    answers: supervisorOnly(303),
  },
  'GET /f/:token': { path: () => `/f/${familyToken}`, answers: all(200) },
  // Whoever holds the link of a family member to whom the station gave this right.
  'GET /f/:token/away': { path: () => `/f/${familyToken}/away`, answers: all(200) },
  'POST /f/:token/away': {
    path: () => `/f/${familyToken}/away`,
    form: { end: 'other', other: '2026-03-12T20:00', note: '' },
    answers: all(303),
  },
  'POST /f/:token/away/end': { path: () => `/f/${familyToken}/away/end`, form: {}, answers: all(303) },
  'POST /f/:token/away/undo': { path: () => `/f/${familyToken}/away/undo`, form: {}, answers: all(303) },
  'POST /f/:token/here': { path: () => `/f/${familyToken}/here`, form: {}, answers: all(303) },
  'POST /f/:token/here/undo': { path: () => `/f/${familyToken}/here/undo`, form: {}, answers: all(303) },
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
  'GET /watch': { path: () => '/watch', answers: operators({ north: 200, south: 200 }) },
  'GET /coverage': {
    path: () => '/coverage',
    answers: { ...all(404), anonymous: 'login', 'north supervisor': 200, 'south supervisor': 200 },
  },
  // Each sees the residents of their own communities.
  'GET /device-tests': {
    path: () => '/device-tests',
    answers: { ...care(200), 'south worker': 200, 'south supervisor': 200 },
  },
  'GET /numbers': {
    path: () => '/numbers?community=north-community',
    answers: registrars({ north: 200, south: 404 }),
  },
  'GET /numbers.csv': {
    path: () => '/numbers.csv?community=north-community',
    answers: registrars({ north: 200, south: 404 }),
  },
  'GET /numbers/alerts.csv': {
    path: () => '/numbers/alerts.csv?community=north-community',
    answers: supervisorOnly(200),
  },
  'GET /me': { path: () => '/me', answers: { ...all(200), anonymous: 'login' } },
  'POST /me/channels': {
    path: () => '/me/channels',
    form: ({ alertId }) => ({ kind: 'email', address: `fresh-${alertId}@example.org` }),
    answers: { ...all(303), anonymous: 'login' },
  },
  'POST /me/channels/:channelId/:act': {
    path: ({ people }) => `/me/channels/${people.channelId}/test`,
    form: {},
    answers: { ...all(404), anonymous: 'login', 'north worker': 303 },
  },
  'POST /me/quiet-hours': {
    path: () => '/me/quiet-hours',
    form: { from: '22:00', until: '07:00' },
    answers: { ...all(303), anonymous: 'login' },
  },
  // Who was sent the test has its address.
  'GET /got/:messageId': { path: ({ people }) => `/got/${people.messageId}`, answers: all(200) },
  'POST /got/:messageId': { path: ({ people }) => `/got/${people.messageId}`, form: {}, answers: all(303) },
  // Each sees the people of their own communities.
  'GET /people': { path: () => '/people', answers: { ...care(200), 'south worker': 200, 'south supervisor': 200 } },
  'POST /people': {
    path: () => '/people',
    form: { name: '示例·邻居', community: 'north-community' },
    answers: { ...supervisorOnly(303), 'south supervisor': 400 },
  },
  'POST /people/family/:familyMemberId': {
    path: () => `/people/family/${north.family.familyMemberId}`,
    form: {},
    answers: supervisorOnly(303),
  },
  'GET /people/:staffId': volunteer('', 200),
  'POST /people/:staffId/channels': volunteer('/channels', 303, { kind: 'email', address: 'fresh@example.org' }),
  'POST /people/:staffId/channels/:channelId/:act': {
    path: ({ people }) => `/people/${encodeURIComponent(people.volunteerId)}/channels/${people.theirs}/remove`,
    form: {},
    answers: supervisorOnly(303),
  },
  'POST /people/:staffId/quiet-hours': volunteer('/quiet-hours', 303, { end: '1' }),
  'POST /people/:staffId/residents/:residentId': {
    path: ({ people }) => `/people/${encodeURIComponent(people.volunteerId)}${resident()}`,
    form: {},
    answers: supervisorOnly(303),
  },
  'POST /people/:staffId/residents/:residentId/end': {
    path: ({ people }) =>
      `/people/${encodeURIComponent(people.volunteerId)}/residents/${north.residents[1]!.residentId}/end`,
    form: {},
    answers: supervisorOnly(303),
  },
  // Of the family only: this one is a volunteer.
  'POST /people/:staffId/asking': volunteer('/asking', 404, { agreed: 'yes' }),
  'POST /people/:staffId/end': volunteer('/end', 303, {}),
  'GET /push/key': { path: () => '/push/key', answers: all(200) },
  // By a browser that knows its old keys, logged in or not; this one does not.
  'POST /push/renew': { path: () => '/push/renew', form: {}, answers: all(400) },
  'GET /push-worker.js': { path: () => '/push-worker.js', answers: all(200) },
  'GET /manifest.webmanifest': { path: () => '/manifest.webmanifest', answers: all(200) },
  'GET /assets/:version/:file': { path: () => '/assets/any/style.css', answers: all(200) },
  'GET /healthz': { path: () => '/healthz', answers: all(200) },
  'GET /readyz': { path: () => '/readyz', answers: all(200) },
  'GET /metrics': { path: () => '/metrics', answers: all(200) },
}

/** The night after tomorrow of somebody of north. */
function shownShift(who: 'worker' | 'colleague'): Record<string, string> {
  const from = testNow.getTime() + 2 * 86_400_000
  return { staff: north.staff[who].staffId, from: String(from), until: String(from + 8 * 3_600_000) }
}

/** What only these may show of north's residents; everywhere else their names, addresses and phones must not be. */
const showsByToken = new Set([
  'GET /p/:token',
  'POST /p/:token',
  ...['en-route', 'arrived', 'close', 'undo'].map((step) => `POST /p/:token/${step}`),
  'GET /f/:token',
  'GET /f/:token/away',
  'GET /ask/:token',
])

let database: TestDatabase
let dashboard: TestDashboard
let base: string
let north: Community
let familyToken: string
let feedToken: string
let incidentId: number
const cookies: Partial<Record<Viewer, string>> = {}

beforeAll(async () => {
  database = await startTestDatabase()
  const { db } = database
  dashboard = await createTestDashboard(db)
  north = await seedCommunity(db, { key: 'north', now: testNow })
  const south = await seedCommunity(db, { key: 'south', now: testNow })
  familyToken = north.family.token
  await db.query('update family_members set may_set_away = true')
  const worker = { staffId: north.staff.operator.staffId, communityId: north.communityId }
  feedToken = await issueRosterFeed(db, { ...worker, onlyOwn: false, now: testNow })
  for (const who of ['worker', 'colleague'] as const) {
    const { staff, from, until } = shownShift(who)
    await db.query('insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ($1, $2, $3, $4)', [
      north.communityId,
      staff,
      new Date(Number(from)),
      new Date(Number(until)),
    ])
  }
  incidentId = await seedIncident(db, { ...north, now: testNow })
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
  return {
    alertId,
    linkToken,
    commandId: asked.commandId,
    ...(await freshDevices(alertId)),
    people: await freshPeople(),
    asked: await seedAsked(db, north, { now: testNow }),
  }
}

async function freshPeople(): Promise<FreshPeople> {
  const { db } = database
  const by = { by: north.staff.supervisor.staffId, communityIds: [north.communityId], now: testNow }
  const channelOf = async (staffId: string) => {
    await db.query('delete from staff_channels where staff_id = $1', [staffId])
    const channel = { kind: 'email', address: `${randomUUID()}@example.org`, secret: null }
    const added = await addChannel(db, { staffId, channel, now: testNow })
    if (added.kind !== 'added') throw new Error(added.kind)
    return added.channelId
  }
  const volunteerId = await addVolunteer(db, {
    name: '示例·邻居',
    phone: null,
    language: 'zh',
    communityId: north.communityId,
    ...by,
  })
  await agreeFor(db, { staffId: volunteerId, residentId: north.residents[1]!.residentId, ...by })
  const [theirs, channelId] = [await channelOf(volunteerId), await channelOf(north.staff.worker.staffId)]
  await queueChannelTest(db, { staffId: volunteerId, channelId: theirs, text: { zh: '', en: '' }, now: testNow })
  const { rows } = await db.query<{ id: string }>('select message_id as id from messages where staff_id = $1', [
    volunteerId,
  ])
  return { channelId, volunteerId, theirs, messageId: rows[0]!.id }
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
  // A gateway announces so many and no more.
  await db.query('delete from announced_devices where gateway_id = $1', [gatewayId])
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
    // So many asks a minute each link has.
    if (route.includes('/f/:token')) dashboard.clock.advance(61_000)
    for (const viewer of viewers) {
      const p = await fresh()
      const { answer, body } = await ask(route, row, viewer, p)
      expect(answer, viewer).toBe(row.answers[viewer])
      if (route === 'POST /logout') await logInAgain(viewer)
      if (route.endsWith('/link') || route.endsWith('/revoke')) await renewFamilyLink()
      const isAsked = /\/(spoken|send-now)$| \/ask\//.test(route)
      const about = isAsked ? p.asked.alertId : p.alertId
      const { stage } = (await database.db.query('select stage from alerts where alert_id = $1', [about])).rows[0]
      // There is nothing of theirs to take back.
      const acted =
        route.startsWith('POST') &&
        answer === 303 &&
        /alertId|[^f]\/:token/.test(route) &&
        !/\/(undo|send|send-now|mark)$/.test(route)
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
    ['south worker', `/roster?${inNorth()}`, '/roster?community=nowhere'],
    ['south worker', `/roster/paged?resident=${north.residents[0]!.residentId}`, '/roster/paged?resident=nobody'],
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
