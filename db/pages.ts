import type { AskedRow } from '../alerts/asking.js'
import type { IncidentKind } from '../alerts/incidents.js'
import type { AlertKind, Language, Severity, Stage } from '../alerts/model.js'
import type { TakenStage } from '../alerts/policy.js'
import { hostsApartMsMax } from './hosts-apart.js'
import { pageLinkMsMax } from './page-links.js'
import type { Queryable } from './pool.js'

/** A page that this process has claimed, with what the message needs. */
export type ClaimedPage = {
  pageId: string
  alertId: number
  staffId: string
  channel: string
  position: number
  address: string | null
  secret: string | null
  staffName: string
  role: string
  language: Language
  /** Attempts on record before this one. */
  attempts: number
  round: number
  step: number
  /** It only tells: nobody is asked to come. */
  informs: boolean
  createdAt: Date
  /** The digest in which it was tried before. */
  digestId: string | null
  /** It has waited for others until then. */
  heldUntil: Date | null
  severity: Severity
  kind: AlertKind
  stage: Stage
  openedAt: Date
  observedAt: Date
  headlineZh: string
  headlineEn: string
  residentId: string
  residentName: string
  residentAddress: string
  timeZone: string
  phone: string | null
  doorCode: string | null
  keyHolder: string | null
  /** Only where the resident allowed it. */
  healthNote: string | null
  /** Who had taken it before it came back, and how far that person had come. */
  returned: { name: string; stage: TakenStage } | null
  /** What was asked about it before. */
  asked: AskedRow | null
  /** Since when it waited for an incident. */
  held: { atMs: number; kind: IncidentKind | null } | null
}

export type ClaimLimits = {
  now: Date
  leaseMs: number
  /** Emergencies go first, and by themselves. */
  of: 'emergencies' | 'others'
  pagesMax: number
  /** Pages to one person through one channel in this claim, and how many such lines. */
  perLineMax: number
  linesMax: number
  /** Other numbers than `perLineMax`, by `lineOf`; 0: enough is under way there. */
  lineMax: ReadonlyMap<string, number>
}

/** One person's one channel: what hangs for one must not hold up the others. */
export const lineOf = (page: { staffId: string; channel: string }): string => `${page.staffId}/${page.channel}`

/** Nothing is held for longer than this: beyond it, a clock has jumped back. */
const heldMsMax = 20 * 60_000
const isWaiting = `p.status = 'pending' and (p.claimed_until is null or p.claimed_until <= $1
        or p.claimed_until > $2::timestamptz + ${hostsApartMsMax} * interval '1 ms')`
/** Nobody has taken the alert, or closed it where that is what the step waits for. */
const isWanted = `(a.stage = 'open' or (p.condition = 'not resolved' and a.stage <> 'closed'))`

/**
 * Claims pages whose time has come, first attempts first, for `leaseMs`: a process that dies meanwhile leaves them to the
 * next one after that. A first attempt is due at once whatever the clocks say: the host that wrote the page may run ahead.
 */
