import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { IncidentKind } from '../../alerts/incidents.js'
import {
  findIncident,
  type IncidentEvent,
  incidentEvents,
  incidentGateways,
  incidentHomes,
} from '../../db/incidents.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { fellWords, IncidentHomes, whereWords } from '../shell/incident-card.js'
import { Page } from '../shell/page.js'
import { incidentTextOf } from '../shell/text-quiet-street.js'
import { When } from '../shell/times.js'
import { careRoles, NotFound, operatorRoles, requireStaff } from '../shell/viewer.js'

const params = z.object({ incidentId: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER) })
const homesMax = 500

/** An incident: who is out of reach, since when? The operator, who sees no residents, is shown the gateways. */
export function incidentRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  app.get('/incidents/:incidentId', async (request, reply) => {
    const viewer = requireStaff(request, [...careRoles, ...operatorRoles])
    const { here } = request
    const { communityIds } = viewer
    const parsed = params.safeParse(request.params)
    const incident = parsed.success
      ? await findIncident(db, { incidentId: parsed.data.incidentId, communityIds })
      : null
    if (!incident) throw new NotFound()
    const { incidentId, kind, timeZone, closedAt } = incident
    const isOperator = operatorRoles.includes(viewer.role)
    const [homes, gateways, events] = await Promise.all([
      isOperator ? [] : incidentHomes(db, { incidentIds: [incidentId], homesMax }),
      isOperator ? incidentGateways(db, { incidentId, gatewaysMax: homesMax }) : [],
      incidentEvents(db, { incidentId }),
    ])
    const t = incidentTextOf(kind, here.language)
    const answer = closedAt ? t.over(incident.homes, incident.silent) : t.silent(incident.silent, incident.homes)
    const unlisted = isOperator ? 0 : incident.homes - homes.length
    return sendPage(
      reply,
      <Page here={here} title={t.title}>
        <div class={`answer answer-${closedAt ? 'plain' : 'busy'}`}>
          <h1>{answer}</h1>
          {!closedAt && <p>{t.means}</p>}
        </div>
        <dl class="facts">
          <dt>{t.where}</dt>
          <dd>
            {whereWords(incident)}
            <span class="sub">{t.known(incident.homesKnown)}</span>
          </dd>
          <dt>{t.fell}</dt>
          <dd>{fellWords(incident, here)}</dd>
        </dl>
        <section aria-labelledby="homes">
          <h2 id="homes">{isOperator ? t.gateways : t.homes}</h2>
          {isOperator ? (
            <Gateways kind={kind} gateways={gateways} timeZone={timeZone} here={here} />
          ) : (
            <IncidentHomes kind={kind} homes={homes} timeZone={timeZone} here={here} />
          )}
          {unlisted > 0 && <p>{t.unlisted(unlisted)}</p>}
        </section>
        <History kind={kind} events={events} timeZone={timeZone} here={here} />
      </Page>,
    )
  })
}

function Gateways(p: {
  kind: IncidentKind
  gateways: Awaited<ReturnType<typeof incidentGateways>>
  timeZone: string
  here: Here
}) {
  const t = incidentTextOf(p.kind, p.here.language)
  const { language, now } = p.here
  return (
    <ul class="lines">
      {p.gateways.map(({ gatewayId, silentAt, backAt }) => (
        <li key={gatewayId} class="line">
          <a href={`/gateways/${gatewayId}`}>{gatewayId}</a>
          <span class="sub">
            {backAt ? t.back : t.stillSilent}{' '}
            <When at={backAt ?? silentAt} now={now} timeZone={p.timeZone} language={language} />
          </span>
        </li>
      ))}
    </ul>
  )
}

function History(p: { kind: IncidentKind; events: IncidentEvent[]; timeZone: string; here: Here }) {
  const t = incidentTextOf(p.kind, p.here.language)
  const { language, now } = p.here
  const said = ({ kind, silent, homes }: IncidentEvent) =>
    kind === 'opened'
      ? `${t.event.opened(silent)} ${t.told}`
      : kind === 'grew'
        ? t.event.grew(homes)
        : t.event.closed(homes - silent, homes)
  return (
    <section aria-labelledby="history">
      <h2 id="history">{t.history}</h2>
      <ol class="lines">
        {p.events.map((event, i) => (
          <li key={i} class="line">
            {said(event)}
            <span class="sub">
              <When at={event.at} now={now} timeZone={p.timeZone} language={language} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
