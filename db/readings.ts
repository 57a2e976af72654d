import type { Queryable } from './pool.js'

/** A reading on its way into the store. Times in epoch ms. */
export type ReadingRow = {
  deviceNo: number
  observedAt: number
  receivedAt: number
  event: string
  value?: number | undefined
  rate?: number | undefined
  unit?: string | undefined
  battery?: number | undefined
  tamper?: boolean | undefined
  fault?: boolean | undefined
  clockWrong: boolean
  seq?: number | undefined
}

/** Names a reading by its key. */
export type ReadingKey = { deviceNo: number; observedAt: number; event: string }

const insert = `
  with fresh as (
    insert into readings (device_no, observed_at, received_at, event, value, rate, unit, battery, tamper, fault, clock_wrong, seq)
    select device_no, to_timestamp(observed_ms / 1000), to_timestamp(received_ms / 1000), event, value, rate, unit, battery,
           tamper, fault, clock_wrong, seq
      from unnest($1::int[], $2::float8[], $3::float8[], $4::text[], $5::float8[], $6::float8[], $7::text[], $8::float4[],
                  $9::bool[], $10::bool[], $11::bool[], $12::int8[])
        as r (device_no, observed_ms, received_ms, event, value, rate, unit, battery, tamper, fault, clock_wrong, seq)
    on conflict do nothing
    returning device_no, observed_at, received_at, event, value, rate, battery, tamper, fault, clock_wrong
  ), queued as (
    insert into arrivals (resident_id, received_at, entries, body)
    select d.resident_id, max(f.received_at), count(*), jsonb_agg(jsonb_strip_nulls(jsonb_build_object(
             'type', 'reading', 'deviceNo', f.device_no, 'kind', d.kind, 'event', f.event,
             'observedAt', round(extract(epoch from f.observed_at) * 1000),
             'receivedAt', round(extract(epoch from f.received_at) * 1000),
             'value', f.value, 'rate', f.rate, 'battery', f.battery, 'tamper', f.tamper, 'fault', f.fault,
             'clockWrong', f.clock_wrong)) order by f.received_at, f.observed_at, f.device_no, f.event)
      from fresh f join devices d using (device_no) group by d.resident_id
  )`

function parameters(rows: ReadingRow[]): unknown[] {
  const column = <T>(of: (row: ReadingRow) => T) => rows.map((row) => of(row) ?? null)
  return [
    column((r) => r.deviceNo),
    column((r) => r.observedAt),
    column((r) => r.receivedAt),
    column((r) => r.event),
    column((r) => r.value),
    column((r) => r.rate),
    column((r) => r.unit),
    column((r) => r.battery),
    column((r) => r.tamper),
    column((r) => r.fault),
    column((r) => r.clockWrong || null),
    column((r) => r.seq),
  ]
}

/**
 * Stores readings and hands those that are new to the rules (`arrivals`), in one statement. A reading that is there
 * already is left as it is. Returns how many were new.
 */
export async function insertReadings(tx: Queryable, rows: ReadingRow[]): Promise<number> {
  if (rows.length === 0) return 0
  const { rows: result } = await tx.query<{ n: number }>(`${insert} select count(*) as n from fresh`, parameters(rows))
  return result[0]!.n
}

/** The same, but returns the keys of the new ones: what the alarm episodes are judged on. */
export async function insertAlarmReadings(tx: Queryable, rows: ReadingRow[]): Promise<ReadingKey[]> {
  if (rows.length === 0) return []
  const { rows: result } = await tx.query<{ device_no: number; observed_ms: number; event: string }>(
    `${insert} select device_no, round(extract(epoch from observed_at) * 1000)::int8 as observed_ms, event from fresh`,
    parameters(rows),
  )
  return result.map((row) => ({ deviceNo: row.device_no, observedAt: row.observed_ms, event: row.event }))
}
