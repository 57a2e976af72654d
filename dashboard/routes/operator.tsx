import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { type DeviceRow, devicesOfGateway, listDevices, searchDevices } from '../../db/device-list.js'
import { findGateway, type GatewayRow, listGateways, type OperatorSummary, searchGateways } from '../../db/gateways.js'
import { listQuarantine, quarantineReasons } from '../../db/quarantine-views.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { operatorText } from '../shell/text-operator.js'
import { NotFound, operatorRoles, requireStaff } from '../shell/viewer.js'
import { createOperatorNumbers, gatewaysListed } from './operator-numbers.js'
import { DeviceTable, GatewayFacts, GatewayTable, Pager, SearchForm } from './operator-parts.js'
import { QuarantineFilter, QuarantineList } from './operator-quarantine.js'

const rowsPerPage = 50
const devicesOnGatewayMax = 500
const quarantineOnGatewayMax = 10
const reasonsSinceMs = 30 * 24 * 3_600_000

/** What stands in an address bar is anybody's: what makes no sense is left out. */
const listQuery = z.object({
  q: z.string().trim().max(100).catch(''),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})
const quarantineQuery = z.object({
  gateway: z.string().max(64).catch(''),
  reason: z.string().max(100).catch(''),
  before: z.coerce.number().int().min(1).max(Number.MAX_SAFE_INTEGER).nullable().catch(null),
})

/** The operator's pages: gateways, devices and quarantine of the operator's communities, and no resident's name. */
export function operatorRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  const numbers = createOperatorNumbers(db)

  app.get('/gateways', async (request, reply) => {
    const { here } = request
    const { communityIds } = requireStaff(request, operatorRoles)
    const { q, page } = listQuery.parse(request.query)
    const asked = { communityIds, now: here.now, offset: (page - 1) * rowsPerPage, limit: rowsPerPage }
    const summary = await numbers.summary(communityIds, here.now)
    const found =
      q === ''
        ? { rows: await listGateways(db, { ...asked, counts: summary.conditions }), total: gatewaysListed(summary) }
        : await searchGateways(db, { ...asked, search: q })
    const t = operatorText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.title} current="gateways">
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <h1>{t.title}</h1>
        <Health summary={summary} here={here} />
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

  app.get<{ Params: { gatewayId: string } }>('/gateways/:gatewayId', async (request, reply) => {
    const { here } = request
    const { communityIds } = requireStaff(request, operatorRoles)
    const { gatewayId } = request.params
    const gateway = await findGateway(db, { communityIds, gatewayId, now: here.now })
    if (!gateway) throw new NotFound()
    const [devices, quarantine] = await Promise.all([
      devicesOfGateway(db, { communityIds, gatewayId, devicesMax: devicesOnGatewayMax }),
      listQuarantine(db, { communityIds, gatewayId, reason: '', before: null, limit: quarantineOnGatewayMax }),
    ])
    return sendPage(reply, gatewayPage({ here, gateway, devices, quarantine }))
  })

  app.get('/devices', async (request, reply) => {
    const { here } = request
    const { communityIds } = requireStaff(request, operatorRoles)
    const { q, page } = listQuery.parse(request.query)
    const asked = { communityIds, offset: (page - 1) * rowsPerPage, limit: rowsPerPage }
    const { rows, total } =
      q === ''
        ? { rows: await listDevices(db, asked), total: await numbers.devices(communityIds, here.now) }
        : await searchDevices(db, { ...asked, search: q })
    const t = operatorText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.devicesTitle} current="devices">
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <h1>{t.devicesTitle}</h1>
        {total > 0 && <p class="lead">{t.devicesLead(total)}</p>}
        <SearchForm action="/devices" label={t.searchDevices} q={q} here={here} />
        {rows.length > 0 ? (
          <DeviceTable rows={rows} here={here} withGateway />
        ) : (
          <p>{q === '' && page === 1 ? t.noDevices : t.noDeviceFound}</p>
        )}
        <Pager path="/devices" q={q} page={page} pages={Math.ceil(total / rowsPerPage)} here={here} />
      </Page>,
    )
  })

  app.get('/quarantine', async (request, reply) => {
    const { here } = request
    const { communityIds } = requireStaff(request, operatorRoles)
    const { gateway, reason, before } = quarantineQuery.parse(request.query)
    const [reasons, found] = await Promise.all([
      quarantineReasons(db, { communityIds, since: new Date(here.now.getTime() - reasonsSinceMs) }),
      listQuarantine(db, { communityIds, gatewayId: gateway, reason, before, limit: rowsPerPage }),
    ])
    const t = operatorText(here.language)
    const filtered = gateway !== '' || reason !== '' || before !== null
    const last = found.rows.at(-1)
    const path = (more: Record<string, string>) => `/quarantine?${new URLSearchParams({ gateway, reason, ...more })}`
    return sendPage(
      reply,
      <Page here={here} title={t.quarantineTitle} current="quarantine" live={before === null}>
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <h1>{t.quarantineTitle}</h1>
        <p class="lead">{t.quarantineLead}</p>
        <QuarantineFilter gateway={gateway} reason={reason} reasons={reasons} here={here} />
        {found.rows.length > 0 ? (
          <QuarantineList rows={found.rows} here={here} />
        ) : (
          <p class="empty">{filtered ? t.quarantineNoneFiltered : t.quarantineNone}</p>
        )}
        <nav class="pager" aria-label={t.quarantineTitle}>
          {before !== null && <a href={path({})}>{t.newest}</a>}
          {found.more && last && <a href={path({ before: String(last.quarantineId) })}>{t.older}</a>}
        </nav>
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

function gatewayPage({
  here,
  gateway,
  devices,
  quarantine,
}: {
  here: Here
  gateway: GatewayRow
  devices: DeviceRow[]
  quarantine: Awaited<ReturnType<typeof listQuarantine>>
}) {
  const t = operatorText(here.language)
  return (
    <Page here={here} title={t.gatewayTitle(gateway.gatewayId)} current="gateways">
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <h1>{t.gatewayTitle(gateway.gatewayId)}</h1>
      <GatewayFacts gateway={gateway} here={here} />
      <section aria-labelledby="devices">
        <h2 id="devices">{t.devicesTitle}</h2>
        {devices.length > 0 ? <DeviceTable rows={devices} here={here} /> : <p>{t.noDevicesHere}</p>}
      </section>
      <section aria-labelledby="quarantine">
        <h2 id="quarantine">{t.quarantineTitle}</h2>
        {quarantine.rows.length > 0 ? <QuarantineList rows={quarantine.rows} here={here} /> : <p>{t.quarantineNone}</p>}
        {quarantine.more && (
          <p>
            <a href={`/quarantine?${new URLSearchParams({ gateway: gateway.gatewayId })}`}>{t.quarantineAll}</a>
          </p>
        )}
      </section>
    </Page>
  )
}
