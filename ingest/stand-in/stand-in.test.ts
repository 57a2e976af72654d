import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import { assembleChain, type Candidate, type Chain } from '../../alerts/chain.js'
import type { Channel, Page, SendResult } from '../../alerts/channels/channel.js'
import { checkPolicy, defaultPolicies, type Policy, type PolicyStep } from '../../alerts/policy.js'
import { manualClock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { eventually } from '../../test/support/processes.js'
import type { AlarmRow } from '../alarms.js'
import type { PersonCard, ResidentCard } from '../directory.js'
import type { StandInAlert } from './record.js'
import { createStandIn } from './stand-in.js'

const log = createLog({ role: 'test', level: 'silent' })
const start = new Date('2026-05-01T03:00:00Z')
const minute = 60_000

const resident = (residentId: string): ResidentCard => ({
  residentId,
  communityId: 'c',
  name: `示例·${residentId}`,
  address: '示例路 1 号',
  timeZone: 'Asia/Shanghai',
  phone: null,
  doorCode: '1234#',
  keyHolder: null,
  healthNote: null,
  responsibleStaffId: 'worker',
  volunteers: ['neighbour'],
  family: ['daughter'],
  synthetic: false,
})
const person = (staffId: string, kinds: string[], role: PersonCard['role'] = 'social_worker'): PersonCard => ({
  staffId,
  name: staffId,
  role,
  language: 'zh',
  channels: kinds.map((kind, i) => ({ position: i + 1, kind, address: `${kind}:${staffId}`, secret: null })),
})
const everybody = [
  person('worker', ['webhook', 'email']),
  person('colleague', ['webhook']),
  person('boss', ['email']),
  person('neighbour', ['webhook'], 'volunteer'),
  person('daughter', ['email', 'webhook'], 'family'),
]
const personOf = (staffId: string) => everybody.find((each) => each.staffId === staffId)
const candidate = (role: Candidate['role'], staffId: string): Candidate => ({
  role,
  person: { staffId, channels: personOf(staffId)!.channels.map(({ position, kind }) => ({ position, kind })) },
})
const staff = [candidate('responsible', 'worker'), candidate('on duty', 'colleague'), candidate('supervisor', 'boss')]
const wholeChain = assembleChain(defaultPolicies.emergency, staff)
const emptyChain = assembleChain(defaultPolicies.emergency, [])
const policyOf = (steps: Partial<PolicyStep>[]): Policy => {
  const like = defaultPolicies.emergency
  const policy = checkPolicy('emergency', { ...like, steps: steps.map((each) => ({ ...like.steps[0], ...each })) })
  if ('problem' in policy) throw new Error(policy.problem)
  return policy
}

type Answer = SendResult | Promise<SendResult>
const sent: SendResult = { kind: 'sent', detail: 'ok' }

function scene({
  chain = wholeChain as Chain,
  answer = (_to: string): Answer => sent,
  notes = new Map<number, StandInAlert[]>(),
} = {}) {
  const clock = manualClock(start)
  const told: { to: string; page: Page }[] = []
  const channel = (kind: string): Channel => ({
    kind,
    send: async (page, to) => {
      told.push({ to: to.address, page })
      return answer(to.address)
    },
    tell: async () => sent,
  })
  let nextId = 100
  const make = () => {
    const standIn = createStandIn({
      directory: {
        residentOf: (id) => (id === 'nobody' ? undefined : resident(id)),
        chainOf: () => chain,
        personOf,
      },
      shelf: {
        setNote: async (seq, alerts) => {
          notes.set(seq, structuredClone(alerts))
        },
      },
      channels: [channel('webhook'), channel('email')],
      publicUrl: 'https://example.org',
      takeAlertId: () => nextId++,
      clock,
      log,
      metrics: new Registry(),
    })
    standIn.start()
    onTestFinished(standIn.stop)
    return standIn
  }
  const standIn = make()
  const press = (changes: Partial<AlarmRow> = {}): AlarmRow => ({
    deviceNo: 7,
    kind: 'button',
    event: 'pressed',
    observedAt: clock.now().getTime(),
    receivedAt: clock.now().getTime(),
    clockWrong: false,
    retained: false,
    residentId: 'wang',
    room: '卫生间',
    ...changes,
  })
  let seq = 0
  const alarm = (row: AlarmRow, into = standIn) => {
    const alerts = into.judge([row], clock.now().getTime())
    const at = seq++
    if (alerts.length > 0) notes.set(at, structuredClone(alerts))
    into.page(alerts, at)
    return { alerts, seq: at }
  }
  const addresses = () => told.map(({ to }) => to)
  const count = (n: number) => eventually(`${n} told`, () => told.length >= n || undefined)
  const looks = () => new Promise((resolve) => setTimeout(resolve, 350))
  return { clock, told, notes, standIn, make, press, alarm, addresses, count, looks }
}

test('a press is told at once, through all channels of the first in the chain, and to nobody else yet', async () => {
  const { alarm, press, count, addresses, told, looks } = scene()
  alarm(press())
  await count(2)
  await looks()
  expect(addresses().sort()).toEqual(['email:worker', 'webhook:worker'])
  const { page } = told[0]!
  expect(page).toMatchObject({ alertId: '100', severity: 'emergency', kind: 'button', step: 1, round: 0 })
  expect(page.resident).toEqual({ id: 'wang', name: '示例·wang', address: '示例路 1 号' })
  expect(page.headline.zh).toContain('卫生间')
  expect(page.url).toMatch(/^https:\/\/example\.org\/p\/[A-Za-z0-9_-]{43}$/)
  expect(page.doorCode).toBe('1234#')
})

test('the same press sent again, and presses of the next minutes, are told once', async () => {
  const { alarm, press, count, looks, told, clock } = scene()
  const row = press()
  alarm(row)
  alarm(row)
  clock.advance(2 * minute - 61_000)
  alarm(press())
  await count(2)
  await looks()
  expect(told).toHaveLength(2)
})

test('the next step comes in its time; after the last one nobody is told again', async () => {
  const { alarm, press, count, looks, addresses, clock } = scene()
  alarm(press())
  await count(2)
  clock.advance(61_000)
  await count(3)
  clock.advance(2 * minute)
  await count(4)
  expect(addresses().slice(2)).toEqual(['webhook:colleague', 'email:boss'])
  clock.advance(60 * minute)
  await looks()
  expect(addresses()).toHaveLength(4)
})

test('where the first cannot be reached, the next is told at once', async () => {
  const { alarm, press, count, addresses, looks } = scene({
    answer: (to) => (to.endsWith('worker') ? { kind: 'refused', reason: 'gone' } : sent),
  })
  alarm(press())
  await count(3)
  await looks()
  expect(addresses().slice(2)).toEqual(['webhook:colleague'])
})

test('what does not get through is tried again, at most four times', async () => {
  const { alarm, press, count, addresses, clock, looks } = scene({
    answer: (to) => (to === 'webhook:worker' ? { kind: 'retry', afterMs: 1_000, detail: '503' } : sent),
  })
  alarm(press())
  for (let n = 2; n <= 5; n++) {
    await count(n)
    await looks()
    clock.advance(1_100)
  }
  await looks()
  expect(addresses().filter((to) => to === 'webhook:worker')).toHaveLength(4)
})

test('a test, a cancel and a clear tell nobody', async () => {
  const { alarm, press, looks, told } = scene()
  alarm(press({ event: 'test' }))
  alarm(press({ event: 'cancelled' }))
  alarm(press({ kind: 'smoke', event: 'clear', deviceNo: 8 }))
  await looks()
  expect(told).toEqual([])
})

test('a smoke alarm that this edge committed a moment ago is the same fire; a press is always told', async () => {
  const { alarm, press, standIn, clock, count, looks, addresses } = scene()
  const at = clock.now().getTime()
  standIn.committed(8, { alertId: 5, active: true, firstAt: at, lastAt: at, closedAt: null })
  clock.advance(minute)
  alarm(press({ kind: 'smoke', event: 'alarm', deviceNo: 8 }))
  await looks()
  expect(addresses()).toEqual([])
  alarm(press())
  await count(2)
})

test('carbon monoxide, help called by voice and what is news from memory are told; water on the floor waits', async () => {
  const { alarm, press, count, looks, told } = scene()
  alarm(press({ kind: 'leak', event: 'alarm', deviceNo: 1 }))
  alarm(press({ kind: 'voice', event: 'fine', deviceNo: 2 }))
  alarm(press({ kind: 'co', event: 'alarm', deviceNo: 3 }))
  alarm(press({ kind: 'voice', event: 'help', deviceNo: 2 }))
  alarm(press({ kind: 'smoke', event: 'alarm', deviceNo: 4, cached: true }))
  await count(6)
  await looks()
  expect([...new Set(told.map(({ page }) => page.kind))].sort()).toEqual(['co', 'smoke', 'voice'])
})

test('an alarm that this edge knows, said again from memory, tells nobody', async () => {
  const { alarm, press, standIn, clock, looks, told } = scene()
  const at = clock.now().getTime()
  standIn.committed(8, { alertId: 5, active: true, firstAt: at, lastAt: at, closedAt: at })
  clock.advance(60 * minute)
  alarm(press({ kind: 'smoke', event: 'alarm', deviceNo: 8, cached: true }))
  await looks()
  expect(told).toEqual([])
})

test('a press that the database has, sent again while it is away, is no news', async () => {
  const { alarm, press, standIn, count, looks, told, clock } = scene()
  const row = press()
  standIn.stored([row])
  alarm(row)
  await looks()
  expect(told).toEqual([])
  clock.advance(1_000)
  alarm(press())
  await count(2)
})

test('handed over, it takes no further step, and what is being sent is waited for', async () => {
  let answer: (result: SendResult) => void = () => {}
  const { alarm, press, count, standIn, clock, looks, addresses } = scene({
    answer: (to) => (to === 'webhook:worker' ? new Promise<SendResult>((resolve) => (answer = resolve)) : sent),
  })
  const row = press()
  alarm(row)
  await count(2)
  let handed: StandInAlert[] | undefined
  void standIn.handOver([row]).then((alerts) => {
    handed = alerts
  })
  clock.advance(61_000)
  await looks()
  expect(handed).toBeUndefined()
  answer(sent)
  await eventually('handed over', () => handed)
  expect(handed![0]!.pages.map(({ status }) => status)).toEqual(['sent', 'sent'])
  await looks()
  expect(addresses()).toHaveLength(2)
  standIn.takeBack()
  await count(3)
})

test('after a restart nobody is told again of what was noted, and the next step still comes', async () => {
  const { alarm, press, count, notes, make, clock, looks, addresses, standIn } = scene()
  alarm(press())
  await count(2)
  await eventually('noted', () => notes.get(0)![0]!.pages.every(({ status }) => status === 'sent') || undefined)
  await standIn.stop()
  const again = make()
  again.resume([...notes].map(([seq, note]) => ({ seq, note })))
  alarm(press(), again)
  await looks()
  expect(addresses()).toHaveLength(2)
  clock.advance(61_000)
  await looks()
  expect(addresses(), 'the database has not been asked yet').toHaveLength(2)
  again.takeBack()
  await count(3)
  expect(addresses().at(-1)).toBe('webhook:colleague')
})

test('a clock that jumps back an hour keeps nobody waiting for an hour', async () => {
  const { alarm, press, count, clock, addresses, looks } = scene({
    answer: (to) => (to === 'webhook:worker' ? { kind: 'retry', afterMs: 1_000, detail: '503' } : sent),
  })
  alarm(press())
  await count(2)
  await looks()
  clock.advance(-60 * minute)
  await eventually('tried again', () => addresses().filter((to) => to === 'webhook:worker').length >= 2 || undefined)
  await eventually('the next step', () => addresses().includes('webhook:colleague') || undefined)
})

test('an emergency that the disk refused is told all the same, once, and is noted when it is sent again', async () => {
  const { standIn, press, clock, count, looks, told, notes } = scene()
  const row = press()
  standIn.page(standIn.judge([row], clock.now().getTime()), undefined)
  await count(2)
  expect(standIn.judge([row], clock.now().getTime())).toEqual([])
  standIn.adopt([row], 40)
  await eventually('noted', () => notes.get(40))
  expect((await standIn.handOver([row]))[0]!.pages).toHaveLength(2)
  await looks()
  expect(told).toHaveLength(2)
})

test('with nobody in the chain, or a resident whom this edge does not know, nothing is lost: the database will page', async () => {
  const { alarm, press, looks, told } = scene({ chain: emptyChain })
  expect(alarm(press()).alerts[0]).toMatchObject({ walked: true, pages: [] })
  expect(alarm(press({ residentId: 'nobody', deviceNo: 9 })).alerts).toEqual([])
  await looks()
  expect(told).toEqual([])
})

test('a policy of five steps is walked as the community has it, a neighbour and somebody by name among them', async () => {
  const policy = policyOf([
    { to: ['responsible'], channels: 'first' },
    { to: ['neighbour'], afterSeconds: 30 },
    { to: ['on duty'], afterSeconds: 90, channels: ['email'] },
    { to: [{ staffId: 'boss' }], afterSeconds: 100 },
    { to: ['supervisor'], afterSeconds: 200 },
  ])
  const chain = assembleChain(policy, [...staff, candidate('neighbour', 'neighbour'), candidate('named', 'boss')])
  const { alarm, press, count, looks, addresses, told, clock, notes } = scene({ chain })
  alarm(press())
  await count(1)
  await looks()
  for (const [n, seconds] of [
    [2, 30],
    [3, 60],
    [4, 10],
  ] as const) {
    clock.advance((seconds - 1) * 1_000)
    await looks()
    expect(told).toHaveLength(n - 1)
    clock.advance(1_000)
    await count(n)
  }
  expect(addresses()).toEqual(['webhook:worker', 'webhook:neighbour', 'webhook:colleague', 'email:boss'])
  expect(told.map(({ page }) => [page.step, page.audience])).toEqual([
    [1, 'staff'],
    [2, 'volunteer'],
    [3, 'staff'],
    [4, 'staff'],
  ])
  // The fifth step holds nobody who was not told: the database goes on from there.
  clock.advance(100_000)
  await looks()
  expect(told).toHaveLength(4)
  expect(notes.get(0)![0]).toMatchObject({ steps: 5, step: 4, walked: true })
})

test('the family is informed with the step that says so: no link that acknowledges, and it counts as nobody reached', async () => {
  const policy = policyOf([
    { to: ['responsible'], family: true },
    { to: ['on duty'], afterSeconds: 120 },
  ])
  const { alarm, press, count, looks, addresses, told, notes } = scene({
    chain: assembleChain(policy, [...staff, candidate('family', 'daughter')]),
    answer: (to) => (to.endsWith('worker') ? { kind: 'refused', reason: 'gone' } : sent),
  })
  alarm(press())
  await count(5)
  await looks()
  expect(addresses().sort()).toEqual([
    'email:daughter',
    'email:worker',
    'webhook:colleague',
    'webhook:daughter',
    'webhook:worker',
  ])
  const toFamily = told.filter(({ page }) => page.audience === 'family').map(({ page }) => page.url)
  expect(toFamily).toEqual(['https://example.org/', 'https://example.org/'])
  const pages = notes.get(0)![0]!.pages
  expect(pages.filter(({ informs }) => informs).map(({ staffId, linkHashes }) => [staffId, linkHashes])).toEqual([
    ['daughter', []],
    ['daughter', []],
  ])
})

test('where a step takes one channel, the next of that person takes over from one that fails', async () => {
  const policy = policyOf([
    { to: ['responsible'], channels: 'first' },
    { to: ['on duty'], afterSeconds: 120 },
  ])
  const { alarm, press, count, looks, addresses, notes, clock } = scene({
    chain: assembleChain(policy, staff),
    answer: (to) => (to === 'webhook:worker' ? { kind: 'retry', afterMs: 30_000, detail: '429', limited: true } : sent),
  })
  alarm(press())
  await count(2)
  await looks()
  expect(addresses()).toEqual(['webhook:worker', 'email:worker'])
  expect(notes.get(0)![0]!.pages.map(({ step, status }) => [step, status])).toEqual([
    [1, 'failed'],
    [1, 'sent'],
  ])
  clock.advance(120_000)
  await count(3)
})

test('when nobody of the chain can be reached, everybody else of the community is told, once', async () => {
  const { alarm, press, count, looks, addresses, clock } = scene({
    chain: assembleChain(policyOf([{ to: ['responsible'] }, { to: ['on duty'], afterSeconds: 60 }]), [
      ...staff,
      candidate('everybody', 'worker'),
      candidate('everybody', 'boss'),
    ]),
    answer: (to) => (/worker|colleague/.test(to) ? { kind: 'refused', reason: 'gone' } : sent),
  })
  alarm(press())
  await count(4)
  await looks()
  expect(addresses().sort()).toEqual(['email:boss', 'email:worker', 'webhook:colleague', 'webhook:worker'])
  clock.advance(60 * minute)
  await looks()
  expect(addresses()).toHaveLength(4)
})

test('what an older Shouwang has left in the journal goes on', async () => {
  const { alarm, press, count, notes, make, clock, addresses, standIn } = scene()
  alarm(press())
  await count(2)
  await eventually('noted', () => notes.get(0)![0]!.pages.every(({ status }) => status === 'sent') || undefined)
  await standIn.stop()
  const again = make()
  const old = notes.get(0)!.map(({ steps: _, pages, ...alert }) => ({
    ...alert,
    pages: pages.map(({ informs: _, condition: __, ...page }) => page),
  }))
  again.resume([{ seq: 0, note: old }])
  again.takeBack()
  clock.advance(61_000)
  await count(3)
  expect(addresses().at(-1)).toBe('webhook:colleague')
})

test('an alarm that goes on and off is one while the chain is being told of it, and another after that', async () => {
  const { alarm, press, count, looks, clock } = scene()
  const smoke = (event: 'alarm' | 'clear') => alarm(press({ kind: 'smoke', event })).alerts
  expect(smoke('alarm')).toHaveLength(1)
  await count(2)
  for (let times = 0; times < 3; times++) {
    clock.advance(5_000)
    expect(smoke('clear')).toEqual([])
    clock.advance(5_000)
    expect(smoke('alarm')).toEqual([])
  }
  clock.advance(minute)
  await count(3)
  clock.advance(3 * minute)
  await count(4)
  clock.advance(6 * minute)
  await looks()
  expect(smoke('clear')).toEqual([])
  clock.advance(5_000)
  expect(smoke('alarm')).toHaveLength(1)
})
