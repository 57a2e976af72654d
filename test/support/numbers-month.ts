import type { AlertKind, Outcome } from '../../alerts/model.js'
import { severityOf } from '../../alerts/model.js'
import type { Queryable } from '../../db/pool.js'
import { hashSecret } from '../../kit/secret-hash.js'
import { fixturePassword } from './fixtures.js'

/** An invented station: a supervisor and four social workers who share the nights, an operator, and some homes. */
export type NumbersStation = {
  communityId: string
  supervisor: string
  operator: string
  /** Supervisor included. */
  staffIds: string[]
  residentIds: string[]
  /** Of each who can log in; the login is the id. */
  password: string
}

/** Registers an invented station, without an alert as yet. */
export async function seedNumbersStation(
  db: Queryable,
  {
    key,
    homes = 60,
    name = '示例社区·荷花里',
    timeZone = 'Asia/Shanghai',
  }: { key: string; homes?: number; name?: string; timeZone?: string },
): Promise<NumbersStation> {
  const communityId = `${key}-community`
  await db.query('insert into communities (community_id, name, time_zone) values ($1, $2, $3)', [
    communityId,
    name,
    timeZone,
  ])
  const hash = await hashSecret(fixturePassword)
  const people = [
    ['supervisor', '示例·李主管', 'supervisor'],
    ['zhang', '示例·张社工', 'social_worker'],
    ['chen', '示例·陈社工', 'social_worker'],
    ['lin', '示例·林社工', 'social_worker'],
    ['zhao', '示例·赵社工', 'social_worker'],
    ['operator', '示例·运维', 'operator'],
  ] as const
  for (const [short, person, role] of people) {
    const staffId = `${key}-${short}`
    await db.query('insert into staff (staff_id, name, role, login, password_hash) values ($1, $2, $3, $1, $4)', [
      staffId,
      person,
      role,
      hash,
    ])
    await db.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [staffId, communityId])
  }
  await db.query(
    `insert into residents (resident_id, community_id, name, address, time_zone, responsible_staff_id)
     select $1 || '-r' || n, $2, '示例·居民 ' || n, '示例路 ' || n || ' 号', $3, $1 || '-zhang' from generate_series(1, $4::int) n`,
    [key, communityId, timeZone, homes],
  )
  return {
    communityId,
    supervisor: `${key}-supervisor`,
    operator: `${key}-operator`,
    staffIds: people.filter(([, , role]) => role !== 'operator').map(([short]) => `${key}-${short}`),
    residentIds: Array.from({ length: homes }, (_, i) => `${key}-r${i + 1}`),
    password: fixturePassword,
  }
}

type Weighted<T extends string> = Partial<Record<T, number>>
/** How often each rule opens an alert, and what is found then, in per cent. */
const kinds = {
  button: { often: 22, found: { 'resident fine': 48, fall: 16, illness: 18, test: 13, other: 5 } },
  voice: { often: 4, found: { 'resident fine': 60, illness: 30, test: 10 } },
  smoke: { often: 5, found: { 'resident fine': 50, fire: 12, 'device fault': 30, test: 8 } },
  gas: { often: 2, found: { gas: 40, 'device fault': 60 } },
  silence_unusual: { often: 24, found: { 'resident fine': 74, illness: 10, fall: 6, 'device fault': 6, other: 4 } },
  silent_12h: { often: 15, found: { 'resident fine': 66, illness: 12, fall: 8, other: 14 } },
  silent_24h: { often: 4, found: { 'resident fine': 40, illness: 30, fall: 20, other: 10 } },
  water_running: { often: 17, found: { leak: 34, 'resident fine': 60, other: 6 } },
  leak: { often: 7, found: { leak: 70, 'device fault': 30 } },
} as const satisfies Partial<Record<AlertKind, { often: number; found: Weighted<Outcome> }>>

const second = 1_000
const minute = 60 * second
/** Medians of lognormal times, ms. */
const typical = {
  emergency: { page: 2 * second, taken: 42 * second, door: 14 * minute, close: 35 * minute, visited: 0.93 },
  urgent: { page: 3 * second, taken: 4 * minute, door: 30 * minute, close: 20 * minute, visited: 0.75 },
  warning: { page: 4 * second, taken: 22 * minute, door: 70 * minute, close: 15 * minute, visited: 0.45 },
} as const
/** Of 100 alerts, those that begin in each quarter of the day: few at night. */
const quarters = [12, 32, 30, 26]

/** Numbers in [0, 1) that are the same for the same seed (mulberry32). */
function dice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/**
 * A believable month of alerts with their history and pages; the same for the same `seed`. `month` is "YYYY-MM" by the
 * clock of the community; `slower` stretches the times that people take.
 */
