import type { EpochMs } from '../../alerts/model.js'
import { timeOf } from './chirpstack-time.js'
import type { Saying } from './dialect.js'
import { nameKey } from './field-names.js'
import { scaled, unitScale } from './field-units.js'
import { type Json, numberOf } from './json.js'

const hourMs = 3_600_000
/** What a frame can hold; more is no frame. */
export const pointsMax = 400

export type Point = Omit<Saying, 'nativeId'>
/** In L or Wh. */
export type Register = { kind: 'water' | 'electricity'; value: number }

export type HourlyDeltas = {
  kind: Register['kind']
  unit: string
  /** The oldest first. */
  deltas: unknown[]
  /** The register before the oldest, in `unit`. */
  start: number | undefined
}

const units: Record<string, { kind: Register['kind']; unit: string }> = {
  m3: { kind: 'water', unit: 'm3' },
  l: { kind: 'water', unit: 'L' },
  wh: { kind: 'electricity', unit: 'Wh' },
  kwh: { kind: 'electricity', unit: 'kWh' },
}

/**
 * Takes the hourly deltas out of a frame, the oldest first: `delta_1_m3` … `delta_23_m3` (Axioma W1, enhanced frame), or
 * one list `hourly_deltas_m3`; also `_l`, `_wh`, `_kwh`. `log_volume_m3` is the register before them.
 */
export function takeHourlyDeltas(object: Json): { rest: Json; deltas: HourlyDeltas | undefined } {
  const others: [string, unknown][] = []
  const numbered = new Map<number, { unit: string; value: unknown }>()
  let list: { unit: string; values: unknown[] } | undefined
  for (const [name, value] of Object.entries(object)) {
    const one = /^delta_?(\d{1,3})_(m3|l|kwh|wh)$/i.exec(name)
    const many = /^hourlydeltas(m3|l|kwh|wh)$/.exec(nameKey(name))
    if (one) numbered.set(Number(one[1]), { unit: (one[2] ?? '').toLowerCase(), value })
    else if (many && Array.isArray(value)) list ??= { unit: many[1] ?? '', values: value.slice(0, pointsMax) }
    else others.push([name, value])
  }
  list ??= listOf(numbered)
  const rest = Object.fromEntries(others)
  const unit = list && units[list.unit]
  if (!list || !unit) return { rest, deltas: undefined }
  const start = numberOf(
    Object.hasOwn(object, `log_volume_${list.unit}`) ? object[`log_volume_${list.unit}`] : undefined,
  )
  return { rest, deltas: { ...unit, deltas: list.values, start } }
}

function listOf(numbered: ReadonlyMap<number, { unit: string; value: unknown }>) {
  if (numbered.size === 0) return undefined
  const unit = [...numbered.values()][0]?.unit ?? ''
  const values: unknown[] = []
  for (let index = 1; index <= Math.min(Math.max(...numbered.keys()), pointsMax); index++) {
    const one = numbered.get(index)
    values.push(one?.unit === unit ? one.value : undefined)
  }
  return { unit, values }
}

/**
 * One reading for the end of each hour, counted backwards from the register at `at`: 23 deltas are 23 readings before
 * it. Ends where a delta is missing, negative (backflow, or a codec that lost its sign) or more than there ever was.
 */
export function readHourlyDeltas(
  { kind, unit, deltas, start }: HourlyDeltas,
  { at, register }: { at: EpochMs | undefined; register: Register | undefined },
): { readings: Point[]; odd: string[] } {
  const readings: Point[] = []
  const scale = unitScale(kind === 'water' ? 'volume' : 'energy', unit) ?? 1
  const point = (value: number, hoursAgo: number) =>
    readings.push({
      kind,
      fields: {
        ...timeOf(at === undefined ? at : at - hoursAgo * hourMs),
        [kind === 'water' ? 'litres' : 'wh']: value,
      },
    })
  const sum = deltas.reduce<number>((all, delta) => all + (numberOf(delta) ?? Number.NaN), start ?? Number.NaN)
  let value = register?.kind === kind ? register.value : scaled(sum, scale)
  if (!Number.isFinite(value)) return { readings, odd: ['hourly deltas, and no register that they lead to'] }
  if (register?.kind !== kind) point(value, 0)
  for (const [index, one] of deltas.toReversed().entries()) {
    const delta = numberOf(one)
    const before = delta === undefined || delta < 0 ? Number.NaN : scaled(value - scaled(delta, scale), 1)
    if (!(before >= 0))
      return {
        readings,
        odd: [`hourly delta ${deltas.length - index} of ${deltas.length} is missing, negative or too big`],
      }
    value = before
    point(value, index + 1)
  }
  return { readings, odd: [] }
}
