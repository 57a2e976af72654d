import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { recordLook } from '../../db/access-log.js'
import { changesOf, findPerson, type Person, recordStaffChange } from '../../db/people.js'
import { quietHoursOf } from '../../db/quiet-hours.js'
import { channelsOf } from '../../db/staff-channels.js'
import { setAgreedToAsk, stopTellingFamily } from '../../db/told-family.js'
import { agreeFor, endAgreement, endVolunteer, findResidentsFor, residentsOfVolunteer } from '../../db/volunteers.js'
import { offeredKinds } from '../shell/channel-setup.js'
import { type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { personPath } from '../shell/person-path.js'
import { peopleText } from '../shell/text-people.js'
import { NotFound, requireStaff } from '../shell/viewer.js'
import { AddChannel } from './channel-add.js'
import { channelForms, type Whose } from './channel-forms.js'
import { ChannelList, type ChannelProblem } from './channel-parts.js'
import { QuietForm } from './channel-quiet.js'
import { isWatched } from './channel-test-line.js'
import { addQuery, ReachAnswer, watchedRefreshMs } from './my-channels.js'
import { foundMax, supervisorRoles } from './people.js'
import { AskForm, Changes, EndForm, ReadOnly, Who } from './people-person-parts.js'
import { AgreedResidents } from './people-residents.js'

type Params = { staffId: string }
const askingForm = z.object({ agreed: z.enum(['yes', 'no']) })
const findQuery = z.object({ find: z.string().trim().max(100).optional().catch(undefined) })

/** One person: how they are reached. Those without a login have it set here, and volunteers the residents they go to. */
export function personRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get('/people/:staffId', async (request, reply) => sendPerson(request, reply))
  channelForms(app, deps, {
    base: '/people/:staffId',
    whose,
    again: (request, reply, _, problem) => sendPerson(request, reply, problem),
  })

  app.post<{ Params: Params & { residentId: string } }>(
    '/people/:staffId/residents/:residentId',
    async (request, reply) => {
      const { staffId, residentId } = request.params
      const { staffId: by, communityIds } = requireStaff(request, supervisorRoles)
      const { now } = request.here
      if (!(await agreeFor(db, { staffId, residentId, by, communityIds, now }))) throw new NotFound()
      await recordLook(db, { residentId, staffId: by, page: 'volunteer added', now })
      return seeOther(reply, `${personPath(staffId)}#residents`)
    },
  )

  app.post<{ Params: Params & { residentId: string } }>(
    '/people/:staffId/residents/:residentId/end',
    async (request, reply) => {
      const { staffId, residentId } = request.params
      const { staffId: by, communityIds } = requireStaff(request, supervisorRoles)
      const { now } = request.here
      if (!(await endAgreement(db, { staffId, residentId, by, communityIds, now }))) throw new NotFound()
      await recordLook(db, { residentId, staffId: by, page: 'volunteer removed', now })
      return seeOther(reply, `${personPath(staffId)}#residents`)
    },
  )

  app.post<{ Params: Params }>('/people/:staffId/asking', async (request, reply) => {
    const { viewer } = await whose(request)
    const { staffId } = request.params
    const { agreed } = askingForm.parse(request.body)
    const by = { by: viewer.staffId, communityIds: viewer.communityIds, now: request.here.now }
    if (!(await setAgreedToAsk(db, { staffId, agreed: agreed === 'yes', ...by }))) throw new NotFound()
    return seeOther(reply, `${personPath(staffId)}#asking`)
  })

  app.post<{ Params: Params }>('/people/:staffId/end', async (request, reply) => {
    const { viewer } = await whose(request)
    const { staffId } = request.params
    const by = { by: viewer.staffId, communityIds: viewer.communityIds, now: request.here.now }
    const ended = (await endVolunteer(db, { staffId, ...by })) || (await stopTellingFamily(db, { staffId, ...by }))
    if (!ended) throw new NotFound()
    log.info({ staffId, by: viewer.staffId }, 'person.ended')
    return seeOther(reply, '/people')
  })

  /** Somebody without a login: nobody else's channels are set by others. */
  async function whose(request: FastifyRequest): Promise<Whose> {
    const viewer = requireStaff(request, supervisorRoles)
    const { staffId } = request.params as Params
    const person = await findPerson(db, { staffId, communityIds: viewer.communityIds })
    if (!person || !isSetByOthers(person)) throw new NotFound()
    const timeZone = person.timeZone ?? deps.timeZoneDefault
    const note = (what: string) => recordStaffChange(db, { staffId, by: viewer.staffId, now: request.here.now, what })
    return { viewer, staffId, path: personPath(staffId), timeZone, note }
  }

  async function sendPerson(request: FastifyRequest, reply: FastifyReply, problem?: ChannelProblem) {
    const viewer = requireStaff(request, supervisorRoles)
    const { staffId } = request.params as Params
    const { communityIds } = viewer
    const person = await findPerson(db, { staffId, communityIds })
    if (!person) throw new NotFound()
    const path = personPath(staffId)
    const here = problem ? { ...request.here, path } : request.here
    const t = peopleText(here.language)
    const [own, changes] = [await channelsOf(db, staffId), await changesOf(db, staffId)]
    const timeZone = person.timeZone ?? deps.timeZoneDefault
    const part = { here, base: path, timeZone, problem }
    const { kinds } = deps.channels
    const refreshMs = isWatched(
      own.map(({ test }) => test),
      here.now,
    )
      ? watchedRefreshMs
      : undefined
    const { add } = addQuery.parse(request.query)
    return sendPage(
      reply,
      <Page here={here} title={person.name} current="people" refreshMs={refreshMs}>
        <link rel="stylesheet" href={`${here.assets}/people.css`} />
        <div class="narrow">
          <ReachAnswer here={here} channels={own} usable={kinds} name={person.name} advice={isSetByOthers(person)} />
          <Who here={here} person={person} />
          {isSetByOthers(person) ? (
            <>
              {person.role === 'volunteer' && (await residentsPart(request, person))}
              <AskForm here={here} person={person} />
              <ChannelList {...part} channels={own} usable={kinds} own={false} />
              <AddChannel {...part} kinds={offeredKinds({ viewer, channels: deps.channels })} chosen={add} />
              <QuietForm {...part} quiet={await quietHoursOf(db, staffId)} />
              <EndForm here={here} person={person} />
            </>
          ) : (
            <ReadOnly here={here} channels={own} usable={kinds} timeZone={timeZone} />
          )}
          <Changes here={here} changes={changes} timeZone={timeZone} />
          <p>
            <a class="button wide" href="/people">
              {t.back}
            </a>
          </p>
        </div>
      </Page>,
      problem ? 400 : 200,
    )
  }

  async function residentsPart(request: FastifyRequest, { staffId }: Person) {
    const { communityIds } = requireStaff(request, supervisorRoles)
    const { find } = findQuery.parse(request.query)
    const [agreed, found] = [
      await residentsOfVolunteer(db, { staffId, communityIds }),
      find === undefined
        ? undefined
        : await findResidentsFor(db, { staffId, communityIds, search: find, limit: foundMax }),
    ]
    return (
      <AgreedResidents here={request.here} base={personPath(staffId)} agreed={agreed} search={find} found={found} />
    )
  }
}

/** Whose channels a supervisor sets: who can log in does it alone. */
const isSetByOthers = ({ role }: Person) => role === 'volunteer' || role === 'family'
