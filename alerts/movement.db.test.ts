import { afterAll, beforeAll, expect, test } from 'vitest'
import { insertReadings } from '../db/readings.js'
import { handWord } from '../db/words.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { registerCommunity } from '../test/support/community.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { createArrivalFolder } from './fold-arrivals.js'

let database: TestDatabase
let work: () => Promise<'more' | 'idle'>
const start = new Date('2026-06-01T00:00:00Z')
const clock = manualClock(start)
const minute = 60_000

beforeAll(async () => {
  database = await startTestDatabase()
  await registerCommunity(database.db, { key: 'm', homes: 5, now: start })
  for (const kind of ['motion', 'door', 'voice'])
    await database.db.query(
      `insert into devices (device_id, kind, gateway_id, resident_id, bound_at)
       select gateway_id || '-' || $1, $1, gateway_id, gateway_id, $2 from gateways`,
      [kind, start],
    )
  work = createArrivalFolder({
    db: database.db,
    clock,
    log: createLog({ role: 'test', level: 'silent' }),
    signal: createSignal(),
  })
})
afterAll(() => database.stop())

const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows
async function say(deviceId: string, said: { at: number; event?: string; value?: number }[]) {
  const [{ device_no: deviceNo }] = await rows('select device_no from devices where device_id = $1', [deviceId])
  await insertReadings(
    database.db,
    said.map(({ at, event = '', value }) => ({
      deviceNo,
      observedAt: at,
      receivedAt: at,
      event,
      value,
      clockWrong: false,
    })),
  )
}
async function foldUntil(at: number) {
  clock.set(new Date(at + 2_000))
  while ((await work()) !== 'idle');
}

test('“I’m fine” ends a silence that nobody has taken, and is noted where somebody is on the way; a door ends none; help and a carer say nothing of how she is', async () => {
  const at = (minutes: number) => start.getTime() + minutes * minute
  const homes = ['m-1', 'm-2', 'm-3', 'm-4', 'm-5']
  for (const home of homes)
    await say(
      `${home}-water`,
      Array.from({ length: 147 }, (_, i) => ({ at: at(5 * i), value: 100 })),
    )
  await foldUntil(at(730))
  await database.db.query("update alerts set stage = 'en_route', handled_by = 'm-worker' where resident_id = 'm-2'")
  for (const home of ['m-1', 'm-2']) await say(`${home}-voice`, [{ at: at(735), event: 'fine' }])
  await say('m-3-door', [{ at: at(735), event: 'open' }])
  await say('m-4-voice', [{ at: at(735), event: 'help' }])
  await handWord(database.db, { residentId: 'm-5', word: { type: 'visit', at: at(735), receivedAt: at(735) } })
  await foldUntil(at(736))
  const alerts = await rows(
    `select resident_id, stage, outcome, array(select e.detail -> 'headline' ->> 'zh' from alert_events e
                                                where e.alert_id = a.alert_id and e.kind = 'cleared') as cleared
       from alerts a where kind = 'silent_12h' order by resident_id`,
  )
  const said = ['20:15 在语音面板上报了平安。']
  expect(alerts).toEqual([
    { resident_id: 'm-1', stage: 'closed', outcome: 'resident fine', cleared: said },
    { resident_id: 'm-2', stage: 'en_route', outcome: null, cleared: said },
    { resident_id: 'm-3', stage: 'open', outcome: null, cleared: [] },
    { resident_id: 'm-4', stage: 'closed', outcome: 'other', cleared: ['20:15 在语音面板上求助。'] },
    { resident_id: 'm-5', stage: 'closed', outcome: 'other', cleared: ['20:15 有人上门照看。'] },
  ])
})

test('the one word that lists of residents have of it: used while somebody was seen lately', async () => {
  const seenAt = clock.now().getTime()
  await say('m-3-motion', [{ at: seenAt, event: 'motion' }])
  await foldUntil(seenAt)
  const [known] = await rows("select * from resident_knowledge where resident_id = 'm-3'")
  expect(known).toMatchObject({ knowledge: 'used', last_use_at: new Date(seenAt) })
  expect(known.holds_until).toEqual(new Date(seenAt + 120 * minute))
})

test('a kind that nobody knows cannot be registered', async () => {
  await expect(database.db.query("update devices set kind = 'toaster' where device_id = 'm-1-motion'")).rejects.toThrow(
    'devices_kind_check',
  )
})
