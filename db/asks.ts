import {
  type Ask,
  type Asked,
  type AskWay,
  askMsMax,
  asksFirst,
  callsPerPersonMax,
  callTaskMessage,
  homeAnswerMsMax,
  nextAsk,
  taskSendMsMax,
} from '../alerts/asking.js'
import { begin } from '../alerts/escalation.js'
import type { Headline, Language, Severity } from '../alerts/model.js'
import { clockText } from '../alerts/page-message.js'
import { recordAlertEvent } from './alert-events.js'
import { loadChain } from './chain.js'
import { askableDevices } from './commands.js'
import { queueMessage } from './messages.js'
import type { Queryable } from './pool.js'

export type AskEnd = 'settled' | 'taken' | 'unanswered' | 'failed' | 'sent for'

type About = { alertId: number; residentId: string; severity: Severity; headline: Headline; until: Date; now: Date }

/**
 * Asks the home, the family or a colleague about an alert, by the first way that there is, in the caller's transaction.
 * False where there is none, or too little time left: then a person is paged.
 */
export async function askFirst(tx: Queryable, about: About): Promise<boolean> {
  const { alertId, residentId, until, now } = about
  if (!asksFirst(about.severity, until.getTime(), now.getTime())) return false
  const { rows: tried } = await tx.query<Asked>(
    'select way, device_no as "deviceNo" from asks where alert_id = $1 order by ask_id',
    [alertId],
  )
  const home = await loadHome(tx, residentId)
  const ask = nextAsk(
    {
      devices: await devicesOf(tx, residentId),
      family: await familyWhoAgreed(tx, residentId),
      duty: await firstOfChain(tx, about),
      ...home,
    },
    tried,
  )
  if (!ask) return false
  if (ask.way === 'home') await askHome(tx, about, ask)
  else for (const staffId of ask.staffIds) await askToCall(tx, about, { way: ask.way, staffId, ...home })
  return true
}

/**
 * Until when the home is asked about an alert that opens; undefined: not at all. A silence that was told before, and what
 * ended it was taken back, is asked about no longer than it was: a slip of the thumb buys no time.
 */
export async function askUntilOf(
  tx: Queryable,
  p: { residentId: string; kind: string; reason: Record<string, unknown>; askUntil?: Date | undefined },
  now: Date,
): Promise<Date | undefined> {
  if (!p.askUntil) return undefined
  const { rows } = await tx.query<{ until: Date }>(
    `select coalesce(asked_until, opened_at) as until from alerts
      where resident_id = $1 and kind = $2 and reason -> 'since' = $3 and closed_at is not null order by opened_at desc limit 1`,
    [p.residentId, p.kind, JSON.stringify(p.reason.since ?? null)],
  )
  const most = Math.min(p.askUntil.getTime(), now.getTime() + askMsMax)
  return new Date(Math.min(most, rows[0]?.until.getTime() ?? most))
}

type Home = { name: string; timeZone: string; speaks: string | null; language: Language }

/** The language of a community is that of who looks after its people. */
async function loadHome(tx: Queryable, residentId: string): Promise<Home> {
  const { rows } = await tx.query<Home>(
    `select r.name, r.time_zone as "timeZone", r.speaks,
            coalesce(s.language, (select mode() within group (order by c.language) from staff c join staff_communities m using (staff_id)
                                   where m.community_id = r.community_id and c.disabled_at is null), 'zh') as language
       from residents r left join staff s on s.staff_id = r.responsible_staff_id and s.disabled_at is null where resident_id = $1`,
    [residentId],
  )
  return rows[0]!
}

async function devicesOf(tx: Queryable, residentId: string) {
  const devices = await askableDevices(tx, residentId)
  const { rows } = await tx.query<{ deviceNo: number }>(
    `select device_no as "deviceNo" from alerts where resident_id = $1 and kind = 'device_offline' and closed_at is null`,
    [residentId],
  )
  const offline = new Set(rows.map(({ deviceNo }) => deviceNo))
  return devices.map(({ gatewayOnline, ...device }) => ({
    ...device,
    online: gatewayOnline && !offline.has(device.deviceNo),
  }))
}

