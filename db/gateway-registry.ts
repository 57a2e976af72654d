import type { ReadingKind } from '../ingest/contract.js'
import type { Queryable } from './pool.js'

export type RegisteredDevice = { deviceNo: number; deviceId: string; kind: ReadingKind }

/** The credentials of a gateway, or undefined where there is none. */
export async function findGateway(
  db: Queryable,
  gatewayId: string,
): Promise<{ gatewayId: string; secretHash: string; disabled: boolean } | undefined> {
  const { rows } = await db.query<{ secret_hash: string; disabled: boolean }>(
    'select secret_hash, disabled_at is not null as disabled from gateways where gateway_id = $1',
    [gatewayId],
  )
  const row = rows[0]
  return row && { gatewayId, secretHash: row.secret_hash, disabled: row.disabled }
}

/** The devices that `gatewayId` carries now. */
export async function findDevices(db: Queryable, gatewayId: string): Promise<RegisteredDevice[]> {
  const { rows } = await db.query<{ device_no: number; device_id: string; kind: ReadingKind }>(
    'select device_no, device_id, kind from devices where gateway_id = $1 and unbound_at is null',
    [gatewayId],
  )
  return rows.map((row) => ({ deviceNo: row.device_no, deviceId: row.device_id, kind: row.kind }))
}

/** True where some gateway carries a device of this id now. */
export async function isDeviceKnown(db: Queryable, deviceId: string): Promise<boolean> {
  const { rowCount } = await db.query('select from devices where device_id = $1 and unbound_at is null', [deviceId])
  return rowCount === 1
}
