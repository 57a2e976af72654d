import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { recordLook } from '../../db/access-log.js'
import { findClaimable, findResidentHere } from '../../db/claimable-residents.js'
import { type Binding, moveDevice, unbindDevice } from '../../db/claims.js'
import { devicePath, gatewayPath, kindWord, personOf, seesNames } from '../shell/devices.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { claimText } from '../shell/text-claim.js'
import type { StaffViewer } from '../shell/viewer.js'
import { ResidentChoice, roomOf, roomsMax } from './devices-choice.js'
import { type DeviceParams, residentsShownMax } from './devices-claim.js'
import { bindingInScope } from './devices-claim-test.js'
import { BindingPage } from './devices-move-page.js'

const moveQuery = z.object({
  q: z.string().trim().max(100).catch(''),
  resident: z.string().max(64).catch(''),
  room: z.string().trim().max(roomsMax).catch(''),
  otherRoom: z.string().trim().max(roomsMax).catch(''),
})
/** `from` is the binding that the page showed: what has changed since is not undone. */
const from = z.coerce
  .number()
  .int()
  .min(1)
  .max(2 ** 31 - 1)
const moveForm = z.object({ from, resident: z.string().max(64), room: z.string().trim().min(1).max(roomsMax) })
const unbindForm = z.object({ from })

/** Moves a device to another resident, or takes it away: each after a page that names everybody concerned. */
export function moveRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/move', async (request, reply) => {
    const { here } = request
    const { viewer, binding } = await bindingInScope(deps, request)
    const asked = moveQuery.parse(request.query)
    const room = roomOf(asked)
    if (asked.resident === '' || room === '') {
      const wasAsked = asked.resident !== '' || room !== ''
      const problem = wasAsked ? (asked.resident === '' ? 'resident' : 'room') : undefined
      return sendChoice(reply, { deps, here, viewer, binding, asked: { ...asked, room }, problem })
    }
    const scope = { communityIds: viewer.communityIds, gatewayId: binding.gatewayId }
    const resident = await findResidentHere(db, { ...scope, residentId: asked.resident })
    if (!resident)
      return sendChoice(reply, { deps, here, viewer, binding, asked: { ...asked, room }, problem: 'missing' })
    return sendPage(reply, confirmMove({ here, viewer, binding, resident, room }))
  })

  app.post<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/move', async (request, reply) => {
    const { here } = request
    const { viewer, binding } = await bindingInScope(deps, request)
    const { staffId, communityIds } = viewer
    const { gatewayId, deviceId } = binding
    const form = moveForm.parse(request.body)
    const { from: deviceNo, resident: residentId, room } = form
    const p = { communityIds, gatewayId, deviceId, deviceNo, residentId, room, staffId, now: here.now }
    const result = await moveDevice(db, p)
    if (result.kind !== 'bound')
      return sendChoice(reply, {
        deps,
        here,
        viewer,
        binding,
        asked: { q: '', resident: '', room: '', otherRoom: '' },
        problem: result.kind === 'missing' ? 'missing' : 'changed',
        status: 409,
      })
    if (result.deviceNo === deviceNo) return seeOther(reply, gatewayPath(gatewayId))
    for (const each of new Set([binding.residentId, residentId]))
      await recordLook(db, { residentId: each, staffId, page: 'device moved', now: here.now })
    log.info({ gatewayId, deviceId, from: deviceNo, deviceNo: result.deviceNo, staffId }, 'device.moved')
    return seeOther(reply, devicePath(gatewayId, deviceId, 'test'))
  })

  app.get<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/unbind', async (request, reply) => {
    const { viewer, binding } = await bindingInScope(deps, request)
    return sendPage(reply, confirmUnbind({ here: request.here, viewer, binding }))
  })

  app.post<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/unbind', async (request, reply) => {
    const { here } = request
    const { viewer, binding } = await bindingInScope(deps, request)
    const { staffId, communityIds } = viewer
    const { gatewayId, deviceId, residentId } = binding
    const { from: deviceNo } = unbindForm.parse(request.body)
    const result = await unbindDevice(db, { communityIds, gatewayId, deviceId, deviceNo, staffId, now: here.now })
    if (result.kind === 'changed')
      return sendPage(reply, confirmUnbind({ here, viewer, binding, problem: 'changed' }), 409)
    await recordLook(db, { residentId, staffId, page: 'device unbound', now: here.now })
    log.info({ gatewayId, deviceId, deviceNo, staffId }, 'device.unbound')
    return seeOther(reply, gatewayPath(gatewayId))
  })
}

