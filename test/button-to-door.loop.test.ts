import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { emailChannel } from '../alerts/channels/email.js'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { readingTopic } from '../ingest/contract.js'
import { systemClock as clock } from '../kit/clock.js'
import { gatewaySecret, registerCommunity, staffPassword, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { startRoles } from './support/roles.js'
import { startSmtpServer } from './support/smtp-server.js'
import { startWebhookReceiver } from './support/webhook-receiver.js'

const presses = 200
const homes = presses + 1

let database: TestDatabase
let receiver: Awaited<ReturnType<typeof startWebhookReceiver>>
let smtp: Awaited<ReturnType<typeof startSmtpServer>>
let roles: Awaited<ReturnType<typeof startRoles>>
let gateway: MqttClient

beforeAll(async () => {
  database = await startTestDatabase()
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  smtp = await startSmtpServer()
  await registerCommunity(database.db, {
    key: 'e',
    channelsOf: (who) => [
      { kind: 'webhook', address: `${receiver.url}/${who}`, secret: webhookSecret },
      { kind: 'email', address: `${who}@example.org` },
    ],
  })
  // One gateway for a building: a call button in each of its homes.
  await database.db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select 'flat-' || n, 'e', '示例·居民 ' || n, '示例路 ' || n || ' 号', 'Asia/Shanghai', 'e-worker' from generate_series(1, $1) n`,
    [homes],
  )
  await database.db.query(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at)
     select 'button-' || n, 'button', 'e-1', 'flat-' || n, '卫生间', now() from generate_series(1, $1) n`,
    [homes],
  )
  roles = await startRoles({
    db: database.db,
    channels: [
      webhookChannel({ clock }),
      emailChannel({ smtpUrl: smtp.url, from: 'Shouwang <shouwang@example.org>', clock }),
    ],
  })
  gateway = await connectAsync(roles.mqttUrl, { username: 'e-1', password: gatewaySecret('e-1'), protocolVersion: 4 })
})
afterAll(async () => {
  await gateway?.endAsync()
  await roles?.stop()
  await Promise.all([receiver?.stop(), smtp?.stop()])
  await database?.stop()
})

const press = (n: number) =>
  gateway.publishAsync(
    readingTopic('e-1', `button-${n}`, 'button'),
    JSON.stringify({ ts: Date.now(), event: 'pressed' }),
    { qos: 1 },
  )

type WebhookPage = {
  pageId: string
  alertId: string
  resident: { id: string }
  step: number
  url: string
  headline: { zh: string; en: string }
}
const pageOf = (residentId: string) =>
  receiver.requests.find(
    (request) => (request.json as WebhookPage).resident.id === residentId && (request.json as WebhookPage).step === 1,
  )

async function eventually<T>(what: () => T | undefined | Promise<T | undefined>, msMax = 5_000): Promise<T> {
  const end = Date.now() + msMax
  for (;;) {
    const found = await what()
    if (found) return found
    if (Date.now() > end) throw new Error(`not seen within ${msMax} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}

const percentile = (values: number[], p: number) =>
  [...values].sort((a, b) => a - b)[Math.ceil((p / 100) * values.length) - 1]!

test('200 presses, one after the other: the webhook and the mail server have each page, p99 under 250 ms', async () => {
  await press(homes) // opens the connections to the receivers
  await eventually(() => smtp.mails.length > 0 || undefined)
  const webhookMs: number[] = []
  const mailMs: number[] = []
  for (let n = 1; n <= presses; n++) {
    const mailsBefore = smtp.mails.length
    const startedAt = performance.now()
    const published = press(n)
    await eventually(() => pageOf(`flat-${n}`))
    webhookMs.push(performance.now() - startedAt)
    await eventually(() => smtp.mails.length > mailsBefore || undefined)
    mailMs.push(performance.now() - startedAt)
    await published
  }
  for (const [name, values] of [
    ['webhook', webhookMs],
    ['e-mail', mailMs],
  ] as const)
    console.log(
      `button pressed -> ${name}: p50 ${percentile(values, 50).toFixed(0)} ms, p99 ${percentile(values, 99).toFixed(0)} ms, max ${Math.max(...values).toFixed(0)} ms over ${presses}`,
    )
  expect(percentile(webhookMs, 99)).toBeLessThan(250)
  expect(percentile(mailMs, 99)).toBeLessThan(250)
  expect(receiver.requests.every((request) => request.signatureValid)).toBe(true)
  const { rows } = await database.db.query("select count(*) as n from alerts where kind = 'button'")
  expect(rows[0].n).toBe(homes)
})

test('from the page to the door: acknowledged by the link, arrived, closed with an outcome, and the history shows it', async () => {
  const page = pageOf('flat-1')!.json as WebhookPage
  const path = new URL(page.url).pathname
  const opened = await fetch(`${roles.publicUrl}${path}`)
  expect(opened.status).toBe(200)
  const stageOf = async () =>
    (await database.db.query('select stage, handled_by from alerts where alert_id = $1', [page.alertId])).rows[0]
  expect(await stageOf()).toMatchObject({ stage: 'open' }) // a mail scanner that opens the link changes nothing

  const origin = { origin: roles.publicUrl, 'sec-fetch-site': 'same-origin' }
  const confirmed = await fetch(`${roles.publicUrl}${path}`, { method: 'POST', headers: origin, redirect: 'manual' })
  expect(confirmed.status).toBeLessThan(400)
  expect(await stageOf()).toEqual({ stage: 'acknowledged', handled_by: 'e-worker' })
  const again = await fetch(`${roles.publicUrl}${path}`, { method: 'POST', headers: origin, redirect: 'manual' })
  expect(again.status).toBe(410)

  const form = { 'content-type': 'application/x-www-form-urlencoded', ...origin }
  const login = await fetch(`${roles.publicUrl}/login`, {
    method: 'POST',
    headers: form,
    body: new URLSearchParams({ login: 'e-worker', password: staffPassword }),
    redirect: 'manual',
  })
  const cookie = login.headers.get('set-cookie')!.split(';')[0]!
  const act = (action: string, body: Record<string, string> = {}) =>
    fetch(`${roles.publicUrl}/alerts/${page.alertId}/${action}`, {
      method: 'POST',
      headers: { ...form, cookie },
      body: new URLSearchParams(body),
      redirect: 'manual',
    })
  expect((await act('arrived')).status).toBe(303)
  expect((await act('close')).status).not.toBe(303) // closing needs an outcome
  expect(await stageOf()).toMatchObject({ stage: 'arrived' })
  expect((await act('close', { outcome: 'fall', note: '已送医' })).status).toBe(303)

  const { rows } = await database.db.query(
    'select kind, via, staff_id, at from alert_events where alert_id = $1 order by alert_event_id',
    [page.alertId],
  )
  expect(rows.map((row) => row.kind)).toEqual([
    'opened',
    'told',
    'page sent',
    'page sent',
    'acknowledged',
    'arrived',
    'closed',
  ])
  expect(rows.find((row) => row.kind === 'acknowledged')).toMatchObject({ via: 'link', staff_id: 'e-worker' })
  expect(rows.find((row) => row.kind === 'closed')).toMatchObject({ via: 'console', staff_id: 'e-worker' })
  const times = rows.map((row) => row.at.getTime())
  expect(times).toEqual([...times].sort((a, b) => a - b))
  const { rows: alerts } = await database.db.query(
    'select stage, outcome, outcome_note, due_at from alerts where alert_id = $1',
    [page.alertId],
  )
  expect(alerts[0]).toEqual({ stage: 'closed', outcome: 'fall', outcome_note: '已送医', due_at: null })
})
