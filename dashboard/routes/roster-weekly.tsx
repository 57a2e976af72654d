import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import type { WeeklyShift } from '../../alerts/roster.js'
import { dateOfDay, dayOfDate, wallOf } from '../../alerts/roster-time.js'
import { addWeekly, endWeekly, removeWeekly } from '../../db/roster-weekly-edits.js'
import { listWeekly, type RosterPerson } from '../../db/rosters.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { dateWords, namesOf, weekdaysWords, weeklyClock } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { RosterPage } from './roster-parts.js'
import { type RosterScope, rosterEditors, rosterScope, saved } from './roster-scope.js'
import { readWeekly, type WeeklyFields, WeeklyForm } from './roster-weekly-form.js'

/** What ended this long ago is still shown. */
const endedShownDays = 14

const many = z.preprocess((value) => [value ?? []].flat(), z.array(z.string().max(100)).max(20))
const short = z.string().trim().max(20).catch('')
const addForm = z.object({
  staff: many,
  weekday: many,
  start: short,
  end: short,
  days: short,
  first: short,
  last: short,
  every: short,
})
const ids = z.preprocess(
  (value) => [value ?? []].flat(),
  z.array(z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER)).max(7),
)
const removeForm = z.object({ id: ids })
const endForm = removeForm.extend({ last: short })
const savedQuery = z.object({ saved: z.string().max(20).catch('') })

/** The shifts that come back each week: all colleagues read them, supervisors change them. */
export function rosterWeeklyRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps
  const path = '/roster/weekly'

  app.get(path, async (request, reply) => {
    const scope = await rosterScope(deps, request)
    return send(reply, { scope, saved: savedQuery.parse(request.query).saved })
  })

  app.post(path, async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { weekday, ...asked } = addForm.parse(request.body)
    const fields: WeeklyFields = { ...asked, weekdays: weekday }
    const weekly = readWeekly(fields)
    const t = rosterText(scope.here.language)
    if ('problem' in weekly) return send(reply, { scope, fields, problem: t.problem[weekly.problem] })
    const added = await addWeekly(db, { ...scope.editor, weekly })
    if (added.kind === 'unknown') return send(reply, { scope, fields, problem: t.problem.unknown })
    note(scope, 'weeklyAdded')
    return saved(reply, path, scope.community.communityId, added.kind)
  })

  app.post('/roster/weekly/end', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { last, id: weeklyShiftIds } = endForm.parse(request.body)
    const t = rosterText(scope.here.language)
    if (last !== '' && dayOfDate(last) === undefined) return send(reply, { scope, problem: t.problem.date })
    const ended = await endWeekly(db, { ...scope.editor, weeklyShiftIds, lastDate: last === '' ? null : last })
    if (ended.kind === 'missing') return send(reply, { scope, problem: t.problem.missing, status: 409 })
    note(scope, 'weeklyEnded')
    return saved(reply, path, scope.community.communityId)
  })

  app.post('/roster/weekly/remove', async (request, reply) => {
    const scope = await rosterScope(deps, request, { roles: rosterEditors })
    const { id: weeklyShiftIds } = removeForm.parse(request.body)
    const removed = await removeWeekly(db, { ...scope.editor, weeklyShiftIds })
    const t = rosterText(scope.here.language)
    if (removed.kind === 'missing') return send(reply, { scope, problem: t.problem.missing, status: 409 })
    note(scope, 'weeklyRemoved')
    return saved(reply, path, scope.community.communityId)
  })

  const note = ({ community, viewer }: RosterScope, what: string) =>
    log.info({ communityId: community.communityId, staffId: viewer.staffId }, `roster.${what}`)

  async function send(
    reply: FastifyReply,
    p: { scope: RosterScope; fields?: WeeklyFields; problem?: string; saved?: string; status?: number },
  ): Promise<FastifyReply> {
    const { scope, problem } = p
    const { here, community, people } = scope
    const t = rosterText(here.language)
    const today = wallOf(here.now.getTime(), community.timeZone).day
    const weekly = await listWeekly(db, {
      communityId: community.communityId,
      date: dateOfDay(today - endedShownDays),
    })
    const notice = p.saved && (p.saved === 'exists' ? t.exists : t.saved)
    return sendPage(
      reply,
      <RosterPage {...{ scope, problem, notice }} title={t.weekly.title} lead={t.weekly.lead}>
        {weekly.length === 0 ? (
          <p class="empty">{t.weekly.none}</p>
        ) : (
          <ul class="lines weekly">
            {byDays(weekly).map((shifts) => (
              <WeeklyLine key={shifts[0]!.weeklyShiftId} {...{ scope, shifts, people }} />
            ))}
          </ul>
        )}
        {scope.mayEdit && (
          <section aria-labelledby="adding" class="narrow-left">
            <h2 id="adding">{t.weekly.add}</h2>
            <WeeklyForm scope={scope} fields={p.fields ?? emptyFields(dateOfDay(today))} />
          </section>
        )}
      </RosterPage>,
      p.status ?? (problem ? 400 : 200),
    )
  }
}

