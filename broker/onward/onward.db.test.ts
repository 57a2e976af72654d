import { connectAsync } from 'mqtt'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { openAlert } from '../../db/alerts.js'
import { manualClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { verifySecret } from '../../kit/secret-hash.js'
import { registerCommunity } from '../../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { eventually } from '../../test/support/processes.js'
import { startBroker } from '../testkit.js'
import { homeAssistantUser } from './home-assistant.js'
import { homeAssistantReader } from './home-assistant-login.js'
import { createOnward } from './onward.js'

const now = new Date('2026-06-01T04:00:00Z')
const secret = 'invented-home-assistant-secret'
let database: TestDatabase

beforeAll(async () => {
  database = await startTestDatabase()
  for (const key of ['a', 'b']) await registerCommunity(database.db, { key, homes: 2, now })
})
afterAll(() => database.stop())

test('Home Assistant hears of its communities alone: what is known, what is wrong, and who is gone', async () => {
  const { db } = database
  const broker = await startBroker({ readers: [await homeAssistantReader(secret)], verify: verifySecret })
  const onward = createOnward({
    db,
    communityIds: ['a'],
    language: 'zh',
    publish: (topic, payload) => broker.broker.publishOnward(topic, payload, { retain: true }).kind === 'published',
    clock: manualClock(now),
    log: createLog({ role: 'test', level: 'silent' }),
  })
  onward.start()
  const client = await connectAsync(`mqtt://127.0.0.1:${broker.mqttPort}`, {
    username: homeAssistantUser,
    password: secret,
    clientId: 'ha',
  })
  const newest = new Map<string, string>()
  client.on('message', (topic, payload) => void newest.set(topic, payload.toString()))
  const stateOf = (residentId: string) => {
    const text = newest.get(`shouwang/residents/${residentId}/state`)
    return text ? JSON.parse(text) : undefined
  }
  try {
    await client.subscribeAsync(['homeassistant/#', 'shouwang/#'])
    await eventually('two residents', () => (stateOf('a-1') && stateOf('a-2')) || undefined)
    expect(stateOf('a-1')).toMatchObject({ activity: '未知', emergency: 'OFF', alerts: 0 })
    expect(newest.get('shouwang/status')).toBe('online')

    const headline = { zh: '呼叫按钮于 12:00 按下。', en: 'Call button pressed at 12:00.' }
    const { rows } = await db.query("select device_no from devices where device_id = 'a-1-button'")
    const button = { residentId: 'a-1', deviceNo: rows[0].device_no, kind: 'button' as const }
    await db.transaction((tx) =>
      openAlert(tx, { ...button, openedAt: now, observedAt: now, headline, reason: {} }, now),
    )
    await db.query(
      `insert into resident_knowledge (resident_id, knowledge, last_use_at, holds_until)
       values ('a-1', 'used', $1, $2), ('a-2', 'not used', $1, $1)`,
      [now, new Date(now.getTime() + 60_000)],
    )
    await eventually('the alert', () => stateOf('a-1').emergency === 'ON' || undefined)
    expect(stateOf('a-1')).toMatchObject({ activity: '已使用', headline: headline.zh, kind: 'button', stage: 'open' })
    // What held until now holds no longer.
    expect(stateOf('a-2').activity).toBe('未知')

    await db.query("update residents set left_at = $1 where resident_id = 'a-1'", [now])
    const gone = ['shouwang/residents/a-1/state', 'homeassistant/device/shouwang-a-1/config']
    await eventually('gone', () => gone.every((topic) => newest.get(topic) === '') || undefined)
    expect([...newest.keys()].filter((topic) => /[/-]b-/.test(topic))).toEqual([])
    expect([...newest.values()].join()).not.toContain('示例路')
  } finally {
    await client.endAsync(true)
    await onward.stop()
  }
})
