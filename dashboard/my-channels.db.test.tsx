import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { noteChannels } from '../db/channel-notes.js'
import { quietHoursOf } from '../db/quiet-hours.js'
import { addChannel, channelsOf } from '../db/staff-channels.js'
import { manualClock } from '../kit/clock.js'
import { openTestDashboard } from '../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'

let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let community: Community
let worker: string
const clock = manualClock(new Date('2026-03-10T06:05:00Z'))

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await openTestDashboard({ db: database.db, clock })
  community = await seedCommunity(database.db, { key: 'me', now: clock.now() })
  worker = community.staff.worker.staffId
})
afterAll(async () => {
  await dashboard.close()
  await database.stop()
})
beforeEach(async () => {
  for (const table of ['messages', 'staff_channels']) await database.db.query(`delete from ${table}`)
  clock.advance(3_600_000)
})

const ask = (path: string, form?: Record<string, string>, as = worker) =>
  dashboard.ask(path, { as, ...(form ? { form } : {}) })
const add = async (kind: string, address: string, secret: string | null = null) => {
  const added = await addChannel(database.db, { staffId: worker, channel: { kind, address, secret }, now: clock.now() })
  if (added.kind !== 'added') throw new Error(added.kind)
  return added.channelId
}
const own = () => channelsOf(database.db, worker)
const addresses = async () => (await own()).map(({ address }) => address)

test('the first line says whether Shouwang can reach me, and what to do about it', async () => {
  expect((await ask('/me')).text).toContain('You cannot be reached: no channel is set up')
  const channelId = await add('email', 'zhang@example.org')
  const fresh = await ask('/me')
  expect(fresh.text).toContain('nobody has seen a test arrive')
  expect(fresh.text).toContain('There is only one channel')
  await noteChannels(database.db, [{ channelId, at: clock.now(), result: 'failed', reason: 'connection refused' }])
  expect((await ask('/me')).text).toContain('It is doubtful that you can be reached')
  await noteChannels(database.db, [{ channelId, at: clock.now(), result: 'refused', reason: '550 no such user' }])
  const broken = await ask('/me')
  expect(broken.text).toContain('You cannot be reached: every usable channel was refused')
  expect(broken.text).toContain('550 no such user')
  await add('sms', '13800000000')
  expect((await ask('/me')).text).toContain('One of the channels does not work at the moment')
})

test('a channel is added where its address fits; what was typed stays in the form, the secret is never shown', async () => {
  const form = { kind: 'dingtalk', address: 'https://internal.example/robot', secret: 'SECabcdef' }
  const wrong = await ask('/me/channels', form)
  expect(wrong.status).toBe(400)
  expect(wrong.text).toContain('copied whole from the robot')
  expect(wrong.body).toContain('https://internal.example/robot')
  expect(wrong.body).not.toContain('SECabcdef')
  expect(await addresses()).toEqual([])
  const token = 'a'.repeat(64)
  const right = { ...form, address: `https://oapi.dingtalk.com/robot/send?access_token=${token}` }
  expect((await ask('/me/channels', right)).status).toBe(303)
  const page = await ask('/me')
  expect(page.text).toContain('oapi.dingtalk.com/…aaaa')
  expect(page.body).not.toContain(token)
  expect(page.body).not.toContain('SECabcdef')
  expect((await ask('/me/channels', right)).text).toContain('in the list already')
})

test('nobody but the operator enters a webhook: it goes wherever it is told to, and its answer is shown', async () => {
  const form = { kind: 'webhook', address: 'http://169.254.169.254/latest', secret: 'long-enough-secret' }
  expect((await ask('/me?add=webhook')).body).not.toContain('name="kind" value="webhook"')
  expect((await ask('/me/channels', form)).status).toBe(404)
  expect(await addresses()).toEqual([])
  expect((await ask('/me/channels', form, community.staff.operator.staffId)).status).toBe(303)
})

test('no more than ten', async () => {
  for (let i = 0; i < 10; i++) await add('sms', `1380000000${i}`)
  const full = await ask('/me/channels', { kind: 'sms', address: '13811111111' })
  expect(full.status).toBe(400)
  expect(full.text).toContain('ten channels already')
})

test('up and down change the order; a secret is replaced, which makes the channel untested; removing removes', async () => {
  const [a, b, c] = [
    await add('email', 'a@example.org'),
    await add('sms', '13800000002'),
    await add('ntfy', 'https://ntfy.sh/some-topic-3', 'tk_old'),
  ]
  const act = (id: string, what: string, form = {}) => ask(`/me/channels/${id}/${what}`, form)
  await act(c!, 'up')
  await act(a!, 'down')
  expect((await own()).map(({ channelId }) => channelId)).toEqual([c, a, b])
  // At the ends nothing happens.
  await act(c!, 'up')
  await act(b!, 'down')
  expect((await own()).map(({ channelId }) => channelId)).toEqual([c, a, b])
  await noteChannels(database.db, [{ channelId: c!, at: clock.now(), result: 'refused', reason: '401' }])
  await database.db.query('update staff_channels set confirmed_at = $1', [clock.now()])
  expect((await act(c!, 'secret', { secret: 'tk_fresh' })).status).toBe(303)
  expect((await own())[0]).toMatchObject({ brokenAt: null, confirmedAt: null, hasSecret: true })
  expect((await act(c!, 'secret', { secret: '中文' })).status).toBe(400)
  await act(a!, 'remove')
  expect((await own()).map(({ channelId }) => channelId)).toEqual([c, b])
})

