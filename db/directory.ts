import type { EpochMs, Language } from '../alerts/model.js'
import { type Roster, shiftsBetween } from '../alerts/roster.js'
import { channelOrder, isColleague } from './chain.js'
import type { RegisteredDevice } from './gateway-registry.js'
import type { Queryable } from './pool.js'
import { rosterSql, rosterWindow } from './rosters.js'

/** What a page says of a resident, and where the chain begins. */
export type ResidentCard = {
  residentId: string
  communityId: string
  name: string
  address: string
  timeZone: string
  phone: string | null
  doorCode: string | null
  keyHolder: string | null
  /** Only where the resident allowed it. */
  healthNote: string | null
  responsibleStaffId: string | null
  /** Neighbours and volunteers who agreed to go to this door. */
  volunteers: string[]
  /** The family members who may be told of alerts, as the staff that they are told as. */
  family: string[]
  /** Made up by Shouwang itself. */
  synthetic: boolean
}

/** Who of a community is on duty when, and who supervises it. */
export type CommunityCard = {
  communityId: string
  /** Those running, of the coming days, and of the last day: a clock may fall back. */
  shifts: { staffId: string; startsAt: EpochMs; endsAt: EpochMs }[]
  supervisors: string[]
  /** Everybody of it who can be called to a door. */
  colleagues: string[]
  /** As it is stored; null: the default stands. */
  emergencyPolicy: unknown
}

/** How a person is reached. Nobody who was disabled has one. */
export type PersonCard = {
  staffId: string
  name: string
  role: 'operator' | 'supervisor' | 'social_worker' | 'volunteer' | 'family' | 'watcher'
  language: Language
  /** In the order that the person wants; what was refused for good comes last. */
  channels: { position: number; kind: string; address: string; secret: string | null }[]
}

/** How a gateway speaks. */
export type GatewayDialect = {
  /** `v1`, or the name of a dialect. */
  dialect: string
  /** Where it may speak beside `v1/{gatewayId}/`: beginnings of topics. */
  baseTopics: string[]
  /** What the operator has written for its adapter, and what the adapter keeps; null with v1. */
  dialectSettings: unknown
  dialectMemory: Record<string, unknown> | null
  dialectMemoryVersion: number
  /** IANA zone of its community. */
  timeZone: string
  /** It speaks to another broker, to which ingest subscribes, and has no login here. */
  attached: boolean
}

export type GatewayRecord = GatewayDialect & {
  gatewayId: string
  secretHash: string
  /** The secret before the last one still opens the door until then. */
  secretHashBefore: string | null
  secretBeforeUntil: EpochMs | null
  disabled: boolean
  devices: RegisteredDevice[]
}

/** What the edge's directory asks the database; each answers for many at once and leaves out what there is not. */
export type DirectorySource = {
  /** With those whom their devices speak for. */
  gateways(gatewayIds: string[]): Promise<{ gateways: GatewayRecord[]; residents: ResidentCard[] }>
  /** Which of these devices hang at any gateway now. */
  boundDevices(deviceIds: string[]): Promise<string[]>
  communities(communityIds: string[], now: EpochMs): Promise<CommunityCard[]>
  people(staffIds: string[]): Promise<PersonCard[]>
  operators(): Promise<PersonCard[]>
}

const dayMs = 86_400_000
const shiftsAheadMs = 7 * dayMs
const shiftsBackMs = dayMs

