import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { defaultPolicies, type PagedSeverity, type Policy } from '../../alerts/policy.js'
import { loadChain } from '../../db/chain.js'
import { manualClock } from '../../kit/clock.js'
import { openTestDashboard } from '../../test/support/dashboard.js'
import { startTestDatabase, type TestDatabase } from '../../test/support/database.js'
import { type Community, seedCommunity } from '../../test/support/fixtures.js'
import { readPolicyForm } from './policies-form.js'

const now = new Date('2026-03-10T06:27:00Z')
let database: TestDatabase
let dashboard: Awaited<ReturnType<typeof openTestDashboard>>
let north: Community
let south: Community

beforeAll(async () => {
  database = await startTestDatabase()
  dashboard = await openTestDashboard({ db: database.db, clock: manualClock(now) })
  north = await seedCommunity(database.db, { key: 'north', now })
  south = await seedCommunity(database.db, { key: 'south', now })
})
afterAll(async () => {
  await dashboard.close()
  await database.stop()
})

const ask = (
  path: string,
  who: 'worker' | 'supervisor' = 'supervisor',
  form?: Record<string, string> | [string, string][],
) => dashboard.ask(path, { as: north.staff[who].staffId, language: 'zh', ...(form ? { form } : {}) })
type Pairs = [name: string, value: string][]
/** What the browser would send of the form as the page shows it. */
async function fieldsOf(severity: PagedSeverity): Promise<Pairs> {
  const { body } = await ask(`/policies/edit?community=${north.communityId}&severity=${severity}`)
  const form = /<form method="post" action="\/policies".*?<\/form>/.exec(body)![0]
  const fields: Pairs = []
  for (const [tag] of form.matchAll(/<input [^>]*>/g)) {
    const name = /name="([^"]+)"/.exec(tag)?.[1]
    const isBox = /type="checkbox"/.test(tag)
    if (name && (!isBox || /checked/.test(tag))) fields.push([name, /value="([^"]*)"/.exec(tag)?.[1] ?? ''])
  }
  for (const [, name, options] of form.matchAll(/<select name="([^"]+)">(.*?)<\/select>/g)) {
    const chosen = [...options!.matchAll(/<option ([^>]*)>/g)].find(([, attributes]) => /selected/.test(attributes!))
    fields.push([name!, /value="([^"]*)"/.exec(chosen?.[1] ?? '')?.[1] ?? ''])
  }
  return [...fields, ['action', 'save']]
}
const changed = (fields: Pairs, changes: Record<string, string>): Pairs => [
  ...fields.filter(([name]) => !Object.hasOwn(changes, name)),
  ...Object.entries(changes),
]
const policyOf = async (severity: PagedSeverity): Promise<Policy> =>
  (await loadChain(database.db, { residentId: north.residents[0]!.residentId, severity, now }))!.policy

describe('the page says in words who is told when', () => {
  test('to a social worker, who may not change it', async () => {
    const { body } = await ask('/policies', 'worker')
    expect(body).toContain('立刻：负责社工，同时用其全部通知方式')
    expect(body).toContain('1 分钟后：值班人员、同意帮忙的邻居或志愿者')
    expect(body).toContain('3 分钟后：主管，同时用其全部通知方式，同时告知家属')
    expect(body).toContain('接手的人应在 2 分钟内出发，10 分钟内到门口，到门口后 45 分钟内处理完')
    expect(body).not.toContain('/policies/edit')
  })
})

describe('a supervisor', () => {
  test.each(['emergency', 'urgent', 'warning'] as const)('who saves %s as it is changes nothing', async (severity) => {
    const answer = await ask('/policies', 'supervisor', await fieldsOf(severity))
    expect(answer.status).toBe(303)
    expect(await policyOf(severity)).toEqual(defaultPolicies[severity])
    await ask('/policies', 'supervisor', { community: north.communityId, severity, action: 'reset' })
  })
  test('adds a step, removes one, names a person, changes the times', async () => {
    const answer = await ask(
      '/policies',
      'supervisor',
      changed(await fieldsOf('emergency'), {
        'remove-1': 'yes',
        'after-2': '2.5',
        'after-3': '5',
        'person-3': north.staff.colleague.staffId,
        'through-3': 'sms',
        'condition-3': 'not resolved',
        'stage-arrived': '60',
        repeat: '2',
      }),
    )
    expect(answer.status).toBe(303)
    expect(await policyOf('emergency')).toEqual({
      steps: [
        defaultPolicies.emergency.steps[0],
        { ...defaultPolicies.emergency.steps[2], afterSeconds: 150 },
        {
          afterSeconds: 300,
          to: [{ staffId: north.staff.colleague.staffId }],
          channels: ['sms'],
          family: false,
          condition: 'not resolved',
        },
      ],
      repeatAfterSeconds: 120,
      roundsMax: null,
      stageSecondsMax: { acknowledged: 120, en_route: 600, arrived: 3_600 },
    })
    const { body } = await ask('/policies')
    expect(body).toContain(north.staff.colleague.name)
    expect(body).toContain(north.staff.supervisor.name)
    await ask('/policies', 'supervisor', { community: north.communityId, severity: 'emergency', action: 'reset' })
    expect(await policyOf('emergency')).toEqual(defaultPolicies.emergency)
  })
  test.each<[what: string, PagedSeverity, Record<string, string>, said: string]>([
    ['steps too far apart', 'emergency', { 'after-2': '20' }, '最多隔 5 分钟'],
    ['the same time twice', 'urgent', { 'after-1': '0' }, '每一步都要晚于前一步'],
    ['no number', 'urgent', { 'after-1': 'soon' }, '填的不是数字'],
    ['nothing', 'urgent', { repeat: '' }, '填的不是数字'],
    ['a first step that waits', 'warning', { 'after-0': '5' }, '第一步必须立刻通知'],
    ['an emergency without a time at the door', 'emergency', { 'stage-arrived': '' }, '每个阶段都要填时限'],
    ['somebody of another community', 'urgent', { 'person-1': 'south-worker' }, '不属于本社区'],
  ])('is told what is wrong: %s; the form keeps what was written', async (_, severity, change, said) => {
    const answer = await ask('/policies', 'supervisor', changed(await fieldsOf(severity), change))
    expect(answer.status).toBe(400)
    expect(answer.body).toContain(said)
    expect(await policyOf(severity)).toEqual(defaultPolicies[severity])
  })
  test('of another community finds nothing, and changes nothing', async () => {
    const path = `/policies/edit?community=${south.communityId}&severity=urgent`
    expect((await ask(path)).status).toBe(404)
    expect((await ask(`/policies?community=${south.communityId}`)).status).toBe(404)
    const form = changed(await fieldsOf('urgent'), { community: south.communityId })
    expect((await ask('/policies', 'supervisor', form)).status).toBe(404)
  })
})

test('a form of hostile fields is read as what it is', () => {
  const read = readPolicyForm({
    'after-0': ['1', '2'],
    'to-0': ['responsible', '__proto__'],
    'through-0': 'x',
    repeat: '1e9',
  })
  expect(read.steps).toEqual([
    { afterSeconds: 60, to: ['responsible'], channels: ['x'], family: false, condition: 'not acknowledged' },
  ])
  expect(read.repeatAfterSeconds).toBe(6e10)
})
