import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { noteAnnounced } from '../../db/announced.js'
import { nativeDeviceId } from '../../ingest/dialects/native-id.js'
import { manualClock } from '../../kit/clock.js'
import { verifySecret } from '../../kit/secret-hash.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'

const now = new Date('2026-03-10T06:27:00Z')
const clock = manualClock(now)
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let north: Community
let south: Community
let seeded = 0

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await openTestDashboard({ db: database.db, clock })
})
afterAll(async () => {
  await dashboard.close()
  await database.stop()
})
beforeEach(async () => {
  seeded += 1
  north = await seedCommunity(database.db, { key: `n${seeded}`, now })
  south = await seedCommunity(database.db, { key: `s${seeded}`, now })
})

type Who = 'worker' | 'colleague' | 'supervisor' | 'operator'
const ask = (path: string, who: Who, form?: Record<string, string>, of = north) =>
  dashboard.ask(path, { as: of.staff[who].staffId, ...(form ? { form } : {}) })
const add = (form: Record<string, string>, who: Who = 'supervisor') =>
  ask('/gateways', who, { dialect: 'zigbee2mqtt', community: north.communityId, id: `${north.key}-z2m`, ...form })
const gatewayRow = async (id: string) =>
  (
    await database.db.query(
      `select gateway_id, community_id, label, dialect, base_topics, dialect_settings, via, registered_by, secret_hash
         from gateways where gateway_id = $1`,
      [id],
    )
  ).rows[0]
const secretIn = (body: string) => /id="secret-once">([^<]+)</.exec(body)?.[1] ?? ''

async function announce(gatewayId: string, nativeId: string, more: { name?: string; fields?: object } = {}) {
  const deviceId = nativeDeviceId(gatewayId, nativeId, 'button')
  await noteAnnounced(database.db, [
    {
      gatewayId,
      deviceId,
      nativeId,
      kind: 'button',
      name: more.name,
      model: undefined,
      fields: more.fields as Record<string, unknown> | undefined,
      seenAt: now.getTime(),
    },
  ])
  return deviceId
}

test('a gateway is stored as the form says, and its secret is shown once and stored as a hash', async () => {
  const page = await ask('/gateways/new?dialect=zigbee2mqtt', 'supervisor')
  expect(page.body).toContain(`value="${north.communityId}-gw1"`)
  const shown = await add({ label: '3 栋 <i>地下室</i>' })
  expect(shown.status).toBe(200)
  expect(shown.headers['cache-control']).toBe('no-store')
  expect(shown.body).toContain('class="qr"')
  const secret = secretIn(shown.body)
  const row = await gatewayRow(`${north.key}-z2m`)
  expect(row).toMatchObject({
    community_id: north.communityId,
    label: '3 栋 <i>地下室</i>',
    dialect: 'zigbee2mqtt',
    base_topics: [],
    via: 'own',
    registered_by: north.staff.supervisor.staffId,
  })
  expect(await verifySecret(secret, row.secret_hash)).toBe(true)
  const pages = await Promise.all(['/gateways', `/gateways/${north.key}-z2m`].map((path) => ask(path, 'supervisor')))
  for (const { body } of pages) {
    expect(body).not.toContain(secret)
    expect(body).not.toContain('<i>')
  }
})

test.each([
  ['wmbusmeters', '', '-t &quot;v1/{id}/wmbusmeters/$METER_ID&quot; -m &quot;$METER_JSON&quot;'],
  ['tasmota', '', 'FullTopic v1/{id}/%prefix%/%topic%/'],
  ['shelly', '', 'MQTT prefix: v1/{id}/shelly-1'],
  [
    'chirpstack',
    '',
    'event_topic=&quot;v1/{id}/application/{{application_id}}/device/{{dev_eui}}/event/{{event}}&quot;',
  ],
  ['thingsboard', 'v1/gateway', '&quot;type&quot;: &quot;usernamePassword&quot;'],
  ['zigbee2mqtt', 'zigbee2mqtt', 'base_topic: &#39;zigbee2mqtt&#39;'],
  ['aliyun', '/sys/a1ExampleKey/device1', '/sys/a1ExampleKey/device1'],
  ['v1', '', 'v1/{id}'],
])('the settings of %s are in its own words, with host, user and secret', async (dialect, topics, expected) => {
  const id = `${north.key}-${dialect}`
  const { status, body } = await add({ dialect, id, topics })
  expect(status).toBe(200)
  const plain = body.replaceAll("'", '&#39;').replaceAll('"', '&quot;').replaceAll('&amp;', '&')
  expect(plain.includes(expected.replaceAll('{id}', id)), expected).toBe(true)
  for (const part of ['shouwang.example', '8883', id]) expect(body.includes(part), part).toBe(true)
  expect(secretIn(body)).toMatch(/^[\w-]{20}$/)
  expect((await gatewayRow(id)).base_topics).toEqual(topics === '' ? [] : [topics])
})

