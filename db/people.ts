import type { Language } from '../alerts/model.js'
import { containing } from './contains.js'
import type { Queryable } from './pool.js'

export type PersonRole = 'operator' | 'supervisor' | 'social_worker' | 'volunteer' | 'family'
/** What is known of a channel without saying where it leads. */
export type ChannelHealth = {
  kind: string
  brokenAt: Date | null
  lastFailedAt: Date | null
  lastSentAt: Date | null
  confirmedAt: Date | null
}
export type Person = {
  staffId: string
  name: string
  role: PersonRole
  phone: string | null
  language: Language
  channels: ChannelHealth[]
  /** Of a volunteer: how many residents agreed to; of the viewer's communities. */
  residents: number
  /** Of a family member who is told: whose. */
  of: {
    residentId: string
    residentName: string
    relation: string | null
    seesAlerts: boolean
    agreedToAsk: boolean
  } | null
}
type PersonJson = Omit<Person, 'channels'> & { channels: Record<keyof ChannelHealth, string | null>[] }

export const peopleMax = 500

/** Volunteers belong to a community, family members to a resident of one; who was told to go is none of them. */
const inScope = `s.disabled_at is null and s.role <> 'watcher' and (
  exists (select from staff_communities c where c.staff_id = s.staff_id and c.community_id = any($1))
  or exists (select from family_members f join residents r using (resident_id)
              where f.staff_id = s.staff_id and r.community_id = any($1) and r.left_at is null))`

const personColumns = `s.staff_id as "staffId", s.name, s.role, s.phone, s.language,
  coalesce((select jsonb_agg(jsonb_build_object('kind', kind, 'brokenAt', broken_at, 'lastFailedAt', last_failed_at,
                                                'lastSentAt', last_sent_at, 'confirmedAt', confirmed_at) order by position)
              from staff_channels h where h.staff_id = s.staff_id), '[]') as channels,
  (select count(*) from resident_volunteers v join residents r using (resident_id)
    where v.staff_id = s.staff_id and r.community_id = any($1) and r.left_at is null) as residents,
  (select jsonb_build_object('residentId', r.resident_id, 'residentName', r.name, 'relation', f.relation, 'seesAlerts', f.sees_alerts,
                             'agreedToAsk', f.agreed_to_ask)
     from family_members f join residents r using (resident_id)
    where f.staff_id = s.staff_id and r.community_id = any($1)) as of`

const toPerson = ({ channels, ...person }: PersonJson): Person => ({
  ...person,
  channels: channels.map((channel) => ({
    kind: channel.kind!,
    brokenAt: dateOf(channel.brokenAt),
    lastFailedAt: dateOf(channel.lastFailedAt),
    lastSentAt: dateOf(channel.lastSentAt),
    confirmedAt: dateOf(channel.confirmedAt),
  })),
})
const dateOf = (text: string | null) => (text === null ? null : new Date(text))

/** Everybody of these communities whom Shouwang can tell: staff, volunteers, family members; at most `peopleMax`. */
export async function listPeople(
  db: Queryable,
  { communityIds }: { communityIds: string[] },
): Promise<{ people: Person[]; more: boolean }> {
  const { rows } = await db.query<PersonJson>(
    `select ${personColumns} from staff s where ${inScope}
      order by array_position(array['supervisor', 'social_worker', 'volunteer', 'family', 'operator'], s.role), s.name, s.staff_id
      limit ${peopleMax + 1}`,
    [communityIds],
  )
  return { people: rows.slice(0, peopleMax).map(toPerson), more: rows.length > peopleMax }
}

/** One of them; undefined for anybody else. `timeZone`: of the community or the resident; the wall clock of quiet hours. */
export async function findPerson(
  db: Queryable,
  p: { staffId: string; communityIds: string[] },
): Promise<(Person & { timeZone: string | null }) | undefined> {
  const { rows } = await db.query<PersonJson & { timeZone: string | null }>(
    `select ${personColumns},
            coalesce((select r.time_zone from family_members f join residents r using (resident_id) where f.staff_id = s.staff_id),
                     (select min(time_zone) from communities where community_id = any($1)
                         and community_id in (select community_id from staff_communities c where c.staff_id = s.staff_id))) as "timeZone"
       from staff s where s.staff_id = $2 and ${inScope}`,
    [p.communityIds, p.staffId],
  )
  const [row] = rows
  if (!row) return undefined
  const { timeZone, ...person } = row
  return { ...toPerson(person), timeZone }
}

export type ToldFamily = {
  familyMemberId: string
  name: string
  relation: string | null
  residentName: string
  seesAlerts: boolean
}

/** Family members of these communities who are not told of alerts yet, by their own name or the resident's. */
export async function findUntoldFamily(
  db: Queryable,
  p: { communityIds: string[]; search: string; limit: number },
): Promise<{ rows: ToldFamily[]; more: boolean }> {
  const { rows } = await db.query<ToldFamily>(
    `select f.family_member_id as "familyMemberId", f.name, f.relation, r.name as "residentName", f.sees_alerts as "seesAlerts"
       from family_members f join residents r using (resident_id)
      where r.community_id = any($1) and r.left_at is null and f.staff_id is null
        and ($2 = '' or r.search_text like $2 or lower(f.name) like $2)
      order by r.name, f.name, f.family_member_id limit $3`,
    [p.communityIds, p.search === '' ? '' : containing(p.search), p.limit + 1],
  )
  return { rows: rows.slice(0, p.limit), more: rows.length > p.limit }
}

/** What was done for a person by somebody else, newest first. */
export type StaffChange = { at: Date; by: string; what: string }

export async function changesOf(db: Queryable, staffId: string): Promise<StaffChange[]> {
  const { rows } = await db.query<StaffChange>(
    `select c.at, s.name as by, c.what from staff_changes c join staff s on s.staff_id = c.by_staff_id
      where c.staff_id = $1 order by c.at desc, c.staff_change_id desc limit 20`,
    [staffId],
  )
  return rows
}

export async function recordStaffChange(
  db: Queryable,
  p: { staffId: string; by: string; now: Date; what: string },
): Promise<void> {
  await db.query('insert into staff_changes (staff_id, by_staff_id, at, what) values ($1, $2, $3, $4)', [
    p.staffId,
    p.by,
    p.now,
    p.what,
  ])
}
