import type { FastifyReply } from 'fastify'
import type { Shift } from '../../alerts/roster.js'
import { sendPage } from '../shell/here.js'
import { fieldOf, namesOf, spanWords } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { MomentField, PersonSelect, RosterPage } from './roster-parts.js'
import { type RosterScope, rosterPath } from './roster-scope.js'

/** What can be done with one concrete shift, for who may do it. */
export function sendShift(
  reply: FastifyReply,
  p: { scope: RosterScope; shift: Shift; others: Shift[]; problem?: string; status?: number },
): FastifyReply {
  const { scope, shift, others, problem } = p
  const { here, community, people } = scope
  const { communityId, timeZone } = community
  const t = rosterText(here.language)
  const names = namesOf(people, here.language)
  const now = here.now.getTime()
  const words = (each: Shift) => spanWords({ from: each.startsAt, until: each.endsAt }, timeZone, here.language, now)
  const who = names(shift.staffId)
  const hidden = (
    <>
      <input type="hidden" name="community" value={communityId} />
      <input type="hidden" name="staff" value={shift.staffId} />
      <input type="hidden" name="from" value={shift.startsAt} />
      <input type="hidden" name="until" value={shift.endsAt} />
    </>
  )
  const away = rosterPath('/roster/away', communityId, {
    staff: shift.staffId,
    from: fieldOf(Math.max(shift.startsAt, now), timeZone),
    until: fieldOf(shift.endsAt, timeZone),
  })
  return sendPage(
    reply,
    <RosterPage {...{ scope, problem }} title={t.shift.title(who)}>
      <p class="big">{words(shift)}</p>
      <p>
        {shift.source.kind === 'weekly' ? t.shift.weekly : t.shift.oneOff}{' '}
        {shift.insteadOf !== null && t.shift.insteadOf(names(shift.insteadOf))}
      </p>
      <div class="narrow-left">
        <section aria-labelledby="give">
          <h2 id="give">{t.shift.give}</h2>
          <form method="post" action="/roster/swap" class="stack">
            {hidden}
            <PersonSelect here={here} name="to" label={t.shift.giveTo} people={people} without={shift.staffId} />
            <button class="primary" type="submit">
              {t.shift.giveIt}
            </button>
          </form>
        </section>
        <section aria-labelledby="swap">
          <h2 id="swap">{t.shift.swap}</h2>
          {others.length === 0 ? (
            <p class="empty">{t.shift.noOthers}</p>
          ) : (
            <form method="post" action="/roster/swap" class="stack">
              {hidden}
              <label>
                {t.shift.swapWith}
                <select name="with" required>
                  <option value="">{t.choose}</option>
                  {others.map((other) => (
                    <option
                      key={`${other.staffId}${other.startsAt}`}
                      value={`${other.staffId}|${other.startsAt}|${other.endsAt}`}
                    >
                      {words(other)} · {names(other.staffId)}
                    </option>
                  ))}
                </select>
              </label>
              <button class="primary" type="submit">
                {t.shift.swapIt}
              </button>
            </form>
          )}
        </section>
        <section aria-labelledby="away">
          <h2 id="away">{t.shift.away}</h2>
          <p>
            <a class="button" href={away}>
              {t.shift.awayLink(who)}
            </a>
          </p>
        </section>
        {shift.source.kind === 'one-off' && (
          <form method="post" action={`/roster/shift/${shift.source.shiftId}/remove`} class="stack">
            <input type="hidden" name="community" value={communityId} />
            <button type="submit">{t.shift.removeIt}</button>
          </form>
        )}
        {shift.source.kind === 'weekly' && (
          <p>
            <a
              class="button"
              href={`${rosterPath('/roster/weekly', communityId)}#weekly-${shift.source.weeklyShiftId}`}
            >
              {t.weeklyLink}
            </a>
          </p>
        )}
      </div>
    </RosterPage>,
    p.status ?? (problem ? 400 : 200),
  )
}

export type NewShiftFields = { staff: string; from: string; until: string }

export function sendNew(
  reply: FastifyReply,
  p: { scope: RosterScope; fields: NewShiftFields; problem?: string },
): FastifyReply {
  const { scope, fields, problem } = p
  const { here, community, people } = scope
  const t = rosterText(here.language)
  return sendPage(
    reply,
    <RosterPage {...{ scope, problem }} title={t.shift.newTitle} lead={t.shift.newLead}>
      <form method="post" action="/roster/shift/new" class="stack narrow-left">
        <input type="hidden" name="community" value={community.communityId} />
        <PersonSelect here={here} name="staff" label={t.who} people={people} value={fields.staff} />
        <div class="pair">
          <MomentField label={t.from} name="from" value={fields.from} />
          <MomentField label={t.until} name="until" value={fields.until} />
        </div>
        <button class="primary wide" type="submit">
          {t.add}
        </button>
      </form>
    </RosterPage>,
    problem ? 400 : 200,
  )
}
