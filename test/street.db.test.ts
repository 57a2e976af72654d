import { afterAll, beforeAll, expect, test } from 'vitest'
import { createEscalator } from '../alerts/escalate-due.js'
import { createArrivalFolder } from '../alerts/fold-arrivals.js'
import { holdMsMax } from '../alerts/holds.js'
import type { ReadingArrival } from '../alerts/model.js'
import { onsetMs } from '../alerts/quiet-streets.js'
import { flowsOf } from '../alerts/rules/flows.js'
import { emptyState, fold, knowledge } from '../alerts/rules/fold.js'
import { dayQuarters, type Gap, gapQuarters, gapStart } from '../alerts/rules/routine.js'
import { createQuietStreetWatch } from '../alerts/watch-quiet-streets.js'
import { openAlert } from '../db/alerts.js'
import { saveStates } from '../db/fold.js'
import { insertReadings, type ReadingRow } from '../db/readings.js'
import { commitAlarms } from '../ingest/alarms.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createSignal } from '../kit/signal.js'
import { chance, seededRandom, whole } from '../simulators/random.js'
import { registerCommunity, webhookSecret } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'

// One morning in two streets whose water is cut at 09:00, by hourly meters. In the one (s) it comes back at 12:30, in the
// other (t) it does not. Homes 19 and 20 of each had fallen before; homes 31 to 35 of s live in another street.
const minute = 60_000
const hour = 60 * minute
const day = 24 * hour
const at = (words: string) => Date.parse(`2026-03-04T${words}:00+08:00`)
const begun = at('05:00')
/** Two who had fallen before: in the begun, and after a glass of water at night. */
const fallen = new Map([
  [19, at('03:30')],
  [20, at('00:00') - 3 * hour],
])
const cutAt = at('09:00')
const backAt = at('12:30')
const warmupDays = 42
const context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }

type Home = { residentId: string; key: string; n: number; deviceNo: number; offset: number; litres: number }
let database: TestDatabase
let homes: Home[]
let pressedBy = ''
const clock = manualClock(new Date(begun))
const log = createLog({ role: 'test', level: 'silent' })
const signal = createSignal()
let loops: { fold: () => Promise<'more' | 'idle'>; escalate: () => Promise<unknown>; look: () => Promise<unknown> }
const rows = async (sql: string, values: unknown[] = []) => (await database.db.query(sql, values)).rows

/** What a restart leaves: nothing in memory. */
const start = () => {
  const deps = { db: database.db, clock, log, signal }
  loops = {
    fold: createArrivalFolder({ ...deps, alarmsPerMonth: context.alarmsPerMonth }),
    escalate: createEscalator(deps),
    look: createQuietStreetWatch(deps),
  }
}

beforeAll(async () => {
  database = await startTestDatabase()
  const channelsOf = () => [{ kind: 'webhook' as const, address: 'http://127.0.0.1:9/', secret: webhookSecret }]
  await registerCommunity(database.db, { key: 's', homes: 35, now: clock.now(), channelsOf })
  await registerCommunity(database.db, { key: 't', homes: 20, now: clock.now(), channelsOf })
  homes = (await rows("select resident_id, device_no from devices where kind = 'water' order by device_no")).map(
    ({ resident_id: residentId, device_no: deviceNo }) => {
      const [key, n] = residentId.split('-') as [string, string]
      return { residentId, key, n: Number(n), deviceNo, offset: (Number(n) * 7) % 60, litres: 1_000 }
    },
  )
  for (const { residentId, key, n } of homes)
    await rows('update residents set address = $2 where resident_id = $1', [
      residentId,
      key === 's' && n > 30 ? `样板街 ${n} 号` : `示例路 ${n} 号 101 室`,
    ])
  await warmUp()
  start()
})
afterAll(() => database?.stop())

const livesElsewhere = ({ key, n }: Home) => key === 's' && n > 30

/** Litres in the hour that ends at `to`. */
function used(home: Home, to: number): number {
  const random = seededRandom('street', home.residentId, Math.floor(to / hour))
  const localHour = Math.floor(((to + 8 * hour) % day) / hour)
  const busy = 0.72 + 0.2 * seededRandom('busy', home.residentId)()
  const litres = chance(random, localHour >= 6 && localHour < 22 ? busy : 0.03) ? whole(random, 3, 30) : 0
  if (to <= at('00:00') - 3 * hour) return litres
  const fellAt = fallen.get(home.n)
  if (!livesElsewhere(home) && fellAt !== undefined)
    return to - fellAt > 0 && to - fellAt <= hour ? 8 : to > fellAt ? 0 : litres
  if (livesElsewhere(home) || to <= cutAt) return litres
  if (home.key === 't' || to <= backAt) return to - hour < cutAt ? litres : 0
  // When the water is back everybody fills a pot.
  return to - hour <= backAt ? 12 : litres
}

