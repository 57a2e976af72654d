import { afterAll, beforeAll, expect, test } from 'vitest'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { publishPacket, type RawClient, rawClient } from '../broker/testkit.js'
import { readingTopic } from '../ingest/contract.js'
import { systemClock as clock } from '../kit/clock.js'
import { type Random, seededRandom, whole } from '../simulators/random.js'
import { gatewaySecret, registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { eventually, seedOf } from './support/processes.js'
import { startRoles } from './support/roles.js'
import { startWebhookReceiver, type WebhookReceiver } from './support/webhook-receiver.js'

// What a gateway sends twice, three times, with the DUP flag and without, late and in the wrong order.
const minuteMs = 60_000
let database: TestDatabase
let receiver: WebhookReceiver
let roles: Awaited<ReturnType<typeof startRoles>>

beforeAll(async () => {
  database = await startTestDatabase()
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, {
    key: 'd',
    homes: 6,
    channelsOf: () => [{ kind: 'webhook', address: receiver.url, secret: webhookSecret }],
  })
  roles = await startRoles({ db: database.db, channels: [webhookChannel({ clock })] })
})
afterAll(async () => {
  await roles?.stop()
  await receiver?.stop()
  await database?.stop()
})

async function connect(home: number): Promise<RawClient> {
  const client = rawClient(roles.ports)
  const username = `d-${home}`
  const code = await client.connect({ username, password: Buffer.from(gatewaySecret(username)), clientId: username })
  expect(code).toBe(0)
  return client
}
const publish = (
  home: number,
  kind: 'water' | 'button' | 'smoke' | 'gas',
  body: object,
  messageId: number,
  dup = false,
) =>
  Object.assign(
    publishPacket(readingTopic(`d-${home}`, `d-${home}-${kind}`, kind), messageId, { payload: JSON.stringify(body) }),
    { dup },
  )
async function acknowledged(client: RawClient, count: number): Promise<number[]> {
  const ids: number[] = []
  while (ids.length < count) ids.push(((await client.next('puback')) as { messageId: number }).messageId)
  return ids.sort((a, b) => a - b)
}
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
const storedOf = async (deviceId: string) =>
  (
    await rows(
      `select round(extract(epoch from observed_at) * 1000)::float8 as ts, event, value
         from readings join devices using (device_no) where device_id = $1 order by observed_at, event`,
      [deviceId],
    )
  ).map(({ ts, event, value }) => ({ ts, event, value }))
const alertsOf = (home: number, kind: string) =>
  rows('select alert_id from alerts where resident_id = $1 and kind = $2', [`d-${home}`, kind])
const pagesOf = async (home: number) => {
  const about = () =>
    receiver.requests.filter(({ json }) => (json?.resident as { id: string } | undefined)?.id === `d-${home}`)
  await eventually('a page', () => about().length > 0 || undefined)
  return about()
}
const quarantined = async () => (await rows('select count(*)::int as n from quarantine'))[0].n

test('the same message id again with DUP, before and after its PUBACK: acknowledged each time, stored and paged once', async () => {
  const client = await connect(1)
  const ts = Date.now()
  const press = { ts, event: 'pressed' }
  client.send(
    publish(1, 'button', press, 7),
    publish(1, 'button', press, 7, true),
    publish(1, 'button', press, 7, true),
  )
  expect(await acknowledged(client, 3)).toEqual([7, 7, 7])
  client.send(publish(1, 'button', press, 7, true), publish(1, 'water', { ts, litres: 1 }, 7, true))
  expect(await acknowledged(client, 2)).toEqual([7, 7])
  expect(await storedOf('d-1-button')).toHaveLength(1)
  expect(await storedOf('d-1-water')).toHaveLength(1)
  expect(await pagesOf(1)).toHaveLength(1)
  // Once somebody was there, a press is a new call: but not one that was made before.
  await rows("update alerts set stage = 'closed', outcome = 'resident fine', closed_at = $1, due_at = null", [
    new Date(),
  ])
  client.send(publish(1, 'button', press, 8, true))
  expect(await acknowledged(client, 1)).toEqual([8])
  expect(await alertsOf(1, 'button')).toHaveLength(1)
  expect(await quarantined()).toBe(0)
})

