import { createHash } from 'node:crypto'
import type { Database, Queryable } from './pool.js'

/** The page of a webhook, with what its receiver signs by. */
export type WebhookPage = {
  pageId: string
  alertId: number
  staffId: string
  secret: string
  createdAt: Date
}

/** A page that went through a webhook that its person still has, or null. */
export async function findWebhookPage(db: Queryable, { pageId }: { pageId: string }): Promise<WebhookPage | null> {
  const { rows } = await db.query(
    `select p.page_id as "pageId", p.alert_id as "alertId", p.staff_id as "staffId", h.secret, p.created_at as "createdAt"
       from pages p join staff_channels h on h.staff_id = p.staff_id and h.position = p.position and h.kind = p.channel
      where p.page_id = $1 and p.channel = 'webhook' and h.secret is not null`,
    [pageId],
  )
  return (rows[0] as WebhookPage | undefined) ?? null
}

export type WebhookAnswer = { status: number; body: Record<string, unknown> }

/**
 * Answers a request once, of whose sender the signature was checked, by what was `signed`: `work` runs with the keeping of its answer in one transaction, and whoever sends the same
 * again, at the same moment too, gets the answer that was given. `fresh` is false for those.
 */
export function answerOnce(
  db: Database,
  { signed, now }: { signed: string; now: Date },
  work: (tx: Queryable) => Promise<WebhookAnswer>,
): Promise<WebhookAnswer & { fresh: boolean }> {
  const hash = createHash('sha256').update(signed).digest()
  return db.transaction(async (tx) => {
    const { rowCount: fresh } = await tx.query(
      'insert into webhook_requests (signature_hash, at) values ($1, $2) on conflict do nothing',
      [hash, now],
    )
    if (fresh === 0) {
      const { rows } = await tx.query<WebhookAnswer>(
        'select status, body from webhook_requests where signature_hash = $1',
        [hash],
      )
      return { ...rows[0]!, fresh: false }
    }
    const answer = await work(tx)
    await tx.query('update webhook_requests set status = $2, body = $3 where signature_hash = $1', [
      hash,
      answer.status,
      JSON.stringify(answer.body),
    ])
    return { ...answer, fresh: true }
  })
}
