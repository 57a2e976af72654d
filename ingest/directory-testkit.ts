import { randomPolicy } from '../alerts/policy-testkit.js'
import type { QuietHours } from '../alerts/quiet-hours.js'
import type { DirectorySource, GatewayRecord, PersonCard, ResidentCard } from '../db/directory.js'
import type { RegisteredDevice } from '../db/gateway-registry.js'
import type { Queryable } from '../db/pool.js'
import type { Shelf } from './directory.js'

const hourMs = 3_600_000
const kinds = ['water', 'electricity', 'button', 'smoke', 'gas'] as const

/** One that speaks v1, and whose secret was never rotated. */
export const plainGateway: Omit<GatewayRecord, 'gatewayId' | 'secretHash' | 'disabled' | 'devices'> = {
  secretHashBefore: null,
  secretBeforeUntil: null,
  dialect: 'v1',
  baseTopics: [],
  dialectSettings: null,
  dialectMemory: null,
  dialectMemoryVersion: 0,
  timeZone: 'Asia/Shanghai',
  attached: false,
}

/** Rows as the tables have them: what a fake source answers from, and what a real database can be filled with. */
export type World = {
  communities: string[]
  staff: (Omit<PersonCard, 'channels'> & { disabled: boolean; quiet: QuietHours | null })[]
  members: { staffId: string; communityId: string }[]
  channels: ({ staffId: string; broken: boolean } & PersonCard['channels'][number])[]
  shifts: { communityId: string; staffId: string; startsAt: number; endsAt: number }[]
  policies: { communityId: string; policy: unknown }[]
  residents: (Omit<ResidentCard, 'volunteers' | 'family'> & { healthInPages: boolean })[]
  volunteers: { residentId: string; staffId: string }[]
  family: { residentId: string; staffId: string | null; seesAlerts: boolean }[]
  gateways: { gatewayId: string; communityId: string; secretHash: string; disabled: boolean }[]
  devices: (RegisteredDevice & { gatewayId: string; unbound: boolean })[]
}

/** A pseudo-random number in [0, 1) after the other, the same for the same seed (mulberry32). */
export function createDice(seed: number): () => number {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296
  }
}

/** An invented world: disabled people, broken channels, policies that nobody could follow, shifts that overlap or have ended, homes without devices, devices that moved. */
export function generateWorld({ seed, now, gateways = 30 }: { seed: number; now: number; gateways?: number }): World {
  const dice = createDice(seed)
  const below = (n: number) => Math.floor(dice() * n)
  const pick = <T>(items: readonly T[]) => items[below(items.length)]!
  const communities = ['c-1', 'c-2', 'c-3']
  const staff = Array.from({ length: 24 }, (_, i): World['staff'][number] => ({
    // Upper and lower case: a collation would sort them otherwise than we do.
    staffId: `${pick(['s', 'S', 'z'])}-${i}`,
    name: `示例·社工 ${i}`,
    role: pick(['operator', 'supervisor', 'social_worker', 'social_worker', 'volunteer', 'family', 'watcher']),
    language: pick(['zh', 'en']),
    disabled: dice() < 0.2,
    quiet: dice() < 0.4 ? { from: '22:00', until: '06:30', timeZone: pick(['Asia/Shanghai', 'Europe/Berlin']) } : null,
  }))
  const anybody = () => pick(staff).staffId
  const members = staff.flatMap(({ staffId }) =>
    communities.filter(() => dice() < 0.5).map((communityId) => ({ staffId, communityId })),
  )
  const channels = staff.flatMap(({ staffId }) =>
    Array.from({ length: below(4) }, (_, position) => {
      const kind = pick(['webhook', 'email'])
      const address = kind === 'email' ? `${staffId}@example.org` : `http://example.org/${staffId}`
      const secret = kind === 'email' ? null : 'invented-webhook-secret'
      return { staffId, position, kind, address, secret, broken: dice() < 0.3 }
    }),
  )
  const shifts = Array.from({ length: 30 }, (_, i) => {
    const startsAt = now + (below(72) - 48) * hourMs + i
    return { communityId: pick(communities), staffId: anybody(), startsAt, endsAt: startsAt + (1 + below(24)) * hourMs }
  })
  const residents = Array.from({ length: gateways + 3 }, (_, i): World['residents'][number] => {
    const sometimes = (text: string) => (dice() < 0.5 ? text : null)
    return {
      residentId: `r-${i}`,
      communityId: pick(communities),
      name: `示例·居民 ${i}`,
      address: `示例路 ${i} 号`,
      timeZone: pick(['Asia/Shanghai', 'Europe/Berlin']),
      phone: sometimes('000-0000-0000'),
      doorCode: sometimes('1234#'),
      keyHolder: sometimes('示例·门卫'),
      healthNote: sometimes('听力不好'),
      healthInPages: dice() < 0.5,
      responsibleStaffId: sometimes(anybody()),
      synthetic: dice() < 0.1,
    }
  })
  const ofRole = (role: PersonCard['role']) => staff.filter((person) => person.role === role)
  const volunteers = residents.flatMap(({ residentId }) =>
    ofRole('volunteer')
      .filter(() => dice() < 0.3)
      .map(({ staffId }) => ({ residentId, staffId })),
  )
  // As one person a family member is told of one resident.
  const family = residents.map(({ residentId }, i) => {
    const seesAlerts = dice() < 0.7
    return { residentId, staffId: ofRole('family')[i]?.staffId ?? null, seesAlerts }
  })
  const named = staff.map(({ staffId }) => staffId)
  const policies = [
    { communityId: 'c-1', policy: randomPolicy(dice, { severity: 'emergency', named, kinds: ['email', 'sms'] }) },
    // As some other version has left it.
    {
      communityId: 'c-2',
      policy:
        dice() < 0.5
          ? { steps: [{ to: [{ staffId: named[0] }] }] }
          : randomPolicy(dice, { severity: 'emergency', named }),
    },
  ]
  const gatewayRows = Array.from({ length: gateways }, (_, i) => ({
    gatewayId: `g-${i}`,
    communityId: pick(communities),
    secretHash: `hash-${i}`,
    disabled: dice() < 0.1,
  }))
  const devices = gatewayRows.flatMap(({ gatewayId }, home) =>
    kinds
      .filter(() => dice() < 0.8)
      .map((kind, i) => ({
        deviceNo: home * 10 + i + 1,
        deviceId: `${gatewayId}-${kind}`,
        kind,
        residentId: dice() < 0.9 ? `r-${home}` : pick(residents).residentId,
        room: pick(['', '卫生间', 'kitchen']),
        gatewayId,
        unbound: dice() < 0.1,
      })),
  )
  return {
    communities,
    staff,
    members,
    channels,
    shifts,
    policies,
    residents,
    volunteers,
    family,
    gateways: gatewayRows,
    devices,
  }
}

