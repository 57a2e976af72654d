import { describe, expect, test } from 'vitest'
import { type CoverageScene, coverage, type Finding } from './coverage.js'
import { coverageLead, findingWords } from './coverage-words.js'
import { defaultPolicies } from './policy.js'

const timeZone = 'Asia/Shanghai'
const from = Date.parse('2027-01-01T00:00:00+08:00')
const at = (text: string) => Date.parse(`${text}+08:00`)
const until = from + 14 * 86_400_000
const channel = (kind = 'webhook') => ({ kind, brokenAt: null, brokenReason: null })
const broken = (kind = 'email') => ({ kind, brokenAt: at('2026-12-30T09:00'), brokenReason: '550 no such mailbox' })
const person = (staffId: string, over: Partial<CoverageScene['people'][number]> = {}) => ({
  staffId,
  name: staffId,
  role: 'social_worker',
  gone: false,
  channels: [channel()],
  ...over,
})
const day = (staffId: string, weekday: number) => ({
  weeklyShiftId: weekday,
  staffId,
  weekday,
  start: '08:00',
  minutes: 24 * 60,
  validFrom: '2026-01-01',
  validUntil: null,
  everyWeeks: 1,
})
const weekly = [1, 2, 3, 4, 5, 6, 7].map((weekday) => day(weekday < 6 ? 'lin' : 'chen', weekday))

/** Everything in order: two on the roster, a responsible social worker, a supervisor. */
const whole: CoverageScene = {
  from,
  until,
  roster: { timeZone, weekly, shifts: [], changes: [], gone: [] },
  policies: defaultPolicies,
  people: [person('zhang'), person('lin'), person('chen'), person('huang', { role: 'supervisor' })],
  colleagues: ['zhang', 'lin', 'chen', 'huang'],
  supervisors: ['huang'],
  residents: 3,
  responsible: [{ staffId: 'zhang', residents: 3 }],
  neighbours: [],
  channelKinds: null,
}
const withPerson = (scene: CoverageScene, staffId: string, over: Partial<CoverageScene['people'][number]>) => ({
  ...scene,
  people: scene.people.map((each) => (each.staffId === staffId ? { ...each, ...over } : each)),
})
const said = (scene: CoverageScene) =>
  coverage(scene).map((finding) => findingWords(finding, { timeZone, days: 14 }).en)
const allStep2 = 'step 2 of emergency, urgent and warning'

test('with everybody there, nothing is missing', () => {
  expect(coverage(whole)).toEqual([])
})

describe('the roster', () => {
  test('a night that nobody carries', () => {
    const roster = { ...whole.roster, weekly: weekly.filter(({ weekday }) => weekday !== 6) }
    expect(said({ ...whole, roster })).toEqual([
      `Sat 2 Jan 08:00 – Sun 3 Jan 08:00: nobody on duty (${allStep2})`,
      `Sat 9 Jan 08:00 – Sun 10 Jan 08:00: nobody on duty (${allStep2})`,
    ])
  })
  test('somebody ill without a stand-in', () => {
    const change = {
      changeId: 1,
      edit: 1,
      from: at('2027-01-04T20:00'),
      until: at('2027-01-04T23:00'),
      staffId: 'lin',
      standInStaffId: null,
      reason: 'ill' as const,
    }
    expect(said({ ...whole, roster: { ...whole.roster, changes: [change] } })).toEqual([
      `Mon 4 Jan 20:00 – 23:00: nobody on duty (${allStep2})`,
    ])
  })
  test('who is on duty has no channel that works: that is a hole, with the name', () => {
    expect(said(withPerson(whole, 'chen', { channels: [broken()] }))).toEqual([
      `Sat 2 Jan 08:00 – Mon 4 Jan 08:00: on duty but out of reach: chen (${allStep2})`,
      `Sat 9 Jan 08:00 – Mon 11 Jan 08:00: on duty but out of reach: chen (${allStep2})`,
      'chen (on the roster) is out of reach: every channel was refused for good',
    ])
  })
  test('nobody in all the days: by step, not by hour', () => {
    expect(said({ ...whole, roster: { ...whole.roster, weekly: [] } })).toEqual([
      'Step 2 of emergency, urgent and warning: nobody in all 14 days',
    ])
  })
  test('a hole hurts nobody where each resident has a neighbour, or the step names somebody else', () => {
    const roster = { ...whole.roster, weekly: weekly.filter(({ weekday }) => weekday !== 6) }
    const neighbours = ['r1', 'r2', 'r3'].map((residentId) => ({ residentId, staffId: 'zhang' }))
    expect(said({ ...whole, roster, neighbours })[0]).toBe(
      'Sat 2 Jan 08:00 – Sun 3 Jan 08:00: nobody on duty (step 2 of urgent and warning)',
    )
    expect(said({ ...whole, roster, neighbours: neighbours.slice(1) })[0]).toContain('step 2 of emergency')
    const policies = {
      ...whole.policies,
      urgent: {
        ...whole.policies.urgent,
        steps: [{ ...whole.policies.urgent.steps[0]!, to: ['supervisor' as const] }],
      },
    }
    expect(said({ ...whole, roster, policies })[0]).toContain('step 2 of emergency and warning')
  })
})

