import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { RosterChange } from '../../alerts/roster.js'
import { dateOfDay, wallOf } from '../../alerts/roster-time.js'
import { addAbsence, endChange, removeChange } from '../../db/roster-change-edits.js'
import { listChanges } from '../../db/rosters.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { instantOfField, momentWords, namesOf } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { changeWords } from './roster-log.js'
import { MomentField, PersonSelect, RosterPage } from './roster-parts.js'
import { type RosterScope, rosterEditors, rosterScope, saved } from './roster-scope.js'

const path = '/roster/away'
const changesMax = 200
const spanMsMax = 366 * 86_400_000
/** What the fields say for all weekly shifts, and for nobody: no id of a person has a star. */
const everybody = '*everybody'
const nobody = '*nobody'

const field = z.string().trim().max(100).catch('')
const awayForm = z.object({
  staff: field,
  reason: z.enum(['ill', 'holiday', 'other']).catch('other'),
  from: field,
  until: field,
  standIn: field,
})
type AwayFields = z.infer<typeof awayForm>
const awayQuery = z.object({ staff: field, from: field, until: field, saved: field })
const idParam = z.object({ edit: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) }).catch({ edit: 0 })

/** Who is away and who stands in, and what was swapped: each can be ended, or taken back. */
export function rosterAwayRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get(path, async (request, reply) => {
    const scope = await rosterScope(deps, request)
    const { saved: was, ...asked } = awayQuery.parse(request.query)
    return send(reply, { scope, fields: { ...emptyFields(scope), ...onlyFilled(asked) }, saved: was })
  })

  app.post(path, async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { here, community, people, editor } = scope
    const { timeZone, communityId } = community
    const fields = awayForm.parse(request.body)
    const t = rosterText(here.language).problem
    const refuse = (problem: string) => send(reply, { scope, fields, problem })
    const from = instantOfField(fields.from, timeZone)
    const until = instantOfField(fields.until, timeZone)
    if (fields.staff === '') return refuse(t.who)
    if (fields.standIn === '') return refuse(t.noStandIn)
    if (from === undefined || until === undefined || !(from < until) || until - from > spanMsMax) return refuse(t.span)
    const staffId = fields.staff === everybody ? null : fields.staff
    const standInStaffId = fields.standIn === nobody ? null : fields.standIn
    if (staffId === standInStaffId && staffId !== null) return refuse(t.same)
    const { reason } = fields
    const absence = { staffId, standInStaffId, from: new Date(from), until: new Date(until), reason }
    const added = await addAbsence(db, { ...editor, absence })
    if (added.kind === 'unknown') return refuse(t.unknown)
    if (added.kind === 'away')
      return refuse(
        t.away(
          namesOf(people, here.language)(standInStaffId ?? ''),
          momentWords(added.until, timeZone, here.language, here.now.getTime()),
        ),
      )
    log.info({ communityId, staffId: editor.byStaffId }, 'roster.absenceAdded')
    return saved(reply, path, communityId, added.kind)
  })

  app.post('/roster/away/:edit/end', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { edit } = idParam.parse(request.params)
    return answer(reply, scope, await endChange(db, { ...scope.editor, edit, at: scope.here.now }), 'changeEnded')
  })

  app.post('/roster/away/:edit/remove', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { edit } = idParam.parse(request.params)
    return answer(reply, scope, await removeChange(db, { ...scope.editor, edit }), 'changeRemoved')
  })

  function answer(reply: FastifyReply, scope: RosterScope, { kind }: { kind: string }, what: string) {
    const { communityId } = scope.community
    const t = rosterText(scope.here.language)
    if (kind === 'missing')
      return send(reply, { scope, fields: emptyFields(scope), problem: t.problem.missing, status: 409 })
    log.info({ communityId, staffId: scope.editor.byStaffId }, `roster.${what}`)
    return saved(reply, path, communityId)
  }

  async function send(
    reply: FastifyReply,
    p: { scope: RosterScope; fields: AwayFields; problem?: string; saved?: string; status?: number },
  ): Promise<FastifyReply> {
    const { scope, fields, problem } = p
    const { here, community, people } = scope
    const t = rosterText(here.language)
    const { communityId } = community
    const changes = await listChanges(db, { communityId, now: here.now, rowsMax: changesMax })
    const notice = p.saved && (p.saved === 'exists' ? t.exists : t.saved)
    return sendPage(
      reply,
      <RosterPage {...{ scope, problem, notice }} title={t.away.title}>
        {changes.length === 0 ? (
          <p class="empty">{t.away.none}</p>
        ) : (
          <ul class="lines">
            {byEdit(changes).map((group) => (
              <ChangeLine key={group[0]!.edit} scope={scope} changes={group} />
            ))}
          </ul>
        )}
        {scope.mayEdit && (
          <section aria-labelledby="adding" class="narrow-left">
            <h2 id="adding">{t.away.add}</h2>
            <p>{t.away.lead}</p>
            <form method="post" action={path} class="stack" id="add">
              <input type="hidden" name="community" value={communityId} />
              <PersonSelect
                here={here}
                name="staff"
                label={t.who}
                people={people}
                value={fields.staff}
                more={[{ value: everybody, label: t.everybody }]}
              />
              <fieldset>
                <legend>{t.away.reason}</legend>
                <div class="choices">
                  {(['ill', 'holiday', 'other'] as const).map((reason) => (
                    <label key={reason} class="choice">
                      <input type="radio" name="reason" value={reason} checked={fields.reason === reason} required />
                      {t.away.reasons[reason]}
                    </label>
                  ))}
                </div>
              </fieldset>
              <div class="pair">
                <MomentField label={t.from} name="from" value={fields.from} />
                <MomentField label={t.until} name="until" value={fields.until} />
              </div>
              <PersonSelect
                here={here}
                name="standIn"
                label={t.away.standIn}
                people={people}
                value={fields.standIn}
                more={[{ value: nobody, label: t.nobodyStandsIn }]}
              />
              <button class="primary wide" type="submit">
                {t.save}
              </button>
            </form>
          </section>
        )}
      </RosterPage>,
      p.status ?? (problem ? 400 : 200),
    )
  }
}

