import type { Queryable } from './pool.js'
import { storableText } from './storable.js'

/**
 * Input that could not be understood. receivedAt in epoch ms; payloadBytes: its size where `payload` is only its start;
 * kept: the reading itself was stored all the same.
 */
export type QuarantineRow = {
  receivedAt: number
  gatewayId: string | null
  topic: string
  reason: string
  detail: string
  payload: Uint8Array
  payloadBytes?: number | undefined
  kept?: boolean
}

/** What is kept of one payload; of a larger packet the broker hands over only the start. */
export const quarantinePayloadBytesMax = 65_536
const topicCharsMax = 1_024

/** Keeps what could not be understood, with its reason. */
export async function insertQuarantine(tx: Queryable, rows: QuarantineRow[]): Promise<void> {
  if (rows.length === 0) return
  await tx.query(
    `insert into quarantine (received_at, gateway_id, topic, reason, detail, payload, payload_bytes, kept)
     select to_timestamp(received_ms / 1000), gateway_id, topic, reason, detail, payload, bytes, kept
       from unnest($1::float8[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bytea[], $7::int[], $8::bool[])
         as q (received_ms, gateway_id, topic, reason, detail, payload, bytes, kept)`,
    [
      rows.map((row) => row.receivedAt),
      rows.map((row) => row.gatewayId),
      rows.map((row) => storableText(row.topic).slice(0, topicCharsMax)),
      rows.map((row) => row.reason),
      rows.map((row) => storableText(row.detail).slice(0, 500)),
      rows.map((row) => Buffer.from(row.payload.subarray(0, quarantinePayloadBytesMax))),
      rows.map((row) => row.payloadBytes ?? row.payload.length),
      rows.map((row) => row.kept ?? false),
    ],
  )
}

/** Something odd about a reading that was stored all the same, such as a register that ran backwards. Times in epoch ms: when it was measured, which stands in the detail, and found. */
export async function insertFinding(
  tx: Queryable,
  p: { deviceNo: number; reason: string; detail: string; at: number; foundAt: number },
): Promise<void> {
  const { rows } = await tx.query<{ gateway_id: string; topic: string }>(
    `select gateway_id, concat_ws('/', 'v1', gateway_id, device_id, kind) as topic from devices where device_no = $1`,
    [p.deviceNo],
  )
  const { reason, foundAt: receivedAt } = p
  const detail = `${p.detail}, measured ${new Date(p.at).toISOString()}`
  await insertQuarantine(
    tx,
    rows.map(({ gateway_id: gatewayId, topic }) => ({
      receivedAt,
      gatewayId,
      topic,
      reason,
      detail,
      payload: new Uint8Array(),
      kept: true,
    })),
  )
}
