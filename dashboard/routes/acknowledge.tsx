import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { outcomes } from '../../alerts/model.js'
import { recordLook } from '../../db/access-log.js'
import { type AlertRow, findAlertOfLink } from '../../db/alert-views.js'
import { doorSessionMsMax, findAtDoor, mayActAtDoor } from '../../db/door-sessions.js'
import { acknowledgeByLink, findPageLink, type PageLink } from '../../db/page-links.js'
import { type AlertAction, actAsPaged, takenSince, undoAndTell } from '../../db/paged-actions.js'
import { sendProblem } from '../shell/errors.js'
import { type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { addressKey, createThrottle } from '../shell/throttle.js'
import { DoorPage } from './acknowledge-door.js'
import { Expired, LinkPage } from './acknowledge-page.js'
import type { LinkProblem } from './acknowledge-text.js'

const wrongPerAddressMax = 60
const minuteMs = 60_000
const noteCharsMax = 1_000
const doorCookie = 'shouwang_door'

type WithToken = { Params: { token: string } }
type Found = { token: string; link: PageLink; alert: AlertRow }

const query = z.object({
  problem: z.enum(['late', 'note', 'undo-late', 'undo-nothing', 'session']).optional().catch(undefined),
  outcome: z.enum(outcomes).optional().catch(undefined),
})
const closeForm = z.object({ outcome: z.enum(outcomes), note: z.string().trim().max(noteCharsMax).default('') })
const steps = { 'en-route': 'en_route', arrived: 'arrived' } as const

/**
 * The one-tap page that a page links to. Opening it changes nothing, as mail scanners open links; its one button
 * acknowledges, once, as the person whom the page was sent to. The browser in which that was pressed becomes the door
 * page of that alert: whoever was paged goes on there without logging in. In any other browser the link shows who has it.
 */
export function acknowledgeRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, clock, log, signal, publicUrl } = deps
  const cookie = { path: '/p/', httpOnly: true, sameSite: 'lax', secure: publicUrl.startsWith('https:') } as const
  // Only guessing is slowed down: a whole station may sit behind one address when many pages come at once.
  const wrong = createThrottle({ hitsMax: wrongPerAddressMax, perMs: minuteMs })
  const refuse = (request: FastifyRequest, reply: FastifyReply) =>
    sendProblem(request, reply, wrong.take(addressKey(request.ip), request.here.now) ? 'missing' : 'throttled')
  const doorToken = (request: FastifyRequest) => request.cookies[doorCookie]
  const changed = () => {
    signal.raise('alerts')
    signal.raise('pages')
    signal.raise('messages')
  }

  async function open(request: FastifyRequest<WithToken>): Promise<Found | null> {
    const { token } = request.params
    const link = await findPageLink(db, { token, now: request.here.now })
    if (!link?.mayAct) return null
    const alert = await findAlertOfLink(db, { alertId: link.alertId })
    return alert && { token, link, alert }
  }
  const isAtDoor = (request: FastifyRequest, { link: { alertId, staffId } }: Found) =>
    mayActAtDoor(db, { token: doorToken(request), alertId, staffId, now: request.here.now })

  async function show(request: FastifyRequest, reply: FastifyReply, found: Found, status?: number, said?: LinkProblem) {
    const { link, alert } = found
    const parsed = query.parse(request.query)
    const here = { ...request.here, path: `/p/${found.token}` }
    const props = { here, ...found, problem: said ?? parsed.problem, outcome: parsed.outcome }
    const atDoor = await isAtDoor(request, found)
    // A link that is over shows no longer whom it was about; who is at the door may be there for longer than it.
    if (link.expired && !atDoor) return sendPage(reply, <Expired here={here} link={link} />, 410)
    await recordLook(db, {
      residentId: link.residentId,
      staffId: link.staffId,
      page: atDoor ? 'door' : 'link',
      now: here.now,
      refresh: here.refresh,
    })
    const since = await takenSince(db, link)
    const door = atDoor ? await findAtDoor(db, link) : null
    if (door) return sendPage(reply, <DoorPage {...props} since={since} door={door} />, status ?? 200)
    const over = link.usedAt !== null && alert.handledBy?.staffId !== link.staffId
    return sendPage(reply, <LinkPage {...props} since={since} />, status ?? (over ? 410 : 200))
  }

  app.get<WithToken>('/p/:token', async (request, reply) => {
    const found = await open(request)
    return found ? show(request, reply, found) : refuse(request, reply)
  })

  app.post<WithToken>('/p/:token', async (request, reply) => {
    const found = await open(request)
    if (!found) return refuse(request, reply)
    if (await isAtDoor(request, found)) return act(request, reply, found, { kind: 'acknowledge' })
    const { token, link } = found
    if (link.expired) return sendPage(reply, <Expired here={request.here} link={link} />, 410)
    const { alertId, staffId } = link
    const now = clock.now()
    const { result, doorToken: given } = await acknowledgeByLink(db, {
      token,
      alertId,
      staffId,
      doorToken: doorToken(request),
      now,
    })
    log.info({ alertId, staffId, result: result.kind }, 'alert.actedByLink')
    if (result.kind === 'missing') return sendProblem(request, reply, 'missing')
    if (result.kind === 'unusable' || result.kind === 'may not act') return show(request, reply, found, 410, 'late')
    if (result.kind === 'refused')
      return seeOther(reply, result.by?.staffId === staffId ? `/p/${token}` : `/p/${token}?problem=late`)
    changed()
    if (given) reply.setCookie(doorCookie, given, { ...cookie, maxAge: doorSessionMsMax / 1_000 })
    return seeOther(reply, `/p/${token}`)
  })

  for (const [path, kind] of Object.entries(steps))
    app.post<WithToken>(`/p/:token/${path}`, async (request, reply) => {
      const found = await open(request)
      return found ? act(request, reply, found, { kind }) : refuse(request, reply)
    })

  app.post<WithToken>('/p/:token/close', async (request, reply) => {
    const found = await open(request)
    if (!found) return refuse(request, reply)
    const { outcome, note } = closeForm.parse(request.body)
    if (outcome === 'other' && note === '') return seeOther(reply, `/p/${found.token}?problem=note&outcome=other#close`)
    return act(request, reply, found, { kind: 'close', outcome, note })
  })

  app.post<WithToken>('/p/:token/undo', async (request, reply) => {
    const found = await open(request)
    if (!found) return refuse(request, reply)
    if (!(await isAtDoor(request, found))) return show(request, reply, found, 403, 'session')
    const { alertId, staffId } = found.link
    const result = await undoAndTell(db, { alertId, staffId, via: 'link', now: clock.now() })
    log.info({ alertId, staffId, action: 'undo', result: result.kind }, 'alert.actedByLink')
    if (result.kind === 'done') changed()
    const problem = { done: '', 'too late': '?problem=undo-late' }[result.kind as string] ?? '?problem=undo-nothing'
    return seeOther(reply, `/p/${found.token}${problem}`)
  })

  /** A step of whoever is at the door; in another browser nothing is done. */
  async function act(request: FastifyRequest, reply: FastifyReply, found: Found, action: AlertAction) {
    if (!(await isAtDoor(request, found))) return show(request, reply, found, 403, 'session')
    const { alertId, staffId } = found.link
    const result = await db.transaction((tx) =>
      actAsPaged(db, tx, { alertId, staffId, via: 'link', action, now: clock.now() }),
    )
    log.info({ alertId, staffId, action: action.kind, result: result.kind }, 'alert.actedByLink')
    if (result.kind === 'done') changed()
    // Pressing the same button twice is no conflict.
    const isConflict = result.kind === 'refused' && result.by?.staffId !== staffId
    return seeOther(reply, `/p/${found.token}${isConflict ? '?problem=late' : ''}`)
  }
}
