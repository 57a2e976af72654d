import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { listGateways, type OperatorSummary, searchGateways } from '../../db/gateways.js'
import { claimRoles, registrarRoles } from '../shell/devices.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { gatewayText } from '../shell/text-gateways.js'
import { operatorText } from '../shell/text-operator.js'
import { operatorRoles, requireStaff } from '../shell/viewer.js'
import { createOperatorNumbers, gatewaysListed } from './operator-numbers.js'
import { GatewayTable, Pager, SearchForm } from './operator-parts.js'
import { createWatchFacts } from './watch.js'
import { judgeWatch } from './watch-judge.js'
import { WatchLine } from './watch-parts.js'

const rowsPerPage = 50

/** What stands in an address bar is anybody's: what makes no sense is left out. */
const listQuery = z.object({
  q: z.string().trim().max(100).catch(''),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})

/** The gateways of the viewer's communities, worst first. */
export function gatewaysRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  const numbers = createOperatorNumbers(db)
  const watchFacts = createWatchFacts(db)

  app.get('/gateways', async (request, reply) => {
    const { here } = request
    const { communityIds, role } = requireStaff(request, claimRoles)
    const { q, page } = listQuery.parse(request.query)
    const asked = { communityIds, now: here.now, offset: (page - 1) * rowsPerPage, limit: rowsPerPage }
    const summary = await numbers.summary(communityIds, here.now)
    const verdict = operatorRoles.includes(role) ? judgeWatch(await watchFacts(communityIds, here.now), here.now) : null
    const found =
      q === ''
        ? { rows: await listGateways(db, { ...asked, counts: summary.conditions }), total: gatewaysListed(summary) }
        : await searchGateways(db, { ...asked, search: q })
    const t = operatorText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.title} current="gateways">
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/claim.css`} />
        {verdict && <link rel="stylesheet" href={`${here.assets}/watch.css`} />}
        <h1>{t.title}</h1>
        <Health summary={summary} here={here} />
        {verdict && <WatchLine verdict={verdict} here={here} />}
        {registrarRoles.includes(role) && (
          <p>
            <a class="button primary" href="/gateways/new">
              {gatewayText(here.language).add}
            </a>
          </p>
        )}
        {summary.gateways + found.total > 0 || q !== '' ? (
          <>
            <SearchForm action="/gateways" label={t.search} q={q} here={here} />
            {found.rows.length > 0 ? <GatewayTable rows={found.rows} here={here} /> : <p>{t.noneFound}</p>}
            <Pager path="/gateways" q={q} page={page} pages={Math.ceil(found.total / rowsPerPage)} here={here} />
          </>
        ) : (
          <div class="empty">
            <p>{t.none}</p>
            <p>{t.noneHelp}</p>
          </div>
        )}
      </Page>,
    )
  })
}

/** The first line: is Shouwang itself well? */
function Health({ summary, here }: { summary: OperatorSummary; here: Here }) {
  const t = operatorText(here.language)
  const { gateways, clocksWrong, quarantined24h } = summary
  const { silent, never, idle } = summary.conditions
  if (gateways === 0 && quarantined24h === 0) return null
  const parts = [
    ...(silent > 0 ? [t.silent(silent, gateways)] : gateways > never + idle ? [t.well(gateways - never)] : []),
    ...(never > 0 ? [t.never(never)] : []),
    ...(idle > 0 ? [t.idle(idle)] : []),
    ...(clocksWrong > 0 ? [t.clock(clocksWrong)] : []),
    quarantined24h > 0 ? t.quarantined(quarantined24h) : t.nothingQuarantined,
  ]
  return <p class="lead health">{parts.join(t.join) + t.end}</p>
}
