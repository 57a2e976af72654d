import type { Queryable } from '../pool.js'
import { registerChannels, registerQuietHours } from './channels.js'
import type { RegisterDocument } from './document.js'

type Volunteer = RegisterDocument['volunteers'][number]
type FamilyMember = RegisterDocument['family'][number]
type Reached = Pick<RegisterDocument['staff'][number], 'channels' | 'replaceChannels' | 'quietHours'>

/** Channels and quiet hours of one person. False where the channels were changed on a page since, and stay. */
export async function registerReach(
  tx: Queryable,
  { staffId, reached, timeZone }: { staffId: string; reached: Reached; timeZone: () => Promise<string> },
): Promise<boolean> {
  const { channels, replaceChannels: replace, quietHours } = reached
  const quiet = quietHours && { ...quietHours, timeZone: quietHours.timeZone ?? (await timeZone()) }
  await registerQuietHours(tx, { staffId, quiet })
  return channels === undefined || registerChannels(tx, { staffId, channels, replace })
}

export const zoneOfCommunity = async (tx: Queryable, communityId: string): Promise<string> => {
  const { rows } = await tx.query<{ zone: string }>(
    'select time_zone as zone from communities where community_id = $1',
    [communityId],
  )
  if (!rows[0]) throw new Error(`there is no community ${communityId}`)
  return rows[0].zone
}

/** A neighbour who agreed, with the residents. Who was ended on a page stays ended. */
export async function registerVolunteer(tx: Queryable, v: Volunteer, now: Date): Promise<boolean> {
  if (await upsertTold(tx, { ...v, staffId: v.id, role: 'volunteer' })) return true
  await tx.query(`insert into staff_communities (staff_id, community_id) values ($1, $2) on conflict do nothing`, [
    v.id,
    v.community,
  ])
  for (const residentId of v.residents)
    await tx.query(
      'insert into resident_volunteers (resident_id, staff_id, agreed_at) values ($1, $2, $3) on conflict do nothing',
      [residentId, v.id, now],
    )
  return registerReach(tx, { staffId: v.id, reached: v, timeZone: () => zoneOfCommunity(tx, v.community) })
}

/** A family member who has channels is told; one without is as before. */
export async function registerToldFamily(tx: Queryable, f: FamilyMember): Promise<boolean> {
  if (f.channels === undefined) return true
  const staffId = `family:${f.id}`
  if (await upsertTold(tx, { ...f, staffId, role: 'family' })) return true
  await tx.query('update family_members set staff_id = $2 where family_member_id = $1', [f.id, staffId])
  const timeZone = async () => {
    const { rows } = await tx.query<{ zone: string }>(
      'select time_zone as zone from residents where resident_id = $1',
      [f.resident],
    )
    return rows[0]!.zone
  }
  return registerReach(tx, { staffId, reached: f, timeZone })
}

/** A person without a login. True where somebody ended it on a page. */
async function upsertTold(
  tx: Queryable,
  p: { staffId: string; name: string; role: 'volunteer' | 'family'; phone?: string | undefined; language: string },
): Promise<boolean> {
  const { rows } = await tx.query<{ ended: boolean }>(
    `insert into staff (staff_id, name, role, phone, language) values ($1, $2, $3, $4, $5)
     on conflict (staff_id) do update set name = $2, language = $5,
       phone = case when staff.disabled_at is null then excluded.phone end where staff.role = $3
     returning disabled_at is not null as ended`,
    [p.staffId, p.name, p.role, p.phone ?? null, p.language],
  )
  if (!rows[0]) throw new Error(`${p.role} ${p.staffId}: somebody else has this id`)
  return rows[0].ended
}
