import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { EpochMs } from '../../alerts/model.js'
import { onDutyAt } from '../../alerts/roster.js'
import { clockOfMinute, wallOf } from '../../alerts/roster-time.js'
import { recordLook } from '../../db/access-log.js'
import { findResidentIn, staffNames } from '../../db/paged.js'
import { countResidents, listResidents } from '../../db/resident-list.js'
import { rosterOf } from '../../db/rosters.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { dayWords, fieldOf, instantOfField, momentWords } from '../shell/roster-words.js'
import { shellText } from '../shell/shell-text.js'
import { rosterText } from '../shell/text-roster.js'
import { pagedText } from '../shell/text-roster-paged.js'
import { durationWords } from '../shell/times.js'
import { careRoles, NotFound, requireStaff } from '../shell/viewer.js'
import { channelName } from './channel-parts.js'
import { isReached, type PagedChain, type PagedChannel, pagedAt } from './roster-paged-chain.js'
import { MomentField, RosterPage } from './roster-parts.js'
import { rosterScope } from './roster-scope.js'

const residentsShownMax = 12
/** Further off, nobody knows who will work here. */
const yearsMax = 5
const yearMs = 366 * 86_400_000

const field = z.string().trim().max(100).catch('')
const query = z.object({ q: field, resident: field, at: field })
/** A `+` that was not written as %2B arrives as a space. */
const instant = z
  .string()
  .transform((text) => text.replace(/ (?=\d\d:\d\d$)/, '+'))
  .pipe(z.iso.datetime({ offset: true }))
const apiQuery = z.object({ resident: z.string().min(1).max(100), at: instant })

/** "Who is paged for Mrs Wang on 2027-01-03 at 03:00?", on a page and as JSON. */
export function rosterPagedRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db } = deps
  const usable = deps.channels.kinds
  const isNear = (at: EpochMs, here: Here) => Math.abs(at - here.now.getTime()) < yearsMax * yearMs

  app.get('/roster/paged', async (request, reply) => {
    const scope = await rosterScope(deps, request)
    const { here, viewer, community } = scope
    const { communityIds, staffId } = viewer
    const asked = query.parse(request.query)
    const t = pagedText(here.language)
    const words = rosterText(here.language)
    const resident =
      asked.resident === '' ? undefined : await findResidentIn(db, { residentId: asked.resident, communityIds })
    if (asked.resident !== '' && !resident) throw new NotFound()
    const timeZone = resident?.timeZone ?? community.timeZone
    const typed = asked.at === '' ? here.now.getTime() : instantOfField(asked.at, timeZone)
    const at = typed !== undefined && isNear(typed, here) ? typed : undefined
    const found = resident
      ? { residents: [], total: 0 }
      : {
          residents: await listResidents(db, {
            communityIds,
            search: asked.q,
            offset: 0,
            rowsMax: residentsShownMax,
          }),
          total: await countResidents(db, { communityIds, search: asked.q }),
        }
    const chains =
      resident && at !== undefined ? await pagedAt(db, { residentId: resident.residentId, at, usable }) : []
    if (resident && at !== undefined)
      await recordLook(db, { residentId: resident.residentId, staffId, page: 'who is paged', now: here.now })
    const isEmptyPlace =
      resident !== undefined &&
      at !== undefined &&
      onDutyAt(await rosterOf(db, resident.communityId, { from: at, until: at + 1 }), at).length === 0
    const names = await staffNames(
      db,
      chains.flatMap(({ steps }) => steps.flatMap(({ people }) => people.map((person) => person.staffId))),
    )
    const atField = asked.at === '' ? fieldOf(here.now.getTime(), timeZone) : asked.at
    // Whom nothing reaches is not who is paged first.
    const first = chains[0]?.steps
      .map(({ people }) => people.filter(isReached))
      .find((people) => people.length > 0)
      ?.map((person) => names.get(person.staffId) ?? '')
      .join(words.and)
    const title =
      resident && at !== undefined
        ? t.answer(resident.name, dateAndClock(at, timeZone, here), first || t.nobody)
        : t.title
    return sendPage(
      reply,
      <RosterPage {...{ scope, title }} problem={at === undefined ? words.problem.date : undefined}>
        {resident ? (
          <>
            <form method="get" action="/roster/paged" class="search">
              <input type="hidden" name="community" value={resident.communityId} />
              <input type="hidden" name="resident" value={resident.residentId} />
              <MomentField label={t.at} name="at" value={atField} />
              <button type="submit">{t.ask}</button>
            </form>
            <p class="sub">{t.lead}</p>
            {at !== undefined && at < here.now.getTime() - 60_000 && <p>{t.noHistory}</p>}
            {isEmptyPlace && <p>{t.nobodyOnDuty}</p>}
            <div class="chains">
              {chains.map((chain) => (
                <Chain key={chain.severity} {...{ here, chain, names, timeZone }} at={at!} />
              ))}
            </div>
            {at !== undefined && (
              <p>
                <a
                  href={`/api/paged?${new URLSearchParams({ resident: resident.residentId, at: new Date(at).toISOString() })}`}
                >
                  {t.asJson}
                </a>
              </p>
            )}
          </>
        ) : (
          <form method="get" action="/roster/paged" class="stack narrow-left">
            <input type="hidden" name="community" value={community.communityId} />
            <div class="search">
              <label>
                {t.search}
                <input type="search" name="q" value={asked.q} maxLength={100} />
              </label>
              <button type="submit">{t.find}</button>
            </div>
            <MomentField label={t.at} name="at" value={atField} />
            {found.residents.length === 0 ? (
              <p class="empty">{t.none}</p>
            ) : (
              <fieldset>
                <legend>{t.resident}</legend>
                <div class="choices people">
                  {found.residents.map(({ residentId, name, address }) => (
                    <label key={residentId} class="choice">
                      <input type="radio" name="resident" value={residentId} />
                      <span>
                        {name}
                        <span class="sub">{address}</span>
                      </span>
                    </label>
                  ))}
                </div>
                {found.total > found.residents.length && <p>{t.more}</p>}
              </fieldset>
            )}
            <button class="primary wide" type="submit">
              {t.ask}
            </button>
          </form>
        )}
      </RosterPage>,
      at === undefined ? 400 : 200,
    )
  })

  app.get('/api/paged', async (request, reply) => {
    const { here } = request
    const { staffId, communityIds } = requireStaff(request, careRoles)
    const problem = (status: number, error: string) =>
      reply.code(status).header('cache-control', 'no-store').send({ error })
    const asked = apiQuery.safeParse(request.query)
    if (!asked.success) return problem(400, 'resident (an id) and at (ISO 8601 with zone) are needed')
    const at = Date.parse(asked.data.at)
    if (!isNear(at, here)) return problem(400, `at is more than ${yearsMax} years off`)
    const resident = await findResidentIn(db, { residentId: asked.data.resident, communityIds })
    if (!resident) return problem(404, 'no such resident')
    const chains = await pagedAt(db, { residentId: resident.residentId, at, usable })
    await recordLook(db, { residentId: resident.residentId, staffId, page: 'who is paged', now: here.now })
    const ids = chains.flatMap(({ steps }) => steps.flatMap(({ people }) => people.map((person) => person.staffId)))
    const names = await staffNames(db, ids)
    return reply.header('cache-control', 'no-store').send({
      resident: { id: resident.residentId, name: resident.name },
      at: new Date(at).toISOString(),
      severities: Object.fromEntries(chains.map((chain) => [chain.severity, asJson(chain, at, names)])),
    })
  })
}

