import type { Headline, Knowledge, Severity, Stage } from '../alerts/model.js'
import type { Queryable } from './pool.js'

/** What other systems of the operator may know of a resident: no address, no door code, no reading. */
export type OnwardResident = {
  residentId: string
  name: string
  knowledge: Knowledge
  lastUseAt: Date | null
  /** Open ones without notices, worst and then newest first. */
  alerts: { alertId: number; kind: string; severity: Severity; stage: Stage; openedAt: string; headline: Headline }[]
}

/** The residents of these communities as of `now`, at most `residentsMax`, by id. Knowledge that holds no longer is unknown. */
export async function listOnwardResidents(
  db: Queryable,
  p: { communityIds: string[]; now: Date; residentsMax: number },
): Promise<OnwardResident[]> {
  const { rows } = await db.query(
    `select r.resident_id as "residentId", r.name,
            case when k.knowledge is null or k.holds_until <= $2 then 'unknown' else k.knowledge end as knowledge,
            k.last_use_at as "lastUseAt",
            coalesce((
              select json_agg(json_build_object('alertId', alert_id, 'kind', kind, 'severity', severity, 'stage', stage,
                       'openedAt', opened_at, 'headline', json_build_object('zh', headline_zh, 'en', headline_en))
                     order by array_position(array['emergency', 'urgent', 'warning'], severity), opened_at desc)
                from alerts a where a.resident_id = r.resident_id and closed_at is null and severity <> 'notice'), '[]') as alerts
       from residents r left join resident_knowledge k using (resident_id)
      where r.community_id = any($1) and r.left_at is null
      order by r.resident_id limit ${Number(p.residentsMax)}`,
    [p.communityIds, p.now],
  )
  return rows as OnwardResident[]
}
