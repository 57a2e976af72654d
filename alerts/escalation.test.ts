import { describe, expect, test } from 'vitest'
import { advance, begin, type Chain, type EscalationState, type Move } from './escalation.js'
import type { Severity } from './model.js'

const phone = [{ position: 0, kind: 'webhook' }]
const both = [...phone, { position: 1, kind: 'email' }]
const full: Chain = [
  { role: 'responsible', people: [{ staffId: 'zhang', channels: both }] },
  { role: 'on duty', people: [{ staffId: 'lin', channels: phone }] },
  { role: 'supervisor', people: [{ staffId: 'huang', channels: both }] },
]
const without = (...roles: string[]): Chain =>
  full.map((step) => (roles.includes(step.role) ? { ...step, people: [] } : step))

/** Walks the chain until `untilS`, nobody doing anything; one line a step: "seconds who(channels)". */
function walk(severity: Severity, chain: Chain, untilS: number): string[] {
  const lines: string[] = []
  let move = begin(severity, chain, 0)
  let at = 0
  const tell = ({ pages, happened }: Move) => {
    const people = [...new Set(pages.map((page) => page.staffId))].map(
      (staffId) => `${staffId}(${pages.filter((page) => page.staffId === staffId).map((page) => page.channel)})`,
    )
    lines.push(`${at / 1_000} ${people.join(' ') || happened}`)
  }
  let told: string[] = []
  tell(move)
  while (move.dueAt !== null && move.dueAt <= untilS * 1_000) {
    at = move.dueAt
    const before: Move = move
    told = [...told, ...before.pages.map((page) => page.staffId)]
    move = advance({ severity, ...before, told }, chain, at)
    if (move.round !== before.round) told = []
    tell(move)
  }
  return lines
}

describe('who is told when, nobody acknowledging', () => {
  const rows: [string, Severity, Chain, number, string[]][] = [
    [
      'emergency: 60 s, 180 s, then again from the start',
      'emergency',
      full,
      420,
      [
        '0 zhang(webhook,email)',
        '60 lin(webhook)',
        '180 huang(webhook,email)',
        '360 zhang(webhook,email)',
        '420 lin(webhook)',
      ],
    ],
    [
      'urgent: every 15 min, one channel each',
      'urgent',
      full,
      3_600,
      ['0 zhang(webhook)', '900 lin(webhook)', '1800 huang(webhook)', '3600 zhang(webhook)'],
    ],
    ['warning: by the hour', 'warning', full, 7_200, ['0 zhang(webhook)', '3600 lin(webhook)', '7200 huang(webhook)']],
    ['notice: the console only', 'notice', full, 86_400, ['0 nothing']],
    [
      'nobody responsible: the colleague at once',
      'emergency',
      without('responsible'),
      120,
      ['0 lin(webhook)', '120 huang(webhook,email)'],
    ],
    [
      'nobody on duty: no time is lost on the empty step',
      'emergency',
      without('on duty'),
      180,
      ['0 zhang(webhook,email)', '60 huang(webhook,email)'],
    ],
    [
      'only the supervisor',
      'emergency',
      without('responsible', 'on duty'),
      180,
      ['0 huang(webhook,email)', '180 huang(webhook,email)'],
    ],
    [
      'nobody at all: looked for again each minute',
      'emergency',
      without('responsible', 'on duty', 'supervisor'),
      60,
      ['0 nobody to tell', '60 nobody to tell'],
    ],
    ['an empty chain', 'emergency', [], 60, ['0 nobody to tell', '60 nobody to tell']],
    [
      'the responsible is on duty too: told once a round',
      'emergency',
      [full[0]!, { role: 'on duty', people: full[0]!.people }, full[2]!],
      60,
      ['0 zhang(webhook,email)', '60 huang(webhook,email)'],
    ],
    [
      'two colleagues on duty: both at once',
      'emergency',
      [full[0]!, { role: 'on duty', people: [...full[1]!.people, { staffId: 'he', channels: phone }] }, full[2]!],
      60,
      ['0 zhang(webhook,email)', '60 lin(webhook) he(webhook)'],
    ],
    [
      'a person without any channel is passed over',
      'emergency',
      [{ role: 'responsible', people: [{ staffId: 'zhang', channels: [] }] }, full[1]!],
      0,
      ['0 lin(webhook)'],
    ],
  ]
  test.each(rows)('%s', (_, severity, chain, untilS, expected) => {
    expect(walk(severity, chain, untilS)).toEqual(expected)
  })
})

describe('an acknowledged alert', () => {
  const acknowledged: EscalationState = {
    severity: 'emergency',
    stage: 'acknowledged',
    step: 2,
    round: 0,
    told: ['zhang', 'lin'],
  }
  test.each(['acknowledged', 'en_route', 'arrived'] as const)(
    'that stays %s comes back from the start of the chain',
    (stage) => {
      const move = advance({ ...acknowledged, stage }, full, 1_800_000)
      expect(move).toMatchObject({ stage: 'open', step: 1, round: 1, happened: 'returned', dueAt: 1_860_000 })
      expect(move.pages.map((page) => page.staffId)).toEqual(['zhang', 'zhang'])
    },
  )
  test('that is closed is left alone', () => {
    expect(advance({ ...acknowledged, stage: 'closed' }, full, 0)).toMatchObject({ dueAt: null, pages: [] })
  })
})

test('a step taken late leaves the next person the full time', () => {
  const late = 600_000
  expect(advance({ severity: 'emergency', stage: 'open', step: 1, round: 0, told: ['zhang'] }, full, late).dueAt).toBe(
    late + 120_000,
  )
})

test('a roster that changed between two steps: who is responsible now, and was not told yet, is told', () => {
  const swapped: Chain = [
    { role: 'responsible', people: full[1]!.people },
    { role: 'on duty', people: full[1]!.people },
    full[2]!,
  ]
  const move = advance({ severity: 'emergency', stage: 'open', step: 1, round: 0, told: ['zhang'] }, swapped, 60_000)
  expect(move.pages.map((page) => page.staffId)).toEqual(['lin'])
})
