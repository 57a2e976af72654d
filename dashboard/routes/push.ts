import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { checkAddress, parsePushKeys } from '../../alerts/channels/address.js'
import { renewPush } from '../../db/staff-channels.js'
import type { RouteDeps } from '../shell/here.js'
import { addressKey, createThrottle } from '../shell/throttle.js'

/** As `PushSubscription.toJSON()` gives it. */
const plain = z.string().regex(/^[\x21-\x7e]+$/)
const subscription = z.object({
  endpoint: plain.max(2_000),
  keys: z.object({ p256dh: plain.max(200), auth: plain.max(100) }),
})
const renewal = z.object({ old: subscription, fresh: subscription })
const renewalsPerMinuteMax = 30
const minuteMs = 60_000

/** What the browser's own code asks for: the key to subscribe with, and to have a changed subscription kept. */
export function pushRoutes(app: FastifyInstance, { db, log, channels }: RouteDeps): void {
  const renewals = createThrottle({ hitsMax: renewalsPerMinuteMax, perMs: minuteMs })

  app.get('/push/key', async (_, reply) => {
    reply.header('cache-control', 'no-store')
    return { publicKey: await channels.pushKey() }
  })

  // By the browser's worker, when nobody may be logged in: who knows the old keys is the browser they were made in.
  app.post('/push/renew', async (request, reply) => {
    const parsed = renewal.safeParse(request.body)
    if (!parsed.success) return reply.code(400).send({ renewed: false })
    if (!renewals.take(addressKey(request.ip), request.here.now)) return reply.code(429).send({ renewed: false })
    const [old, fresh] = [keptForm(parsed.data.old), keptForm(parsed.data.fresh)]
    const checked = checkAddress('web_push', fresh.address, fresh.secret, channels.origins)
    if (checked.kind === 'wrong' || !parsePushKeys(old.secret)) return reply.code(400).send({ renewed: false })
    const staffId = await renewPush(db, { old, fresh })
    if (staffId) log.info({ staffId }, 'push.renewed')
    return reply.code(staffId ? 200 : 404).send({ renewed: staffId !== undefined })
  })
}

const keptForm = ({ endpoint, keys }: z.infer<typeof subscription>) => ({
  address: endpoint,
  secret: JSON.stringify({ p256dh: keys.p256dh, auth: keys.auth }),
})