async function warmUp() {
  const states = homes.map((home) => {
    const arrivals: ReadingArrival[] = []
    const from = Math.floor((begun - warmupDays * day) / hour) * hour + home.offset * minute
    for (let to = from; to <= begun; to += hour) {
      home.litres += used(home, to)
      arrivals.push({
        type: 'reading',
        deviceNo: home.deviceNo,
        kind: 'water',
        observedAt: to,
        receivedAt: to,
        event: '',
        value: home.litres,
      })
    }
    const { state, wakeAt } = fold(emptyState(), arrivals, begun, context)
    const { knowledge: word, lastUseAt } = knowledge(state, begun)
    return {
      residentId: home.residentId,
      state,
      wakeAt,
      knowledge: word,
      lastUseAt,
      holdsUntil: null,
      flows: flowsOf(state),
    }
  })
  await rows("insert into resident_state (resident_id, state, folded_at) select unnest($1::text[]), 'null', $2", [
    states.map(({ residentId }) => residentId),
    clock.now(),
  ])
  await saveStates(database.db, { states, now: clock.now() })
}

/** Whatever is open has a time at which somebody looks at it again. */
const forgotten = () =>
  rows("select alert_id, kind from alerts where stage <> 'closed' and severity <> 'notice' and due_at is null")

async function passUntil(until: number, stepMs = 5 * minute) {
  while (clock.now().getTime() < until) {
    const from = clock.now().getTime()
    clock.set(new Date(from + stepMs))
    const readings: ReadingRow[] = []
    for (const home of homes)
      for (let to = Math.floor(from / hour) * hour + home.offset * minute; to <= from + stepMs; to += hour) {
        if (to <= from) continue
        home.litres += used(home, to)
        readings.push({
          deviceNo: home.deviceNo,
          observedAt: to,
          receivedAt: to,
          event: '',
          value: home.litres,
          clockWrong: false,
        })
      }
    if (readings.length > 0) await insertReadings(database.db, readings)
    for (let i = 0; i < 20 && (await loops.fold()) === 'more'; i += 1);
    // Two processes at once.
    await Promise.all([loops.look(), loops.look()])
    await loops.escalate()
    expect(await forgotten()).toEqual([])
  }
}

type Row = {
  residentId: string
  home: number
  kind: string
  stage: string
  outcome: string | null
  openedAt: Date
  askedUntil: Date | null
  heldSince: Date | null
  heldUntil: Date | null
  pagedAt: Date | null
  since: number
}
/** What was opened since the morning, but notices. */
const alertsOf = async (key: string): Promise<Row[]> =>
  (
    await rows(
      `select resident_id as "residentId", kind, stage, outcome, opened_at as "openedAt", asked_until as "askedUntil",
              held_since as "heldSince", held_until as "heldUntil", (reason->>'since')::float8 as since,
              (select min(created_at) from pages p where p.alert_id = a.alert_id) as "pagedAt"
         from alerts a where community_id = $1 and severity <> 'notice' and opened_at > $2 order by opened_at, alert_id`,
      [key, new Date(begun)],
    )
  ).map((row) => ({ ...row, home: Number(row.residentId.split('-')[1]) }))
const silences = async (key: string) =>
  (await alertsOf(key)).filter(({ kind, since }) => kind === 'silence_unusual' && since > cutAt - day)
const incidentsOf = (key: string) =>
  rows(
    `select kind, place, opened_at as "openedAt", last_at as "lastAt", closed_at as "closedAt",
            (select array_agg(resident_id) from incident_homes h where h.incident_id = i.incident_id) as homes
       from incidents i where community_id = $1 order by incident_id`,
    [key],
  )
const messagesOf = async (key: string) =>
  (
    await rows(
      "select staff_id, text_zh from messages where kind = 'incident' and staff_id like $1 order by created_at, staff_id",
      [`${key}-%`],
    )
  ).map(({ staff_id, text_zh }) => `${staff_id}: ${text_zh}`)

test('the morning goes by: one incident a street, and nobody is told of its silence twice', async () => {
  await passUntil(at('08:30'), 10 * minute)
  expect(await rows('select from incidents')).toEqual([])
  await passUntil(at('12:20'))
  for (const key of ['s', 't']) {
    const incidents = await incidentsOf(key)
    expect(incidents).toHaveLength(1)
    const [{ kind, place, openedAt, homes: silent }] = incidents
    expect({ kind, place }).toEqual({ kind: 'no water', place: key === 's' ? '示例路' : '' })
    // The hour in which it was cut is told at its end, and nothing is unusual before 2 h of it.
    expect((openedAt.getTime() - cutAt) / hour).toBeLessThanOrEqual(3.2)
    expect(silent.length).toBeGreaterThanOrEqual(key === 's' ? 27 : 17)
    expect(silent).not.toContain('s-31')
    expect(await messagesOf(key)).toEqual([
      expect.stringMatching(new RegExp(`^${key}-operator: 示例社区 ${key}.*同时没有用水，可能停水`)),
      expect.stringMatching(new RegExp(`^${key}-supervisor: `)),
    ])
  }
  start()
})