const byText =
  <T>(textOf: (item: T) => string) =>
  (a: T, b: T) =>
    textOf(a) < textOf(b) ? -1 : 1

/** Answers from a world, as the SQL does from its tables: a database test holds the two against each other. */
export function createFakeSource(world: World): DirectorySource {
  const cardOf = ({ disabled: _, quiet: __, ...person }: World['staff'][number]): PersonCard => ({
    ...person,
    channels: world.channels
      .filter(({ staffId }) => staffId === person.staffId)
      .sort((a, b) => Number(a.broken) - Number(b.broken) || a.position - b.position)
      .map(({ staffId: _, broken: __, ...channel }) => channel),
  })
  const idsOf = (rows: { staffId: string | null }[]) =>
    rows.flatMap(({ staffId }) => staffId ?? []).sort(byText((id) => id))
  const residentCardOf = ({ healthInPages, ...resident }: World['residents'][number]): ResidentCard => {
    const isTheirs = ({ residentId }: { residentId: string }) => residentId === resident.residentId
    return {
      ...resident,
      healthNote: healthInPages ? resident.healthNote : null,
      volunteers: idsOf(world.volunteers.filter(isTheirs)),
      family: idsOf(world.family.filter((member) => isTheirs(member) && member.seesAlerts)),
    }
  }
  const enabled = () => world.staff.filter(({ disabled }) => !disabled)
  return {
    gateways: async (gatewayIds) => {
      const asked = world.gateways.filter(({ gatewayId }) => gatewayIds.includes(gatewayId))
      const bound = world.devices.filter((d) => asked.some((g) => g.gatewayId === d.gatewayId) && !d.unbound)
      return structuredClone({
        gateways: asked.map(({ gatewayId, secretHash, disabled }) => {
          const own = bound.filter((device) => device.gatewayId === gatewayId)
          const devices = own.map(({ gatewayId: _, unbound: __, ...device }) => device)
          return { ...plainGateway, gatewayId, secretHash, disabled, devices }
        }),
        residents: world.residents
          .filter(({ residentId }) => bound.some((d) => d.residentId === residentId))
          .map(residentCardOf),
      })
    },
    boundDevices: async (deviceIds) =>
      world.devices.filter((d) => deviceIds.includes(d.deviceId) && !d.unbound).map(({ deviceId }) => deviceId),
    communities: async (communityIds, now) =>
      world.communities
        .filter((communityId) => communityIds.includes(communityId))
        .map((communityId) => ({
          communityId,
          shifts: world.shifts
            .filter((shift) => shift.communityId === communityId)
            .filter(({ startsAt, endsAt }) => endsAt > now - 24 * hourMs && startsAt < now + 168 * hourMs)
            .map(({ staffId, startsAt, endsAt }) => ({ staffId, startsAt, endsAt }))
            .sort((a, b) => a.startsAt - b.startsAt || (a.staffId < b.staffId ? -1 : 1)),
          supervisors: idsOf(
            world.staff.filter(({ role, staffId }) => role === 'supervisor' && isMember(world, staffId, communityId)),
          ),
          colleagues: idsOf(
            world.staff.filter(
              ({ role, staffId }) =>
                ['supervisor', 'social_worker'].includes(role) && isMember(world, staffId, communityId),
            ),
          ),
          emergencyPolicy: world.policies.find((each) => each.communityId === communityId)?.policy ?? null,
        })),
    people: async (staffIds) =>
      enabled()
        .filter(({ staffId }) => staffIds.includes(staffId))
        .map(cardOf),
    operators: async () =>
      enabled()
        .filter(({ role }) => role === 'operator')
        .map(cardOf),
  }
}

