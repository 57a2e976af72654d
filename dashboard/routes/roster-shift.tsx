import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { shiftMinutesMax, shiftsBetween } from '../../alerts/roster.js'
import { dateOfDay, wallOf } from '../../alerts/roster-time.js'
import { swapShifts } from '../../db/roster-change-edits.js'
import { addShift, removeShift } from '../../db/roster-edits.js'
import { rosterOf } from '../../db/rosters.js'
import { type RouteDeps, seeOther } from '../shell/here.js'
import { instantOfField, momentWords, namesOf } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { NotFound } from '../shell/viewer.js'
import { type RosterScope, rosterEditors, rosterPath, rosterScope, saved } from './roster-scope.js'
import { type NewShiftFields, sendNew, sendShift } from './roster-shift-page.js'

const dayMs = 86_400_000
/** So far ahead shifts are offered for a swap. */
const swapAheadMs = 56 * dayMs
const offeredMax = 300

/** Any time that the database and a calendar know. */
const instant = z.coerce.number().int().min(-1e15).max(1e15)
const shownShift = z.object({ staff: z.string().max(100), from: instant, until: instant })
const field = z.string().trim().max(100).catch('')
const newFields: z.ZodType<NewShiftFields> = z.object({ staff: field, from: field, until: field })
/** A shift in one value of a list of choices: `staffId|from|until`. */
const choicePattern = /^(.{1,100})\|(-?\d{1,15})\|(-?\d{1,15})$/
const swapForm = shownShift.extend({ to: field, with: field })
const idParam = z.object({ shiftId: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }).catch({ shiftId: 0 })

/** One concrete shift: another takes it, it is swapped, or it goes; and single shifts beside the weekly ones. */
export function rosterShiftRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get('/roster/shift', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { staff: staffId, from, until } = shownShift.catch({ staff: '', from: 0, until: 0 }).parse(request.query)
    const found = await findShift(scope, { staffId, from, until })
    if (!found) throw new NotFound()
    return sendShift(reply, { scope, ...found })
  })

  app.post('/roster/swap', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { community, editor, here } = scope
    const form = swapForm.parse(request.body)
    const first = { staffId: form.staff, from: form.from, until: form.until }
    const found = await findShift(scope, first)
    if (!found) throw new NotFound()
    const t = rosterText(here.language).problem
    const choice = choicePattern.exec(form.with)
    const second = choice
      ? { staffId: choice[1]!, from: Number(choice[2]), until: Number(choice[3]) }
      : { staffId: form.to }
    if (second.staffId === '') return sendShift(reply, { scope, ...found, problem: t.who })
    const swapped = await swapShifts(db, { ...editor, first, second })
    if (swapped.kind !== 'done') {
      const problem = { same: t.same, unknown: t.unknown, missing: t.missing, exists: t.missing, away: '' }
      const because =
        swapped.kind === 'away'
          ? t.away(namesOf(scope.people, here.language)(swapped.staffId), whenWords(scope, swapped.until))
          : problem[swapped.kind]
      const status = swapped.kind === 'missing' ? 409 : 400
      return sendShift(reply, { scope, ...found, problem: because, status })
    }
    log.info({ communityId: community.communityId, staffId: editor.byStaffId }, 'roster.swapped')
    return backTo(reply, scope, first.from)
  })

  app.get('/roster/shift/new', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const asked = newFields.parse(request.query)
    const { day } = wallOf(scope.here.now.getTime(), scope.community.timeZone)
    return sendNew(reply, {
      scope,
      fields: {
        staff: asked.staff,
        from: asked.from || `${dateOfDay(day)}T20:00`,
        until: asked.until || `${dateOfDay(day + 1)}T08:00`,
      },
    })
  })

  app.post('/roster/shift/new', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { here, community, editor, people } = scope
    const { timeZone, communityId } = community
    const fields = newFields.parse(request.body)
    const t = rosterText(here.language).problem
    const from = instantOfField(fields.from, timeZone)
    const until = instantOfField(fields.until, timeZone)
    if (fields.staff === '') return sendNew(reply, { scope, fields, problem: t.who })
    if (from === undefined || until === undefined || from >= until)
      return sendNew(reply, { scope, fields, problem: t.span })
    if (until - from > shiftMinutesMax * 60_000) return sendNew(reply, { scope, fields, problem: t.tooLong })
    const span = { startsAt: new Date(from), endsAt: new Date(until) }
    const added = await addShift(db, { ...editor, staffId: fields.staff, ...span })
    if (added.kind === 'unknown') return sendNew(reply, { scope, fields, problem: t.unknown })
    if (added.kind === 'away')
      return sendNew(reply, {
        scope,
        fields,
        problem: t.away(namesOf(people, here.language)(fields.staff), whenWords(scope, added.until)),
      })
    log.info({ communityId, staffId: editor.byStaffId }, 'roster.shiftAdded')
    return backTo(reply, scope, from, added.kind)
  })

  app.post('/roster/shift/:shiftId/remove', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { shiftId } = idParam.parse(request.params)
    const removed = await removeShift(db, { ...scope.editor, shiftId })
    const { communityId } = scope.community
    // A second tap: it is gone already.
    if (removed.kind === 'missing') return seeOther(reply, rosterPath('/roster', communityId))
    log.info({ communityId, staffId: scope.editor.byStaffId }, 'roster.shiftRemoved')
    return saved(reply, '/roster', communityId)
  })

  /** The shift as it was shown, and the shifts that it could be swapped for. */
  async function findShift(scope: RosterScope, p: { staffId: string; from: number; until: number }) {
    const now = scope.here.now.getTime()
    const ahead = Math.max(now, p.from) + swapAheadMs
    const span = { from: Math.min(now, p.from), until: ahead }
    // What lies years off is nobody's to swap.
    if (span.until - span.from > 3 * 366 * dayMs) return undefined
    const roster = await rosterOf(db, scope.community.communityId, span)
    const shift = shiftsBetween(roster, p.from, p.from + 1).find(
      ({ staffId, startsAt, endsAt }) => staffId === p.staffId && startsAt === p.from && endsAt === p.until,
    )
    const others = shiftsBetween(roster, now, ahead).filter(
      ({ staffId, startsAt }) => staffId !== p.staffId && startsAt > now,
    )
    return shift && { shift, others: others.slice(0, offeredMax) }
  }

  /** Where the change can be seen. */
  const backTo = (reply: FastifyReply, scope: RosterScope, at: number, kind = 'yes') => {
    const { communityId, timeZone } = scope.community
    const from = dateOfDay(wallOf(at, timeZone).day)
    return seeOther(reply, rosterPath('/roster', communityId, { from, saved: kind }))
  }
}

const whenWords = ({ here, community }: RosterScope, at: number) =>
  momentWords(at, community.timeZone, here.language, here.now.getTime())
