import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { assembleChain, type Candidate } from './chain.js'
import { advance, begin, type EscalationState, type Move, takenDueAt } from './escalation.js'
import { type Case, play } from './escalation.test-support.js'
import { checkPolicy, conditions, type Policy, targetRoles } from './policy.js'

type Row = [what: string, row: Case, expected: string[]]

const emergency = (until: string, more: Partial<Case> = {}): Case => ({ severity: 'emergency', until, ...more })
const urgent = (until: string, more: Partial<Case> = {}): Case => ({ severity: 'urgent', until, ...more })
const warning = (until: string, more: Partial<Case> = {}): Case => ({ severity: 'warning', until, ...more })
/** One channel each, where the channels are not what a row is about. */
const phones = { Zhang: 'phone', Lin: 'phone', Huang: 'phone', He: 'phone' }

const tables: Record<string, Row[]> = {
  'nobody does anything, by the rules that stand without a policy': [
    [
      'an emergency: all channels; 1 min, 3 min, after 6 min again from the start',
      emergency('7:00'),
      [
        '0:00 Zhang by phone and mail',
        '1:00 Lin by phone and mail',
        '3:00 Huang by phone and mail',
        '6:00 Zhang by phone and mail',
        '7:00 Lin by phone and mail',
      ],
    ],
    [
      'silence: one channel each, 15 min apart, after an hour again',
      urgent('1:00:00'),
      ['0:00 Zhang by phone', '15:00 Lin by phone', '30:00 Huang by phone', '1:00:00 Zhang by phone'],
    ],
    [
      'a warning: by the hour, after six hours again',
      warning('6:00:00'),
      ['0:00 Zhang by phone', '1:00:00 Lin by phone', '2:00:00 Huang by phone', '6:00:00 Zhang by phone'],
    ],
    ['a notice: nobody is told', { severity: 'notice', until: '24:00:00' }, []],
    [
      'two on duty: both at once',
      emergency('1:00', { people: 'responsible Zhang; on duty Lin, He; supervisor Huang', channels: phones }),
      ['0:00 Zhang by phone', '1:00 He by phone, Lin by phone'],
    ],
    [
      'the responsible is on duty too: told once a round',
      emergency('4:00', { people: 'responsible Zhang; on duty Zhang; supervisor Huang', channels: phones }),
      ['0:00 Zhang by phone', '1:00 Huang by phone', '4:00 Zhang by phone'],
    ],
    [
      'a neighbour who agreed is told with those on duty',
      emergency('1:00', { people: 'responsible Zhang; on duty Lin; neighbour Wu; supervisor Huang', channels: phones }),
      ['0:00 Zhang by phone', '1:00 Lin by phone, Wu by phone and mail'],
    ],
    [
      'the family is informed with the supervisor',
      emergency('3:00', { people: 'responsible Zhang; on duty Lin; supervisor Huang; family Mei', channels: phones }),
      ['0:00 Zhang by phone', '1:00 Lin by phone', '3:00 Huang by phone, Mei by phone and mail (informed)'],
    ],
    [
      'the family of a silent resident is not told by itself',
      urgent('30:00', { people: 'responsible Zhang; on duty Lin; supervisor Huang; family Mei' }),
      ['0:00 Zhang by phone', '15:00 Lin by phone', '30:00 Huang by phone'],
    ],
  ],
  'somebody is missing': [
    [
      'nobody responsible: the colleague at once',
      emergency('2:00', { people: 'on duty Lin; supervisor Huang', channels: phones }),
      ['0:00 Lin by phone', '2:00 Huang by phone'],
    ],
    [
      'nobody on duty: no time is lost on that step',
      emergency('1:00', { people: 'responsible Zhang; supervisor Huang', channels: phones }),
      ['0:00 Zhang by phone', '1:00 Huang by phone'],
    ],
    [
      'only the supervisor: every 3 min',
      emergency('6:00', { people: 'supervisor Huang', channels: phones }),
      ['0:00 Huang by phone', '3:00 Huang by phone', '6:00 Huang by phone'],
    ],
    [
      'only the responsible: again each minute, nobody else can come',
      emergency('2:00', { people: 'responsible Zhang', channels: phones }),
      ['0:00 Zhang by phone', '1:00 Zhang by phone', '2:00 Zhang by phone'],
    ],
    [
      'only the responsible, and no emergency: no more often than the round repeats',
      urgent('2:00:00', { people: 'responsible Zhang' }),
      ['0:00 Zhang by phone', '45:00 Zhang by phone', '1:30:00 Zhang by phone'],
    ],
    [
      'nobody in the whole chain: everybody of the community',
      emergency('3:00', { people: 'everybody Lin, He', channels: phones }),
      [
        '0:00 He by phone (last resort), Lin by phone (last resort)',
        '3:00 He by phone (last resort), Lin by phone (last resort)',
      ],
    ],
    [
      'nobody in the community either: the operators',
      emergency('0:00', { people: 'operator Ou', channels: { Ou: 'mail' } }),
      ['0:00 Ou by mail (last resort)'],
    ],
    [
      'nobody at all: looked for again each minute',
      emergency('2:00', { people: 'family Mei' }),
      ['0:00 nobody to tell', '1:00 nobody to tell', '2:00 nobody to tell'],
    ],
    [
      'nobody at all, then somebody comes on duty',
      emergency('2:00', { people: 'responsible', later: { '1:30': 'on duty Lin' }, channels: phones }),
      ['0:00 nobody to tell', '1:00 nobody to tell', '2:00 Lin by phone'],
    ],
    [
      'nobody for a silent resident: looked for again by the round',
      urgent('30:00', { people: 'operator Ou' }),
      ['0:00 nobody to tell', '30:00 nobody to tell'],
    ],
    [
      'a person without a channel is passed over',
      emergency('0:00', { channels: { ...phones, Zhang: '' } }),
      ['0:00 Lin by phone'],
    ],
    [
      'the roster changes between two steps: who is on duty now is told',
      emergency('1:00', { later: { '0:30': 'on duty He' }, channels: phones }),
      ['0:00 Zhang by phone', '1:00 He by phone'],
    ],
    [
      'who is responsible now and was not told yet is told in the next round',
      emergency('6:00', { later: { '0:30': 'responsible He' }, channels: phones }),
      ['0:00 Zhang by phone', '1:00 Lin by phone', '3:00 Huang by phone', '6:00 He by phone'],
    ],
    [
      'nobody answers the phone anywhere: after the round the rest of the community too',
      emergency('9:00', {
        people: 'responsible Zhang; on duty Lin; supervisor Huang; everybody Zhang, Lin, Huang, He',
        channels: phones,
        unreached: '0',
      }),
      [
        '0:00 Zhang by phone',
        '1:00 Lin by phone',
        '3:00 Huang by phone',
        '6:00 He by phone (last resort)',
        '9:00 Zhang by phone',
      ],
    ],
    [
      'nobody answers a warning: no last resort',
      warning('6:00:00', { people: 'responsible Zhang; everybody He', unreached: '0' }),
      ['0:00 Zhang by phone', '5:00:00 Zhang by phone'],
    ],
  ],
  'the community has a policy of its own': [
    [
      'five steps',
      emergency('5:00', {
        policy: '0 responsible; 0:30 on duty; 1:00 neighbour; 2:00 supervisor; 4:00 everybody; again 1:00',
        people: 'responsible Zhang; on duty Lin; neighbour Wu; supervisor Huang; everybody Zhang, Lin, Huang, He',
        channels: { ...phones, Wu: 'phone' },
      }),
      [
        '0:00 Zhang by phone',
        '0:30 Lin by phone',
        '1:00 Wu by phone',
        '2:00 Huang by phone',
        '4:00 He by phone',
        '5:00 Zhang by phone',
      ],
    ],
    [
      'a person by name',
      emergency('2:00', { policy: '0 responsible; 2:00 Qian; again 3:00', channels: { ...phones, Qian: 'mail' } }),
      ['0:00 Zhang by phone', '2:00 Qian by mail'],
    ],
    [
      'responsible and on duty at once',
      emergency('0:00', { policy: '0 responsible, on duty all; again 3:00' }),
      ['0:00 Lin by phone and mail, Zhang by phone and mail'],
    ],
    [
      'only by certain channels',
      emergency('0:00', { policy: '0 responsible by sms, mail; again 3:00', channels: { Zhang: 'phone, mail, sms' } }),
      ['0:00 Zhang by mail and sms'],
    ],
    [
      'who has none of these channels is told by the first',
      emergency('0:00', { policy: '0 responsible by sms; again 3:00' }),
      ['0:00 Zhang by phone'],
    ],
    [
      'a warning that is told twice and then only stands on the console',
      warning('24:00:00', { policy: '0 responsible; again 2:00:00 x2' }),
      ['0:00 Zhang by phone', '2:00:00 Zhang by phone', '4:00:00 chain ended'],
    ],
    [
      'a warning told once, when nobody is there: not ended before somebody was told',
      warning('8:00:00', {
        policy: '0 responsible; again 2:00:00 x1',
        people: 'operator Ou',
        later: { '3:00:00': 'responsible Zhang' },
      }),
      ['0:00 nobody to tell', '2:00:00 nobody to tell', '4:00:00 Zhang by phone', '6:00:00 chain ended'],
    ],
    [
      'the family at the second step',
      emergency('1:00', {
        policy: '0 responsible; 1:00 on duty +family; again 3:00',
        people: 'responsible Zhang; on duty Lin; family Mei, Jun',
        channels: { ...phones, Mei: 'mail', Jun: 'phone' },
      }),
      ['0:00 Zhang by phone', '1:00 Lin by phone, Jun by phone (informed), Mei by phone (informed)'].map((line) =>
        line.replace('Mei by phone', 'Mei by mail'),
      ),
    ],
    [
      'the family of a step with nobody is informed with the next',
      emergency('1:00', {
        policy: '0 responsible; 1:00 on duty +family; 2:00 supervisor; again 3:00',
        people: 'responsible Zhang; supervisor Huang; family Mei',
        channels: { ...phones, Mei: 'mail' },
      }),
      ['0:00 Zhang by phone', '1:00 Huang by phone, Mei by mail (informed)'],
    ],
    [
      'the family is never alone: nobody in the chain, the last resort is told with them',
      emergency('0:00', {
        policy: '0 responsible +family; again 3:00',
        people: 'everybody He; family Mei',
        channels: { ...phones, Mei: 'mail' },
      }),
      ['0:00 He by phone (last resort), Mei by mail (informed)'],
    ],
    [
      'everybody at once',
      emergency('0:00', { policy: '0 everybody; again 1:00', people: 'everybody Lin, He, Zhang', channels: phones }),
      ['0:00 He by phone, Lin by phone, Zhang by phone'],
    ],
    [
      'one step alone repeats by its pause',
      emergency('4:00', { policy: '0 on duty; again 2:00', channels: phones }),
      ['0:00 Lin by phone', '2:00 Lin by phone', '4:00 Lin by phone'],
    ],
  ],
  'somebody has taken it and then nothing more is heard': [
    [
      'acknowledged, and not on the way after 2 min',
      emergency('3:00', { channels: phones, done: ['0:30 Zhang acknowledges'] }),
      ['0:00 Zhang by phone', '2:30 comes back: Zhang by phone'],
    ],
    [
      'on the way, and not at the door after 10 min',
      emergency('12:00', { channels: phones, done: ['0:30 Zhang acknowledges', '1:30 Zhang on the way'] }),
      ['0:00 Zhang by phone', '11:30 comes back: Zhang by phone'],
    ],
    [
      'at the door, and not closed after 45 min',
      emergency('54:30', { channels: phones, done: ['0:30 Zhang on the way', '9:00 Zhang at the door'] }),
      ['0:00 Zhang by phone', '54:00 comes back: Zhang by phone'],
    ],
    [
      'who had it is told first of all, with the first of the chain',
      emergency('4:00', { channels: phones, done: ['1:10 Lin acknowledges'] }),
      ['0:00 Zhang by phone', '1:00 Lin by phone', '3:10 comes back: Lin by phone, Zhang by phone'],
    ],
    [
      'and then it goes up the chain again',
      emergency('7:00', { channels: phones, done: ['0:30 Zhang acknowledges'] }),
      ['0:00 Zhang by phone', '2:30 comes back: Zhang by phone', '3:30 Lin by phone', '5:30 Huang by phone'],
    ],
    [
      'a step forward begins its own time',
      emergency('40:00', {
        channels: phones,
        done: ['0:30 Zhang acknowledges', '2:20 Zhang on the way', '12:00 Zhang at the door'],
      }),
      ['0:00 Zhang by phone'],
    ],
    [
      'closed: nothing more',
      emergency('99:00:00', { channels: phones, done: ['0:30 Zhang closes'] }),
      ['0:00 Zhang by phone'],
    ],
    [
      'closed after all the stages: nothing more',
      emergency('99:00:00', {
        channels: phones,
        done: ['0:30 Zhang acknowledges', '1:00 Zhang on the way', '8:00 Zhang at the door', '30:00 Zhang closes'],
      }),
      ['0:00 Zhang by phone'],
    ],
    [
      'came back, taken by another, came back again: counted on',
      emergency('10:00', { channels: phones, done: ['0:30 Zhang acknowledges', '3:40 Lin acknowledges'] }),
      [
        '0:00 Zhang by phone',
        '2:30 comes back: Zhang by phone',
        '3:30 Lin by phone',
        '5:40 comes back: Lin by phone, Zhang by phone',
        '6:40 Lin by phone',
        '8:40 Huang by phone',
      ]
        .filter((line) => line !== '6:40 Lin by phone' && line !== '8:40 Huang by phone')
        .concat(['6:40 Huang by phone', '9:40 Zhang by phone']),
    ],
    [
      'silence, acknowledged: half an hour to be on the way',
      urgent('45:00', { done: ['5:00 Zhang acknowledges'] }),
      ['0:00 Zhang by phone', '35:00 comes back: Zhang by phone'],
    ],
    [
      'silence, on the way: an hour',
      urgent('1:10:00', { done: ['5:00 Zhang on the way'] }),
      ['0:00 Zhang by phone', '1:05:00 comes back: Zhang by phone'],
    ],
    [
      'a warning may stay for a day',
      warning('25:00:00', { done: ['30:00 Zhang acknowledges'] }),
      ['0:00 Zhang by phone', '24:30:00 comes back: Zhang by phone'],
    ],
    [
      'timers of the community',
      emergency('6:00', { channels: phones, stages: '5:00 10:00 45:00', done: ['0:30 Zhang acknowledges'] }),
      ['0:00 Zhang by phone', '5:30 comes back: Zhang by phone'],
    ],
    [
      'a warning that may stay where it is',
      warning('99:00:00', { stages: '- - -', done: ['30:00 Zhang acknowledges'] }),
      ['0:00 Zhang by phone'],
    ],
    [
      'who had it has left since: the chain without that person',
      emergency('4:00', { channels: { ...phones, Lin: '' }, done: ['0:30 Lin acknowledges'] }),
      ['0:00 Zhang by phone', '2:30 comes back: Zhang by phone', '3:30 Huang by phone'],
    ],
    [
      'nobody in the chain any more: who had it is told, and then it is looked for somebody each minute',
      emergency('3:40', {
        people: 'responsible Zhang',
        later: { '1:00': 'responsible' },
        channels: phones,
        done: ['0:30 Zhang acknowledges'],
      }),
      ['0:00 Zhang by phone', '2:30 comes back: Zhang by phone', '3:30 nobody to tell'],
    ],
  ],
  'a step that is taken until it is closed': [
    [
      'the supervisor after 30 min, though somebody is at the door',
      emergency('40:00', {
        policy: '0 responsible; unless closed 5:00 supervisor; again 3:00',
        stages: '15:00 15:00 45:00',
        channels: phones,
        done: ['0:30 Zhang acknowledges', '2:00 Zhang at the door'],
      }),
      ['0:00 Zhang by phone', '5:00 Huang by phone'],
    ],
    [
      'not to the one who has it',
      emergency('20:00', {
        policy: '0 responsible; unless closed 5:00 supervisor; again 3:00',
        stages: '15:00 15:00 45:00',
        channels: phones,
        done: ['0:30 Huang acknowledges', '2:00 Huang at the door'],
      }),
      ['0:00 Zhang by phone'],
    ],
    [
      'closed before: nobody',
      emergency('20:00', {
        policy: '0 responsible; unless closed 5:00 supervisor; again 3:00',
        channels: phones,
        done: ['0:30 Zhang acknowledges', '2:00 Zhang closes'],
      }),
      ['0:00 Zhang by phone'],
    ],
    [
      'nobody has acknowledged: it is a step like the others',
      emergency('8:00', { policy: '0 responsible; unless closed 5:00 supervisor; again 3:00', channels: phones }),
      ['0:00 Zhang by phone', '5:00 Huang by phone', '8:00 Zhang by phone'],
    ],
    [
      'steps before it that waited for an acknowledgement are left out',
      urgent('50:00', {
        policy: '0 responsible; 10:00 on duty; unless closed 40:00 supervisor +family; again 30:00',
        people: 'responsible Zhang; on duty Lin; supervisor Huang; family Mei',
        stages: '- - -',
        done: ['5:00 Zhang acknowledges'],
      }),
      ['0:00 Zhang by phone', '40:00 Huang by phone, Mei by phone (informed)'],
    ],
    [
      'it comes back first: counted from the new round',
      emergency('9:00', {
        policy: '0 responsible; unless closed 5:00 supervisor; again 3:00',
        channels: phones,
        done: ['0:30 Zhang acknowledges'],
      }),
      ['0:00 Zhang by phone', '2:30 comes back: Zhang by phone', '7:30 Huang by phone'],
    ],
    [
      'two such steps',
      urgent('3:00:00', {
        policy: '0 responsible; unless closed 30:00 on duty; unless closed 1:00:00 supervisor; again 30:00',
        stages: '- - -',
        done: ['5:00 Zhang acknowledges'],
      }),
      ['0:00 Zhang by phone', '30:00 Lin by phone', '1:00:00 Huang by phone'],
    ],
    [
      'nobody there for it: passed over without a word',
      urgent('3:00:00', {
        policy: '0 responsible; unless closed 30:00 on duty; unless closed 1:00:00 supervisor; again 30:00',
        people: 'responsible Zhang; supervisor Huang',
        stages: '- - -',
        done: ['5:00 Zhang acknowledges'],
      }),
      ['0:00 Zhang by phone', '1:00:00 Huang by phone'],
    ],
  ],
  'somebody sleeps': [
    [
      'an emergency wakes everybody',
      emergency('1:00', { quiet: 'Zhang 7:00:00; Lin 7:00:00', channels: phones }),
      ['0:00 Zhang by phone', '1:00 Lin by phone'],
    ],
    [
      'a warning waits for the first who gets up',
      warning('8:00:00', { quiet: 'Zhang 7:00:00; Huang 6:30:00', people: 'responsible Zhang; supervisor Huang' }),
      ['0:00 quiet hours', '6:30:00 Huang by phone'],
    ],
    [
      'silence goes to the colleague who is awake',
      urgent('15:00', { quiet: 'Zhang 7:00:00' }),
      ['0:00 Lin by phone', '15:00 Huang by phone'],
    ],
    [
      'who is on duty is awake, whatever the quiet hours say',
      urgent('0:00', { quiet: 'Zhang 7:00:00; Lin 7:00:00; Huang 7:00:00' }),
      ['0:00 Lin by phone'],
    ],
    [
      'everybody sleeps and a resident is silent for too long: the chain as by day',
      urgent('15:00', { quiet: 'Zhang 7:00:00; Huang 7:00:00', people: 'responsible Zhang; supervisor Huang' }),
      ['0:00 Zhang by phone', '15:00 Huang by phone'],
    ],
    [
      'a warning that comes back in the night waits too',
      warning('9:00:00', {
        quiet: 'Zhang 8:00:00; Lin 8:00:00; Huang 8:00:00',
        people: 'responsible Zhang; supervisor Huang',
        stages: '1:00:00 - -',
        done: ['30:00 Zhang acknowledges'],
      }),
      ['0:00 quiet hours', '1:30:00 returned', '8:00:00 Zhang by phone', '9:00:00 Huang by phone'],
    ],
    [
      'who is on duty and responsible at once is awake',
      urgent('0:00', { people: 'responsible Zhang; on duty Zhang; supervisor Huang', quiet: 'Zhang 7:00:00' }),
      ['0:00 Zhang by phone'],
    ],
    [
      'the last round of an urgent alert wakes those who sleep before it ends',
      urgent('2:00:00', {
        policy: '0 responsible; 30:00 supervisor; again 1:00:00 x1',
        people: 'responsible Zhang; supervisor Huang',
        quiet: 'Huang 7:00:00',
      }),
      ['0:00 Zhang by phone', '30:00 Huang by phone', '1:30:00 chain ended'],
    ],
    [
      'the family is left asleep by a warning',
      warning('0:00', {
        policy: '0 responsible +family; again 4:00:00',
        people: 'responsible Zhang; family Mei',
        quiet: 'Mei 7:00:00',
      }),
      ['0:00 Zhang by phone'],
    ],
    [
      'and woken by an emergency',
      emergency('0:00', {
        policy: '0 responsible +family; again 3:00',
        people: 'responsible Zhang; family Mei',
        quiet: 'Mei 7:00:00',
        channels: { ...phones, Mei: 'mail' },
      }),
      ['0:00 Zhang by phone, Mei by mail (informed)'],
    ],
  ],
}

