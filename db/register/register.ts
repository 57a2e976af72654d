import { randomBytes } from 'node:crypto'
import { nativeDeviceId } from '../../ingest/dialects/native-id.js'
import { hashSecret, verifySecret } from '../../kit/secret-hash.js'
import { closeNoticesOfUnbound } from '../alerts.js'
import { findBaseTopicClash, lockBaseTopics } from '../attached.js'
import type { Database, Queryable } from '../pool.js'
import type { RegisterDocument } from './document.js'
import { registerRoster } from './register-roster.js'
import { registerReach, registerToldFamily, registerVolunteer, zoneOfCommunity } from './told.js'

export type Issued = { kind: 'password' | 'secret'; of: string; value: string }
type Gateway = RegisterDocument['gateways'][number] & { hash: string | null }

const newSecret = () => randomBytes(15).toString('base64url')

/** Hashing takes 50 ms each on purpose; a few at a time keep both cores busy and the memory small. */
const hashesAtOnce = 4

/**
 * Adds or updates what the document holds, all of it or nothing. `issued`: the passwords and secrets that were made up for
 * new entries, which are not stored in the clear and cannot be shown again. `keptSecrets`: the gateways whose secret in the
 * document was not stored, as it was rotated or revoked on a page since. `keptChannels`: the people whose channels were not,
 * as they were changed on a page. `keptRosters`: the communities whose weekly shifts were not, for the same reason.
 * @throws when an entry refers to something that does not exist, or an attached gateway has a base topic of another one
 */
export async function register(
  db: Database,
  { document, timeZoneDefault, now }: { document: RegisterDocument; timeZoneDefault: string; now: Date },
): Promise<{ issued: Issued[]; keptSecrets: string[]; keptChannels: string[]; keptRosters: string[] }> {
  const hashesOf = async (sql: string, ids: string[]) =>
    new Map((await db.query<{ id: string; hash: string }>(sql, [ids])).rows.map((row) => [row.id, row.hash]))
  const staffHashes = await hashesOf(
    'select staff_id as id, password_hash as hash from staff where staff_id = any($1)',
    document.staff.map((s) => s.id),
  )
  const gatewayHashes = await hashesOf(
    'select gateway_id as id, secret_hash as hash from gateways where gateway_id = any($1)',
    document.gateways.map((g) => g.id),
  )

  const issued: Issued[] = []
  /** The hash to store, or null where the stored one stays. */
  const withHash = async <T extends { id: string }>(
    entry: T,
    given: string | undefined,
    stored: string | undefined,
    kind: Issued['kind'],
  ) => {
    if (given === undefined && stored !== undefined) return { ...entry, hash: null }
    if (given !== undefined && stored !== undefined && (await verifySecret(given, stored)))
      return { ...entry, hash: null }
    const value = given ?? newSecret()
    if (given === undefined) issued.push({ kind, of: entry.id, value })
    return { ...entry, hash: await hashSecret(value) }
  }
  const staff = await mapFew(document.staff, (s) => withHash(s, s.password, staffHashes.get(s.id), 'password'))
  const gateways = await mapFew(document.gateways, (g) => withHash(g, g.secret, gatewayHashes.get(g.id), 'secret'))

  const keptChannels: string[] = []
  let keptRosters: string[] = []
  const note = (of: string, stored: boolean) => {
    if (!stored) keptChannels.push(of)
  }
  const keptSecrets = await db.transaction(async (tx) => {
    // A transaction that is run again begins anew.
    keptChannels.length = 0
    for (const c of document.communities)
      await tx.query(
        `insert into communities (community_id, name, time_zone) values ($1, $2, $3)
         on conflict (community_id) do update set name = $2, time_zone = $3`,
        [c.id, c.name, c.timeZone ?? timeZoneDefault],
      )
    for (const s of staff) note(s.id, await upsertStaff(tx, s))
    for (const r of document.residents)
      await tx.query(
        `insert into residents (resident_id, community_id, name, address, time_zone, phone, door_code, key_holder, health_note, responsible_staff_id, health_in_pages)
         select $1, community_id, $3, $4, coalesce($5, time_zone), $6, $7, $8, $9, $10, $11 from (
           select $2 as community_id, (select time_zone from communities where community_id = $2) as time_zone) c
         on conflict (resident_id) do update set community_id = $2, name = $3, address = $4, time_zone = excluded.time_zone,
           phone = $6, door_code = $7, key_holder = $8, health_note = $9, responsible_staff_id = $10,
           health_in_pages = $11`,
        [
          r.id,
          r.community,
          r.name,
          r.address,
          r.timeZone ?? null,
          r.phone ?? null,
          r.doorCode ?? null,
          r.keyHolder ?? null,
          r.healthNote ?? null,
          r.responsible ?? null,
          r.healthInPages,
        ],
      )
    for (const v of document.volunteers) note(v.id, await registerVolunteer(tx, v, now))
    const kept = await upsertGateways(tx, gateways)
    for (const d of document.devices) await bind(tx, d, now)
    for (const f of document.family)
      await tx.query(
        `insert into family_members (family_member_id, resident_id, name, relation, phone, language, sees_alerts, sees_week, may_set_away, agreed_to_ask)
         values ($1, $2, $3, $4, $5, $6, $7, $8, coalesce($9, false), coalesce($10, false))
         on conflict (family_member_id) do update set name = $3, relation = $4, phone = $5, language = $6, sees_alerts = $7, sees_week = $8,
           may_set_away = coalesce($9, family_members.may_set_away), agreed_to_ask = coalesce($10, family_members.agreed_to_ask)`,
        [
          f.id,
          f.resident,
          f.name,
          f.relation ?? null,
          f.phone ?? null,
          f.language,
          f.seesAlerts,
          f.seesWeek,
          f.maySetAway ?? null,
          f.agreedToAsk ?? null,
        ],
      )
    for (const f of document.family) note(f.id, await registerToldFamily(tx, f))
    for (const d of document.duty)
      await tx.query(
        `insert into duty_shifts (community_id, staff_id, starts_at, ends_at) values ($1, $2, $3, $4)
         on conflict (community_id, staff_id, starts_at) do update set ends_at = $4`,
        [d.community, d.staff, d.from, d.to],
      )
    keptRosters = await registerRoster(tx, document.roster, now)
    return kept
  })
  return { issued, keptSecrets, keptChannels, keptRosters }
}

