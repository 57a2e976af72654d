import type { WordArrival } from '../alerts/model.js'
import type { Queryable } from './pool.js'

/** Hands the rules the same of each of these residents. In the caller's transaction. */
export async function handWordOfAll(
  tx: Queryable,
  { residentIds, word }: { residentIds: readonly string[]; word: WordArrival },
): Promise<void> {
  await tx.query(
    'insert into arrivals (resident_id, received_at, entries, body) select unnest($1::text[]), $2, 1, $3::json',
    [residentIds, new Date(word.receivedAt), JSON.stringify([word])],
  )
}

/** Hands the rules what somebody said of a resident, in its place among the readings. In the caller's transaction. */
export async function handWord(
  tx: Queryable,
  { residentId, word }: { residentId: string; word: WordArrival },
): Promise<void> {
  await tx.query('insert into arrivals (resident_id, received_at, entries, body) values ($1, $2, 1, $3)', [
    residentId,
    new Date(word.receivedAt),
    JSON.stringify([word]),
  ])
}