const isMember = ({ members }: World, staffId: string, communityId: string) =>
  members.some((member) => member.staffId === staffId && member.communityId === communityId)

/** Writes a world into empty tables. */
export async function insertWorld(db: Queryable, world: World): Promise<void> {
  const at = (ms: number) => new Date(ms)
  const off = (is: boolean) => (is ? at(0) : null)
  for (const id of world.communities)
    await db.query('insert into communities (community_id, name, time_zone) values ($1, $1, $2)', [id, 'Asia/Shanghai'])
  for (const s of world.staff)
    await db.query(
      `insert into staff (staff_id, name, role, login, password_hash, language, disabled_at, quiet_from, quiet_until, quiet_zone)
       values ($1, $2, $3, case when $9 then $1 end, case when $9 then '' end, $4, $5, $6, $7, $8)`,
      [
        s.staffId,
        s.name,
        s.role,
        s.language,
        off(s.disabled),
        s.quiet?.from,
        s.quiet?.until,
        s.quiet?.timeZone,
        ['operator', 'supervisor', 'social_worker'].includes(s.role),
      ],
    )
  for (const m of world.members)
    await db.query('insert into staff_communities (staff_id, community_id) values ($1, $2)', [m.staffId, m.communityId])
  for (const c of world.channels)
    await db.query(
      `insert into staff_channels (staff_id, position, kind, address, secret, broken_at, broken_reason)
       values ($1, $2, $3, $4, $5, $6, $7)`,
      [c.staffId, c.position, c.kind, c.address, c.secret, off(c.broken), c.broken ? 'no such mailbox' : null],
    )
  for (const s of world.shifts)
    await db.query('insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ($1, $2, $3, $4)', [
      s.communityId,
      s.staffId,
      at(s.startsAt),
      at(s.endsAt),
    ])
  for (const r of world.residents)
    await db.query(
      `insert into residents (resident_id, community_id, name, address, time_zone, phone, door_code, key_holder, health_note, responsible_staff_id, health_in_pages, synthetic)
       values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12)`,
      [
        r.residentId,
        r.communityId,
        r.name,
        r.address,
        r.timeZone,
        r.phone,
        r.doorCode,
        r.keyHolder,
        r.healthNote,
        r.responsibleStaffId,
        r.healthInPages,
        r.synthetic,
      ],
    )
  for (const v of world.volunteers)
    await db.query('insert into resident_volunteers (resident_id, staff_id, agreed_at) values ($1, $2, $3)', [
      v.residentId,
      v.staffId,
      at(0),
    ])
  for (const [i, f] of world.family.entries())
    await db.query(
      'insert into family_members (family_member_id, resident_id, name, sees_alerts, staff_id) values ($1, $2, $1, $3, $4)',
      [`f-${i}`, f.residentId, f.seesAlerts, f.staffId],
    )
  for (const p of world.policies)
    await db.query(
      `insert into escalation_policies (community_id, severity, policy, changed_at) values ($1, 'emergency', $2, $3)`,
      [p.communityId, JSON.stringify(p.policy), at(0)],
    )
  for (const g of world.gateways)
    await db.query(
      'insert into gateways (gateway_id, community_id, secret_hash, disabled_at) values ($1, $2, $3, $4)',
      [g.gatewayId, g.communityId, g.secretHash, off(g.disabled)],
    )
  for (const d of world.devices)
    await db.query(
      `insert into devices (device_no, device_id, kind, gateway_id, resident_id, room, bound_at, unbound_at)
       overriding system value values ($1, $2, $3, $4, $5, $6, $7, $8)`,
      [d.deviceNo, d.deviceId, d.kind, d.gatewayId, d.residentId, d.room, at(0), off(d.unbound)],
    )
}

/** A shelf in memory that counts what is written, and keeps what JSON keeps. */
export function createFakeShelf() {
  const kept = new Map<string, string>()
  const writes: string[] = []
  const shelf: Shelf = {
    put: (key, value) => {
      kept.set(key, JSON.stringify(value))
      writes.push(`put ${key}`)
    },
    delete: (key) => {
      kept.delete(key)
      writes.push(`delete ${key}`)
    },
    entries: async () => [...kept].map(([key, value]): [string, unknown] => [key, JSON.parse(value)]),
  }
  return { shelf, kept, writes }
}
