import type { FastifyInstance, FastifyRequest } from 'fastify'
import { departureOf } from '../../alerts/rules/departure.js'
import type { ResidentState } from '../../alerts/rules/fold.js'
import { recordLook } from '../../db/access-log.js'
import { listCommands } from '../../db/command-views.js'
import { askableDevices, findSpeaks } from '../../db/commands.js'
import { testStates } from '../../db/device-tests.js'
import { testedAt } from '../../db/devices-tested.js'
import { type FamilyMember, familyOf, issueFamilyLink, revokeFamilyLinks } from '../../db/family.js'
import {
  findResident,
  findResidentState,
  type ResidentCard,
  residentAlerts,
  residentDevices,
  residentLooks,
} from '../../db/residents.js'
import { loadUse } from '../charts/load-use.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { residentText } from '../shell/text-resident.js'
import { careRoles, NotFound, requireStaff, type StaffViewer } from '../shell/viewer.js'
import { AbsencePart, loadPresence } from './absence-parts.js'
import { AskHome, commandProblemOf } from './commands-parts.js'
import { KnowledgeLine, knownOf } from './resident-knowledge.js'
import { loadLine, PresentLine, RoutineLine, SilenceAlerts } from './resident-line.js'
import { loadNight, Night } from './resident-night.js'
import { Contact, Devices, LastAlerts, Looks, OpenAlerts, UseCharts } from './resident-parts.js'
import { LastWeeks } from './resident-weeks.js'

const chartDays = 14
const chartMsMax = (chartDays + 2) * 24 * 3_600_000
const closedAlertsMax = 10
const looksMax = 20
const commandsMax = 10
type ResidentParams = { residentId: string }
type FamilyParams = ResidentParams & { familyMemberId: string }

