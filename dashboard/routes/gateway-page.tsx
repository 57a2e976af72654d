import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { listUnclaimed } from '../../db/announced-devices.js'
import { listBound } from '../../db/bound-devices.js'
import { testStates } from '../../db/device-tests.js'
import { findGatewayKey } from '../../db/gateway-registration.js'
import { secretState } from '../../db/gateway-secrets.js'
import { findGateway } from '../../db/gateways.js'
import { listQuarantine } from '../../db/quarantine-views.js'
import { claimRoles, gatewayPath, registrarRoles } from '../shell/devices.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { operatorText } from '../shell/text-operator.js'
import { NotFound, operatorRoles, requireStaff } from '../shell/viewer.js'
import { BoundDevices, UnclaimedDevices } from './gateway-devices.js'
import { SecretSection } from './gateway-secrets.js'
import { GatewayFacts } from './operator-parts.js'
import { QuarantineList } from './operator-quarantine.js'

const rowsPerPage = 50
const quarantineOnGatewayMax = 10
/** Somebody stands beside a gateway and presses a button to see which one it is. */
const refreshMs = 4_000

const gatewayQuery = z.object({
  q: z.string().trim().max(100).catch(''),
  page: z.coerce.number().int().min(1).max(1_000).catch(1),
  bound: z.coerce.number().int().min(1).max(1_000).catch(1),
})

/** One gateway: how it is, what it carries for whom, and what it tells of that nobody has claimed yet. */
export function gatewayPageRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  app.get<{ Params: { gatewayId: string } }>('/gateways/:gatewayId', async (request, reply) => {
    const { here } = request
    const viewer = requireStaff(request, claimRoles)
    const { communityIds } = viewer
    const { gatewayId } = request.params
    const scope = { communityIds, gatewayId }
    const [gateway, key] = await Promise.all([findGateway(db, { ...scope, now: here.now }), findGatewayKey(db, scope)])
    if (!gateway || !key) throw new NotFound()
    const { q, page, bound: boundPage } = gatewayQuery.parse(request.query)
    // What devices say is for who runs the system: it may name anybody.
    const sees = operatorRoles.includes(viewer.role)
    const [unclaimed, bound, quarantine] = await Promise.all([
      listUnclaimed(db, { ...scope, search: q, offset: (page - 1) * rowsPerPage, limit: rowsPerPage }),
      listBound(db, { ...scope, offset: (boundPage - 1) * rowsPerPage, limit: rowsPerPage }),
      sees ? listQuarantine(db, { ...scope, reason: '', before: null, limit: quarantineOnGatewayMax }) : undefined,
    ])
    const [tests, secret] = await Promise.all([
      testStates(db, { deviceNos: bound.rows.map(({ deviceNo }) => deviceNo), now: here.now }),
      registrarRoles.includes(viewer.role) ? secretState(db, { gatewayId, now: here.now }) : undefined,
    ])
    const t = operatorText(here.language)
    const path = gatewayPath(gatewayId)
    return sendPage(
      reply,
      <Page here={here} title={t.gatewayTitle(gatewayId)} current="gateways" refreshMs={refreshMs}>
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/claim.css`} />
        <h1>{t.gatewayTitle(gatewayId)}</h1>
        <GatewayFacts gateway={gateway} here={here} />
        {(key.dialect !== 'v1' || bound.total === 0) && (
          <UnclaimedDevices
            {...unclaimed}
            dialect={key.dialect}
            path={path}
            q={q}
            page={page}
            pages={Math.ceil(unclaimed.total / rowsPerPage)}
            here={here}
          />
        )}
        <BoundDevices
          {...bound}
          gatewayId={gatewayId}
          tests={tests}
          viewer={viewer}
          path={path}
          page={boundPage}
          pages={Math.ceil(bound.total / rowsPerPage)}
          here={here}
        />
        {secret && <SecretSection gatewayKey={key} secret={secret} here={here} />}
        {quarantine && (
          <section aria-labelledby="quarantine">
            <h2 id="quarantine">{t.quarantineTitle}</h2>
            {quarantine.rows.length > 0 ? (
              <QuarantineList rows={quarantine.rows} here={here} />
            ) : (
              <p>{t.quarantineNone}</p>
            )}
            {quarantine.more && (
              <p>
                <a href={`/quarantine?${new URLSearchParams({ gateway: gatewayId })}`}>{t.quarantineAll}</a>
              </p>
            )}
          </section>
        )}
      </Page>,
    )
  })
}
