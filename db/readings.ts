import type { ReadingKind } from '../ingest/contract.js'
import { arrivalsOf } from './arrivals.js'
import { boolColumn, float4Column, float8Column, int4Column, int8Column, textColumn, timeColumn } from './columns.js'
import type { Queryable } from './pool.js'

/** A reading on its way into the store. Times in epoch ms. `residentId` and `kind` are those of its device. */
export type ReadingRow = {
  deviceNo: number
  residentId?: string
  kind?: ReadingKind
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

type Field = { name: string; type: string; column: (rows: ReadingRow[]) => Buffer | undefined }

/** Undefined where no row has it: a column that is left out costs nothing, and most readings have only a register. */
const optional =
  <T>(cell: (row: ReadingRow) => T | undefined, encode: (column: (T | undefined)[]) => Buffer): Field['column'] =>
  (rows) => {
    const column = rows.map(cell)
    return column.some((value) => value !== undefined) ? encode(column) : undefined
  }

const fields: Field[] = [
  { name: 'device_no', type: 'int4', column: (rows) => int4Column(rows.map((r) => r.deviceNo)) },
  { name: 'observed_at', type: 'timestamptz', column: (rows) => timeColumn(rows.map((r) => r.observedAt)) },
  { name: 'received_at', type: 'timestamptz', column: (rows) => timeColumn(rows.map((r) => r.receivedAt)) },
  {
    name: 'event',
    type: 'text',
    column: (rows) => (rows.some((r) => r.event !== '') ? textColumn(rows.map((r) => r.event)) : undefined),
  },
  { name: 'value', type: 'float8', column: optional((r) => r.value, float8Column) },
  { name: 'rate', type: 'float8', column: optional((r) => r.rate, float8Column) },
  { name: 'unit', type: 'text', column: optional((r) => r.unit, textColumn) },
  { name: 'battery', type: 'float4', column: optional((r) => r.battery, float4Column) },
  { name: 'tamper', type: 'bool', column: optional((r) => r.tamper, boolColumn) },
  { name: 'fault', type: 'bool', column: optional((r) => r.fault, boolColumn) },
  { name: 'clock_wrong', type: 'bool', column: optional((r) => r.clockWrong || undefined, boolColumn) },
  { name: 'seq', type: 'int8', column: optional((r) => r.seq, int8Column) },
]

/**
 * Stores readings and hands those that are new to the rules. What the rules get is made by us where all are new; where
 * some were there already, or do not say whose they are, the server makes it, which costs more than the insert itself.
 */
function insertOf(rows: ReadingRow[], result: string): { text: string; values: unknown[] } {
  const arrivals = arrivalsOf(rows)
  const ready = arrivals ?? []
  const values: unknown[] = [
    arrivals ? rows.length : -1,
    textColumn(ready.map((a) => a.residentId)),
    timeColumn(ready.map((a) => a.receivedAt)),
    int4Column(ready.map((a) => a.entries)),
    textColumn(ready.map((a) => a.body)),
  ]
  const names: string[] = []
  const unnested: string[] = []
  for (const { name, type, column } of fields) {
    const encoded = column(rows)
    if (encoded === undefined) continue
    names.push(name)
    unnested.push(`$${values.push(encoded)}::${type}[]`)
  }
  const text = `
  with fresh as (
    insert into readings (${names})
    select * from unnest(${unnested})
    on conflict do nothing
    returning device_no, observed_at, received_at, event, value, rate, battery, tamper, fault, clock_wrong
  ), queued as (
    insert into arrivals (resident_id, received_at, entries, body)
    select resident_id, received_at, entries, body::json
      from unnest($2::text[], $3::timestamptz[], $4::int4[], $5::text[]) as a (resident_id, received_at, entries, body)
     where (select count(*) from fresh) = $1::int8
    union all
    select d.resident_id, max(f.received_at), count(*), json_agg(jsonb_strip_nulls(jsonb_build_object(
             'type', 'reading', 'deviceNo', f.device_no, 'kind', d.kind, 'event', f.event,
             'observedAt', round(extract(epoch from f.observed_at) * 1000),
             'receivedAt', round(extract(epoch from f.received_at) * 1000),
             'value', f.value, 'rate', f.rate, 'battery', f.battery, 'tamper', f.tamper, 'fault', f.fault,
             'clockWrong', f.clock_wrong)) order by f.received_at, f.observed_at, f.device_no, f.event)
      from fresh f join devices d using (device_no)
     where (select count(*) from fresh) <> $1::int8
     group by d.resident_id
  )
  ${result}`
  return { text, values }
}

/**
 * Stores readings and hands those that are new to the rules (`arrivals`), in one statement. A reading that is there
 * already is left as it is. Returns how many were new.
 */
export async function insertReadings(tx: Queryable, rows: ReadingRow[]): Promise<number> {
  if (rows.length === 0) return 0
  const { rows: result } = await tx.query<{ n: number }>(insertOf(rows, 'select count(*) as n from fresh'))
  return result[0]!.n
}

/** The same, but returns the keys of the new ones: what the alarm episodes are judged on. */
export async function insertAlarmReadings(tx: Queryable, rows: ReadingRow[]): Promise<ReadingKey[]> {
  if (rows.length === 0) return []
  const { rows: result } = await tx.query<{ device_no: number; observed_ms: number; event: string }>(
    insertOf(
      rows,
      'select device_no, round(extract(epoch from observed_at) * 1000)::int8 as observed_ms, event from fresh',
    ),
  )
  return result.map((row) => ({ deviceNo: row.device_no, observedAt: row.observed_ms, event: row.event }))
}
