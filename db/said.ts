import { undoMsMax } from '../alerts/lifecycle.js'
import { silenceKinds } from '../alerts/model.js'
import { recordLook, type Viewer } from './access-log.js'
import { recordAlertEvent } from './alert-events.js'
import type { Queryable } from './pool.js'
import { handWord } from './words.js'

/** Who says something of whom, and when. */
export type Who = { residentId: string; by: Viewer; now: Date }

export type UndoneResult = 'undone' | 'too late' | 'nothing'

export const isUndoable = (saidAt: Date, now: Date): boolean => now.getTime() - saidAt.getTime() <= undoMsMax

/** Until when this person may take something back; null where it is not theirs, or too long ago. */
export const undoableUntil = (said: { byId: string; at: Date }, by: Viewer, now: Date): Date | null =>
  said.byId === (by.staffId ?? by.familyMemberId) && isUndoable(said.at, now)
    ? new Date(said.at.getTime() + undoMsMax)
    : null

/** Two people at once, or one form sent twice, come one after the other. */
export async function lockResident(tx: Queryable, residentId: string): Promise<boolean> {
  const { rowCount } = await tx.query(
    'select from residents where resident_id = $1 and left_at is null for no key update',
    [residentId],
  )
  return rowCount === 1
}

/** Takes a word back: for the rules, in the history of alerts, and on record. */
export async function unsay(
  tx: Queryable,
  who: Who,
  { word, at }: { word: 'away' | 'visit' | 'spoken'; at: Date },
): Promise<void> {
  const { residentId, by, now } = who
  await handWord(tx, {
    residentId,
    word: { type: 'unsaid', word, at: at.getTime(), receivedAt: now.getTime() },
  })
  await noteOnSilences(tx, who, { kind: 'unsaid', detail: { word } })
  await recordLook(tx, { residentId, page: `unsaid ${word}`, now, ...by })
}

/** In the history of each alert about silence that is open, or was closed by it a moment ago: who said what. */
export async function noteOnSilences(
  tx: Queryable,
  { residentId, by, now }: Who,
  { kind, detail }: { kind: string; detail: Record<string, unknown> },
): Promise<void> {
  const { rows } = await tx.query<{ alertId: number; name: string | null }>(
    `select alert_id as "alertId", (select name from family_members where family_member_id = $3) as name from alerts
      where resident_id = $1 and kind = any($4)
        and (closed_at is null or closed_at > $2)`,
    [residentId, new Date(now.getTime() - undoMsMax), by.familyMemberId ?? null, silenceKinds],
  )
  for (const { alertId, name } of rows)
    await recordAlertEvent(tx, {
      alertId,
      at: now,
      kind,
      ...(by.staffId === undefined ? {} : { staffId: by.staffId, via: 'console' as const }),
      detail: { ...detail, ...(name === null ? {} : { name }) },
    })
}
