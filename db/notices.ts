import type { NewAlert } from './alerts.js'
import type { Queryable } from './pool.js'

/**
 * Opens notices, each with its first event, in the caller's transaction and in one statement: when a substation fails
 * 1,000 homes fall silent at once, and one by one that took 4 s. What is open already is the same episode. Nobody is
 * paged for a notice.
 */
export async function openNotices(tx: Queryable, notices: NewAlert[]): Promise<void> {
  if (notices.length === 0) return
  await tx.query(
    `with opened as (
       insert into alerts (resident_id, community_id, device_no, kind, severity, opened_at, observed_at, headline_zh, headline_en, reason)
       select resident_id, community_id, device_no, kind, 'notice', opened_at, observed_at, zh, en, reason
         from unnest($1::text[], $2::int[], $3::text[], $4::timestamptz[], $5::timestamptz[], $6::text[], $7::text[], $8::jsonb[])
                with ordinality as n (resident_id, device_no, kind, opened_at, observed_at, zh, en, reason, place)
              join residents using (resident_id)
        order by place on conflict do nothing returning alert_id, opened_at, headline_zh, headline_en
     ), told as (
       insert into alert_events (alert_id, at, kind, detail)
       select alert_id, opened_at, 'opened',
              jsonb_build_object('headline', jsonb_build_object('zh', headline_zh, 'en', headline_en))
         from opened order by alert_id
     )
     select pg_notify('shouwang', 'alerts') where exists (select from opened)`,
    [
      notices.map((n) => n.residentId),
      notices.map((n) => n.deviceNo),
      notices.map((n) => n.kind),
      notices.map((n) => n.openedAt),
      notices.map((n) => n.observedAt),
      notices.map((n) => n.headline.zh),
      notices.map((n) => n.headline.en),
      notices.map((n) => JSON.stringify(n.reason)),
    ],
  )
}
