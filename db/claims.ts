import { closeNoticesOfUnbound } from './alerts.js'
import { beginTest, endTests } from './device-tests.js'
import type { Database, Queryable } from './pool.js'

/** Who asks, and for which communities: what is outside them does not exist. */
export type Claimer = { communityIds: string[]; staffId: string; now: Date }

/** Who bound a device to whom; `by` null: who runs the server. */
export type Binding = {
  deviceNo: number
  deviceId: string
  kind: string
  gatewayId: string
  room: string
  boundAt: Date
  by: string | null
  residentId: string
  residentName: string
}

export type ClaimResult =
  | { kind: 'bound'; deviceNo: number }
  /** Somebody was faster, or it hangs at somebody's. */
  | { kind: 'taken'; binding: Binding }
  /** No such device, gateway or resident of one of these communities. */
  | { kind: 'missing' }
  /** It hangs no more where the page said, or at nobody's. */
  | { kind: 'changed' }

const bindingColumns = `d.device_no as "deviceNo", d.device_id as "deviceId", d.kind, d.gateway_id as "gatewayId", d.room,
  d.bound_at as "boundAt", s.name as by, d.resident_id as "residentId", r.name as "residentName"`
const bindings = `devices d join gateways g using (gateway_id) join residents r using (resident_id)
  left join staff s on s.staff_id = d.bound_by`

/** Whose a device of these communities is now. */
export async function findBinding(
  db: Queryable,
  p: { communityIds: string[]; gatewayId: string; deviceId: string },
): Promise<Binding | undefined> {
  const { rows } = await db.query<Binding>(
    `select ${bindingColumns} from ${bindings}
      where g.community_id = any($1) and d.gateway_id = $2 and d.device_id = $3 and d.unbound_at is null`,
    [p.communityIds, p.gatewayId, p.deviceId],
  )
  return rows[0]
}

/**
 * Binds an announced device to a resident of its gateway's own community, and begins its test. Of two who do so at the same
 * moment one is told who the other was.
 */
export function claimDevice(
  db: Database,
  p: Claimer & { gatewayId: string; deviceId: string; residentId: string; room: string },
): Promise<ClaimResult> {
  return db.transaction(async (tx) => {
    const { rows } = await tx.query<{ kind: string }>(
      `select a.kind from announced_devices a join gateways g using (gateway_id)
        where g.community_id = any($1) and a.gateway_id = $2 and a.device_id = $3 for update of a`,
      [p.communityIds, p.gatewayId, p.deviceId],
    )
    const announced = rows[0]
    if (!announced || !(await livesHere(tx, p))) return { kind: 'missing' }
    const deviceNo = await bind(tx, { ...p, kind: announced.kind })
    if (deviceNo === undefined) {
      const binding = await findBinding(tx, p)
      return binding ? { kind: 'taken', binding } : { kind: 'missing' }
    }
    return { kind: 'bound', deviceNo }
  })
}

/**
 * Moves a device from the binding `deviceNo` to another resident of the same community, which closes its history for the
 * first, and begins its test. The same resident with another room is no move: the binding and its test stay.
 */
export function moveDevice(
  db: Database,
  p: Claimer & { gatewayId: string; deviceId: string; deviceNo: number; residentId: string; room: string },
): Promise<ClaimResult> {
  return db.transaction(async (tx) => {
    const bound = await lockBinding(tx, p)
    if (!bound) return { kind: 'changed' }
    if (!(await livesHere(tx, p))) return { kind: 'missing' }
    if (bound.residentId === p.residentId) {
      await tx.query('update devices set room = $2 where device_no = $1', [p.deviceNo, p.room])
      await tellEdges(tx, p)
      return { kind: 'bound', deviceNo: p.deviceNo }
    }
    await end(tx, { ...p, residentId: bound.residentId })
    const deviceNo = await bind(tx, { ...p, kind: bound.kind })
    return deviceNo === undefined ? { kind: 'changed' } : { kind: 'bound', deviceNo }
  })
}

/** Takes a device away from whom it is bound to; it appears as unclaimed again if its gateway tells of it. */
export function unbindDevice(
  db: Database,
  p: Claimer & { gatewayId: string; deviceId: string; deviceNo: number },
): Promise<{ kind: 'unbound' } | { kind: 'changed' }> {
  return db.transaction(async (tx) => {
    const bound = await lockBinding(tx, p)
    if (!bound) return { kind: 'changed' }
    await end(tx, { ...p, residentId: bound.residentId })
    await tellEdges(tx, p)
    return { kind: 'unbound' }
  })
}

/** The resident is there, and of the community of the gateway: not only of one that the viewer may see. */
async function livesHere(
  tx: Queryable,
  p: { communityIds: string[]; gatewayId: string; residentId: string },
): Promise<boolean> {
  const { rowCount } = await tx.query(
    `select from residents r join gateways g using (community_id)
      where r.resident_id = $1 and r.left_at is null and g.gateway_id = $2 and g.community_id = any($3) for share of r`,
    [p.residentId, p.gatewayId, p.communityIds],
  )
  return rowCount === 1
}

async function lockBinding(
  tx: Queryable,
  p: { communityIds: string[]; gatewayId: string; deviceId: string; deviceNo: number },
): Promise<{ residentId: string; kind: string } | undefined> {
  const { rows } = await tx.query<{ residentId: string; kind: string }>(
    `select d.resident_id as "residentId", d.kind from devices d join gateways g using (gateway_id)
      where d.device_no = $1 and d.device_id = $2 and d.gateway_id = $3 and g.community_id = any($4) and d.unbound_at is null
        for no key update of d`,
    [p.deviceNo, p.deviceId, p.gatewayId, p.communityIds],
  )
  return rows[0]
}

/** Undefined where somebody else was faster. */
async function bind(
  tx: Queryable,
  p: Claimer & { gatewayId: string; deviceId: string; kind: string; residentId: string; room: string },
): Promise<number | undefined> {
  const { rows } = await tx.query<{ deviceNo: number }>(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at, bound_by)
     values ($1, $2, $3, $4, $5, $6, $7) on conflict (device_id) where unbound_at is null do nothing
     returning device_no as "deviceNo"`,
    [p.deviceId, p.kind, p.gatewayId, p.residentId, p.room, p.now, p.staffId],
  )
  const deviceNo = rows[0]?.deviceNo
  if (deviceNo === undefined) return undefined
  await beginTest(tx, { deviceNo, staffId: p.staffId, now: p.now })
  await wakeRules(tx, p)
  await tellEdges(tx, p)
  return deviceNo
}

async function end(tx: Queryable, p: Claimer & { deviceId: string; deviceNo: number; residentId: string }) {
  await endTests(tx, p)
  await tx.query('update devices set unbound_at = $2, unbound_by = $3 where device_no = $1', [
    p.deviceNo,
    p.now,
    p.staffId,
  ])
  await closeNoticesOfUnbound(tx, p)
  await wakeRules(tx, p)
}

/** What is known of this resident rests on other devices now: the rules look again, and forget those that are gone. */
async function wakeRules(tx: Queryable, { residentId, now }: { residentId: string; now: Date }): Promise<void> {
  await tx.query(
    'update resident_state set wake_at = $2 where resident_id = $1 and (wake_at is null or wake_at > $2)',
    [residentId, now],
  )
}

/** Every edge asks once a second for the gateways of which something has changed: an alarm must not go by the old binding. */
async function tellEdges(tx: Queryable, { gatewayId }: { gatewayId: string }): Promise<void> {
  await tx.query('update gateways set rights_xid = pg_current_xact_id() where gateway_id = $1', [gatewayId])
}