/** The page that answers "what do we know, and how fresh is it?", and the private links of the resident's family. */
export function residentRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log, publicUrl } = deps

  app.get<{ Params: ResidentParams }>('/residents/:residentId', async (request, reply) => {
    const { here } = request
    const viewer = requireStaff(request, careRoles)
    const resident = await residentInScope(deps, request.params.residentId, viewer)
    const { residentId, timeZone } = resident
    await recordLook(db, {
      residentId,
      staffId: viewer.staffId,
      page: 'resident',
      now: here.now,
      refresh: here.refresh,
    })
    const [devices, state, alerts, looks, family, askable, commands, speaks] = await Promise.all([
      residentDevices(db, { residentId, since: new Date(here.now.getTime() - chartMsMax) }),
      findResidentState(db, residentId),
      residentAlerts(db, { residentId, closedMax: closedAlertsMax }),
      residentLooks(db, { residentId, looksMax }),
      familyOf(db, residentId),
      askableDevices(db, residentId),
      listCommands(db, { residentId, now: here.now, rowsMax: commandsMax }),
      findSpeaks(db, residentId),
    ])
    const use = await loadUse(db, { devices, days: chartDays, timeZone, now: here.now })
    const nights = await loadNight(db, { devices, timeZone, now: here.now })
    const presence = await loadPresence(db, { residentId, now: here.now })
    const line = await loadLine(db, { residentId, state, timeZone, now: here.now })
    const current = devices.filter(({ unboundAt }) => unboundAt === null)
    const tests = await testStates(db, { deviceNos: current.map(({ deviceNo }) => deviceNo), now: here.now })
    const tested = await testedAt(
      db,
      current.map(({ deviceNo }) => deviceNo),
    )
    const part = { resident, here }
    const open = alerts.filter(({ closedAt }) => closedAt === null)
    const known = knownOf({ state, devices, now: here.now.getTime() })
    const isQuiet = open.every(({ severity }) => severity === 'notice')
    return sendPage(
      reply,
      <Page here={here} title={resident.name}>
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/line.css`} />
        <h1>{resident.name}</h1>
        <KnowledgeLine known={known} timeZone={timeZone} here={here} isQuiet={isQuiet} />
        <PresentLine known={line} timeZone={timeZone} here={here} />
        <OpenAlerts {...part} alerts={open} />
        <AbsencePart
          {...{ ...part, ...presence, by: viewer }}
          departedAt={state === null ? null : departureOf(state as ResidentState, here.now.getTime())}
        />
        <div class="resident">
          <div class="resident-side">
            <Contact {...part} family={family} role={viewer.role} />
            <AskHome
              {...{ here, residentId, commands, speaks }}
              devices={askable}
              problem={commandProblemOf(request.query)}
            />
            <Devices {...part} devices={current} tests={tests} tested={tested} />
          </div>
          <div class="resident-main">
            <RoutineLine known={line} timeZone={timeZone} here={here} />
            {nights && <Night nights={nights} timeZone={timeZone} here={here} />}
            <LastWeeks state={state} timeZone={timeZone} here={here} />
            <UseCharts {...part} use={use} />
            <SilenceAlerts known={line} timeZone={timeZone} here={here} />
            <LastAlerts {...part} alerts={alerts.filter(({ closedAt }) => closedAt !== null)} />
            <Looks {...part} looks={looks} />
          </div>
        </div>
      </Page>,
    )
  })

  app.post<{ Params: FamilyParams }>('/residents/:residentId/family/:familyMemberId/link', async (request, reply) => {
    const { here } = request
    const { resident, member, viewer } = await familyMemberInScope(deps, request)
    const { familyMemberId } = member
    const token = await issueFamilyLink(db, { familyMemberId, now: here.now })
    await recordLook(db, {
      residentId: resident.residentId,
      staffId: viewer.staffId,
      page: 'link issued',
      now: here.now,
    })
    log.info({ familyMemberId, staffId: viewer.staffId }, 'family.linkIssued')
    return sendPage(reply, linkPage({ here, resident, member, link: `${publicUrl.replace(/\/$/, '')}/f/${token}` }))
  })

  app.post<{ Params: FamilyParams }>('/residents/:residentId/family/:familyMemberId/revoke', async (request, reply) => {
    const { here } = request
    const { resident, member, viewer } = await familyMemberInScope(deps, request)
    const { familyMemberId } = member
    await revokeFamilyLinks(db, { familyMemberId, now: here.now })
    await recordLook(db, {
      residentId: resident.residentId,
      staffId: viewer.staffId,
      page: 'link revoked',
      now: here.now,
    })
    log.info({ familyMemberId, staffId: viewer.staffId }, 'family.linkRevoked')
    return seeOther(reply, residentPath(resident))
  })
}

const residentPath = ({ residentId }: ResidentCard) => `/residents/${encodeURIComponent(residentId)}`

async function residentInScope({ db }: RouteDeps, residentId: string, viewer: StaffViewer): Promise<ResidentCard> {
  const resident = await findResident(db, { residentId, communityIds: viewer.communityIds })
  if (!resident) throw new NotFound()
  return resident
}

/** Links are given out by the supervisor, for the family of a resident of the supervisor's own communities. */
async function familyMemberInScope(deps: RouteDeps, request: FastifyRequest<{ Params: FamilyParams }>) {
  const viewer = requireStaff(request, ['supervisor'])
  const resident = await residentInScope(deps, request.params.residentId, viewer)
  const family = await familyOf(deps.db, resident.residentId)
  const member = family.find(({ familyMemberId }) => familyMemberId === request.params.familyMemberId)
  if (!member) throw new NotFound()
  return { resident, member, viewer }
}

/** Shown once, as the answer to the form: the link is nowhere else to be had. */
function linkPage(p: { here: Here; resident: ResidentCard; member: FamilyMember; link: string }) {
  const { resident, member, link } = p
  const t = residentText(p.here.language)
  // The language switch cannot come back to a form's answer.
  const here = { ...p.here, path: residentPath(resident) }
  return (
    <Page here={here} title={t.linkTitle} live={false}>
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <section class="narrow">
        <h1>{t.linkFor(member.relation ? t.look(member.name, member.relation) : member.name)}</h1>
        <p>
          <a class="issued-link" href={link}>
            {link}
          </a>
        </p>
        <p>{t.linkOnce}</p>
        <p>
          {t.linkOpens(resident.name)} {t.linkOldGone}
        </p>
        <p>
          <a class="button" href={residentPath(resident)}>
            {t.backToResident}
          </a>
        </p>
      </section>
    </Page>
  )
}
