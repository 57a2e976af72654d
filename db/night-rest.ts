import type { Queryable } from './pool.js'

/** A reading of a bed sensor that differs from the one before it, or comes long after it. Times in epoch ms. */
export type BedEdge = { at: number; inBed: boolean; before: { at: number; inBed: boolean } | null }

/** What one bed sensor told in a stretch of time. */
export type BedNight = {
  deviceNo: number
  readings: number
  firstAt: number
  lastAt: number
  lastInBed: boolean
  /** Lowest and highest measured in bed, each per minute. */
  breaths: { min: number; max: number } | null
  heartBeats: { min: number; max: number } | null
  /** In order; the first reading of the stretch is always among them. */
  edges: BedEdge[]
}

/** A reading that comes later than this after the one before is an edge, too. */
const longGapMinutes = 30
/** Nobody gets up that often: beyond it the sensor is broken. */
const edgesMax = 500
/** How a sensor that only reports changes stood when the stretch began. */
const lookBackMs = 24 * 3_600_000

/**
 * What the bed sensors `deviceNos` told in `[from, to)` (epoch ms): when somebody got in and out, and what was measured in
 * bed; a sensor that said nothing in that time is not there.
 */
export async function bedNights(
  db: Queryable,
  { deviceNos, from, to }: { deviceNos: number[]; from: number; to: number },
): Promise<BedNight[]> {
  if (deviceNos.length === 0) return []
  const { rows } = await db.query<
    Omit<BedNight, 'breaths' | 'heartBeats'> &
      Record<'breathsMin' | 'breathsMax' | 'heartMin' | 'heartMax', number | null>
  >(
    `with said as (
       select device_no, event = 'in' as in_bed, value, rate,
              round(extract(epoch from observed_at) * 1000)::float8 as at, observed_at >= $2 as inside,
              lag(event) over w = 'in' as was_in,
              round(extract(epoch from lag(observed_at) over w) * 1000)::float8 as before_at,
              lag(observed_at >= $2) over w as was_inside
         from readings
        where device_no = any($1) and event in ('in', 'out') and observed_at >= $4 and observed_at < $3
       window w as (partition by device_no order by observed_at, event)
     ), edges as (
       select *, row_number() over (partition by device_no order by at) as n from said
        where inside and (was_inside is not true or was_in <> in_bed or at - before_at > ${longGapMinutes} * 60000)
     )
     select device_no as "deviceNo", count(*)::int as readings, min(at) as "firstAt", max(at) as "lastAt",
            (array_agg(in_bed order by at desc))[1] as "lastInBed",
            min(value) filter (where in_bed and value > 0) as "breathsMin",
            max(value) filter (where in_bed and value > 0) as "breathsMax",
            min(rate) filter (where in_bed and rate > 0) as "heartMin",
            max(rate) filter (where in_bed and rate > 0) as "heartMax",
            (select json_agg(json_build_object('at', at, 'inBed', in_bed, 'before',
                      case when before_at is not null then json_build_object('at', before_at, 'inBed', was_in) end) order by at)
               from edges e where e.device_no = s.device_no and n <= ${edgesMax}) as edges
       from said s where inside group by device_no order by device_no`,
    [deviceNos, new Date(from), new Date(to), new Date(from - lookBackMs)],
  )
  const range = (min: number | null, max: number | null) => (min === null || max === null ? null : { min, max })
  return rows.map(({ breathsMin, breathsMax, heartMin, heartMax, ...night }) => ({
    ...night,
    breaths: range(breathsMin, breathsMax),
    heartBeats: range(heartMin, heartMax),
  }))
}
