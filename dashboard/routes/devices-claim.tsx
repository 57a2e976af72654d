import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { recordLook } from '../../db/access-log.js'
import { type AnnouncedDevice, findAnnounced } from '../../db/announced-devices.js'
import { findClaimable } from '../../db/claimable-residents.js'
import { type Binding, claimDevice, findBinding } from '../../db/claims.js'
import {
  calledOf,
  claimRoles,
  devicePath,
  gatewayPath,
  kindWord,
  personOf,
  seesNames,
  visible,
} from '../shell/devices.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { claimText } from '../shell/text-claim.js'
import { When } from '../shell/times.js'
import { NotFound, requireStaff, type StaffViewer } from '../shell/viewer.js'
import { ResidentChoice, roomOf, roomsMax } from './devices-choice.js'

export type DeviceParams = { gatewayId: string; deviceId: string }
type ProblemName = 'resident' | 'room' | 'missing'

const choiceQuery = z.object({ q: z.string().trim().max(100).catch('') })
const choiceForm = z.object({
  resident: z.string().max(64).catch(''),
  room: z.string().trim().max(roomsMax).catch(''),
  otherRoom: z.string().trim().max(roomsMax).catch(''),
  q: z.string().trim().max(100).catch(''),
})
export const residentsShownMax = 20

/** Binds what a gateway tells of to a resident and a room; its test begins with that. */
export function claimRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/claim', async (request, reply) => {
    const { viewer, device } = await announcedInScope(deps, request)
    const binding = await findBinding(db, { communityIds: viewer.communityIds, ...request.params })
    if (binding) return sendPage(reply, takenPage({ here: request.here, viewer, binding }))
    return sendForm(reply, { deps, here: request.here, viewer, device, q: choiceQuery.parse(request.query).q })
  })

  app.post<{ Params: DeviceParams }>('/gateways/:gatewayId/devices/:deviceId/claim', async (request, reply) => {
    const { here } = request
    const { viewer, device } = await announcedInScope(deps, request)
    const { staffId, communityIds } = viewer
    const { gatewayId, deviceId } = device
    const form = choiceForm.parse(request.body ?? {})
    const room = roomOf(form)
    const again = (problem: ProblemName) =>
      sendForm(reply, { deps, here, viewer, device, ...form, problem, status: 400 })
    if (form.resident === '') return again('resident')
    if (room === '') return again('room')
    const { resident: residentId } = form
    const result = await claimDevice(db, {
      communityIds,
      gatewayId,
      deviceId,
      residentId,
      room,
      staffId,
      now: here.now,
    })
    switch (result.kind) {
      case 'taken':
        return sendPage(reply, takenPage({ here, viewer, binding: result.binding }), 409)
      case 'bound':
        await recordLook(db, { residentId, staffId, page: 'device bound', now: here.now })
        log.info({ gatewayId, deviceId, deviceNo: result.deviceNo, staffId }, 'device.claimed')
        return seeOther(reply, devicePath(gatewayId, deviceId, 'test'))
      default:
        return again('missing')
    }
  })
}

async function announcedInScope({ db }: RouteDeps, request: FastifyRequest<{ Params: DeviceParams }>) {
  const viewer = requireStaff(request, claimRoles)
  const device = await findAnnounced(db, { communityIds: viewer.communityIds, ...request.params })
  if (!device) throw new NotFound()
  return { viewer, device }
}

async function sendForm(
  reply: FastifyReply,
  p: {
    deps: RouteDeps
    here: Here
    viewer: StaffViewer
    device: AnnouncedDevice
    q: string
    resident?: string
    room?: string
    otherRoom?: string
    problem?: ProblemName
    status?: number
  },
) {
  const { viewer, device, q, problem } = p
  const { gatewayId, deviceId } = device
  const { communityIds } = viewer
  const path = devicePath(gatewayId, deviceId, 'claim')
  const here = { ...p.here, path: q === '' ? path : `${path}?${new URLSearchParams({ q })}` }
  const t = claimText(here.language)
  const byId = !seesNames(viewer)
  const residents = await findClaimable(p.deps.db, {
    communityIds,
    gatewayId,
    search: q,
    byId,
    limit: residentsShownMax,
  })
  const title = t.claimTitle(kindWord(device.kind, here))
  return sendPage(
    reply,
    <Page here={here} title={title} current="gateways" live={false}>
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <link rel="stylesheet" href={`${here.assets}/claim.css`} />
      <div class="narrow">
        <h1>{title}</h1>
        <p>
          <strong>{calledOf(device)}</strong>
          {device.model && <span class="sub">{visible(device.model)}</span>}
        </p>
        {problem && (
          <p class="message problem" role="alert">
            {t.problem[problem]}
          </p>
        )}
        <ResidentChoice
          path={path}
          method="post"
          byId={byId}
          residents={residents}
          chosen={{ resident: p.resident, room: p.room, otherRoom: p.otherRoom }}
          submit={t.bind}
          q={q}
          here={here}
        />
        <p>
          <a href={gatewayPath(gatewayId)}>{t.toGateway}</a>
        </p>
      </div>
    </Page>,
    p.status ?? 200,
  )
}

/** For the one of two who came second: whose it is now, and who said so. */
function takenPage({ here: asked, viewer, binding }: { here: Here; viewer: StaffViewer; binding: Binding }) {
  const { gatewayId, deviceId } = binding
  const here = { ...asked, path: devicePath(gatewayId, deviceId, 'claim') }
  const t = claimText(here.language)
  const person = personOf(viewer, binding)
  const title = binding.by === null ? t.takenByServer(person) : t.taken(binding.by, person)
  return (
    <Page here={here} title={title} current="gateways" live={false}>
      <link rel="stylesheet" href={`${here.assets}/claim.css`} />
      <div class="narrow">
        <h1>{title}</h1>
        <p>
          {binding.room} ·{' '}
          <When at={binding.boundAt} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
        </p>
        <p>{t.takenMore}</p>
        <p class="stack">
          <a class="button primary" href={gatewayPath(gatewayId)}>
            {t.toGateway}
          </a>
          <a class="button" href={devicePath(gatewayId, deviceId, 'move')}>
            {t.move}
          </a>
        </p>
      </div>
    </Page>
  )
}