for (const [what, rows] of Object.entries(tables))
  describe(what, () => {
    test.each(rows)('%s', (_, row, expected) => {
      expect(play(row)).toEqual(expected)
    })
  })

test('a supervisor can read at least 60 rows', () => {
  expect(Object.values(tables).flat().length).toBeGreaterThanOrEqual(60)
})

test('a step taken late leaves the next person the full time', () => {
  const chain = assembleChain(checkPolicy('emergency', policyWith([0, 60, 180])) as Policy, [
    { role: 'responsible', person: { staffId: 'zhang', channels: [{ position: 1, kind: 'sms' }] } },
    { role: 'on duty', person: { staffId: 'lin', channels: [{ position: 1, kind: 'sms' }] } },
  ])
  const first = begin('emergency', chain, 0)
  const late = advance({ severity: 'emergency', ...first, told: ['zhang'] }, chain, 600_000)
  expect(late).toMatchObject({ step: 2, dueAt: 600_000 + 120_000 })
})

test('a round in which nobody could be told counts as none: the first page is no repetition', () => {
  const policy = policyWith([0, 60])
  const nobody = assembleChain(policy, [])
  const first = begin('emergency', nobody, 0)
  expect(first).toMatchObject({ happened: 'nobody to tell', round: 0 })
  const later = advance({ severity: 'emergency', ...first, told: [] }, nobody, 60_000)
  expect(later).toMatchObject({ happened: 'nobody to tell', round: 0 })
  const somebody = assembleChain(policy, [
    { role: 'on duty', person: { staffId: 'lin', channels: [{ position: 1, kind: 'sms' }] } },
  ])
  expect(advance({ severity: 'emergency', ...later, told: [] }, somebody, 120_000)).toMatchObject({
    happened: 'told',
    round: 0,
    step: 2,
  })
})