async function familyWhoAgreed(tx: Queryable, residentId: string): Promise<string[]> {
  const { rows } = await tx.query<{ staffId: string }>(
    `select f.staff_id as "staffId" from family_members f join staff s using (staff_id)
      where f.resident_id = $1 and f.agreed_to_ask and f.sees_alerts and s.disabled_at is null
        and exists (select from staff_channels h where h.staff_id = f.staff_id) order by f.family_member_id`,
    [residentId],
  )
  return rows.map(({ staffId }) => staffId)
}

/** Whom a page would be for, now, as long as they have not been asked to make as many calls as they can. */
async function firstOfChain(tx: Queryable, { residentId, severity, now }: About): Promise<string[]> {
  const { pages } = begin(severity, await loadChain(tx, { residentId, severity, now }), now.getTime())
  const staffIds = [...new Set(pages.filter(({ informs }) => !informs).map(({ staffId }) => staffId))]
  const { rows: busy } = await tx.query<{ staffId: string }>(
    `select staff_id as "staffId" from asks where way = 'task' and ended_at is null and staff_id = any($1)
      group by staff_id having count(*) >= $2`,
    [staffIds, callsPerPersonMax],
  )
  return staffIds.filter((staffId) => !busy.some((one) => one.staffId === staffId))
}

async function askHome(
  tx: Queryable,
  { alertId, now, until }: About,
  { deviceNo, command }: Extract<Ask, { way: 'home' }>,
) {
  const { name, ...given } = command
  const { rows } = await tx.query<{ kind: string }>(
    `with command as (
       insert into commands (resident_id, device_no, gateway_id, name, arguments, state, asked_at, due_at, expires_at, expires_after_s)
       select d.resident_id, d.device_no, d.gateway_id, $3, $4, 'pending', $5, $5, $6, $7 from devices d where d.device_no = $2
       returning command_id
     ), asked as (
       insert into asks (alert_id, way, device_no, command_id, asked_at) select $1, 'home', $2, command_id, $5 from command
     )
     select kind from devices where device_no = $2`,
    [alertId, deviceNo, name, given, now, new Date(now.getTime() + homeAnswerMsMax), homeAnswerMsMax / 1_000],
  )
  await recordAlertEvent(tx, {
    alertId,
    at: now,
    kind: 'asked',
    detail: { way: 'home', device: rows[0]!.kind, command: name, until: until.getTime() },
  })
}

async function askToCall(
  tx: Queryable,
  { alertId, headline, until, now }: About,
  { way, staffId, name, timeZone }: Home & { way: 'family' | 'task'; staffId: string },
) {
  const { rows } = await tx.query<{ language: Language }>('select language from staff where staff_id = $1', [staffId])
  const clock = clockText(until, { now, timeZone, language: rows[0]!.language })
  const messageId = await queueMessage(tx, {
    staffId,
    kind: 'call task',
    ...callTaskMessage({ way, residentName: name, headline, until: clock }),
    now,
    dedupeKey: `ask/${alertId}/${way}`,
    urgent: true,
  })
  if (messageId === null) return
  await tx.query('insert into asks (alert_id, way, staff_id, message_id, asked_at) values ($1, $2, $3, $4, $5)', [
    alertId,
    way,
    staffId,
    messageId,
    now,
  ])
  await recordAlertEvent(tx, { alertId, at: now, kind: 'asked', detail: { way, staffId, until: until.getTime() } })
}

/**
 * Nothing more is asked about this alert: what has not left yet is not sent any more. Returns the ways that it was being
 * asked by; none where it was not.
 */
