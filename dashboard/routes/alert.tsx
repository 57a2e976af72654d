import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { advance } from '../../alerts/escalation.js'
import { outcomes } from '../../alerts/model.js'
import { recordLook } from '../../db/access-log.js'
import { type AlertAction, actOnAlert } from '../../db/alert-actions.js'
import { type AlertDetail, findAlert, listAlertEvents, listPages, staffNames } from '../../db/alert-views.js'
import { toldInRound } from '../../db/alerts.js'
import { loadChain } from '../../db/chain.js'
import { undoAndTell } from '../../db/paged-actions.js'
import type { Database } from '../../db/pool.js'
import { AlertPage, type Next } from '../shell/alert-page.js'
import { type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { careRoles, NotFound, requireStaff } from '../shell/viewer.js'
import { alertPresence } from './absence-parts.js'
import { loadSilence, MarkSection, WhySilence } from './resident-line.js'

const params = z.object({ alertId: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) })
const query = z.object({
  problem: z
    .enum(['refused', 'note', 'undo-late', 'undo-nothing', 'mark-late', 'mark-kind'])
    .optional()
    .catch(undefined),
  outcome: z.enum(outcomes).optional().catch(undefined),
})
const noteCharsMax = 1_000
const closeForm = z.object({ outcome: z.enum(outcomes), note: z.string().trim().max(noteCharsMax).default('') })
const simpleActions = { acknowledge: 'acknowledge', 'en-route': 'en_route', arrived: 'arrived' } as const

/** An alert: what happened, how sure, what do I do? And what people do with it. */
export function alertRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, clock, log, signal } = deps

  app.get('/alerts/:alertId', async (request, reply) => {
    const viewer = requireStaff(request, careRoles)
    const { here } = request
    const alert = await inScope(db, request.params, viewer.communityIds)
    await recordLook(db, {
      residentId: alert.residentId,
      staffId: viewer.staffId,
      page: 'alert',
      now: here.now,
      refresh: here.refresh,
    })
    const { alertId } = alert
    const [events, pages, next, silence] = await Promise.all([
      listAlertEvents(db, { alertId }),
      listPages(db, { alertId }),
      nextStep(db, alert),
      loadSilence(db, alert),
    ])
    const { problem, outcome } = query.parse(request.query)
    const part = silence && { alert, silence, here }
    return sendPage(
      reply,
      <AlertPage
        {...{ here, viewer, alert, events, pages, next, problem, outcome }}
        why={part && <WhySilence {...part} />}
        presence={await alertPresence(db, { alert, here, by: viewer })}
        marking={part && <MarkSection {...part} />}
      />,
    )
  })

  for (const [path, kind] of Object.entries(simpleActions))
    app.post(`/alerts/:alertId/${path}`, async (request, reply) => {
      const viewer = requireStaff(request, careRoles)
      const { alertId } = await inScope(db, request.params, viewer.communityIds)
      return seeOther(reply, await act(alertId, { kind }, viewer.staffId))
    })

  app.post('/alerts/:alertId/close', async (request, reply) => {
    const viewer = requireStaff(request, careRoles)
    const { alertId } = await inScope(db, request.params, viewer.communityIds)
    const { outcome, note } = closeForm.parse(request.body)
    if (outcome === 'other' && note === '')
      return seeOther(reply, `/alerts/${alertId}?problem=note&outcome=other#close`)
    return seeOther(reply, await act(alertId, { kind: 'close', outcome, note }, viewer.staffId))
  })

  app.post('/alerts/:alertId/undo', async (request, reply) => {
    const viewer = requireStaff(request, careRoles)
    const { alertId } = await inScope(db, request.params, viewer.communityIds)
    const { staffId } = viewer
    const result = await undoAndTell(db, { alertId, staffId, via: 'console', now: clock.now() })
    if (result.kind === 'missing') throw new NotFound()
    log.info({ alertId, staffId, action: 'undo', result: result.kind }, 'alert.acted')
    if (result.kind !== 'done')
      return seeOther(reply, `/alerts/${alertId}?problem=undo-${result.kind === 'too late' ? 'late' : 'nothing'}`)
    for (const name of ['alerts', 'pages', 'messages'] as const) signal.raise(name)
    return seeOther(reply, `/alerts/${alertId}`)
  })

  /** Where the browser goes after it. */
  async function act(alertId: number, action: AlertAction, staffId: string): Promise<string> {
    const result = await actOnAlert(db, { alertId, action, staffId, via: 'console', now: clock.now() })
    if (result.kind === 'missing') throw new NotFound()
    log.info({ alertId, staffId, action: action.kind, result: result.kind }, 'alert.acted')
    if (result.kind === 'done') {
      signal.raise('alerts')
      signal.raise('pages')
      return `/alerts/${alertId}`
    }
    // Pressing the same button twice is no conflict.
    return result.by?.staffId === staffId ? `/alerts/${alertId}` : `/alerts/${alertId}?problem=refused`
  }
}

async function inScope(db: Database, rawParams: unknown, communityIds: string[]): Promise<AlertDetail> {
  const parsed = params.safeParse(rawParams)
  const alert = parsed.success ? await findAlert(db, { alertId: parsed.data.alertId, communityIds }) : null
  if (!alert) throw new NotFound()
  return alert
}

/** What the escalation will do by itself, and when: the same decision that the alerts process will take. */
async function nextStep(db: Database, alert: AlertDetail): Promise<Next> {
  if (alert.stage === 'closed') return { kind: 'closed' }
  const { dueAt, residentId, severity } = alert
  if (!dueAt) return { kind: 'nothing' }
  const chain = await loadChain(db, { residentId, severity, now: dueAt })
  const told = await toldInRound(db, alert)
  const state = { ...alert, roundAt: alert.roundAt.getTime(), stageAt: alert.stageAt.getTime(), told }
  const move = advance(state, chain, dueAt.getTime())
  if (move.happened === 'returned') return { kind: 'returns', dueAt }
  const staffIds = [...new Set(move.pages.map(({ staffId }) => staffId))]
  if (staffIds.length === 0) return { kind: 'nobody', dueAt }
  return { kind: 'tells', dueAt, names: await staffNames(db, { staffIds }), again: move.round > alert.round }
}
