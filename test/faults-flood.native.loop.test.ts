import { setTimeout as sleep } from 'node:timers/promises'
import { connectAsync, type MqttClient } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { readingTopic } from '../ingest/contract.js'
import { gatewaySecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { startFlood } from './support/flood.js'
import { eventually, seedOf } from './support/processes.js'
import { buildingId, type Rig, rigKey, startRig } from './support/rig.js'

// One gateway publishes as fast as it can and waits for no acknowledgement; its neighbours must not notice.
const calmMs = 3_000
const floodMs = 5_000
const pauseMs = 20
let database: TestDatabase
let rig: Rig

beforeAll(async () => {
  database = await startTestDatabase()
  rig = await startRig({ db: database.db, databaseUrl: database.url, buttons: 50, seed: seedOf('faults-flood') })
})
afterAll(async () => {
  await rig?.stop()
  await database?.stop()
})

const connect = (gatewayId: string): Promise<MqttClient> =>
  connectAsync(rig.mqttUrl, { username: gatewayId, password: gatewaySecret(gatewayId), reconnectPeriod: 0 }, false)
const medianOf = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)]!
const p95Of = (list: number[]) => [...list].sort((a, b) => a - b)[Math.floor(list.length * 0.95)]!
const memoryOf = () => rig.edgeSample('process_resident_memory_bytes{role="edge"}')

/** From publish to PUBACK, in ms, one after the other for `forMs`. */
async function waits(client: MqttClient, topic: string, body: () => object, forMs: number) {
  const list: number[] = []
  const until = performance.now() + forMs
  while (performance.now() < until) {
    const startedAt = performance.now()
    await client.publishAsync(topic, JSON.stringify(body()), { qos: 1 })
    list.push(performance.now() - startedAt)
    await sleep(pauseMs)
  }
  return list
}

test('a gateway that floods is not read faster than it is committed: its neighbours and presses go on, nothing is lost', async () => {
  const from = Date.now() - 6 * 3_600_000
  const meterTopic = readingTopic(`${rigKey}-1`, `${rigKey}-1-water`, 'water')
  const [meter, building] = [await connect(`${rigKey}-1`), await connect(buildingId)]
  let readings = 0
  let presses = 0
  const reading = () => ({ ts: from + readings * 1_000, litres: readings++ })
  const press = () => ({ ts: Date.now(), event: 'pressed', nth: presses++ })
  const measure = async (forMs: number) => {
    const pressing = waits(building, readingTopic(buildingId, `button-${(presses % 50) + 1}`, 'button'), press, forMs)
    return { meters: await waits(meter, meterTopic, reading, forMs), presses: await pressing }
  }

  await measure(500)
  const calm = await measure(calmMs)
  const memoryBefore = await memoryOf()
  const flood = await startFlood({
    mqttUrl: rig.mqttUrl,
    gatewayId: `${rigKey}-2`,
    topic: readingTopic(`${rigKey}-2`, `${rigKey}-2-water`, 'water'),
    payloadOf: (nth) => `{"ts":${from + nth * 100},"litres":${nth}}`,
  })
  await eventually('a flood', () => flood.acknowledged() > 500 || undefined)
  let queuedMost = 0
  const watching = setInterval(async () => {
    queuedMost = Math.max(queuedMost, await rig.edgeSample('shouwang_ingest_queued_readings{role="edge"}'))
  }, 100)
  const flooded = await measure(floodMs)
  clearInterval(watching)
  const memoryGrown = (await memoryOf()) - memoryBefore
  const backlog = flood.sent() - flood.acknowledged()
  const perSecond = flood.acknowledged() / (floodMs / 1_000)
  flood.stop()
  await flood.done
  const { rows } = await database.db.query<{ n: number }>(
    'select count(*) as n from readings join devices using (device_no) where device_id = $1',
    [`${rigKey}-2-water`],
  )
  const text = (list: number[]) => `${medianOf(list).toFixed(0)}/${p95Of(list).toFixed(0)}`
  console.log(
    `flood ${flood.sent()} publishes, ${perSecond.toFixed(0)}/s, ${backlog} unanswered at its end, at most ${queuedMost} queued; meters ${text(calm.meters)} -> ${text(flooded.meters)} ms, ` +
      `presses ${text(calm.presses)} -> ${text(flooded.presses)} ms (median/p95); memory + ${(memoryGrown / 1e6).toFixed(0)} MB`,
  )
  expect(rows[0]!.n).toBe(flood.sent())
  expect(queuedMost, 'readings of the flood in the memory of the edge').toBeLessThan(300)
  expect(flood.sent() / (floodMs / 1_000), 'publishes a second').toBeGreaterThan(500)
  expect(medianOf(flooded.meters)).toBeLessThan(20 * medianOf(calm.meters) + 100)
  expect(medianOf(flooded.presses)).toBeLessThan(20 * medianOf(calm.presses) + 100)
  expect(memoryGrown).toBeLessThan(150_000_000)
  await Promise.all([meter.endAsync(), building.endAsync()])
})
