import { z } from 'zod'
import type { EpochMs } from '../alerts/model.js'
import type { CommunityCard, GatewayRecord, PersonCard, ResidentCard } from '../db/directory.js'
import type { Log } from '../kit/log.js'
import { type ReadingKind, readingSchemas } from './contract.js'

/** What an edge knows of a gateway; `loadedAt` is when the database said so, or began to. */
export type GatewayCard = GatewayRecord & { loadedAt: EpochMs }

/** Where cards survive the process: buffered, best effort. A lost write is made up for when the card is next loaded. */
export type Shelf = {
  put(key: string, value: unknown): void
  delete(key: string): void
  entries(): AsyncIterable<[string, unknown]> | Promise<[string, unknown][]>
}

type Cards = {
  gateway: GatewayCard
  resident: ResidentCard
  community: CommunityCard
  person: PersonCard
  /** One, `directory/age`: when communities and people were last known to be up to date. */
  directory: { refreshedAt: EpochMs }
}
type Kind = keyof Cards

export type CardShelf = {
  put<K extends Kind>(kind: K, id: string, card: Cards[K]): void
  delete(kind: Kind, id: string): void
}

const text = z.string()
const nullable = text.nullable()
const kind = z.enum(Object.keys(readingSchemas) as [ReadingKind, ...ReadingKind[]])

/** An older or a newer Shouwang may have written them: what does not fit is as if it had never been there. */
const schemas: { [K in Kind]: z.ZodType<Cards[K]> } = {
  gateway: z.object({
    gatewayId: text,
    secretHash: text,
    secretHashBefore: nullable,
    secretBeforeUntil: z.number().nullable(),
    disabled: z.boolean(),
    dialect: text,
    baseTopics: z.array(text),
    dialectSettings: z.unknown(),
    dialectMemory: z.record(text, z.unknown()).nullable(),
    dialectMemoryVersion: z.number(),
    timeZone: text,
    attached: z.boolean(),
    devices: z.array(z.object({ deviceNo: z.int(), deviceId: text, kind, residentId: text, room: text })),
    loadedAt: z.number(),
  }),
  resident: z
    .object({
      residentId: text,
      communityId: text,
      name: text,
      address: text,
      timeZone: text,
      phone: nullable,
      doorCode: nullable,
      keyHolder: nullable,
      healthNote: nullable,
      responsibleStaffId: nullable,
      volunteers: z.array(text).optional(),
      family: z.array(text).default([]),
      synthetic: z.boolean().default(false),
    })
    // An older Shouwang kept the note without asking whether it may be told.
    .transform(({ volunteers, healthNote, ...card }) => ({
      ...card,
      volunteers: volunteers ?? [],
      healthNote: volunteers ? healthNote : null,
    })),
  community: z.object({
    communityId: text,
    shifts: z.array(z.object({ staffId: text, startsAt: z.number(), endsAt: z.number() })),
    supervisors: z.array(text),
    colleagues: z.array(text).default([]),
    emergencyPolicy: z.unknown().default(null),
  }),
  person: z.object({
    staffId: text,
    name: text,
    role: z.enum(['operator', 'supervisor', 'social_worker', 'volunteer', 'family', 'watcher']),
    language: z.enum(['zh', 'en']),
    channels: z.array(z.object({ position: z.int(), kind: text, address: text, secret: nullable })),
  }),
  directory: z.object({ refreshedAt: z.number() }),
}

const keyOf = (kind: Kind, id: string) => `${kind}/${id}`

/** Cards under the keys that they have on the shelf: `gateway/ID`, `resident/ID`, `community/ID`, `person/ID`. */
export const createCardShelf = (shelf: Shelf): CardShelf => ({
  put: (kind, id, card) => shelf.put(keyOf(kind, id), card),
  delete: (kind, id) => shelf.delete(keyOf(kind, id)),
})

/**
 * Hands each card on the shelf to the one who keeps its kind; what is none is thrown away. A shelf that cannot be read is
 * an empty one: the database knows it all.
 */
export async function restoreCards(
  shelf: Shelf,
  keepers: { [K in Kind]: (card: Cards[K]) => void },
  log: Log,
): Promise<void> {
  let restored = 0
  let thrownAway = 0
  function restore<K extends Kind>(kind: K, value: unknown): boolean {
    const card = schemas[kind].safeParse(value)
    if (card.success) keepers[kind](card.data)
    return card.success
  }
  try {
    for await (const [key, value] of await shelf.entries()) {
      const kind = key.slice(0, key.indexOf('/'))
      if (Object.hasOwn(schemas, kind) && restore(kind as Kind, value)) restored++
      else {
        thrownAway++
        shelf.delete(key)
      }
    }
  } catch (error) {
    log.error({ error: (error as Error).message }, 'directory.shelfUnreadable')
  }
  log.info({ restored, thrownAway }, 'directory.restored')
}
