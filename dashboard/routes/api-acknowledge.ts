import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { signatureHeader, verifySignature } from '../../alerts/channels/signature.js'
import { outcomes } from '../../alerts/model.js'
import { joining } from '../../db/joining.js'
import { pageLinkMsMax } from '../../db/page-links.js'
import { type AlertAction, actAsPaged, undoAndTell } from '../../db/paged-actions.js'
import type { Queryable } from '../../db/pool.js'
import { answerOnce, findWebhookPage, type WebhookAnswer, type WebhookPage } from '../../db/webhook-requests.js'
import type { RouteDeps } from '../shell/here.js'
import { addressKey, createThrottle } from '../shell/throttle.js'

const wrongPerAddressMax = 60
const perPageMax = 30
const minuteMs = 60_000

/** The words of the path to what is done. */
const actions = {
  acknowledge: 'acknowledge',
  'en-route': 'en_route',
  arrived: 'arrived',
  close: 'close',
  undo: 'undo',
} as const
type Word = keyof typeof actions

const page = { pageId: z.uuid() }
/**
 * The body names the page and the action again, so that the signature, which covers the body, is good for nothing else:
 * neither for another address, nor can our own signed page be sent back to us as an answer.
 */
const bodySchema = z.discriminatedUnion('action', [
  z.object({ ...page, action: z.enum(['acknowledge', 'en-route', 'arrived', 'undo']) }),
  z.object({
    ...page,
    action: z.literal('close'),
    outcome: z.enum(outcomes),
    // The database takes neither a NUL nor half a character.
    note: z
      .string()
      .trim()
      .max(1_000)
      .regex(/^[^\0\p{Cs}]*$/u)
      .default(''),
  }),
])
type Body = z.infer<typeof bodySchema>

const problem = (status: number, error: string, more: Record<string, unknown> = {}): WebhookAnswer => ({
  status,
  body: { error, ...more },
})

/**
 * Acknowledging by webhook: `POST /api/pages/{pageId}/{acknowledge|en-route|arrived|close|undo}`, a JSON body
 * `{pageId, action, outcome?, note?}`, signed like the page was (`Shouwang-Signature` over `t.body`, by the secret of the
 * webhook that the page went through, at most 5 min off). The same request again gets the same answer and does nothing.
 * 200 `{result: "done", stage}`; 400, 401 (signature), 404 (no such page), 409 (`taken` or `closed`, with `by` and
 * `since`; `too late`, `nothing to undo`), 410 (over 24 h), 429. It tells of the alert no more than the page did.
 *
 * What the receiver answers to our own POST never acknowledges: it comes within seconds, unsigned, from a program.
 */
export function apiAcknowledgeRoutes(app: FastifyInstance, { db, clock, log, signal }: RouteDeps): void {
  const wrong = createThrottle({ hitsMax: wrongPerAddressMax, perMs: minuteMs })
  const perPage = createThrottle({ hitsMax: perPageMax, perMs: minuteMs })

  app.register(async (api) => {
    // The signature is over the bytes as they came.
    api.removeAllContentTypeParsers()
    api.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, raw, done) => done(null, { raw }))

    api.post<{ Params: { pageId: string; action: string } }>('/api/pages/:pageId/:action', async (request, reply) => {
      const answer = await judge(request)
      if (answer.status === 429) reply.header('retry-after', '60')
      return reply.code(answer.status).header('cache-control', 'no-store').send(answer.body)
    })
  })

  async function judge(
    request: FastifyRequest<{ Params: { pageId: string; action: string } }>,
  ): Promise<WebhookAnswer> {
    const now = clock.now()
    const { pageId, action } = request.params
    if (!Object.hasOwn(actions, action) || !z.uuid().safeParse(pageId).success)
      return refuse(request, 404, 'no such page')
    const found = await findWebhookPage(db, { pageId })
    if (!found) return refuse(request, 404, 'no such page')
    const raw = (request.body as { raw?: Buffer } | undefined)?.raw ?? Buffer.alloc(0)
    const header = request.headers[signatureHeader.toLowerCase()]
    const signature = Array.isArray(header) ? undefined : header
    const verdict = verifySignature({ header: signature, body: raw, secret: found.secret, now })
    if (verdict.kind === 'invalid') return refuse(request, 401, verdict.reason)
    if (!perPage.take(found.pageId, now)) return problem(429, 'too many requests')
    const body = parse(raw)
    if (!body) return problem(400, 'the body is not of the documented shape')
    if (body.action !== action || body.pageId.toLowerCase() !== found.pageId)
      return problem(400, 'the body names another page or action than the address')
    if (body.action === 'close' && body.outcome === 'other' && body.note === '')
      return problem(400, 'the outcome "other" needs a note')
    const { fresh, ...answer } = await answerOnce(db, { signed: signed(signature!, raw), now }, (tx) =>
      act(tx, found, body, now),
    )
    const { alertId, staffId } = found
    log.info({ alertId, staffId, action, status: answer.status, again: !fresh }, 'alert.actedByWebhook')
    if (fresh && answer.status === 200) for (const name of ['alerts', 'pages', 'messages'] as const) signal.raise(name)
    return answer
  }

  /** Only what is wrong is slowed down: a receiver may answer many pages at once. */
  function refuse(request: FastifyRequest, status: number, error: string): WebhookAnswer {
    return wrong.take(addressKey(request.ip), request.here.now)
      ? problem(status, error)
      : problem(429, 'too many requests')
  }

  async function act(tx: Queryable, found: WebhookPage, body: Body, now: Date): Promise<WebhookAnswer> {
    if (found.createdAt.getTime() + pageLinkMsMax <= now.getTime()) return problem(410, 'the page is over 24 h old')
    const { alertId, staffId } = found
    const paged = { alertId, staffId, via: 'webhook', now } as const
    if (body.action === 'undo') {
      const { kind } = await undoAndTell(joining(db, tx), paged)
      return kind === 'done'
        ? { status: 200, body: { result: 'done' } }
        : problem(409, kind === 'too late' ? kind : 'nothing to undo')
    }
    const action: AlertAction =
      body.action === 'close'
        ? { kind: 'close', outcome: body.outcome, note: body.note }
        : { kind: actions[body.action] as 'acknowledge' | 'en_route' | 'arrived' }
    const result = await actAsPaged(db, tx, { ...paged, action })
    if (result.kind === 'missing') return problem(404, 'no such page')
    if (result.kind === 'may not act') return problem(403, 'this person may not act')
    if (result.kind === 'done') return { status: 200, body: { result: 'done', stage: stageAfter[body.action] } }
    const isOwn = result.by?.staffId === staffId && result.stage !== 'closed'
    // Said twice by the same person it is no conflict.
    if (isOwn) return { status: 200, body: { result: 'already yours', stage: result.stage } }
    return problem(409, result.stage === 'closed' ? 'closed' : 'taken', {
      stage: result.stage,
      by: result.by?.name ?? null,
      since: result.since?.toISOString() ?? null,
    })
  }
}

const stageAfter: Record<Exclude<Word, 'undo'>, string> = {
  acknowledge: 'acknowledged',
  'en-route': 'en_route',
  arrived: 'arrived',
  close: 'closed',
}

/** What was signed: the same again is the same request, however its signature is written. */
const signed = (header: string, raw: Buffer) => `${/(?:^|,)\s*t=(\d+)/.exec(header)?.[1]}.${raw.toString('base64')}`

function parse(raw: Buffer): Body | undefined {
  try {
    const parsed = bodySchema.safeParse(JSON.parse(raw.toString('utf8')))
    return parsed.success ? parsed.data : undefined
  } catch {
    return undefined
  }
}
