import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { webhookChannel } from '../alerts/channels/webhook.js'
import { readingTopic } from '../ingest/contract.js'
import { systemClock as clock } from '../kit/clock.js'
import { gatewaySecret, registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { eventually } from './support/processes.js'
import { startRoles } from './support/roles.js'
import { startWebhookReceiver, type WebhookReceiver } from './support/webhook-receiver.js'

let database: TestDatabase
let receiver: WebhookReceiver
let roles: Awaited<ReturnType<typeof startRoles>>

beforeAll(async () => {
  database = await startTestDatabase()
  receiver = await startWebhookReceiver({ secret: webhookSecret })
  await registerCommunity(database.db, {
    key: 'o',
    channelsOf: () => [{ kind: 'webhook', address: receiver.url, secret: webhookSecret }],
  })
  roles = await startRoles({ db: database.db, channels: [webhookChannel({ clock })] })
})
afterAll(async () => {
  await roles?.stop()
  await receiver?.stop()
  await database?.stop()
})

test('a page whose delivery cannot be noted, as on a full disk, is not sent again and again', async () => {
  const { db } = database
  await db.query(
    `create function full_disk() returns trigger language plpgsql as
       $$ begin raise exception 'could not extend file' using errcode = '53100'; end $$`,
  )
  await db.query(
    "create trigger full_disk before insert on alert_events for each row when (new.kind = 'page sent') execute function full_disk()",
  )
  const options = { username: 'o-1', password: gatewaySecret('o-1'), reconnectPeriod: 0 }
  const gateway = await connectAsync(roles.mqttUrl, options, false)
  const press = JSON.stringify({ ts: Date.now(), event: 'pressed' })
  await gateway.publishAsync(readingTopic('o-1', 'o-1-button', 'button'), press, { qos: 1 })
  await gateway.endAsync()
  await receiver.waitFor(1)
  await sleep(3_000)
  expect(receiver.requests).toHaveLength(1)
  await db.query('drop trigger full_disk on alert_events')
  const noted = async () => (await db.query("select from pages where status = 'sent'")).rows.length === 1 || undefined
  await eventually('the note', noted)
  expect(receiver.requests).toHaveLength(1)
})
