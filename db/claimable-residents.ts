import { containing } from './contains.js'
import type { Queryable } from './pool.js'

export type ClaimableResident = {
  residentId: string
  name: string
  address: string
  /** The gateway carries a device of this resident already. */
  here: boolean
}

/**
 * Residents of the community of a gateway, to bind a device to: those who have a device of it first, then by name. `search`
 * looks in name and address, or with `byId` in the id alone, for who is to see no names. At most `limit`, and whether there
 * are more.
 */
export async function findClaimable(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; search: string; byId: boolean; limit: number },
): Promise<{ rows: ClaimableResident[]; more: boolean }> {
  const { rows } = await db.query<ClaimableResident>(
    `select r.resident_id as "residentId", r.name, r.address,
            exists (select from devices d where d.resident_id = r.resident_id and d.gateway_id = g.gateway_id
                       and d.unbound_at is null) as here
       from gateways g join residents r using (community_id)
      where g.gateway_id = $2 and g.community_id = any($1) and r.left_at is null
        and ($3 = '' or ${p.byId ? 'lower(r.resident_id)' : 'r.search_text'} like $3)
      order by 4 desc, r.name, r.resident_id limit $4`,
    [p.communityIds, p.gatewayId, p.search === '' ? '' : containing(p.search), p.limit + 1],
  )
  return { rows: rows.slice(0, p.limit), more: rows.length > p.limit }
}

/** One resident of the community of a gateway; undefined for anybody else. */
export async function findResidentHere(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; residentId: string },
): Promise<{ residentId: string; name: string; address: string } | undefined> {
  const { rows } = await db.query<{ residentId: string; name: string; address: string }>(
    `select r.resident_id as "residentId", r.name, r.address from gateways g join residents r using (community_id)
      where g.gateway_id = $2 and g.community_id = any($1) and r.resident_id = $3 and r.left_at is null`,
    [p.communityIds, p.gatewayId, p.residentId],
  )
  return rows[0]
}
