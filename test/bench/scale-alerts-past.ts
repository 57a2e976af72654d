import type { Queryable } from '../../db/pool.js'
import { size } from './scale-size.js'

/** Which resident the nth alert is about: spread over the city, none twice. */
const resident = `'r' || lpad((n::bigint * 7919 % ${size.residents} + 1)::text, 6, '0')`
const columns = `resident_id, community_id, kind, severity, stage, opened_at, observed_at, headline_zh, headline_en,
  handled_by, outcome, closed_at, step, due_at`

/**
 * Alerts of the last 90 days with their history, pages and attempts, and those that are open now: notices for the most
 * part, and of the rest a third in hand. What is open is due later than any round of the benchmark lasts.
 */
export async function seedAlerts(db: Queryable, { now }: { now: Date }): Promise<void> {
  await db.query(
    `insert into alerts (${columns})
     select ${resident}, community_id, kind, severity, 'closed', at, at, '示例：自 07:10 起没有用水用电。', 'No water or electricity used since 07:10.',
            responsible_staff_id, 'resident fine', at + interval '40 minutes', 2, null
       from generate_series(1, ${size.closedAlerts}) n
            cross join lateral (select $1::timestamptz - n * interval '1 second' * (${size.days} * 86400.0 / ${size.closedAlerts}) as at) a
            join ${kinds} on k.place = least(n % 10, 4)
            join residents r on r.resident_id = ${resident}`,
    [now],
  )
  await db.query(
    `insert into alerts (${columns})
     select ${resident}, community_id, kind, severity, stage, at, at, '示例：自 07:10 起没有用水用电。', 'No water or electricity used since 07:10.',
            case when stage <> 'open' then responsible_staff_id end, null, null, 1,
            case when severity <> 'notice' then $1::timestamptz + interval '3 hours' end
       from generate_series(1, ${size.openAlerts}) n
            cross join lateral (select $1::timestamptz - n * interval '20 seconds' as at,
                                       case when n % 10 <> 0 then 4 else n / 10 % 4 end as place) a
            join ${kinds} using (place)
            -- Emergencies that nobody has taken are paged within minutes: those that last are in hand.
            cross join lateral (select case when severity = 'emergency' or n % 3 = 0 and severity <> 'notice' then 'en_route' else 'open' end as stage) s
            join residents r on r.resident_id = ${resident}`,
    [now],
  )
  await db.query(
    `insert into alert_events (alert_id, at, kind, staff_id, detail)
     select alert_id, opened_at + nth * interval '10 minutes', event, case when nth > 1 then handled_by end, '{"step": 1, "round": 0}'
       from alerts, (values (0, 'opened'), (1, 'told'), (2, 'page sent'), (3, 'acknowledged'), (4, 'closed')) e (nth, event)
      where closed_at is not null or nth < 2 order by 2`,
  )
  await db.query(
    `insert into pages (alert_id, round, step, staff_id, channel, position, status, created_at, attempts, next_attempt_at, sent_at)
     select alert_id, 0, 1, responsible_staff_id, 'webhook', 1, 'sent', opened_at, 1, opened_at, opened_at
       from alerts join residents using (resident_id) where severity <> 'notice'`,
  )
  await db.query(
    `insert into page_attempts (page_id, attempted_at, duration_ms, result) select page_id, created_at, 40, 'sent' from pages`,
  )
  await db.query(
    `insert into page_links select sha256(convert_to(page_id::text, 'UTF8')), page_id, created_at, created_at + interval '12 hours' from pages`,
  )
  await db.query(
    `insert into access_log (resident_id, staff_id, page, first_at, last_at)
     select resident_id, responsible_staff_id, 'resident', $1::timestamptz - interval '1 day' * n, $1::timestamptz - interval '1 day' * n
       from residents, generate_series(1, 3) n`,
    [now],
  )
  await db.query(
    `insert into quarantine (received_at, gateway_id, topic, reason, payload, payload_bytes)
     select $1::timestamptz - n * interval '5 minutes', 'g' || lpad((n * 37 % ${size.residents} + 1)::text, 6, '0'), 'v1/g/d/water', 'no json', '\\x7b', 1
       from generate_series(1, 20000) n`,
    [now],
  )
}

const kinds = `(values (0, 'button', 'emergency'), (1, 'silent_12h', 'urgent'), (2, 'water_running', 'warning'),
  (3, 'silent_12h', 'urgent'), (4, 'gateway_offline', 'notice')) k (place, kind, severity)`
