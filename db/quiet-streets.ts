import type { QuietHome, QuietKind } from '../alerts/quiet-streets.js'
import type { Queryable } from './pool.js'

export const quietKinds: readonly QuietKind[] = ['no water', 'no power']

/** The flow that a kind is about, and what is unusual in it. */
const columns = {
  'no water': { at: 'k.water_at', until: 'k.water_until', unusual: 'k.silent_long', device: 'water' },
  'no power': {
    at: 'k.power_at',
    until: 'k.power_until',
    unusual: 'k.power_at < k.power_until',
    device: 'electricity',
  },
} as const satisfies Record<QuietKind, Record<string, string>>

/** As `streetOf` and `placeOf` in alerts/. */
const street = `rtrim(substring(r.address from '^(\\D+)\\d'))`
const place = `substring(r.address from '^\\D+\\d+')`

export type QuietGroup = { communityId: string; place: string; homes: number; unusual: number }

/**
 * Communities, their streets, and their streets with numbers: how many homes have a meter that was heard since `freshSince`,
 * and of how many that is unusual, where it is so of `homesMin` at least and all but `otherShareMax` have had nothing since
 * `quietSince`. Communities first, then by place.
 */
export async function quietGroups(
  db: Queryable,
  p: { kind: QuietKind; freshSince: Date; quietSince: Date; otherShareMax: number; homesMin: number },
): Promise<QuietGroup[]> {
  const { at, until, unusual } = columns[p.kind]
  const { rows } = await db.query<QuietGroup>(
    `select community_id as "communityId", coalesce(place, street, '') as place, count(*)::int as homes,
            count(*) filter (where unusual)::int as unusual
       from (select r.community_id, ${street} as street, ${place} as place, ${unusual} as unusual, ${at} as used_at
               from resident_knowledge k join residents r using (resident_id)
              where ${until} >= $1 and r.left_at is null and not r.synthetic) h
      group by grouping sets ((community_id), (community_id, street), (community_id, place))
     having count(*) filter (where unusual) >= $2 and percentile_disc(1 - $4::float8) within group (order by used_at) <= $3
        and (grouping(street) = 1 or street ~ '[^[:digit:][:punct:][:space:]]') and (grouping(place) = 1 or place ~ '[^[:digit:][:punct:][:space:]]')
      order by grouping(street, place) desc, 1, 2`,
    [p.freshSince, p.homesMin, p.quietSince, p.otherShareMax],
  )
  return rows
}

/** The homes of a community whose meter of this flow tells anything, by id. */
export async function quietHomes(
  db: Queryable,
  p: { kind: QuietKind; communityId: string; homesMax: number },
): Promise<QuietHome[]> {
  const { at, until, unusual, device } = columns[p.kind]
  const { rows } = await db.query<Omit<QuietHome, 'usedAt' | 'knownUntil'> & { usedAt: Date; knownUntil: Date }>(
    `select r.resident_id as "residentId", d.gateway_id as "gatewayId", r.address, ${at} as "usedAt", ${until} as "knownUntil",
            ${unusual} as "isUnusual"
       from residents r join resident_knowledge k using (resident_id)
            cross join lateral (select gateway_id from devices d where d.resident_id = r.resident_id and d.unbound_at is null
                                   and d.kind = '${device}' order by device_no limit 1) d
      where r.community_id = $1 and r.left_at is null and not r.synthetic and ${until} is not null
      order by r.resident_id limit $2`,
    [p.communityId, p.homesMax],
  )
  return rows.map((home) => ({ ...home, usedAt: home.usedAt.getTime(), knownUntil: home.knownUntil.getTime() }))
}

/** Of these residents, those who belong to an open incident of this kind and have not come back. */
export async function residentsInIncidents(
  db: Queryable,
  p: { kind: QuietKind; residentIds: string[] },
): Promise<Set<string>> {
  const { rows } = await db.query<{ residentId: string }>(
    `select distinct resident_id as "residentId" from incident_homes join incidents using (incident_id)
      where kind = $1 and closed_at is null and back_at is null and resident_id = any($2)`,
    [p.kind, p.residentIds],
  )
  return new Set(rows.map(({ residentId }) => residentId))
}
