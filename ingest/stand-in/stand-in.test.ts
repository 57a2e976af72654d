import { Registry } from 'prom-client'
import { expect, onTestFinished, test } from 'vitest'
import type { Channel, Page, SendResult } from '../../alerts/channels/channel.js'
import type { Chain } from '../../alerts/escalation.js'
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
})
const person = (staffId: string, kinds: string[]): PersonCard => ({
  staffId,
  name: staffId,
  role: 'social_worker',
  language: 'zh',
  channels: kinds.map((kind, i) => ({ position: i + 1, kind, address: `${kind}:${staffId}`, secret: null })),
})
const everybody = [person('worker', ['webhook', 'email']), person('colleague', ['webhook']), person('boss', ['email'])]
const personOf = (staffId: string) => everybody.find((each) => each.staffId === staffId)
const step = (role: Chain[number]['role'], staffId: string): Chain[number] => ({
  role,
  people: [{ staffId, channels: personOf(staffId)!.channels.map(({ position, kind }) => ({ position, kind })) }],
})
const wholeChain: Chain = [step('responsible', 'worker'), step('on duty', 'colleague'), step('supervisor', 'boss')]

type Answer = SendResult | Promise<SendResult>
const sent: SendResult = { kind: 'sent', detail: 'ok' }

function scene({
  chain = wholeChain,
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
  const { alarm, press, looks, told } = scene({ chain: [] })
  expect(alarm(press()).alerts[0]).toMatchObject({ walked: true, pages: [] })
  expect(alarm(press({ residentId: 'nobody', deviceNo: 9 })).alerts).toEqual([])
  await looks()
  expect(told).toEqual([])
})
