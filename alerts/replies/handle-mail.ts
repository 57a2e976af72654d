import { joining } from '../../db/joining.js'
import { queueMessage } from '../../db/messages.js'
import { actAsPaged, declinePage, type PagedResult, undoAndTell } from '../../db/paged-actions.js'
import type { Database, Queryable } from '../../db/pool.js'
import {
  answerKey,
  countAnswers,
  findRepliedPage,
  isNoted,
  type MailPlace,
  noteAutomaticAnswer,
  noteMail,
  type RepliedPage,
  recordBounce,
  takeMail,
} from '../../db/replies.js'
import { answerLine, type ReplyOutcome } from './answers.js'
import type { MailVerdict } from './inbound-mail.js'
import type { ReplyIntent } from './words.js'

/** A program that answers each of our answers, and hides that it is one, is not answered for ever. */
const answersMax = 12

/** What became of one mail, for the record and for counting. */
export type MailResult =
  | 'handled before'
  | 'not ours'
  | 'another address'
  | 'automatic'
  | 'forged'
  | 'no one sender'
  | 'may not act'
  | 'bounced'
  | ReplyOutcome['kind']

/**
 * Does what a mail in the box asks for, with its place in the box and what is told to its writer, in one transaction: a
 * process that dies leaves the mail to be handled anew, and two that read the same box handle it once.
 */
export function handleMail(
  db: Database,
  p: { place: MailPlace; mailKey: Buffer; verdict: Exclude<MailVerdict, { kind: 'not ours' }>; now: Date },
): Promise<MailResult> {
  const { place, mailKey, verdict, now } = p
  return db.transaction(async (tx): Promise<MailResult> => {
    if (!(await takeMail(tx, place, now))) return 'handled before'
    // The same mail in another place of the box, or in another box.
    if (await isNoted(tx, { mailKey })) return 'handled before'
    if (verdict.kind === 'bounce') {
      const { known, pageId } = await recordBounce(tx, { ...verdict, now })
      const result = known ? 'bounced' : 'not ours'
      await noteMail(tx, { mailKey, pageId, now, result })
      return result
    }
    const page = await findRepliedPage(tx, { ids: verdict.ids, from: verdict.from, now })
    const result = page ? await judgeWriter(db, tx, { page, verdict, mailKey, now }) : 'not ours'
    await noteMail(tx, { mailKey, pageId: page?.pageId ?? null, now, result })
    return result
  })
}

type Answering = { page: RepliedPage; mailKey: Buffer; now: Date }

async function judgeWriter(
  db: Database,
  tx: Queryable,
  p: Answering & { verdict: Extract<MailVerdict, { kind: 'reply' | 'refused' }> },
): Promise<MailResult> {
  const { page, verdict, now } = p
  // Nobody is answered who is not the one who was paged: an address can be written by anybody.
  if (!page.isOwn) return 'another address'
  if (verdict.kind === 'refused') {
    if (verdict.reason === 'automatic' && !page.isOver) await noteAutomaticAnswer(tx, { ...page, now })
    return verdict.reason
  }
  const outcome: ReplyOutcome | 'may not act' = page.isOver ? { kind: 'over' } : await act(db, tx, p, verdict.intent)
  if (outcome === 'may not act') return outcome
  await answer(tx, p, outcome)
  return outcome.kind
}

async function act(
  db: Database,
  tx: Queryable,
  { page: { alertId, staffId }, now }: Answering,
  intent: ReplyIntent,
): Promise<ReplyOutcome | 'may not act'> {
  const paged = { alertId, staffId, via: 'email', now } as const
  if (intent === 'unclear') return { kind: 'unclear' }
  if (intent === 'undo') {
    const { kind } = await undoAndTell(joining(db, tx), paged)
    return { kind: kind === 'done' ? 'undone' : kind === 'too late' ? 'undo too late' : 'nothing to undo' }
  }
  if (intent === 'decline') {
    const follows = await declinePage(tx, paged)
    if (follows === 'may not act') return follows
    return { kind: follows === 'yours' ? 'declined but yours' : follows === 'taken' ? 'declined, taken' : 'declined' }
  }
  const result: PagedResult = await actAsPaged(db, tx, { ...paged, action: { kind: intent } })
  if (result.kind === 'missing' || result.kind === 'may not act') return 'may not act'
  if (result.kind === 'done') return { kind: intent === 'acknowledge' ? 'acknowledged' : intent }
  const { by, since, stage } = result
  if (stage === 'closed') return { kind: 'closed', name: by?.name ?? null, since }
  return by && by.staffId !== staffId ? { kind: 'taken', name: by.name, since } : { kind: 'already yours' }
}

/** Tells the writer what came of it, at the address that wrote. */
async function answer(tx: Queryable, { page, mailKey, now }: Answering, outcome: ReplyOutcome): Promise<void> {
  const { staffId, position, alertId, pageId } = page
  if ((await countAnswers(tx, page)) >= answersMax) return
  await queueMessage(tx, {
    staffId,
    kind: 'alert news',
    text: answerLine(outcome, { ...page, now }),
    lines: [{ zh: page.headlineZh, en: page.headlineEn }],
    ...(page.isCare ? { path: `/alerts/${alertId}` } : {}),
    now,
    dedupeKey: answerKey({ pageId, mailKey }),
    position,
    urgent: true,
  })
}