test('a test says what became of it: on its way, sent, refused with what was said, confirmed', async () => {
  const id = await add('email', 'a@example.org')
  const state = async () => (await ask('/me')).text
  expect((await ask(`/me/channels/${id}/test`, {})).status).toBe(303)
  expect(await state()).toContain('on its way.')
  const soon = await ask(`/me/channels/${id}/test`, {})
  expect(soon.status).toBe(400)
  expect(soon.text).toContain('give it 20 seconds')
  const [{ message_id: messageId }] = (await database.db.query('select message_id from messages')).rows
  const attempt = (result: string, detail: string, status: string) =>
    database.db.query(
      `with a as (insert into message_attempts (message_id, channel, attempted_at, duration_ms, result, detail)
                  values ($1, 'email', $2, 12, $3, $4))
       update messages set status = $5 where message_id = $1`,
      [messageId, clock.now(), result, detail, status],
    )
  await attempt('retry', '421 busy', 'pending')
  expect(await state()).toMatch(/trying again\. It said: 421 busy/)
  await attempt('refused', '550 no such user', 'failed')
  expect(await state()).toMatch(/refused\. It said: 550 no such user/)
  await attempt('sent', '250 ok', 'sent')
  expect(await state()).toContain('sent. Open it and press')
  await attempt('delivered', 'answered', 'sent')
  expect(await state()).toContain('delivered. Open it')
  const got = await dashboard.ask(`/got/${messageId}`)
  expect(got.text).toContain('Did this test reach you?')
  expect((await own())[0]!.confirmedAt).toBeNull()
  expect((await dashboard.ask(`/got/${messageId}`, { form: {} })).status).toBe(303)
  expect((await dashboard.ask(`/got/${messageId}`)).text).toContain('Thank you. This channel works.')
  expect(await state()).toContain('arrived and confirmed.')
  expect((await ask('/me')).text).toContain('You can be reached')
  await database.db.query('delete from message_attempts')
})

test('a link that was never sent, or is none, leads nowhere', async () => {
  for (const id of ['00000000-0000-4000-8000-000000000000', 'x', "'"])
    expect((await dashboard.ask(`/got/${encodeURIComponent(id)}`)).status).toBe(410)
})

test('quiet hours are set by the clock of the community, said back, and ended', async () => {
  const page = await ask('/me/quiet-hours', { from: '22:30', until: '06:30:00' })
  expect(page.status).toBe(303)
  expect(await quietHoursOf(database.db, worker)).toEqual({
    from: '22:30',
    until: '06:30',
    timeZone: 'Asia/Shanghai',
  })
  const shown = (await ask('/me')).text
  expect(shown).toContain('Quiet from 22:30 to 06:30.')
  expect(shown).toContain('Emergencies ignore quiet hours, always.')
  for (const wrong of [
    { from: '22:30', until: '22:30' },
    { from: '', until: '06:00' },
    { from: '24:00', until: '06:00' },
  ])
    expect((await ask('/me/quiet-hours', wrong)).status).toBe(400)
  await ask('/me/quiet-hours', { end: '1' })
  expect(await quietHoursOf(database.db, worker)).toBeNull()
})

const keys = (letter: string) => ({ p256dh: letter.repeat(87), auth: letter.repeat(22) })
const renew = async (body: object) =>
  (await dashboard.app.inject({ method: 'POST', url: '/push/renew', payload: body })).statusCode

test('a browser subscribes once however often it asks, and a new address takes the place of the old one', async () => {
  const endpoint = 'https://fcm.googleapis.com/fcm/send/one'
  const form = { kind: 'web_push', address: endpoint, secret: JSON.stringify(keys('a')) }
  expect((await ask('/me/channels', form)).status).toBe(303)
  expect((await ask('/me/channels', form)).status).toBe(303)
  expect(await addresses()).toEqual([endpoint])
  const fresh = { endpoint: 'https://fcm.googleapis.com/fcm/send/two', keys: keys('b') }
  expect(await renew({ old: { endpoint, keys: keys('x') }, fresh })).toBe(404)
  expect(await renew({ old: { endpoint, keys: keys('a') }, fresh: { ...fresh, endpoint: 'https://10.0.0.1/x' } })).toBe(
    400,
  )
  expect(await renew({ old: { endpoint: `${endpoint}\u0000`, keys: keys('a') }, fresh })).toBe(400)
  expect(await addresses()).toEqual([endpoint])
  expect(await renew({ old: { endpoint, keys: { auth: keys('a').auth, p256dh: keys('a').p256dh } }, fresh })).toBe(200)
  expect(await addresses()).toEqual([fresh.endpoint])
})

test('the push key is the same for everybody, and the worker may serve the whole site', async () => {
  const key = async () => (await dashboard.ask('/push/key')).body
  expect(JSON.parse(await key()).publicKey).toMatch(/^[\w-]{87}$/)
  expect(await key()).toBe(await key())
  const worker = await dashboard.ask('/push-worker.js')
  expect(worker.headers['content-type']).toContain('javascript')
  // Classic scripts only: not every browser takes a module as a worker.
  expect(worker.body).not.toMatch(/^(import|export) /m)
  const csp = String((await dashboard.ask('/login')).headers['content-security-policy'])
  for (const part of ["default-src 'none'", "script-src 'self'", "worker-src 'self'", "manifest-src 'self'"])
    expect(csp).toContain(part)
})
