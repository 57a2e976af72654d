import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { checkPolicy, type PagedSeverity, type Policy, pagedSeverities } from '../../alerts/policy.js'
import { listCommunities } from '../../db/gateway-registration.js'
import {
  listNameable,
  listPolicies,
  type NamedPerson,
  resetPolicy,
  type StoredPolicy,
  savePolicy,
} from '../../db/policies.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { policyText } from '../shell/text-policies.js'
import { When } from '../shell/times.js'
import { careRoles, NotFound, type Role, requireStaff, type StaffViewer } from '../shell/viewer.js'
import { PolicyForm, readPolicyForm } from './policies-form.js'
import { afterwards, stepText } from './policies-words.js'

/** Who answers for how a community is paged. */
const editorRoles: readonly Role[] = ['supervisor']
const bodyBytesMax = 32 * 1024

const query = z.object({ community: z.string().max(64).optional().catch(undefined) })
const editQuery = z.object({ community: z.string().max(64), severity: z.enum(pagedSeverities) })
const form = z.object({
  community: z.string().max(64),
  severity: z.enum(pagedSeverities),
  action: z.enum(['save', 'reset']),
})

/** Who is told when, as a community has decided it: for all colleagues to read, for supervisors to change. */
export function policyRoutes(app: FastifyInstance, { db, log }: RouteDeps): void {
  app.get('/policies', async (request, reply) => {
    const { here } = request
    const viewer = requireStaff(request, careRoles)
    const communities = await listCommunities(db, { communityIds: viewer.communityIds })
    const asked = query.parse(request.query).community
    const community =
      communities.find(({ communityId }) => communityId === asked) ?? (asked ? undefined : communities[0])
    if (!community) throw new NotFound()
    const { communityId } = community
    const [policies, people] = await Promise.all([listPolicies(db, { communityId }), listNameable(db, { communityId })])
    const t = policyText(here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.title} current="roster">
        <link rel="stylesheet" href={`${here.assets}/claim.css`} />
        <h1>{t.title}</h1>
        <p class="lead">
          {t.lead(community.name)}{' '}
          <a href={`/roster?${new URLSearchParams({ community: communityId })}`}>{t.toRoster}</a>
        </p>
        {communities.length > 1 && (
          <form method="get" action="/policies" class="search">
            <label>
              {t.community}
              <select name="community">
                {communities.map((each) => (
                  <option key={each.communityId} value={each.communityId} selected={each === community}>
                    {each.name}
                  </option>
                ))}
              </select>
            </label>
            <button type="submit">{t.show}</button>
          </form>
        )}
        {policies.map((stored) => (
          <PolicySection
            key={stored.severity}
            {...{ here, stored, people, communityId, mayEdit: editorRoles.includes(viewer.role) }}
          />
        ))}
        <p>{t.notice}</p>
        <p>{t.quiet}</p>
      </Page>,
    )
  })

  app.get('/policies/edit', async (request, reply) => {
    const viewer = requireStaff(request, editorRoles)
    const { community: communityId, severity } = editQuery.parse(request.query)
    const stored = (await policiesOf(viewer, communityId)).find((each) => each.severity === severity)!
    return sendForm(reply, {
      here: request.here,
      communityId,
      severity,
      policy: stored.policy,
      isDefault: !stored.changed,
    })
  })

  app.post('/policies', { bodyLimit: bodyBytesMax }, async (request, reply) => {
    const { here } = request
    const viewer = requireStaff(request, editorRoles)
    const { community: communityId, severity, action } = form.parse(request.body)
    const stored = (await policiesOf(viewer, communityId)).find((each) => each.severity === severity)!
    const { staffId } = viewer
    const back = `/policies?${new URLSearchParams({ community: communityId })}#${severity}`
    if (action === 'reset') {
      await resetPolicy(db, { communityId, severity })
      log.info({ communityId, severity, staffId }, 'policy.reset')
      return seeOther(reply, back)
    }
    const written = readPolicyForm(request.body as Record<string, string>)
    const policy = checkPolicy(severity, written)
    const t = policyText(here.language)
    const again = { here, communityId, severity, policy: written, isDefault: !stored.changed, status: 400 }
    if ('problem' in policy) return sendForm(reply, { ...again, problem: t.problem[policy.problem] })
    const people = await listNameable(db, { communityId })
    const known = new Set(people.map((person) => person.staffId))
    const stranger = policy.steps.some(({ to }) =>
      to.some((target) => typeof target !== 'string' && !known.has(target.staffId)),
    )
    if (stranger) return sendForm(reply, { ...again, problem: t.problem.person })
    await savePolicy(db, { communityId, severity, policy, staffId, now: here.now })
    log.info({ communityId, severity, staffId }, 'policy.changed')
    return seeOther(reply, back)
  })

  async function policiesOf(viewer: StaffViewer, communityId: string): Promise<StoredPolicy[]> {
    if (!viewer.communityIds.includes(communityId)) throw new NotFound()
    return listPolicies(db, { communityId })
  }

  async function sendForm(
    reply: FastifyReply,
    p: {
      here: Here
      communityId: string
      severity: PagedSeverity
      policy: Policy
      isDefault: boolean
      problem?: string
      status?: number
    },
  ): Promise<FastifyReply> {
    const { here, status = 200, communityId } = p
    const people = await listNameable(db, { communityId })
    return sendPage(
      reply,
      <Page here={here} title={policyText(here.language).title} current="roster" live={false}>
        <link rel="stylesheet" href={`${here.assets}/claim.css`} />
        <PolicyForm {...p} people={people} />
      </Page>,
      status,
    )
  }
}

function PolicySection(p: {
  here: Here
  stored: StoredPolicy
  people: readonly NamedPerson[]
  communityId: string
  mayEdit: boolean
}) {
  const { here, stored, people, communityId, mayEdit } = p
  const { language } = here
  const { severity, policy, changed } = stored
  const t = policyText(language)
  const edit = `/policies/edit?${new URLSearchParams({ community: communityId, severity })}`
  return (
    <section id={severity} class="policy">
      <h2>{t.severity[severity]}</h2>
      <ol class="policy-steps">
        {policy.steps.map((step) => (
          <li key={step.afterSeconds}>{stepText(step, people, language)}</li>
        ))}
      </ol>
      {afterwards(policy, language).map((line) => (
        <p key={line}>{line}</p>
      ))}
      {severity === 'emergency' && <p>{t.empty}</p>}
      <p class="sub">
        {changed ? (
          <>
            {t.changed}
            <When at={changed.at} now={here.now} timeZone={here.timeZoneDefault} language={language} />
            {changed.by ? t.changedBy(changed.by) : ''}
          </>
        ) : (
          t.isDefault
        )}
      </p>
      {mayEdit && (
        <p>
          <a
            class="button"
            href={edit}
            aria-label={`${t.change}${language === 'zh' ? '：' : ': '}${t.severity[severity]}`}
          >
            {t.change}
          </a>
        </p>
      )}
    </section>
  )
}