/** Returns those whose secret was changed on a page since, and stays as it is. */
async function upsertGateways(tx: Queryable, gateways: Gateway[]): Promise<string[]> {
  const withTopics = gateways.filter((g) => g.via === 'attached' || g.baseTopics !== undefined)
  if (withTopics.length > 0) await lockBaseTopics(tx)
  const ids = gateways.map((g) => g.id)
  // Nobody rotates one of them between this look and the end.
  await tx.query('select from gateways where gateway_id = any($1) order by gateway_id for no key update', [ids])
  const { rows: changed } = await tx.query<{ id: string }>(
    'select distinct gateway_id as id from gateway_secret_events where gateway_id = any($1)',
    [ids],
  )
  const onPage = new Set(changed.map((row) => row.id))
  const keeps = (g: Gateway) => g.hash !== null && onPage.has(g.id) && !g.replaceSecret
  for (const g of gateways)
    await tx.query(
      `insert into gateways (gateway_id, community_id, label, secret_hash, dialect, base_topics, dialect_settings, via)
       values ($1, $2, $3, coalesce($4, ''), coalesce($5, 'v1'), coalesce($6::text[], '{}'), $7, coalesce($8, 'own'))
       on conflict (gateway_id) do update set community_id = $2, label = $3, secret_hash = coalesce($4, gateways.secret_hash),
         dialect = coalesce($5, gateways.dialect), base_topics = coalesce($6::text[], gateways.base_topics),
         dialect_settings = case when $9::bool then $7 else gateways.dialect_settings end, via = coalesce($8, gateways.via)`,
      [
        g.id,
        g.community,
        g.label,
        keeps(g) ? null : g.hash,
        g.dialect ?? null,
        g.baseTopics ?? null,
        g.dialectSettings === undefined || g.dialectSettings === null ? null : JSON.stringify(g.dialectSettings),
        g.via ?? null,
        g.dialectSettings !== undefined,
      ],
    )
  for (const { id } of withTopics) await refuseClash(tx, id)
  return gateways.filter(keeps).map((g) => g.id)
}

async function refuseClash(tx: Queryable, gatewayId: string) {
  const { rows } = await tx.query<{ baseTopics: string[] }>(
    `select base_topics as "baseTopics" from gateways where gateway_id = $1 and via = 'attached'`,
    [gatewayId],
  )
  const clash = rows[0] && (await findBaseTopicClash(tx, { gatewayId, baseTopics: rows[0].baseTopics }))
  if (clash) throw new Error(`gateway ${gatewayId}: base topic "${clash.topic}" belongs to gateway ${clash.gatewayId}`)
}

/** False where the person changed the channels on a page since, and they stay. */
async function upsertStaff(tx: Queryable, s: RegisterDocument['staff'][number] & { hash: string | null }) {
  await tx.query(
    `insert into staff (staff_id, name, role, login, password_hash, language, phone) values ($1, $2, $3, $4, coalesce($5, ''), $6, $7)
     on conflict (staff_id) do update set name = $2, role = $3, login = $4, password_hash = coalesce($5, staff.password_hash), language = $6, phone = $7`,
    [s.id, s.name, s.role, s.login, s.hash, s.language, s.phone ?? null],
  )
  // Whoever knew the old password is out.
  if (s.hash !== null) await tx.query('delete from sessions where staff_id = $1', [s.id])
  await tx.query('delete from staff_communities where staff_id = $1', [s.id])
  await tx.query('insert into staff_communities (staff_id, community_id) select distinct $1, unnest($2::text[])', [
    s.id,
    s.communities,
  ])
  return registerReach(tx, { staffId: s.id, reached: s, timeZone: () => zoneOfCommunity(tx, s.communities[0]!) })
}

/** A device that hangs elsewhere now is a new binding: its history stays with the resident it was measured for. */
async function bind(tx: Queryable, d: RegisterDocument['devices'][number], now: Date) {
  const deviceId = d.id ?? nativeDeviceId(d.gateway, d.native!, d.kind)
  const { rowCount: unchanged } = await tx.query(
    `update devices set room = $5, gateway_id = $4 where device_id = $1 and kind = $2 and resident_id = $3 and unbound_at is null`,
    [deviceId, d.kind, d.resident, d.gateway, d.room],
  )
  if (unchanged) return
  await tx.query('update devices set unbound_at = $2 where device_id = $1 and unbound_at is null', [deviceId, now])
  await closeNoticesOfUnbound(tx, { deviceId, now })
  await tx.query(
    'insert into devices (device_id, kind, resident_id, gateway_id, room, bound_at) values ($1, $2, $3, $4, $5, $6)',
    [deviceId, d.kind, d.resident, d.gateway, d.room, now],
  )
}

async function mapFew<T, R>(items: T[], work: (item: T) => Promise<R>): Promise<R[]> {
  const results: R[] = []
  for (let start = 0; start < items.length; start += hashesAtOnce)
    results.push(...(await Promise.all(items.slice(start, start + hashesAtOnce).map(work))))
  return results
}
