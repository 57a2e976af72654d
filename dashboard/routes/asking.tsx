import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { recordLook } from '../../db/access-log.js'
import { type AlertRow, findAlert, findAlertOfLink } from '../../db/alert-views.js'
import { type AnswerResult, sendSomebodyNow, spokeWithResident } from '../../db/ask-answers.js'
import { type AskLink, findAskLink } from '../../db/ask-links.js'
import { undoAndTell } from '../../db/paged-actions.js'
import { sendProblem } from '../shell/errors.js'
import { type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { addressKey, createThrottle } from '../shell/throttle.js'
import { careRoles, NotFound, requireStaff } from '../shell/viewer.js'
import { AskExpired, AskPage } from './asking-page.js'

const wrongPerAddressMax = 60
const minuteMs = 60_000
const params = z.object({ alertId: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) })
const query = z.object({ said: z.enum(['noted', 'late']).optional().catch(undefined) })
const answers = { spoken: spokeWithResident, send: sendSomebodyNow } as const
const alertPaths = { spoken: 'spoken', 'send-now': 'send' } as const

type WithToken = { Params: { token: string } }
type Found = { token: string; link: AskLink; alert: AlertRow }

/**
 * What came of asking: said on the console or the alert's page by staff, and by whoever was asked to phone on the page
 * that the message links to. Opening that changes nothing; it works for 24 h, and for as long as the alert is open.
 */
export function askingRoutes(app: FastifyInstance, { db, clock, log, signal }: RouteDeps): void {
  const wrong = createThrottle({ hitsMax: wrongPerAddressMax, perMs: minuteMs })
  const refuse = (request: FastifyRequest, reply: FastifyReply) =>
    sendProblem(request, reply, wrong.take(addressKey(request.ip), request.here.now) ? 'missing' : 'throttled')
  const changed = () => {
    for (const name of ['alerts', 'arrivals', 'pages', 'messages', 'commands'] as const) signal.raise(name)
  }

  for (const [path, what] of Object.entries(alertPaths))
    app.post(`/alerts/:alertId/${path}`, async (request, reply) => {
      const { staffId, communityIds } = requireStaff(request, careRoles)
      const parsed = params.safeParse(request.params)
      const alert = parsed.success && (await findAlert(db, { alertId: parsed.data.alertId, communityIds }))
      if (!alert) throw new NotFound()
      const { alertId, residentId } = alert
      const now = clock.now()
      const { kind } = await answers[what](db, { alertId, staffId, via: 'console', now })
      if (kind === 'missing') throw new NotFound()
      await recordLook(db, { residentId, staffId, page: 'alert', now })
      log.info({ alertId, staffId, action: path, result: kind }, 'alert.acted')
      if (kind !== 'late') changed()
      // Pressing the same button twice is no conflict.
      const isConflict = kind === 'late' && alert.handledBy?.staffId !== staffId
      return seeOther(reply, `/alerts/${alertId}${isConflict ? '?problem=refused' : ''}`)
    })

  async function open(request: FastifyRequest<WithToken>): Promise<Found | null> {
    const { token } = request.params
    const link = await findAskLink(db, { token, now: request.here.now })
    const alert = link && (await findAlertOfLink(db, { alertId: link.alertId }))
    return alert ? { token, link: link!, alert } : null
  }

  app.get<WithToken>('/ask/:token', async (request, reply) => {
    const found = await open(request)
    if (!found) return refuse(request, reply)
    const here = { ...request.here, path: `/ask/${found.token}` }
    const { link } = found
    if (link.expired) return sendPage(reply, <AskExpired here={here} />, 410)
    const { residentId, staffId, familyMemberId } = link
    const look = { residentId, page: 'call task', now: here.now, refresh: here.refresh }
    await recordLook(db, familyMemberId ? { ...look, familyMemberId } : { ...look, staffId })
    return sendPage(reply, <AskPage {...{ here, ...found, said: query.parse(request.query).said }} />)
  })

  for (const what of ['spoken', 'send'] as const)
    app.post<WithToken>(`/ask/:token/${what}`, async (request, reply) => {
      const found = await open(request)
      if (!found) return refuse(request, reply)
      const { token, link } = found
      if (link.expired) return sendPage(reply, <AskExpired here={request.here} />, 410)
      const { alertId, staffId } = link
      const { kind }: AnswerResult = await answers[what](db, { alertId, staffId, via: 'link', now: clock.now() })
      log.info({ alertId, staffId, action: what, result: kind }, 'alert.actedByLink')
      if (kind === 'missing') return sendProblem(request, reply, 'missing')
      if (kind !== 'late') changed()
      const isTwice = found.alert.handledBy?.staffId === staffId || (what === 'send' && link.endedWhy === 'sent for')
      return seeOther(reply, `/ask/${token}${kind === 'done' || (kind === 'late' && isTwice) ? '' : `?said=${kind}`}`)
    })

  app.post<WithToken>('/ask/:token/undo', async (request, reply) => {
    const found = await open(request)
    if (!found) return refuse(request, reply)
    const { token, link } = found
    const { alertId, staffId } = link
    const { kind } = await undoAndTell(db, { alertId, staffId, via: 'link', now: clock.now() })
    log.info({ alertId, staffId, action: 'undo', result: kind }, 'alert.actedByLink')
    if (kind === 'done') changed()
    return seeOther(reply, `/ask/${token}${kind === 'done' ? '' : '?said=late'}`)
  })
}