test('what cannot be registered is said, and what was typed stays', async () => {
  const wrong = async (form: Record<string, string>, words: string, who: Who = 'supervisor', status = 400) => {
    const answer = await add({ label: 'kept <b>words</b>', ...form }, who)
    expect(answer.status).toBe(status)
    expect(answer.text).toContain(words)
    expect(answer.body).toContain('kept &lt;b')
    expect(secretIn(answer.body)).toBe('')
  }
  await wrong({ community: south.communityId }, 'choose one of your communities')
  await wrong({ id: 'with space' }, 'The id needs letters')
  await wrong({ id: 'new' }, 'reserved word')
  await wrong({ id: 'gateway' }, 'reserved word')
  await wrong({ topics: 'zigbee2mqtt/#' }, 'without + and #')
  await wrong({ topics: `v1/${south.gatewayId}` }, 'kept for Shouwang itself')
  await wrong({ topics: '$SYS/broker' }, 'belong to the broker')
  await wrong({ topics: 'a\na/b' }, 'lies below another one')
  await wrong({ dialect: 'thingsboard' }, 'at least one topic')
  await wrong({ dialect: 'generic', mapping: '{' }, 'The mapping cannot be used')
  await wrong({ dialect: 'generic', mapping: '{"rules": []}' }, 'The mapping cannot be used')
  await wrong({ id: south.gatewayId }, 'Please take another id', 'supervisor', 409)
  await wrong({ id: north.gatewayId }, 'has been added already', 'supervisor', 409)
  expect((await add({ dialect: 'nonsense' })).status).toBe(400)
  expect((await gatewayRow(south.gatewayId)).community_id).toBe(south.communityId)
  const { rows } = await database.db.query('select from gateways where registered_by = $1', [
    north.staff.supervisor.staffId,
  ])
  expect(rows).toEqual([])
})

test('only an operator takes topics of another broker, and none that is taken', async () => {
  const attached = { via: 'attached', topics: `site-${seeded}/z2m` }
  expect((await add(attached)).status).toBe(400)
  expect((await add({ via: 'attached' }, 'operator')).status).toBe(400)
  const added = await add(attached, 'operator')
  expect(added.status).toBe(200)
  expect(secretIn(added.body)).toBe('')
  expect(await gatewayRow(`${north.key}-z2m`)).toMatchObject({ via: 'attached', secret_hash: '' })
  expect(await verifySecret('', '')).toBe(false)
  for (const topics of [attached.topics, `${attached.topics}/kitchen`, `site-${seeded}`])
    expect((await add({ ...attached, topics, id: 'other' }, 'operator')).text).toContain('has this topic already')
  expect((await ask(`/gateways/${north.key}-z2m/secret/rotate`, 'operator', {})).status).toBe(404)
})

test('a mapping is tried out on a message before it is saved, and nothing is kept of that', async () => {
  const mapping = JSON.stringify({
    rules: [
      {
        name: 'meters',
        topic: 'meters/+/state',
        kind: 'water',
        device: { segment: 2 },
        fields: { litres: { path: 'total', unit: 'm3' } },
      },
    ],
  })
  const tried = (tryTopic: string, tryMessage: string, text = mapping) =>
    add({ dialect: 'generic', action: 'try', mapping: text, tryTopic, tryMessage })
  const good = await tried('meters/w1/state', '{"total": 12.345}')
  expect(good.text).toContain('Water meter w1')
  expect(good.text).toContain('"litres":12345')
  expect((await tried('meters/w1/state', '{"total": -1}')).text).toMatch(/reads nothing from this message.*wrong type/)
  expect((await tried('other/w1', '{"total": 1}')).text).toContain('meters: this rule is for other topics')
  expect((await tried('meters/w1/state', '{"total"')).text).toContain('Not valid JSON')
  expect((await tried('meters/<script>/state', '{"total": 1}')).body).not.toContain('<script>/')
  expect((await tried('x', '{}', '{"rules":[{"topic":"#","kind":"tea"}]}')).text).toContain('rules.0.kind')
  expect(await gatewayRow(`${north.key}-z2m`)).toBeUndefined()
  await add({ dialect: 'generic', mapping })
  expect((await gatewayRow(`${north.key}-z2m`)).dialect_settings).toEqual(JSON.parse(mapping))
})