async function sendChoice(
  reply: FastifyReply,
  p: {
    deps: RouteDeps
    here: Here
    viewer: StaffViewer
    binding: Binding
    asked: z.infer<typeof moveQuery>
    problem?: 'resident' | 'room' | 'missing' | 'changed' | undefined
    status?: number
  },
) {
  const { here, viewer, binding, asked } = p
  const { communityIds } = viewer
  const { gatewayId, deviceId } = binding
  const t = claimText(here.language)
  const byId = !seesNames(viewer)
  const residents = await findClaimable(p.deps.db, {
    communityIds,
    gatewayId,
    search: asked.q,
    byId,
    limit: residentsShownMax,
  })
  const path = devicePath(gatewayId, deviceId, 'move')
  return sendPage(
    reply,
    <BindingPage
      here={here}
      path={path}
      title={t.moveTitle(kindWord(binding.kind, here))}
      viewer={viewer}
      binding={binding}
      problem={p.problem}
    >
      <ResidentChoice
        path={path}
        method="get"
        byId={byId}
        residents={residents}
        chosen={{ resident: asked.resident, room: asked.room || binding.room }}
        submit={t.moveGoOn}
        q={asked.q}
        here={here}
      />
    </BindingPage>,
    p.status ?? 200,
  )
}

function confirmMove(p: {
  here: Here
  viewer: StaffViewer
  binding: Binding
  resident: { residentId: string; name: string; address: string }
  room: string
}) {
  const { here, viewer, binding, resident, room } = p
  const { gatewayId, deviceId, deviceNo } = binding
  const t = claimText(here.language)
  const before = personOf(viewer, binding)
  const after = personOf(viewer, { residentId: resident.residentId, residentName: resident.name })
  const isSame = resident.residentId === binding.residentId
  const path = devicePath(gatewayId, deviceId, 'move')
  return (
    <BindingPage here={here} path={path} title={t.confirmTitle} viewer={viewer} binding={binding}>
      {isSame ? (
        <p>{t.sameRoom(room)}</p>
      ) : (
        <>
          <ol class="lines move">
            <li class="line">
              {t.moveFrom(before)}
              <span class="sub">{binding.room}</span>
            </li>
            <li class="line">
              <strong>{t.moveTo(after)}</strong>
              <span class="sub">
                {room}
                {seesNames(viewer) && ` · ${resident.address}`}
              </span>
            </li>
          </ol>
          <p>{t.moveWhat(before, after)}</p>
        </>
      )}
      <form method="post" action={path} class="stack">
        <input type="hidden" name="from" value={deviceNo} />
        <input type="hidden" name="resident" value={resident.residentId} />
        <input type="hidden" name="room" value={room} />
        <button class="primary wide" type="submit">
          {isSame ? t.moveGoOn : t.moveConfirm(after)}
        </button>
      </form>
    </BindingPage>
  )
}

function confirmUnbind(p: { here: Here; viewer: StaffViewer; binding: Binding; problem?: 'changed' }) {
  const { here, viewer, binding } = p
  const t = claimText(here.language)
  const person = personOf(viewer, binding)
  const path = devicePath(binding.gatewayId, binding.deviceId, 'unbind')
  return (
    <BindingPage
      here={here}
      path={path}
      title={t.unbindTitle(kindWord(binding.kind, here), person)}
      viewer={viewer}
      binding={binding}
      problem={p.problem}
    >
      <p>{t.unbindWhat(person)}</p>
      <form method="post" action={path} class="stack">
        <input type="hidden" name="from" value={binding.deviceNo} />
        <button class="primary wide" type="submit">
          {t.unbindConfirm}
        </button>
      </form>
    </BindingPage>
  )
}
