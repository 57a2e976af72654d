import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { listDevices, searchDevices } from '../../db/device-list.js'
import { listQuarantine, quarantineReasons } from '../../db/quarantine-views.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { operatorText } from '../shell/text-operator.js'
import { operatorRoles, requireStaff } from '../shell/viewer.js'
import { createOperatorNumbers } from './operator-numbers.js'
import { DeviceTable, Pager, SearchForm } from './operator-parts.js'
import { QuarantineFilter, QuarantineList } from './operator-quarantine.js'

const rowsPerPage = 50
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

/** The operator's pages: devices and quarantine of the operator's communities, and no resident's name. */
export function operatorRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  const numbers = createOperatorNumbers(db)

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