export async function seedNumbersMonth(
  db: Queryable,
  p: { station: NumbersStation; month: string; alerts?: number; seed?: number; slower?: number },
): Promise<{ alertIds: number[] }> {
  const { station, month, alerts: count = 300, seed = 1, slower = 1 } = p
  const roll = dice(seed)
  const pick = <T extends string>(weights: Weighted<T>): T => {
    const entries = Object.entries(weights) as [T, number][]
    let left = roll() * entries.reduce((sum, [, weight]) => sum + weight, 0)
    for (const [name, weight] of entries) {
      left -= weight
      if (left < 0) return name
    }
    return entries[0]![0]
  }
  /** Lognormal about a median, with a long tail. */
  const about = (medianMs: number, spread = 0.8) => {
    const normal = Math.sqrt(-2 * Math.log(1 - roll())) * Math.cos(2 * Math.PI * roll())
    return Math.round(medianMs * Math.exp(spread * normal))
  }
  const {
    rows: [span],
  } = await db.query<{ from: Date; to: Date }>(
    `select ($1 || '-01')::timestamp at time zone time_zone as from,
            (($1 || '-01')::timestamp + interval '1 month') at time zone time_zone as to
       from communities where community_id = $2`,
    [month, station.communityId],
  )
  const from = span!.from.getTime()
  const days = Math.round((span!.to.getTime() - from) / 86_400_000)
  const openings = Array.from({ length: count }, () => {
    const quarter = pick(Object.fromEntries(quarters.map((weight, i) => [String(i), weight])) as Weighted<string>)
    return from + Math.floor(roll() * days) * 86_400_000 + Math.floor((Number(quarter) + roll()) * 6 * 60 * minute)
  }).sort((a, b) => a - b)

  const { rows: ids } = await db.query<{ id: number }>(
    "select nextval(pg_get_serial_sequence('alerts', 'alert_id')) as id from generate_series(1, $1::int)",
    [openings.length],
  )
  const told = { alerts: [] as object[], events: [] as object[], pages: [] as object[] }
  openings.forEach((openedMs, index) => {
    const alertId = ids[index]!.id
    const kind = pick(
      Object.fromEntries(Object.entries(kinds).map(([name, { often }]) => [name, often])),
    ) as keyof typeof kinds
    const severity = severityOf[kind]
    const usual = typical[severity]
    const at = (afterMs: number) => new Date(openedMs + afterMs).toISOString()
    const event = (what: string, afterMs: number, staffId: string | null, detail = {}) =>
      told.events.push({ alert_id: alertId, at: at(afterMs), kind: what, staff_id: staffId, detail })
    // Each has the nights of one week in four or so; by day whoever is responsible.
    const day = Math.floor((openedMs - from) / 86_400_000)
    const hour = Math.floor((openedMs - from) / 3_600_000) % 24
    const isNight = hour >= 22 || hour < 6
    const first =
      station.staffIds[
        isNight ? 1 + (Math.floor(day / 7) % (station.staffIds.length - 1)) : 1 + Math.floor(roll() * 4)
      ]!
    const deputy = station.staffIds[(station.staffIds.indexOf(first) % (station.staffIds.length - 1)) + 1]!
    const pageMs = about(usual.page, 0.6)
    const takenMs = Math.max(pageMs + 4 * second, about(usual.taken * slower, 0.9))
    const doorMs = takenMs + about(usual.door * slower, 0.5)
    const outcome = pick(kinds[kind].found as Weighted<Outcome>)
    const byItself = severity !== 'emergency' && outcome === 'resident fine' && roll() < 0.35
    const visited = !byItself && outcome !== 'test' && roll() < usual.visited
    const closedMs = byItself ? about(50 * minute) : (visited ? doorMs : takenMs) + about(usual.close)
    const takenAtAll = !byItself || takenMs < closedMs
    event('opened', 0, null)
    const page = (staffId: string, channel: string, step: number, afterMs: number) => {
      told.pages.push({ alert_id: alertId, step, staff_id: staffId, channel, at: at(afterMs), status: 'sent' })
      event('page sent', afterMs, null, { staffId, channel, step })
    }
    for (const channel of severity === 'emergency' ? ['webhook', 'email'] : ['webhook']) page(first, channel, 1, pageMs)
    if (severity === 'emergency' && takenMs > minute) page(deputy, 'webhook', 2, minute + about(2 * second))
    if (severity === 'emergency' && takenMs > 3 * minute)
      page(station.supervisor, 'webhook', 3, 3 * minute + about(2 * second))
    const by = takenMs > minute && roll() < 0.4 ? deputy : first
    if (takenAtAll && !byItself) event('acknowledged', takenMs, by)
    if (visited) {
      event('en_route', takenMs + Math.min(about(90 * second), doorMs - takenMs - second), by)
      event('arrived', doorMs, by)
    }
    event('closed', closedMs, byItself ? null : by, { outcome })
    told.alerts.push({
      alert_id: alertId,
      resident_id: station.residentIds[Math.floor(roll() * station.residentIds.length)],
      kind,
      severity,
      opened_at: at(0),
      handled_by: byItself ? null : by,
      outcome,
      closed_at: at(closedMs),
    })
  })
  await db.query(
    `insert into alerts (alert_id, resident_id, community_id, kind, severity, stage, opened_at, observed_at, headline_zh, headline_en, handled_by, outcome, closed_at, step)
     overriding system value
     select alert_id, resident_id, $2, kind, severity, 'closed', opened_at, opened_at, '示例预警。', 'An invented alert.', handled_by, outcome, closed_at, 1
       from jsonb_to_recordset($1) as t (alert_id bigint, resident_id text, kind text, severity text, opened_at timestamptz,
            handled_by text, outcome text, closed_at timestamptz)`,
    [JSON.stringify(told.alerts), station.communityId],
  )
  await db.query(
    `insert into alert_events (alert_id, at, kind, staff_id, detail)
     select * from jsonb_to_recordset($1) as t (alert_id bigint, at timestamptz, kind text, staff_id text, detail jsonb)`,
    [JSON.stringify(told.events)],
  )
  await db.query(
    `insert into pages (alert_id, round, step, staff_id, channel, position, status, created_at, attempts, next_attempt_at, sent_at)
     select alert_id, 0, step, staff_id, channel, case channel when 'webhook' then 1 else 2 end, status, at, 1, at, at
       from jsonb_to_recordset($1) as t (alert_id bigint, step int, staff_id text, channel text, status text, at timestamptz)`,
    [JSON.stringify(told.pages)],
  )
  return { alertIds: ids.map(({ id }) => id) }
}
