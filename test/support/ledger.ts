import { expect } from 'vitest'
import type { Database } from '../../db/pool.js'
import type { Load, Sent } from './gateway-load.js'
import { eventually } from './processes.js'
import type { WebhookReceiver } from './webhook-receiver.js'

const keyOf = ({ deviceId, ts }: { deviceId: string; ts: number | string }) => `${deviceId} ${ts}`

/**
 * Compares what gateways sent with what became of it, once the loads are done: each acknowledged reading is stored, once,
 * with its value, and nothing that was never sent; each acknowledged press has one alert, and a page about its resident
 * arrived. `msMax` is how long what was acknowledged may take to get there.
 */
export async function expectLedgerToBalance({
  db,
  loads,
  receiver,
  residentOf,
  msMax = 30_000,
}: {
  db: Database
  loads: Load[]
  receiver: WebhookReceiver
  residentOf: (deviceId: string) => string
  msMax?: number
}) {
  const sent = loads.flatMap((load) => load.sent)
  const acknowledged = sent.filter((reading) => reading.acknowledged)
  const presses = acknowledged.filter(({ value }) => value === null)
  let stored = new Map<string, Stored>()
  const lost = () => acknowledged.filter((reading) => stored.get(keyOf(reading))?.value !== reading.value)
  await eventually(
    '',
    async () => {
      stored = await storedReadings(db)
      return lost().length === 0 || undefined
    },
    msMax,
  ).catch(() => undefined)
  expect(lost().slice(0, 5), `${lost().length} acknowledged readings are not stored`).toEqual([])
  expect([...stored].filter(([, { times }]) => times !== 1).slice(0, 5), 'stored more than once').toEqual([])
  const known = new Set(sent.map(keyOf))
  expect([...stored.keys()].filter((key) => !known.has(key)).slice(0, 5), 'stored, but never sent').toEqual([])

  const alerts = await alertsByDevice(db)
  const wrong = (press: Sent) => alerts.get(press.deviceId) !== 1
  expect(presses.filter(wrong).slice(0, 5), 'presses without exactly one alert').toEqual([])
  const unpaged = () => {
    const paged = new Set(receiver.requests.map(({ json }) => (json?.resident as { id: string } | undefined)?.id))
    return presses.filter(({ deviceId }) => !paged.has(residentOf(deviceId)))
  }
  await eventually('', () => unpaged().length === 0 || undefined, msMax).catch(() => undefined)
  expect(unpaged().slice(0, 5), `${unpaged().length} presses that nobody was paged about`).toEqual([])
  return {
    sent: sent.length,
    acknowledged: acknowledged.length,
    presses: presses.length,
    pages: receiver.requests.length,
  }
}

type Stored = { value: number | null; times: number }

async function storedReadings(db: Database): Promise<Map<string, Stored>> {
  const { rows } = await db.query<{ device_id: string; ts: string } & Stored>(
    `select device_id, round(extract(epoch from observed_at) * 1000)::text as ts, min(value) as value, count(*) as times
       from readings join devices using (device_no) group by 1, 2`,
  )
  return new Map(rows.map(({ device_id, ts, value, times }) => [keyOf({ deviceId: device_id, ts }), { value, times }]))
}

async function alertsByDevice(db: Database): Promise<Map<string, number>> {
  const { rows } = await db.query<{ device_id: string; n: number }>(
    `select device_id, count(*) as n from alerts join devices using (device_no) where alerts.kind = 'button' group by 1`,
  )
  return new Map(rows.map(({ device_id, n }) => [device_id, n]))
}
