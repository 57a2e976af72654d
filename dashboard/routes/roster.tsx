import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { EpochMs } from '../../alerts/model.js'
import { handOversBetween, holesBetween, onDutyAt, type Span, shiftsBetween } from '../../alerts/roster.js'
import { type DayNumber, dateOfDay, dayOfDate, instantOf, wallOf, weekdayOf } from '../../alerts/roster-time.js'
import { listEdits, rosterOf } from '../../db/rosters.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { momentWords, namesOf, spanWords } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { RosterDays } from './roster-days.js'
import { RosterLog } from './roster-log.js'
import { CommunityChoice } from './roster-parts.js'
import { type RosterScope, rosterPath, rosterScope } from './roster-scope.js'

const dayMs = 86_400_000
/** As far ahead as holes are looked for. */
const aheadDays = 28
const weekDays = 7
const editsMax = 10

const query = z.object({
  from: z.string().max(10).catch(''),
  weeks: z.enum(['1', '5']).catch('1'),
  saved: z.string().max(20).catch(''),
})

/** The roster of a community: who is on duty now, until when, and is there a hole ahead? */
export function rosterRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db } = deps

  app.get('/roster', async (request, reply) => {
    const scope = await rosterScope(deps, request)
    const { here, community, communities, people, mayEdit } = scope
    const { communityId, timeZone } = community
    const asked = query.parse(request.query)
    const now = here.now.getTime()
    const today = wallOf(now, timeZone).day
    const firstDay = mondayOf(dayOfDate(asked.from) ?? today)
    const weeks = Number(asked.weeks)
    const days = Array.from({ length: weeks * weekDays }, (_, index) => firstDay + index)
    const shown = { from: instantOf(firstDay, 0, timeZone), until: instantOf(firstDay + days.length, 0, timeZone) }
    const ahead = now + aheadDays * dayMs
    const [roster, edits] = await Promise.all([
      rosterOf(db, communityId, { from: Math.min(shown.from, now), until: Math.max(shown.until, ahead) }),
      listEdits(db, { communityId, rowsMax: editsMax }),
    ])
    const t = rosterText(here.language)
    const names = namesOf(people, here.language)
    const isEmpty = roster.weekly.length + roster.shifts.length === 0
    const answer = answerOf({ scope, roster, now, ahead })
    const at = (day: DayNumber) => rosterPath('/roster', communityId, { from: dateOfDay(day), weeks: asked.weeks })
    return sendPage(
      reply,
      <Page here={here} title={answer.first} current="roster">
        <link rel="stylesheet" href={`${here.assets}/roster.css`} />
        <div class={`answer answer-${answer.tone}`}>
          <h1>{answer.first}</h1>
          {isEmpty && <p>{t.none}</p>}
          {answer.more.map((line) => (
            <p key={line}>{line}</p>
          ))}
          {answer.hole && !isEmpty && (
            <p>
              <a class="button" href={at(wallOf(answer.hole.from, timeZone).day)}>
                {t.toHole}
              </a>
            </p>
          )}
        </div>
        {asked.saved && (
          <p class="message saved" role="status">
            {asked.saved === 'exists' ? t.exists : t.saved}
          </p>
        )}
        <CommunityChoice here={here} path="/roster" community={community} communities={communities} />
        <nav class="roster-nav" aria-label={t.title}>
          {[
            ['/roster/weekly', t.weeklyLink],
            ['/roster/away', t.awayLink],
            ...(mayEdit ? [['/roster/shift/new', t.oneOffLink]] : []),
            ['/roster/paged', t.pagedLink],
            ['/roster/calendar', t.calendarLink],
            ['/policies', t.policiesLink],
            ...(mayEdit ? [['/coverage', t.coverageLink]] : []),
          ].map(([path, label]) => (
            <a key={path} class="button" href={rosterPath(path!, communityId)}>
              {label}
            </a>
          ))}
        </nav>
        <section aria-labelledby="days">
          <div class="roster-head">
            <h2 id="days">
              {t.days} <span class="count">{community.name}</span>
            </h2>
            <div class="roster-turn">
              <a class="button" rel="prev" href={at(firstDay - days.length)}>
                {t.previousWeek}
              </a>
              <a class="button" href={rosterPath('/roster', communityId, { weeks: asked.weeks })}>
                {t.thisWeek}
              </a>
              <a class="button" rel="next" href={at(firstDay + days.length)}>
                {t.nextWeek}
              </a>
              <a
                class="button quiet"
                href={rosterPath('/roster', communityId, {
                  from: dateOfDay(firstDay),
                  weeks: weeks === 1 ? '5' : '1',
                })}
              >
                {weeks === 1 ? t.fiveWeeks : t.oneWeek}
              </a>
            </div>
          </div>
          <RosterDays
            {...{ scope, days, today, names }}
            shifts={shiftsBetween(roster, shown.from, shown.until)}
            holes={holesBetween(roster, shown.from - dayMs, shown.until + dayMs)}
          />
        </section>
        <RosterLog {...{ scope, edits, names }} />
      </Page>,
    )
  })
}

const mondayOf = (day: DayNumber): DayNumber => day - weekdayOf(day) + 1

/** "On duty now: Lin, until 08:00", who follows, and the holes of the coming weeks. */
function answerOf(p: { scope: RosterScope; roster: Parameters<typeof onDutyAt>[0]; now: EpochMs; ahead: EpochMs }): {
  tone: string
  first: string
  more: string[]
  hole: Span | undefined
} {
  const { scope, roster, now, ahead } = p
  const { here, people, community } = scope
  const { language } = here
  const t = rosterText(language)
  const names = namesOf(people, language)
  const listed = (staffIds: string[]) => staffIds.map(names).join(t.and)
  const onDuty = onDutyAt(roster, now)
  const next = handOversBetween(roster, now + 1, ahead)[0]
  const until = next && momentWords(next.at, community.timeZone, language, now)
  const holes = holesBetween(roster, now, ahead)
  const more: string[] = []
  if (next && next.begin.length > 0) more.push(t.afterwards(listed(next.begin)))
  const [hole] = holes
  if (!hole) more.push(t.noHoles(aheadDays))
  else more.push(t.holes(holes.length, aheadDays, spanWords(hole, community.timeZone, language, now)), t.meanwhile)
  const first =
    onDuty.length > 0
      ? until
        ? t.nowUntil(listed(onDuty), until)
        : t.nowOnDuty(listed(onDuty))
      : until
        ? t.nowNobodyUntil(until)
        : t.nowNobody
  return { tone: hole ? 'busy' : 'quiet', first, more, hole }
}
