import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { findAlert } from '../../db/alert-views.js'
import { markAlert } from '../../db/marks.js'
import { type RouteDeps, seeOther } from '../shell/here.js'
import { careRoles, NotFound, requireStaff } from '../shell/viewer.js'

const params = z.object({ alertId: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) })
const form = z.object({
  verdict: z.enum(['true', 'false', 'none']),
  back: z.enum(['alert', 'resident']).default('alert'),
})
const problems = { 'too late': 'mark-late', 'not about silence': 'mark-kind' } as const

/** Staff of the community say whether an alert about a silence was right. */
export function markRoutes(app: FastifyInstance, { db, clock, log, signal }: RouteDeps): void {
  app.post('/alerts/:alertId/mark', async (request, reply) => {
    const viewer = requireStaff(request, careRoles)
    const parsed = params.safeParse(request.params)
    const alert = parsed.success
      ? await findAlert(db, { alertId: parsed.data.alertId, communityIds: viewer.communityIds })
      : null
    if (!alert) throw new NotFound()
    const { verdict, back } = form.parse(request.body)
    const { alertId, residentId } = alert
    const { staffId } = viewer
    const result = await markAlert(db, { alertId, verdict, staffId, now: clock.now() })
    if (result.kind === 'missing') throw new NotFound()
    log.info({ alertId, staffId, verdict, result: result.kind }, 'alert.marked')
    if (result.kind !== 'done') return seeOther(reply, `/alerts/${alertId}?problem=${problems[result.kind]}`)
    signal.raise('arrivals')
    signal.raise('alerts')
    return seeOther(
      reply,
      back === 'resident' ? `/residents/${encodeURIComponent(residentId)}#silence-alerts` : `/alerts/${alertId}#mark`,
    )
  })
}