test('the same reading thrice, at once, in an array and on two connections, with another message id each time', async () => {
  const [one, two] = [await connect(2), await connect(2)]
  const ts = Date.now()
  const reading = { ts, litres: 5 }
  // The second login took the client id over from the first: what the first has under way is not answered there.
  await one.closed
  two.send(
    publish(2, 'water', reading, 1),
    publish(2, 'water', [reading, reading, { ts: ts + 1, litres: 6 }], 2),
    publish(2, 'water', reading, 3),
    publish(2, 'smoke', { ts, alarm: true }, 4),
    publish(
      2,
      'smoke',
      [
        { ts, alarm: true },
        { ts, alarm: true },
      ],
      5,
    ),
  )
  expect(await acknowledged(two, 5)).toEqual([1, 2, 3, 4, 5])
  expect(await storedOf('d-2-water')).toEqual([
    { ts, event: '', value: 5 },
    { ts: ts + 1, event: '', value: 6 },
  ])
  expect(await alertsOf(2, 'smoke')).toHaveLength(1)
  expect(await pagesOf(2)).toHaveLength(1)
  expect(await rows("select from alert_events where kind = 'repeat'")).toEqual([])
  expect(await quarantined()).toBe(0)
})

test('newest first: a meter, and an alarm that cleared and came again', async () => {
  const client = await connect(3)
  const from = Date.now() - 30 * minuteMs
  const at = (minute: number) => from + minute * minuteMs
  const litres = Array.from({ length: 20 }, (_, i) => ({ ts: at(i), litres: i }))
  const alarms = [
    { ts: at(1), alarm: true },
    { ts: at(2), alarm: false },
    { ts: at(25), alarm: true },
  ]
  const messages = [
    ...litres.map((body) => ({ kind: 'water' as const, body })),
    ...alarms.map((body) => ({ kind: 'gas' as const, body })),
  ].reverse()
  client.send(...messages.map(({ kind, body }, i) => publish(3, kind, body, i + 1)))
  expect(await acknowledged(client, messages.length)).toHaveLength(messages.length)
  expect((await storedOf('d-3-water')).map(({ value }) => value)).toEqual(litres.map((each) => each.litres))
  expect((await storedOf('d-3-gas')).map(({ event }) => event)).toEqual(['alarm', 'clear', 'alarm'])
  // An alarm that is 24 minutes older than the newest one is one of its own; both came, and both are paged.
  const alerts = (await alertsOf(3, 'gas')).length
  expect(alerts).toBeGreaterThanOrEqual(1)
  expect(alerts).toBeLessThanOrEqual(2)
})

test('whatever is repeated and shuffled: each reading is stored once, each home that rang is paged, nothing is quarantined', async () => {
  const random = seededRandom(seedOf('duplicates'), 'duplicates')
  const before = await quarantined()
  for (const home of [4, 5, 6]) {
    const client = await connect(home)
    const from = Date.now() - 60 * minuteMs
    const distinct = Array.from({ length: 60 }, (_, i) => someMessage(random, from + i * minuteMs, i))
    const sent = shuffled(
      random,
      distinct.flatMap((message) => Array.from({ length: whole(random, 1, 3) }, () => message)),
    )
    client.send(...sent.map(({ kind, body }, i) => publish(home, kind, body, (i % 40) + 1, random() < 0.5)))
    await acknowledged(client, sent.length)
    for (const kind of ['water', 'button', 'smoke']) {
      const expected = distinct.filter((message) => message.kind === kind).map(({ body }) => body.ts)
      expect(
        (await storedOf(`d-${home}-${kind}`)).map(({ ts }) => ts),
        `${kind} of home ${home}`,
      ).toEqual(expected)
      const rang = distinct.filter((message) => message.kind === kind && message.rings).length
      const alerts = kind === 'water' ? 0 : (await alertsOf(home, kind)).length
      expect(alerts, `alerts of ${kind}`).toBeGreaterThanOrEqual(Math.min(rang, 1))
      expect(alerts, `alerts of ${kind}`).toBeLessThanOrEqual(rang)
    }
  }
  expect(await quarantined()).toBe(before)
})

function someMessage(random: Random, ts: number, nth: number) {
  const kind = (['water', 'button', 'smoke'] as const)[whole(random, 0, 2)]!
  const rings = random() < 0.6
  if (kind === 'water') return { kind, body: { ts, litres: nth }, rings: false }
  if (kind === 'button') return { kind, body: { ts, event: rings ? 'pressed' : 'cancelled' }, rings }
  return { kind, body: { ts, alarm: rings }, rings }
}

function shuffled<T>(random: Random, list: T[]): T[] {
  return list
    .map((item) => ({ item, at: random() }))
    .sort((a, b) => a.at - b.at)
    .map(({ item }) => item)
}
