import type { DialectMemory } from './dialect.js'
import { isObject } from './json.js'

/**
 * What a Shelly says of itself apart from its readings, for the readings to come: its battery and whether its sensor is
 * faulty. Battery devices say both in one breath, in messages of their own.
 */
export type Sides = { battery?: number; fault?: boolean }

/** Of each list; with keys of at most 120 characters both lists together stay below what a dialect may keep. */
const entriesMax = 80

export function sidesOf(memory: DialectMemory, key: string): Sides {
  const kept = entryOf(memory.sides, key)
  if (!isObject(kept)) return {}
  return {
    ...(typeof kept.battery === 'number' ? { battery: kept.battery } : {}),
    ...(typeof kept.fault === 'boolean' ? { fault: kept.fault } : {}),
  }
}

export function keepSides(memory: DialectMemory, key: string, news: Sides): DialectMemory {
  const kept = sidesOf(memory, key)
  const sides = { ...kept, ...news }
  if (sides.battery === kept.battery && sides.fault === kept.fault) return memory
  return { ...memory, sides: withEntry(memory.sides, key, sides) }
}

/** The count of the last press of an input: the same count again is the same press, said again. */
export const pressOf = (memory: DialectMemory, key: string): unknown => entryOf(memory.presses, key)
export const keepPress = (memory: DialectMemory, key: string, count: number): DialectMemory =>
  pressOf(memory, key) === count ? memory : { ...memory, presses: withEntry(memory.presses, key, count) }

/** The inputs of this device count from 0 again. */
export function forgetPresses(memory: DialectMemory, prefix: string): DialectMemory {
  const { presses } = memory
  const all = isObject(presses) ? Object.entries(presses) : []
  const others = all.filter(([key]) => !key.startsWith(`${prefix}#`))
  return others.length === all.length ? memory : { ...memory, presses: Object.fromEntries(others) }
}

const entryOf = (list: unknown, key: string): unknown =>
  isObject(list) && Object.hasOwn(list, key) ? list[key] : undefined

function withEntry(list: unknown, key: string, value: unknown): DialectMemory {
  const others = isObject(list) ? Object.entries(list).filter(([other]) => other !== key) : []
  return Object.fromEntries([...others.slice(-(entriesMax - 1)), [key, value]])
}

/** Percent as a part; undefined for what a device says that does not know (-1, 255, null). */
export const batteryOf = (percent: number | undefined): Sides =>
  percent !== undefined && percent >= 0 && percent <= 100 ? { battery: percent / 100 } : {}
