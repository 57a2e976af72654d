import type { FastifyInstance } from 'fastify'
import { sessionKey } from '../../db/sessions.js'
import type { RouteDeps } from '../shell/here.js'
import { careRoles, operatorRoles, requireStaff } from '../shell/viewer.js'
import { sessionCookie } from './login.js'

/** Tells a logged-in browser that something changed; what, it learns by asking for its page again. */
export function eventsRoutes(app: FastifyInstance, { changes }: RouteDeps): void {
  // Without a HEAD beside it, which would hold a stream that carries nothing.
  app.get('/events', { exposeHeadRoute: false }, (request, reply) => {
    requireStaff(request, [...careRoles, ...operatorRoles])
    return changes.stream(request, reply, sessionKey(request.cookies[sessionCookie] ?? ''))
  })
}
