import type { FastifyInstance, FastifyRequest } from 'fastify'
import { findGatewayKey, type GatewayKey } from '../../db/gateway-registration.js'
import { endOverlap, revokeSecret, rotateSecret, type SecretState } from '../../db/gateway-secrets.js'
import { gatewayPath, registrarRoles } from '../shell/devices.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { gatewayText } from '../shell/text-gateways.js'
import { When } from '../shell/times.js'
import { NotFound, requireStaff } from '../shell/viewer.js'
import { SettingsPage } from './gateway-settings-page.js'

type GatewayParams = { gatewayId: string }
const overlapMs = 24 * 3_600_000

/** New secret with an overlap, end of the overlap, and revoking at once. */
export function gatewaySecretRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.post<{ Params: GatewayParams }>('/gateways/:gatewayId/secret/rotate', async (request, reply) => {
    const { here } = request
    const { key, staffId } = await keyInScope(deps, request)
    const rotation = await db.transaction((tx) =>
      rotateSecret(tx, { gatewayId: key.gatewayId, overlapMs, now: here.now, staffId }),
    )
    if (rotation.kind !== 'rotated') throw new NotFound()
    log.info({ gatewayId: key.gatewayId, staffId }, 'gateway.secretRotated')
    return sendPage(
      reply,
      <SettingsPage
        here={here}
        gateway={key}
        secret={rotation.secret}
        overlapUntil={rotation.beforeUntil}
        mqtt={deps.mqtt}
      />,
    )
  })

  app.post<{ Params: GatewayParams }>('/gateways/:gatewayId/secret/end-overlap', async (request, reply) => {
    const { key, staffId } = await keyInScope(deps, request)
    const { gatewayId } = key
    await db.transaction((tx) => endOverlap(tx, { gatewayId, now: request.here.now, staffId }))
    log.info({ gatewayId, staffId }, 'gateway.overlapEnded')
    return seeOther(reply, `${gatewayPath(gatewayId)}#secret`)
  })

  app.post<{ Params: GatewayParams }>('/gateways/:gatewayId/secret/revoke', async (request, reply) => {
    const { key, staffId } = await keyInScope(deps, request)
    const { gatewayId } = key
    await db.transaction((tx) => revokeSecret(tx, { gatewayId, now: request.here.now, staffId }))
    log.info({ gatewayId, staffId }, 'gateway.secretRevoked')
    return seeOther(reply, `${gatewayPath(gatewayId)}#secret`)
  })
}

async function keyInScope({ db }: RouteDeps, request: FastifyRequest<{ Params: GatewayParams }>) {
  const { communityIds, staffId } = requireStaff(request, registrarRoles)
  const key = await findGatewayKey(db, { communityIds, gatewayId: request.params.gatewayId })
  if (key?.via !== 'own') throw new NotFound()
  return { key, staffId }
}

/** Folded away: a look at the page should not be one tap from locking a gateway out. */
export function SecretSection(p: { gatewayKey: GatewayKey; secret: SecretState; here: Here }) {
  const { secret, here } = p
  const { gatewayId, via } = p.gatewayKey
  const t = gatewayText(here.language)
  const time = (at: Date) => <When at={at} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
  const path = `${gatewayPath(gatewayId)}/secret`
  if (via === 'attached')
    return (
      <section aria-labelledby="secret">
        <h2 id="secret">{t.secret}</h2>
        <p>{t.secretAttached}</p>
      </section>
    )
  return (
    <section aria-labelledby="secret">
      <h2 id="secret">{t.secret}</h2>
      <p>{secret.revokedAt ? <strong>{t.secretNone}</strong> : t.secretOne}</p>
      {secret.beforeUntil && (
        <p>
          {t.secretOverlap}
          {time(secret.beforeUntil)}
          {here.language === 'zh' ? '。' : '.'}
        </p>
      )}
      <details class="secret-acts">
        <summary>
          {t.rotate} · {t.revoke}
        </summary>
        <form method="post" action={`${path}/rotate`} class="stack">
          <button type="submit">{t.rotate}</button>
          {!secret.revokedAt && <p>{t.rotateHelp}</p>}
        </form>
        {secret.beforeUntil && (
          <form method="post" action={`${path}/end-overlap`} class="stack">
            <button type="submit">{t.endOverlap}</button>
          </form>
        )}
        {!secret.revokedAt && (
          <form method="post" action={`${path}/revoke`} class="stack">
            <button type="submit">{t.revoke}</button>
            <p>{t.revokeHelp}</p>
          </form>
        )}
        {secret.events.length > 0 && (
          <>
            <h3>{t.history}</h3>
            <ul class="lines">
              {secret.events.map((event) => (
                <li class="line" key={`${event.at.getTime()} ${event.what}`}>
                  {t.done[event.what]} · {event.staffName ?? t.byServer} · {time(event.at)}
                </li>
              ))}
            </ul>
          </>
        )}
      </details>
    </section>
  )
}
