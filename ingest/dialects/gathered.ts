import { isAlarmKind } from '../contract.js'
import { type DialectMemory, type DialectOutput, type Saying, sayingsMax } from './dialect.js'
import type { Vocabulary } from './field-names.js'
import { readValues, rejectionsOf } from './field-values.js'
import type { Json } from './json.js'
import { nativeName } from './native-name.js'
import { createBatteries } from './noted.js'
import { plainText } from './plain-text.js'

/** The values of one device at one time, or what was wrong with them. */
export type Item =
  | {
      nativeId: unknown
      values: Json
      ts: string | number | undefined
      /** Said again from memory. */
      cached?: boolean
      /** What else is among them is what the device is, and nothing for us. */
      alarmsOnly?: boolean
      /** Where nothing in them is understood: what they were said to be. */
      called?: string
    }
  | { odd: string }

/** All of one message, read by the table of names: at most `sayingsMax` readings of as many items. */
export function gather(
  items: readonly Item[],
  { vocabulary, memory: before }: { vocabulary: Vocabulary; memory: DialectMemory },
): DialectOutput {
  const readings: Saying[] = []
  const unknown: string[] = []
  const odd: string[] = []
  const batteries = createBatteries(before)
  for (const item of items.slice(0, sayingsMax)) {
    if ('odd' in item) {
      odd.push(item.odd)
      continue
    }
    const nativeId = nativeName(item.nativeId)
    if (!nativeId) {
      odd.push('a device without a name that can be kept')
      continue
    }
    const { values, ts, cached = false, alarmsOnly = false, called } = item
    const read = readValues(values, { vocabulary, ts, cached })
    const told = batteries.add(nativeId, read)
    const sayings = alarmsOnly ? told.filter(({ kind }) => isAlarmKind(kind)) : told
    readings.push(...sayings.map((one) => ({ nativeId, ...one })))
    if (!alarmsOnly) unknown.push(...read.unknown)
    if (called !== undefined && sayings.length === 0 && read.odd.length === 0) unknown.push(plainText(called, 60))
    odd.push(...read.odd)
  }
  if (items.length > sayingsMax || readings.length > sayingsMax) odd.push(`more than ${sayingsMax} values`)
  const memory = batteries.memory()
  return {
    readings: readings.slice(0, sayingsMax),
    rejections: rejectionsOf({ unknown, odd }),
    ...(memory === before ? {} : { memory }),
  }
}