/** The directory's questions to a real database. All reject only when it cannot be asked. */
export function createDirectorySource(db: Queryable): DirectorySource {
  const ask = async <Row extends object>(sql: string, values: unknown[]) =>
    (await db.query<Row & Record<string, unknown>>(sql, values)).rows as Row[]
  return {
    gateways: async (gatewayIds) => {
      // Three questions by key: joined into one they took 4 s in a database that had no statistics yet, and 19 ms instead
      // of 12 for 500 gateways in one that has.
      const gateways = await ask<Omit<GatewayRecord, 'devices'>>(gatewaysSql, [gatewayIds])
      if (gateways.length === 0) return { gateways: [], residents: [] }
      const bound = await ask<RegisteredDevice & { gatewayId: string }>(devicesSql, [gatewayIds])
      const residentIds = [...new Set(bound.map(({ residentId }) => residentId))]
      const residents = residentIds.length > 0 ? await ask<ResidentCard>(residentsSql, [residentIds]) : []
      const devices = new Map<string, RegisteredDevice[]>(gateways.map(({ gatewayId }) => [gatewayId, []]))
      for (const { gatewayId, ...device } of bound) devices.get(gatewayId)?.push(device)
      return {
        gateways: gateways.map((gateway) => ({ ...gateway, devices: devices.get(gateway.gatewayId)! })),
        residents,
      }
    },
    boundDevices: async (deviceIds) =>
      (await ask<{ deviceId: string }>(boundDevicesSql, [deviceIds])).map(({ deviceId }) => deviceId),
    communities: async (communityIds, now) => {
      const [from, until] = [now - shiftsBackMs, now + shiftsAheadMs]
      const rows = await ask<Omit<CommunityCard, 'shifts'> & { roster: Roster }>(communitiesSql, [
        communityIds,
        ...rosterWindow(from, until),
      ])
      return rows.map(({ roster, ...card }) => ({ ...card, shifts: shiftsOf(roster, from, until) }))
    },
    people: (staffIds) => ask<PersonCard>(`${peopleSql} and staff_id = any($1)`, [staffIds]),
    operators: () => ask<PersonCard>(`${peopleSql} and role = 'operator'`, []),
  }
}

/** Who is gone has no card: asking for one finds out when somebody is back. */
const shiftsOf = (roster: Roster, from: EpochMs, until: EpochMs): CommunityCard['shifts'] =>
  shiftsBetween({ ...roster, gone: [] }, from, until).map(({ staffId, startsAt, endsAt }) => ({
    staffId,
    startsAt,
    endsAt,
  }))

const gatewaysSql = `
  select gateway_id as "gatewayId", secret_hash as "secretHash", disabled_at is not null as disabled, dialect,
         secret_hash_before as "secretHashBefore",
         round(extract(epoch from secret_before_until) * 1000)::float8 as "secretBeforeUntil",
         base_topics as "baseTopics", dialect_settings as "dialectSettings",
         case when dialect = 'v1' then null else dialect_memory end as "dialectMemory",
         dialect_memory_version as "dialectMemoryVersion", time_zone as "timeZone",
         via = 'attached' as attached
    from gateways join communities using (community_id) where gateway_id = any($1)`

const devicesSql = `
  select gateway_id as "gatewayId", device_no as "deviceNo", device_id as "deviceId", kind, resident_id as "residentId", room
    from devices where gateway_id = any($1) and unbound_at is null order by device_no`

const residentsSql = `
  select resident_id as "residentId", community_id as "communityId", name, address, time_zone as "timeZone", phone,
         door_code as "doorCode", key_holder as "keyHolder", case when health_in_pages then health_note end as "healthNote",
         responsible_staff_id as "responsibleStaffId", synthetic,
         array(select v.staff_id from resident_volunteers v where v.resident_id = r.resident_id
                order by v.staff_id collate "C") as volunteers,
         array(select f.staff_id from family_members f where f.resident_id = r.resident_id and f.sees_alerts and f.staff_id is not null
                order by f.staff_id collate "C") as family
    from residents r where resident_id = any($1)`

const boundDevicesSql = `
  select device_id as "deviceId" from devices where device_id = any($1) and unbound_at is null`

const communitiesSql = `
  select community_id as "communityId",
         ${rosterSql({ community: 'c.community_id', from: '$2', until: '$3' })} as roster,
         coalesce((
           select json_agg(staff_id order by staff_id collate "C") from staff_communities join staff using (staff_id)
            where community_id = c.community_id and role = 'supervisor'), '[]') as supervisors,
         array(select s.staff_id from staff_communities m join staff s using (staff_id)
                where m.community_id = c.community_id and ${isColleague} order by s.staff_id collate "C") as colleagues,
         (select policy from escalation_policies e
           where e.community_id = c.community_id and e.severity = 'emergency') as "emergencyPolicy"
    from communities c where community_id = any($1)`

const peopleSql = `
  select staff_id as "staffId", name, role, language,
         coalesce((
           select json_agg(json_build_object('position', position, 'kind', kind, 'address', address, 'secret', secret)
                           order by ${channelOrder})
             from staff_channels h where h.staff_id = staff.staff_id), '[]') as channels
    from staff where disabled_at is null`
