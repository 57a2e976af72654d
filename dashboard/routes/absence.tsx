import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { endAway, pastAbsences, runningAbsence, setAway, undoAway } from '../../db/absences.js'
import { recordLook } from '../../db/access-log.js'
import { familyOf, setMaySetAway } from '../../db/family.js'
import { findResident, type ResidentCard } from '../../db/residents.js'
import type { UndoneResult } from '../../db/said.js'
import { sayOf, undoSaid } from '../../db/visits.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { careRoles, NotFound, requireStaff, type StaffViewer } from '../shell/viewer.js'
import { type EndProblem, readEnd } from './absence-ends.js'
import { type AwayFields, awayForm } from './absence-form.js'
import { AbsencePage, allMax, residentPath, rightsRoles, shownMax } from './absence-page.js'
import { absencePath } from './absence-parts.js'

const notices = ['late', 'over'] as const
const query = z.object({
  all: z.string().optional().catch(undefined),
  problem: z.enum(notices).optional().catch(undefined),
})
const saidForm = z.object({
  what: z.enum(['visit', 'spoken']),
  alert: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).optional().catch(undefined),
})
const rightForm = z.object({ allow: z.enum(['yes', 'no']) })

type Params = { residentId: string }

/** Away mode, visits and calls of a resident, as the station sets and says them. */
export function absenceRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log, signal } = deps
  const path = '/residents/:residentId/absence'

  app.get(path, async (request, reply) => {
    const scope = await residentScope(request)
    const { all, problem } = query.parse(request.query)
    return sendAbsence(reply, { ...scope, fields: undefined, notice: problem, all: all !== undefined })
  })

  app.post(path, async (request, reply) => {
    const scope = await residentScope(request)
    const { resident, viewer, here } = scope
    const fields = awayForm.parse(request.body)
    const read = readEnd(fields, here.now.getTime(), resident.timeZone)
    if ('problem' in read) return sendAbsence(reply, { ...scope, fields, problem: read.problem })
    const set = await setAway(db, { ...who(scope), until: new Date(read.until), note: fields.note })
    if (set.kind === 'missing') throw new NotFound()
    log.info({ residentId: resident.residentId, staffId: viewer.staffId, result: set.kind }, 'away.set')
    signal.raise('alerts')
    return seeOther(reply, residentPath(resident))
  })

  app.post(`${path}/end`, async (request, reply) => {
    const scope = await residentScope(request)
    const ended = await endAway(db, who(scope))
    log.info({ residentId: scope.resident.residentId, staffId: scope.viewer.staffId, ended }, 'away.ended')
    signal.raise('alerts')
    return seeOther(
      reply,
      ended ? residentPath(scope.resident) : `${absencePath(scope.resident.residentId)}?problem=over`,
    )
  })

  app.post(`${path}/undo`, async (request, reply) => {
    const scope = await residentScope(request)
    return afterUndo(reply, scope, await undoAway(db, who(scope)))
  })

  app.post('/residents/:residentId/said', async (request, reply) => {
    const scope = await residentScope(request)
    const { resident, viewer } = scope
    const { what, alert } = saidForm.parse(request.body)
    const said = await sayOf(db, { ...who(scope), what })
    if (said === 'missing') throw new NotFound()
    log.info({ residentId: resident.residentId, staffId: viewer.staffId, what, result: said }, 'resident.said')
    signal.raise('alerts')
    return seeOther(reply, alert === undefined ? residentPath(resident) : `/alerts/${alert}#presence`)
  })

  app.post('/residents/:residentId/said/undo', async (request, reply) => {
    const scope = await residentScope(request)
    return afterUndo(reply, scope, await undoSaid(db, who(scope)))
  })

  app.post<{ Params: Params & { familyMemberId: string } }>(
    '/residents/:residentId/family/:familyMemberId/away-right',
    async (request, reply) => {
      const { resident, viewer, here } = await residentScope(request, rightsRoles)
      const { familyMemberId } = request.params
      const allowed = rightForm.parse(request.body).allow === 'yes'
      const { residentId } = resident
      const set = await setMaySetAway(db, { residentId, familyMemberId, allowed })
      if (!set) throw new NotFound()
      const page = allowed ? 'away right given' : 'away right taken'
      await recordLook(db, { residentId, staffId: viewer.staffId, page, now: here.now })
      log.info({ familyMemberId, staffId: viewer.staffId, allowed }, 'away.right')
      return seeOther(reply, `${absencePath(residentId)}#rights`)
    },
  )

  type Scope = { here: Here; viewer: StaffViewer; resident: ResidentCard }

  async function residentScope(request: FastifyRequest, roles = careRoles): Promise<Scope> {
    const viewer = requireStaff(request, roles)
    const { residentId } = request.params as Params
    const resident = await findResident(db, { residentId, communityIds: viewer.communityIds })
    if (!resident) throw new NotFound()
    return { here: request.here, viewer, resident }
  }

  const who = ({ resident, viewer, here }: Scope) => ({
    residentId: resident.residentId,
    by: { staffId: viewer.staffId },
    now: here.now,
  })

  function afterUndo(reply: FastifyReply, { resident, viewer }: Scope, result: UndoneResult) {
    const { residentId } = resident
    log.info({ residentId, staffId: viewer.staffId, result }, 'resident.unsaid')
    signal.raise('alerts')
    return seeOther(reply, result === 'undone' ? residentPath(resident) : `${absencePath(residentId)}?problem=late`)
  }

  async function sendAbsence(
    reply: FastifyReply,
    p: Scope & {
      fields: AwayFields | undefined
      problem?: EndProblem | undefined
      notice?: (typeof notices)[number] | undefined
      all?: boolean
    },
  ): Promise<FastifyReply> {
    const { resident, viewer, problem, notice } = p
    const { residentId } = resident
    // The language switch cannot come back to a form's answer.
    const here = p.fields ? { ...p.here, path: absencePath(residentId) } : p.here
    const { now } = here
    const [absence, past, family] = await Promise.all([
      runningAbsence(db, { residentId, now }),
      pastAbsences(db, { residentId, now, rowsMax: p.all ? allMax : shownMax }),
      familyOf(db, residentId),
      recordLook(db, { residentId, staffId: viewer.staffId, page: 'absence', now, refresh: here.refresh }),
    ])
    return sendPage(
      reply,
      <AbsencePage {...{ here, resident, viewer, absence, past, family, problem, notice, fields: p.fields }} />,
      problem ? 400 : 200,
    )
  }
}