/** The date always, though it be today's: it was asked for. */
function dateAndClock(at: EpochMs, timeZone: string, { language, now }: Here): string {
  const { day, minute } = wallOf(at, timeZone)
  return `${dayWords(day, language, wallOf(now.getTime(), timeZone).day)} ${clockOfMinute(minute)}`
}

const asJson = ({ steps, againAt }: PagedChain, at: EpochMs, names: Map<string, string>) => ({
  steps: steps.map((step) => ({
    at: new Date(step.at).toISOString(),
    afterSeconds: Math.round((step.at - at) / 1_000),
    people: step.people.map((person) => ({
      id: person.staffId,
      name: names.get(person.staffId) ?? null,
      role: person.role,
      channels: person.channels,
      reachable: isReached(person),
      informs: person.informs,
    })),
  })),
  repeatsAfterSeconds: againAt === null ? null : Math.round((againAt - at) / 1_000),
})

function Chain(p: { here: Here; chain: PagedChain; at: EpochMs; names: Map<string, string>; timeZone: string }) {
  const { here, chain, at, names, timeZone } = p
  const { language } = here
  const { steps, againAt, happened, severity } = chain
  const t = pagedText(language)
  const named = ({ kind, usable }: PagedChannel) => channelName(kind, language) + (usable ? '' : t.notSetUp)
  const last = steps.at(-1)?.at ?? at
  return (
    <section aria-labelledby={severity}>
      <h2 id={severity}>{shellText(language).severity[severity]}</h2>
      {steps.length > 0 && (
        <ol class="lines chain">
          {steps.map((step) => (
            <li key={step.at} class="line">
              <p>
                <strong>{step.at === at ? t.atOnce : t.after(durationWords(step.at - at, language))}</strong>{' '}
                <span class="clock">{momentWords(step.at, timeZone, language, at)}</span>
              </p>
              <ul>
                {step.people.map((person) => (
                  <li key={person.staffId}>
                    {names.get(person.staffId)} <span class="role">{t.roles[person.role]}</span>
                    {!isReached(person) && <strong> {t.unreachable}</strong>}
                    <span class="sub">
                      {person.channels.map(named).join(' · ')}
                      {person.informs && ` · ${t.informs}`}
                    </span>
                  </li>
                ))}
              </ul>
            </li>
          ))}
        </ol>
      )}
      <p>
        {happened === 'quiet hours'
          ? t.quiet
          : steps.length === 0
            ? happened === 'nobody to tell'
              ? t.noOne
              : t.notTold
            : againAt === null
              ? t.ends
              : t.again(durationWords(againAt - last, language))}
      </p>
    </section>
  )
}
