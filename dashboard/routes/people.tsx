import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { listCommunities } from '../../db/gateway-registration.js'
import { findUntoldFamily, listPeople } from '../../db/people.js'
import { tellFamily } from '../../db/told-family.js'
import { addVolunteer } from '../../db/volunteers.js'
import { type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { personPath } from '../shell/person-path.js'
import { peopleText } from '../shell/text-people.js'
import { careRoles, NotFound, type Role, requireStaff } from '../shell/viewer.js'
import { PeoplePage } from './people-page.js'

export const supervisorRoles: readonly Role[] = ['supervisor']
export const foundMax = 20

const query = z.object({ family: z.string().trim().max(100).optional().catch(undefined) })
const volunteerForm = z.object({
  name: z.string().trim().max(100).default(''),
  phone: z.string().trim().max(40).default(''),
  language: z.enum(['zh', 'en']).catch('zh'),
  community: z.string().max(64).default(''),
})
export type VolunteerValues = z.infer<typeof volunteerForm>

/** The people of one's communities, whether each can be reached, and, for supervisors, volunteers and family to be told. */
export function peopleRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get('/people', async (request, reply) => sendPeople(request, reply))

  app.post('/people', async (request, reply) => {
    const viewer = requireStaff(request, supervisorRoles)
    const values = volunteerForm.parse(request.body)
    const t = peopleText(request.here.language)
    const { name, phone, language, community: communityId } = values
    const problem =
      name === ''
        ? t.nameProblem
        : !/^[+\d\s().-]*$/.test(phone)
          ? t.phoneProblem
          : viewer.communityIds.includes(communityId)
            ? undefined
            : t.communityProblem
    if (problem) return sendPeople(request, reply, { values, text: problem })
    const { staffId: by, communityIds } = viewer
    const { now } = request.here
    const staffId = await addVolunteer(db, { name, phone: phone || null, language, communityId, by, communityIds, now })
    log.info({ staffId, by }, 'volunteer.added')
    return seeOther(reply, personPath(staffId))
  })

  app.post<{ Params: { familyMemberId: string } }>('/people/family/:familyMemberId', async (request, reply) => {
    const { staffId: by, communityIds } = requireStaff(request, supervisorRoles)
    const { familyMemberId } = request.params
    const staffId = await tellFamily(db, { familyMemberId, by, communityIds, now: request.here.now })
    if (!staffId) throw new NotFound()
    log.info({ staffId, by }, 'family.told')
    return seeOther(reply, personPath(staffId))
  })

  async function sendPeople(
    request: FastifyRequest,
    reply: FastifyReply,
    wrong?: { values: VolunteerValues; text: string },
  ) {
    const viewer = requireStaff(request, careRoles)
    const here = wrong ? { ...request.here, path: '/people' } : request.here
    const { communityIds } = viewer
    const { family } = query.parse(request.query)
    const isSupervisor = supervisorRoles.includes(viewer.role)
    const [{ people, more }, communities, untold] = await Promise.all([
      listPeople(db, { communityIds }),
      listCommunities(db, { communityIds }),
      isSupervisor && family !== undefined
        ? findUntoldFamily(db, { communityIds, search: family, limit: foundMax })
        : undefined,
    ])
    const t = peopleText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.title} current="people">
        <link rel="stylesheet" href={`${here.assets}/people.css`} />
        <PeoplePage
          here={here}
          people={people}
          more={more}
          usable={deps.channels.kinds}
          communities={communities}
          isSupervisor={isSupervisor}
          search={family}
          untold={untold}
          wrong={wrong}
        />
      </Page>,
      wrong ? 400 : 200,
    )
  }
}
