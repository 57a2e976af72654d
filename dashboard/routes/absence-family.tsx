import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { type Absence, endAway, runningAbsence, setAway, undoAway } from '../../db/absences.js'
import { recordLook } from '../../db/access-log.js'
import { type FamilyView, findFamilyLink } from '../../db/family.js'
import { sayOf, undoSaid } from '../../db/visits.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { absenceText } from '../shell/text-absence.js'
import { addressKey, createThrottle } from '../shell/throttle.js'
import { type EndProblem, readEnd } from './absence-ends.js'
import { type AwayFields, AwayForm, awayForm, emptyAway } from './absence-form.js'
import { AwayNow } from './absence-parts.js'

const minuteMs = 60_000
const asksPerLinkMax = 30
const wrongPerAddressMax = 20

type Asked = { view: FamilyView; token: string; here: Here }

/** What a family member may say from the private page, where the station allowed it by name. */
export function familyAbsenceRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, clock, log, signal } = deps
  const asks = createThrottle({ hitsMax: asksPerLinkMax, perMs: minuteMs })
  const wrong = createThrottle({ hitsMax: wrongPerAddressMax, perMs: minuteMs })

  const path = '/f/:token/away'
  app.get(path, async (request, reply) =>
    withRight(request, reply, async (asked) => sendForm(reply, asked, { fields: undefined })),
  )

  app.post(path, async (request, reply) =>
    withRight(request, reply, async (asked) => {
      const { view, here } = asked
      const fields = awayForm.parse(request.body)
      const read = readEnd(fields, here.now.getTime(), view.timeZone)
      if ('problem' in read) return sendForm(reply, asked, { fields, problem: read.problem })
      const running = await runningAbsence(db, { residentId: view.residentId, now: here.now })
      const note = fields.note || (running && !isOwn(running, view) ? running.note : '')
      const { kind } = await setAway(db, { ...who(asked), until: new Date(read.until), note })
      return done(reply, asked, 'away.set', kind)
    }),
  )

  app.post(`${path}/end`, async (request, reply) =>
    withRight(request, reply, async (asked) => done(reply, asked, 'away.ended', await endAway(db, who(asked)))),
  )
  app.post(`${path}/undo`, async (request, reply) =>
    withRight(request, reply, async (asked) => done(reply, asked, 'resident.unsaid', await undoAway(db, who(asked)))),
  )
  app.post('/f/:token/here', async (request, reply) =>
    withRight(request, reply, async (asked) =>
      done(reply, asked, 'resident.said', await sayOf(db, { ...who(asked), what: 'visit' })),
    ),
  )
  app.post('/f/:token/here/undo', async (request, reply) =>
    withRight(request, reply, async (asked) => done(reply, asked, 'resident.unsaid', await undoSaid(db, who(asked)))),
  )

  const who = ({ view, here }: Asked) => ({
    residentId: view.residentId,
    by: { familyMemberId: view.familyMemberId },
    now: here.now,
  })

  function done(reply: FastifyReply, { view, token }: Asked, event: string, result: string | boolean) {
    log.info({ residentId: view.residentId, familyMemberId: view.familyMemberId, result }, event)
    signal.raise('alerts')
    return seeOther(reply, `/f/${token}`)
  }

  /** A link that is unknown, was revoked, or has not been given this right: to each of them there is nothing here. */
  async function withRight(
    request: FastifyRequest,
    reply: FastifyReply,
    answer: (asked: Asked) => Promise<FastifyReply>,
  ): Promise<FastifyReply> {
    reply.header('x-robots-tag', 'noindex, nofollow')
    const { token } = request.params as { token: string }
    const { here } = request
    const view = await findFamilyLink(db, token)
    if (!view?.maySetAway) {
      if (!wrong.take(addressKey(request.ip), clock.now())) return throttled()
      return reply.callNotFound() as unknown as FastifyReply
    }
    if (!asks.take(token, clock.now())) return throttled()
    return answer({ view, token, here })
  }

  async function sendForm(
    reply: FastifyReply,
    { view, token, here: asked }: Asked,
    p: { fields: AwayFields | undefined; problem?: EndProblem },
  ): Promise<FastifyReply> {
    const { residentId, familyMemberId, residentName, timeZone } = view
    const back = `/f/${token}`
    const here = p.fields ? { ...asked, path: `${back}/away` } : asked
    const running = await runningAbsence(db, { residentId, now: here.now })
    // What somebody else wrote is for the station.
    const absence = running && !isOwn(running, view) ? { ...running, note: '' } : running
    await recordLook(db, { residentId, familyMemberId, page: 'absence', now: here.now, refresh: here.refresh })
    const t = absenceText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.family.title(residentName)} kind="family" live={false}>
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/absence.css`} />
        <div class="narrow">
          <h1>{t.family.answerTitle(residentName)}</h1>
          <p>{t.family.means}</p>
          <p>{t.endsItself}</p>
          {absence && (
            <>
              <AwayNow
                absence={absence}
                here={here}
                timeZone={timeZone}
                by={{ familyMemberId }}
                undo={`${back}/away/undo`}
              />
              <form method="post" action={`${back}/away/end`}>
                <button class="wide" type="submit">
                  {t.endNow}
                </button>
              </form>
            </>
          )}
          <AwayForm
            here={here}
            action={`${back}/away`}
            timeZone={timeZone}
            fields={p.fields ?? { ...emptyAway, note: absence?.note ?? '' }}
            problem={p.problem}
            running={absence?.until ?? null}
            noteHint={t.noteHintFamily}
          />
          <p>
            <a class="button wide" href={back}>
              {t.family.back}
            </a>
          </p>
        </div>
      </Page>,
      p.problem ? 400 : 200,
    )
  }
}

const isOwn = ({ byId }: Absence, { familyMemberId }: FamilyView) => byId === familyMemberId

const throttled = (): never => {
  throw Object.assign(new Error('too many asks'), { statusCode: 429 })
}
