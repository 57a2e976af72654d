import type { DialectMemory, Saying } from './dialect.js'

const entriesMax = 800
/** Two of these stay well under what a memory may hold. */
const notedBytesMax = 28_000

/** A list, for an object keeps no order: not with keys that look like numbers, and none at all in a jsonb column. */
type Note = [nativeId: string, note: string | number]

/** At most: three bytes for each character, and the marks around it. */
const bytesOf = ([nativeId, note]: Note) => 3 * (nativeId.length + String(note).length) + 8

function notesOf(memory: DialectMemory, section: string): Note[] {
  const notes: unknown = Object.hasOwn(memory, section) ? memory[section] : undefined
  return Array.isArray(notes) ? notes.filter(isNote) : []
}

const isNote = (value: unknown): value is Note =>
  Array.isArray(value) &&
  value.length === 2 &&
  typeof value[0] === 'string' &&
  (typeof value[1] === 'string' || typeof value[1] === 'number')

/** What was noted of a device under `section`. */
export function notedOf(memory: DialectMemory, section: string, nativeId: string): string | number | undefined {
  return notesOf(memory, section).find(([known]) => known === nativeId)?.[1]
}

type Notes = ReadonlyMap<string, string | number>

/** The memory with this note of a device; the same memory where nothing is new. The oldest are forgotten first. */
export const noted = (memory: DialectMemory, section: string, nativeId: string, note: string | number): DialectMemory =>
  allNoted(memory, section, new Map([[nativeId, note]]))

/** The same for all that one message tells: a thousand devices noted one by one took 300 ms. */
export function allNoted(memory: DialectMemory, section: string, said: Notes): DialectMemory {
  const before = new Map(notesOf(memory, section))
  const news = [...said].filter(([nativeId, note]) => before.get(nativeId) !== note)
  if (news.length === 0) return memory
  for (const [nativeId] of news) before.delete(nativeId)
  const notes: Note[] = [...before, ...news]
  const sizes = notes.map(bytesOf)
  let bytes = sizes.reduce((sum, size) => sum + size, 0)
  let first = 0
  while (notes.length - first > entriesMax || bytes > notedBytesMax) bytes -= sizes[first++] ?? bytes
  return { ...memory, [section]: notes.slice(first) }
}

const section = 'battery'

/** For all devices of one message: see `withBattery`. */
export function createBatteries(memory: DialectMemory) {
  const news = new Map<string, number>()
  const before = new Map(notesOf(memory, section))
  return {
    add<S extends Omit<Saying, 'nativeId'>>(
      nativeId: string,
      { sayings, battery }: { sayings: S[]; battery: number | undefined },
    ): S[] {
      if (battery !== undefined) {
        // The newest goes behind the others.
        news.delete(nativeId)
        news.set(nativeId, battery)
        return sayings
      }
      const last = news.get(nativeId) ?? before.get(nativeId)
      if (typeof last !== 'number') return sayings
      return sayings.map((one) => ({ ...one, fields: { ...one.fields, battery: last } }))
    },
    memory: () => allNoted(memory, section, news),
  }
}

/**
 * Many devices tell their battery in a message of its own, with which no reading comes. It is kept, and goes with the
 * next reading of that device.
 */
export function withBattery<S extends Omit<Saying, 'nativeId'>>(
  memory: DialectMemory,
  nativeId: string,
  read: { sayings: S[]; battery: number | undefined },
): { sayings: S[]; memory: DialectMemory } {
  const batteries = createBatteries(memory)
  return { sayings: batteries.add(nativeId, read), memory: batteries.memory() }
}