test('from the middle of a chain the whole next round is looked at', () => {
  const policy = policyWith([0, 60, 120])
  const chain = assembleChain(policy, [
    { role: 'on duty', person: { staffId: 'lin', channels: [{ position: 1, kind: 'sms' }] } },
  ])
  // After step 2: step 3 holds nobody, step 1 of the next round neither.
  const state: EscalationState = { ...begin('emergency', chain, 0), severity: 'emergency', told: ['lin'] }
  expect(state.step).toBe(2)
  expect(advance(state, chain, 60_000)).toMatchObject({ happened: 'told', round: 1, step: 2 })
})

const policyWith = (afterSeconds: number[]): Policy => ({
  steps: afterSeconds.map((after, i) => ({
    afterSeconds: after,
    to: [targetRoles[i % 3]!],
    channels: 'all',
    family: false,
    condition: 'not acknowledged',
  })),
  repeatAfterSeconds: 180,
  roundsMax: null,
  stageSecondsMax: { acknowledged: 120, en_route: 600, arrived: 2_700 },
})

describe('for any roster, policy and sequence of failures', () => {
  const staffIds = ['zhang', 'lin', 'huang', 'he', 'wu', 'mei', 'ou']
  const steps = fc
    .array(
      fc.record({
        pause: fc.integer({ min: 1, max: 310 }),
        to: fc.array(
          fc.oneof(
            fc.constantFrom(...targetRoles),
            fc.constantFrom(...staffIds).map((staffId) => ({ staffId })),
          ),
          {
            minLength: 1,
            maxLength: 3,
          },
        ),
        channels: fc.oneof(fc.constantFrom('all' as const, 'first' as const), fc.constant(['sms'])),
        family: fc.boolean(),
        condition: fc.constantFrom(...conditions),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((each) => {
      let afterSeconds = -each[0]!.pause
      return each.map(({ pause, ...rest }) => {
        afterSeconds += pause
        return { ...rest, afterSeconds }
      })
    })
  const policies = fc.record({
    steps,
    repeatAfterSeconds: fc.integer({ min: 60, max: 310 }),
    roundsMax: fc.oneof({ weight: 19, arbitrary: fc.constant(null) }, { weight: 1, arbitrary: fc.constant(3) }),
    stageSecondsMax: fc.record({
      acknowledged: fc.integer({ min: 60, max: 1_000 }),
      en_route: fc.integer({ min: 60, max: 4_000 }),
      arrived: fc.integer({ min: 60, max: 16_000 }),
    }),
  })
  const channelsOf = (n: number) => ['sms', 'email'].slice(0, n).map((kind, i) => ({ position: i + 1, kind }))
  const candidates = fc.array(
    fc.record({
      role: fc.constantFrom<Candidate['role']>(...targetRoles, 'family', 'named'),
      person: fc.record({
        staffId: fc.constantFrom(...staffIds),
        channels: fc.integer({ min: 0, max: 2 }).map(channelsOf),
        quietUntil: fc.option(fc.constant(1e12)),
      }),
    }),
    { maxLength: 8 },
  )
  const operator: Candidate = { role: 'operator', person: { staffId: 'operator', channels: channelsOf(1) } }
  /** Who is there, and whether any page got through, in each of the hours that follow. */
  const story = fc.array(fc.record({ candidates, unreached: fc.boolean() }), { minLength: 1, maxLength: 6 })

  const seed = Math.floor(Math.random() * 1e9)
  test(`an emergency that nobody acknowledges reaches a human step at least every 10 min (seed ${seed})`, () => {
    let valid = 0
    fc.assert(
      fc.property(policies, story, (written, hours) => {
        const policy = checkPolicy('emergency', written)
        fc.pre(!('problem' in policy))
        valid++
        const at = (now: number) => hours[Math.floor(now / 3_600_000) % hours.length]!
        const chainAt = (now: number) => assembleChain(policy as Policy, [...at(now).candidates, operator])
        let now = 0
        let move = begin('emergency', chainAt(0), 0)
        let told = move.pages.map(({ staffId }) => staffId)
        let human = reachesHuman(move) ? 0 : Number.NEGATIVE_INFINITY
        while (now < 4 * 3_600_000) {
          // Plain comparisons: 100,000 times `expect` take longer than all the rest.
          if (move.stage !== 'open' || move.dueAt === null || move.dueAt <= now)
            throw new Error(`an emergency always has something due later: ${JSON.stringify(move)}`)
          now = move.dueAt
          const { round } = move
          move = advance({ severity: 'emergency', ...move, told, unreached: at(now).unreached }, chainAt(now), now)
          if (move.round !== round) told = []
          for (const { staffId } of move.pages) told.push(staffId)
          if (now - human > 600_000) throw new Error(`${now - human} ms since the last human step, at ${now}`)
          if (reachesHuman(move)) human = now
        }
      }),
      { seed, numRuns: 400 },
    )
    expect(valid).toBeGreaterThan(100)
  })

  test(`one that was taken comes back by itself, whoever is there (seed ${seed})`, () => {
    fc.assert(
      fc.property(
        policies,
        candidates,
        fc.constantFrom('acknowledged', 'en_route', 'arrived'),
        (written, people, stage) => {
          const policy = checkPolicy('emergency', written)
          fc.pre(!('problem' in policy))
          const chain = assembleChain(policy as Policy, [...people, operator])
          const opened = begin('emergency', chain, 0)
          let state: EscalationState = {
            severity: 'emergency',
            ...opened,
            stage: stage as Move['stage'],
            stageAt: 1_000,
            told: [],
          }
          for (let looks = 0; looks < 20; looks++) {
            const dueAt = takenDueAt(state, policy as Policy)
            expect(dueAt).not.toBeNull()
            const move = advance(state, chain, Math.max(1_000, dueAt!))
            if (move.happened === 'returned') {
              expect(move.stage).toBe('open')
              expect(move.round).toBeGreaterThan(opened.round)
              expect(reachesHuman(move)).toBe(true)
              return
            }
            expect(move.stage).toBe(stage)
            state = { ...state, step: move.step }
          }
          throw new Error('it never came back')
        },
      ),
      { seed, numRuns: 400 },
    )
  })

  const reachesHuman = ({ pages }: Move) => pages.some(({ informs }) => !informs)
})