describe('people', () => {
  test.each<[string, CoverageScene, string[]]>([
    [
      'the responsible social worker has left',
      withPerson(whole, 'zhang', { gone: true }),
      [
        'Step 1 of emergency, urgent and warning: nobody in all 14 days',
        'zhang has left, and is still responsible for 3 residents',
      ],
    ],
    [
      'nobody is responsible for one',
      {
        ...whole,
        responsible: [
          { staffId: 'zhang', residents: 2 },
          { staffId: null, residents: 1 },
        ],
      },
      ['1 resident with nobody responsible'],
    ],
    [
      'the supervisor is gone',
      { ...withPerson(whole, 'huang', { gone: true }), supervisors: [], colleagues: ['zhang', 'lin', 'chen'] },
      ['Step 3 of emergency, urgent and warning: nobody in all 14 days', 'The community has no supervisor'],
    ],
    [
      'a person without any channel',
      withPerson(whole, 'zhang', { channels: [] }),
      [
        'Step 1 of emergency, urgent and warning: nobody in all 14 days',
        'zhang (responsible for residents) is out of reach: no channel is set up',
      ],
    ],
    [
      'a channel that this server has not got',
      { ...withPerson(whole, 'zhang', { channels: [channel('sms')] }), channelKinds: ['webhook'] },
      [
        'Step 1 of emergency, urgent and warning: nobody in all 14 days',
        'zhang (responsible for residents) is out of reach: this server cannot use any of their channels',
      ],
    ],
    [
      'a bounced address beside a channel that works',
      withPerson(whole, 'zhang', { channels: [broken(), channel()] }),
      ['zhang: the e-mail address has been refused since 30 Dec: 550 no such mailbox'],
    ],
    [
      'a colleague who is told nothing may have no channel',
      {
        ...whole,
        people: [...whole.people, person('idle', { channels: [] })],
        colleagues: [...whole.colleagues, 'idle'],
      },
      [],
    ],
  ])('%s', (_, scene, lines) => {
    expect(said(scene)).toEqual(lines)
  })

  test('somebody named in a step who has left', () => {
    const { urgent } = whole.policies
    const steps = urgent.steps.map((step, i) => (i === 2 ? { ...step, to: [{ staffId: 'old' }] } : step))
    const scene = {
      ...whole,
      people: [...whole.people, person('old', { gone: true })],
      policies: { ...whole.policies, urgent: { ...urgent, steps } },
    }
    expect(said(scene)).toEqual([
      'Step 3 of urgent: nobody in all 14 days',
      'old has left, and is still named in step 3 of urgent',
    ])
  })
})

test('a neighbour who cannot be reached does not count', () => {
  const roster = { ...whole.roster, weekly: [] }
  const neighbours = ['r1', 'r2', 'r3'].map((residentId) => ({ residentId, staffId: 'wang' }))
  const scene = { ...whole, roster, neighbours, people: [...whole.people, person('wang', { role: 'volunteer' })] }
  expect(said(scene)).toEqual(['Step 2 of urgent and warning: nobody in all 14 days'])
  expect(said(withPerson(scene, 'wang', { channels: [] }))).toEqual([
    'Step 2 of emergency, urgent and warning: nobody in all 14 days',
    'wang (neighbour or volunteer) is out of reach: no channel is set up',
  ])
})

test('the lines read in Chinese, too', () => {
  const findings: Finding[] = [
    ...coverage({ ...whole, roster: { ...whole.roster, weekly: weekly.filter(({ weekday }) => weekday !== 6) } }).slice(
      0,
      1,
    ),
    ...coverage(withPerson(whole, 'zhang', { channels: [broken(), channel()] })),
    ...coverage(withPerson(whole, 'zhang', { gone: true })),
  ]
  expect(findings.map((finding) => findingWords(finding, { timeZone, days: 14 }).zh)).toEqual([
    '1月2日周六 08:00 至 1月3日周日 08:00：无人值守（紧急、急办、警告预警第 2 步）',
    'zhang 的邮箱自 12月30日 起被拒收：550 no such mailbox',
    '紧急、急办、警告预警第 1 步：未来 14 天都没有可通知的人',
    'zhang 已不在岗，名下还有 3 位居民',
  ])
  expect(coverageLead(0, { community: '莲花', days: 14 }).zh).toBe('莲花：未来 14 天，每一步都有人可以通知。')
})

test('14 days of twenty weekly shifts and 2,000 residents take no time', () => {
  const many = {
    ...whole,
    roster: { ...whole.roster, weekly: [...weekly, ...weekly, ...weekly] },
    neighbours: Array.from({ length: 2_000 }, (_, i) => ({ residentId: `r${i}`, staffId: 'zhang' })),
  }
  coverage(many)
  const startedAt = performance.now()
  for (let i = 0; i < 10; i++) coverage(many)
  expect((performance.now() - startedAt) / 10).toBeLessThan(50)
})
