import type { FastifyInstance, FastifyRequest } from 'fastify'
import { recordLook } from '../../db/access-log.js'
import { type Binding, findBinding } from '../../db/claims.js'
import { beginTest, type DeviceTest, endTests, newestTest, prolongTest } from '../../db/device-tests.js'
import { findGateway } from '../../db/gateways.js'
import { claimRoles, devicePath } from '../shell/devices.js'
import { type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { NotFound, requireStaff } from '../shell/viewer.js'
import type { DeviceParams } from './devices-claim.js'
import { TestPage } from './devices-test-page.js'

/** The test of a bound device: what to do, and live whether it came. */
export function deviceTestRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/test', async (request, reply) => {
    const { here } = request
    const { viewer, binding } = await bindingInScope(deps, request)
    const { residentId, gatewayId, deviceNo } = binding
    const { staffId, communityIds } = viewer
    await recordLook(db, { residentId, staffId, page: 'device test', now: here.now, refresh: here.refresh })
    // An open page asks again and again, with its own code or without: that keeps the test going.
    await prolongTest(db, { deviceNo, now: here.now })
    const [test, gateway] = await Promise.all([
      newestTest(db, deviceNo),
      findGateway(db, { communityIds, gatewayId, now: here.now }),
    ])
    const state = stateOf(test, here.now)
    return sendPage(
      reply,
      <TestPage
        here={here}
        viewer={viewer}
        binding={binding}
        test={test}
        state={state}
        online={gateway?.online === true}
      />,
    )
  })

  app.post<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/test', async (request, reply) => {
    const { viewer, binding } = await bindingInScope(deps, request)
    const { deviceNo, gatewayId, deviceId } = binding
    const { staffId } = viewer
    await db.transaction((tx) => beginTest(tx, { deviceNo, staffId, now: request.here.now }))
    log.info({ gatewayId, deviceId, deviceNo, staffId }, 'device.testBegun')
    return seeOther(reply, devicePath(gatewayId, deviceId, 'test'))
  })

  app.post<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/test/end', async (request, reply) => {
    const { viewer, binding } = await bindingInScope(deps, request)
    const { deviceNo, gatewayId, deviceId } = binding
    await db.transaction((tx) => endTests(tx, { deviceNo, now: request.here.now }))
    log.info({ gatewayId, deviceId, deviceNo, staffId: viewer.staffId }, 'device.testEnded')
    return seeOther(reply, devicePath(gatewayId, deviceId, 'test'))
  })
}

export type ShownState = 'none' | 'running' | 'passed' | 'failed'

function stateOf(test: DeviceTest | undefined, now: Date): ShownState {
  if (!test) return 'none'
  if (test.passedAt) return 'passed'
  return test.endsAt > now ? 'running' : 'failed'
}

export async function bindingInScope(
  { db }: RouteDeps,
  request: FastifyRequest<{ Params: DeviceParams }>,
): Promise<{ viewer: ReturnType<typeof requireStaff>; binding: Binding }> {
  const viewer = requireStaff(request, claimRoles)
  const binding = await findBinding(db, { communityIds: viewer.communityIds, ...request.params })
  if (!binding) throw new NotFound()
  return { viewer, binding }
}