const emptyFields = (today: string): WeeklyFields => ({
  staff: [],
  weekdays: [],
  start: '20:00',
  end: '08:00',
  days: '0',
  first: today,
  last: '',
  every: '1',
})

/** What differs in nothing but the day of the week stands together. */
function byDays(weekly: WeeklyShift[]): WeeklyShift[][] {
  const groups = new Map<string, WeeklyShift[]>()
  for (const shift of weekly) {
    const { weeklyShiftId: _, weekday: __, ...rest } = shift
    const key = JSON.stringify(rest)
    groups.set(key, [...(groups.get(key) ?? []), shift])
  }
  return [...groups.values()]
}

function WeeklyLine(p: { scope: RosterScope; shifts: WeeklyShift[]; people: RosterPerson[] }) {
  const { scope, shifts, people } = p
  const { here, community, mayEdit } = scope
  const { language } = here
  const t = rosterText(language)
  const shift = shifts[0]!
  const { staffId, validFrom, validUntil } = shift
  const person = people.find((each) => each.staffId === staffId)
  const days = weekdaysWords(
    shifts.map(({ weekday }) => weekday),
    language,
  )
  const hidden = (
    <>
      <input type="hidden" name="community" value={community.communityId} />
      {shifts.map(({ weeklyShiftId }) => (
        <input key={weeklyShiftId} type="hidden" name="id" value={weeklyShiftId} />
      ))}
    </>
  )
  return (
    <li class="line">
      <div class="weekly-what">
        {shifts.map(({ weeklyShiftId }) => (
          <span key={weeklyShiftId} id={`weekly-${weeklyShiftId}`} />
        ))}
        <span>
          <strong>{namesOf(people, language)(staffId)}</strong> {days}{' '}
          <span class="clock">{weeklyClock(shift.start, shift.minutes, language)}</span>
          {person && (person.gone || !person.member) && (
            <span class="tag">{person.gone ? t.weekly.gone : t.weekly.notHere}</span>
          )}
        </span>
        <span class="sub">
          {[
            t.weekly.everyWeeks(shift.everyWeeks),
            t.weekly.validFrom(dateWords(validFrom, language)),
            ...(validUntil === null ? [] : [t.weekly.validUntil(dateWords(validUntil, language))]),
          ].join(t.comma)}
        </span>
      </div>
      {mayEdit && (
        <details>
          <summary>{t.weekly.change}</summary>
          <form method="post" action="/roster/weekly/end" class="search">
            {hidden}
            <label>
              {t.weekly.endOn}
              <input type="date" name="last" value={validUntil ?? ''} />
            </label>
            <button type="submit">{t.save}</button>
          </form>
          <form method="post" action="/roster/weekly/remove">
            {hidden}
            <button type="submit">{t.weekly.removeWhole}</button>
            <p class="sub">{t.weekly.removeHelp}</p>
          </form>
        </details>
      )}
    </li>
  )
}
