import type { FastifyRequest } from 'fastify'
import type { Language } from '../../alerts/model.js'

export type Role = 'operator' | 'supervisor' | 'social_worker'

export type StaffViewer = {
  kind: 'staff'
  staffId: string
  name: string
  role: Role
  /** What this person may see: goes into every query as `community_id = any($1)`. */
  communityIds: string[]
  language: Language
}

/** Roles that look after residents. The operator looks after the system and never sees a resident. */
export const careRoles: readonly Role[] = ['social_worker', 'supervisor']
export const operatorRoles: readonly Role[] = ['operator']
/** Who answers for a community, and who runs the system: neither sees a resident in the numbers. */
export const numbersRoles: readonly Role[] = ['supervisor', 'operator']

/** Ends the request with the page that a missing thing gets: what is out of scope does not exist for this viewer. */
export class NotFound extends Error {
  readonly statusCode = 404
}

/** Ends the request by sending the browser to the login form, and back here afterwards. */
export class LoginNeeded extends Error {
  readonly statusCode = 401
}

/**
 * The staff member who asks, when of one of these roles.
 * @throws LoginNeeded when nobody is logged in, NotFound for any other role; the app turns both into pages
 */
export function requireStaff(request: FastifyRequest, roles: readonly Role[]): StaffViewer {
  const { viewer } = request.here
  if (!viewer) throw new LoginNeeded()
  if (!roles.includes(viewer.role)) throw new NotFound()
  return viewer
}

/** Where a signed-in person begins. */
export const homePath = (role: Role) => (role === 'operator' ? '/gateways' : '/')
