import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import type { ResidentState } from '../../alerts/rules/fold.js'
import { hasOwnLine } from '../../alerts/rules/line-view.js'
import { runningAbsence } from '../../db/absences.js'
import { recordLook } from '../../db/access-log.js'
import { alertDates, type FamilyView, findFamilyLink } from '../../db/family.js'
import { findResidentState, residentAlerts, residentDevices } from '../../db/residents.js'
import { lastSaid } from '../../db/visits.js'
import { loadUse } from '../charts/load-use.js'
import { weekMarks } from '../charts/week.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { familyText } from '../shell/text-family.js'
import { addressKey, createThrottle } from '../shell/throttle.js'
import { AwayAnswer, FamilySays } from './absence-family-parts.js'
import { Answer, Call, FamilyAlerts, FamilyNight, Week } from './family-parts.js'
import { knownOf } from './resident-knowledge.js'
import { loadNight } from './resident-night.js'

const weekDays = 7
const dayMs = 24 * 3_600_000
const minuteMs = 60_000
/** A page left open asks twice a minute. */
const looksPerLinkMax = 60
const wrongPerAddressMax = 20
/** An alert that is over is worth a line for this long. */
const closedShownMs = dayMs

/** The private page of a family member, which answers "is she all right?" and opens nothing else. */
export function familyRoutes(app: FastifyInstance, { db, clock }: RouteDeps): void {
  const looks = createThrottle({ hitsMax: looksPerLinkMax, perMs: minuteMs })
  const wrong = createThrottle({ hitsMax: wrongPerAddressMax, perMs: minuteMs })

  app.get<{ Params: { token: string } }>('/f/:token', async (request, reply) => {
    const address = addressKey(request.ip)
    // The address of the page is its secret: it must not be found. It does not travel on either: the referrer policy of
    // the whole site keeps it from others, and stricter than that browsers send `Origin: null` with the language switch.
    reply.header('x-robots-tag', 'noindex, nofollow')
    const view = await findFamilyLink(db, request.params.token)
    if (!view) {
      if (!wrong.take(address, clock.now())) return throttled()
      return sendGone(request, reply)
    }
    if (!looks.take(request.params.token, clock.now())) return throttled()
    return sendFamilyPage(request, reply, view, request.params.token)
  })

  async function sendFamilyPage(request: FastifyRequest, reply: FastifyReply, view: FamilyView, token: string) {
    const { here } = request
    const { now } = here
    const { residentId, familyMemberId, timeZone } = view
    const since = new Date(now.getTime() - (weekDays + 2) * dayMs)
    const [devices, state, alerts, absence, said] = await Promise.all([
      residentDevices(db, { residentId, since }),
      findResidentState(db, residentId),
      view.seesAlerts ? residentAlerts(db, { residentId, closedMax: 5 }) : [],
      runningAbsence(db, { residentId, now }),
      view.maySetAway ? lastSaid(db, { residentId, since: new Date(now.getTime() - dayMs) }) : [],
      // Beside what is read, not before it: nothing is shown unless the look is on record.
      recordLook(db, { residentId, familyMemberId, page: 'family', now, refresh: here.refresh }),
    ])
    const told = alerts.filter(
      ({ severity, closedAt, outcome }) =>
        severity !== 'notice' &&
        (closedAt === null || (outcome !== 'test' && now.getTime() - closedAt.getTime() < closedShownMs)),
    )
    const known = knownOf({ state, devices, now: now.getTime() })
    const week = view.seesWeek ? await loadWeek() : null
    const nights = view.seesWeek ? await loadNight(db, { devices, timeZone, now }) : undefined
    const t = familyText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.title(view.residentName)} kind="family">
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <h1>{t.title(view.residentName)}</h1>
        <FamilyAlerts alerts={told.filter(({ closedAt }) => closedAt === null)} view={view} here={here} />
        {absence ? (
          <AwayAnswer absence={absence} view={view} here={here} />
        ) : (
          <Answer
            {...{ known, view, here }}
            calm={told.every(({ closedAt }) => closedAt !== null)}
            ownLine={state !== null && hasOwnLine(state as ResidentState, now.getTime())}
          />
        )}
        <FamilyAlerts alerts={told.filter(({ closedAt }) => closedAt !== null)} view={view} here={here} />
        <Call view={view} here={here} />
        <FamilySays absence={absence} said={said} view={view} token={token} here={here} />
        {nights && <FamilyNight nights={nights} view={view} here={here} />}
        {week && <Week week={week.marks} alerts={week.alerts} here={here} />}
      </Page>,
    )

    async function loadWeek() {
      const use = await loadUse(db, { devices, days: weekDays, timeZone, now })
      return {
        marks: weekMarks({ ...use, timeZone }),
        alerts: view.seesAlerts ? await alertDates(db, { residentId, timeZone, since }) : new Set<string>(),
      }
    }
  }
}

/** Unknown, mistyped and revoked links read the same. */
function sendGone(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  const { here } = request
  const t = familyText(here.language)
  return sendPage(
    reply,
    <Page here={here} title={t.gone} kind="family" live={false}>
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <h1>{t.gone}</h1>
      <p>{t.goneMore}</p>
    </Page>,
    404,
  )
}

const throttled = (): never => {
  throw Object.assign(new Error('too many looks'), { statusCode: 429 })
}
