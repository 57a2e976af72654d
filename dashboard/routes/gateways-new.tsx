import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import {
  addGateway,
  findGatewayKey,
  listCommunities,
  type NewGateway,
  proposeGatewayId,
} from '../../db/gateway-registration.js'
import { idPattern } from '../../ingest/contract.js'
import { baseTopicsProblem, reservedGatewayIds } from '../../ingest/dialects/base-topics.js'
import { dialectNames } from '../../ingest/dialects/dialect.js'
import { registrarRoles } from '../shell/devices.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { gatewayText } from '../shell/text-gateways.js'
import { operatorRoles, requireStaff, type StaffViewer } from '../shell/viewer.js'
import { exampleMapping, readMapping, tryOut } from './gateway-mapping.js'
import { SettingsPage } from './gateway-settings-page.js'
import { DialectChoice, GatewayForm, type GatewayFormValues } from './gateways-new-form.js'

const bodyBytesMax = 128 * 1024
const labelCharsMax = 100
const textCharsMax = 16_000
/** What these say stands under topics that nobody can change. */
const fixedTopics: Record<string, string> = { thingsboard: 'v1/gateway', aliyun: '' }

const speaks = z.enum(['v1', ...dialectNames])
const newQuery = z.object({ dialect: speaks.optional().catch(undefined) })
const form = z.object({
  dialect: speaks,
  community: z.string().max(64),
  id: z.string().trim().max(200),
  label: z.string().trim().max(textCharsMax).default(''),
  via: z.enum(['own', 'attached']).default('own'),
  topics: z.string().max(textCharsMax).default(''),
  mapping: z.string().max(textCharsMax).default(''),
  tryTopic: z.string().max(textCharsMax).default(''),
  tryMessage: z.string().max(textCharsMax).default(''),
  action: z.enum(['save', 'try']).default('save'),
})

/** Registers a gateway: what it speaks, then its form, then, once, what is to be entered in it. */
export function newGatewayRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log } = deps

  app.get('/gateways/new', async (request, reply) => {
    const { here } = request
    const viewer = requireStaff(request, registrarRoles)
    const { dialect } = newQuery.parse(request.query)
    if (dialect) return sendForm(reply, { deps, here, viewer, values: await proposed(deps, viewer, dialect) })
    const t = gatewayText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.addTitle} current="gateways" live={false}>
        <link rel="stylesheet" href={`${here.assets}/claim.css`} />
        <DialectChoice here={here} />
      </Page>,
    )
  })

  app.post('/gateways', { bodyLimit: bodyBytesMax }, async (request, reply) => {
    const { here } = request
    const viewer = requireStaff(request, registrarRoles)
    const { action, ...values } = form.parse(request.body)
    if (action === 'try') {
      const { language, now } = here
      const tried = tryOut({ ...values, language, now: now.getTime(), timeZone: deps.timeZoneDefault })
      return sendForm(reply, { deps, here, viewer, values, tried })
    }
    const read = readGateway(here, viewer, values)
    if ('problem' in read) return sendForm(reply, { deps, here, viewer, values, problem: read.problem, status: 400 })
    const { gateway } = read
    const { staffId, communityIds } = viewer
    const added = await addGateway(db, { gateway, staffId, now: here.now })
    if (added.kind === 'clash') {
      const problem = gatewayText(here.language).problem.foreignTopics
      return sendForm(reply, { deps, here, viewer, values, problem, status: 400 })
    }
    if (added.kind === 'taken') {
      const t = gatewayText(here.language).problem
      const isOurs = await findGatewayKey(db, { communityIds, gatewayId: gateway.gatewayId })
      const problem = isOurs ? t.takenHere : t.taken
      const taken = isOurs ? gateway.gatewayId : undefined
      return sendForm(reply, { deps, here, viewer, values, problem, taken, status: 409 })
    }
    log.info({ gatewayId: gateway.gatewayId, dialect: gateway.dialect, staffId }, 'gateway.added')
    return sendPage(reply, <SettingsPage here={here} gateway={gateway} secret={added.secret} mqtt={deps.mqtt} />)
  })
}