export async function endAsks(
  tx: Queryable,
  { alertId, at, why }: { alertId: number; at: Date; why: AskEnd },
): Promise<AskWay[]> {
  const { rows } = await tx.query<{ way: AskWay }>(
    `with ended as (
       update asks set ended_at = $2, ended_why = $3 where alert_id = $1 and ended_at is null
       returning way, command_id, message_id
     ), commands as (
       update commands set state = 'cancelled', ended_at = $2
        where command_id in (select command_id from ended) and state = 'pending' and claimed_until is null
     ), messages as (
       update messages set status = 'cancelled', claimed_until = null
        where message_id in (select message_id from ended) and status = 'pending'
     )
     select distinct way from ended`,
    [alertId, at, why],
  )
  return rows.map(({ way }) => way)
}

/** What ended at this moment goes on: somebody has taken back what ended it. */
export async function reopenAsks(tx: Queryable, { alertId, endedAt }: { alertId: number; endedAt: Date }) {
  await tx.query(
    `update asks set ended_at = null, ended_why = null
      where alert_id = $1 and ended_at = $2 and ended_why in ('settled', 'taken')`,
    [alertId, endedAt],
  )
}

/** The asking of this alert has come to nothing: no device did it, no message left. */
const hasFailed = `
  bool_and(case when k.way = 'home'
    then c.command_id is null or c.state in ('failed', 'expired', 'cancelled') or (c.state <> 'done' and k.asked_at <= $1)
    else m.message_id is null or m.status in ('failed', 'cancelled') or (m.status = 'pending' and k.asked_at <= $2) end)`
const failedTables = `asks k left join commands c using (command_id) left join messages m using (message_id)`
const failedParameters = (now: Date) => [
  new Date(now.getTime() - homeAnswerMsMax),
  new Date(now.getTime() - taskSendMsMax),
]

/** The alerts whose asking has failed, so that the next way is tried. */
export async function failedAsks(
  db: Queryable,
  { now, alertsMax, except }: { now: Date; alertsMax: number; except: readonly number[] },
): Promise<number[]> {
  const { rows } = await db.query<{ alertId: number }>(
    `select k.alert_id as "alertId" from ${failedTables}
      where k.ended_at is null and k.alert_id <> all($4) group by k.alert_id having ${hasFailed} order by 1 limit $3`,
    [...failedParameters(now), alertsMax, except],
  )
  return rows.map(({ alertId }) => alertId)
}

/**
 * Tries the next way, or has a person paged at once where none is left; in the caller's transaction. False where somebody
 * else is at this alert, or it has not failed after all.
 */
export async function askNext(tx: Queryable, { alertId, now }: { alertId: number; now: Date }): Promise<boolean> {
  const { rows } = await tx.query<{ residentId: string; severity: Severity; zh: string; en: string; until: Date }>(
    `select resident_id as "residentId", severity, headline_zh as zh, headline_en as en, asked_until as until
       from alerts where alert_id = $1 and stage = 'open' and asked_until is not null for no key update skip locked`,
    [alertId],
  )
  const alert = rows[0]
  if (!alert) return false
  const failed = await tx.query(
    `select from ${failedTables} where k.alert_id = $3 and k.ended_at is null group by k.alert_id having ${hasFailed}`,
    [...failedParameters(now), alertId],
  )
  if (failed.rowCount === 0) return false
  const { residentId, severity, zh, en, until } = alert
  for (const way of await endAsks(tx, { alertId, at: now, why: 'failed' }))
    await recordAlertEvent(tx, { alertId, at: now, kind: 'ask failed', detail: { way } })
  const asked = await askFirst(tx, { alertId, residentId, severity, headline: { zh, en }, until, now })
  if (!asked) await pageNow(tx, { alertId, now })
  return true
}

/** Nothing is left to ask: the first page is due at once, unless the alert waits for something else. */
async function pageNow(tx: Queryable, { alertId, now }: { alertId: number; now: Date }): Promise<void> {
  await tx.query(
    `update alerts set asked_until = least(asked_until, $2), round_at = case when due_at <= asked_until then $2 else round_at end,
            due_at = case when due_at <= asked_until then least(due_at, $2) else due_at end where alert_id = $1`,
    [alertId, now],
  )
  await tx.query("select pg_notify('shouwang', 'alerts')")
}