test('an emergency, and a silence of a day, is paged at once in the middle of it', async () => {
  const waiting = async () =>
    (await silences('t')).find(({ heldUntil, stage }) => heldUntil !== null && stage === 'open')
  while (!(await waiting())) await passUntil(clock.now().getTime() + 10 * minute)
  const { residentId } = (await waiting())!
  pressedBy = residentId
  const [{ device_no: deviceNo }] = await rows('select device_no from devices where device_id = $1', [
    `${residentId}-button`,
  ])
  const now = clock.now()
  await database.db.transaction((tx) =>
    commitAlarms(
      tx,
      [
        {
          deviceNo,
          residentId,
          kind: 'button',
          event: 'pressed',
          observedAt: now.getTime(),
          receivedAt: now.getTime(),
          room: '',
          retained: false,
          clockWrong: false,
        },
      ],
      now,
    ),
  )
  await database.db.transaction((tx) =>
    openAlert(
      tx,
      {
        residentId,
        deviceNo: null,
        kind: 'silent_24h',
        openedAt: now,
        observedAt: now,
        headline: { zh: '示例', en: 'sample' },
        reason: { since: cutAt },
      },
      now,
    ),
  )
  const all = (await alertsOf('t')).filter((alert) => alert.residentId === residentId)
  expect(all.map(({ kind, pagedAt, heldUntil }) => [kind, pagedAt?.getTime() ?? null, heldUntil === null])).toEqual([
    ['silence_unusual', null, false],
    ['button', now.getTime(), true],
    ['silent_24h', now.getTime(), true],
  ])
  await expect(rows("update alerts set held_since = $1, held_until = $1 where kind = 'button'", [now])).rejects.toThrow(
    'alerts_held_kind',
  )
})

test('where the water comes back, what was held clears and nobody was paged; she who had fallen before was', async () => {
  await passUntil(at('14:35'))
  const [incident] = await incidentsOf('s')
  expect(incident.closedAt).not.toBeNull()
  expect((incident.closedAt.getTime() - backAt) / hour).toBeLessThanOrEqual(1)
  expect(await messagesOf('s')).toHaveLength(4)
  const street = (await silences('s')).filter(({ home }) => home <= 30)
  for (const [n, fellAt] of fallen) {
    const her = street.find(({ home }) => home === n)!
    expect(her).toMatchObject({ stage: 'open', heldUntil: null })
    expect(her.since - fellAt).toBeLessThanOrEqual(hour)
    expect((her.pagedAt!.getTime() - her.openedAt.getTime()) / minute).toBeLessThanOrEqual(35)
  }
  const others = street.filter(({ home }) => !fallen.has(home))
  const held = others.filter(({ heldUntil }) => heldUntil !== null)
  expect(held.length).toBeGreaterThanOrEqual(3)
  expect(held.map(({ stage, outcome, pagedAt }) => ({ stage, outcome, pagedAt }))).toEqual(
    held.map(() => ({ stage: 'closed', outcome: 'resident fine', pagedAt: null })),
  )
  // Nobody has learned from it.
  const states = await rows("select state->'routine'->'gaps' as gaps from resident_state where resident_id = any($1)", [
    incident.homes,
  ])
  const today = Math.floor((cutAt + 8 * hour) / day) * dayQuarters
  const learned = states.flatMap(({ gaps }: { gaps: Gap[] }) =>
    gaps.filter((gap) => gapStart(gap) >= today + 7 * 4 && gapStart(gap) <= today + 10 * 4 && gapQuarters(gap) >= 10),
  )
  expect(learned).toEqual([])
  // The rest was asked, and paged for, before anybody could know.
  for (const { pagedAt, askedUntil, heldUntil } of others)
    if (heldUntil === null && pagedAt) expect(askedUntil!.getTime()).toBeLessThanOrEqual(incident.openedAt.getTime())
})

test('where it does not come back, each is paged after 2 h', async () => {
  await passUntil(at('16:30'))
  const [incident] = await incidentsOf('t')
  expect(incident.closedAt).toBeNull()
  // Who has pressed the button is not silent.
  const held = (await silences('t')).filter(
    ({ heldUntil, residentId }) => heldUntil !== null && residentId !== pressedBy,
  )
  expect(held.length).toBeGreaterThanOrEqual(8)
  for (const { openedAt, heldUntil, pagedAt, since, home } of held) {
    expect(heldUntil!.getTime()).toBe(openedAt.getTime() + holdMsMax)
    const isDue = heldUntil!.getTime() <= at('16:25')
    if (isDue) expect((pagedAt!.getTime() - heldUntil!.getTime()) / minute).toBeLessThanOrEqual(5)
    expect(pagedAt === null || pagedAt >= heldUntil!).toBe(true)
    expect(since).toBeGreaterThanOrEqual(incident.lastAt.getTime() - onsetMs)
    expect(fallen.has(home)).toBe(false)
  }
  // Nothing was told twice, and nothing is told of for the second time.
  expect(await messagesOf('t')).toHaveLength(2)
  expect(await incidentsOf('t')).toHaveLength(1)
})