async function proposed({ db }: RouteDeps, viewer: StaffViewer, dialect: string): Promise<GatewayFormValues> {
  const [community = ''] = viewer.communityIds
  return {
    dialect,
    community,
    id: community === '' ? '' : await proposeGatewayId(db, { communityId: community }),
    label: '',
    via: 'own',
    topics: fixedTopics[dialect] ?? '',
    mapping: dialect === 'generic' ? exampleMapping : '',
    tryTopic: '',
    tryMessage: '',
  }
}

/** The gateway as it is to be stored, or the first thing that is wrong with the form, in words. */
function readGateway(
  { language }: Here,
  viewer: StaffViewer,
  values: GatewayFormValues,
): { gateway: NewGateway } | { problem: string } {
  const t = gatewayText(language)
  const { dialect, community: communityId, id: gatewayId, label } = values
  // v1 is spoken to our own broker alone.
  const via = dialect === 'v1' ? 'own' : values.via
  if (!viewer.communityIds.includes(communityId)) return { problem: t.problem.community }
  if (!idPattern.test(gatewayId)) return { problem: t.problem.id }
  // Its page would be hidden by the form that this is.
  if (reservedGatewayIds.includes(gatewayId) || gatewayId === 'new') return { problem: t.problem.reserved }
  if (label.length > labelCharsMax) return { problem: t.problem.label }
  // Topics of another broker are nobody's own: only who runs it may say whose they are.
  if (via === 'attached' && !operatorRoles.includes(viewer.role)) return { problem: t.problem.attached }
  const baseTopics = dialect === 'v1' ? [] : linesOf(values.topics)
  if (baseTopics.length === 0 && (via === 'attached' || dialect in fixedTopics))
    return { problem: t.problem.needsTopics }
  const wrong = baseTopicsProblem(baseTopics)
  if (wrong) return { problem: t.problem.topic(wrong.topic ?? '', t.topicProblem[wrong.problem]) }
  let dialectSettings: unknown = null
  if (dialect === 'generic') {
    const read = readMapping(values.mapping, language)
    if ('problems' in read) {
      const [first] = read.problems
      return { problem: t.problem.mapping(first ? `${first.at} ${first.message}` : '') }
    }
    dialectSettings = read.settings
  }
  return { gateway: { gatewayId, communityId, label, dialect, baseTopics, dialectSettings, via } }
}

const linesOf = (text: string): string[] => [
  ...new Set(
    text
      .split(/\r?\n/)
      .map((line) => line.trim())
      .filter((line) => line !== ''),
  ),
]

async function sendForm(
  reply: FastifyReply,
  p: {
    deps: RouteDeps
    here: Here
    viewer: StaffViewer
    values: GatewayFormValues
    problem?: string
    /** The gateway of one's own that has this id. */
    taken?: string | undefined
    tried?: ReturnType<typeof tryOut>
    status?: number
  },
) {
  const { viewer, values } = p
  const path = `/gateways/new?${new URLSearchParams({ dialect: values.dialect })}`
  // The language switch cannot come back to a form's answer.
  const here = { ...p.here, path }
  const t = gatewayText(here.language)
  const communities = await listCommunities(p.deps.db, { communityIds: viewer.communityIds })
  return sendPage(
    reply,
    <Page here={here} title={t.addTitle} current="gateways" live={false}>
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <link rel="stylesheet" href={`${here.assets}/claim.css`} />
      <GatewayForm
        here={here}
        values={values}
        communities={communities}
        mayAttach={operatorRoles.includes(viewer.role) && values.dialect !== 'v1'}
        hasFixedTopics={values.dialect in fixedTopics}
        problem={p.problem}
        taken={p.taken}
        tried={p.tried}
      />
    </Page>,
    p.status ?? 200,
  )
}