test('a secret is rotated with an overlap, the overlap ended, the secret revoked; each on record', async () => {
  const id = `${north.key}-z2m`
  const first = secretIn((await add({})).body)
  const rotated = await ask(`/gateways/${id}/secret/rotate`, 'supervisor', {})
  const second = secretIn(rotated.body)
  expect(second).not.toBe(first)
  expect(rotated.text).toContain('goes on working until')
  const page = async () => (await ask(`/gateways/${id}`, 'supervisor')).text
  expect(await page()).toMatch(/goes on working until .*14:27/)
  expect(await page()).toContain('End the old one now')
  expect((await ask(`/gateways/${id}/secret/end-overlap`, 'supervisor', {})).status).toBe(303)
  expect(await page()).not.toContain('goes on working until')
  expect((await ask(`/gateways/${id}/secret/revoke`, 'operator', {})).status).toBe(303)
  const after = await page()
  expect(after).toContain('Revoked: no secret works')
  expect(after).toContain(`revoked · ${north.staff.operator.name}`)
  expect(await verifySecret(second, (await gatewayRow(id)).secret_hash)).toBe(false)
  // A social worker claims devices, and has no business with secrets.
  expect((await ask(`/gateways/${id}`, 'worker')).text).not.toContain('secret')
})

test('who comes second to claim is told who was first and for whom', async () => {
  await add({})
  const id = `${north.key}-z2m`
  const deviceId = await announce(id, '0x01', { name: 'SOS' })
  const path = `/gateways/${id}/devices/${deviceId}/claim`
  const claim = (who: Who, i: number) =>
    ask(path, who, { resident: north.residents[i]!.residentId, room: 'Bedroom', otherRoom: '' })
  expect((await ask(path, 'worker')).text).toContain('Whose is this call button?')
  expect((await claim('worker', 0)).status).toBe(303)
  const second = await claim('colleague', 1)
  expect(second.status).toBe(409)
  expect(second.text).toContain(
    `${north.staff.worker.name} has just claimed this device for ${north.residents[0]!.name}.`,
  )
  // And who only opens the form, too.
  expect((await ask(path, 'supervisor')).text).toContain(`${north.staff.worker.name} has just claimed`)
  const looks = await database.db.query(`select staff_id from access_log where page = 'device bound'`)
  expect(looks.rows).toContainEqual({ staff_id: north.staff.worker.staffId })
})

test('an incomplete claim is asked for again; a forged one is none', async () => {
  await add({})
  const id = `${north.key}-z2m`
  const path = `/gateways/${id}/devices/${await announce(id, '0x01')}/claim`
  const [resident, other] = [north.residents[0]!.residentId, south.residents[0]!.residentId]
  expect((await ask(path, 'worker', { room: 'Hall' })).text).toContain('Please choose a resident.')
  const noRoom = await ask(path, 'worker', { resident })
  expect(noRoom.text).toContain('Please say which room')
  expect(noRoom.body).toMatch(new RegExp(`value="${resident}"[^>]*checked|checked[^>]*value="${resident}"`))
  expect((await ask(path, 'worker', { resident: other, room: 'Hall' })).text).toContain('not of the community')
  expect((await ask(path, 'worker', { resident, room: 'Hall' }, south)).status).toBe(404)
  expect((await ask(path.replace(id, south.gatewayId), 'worker', { resident, room: 'Hall' })).status).toBe(404)
  const { rows } = await database.db.query('select from devices where gateway_id = $1', [id])
  expect(rows).toEqual([])
})

test('an operator claims and moves by the id of a resident, and sees no name on any of the pages', async () => {
  await add({})
  const id = `${north.key}-z2m`
  const deviceId = await announce(id, '0x01', { fields: { event: 'pressed' } })
  const base = `/gateways/${id}/devices/${deviceId}`
  const [first, second] = north.residents.map(({ residentId }) => residentId) as [string, string]
  const bodies = [(await ask(`${base}/claim?q=${first}`, 'operator')).body]
  expect(bodies[0]).toContain(first)
  expect((await ask(`${base}/claim`, 'operator', { resident: first, room: '卧室' })).status).toBe(303)
  bodies.push((await ask(`${base}/claim`, 'operator')).body)
  const move = `${base}/move?${new URLSearchParams({ resident: second, room: '厨房' })}`
  for (const path of [`${base}/test`, `${base}/move`, move, `${base}/unbind`, `/gateways/${id}`])
    bodies.push((await ask(path, 'operator')).body)
  for (const body of bodies)
    for (const { name } of north.residents) {
      expect(body).not.toContain(name)
      expect(body).not.toContain('示例路')
    }
})