const onlyFilled = <T extends Record<string, string>>(fields: T): Partial<T> =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== '')) as Partial<T>

/** From this morning until tomorrow's. */
function emptyFields({ here, community }: RosterScope): AwayFields {
  const { day } = wallOf(here.now.getTime(), community.timeZone)
  const fieldAt = (each: number) => `${dateOfDay(each)}T08:00`
  return { staff: '', reason: 'ill', from: fieldAt(day), until: fieldAt(day + 1), standIn: '' }
}

const byEdit = (changes: RosterChange[]): RosterChange[][] => {
  const groups = new Map<number, RosterChange[]>()
  for (const change of changes) groups.set(change.edit, [...(groups.get(change.edit) ?? []), change])
  return [...groups.values()]
}

function ChangeLine({ scope, changes }: { scope: RosterScope; changes: RosterChange[] }) {
  const { here, community, people, mayEdit } = scope
  const t = rosterText(here.language).away
  const names = namesOf(people, here.language)
  const now = here.now.getTime()
  const runs = changes.some(({ from, until }) => from <= now && now < until)
  const action = `${path}/${changes[0]!.edit}`
  return (
    <li class="line">
      {changes.map((change) => (
        <p key={change.changeId}>{changeWords(change, scope, names)}</p>
      ))}
      {mayEdit && (
        <div class="acts">
          {runs && (
            <form method="post" action={`${action}/end`}>
              <input type="hidden" name="community" value={community.communityId} />
              <button type="submit">{t.endNow}</button>
            </form>
          )}
          <form method="post" action={`${action}/remove`}>
            <input type="hidden" name="community" value={community.communityId} />
            <button type="submit">{t.takeBack}</button>
          </form>
        </div>
      )}
    </li>
  )
}
