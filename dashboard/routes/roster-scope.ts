import type { FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import type { Editor } from '../../db/roster-edits.js'
import { listRosterCommunities, listRosterPeople, type RosterPerson } from '../../db/rosters.js'
import { type Here, type RouteDeps, seeOther } from '../shell/here.js'
import { careRoles, NotFound, type Role, requireStaff, type StaffViewer } from '../shell/viewer.js'

/** Who answers for who is on duty. */
export const rosterEditors: readonly Role[] = ['supervisor']

export type RosterCommunity = { communityId: string; name: string; timeZone: string }
/** The roster that a request is about. */
export type RosterScope = {
  here: Here
  viewer: StaffViewer
  community: RosterCommunity
  communities: RosterCommunity[]
  people: RosterPerson[]
  mayEdit: boolean
  editor: Editor
}

const asked = z.object({ community: z.string().max(64).optional().catch(undefined) })

/**
 * The community that a request names, or the viewer's first.
 * @throws NotFound for one that is not the viewer's
 */
export async function rosterScope(
  { db }: Pick<RouteDeps, 'db'>,
  request: FastifyRequest,
  { roles = careRoles }: { roles?: readonly Role[] } = {},
): Promise<RosterScope> {
  const { here } = request
  const viewer = requireStaff(request, roles)
  const communities = await listRosterCommunities(db, viewer.communityIds)
  const wanted = asked.parse(request.method === 'GET' ? request.query : (request.body ?? {})).community
  const community = wanted
    ? communities.find(({ communityId }) => communityId === wanted)
    : (communities[0] ?? undefined)
  if (!community) throw new NotFound()
  const { communityId } = community
  return {
    here,
    viewer,
    community,
    communities,
    people: await listRosterPeople(db, communityId),
    mayEdit: rosterEditors.includes(viewer.role),
    editor: { communityId, byStaffId: viewer.staffId, now: here.now },
  }
}

export const rosterPath = (path: string, communityId: string, more: Record<string, string> = {}): string =>
  `${path}?${new URLSearchParams({ community: communityId, ...more })}`

/** After a change: the page anew, which says that it was saved. */
export const saved = (reply: FastifyReply, path: string, communityId: string, what = 'yes'): FastifyReply =>
  seeOther(reply, rosterPath(path, communityId, { saved: what }))