test('a move names both, and changes nothing when the device hangs elsewhere by then', async () => {
  await add({})
  const id = `${north.key}-z2m`
  const deviceId = await announce(id, '0x01')
  const base = `/gateways/${id}/devices/${deviceId}`
  const [first, second] = north.residents as [Community['residents'][0], Community['residents'][0]]
  await ask(`${base}/claim`, 'worker', { resident: first.residentId, room: '卧室' })
  const query = new URLSearchParams({ resident: second.residentId, room: '厨房', otherRoom: '阳台' })
  const confirm = await ask(`${base}/move?${query}`, 'worker')
  expect(confirm.text).toContain(`From ${first.name}`)
  expect(confirm.text).toContain(`Move it to ${second.name}`)
  expect(confirm.text).toContain('阳台')
  const from = /name="from" value="(\d+)"/.exec(confirm.body)![1]!
  const form = { from, resident: second.residentId, room: '阳台' }
  expect((await ask(`${base}/move`, 'worker', form)).status).toBe(303)
  const late = await ask(`${base}/move`, 'colleague', { ...form, resident: first.residentId })
  expect(late.status).toBe(409)
  expect(late.text).toContain('somebody else moved or unbound')
  expect((await ask(`${base}/unbind`, 'colleague', { from })).status).toBe(409)
  expect((await ask(`${base}/move`, 'worker', { ...form, from: 'x' })).status).toBe(400)
  const { rows } = await database.db.query(
    'select resident_id from devices where device_id = $1 and unbound_at is null',
    [deviceId],
  )
  expect(rows).toEqual([{ resident_id: second.residentId }])
})

test('the test page says what to do, what counts, and how it ended', async () => {
  await add({})
  const id = `${north.key}-z2m`
  const deviceId = await announce(id, '0x01')
  const base = `/gateways/${id}/devices/${deviceId}`
  const { residentId } = north.residents[0]!
  await ask(`${base}/claim`, 'worker', { resident: residentId, room: '卧室' })
  const running = await ask(`${base}/test`, 'worker')
  expect(running.text).toContain('Press the button now')
  expect(running.text).toContain(
    'While this page is open, until 14:37 at the latest, the first alarm of this device is',
  )
  expect(running.text).toContain('ends the test within 90 seconds')
  expect(running.text).toContain('The gateway itself is not connected')
  expect(running.body).toContain('data-refresh="1500"')
  expect(running.body).toContain('http-equiv="refresh"')
  expect((await ask(`/residents/${residentId}`, 'worker')).text).toContain('Test running')
  expect((await ask(`${base}/test/end`, 'worker', {})).status).toBe(303)
  const ended = await ask(`${base}/test`, 'worker')
  expect(ended.text).toContain('Nothing has come')
  expect(ended.body).not.toContain('data-refresh="1500"')
  expect((await ask(`/residents/${residentId}`, 'worker')).text).toContain('Not tested yet')
  expect((await ask(`/gateways/${id}`, 'worker')).text).toContain('Not tested yet')
})

test('names that gateways give their devices come alive on no page', async () => {
  await add({})
  const id = `${north.key}-z2m`
  const names = ['<script>alert(1)</script>', '呼叫‮按钮', '名'.repeat(200), '"><img src=x onerror=alert(1)>']
  for (const [i, name] of names.entries()) {
    const deviceId = await announce(id, `0x0${i}`, { name })
    const { body, status } = await ask(`/gateways/${id}/devices/${deviceId}/claim`, 'worker')
    expect(status).toBe(200)
    expect(body).not.toMatch(/<script>alert|<img|‮/)
  }
  const { body } = await ask(`/gateways/${id}`, 'worker')
  expect(body).not.toMatch(/<script>alert|<img|‮/)
  expect(body).toContain('名'.repeat(200))
})

test('the test of an alarm device goes on while its page is asked for, and ends when nobody asks', async () => {
  await add({})
  const id = `${north.key}-z2m`
  const page = `/gateways/${id}/devices/${await announce(id, '0x01')}/test`
  const { residentId } = north.residents[0]!
  await ask(page.replace(/test$/, 'claim'), 'worker', { resident: residentId, room: '卧室' })
  for (let asked = 0; asked < 3; asked++) {
    expect((await ask(page, 'worker')).text).toContain('Press the button now')
    clock.advance(60_000)
  }
  clock.advance(30_000)
  expect((await ask(page, 'worker')).text).toContain('Nothing has come')
  expect((await ask(page, 'worker')).text).toContain('its page was closed')
})