export async function claimPages(db: Queryable, limits: ClaimLimits): Promise<ClaimedPage[]> {
  const { now, leaseMs, of, pagesMax, perLineMax, linesMax, lineMax } = limits
  const { rows } = await db.query<ClaimedPage>(
    `with candidates as (
       select p.page_id, p.staff_id || '/' || p.channel as line, p.attempts > 0 as again, p.next_attempt_at,
              row_number() over (partition by p.staff_id, p.channel order by p.attempts > 0, p.next_attempt_at) as nth,
              min(p.next_attempt_at) over (partition by p.staff_id, p.channel) as line_at
         from pages p join alerts a using (alert_id)
        where ${isWaiting} and (p.attempts = 0 or p.next_attempt_at <= $1) and (a.severity = 'emergency') = $4
          and (p.held_until is null or p.held_until <= $1 or p.held_until > $1::timestamptz + ${heldMsMax} * interval '1 ms')
     ), chosen as (
       select c.*, dense_rank() over (order by c.line_at, c.line) as line_nth
         from candidates c left join unnest($6::text[], $7::int[]) as l (line, pages_max) using (line)
        where c.nth <= coalesce(l.pages_max, $5)
     ), due as (
       select p.page_id from pages p join chosen c using (page_id)
        where c.line_nth <= $8 and ${isWaiting}
        order by c.again, c.next_attempt_at limit $3 for update of p skip locked
     ), claimed as (
       update pages p set claimed_until = $2 from due where p.page_id = due.page_id returning p.*
     )
     select c.page_id as "pageId", c.alert_id as "alertId", c.staff_id as "staffId", c.channel, c.position, c.attempts, c.round, c.step,
            c.informs, c.created_at as "createdAt", c.digest_id as "digestId", c.held_until as "heldUntil",
            h.address, h.secret, s.name as "staffName", s.role, s.language, a.severity, a.kind, a.stage,
            a.opened_at as "openedAt", a.observed_at as "observedAt", a.headline_zh as "headlineZh", a.headline_en as "headlineEn",
            r.resident_id as "residentId", r.name as "residentName", r.address as "residentAddress", r.time_zone as "timeZone",
            r.phone, r.door_code as "doorCode", r.key_holder as "keyHolder",
            case when r.health_in_pages then r.health_note end as "healthNote",
            (select json_build_object('name', b.name, 'stage', a.returned_stage) from staff b
              where b.staff_id = a.returned_by) as returned,
            case when a.asked_until is not null then (
              select json_build_object('atMs', round(extract(epoch from min(k.asked_at)) * 1000), 'ways', json_agg(distinct k.way),
                       'whys', json_agg(distinct k.ended_why),
                       'by', (select b.name from alert_events e join staff b using (staff_id)
                               where e.alert_id = a.alert_id and e.kind = 'sent for' order by e.alert_event_id desc limit 1))
                from asks k where k.alert_id = a.alert_id) end as asked,
            case when a.held_since is not null then json_build_object('atMs', round(extract(epoch from a.held_since) * 1000),
              'kind', (select i.kind from incidents i where i.incident_id = a.held_incident_id)) end as held
       from claimed c join alerts a using (alert_id) join residents r using (resident_id) join staff s on s.staff_id = c.staff_id
       left join staff_channels h on h.staff_id = c.staff_id and h.position = c.position and h.kind = c.channel`,
    [
      now,
      new Date(now.getTime() + leaseMs),
      pagesMax,
      of === 'emergencies',
      perLineMax,
      [...lineMax.keys()],
      [...lineMax.values()],
      linesMax,
    ],
  )
  return rows
}

/**
 * Asked right before each send: which of these pages are still wanted. The others are cancelled; those that are sent one
 * by one get their link (`tokenHashes`, page for page; null: none). One statement: at 5,000 alerts a minute each round trip
 * counts.
 */
export async function lookAgain(
  db: Queryable,
  p: { pageIds: string[]; tokenHashes: (Buffer | null)[]; now: Date },
): Promise<Set<string>> {
  const { rows } = await db.query<{ page_id: string }>(
    `with asked as materialized (
       select p.page_id, n.token_hash, ${isWanted} as wanted
         from unnest($1::uuid[], $2::bytea[]) as n (page_id, token_hash) join pages p using (page_id) join alerts a using (alert_id)
        where p.status = 'pending'
     ), linked as (
       insert into page_links (token_hash, page_id, created_at, expires_at)
       select token_hash, page_id, $3, $4 from asked where wanted and token_hash is not null
     ), cancelled as (
       update pages p set status = 'cancelled', claimed_until = null
         from asked where p.page_id = asked.page_id and not wanted and p.status = 'pending'
     )
     select page_id from asked where wanted`,
    [p.pageIds, p.tokenHashes, p.now, new Date(p.now.getTime() + pageLinkMsMax)],
  )
  return new Set(rows.map((row) => row.page_id))
}

/** Gives claims back unused: there was too little time left to send, or they wait for what follows them. */
export async function releasePages(
  db: Queryable,
  { pageIds, heldUntil }: { pageIds: string[]; heldUntil?: Date },
): Promise<void> {
  await db.query(
    'update pages set claimed_until = null, held_until = coalesce($2, held_until) where page_id = any($1)',
    [pageIds, heldUntil ?? null],
  )
}
