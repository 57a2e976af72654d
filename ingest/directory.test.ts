import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import type { DirectorySource, GatewayRecord } from '../db/directory.js'
import { systemClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createDirectory, type Directory, DirectoryUnavailable } from './directory.js'
import {
  createDice,
  createFakeShelf,
  createFakeSource,
  generateWorld,
  plainGateway,
  type World,
} from './directory-testkit.js'
import { isStorageFailure } from './storage-failure.js'

const start = Date.parse('2026-06-01T04:00:00Z')
const log = createLog({ role: 'test', level: 'silent' })
const answerMs = 3

type Asked = { method: keyof DirectorySource; keys: number; at: number }

let world: World
let asked: Asked[]
let state: 'well' | 'away' | 'hanging'
let under: number
let underMax: number
let directory: Directory
let shelf: ReturnType<typeof createFakeShelf>

/** The fake source behind a line that takes 3 ms, fails or hangs, and that notes what is asked. */
function lineTo(source: DirectorySource): DirectorySource {
  async function over<T>(method: Asked['method'], keys: number, ask: () => Promise<T>): Promise<T> {
    asked.push({ method, keys, at: Date.now() })
    underMax = Math.max(underMax, ++under)
    try {
      if (state === 'away') throw new Error('connection refused')
      while (state === 'hanging') await new Promise((resolve) => setTimeout(resolve, 100))
      const answer = await ask()
      await new Promise((resolve) => setTimeout(resolve, answerMs))
      return answer
    } finally {
      under--
    }
  }
  return {
    gateways: (ids) => over('gateways', ids.length, () => source.gateways(ids)),
    boundDevices: (ids) => over('boundDevices', ids.length, () => source.boundDevices(ids)),
    communities: (ids, now) => over('communities', ids.length, () => source.communities(ids, now)),
    people: (ids) => over('people', ids.length, () => source.people(ids)),
    operators: () => over('operators', 1, () => source.operators()),
  }
}

const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms)
/** The outcome of a promise after `ms` of the virtual time. */
async function outcomeOf<T>(ms: number, promise: T | Promise<T>) {
  const settled = Promise.resolve(promise).catch((error: Error) => error)
  await pass(ms)
  return Promise.race([settled, Promise.resolve('nothing yet' as const)])
}
const countOf = (method: Asked['method']) => asked.filter((each) => each.method === method).length
const open = (gatewaysMax?: number) =>
  createDirectory({
    source: lineTo(createFakeSource(world)),
    shelf: shelf.shelf,
    clock: systemClock,
    log,
    ...(gatewaysMax && { gatewaysMax }),
  })

beforeEach(async () => {
  vi.useFakeTimers({ now: start })
  world = generateWorld({ seed: 7, now: start })
  asked = []
  state = 'well'
  under = 0
  underMax = 0
  shelf = createFakeShelf()
  directory = open()
  await directory.start()
  await pass(20)
})
afterEach(async () => {
  state = 'well'
  const stopped = directory.stop()
  await pass(2_000)
  await stopped
  vi.useRealTimers()
})

const bindDevice = (deviceId: string, gatewayId: string) =>
  world.devices.push({
    deviceNo: 9_000 + world.devices.length,
    deviceId,
    kind: 'button',
    residentId: 'r-1',
    room: '',
    gatewayId,
    unbound: false,
  })
const oneDeviceHome = (gatewayId: string): GatewayRecord => ({
  ...plainGateway,
  gatewayId,
  secretHash: '',
  disabled: false,
  devices: [{ deviceNo: 1, deviceId: 'w', kind: 'water', residentId: 'r-1', room: '' }],
})
const deviceOf = (gatewayId: string) => world.devices.find((d) => d.gatewayId === gatewayId && !d.unbound)!

describe('a device', () => {
  test('is found at once when the card is at hand, and asked for when it is not', async () => {
    const { deviceId, deviceNo } = deviceOf('g-1')
    expect(await outcomeOf(10, directory.lookUp('g-1', deviceId))).toMatchObject({
      kind: 'found',
      device: { deviceNo },
    })
    expect(directory.lookUp('g-1', deviceId)).toMatchObject({ kind: 'found', device: { deviceNo } })
    expect(countOf('gateways')).toBe(1)
  })
  test('newly bound is seen within about a second, on a gateway with many devices too', async () => {
    for (let i = 0; i < 40; i++) bindDevice(`crowd-${i}`, 'g-1')
    await outcomeOf(10, directory.lookUp('g-1', deviceOf('g-1').deviceId))
    bindDevice('new', 'g-1')
    expect(await outcomeOf(200, directory.lookUp('g-1', 'new'))).toMatchObject({ kind: 'device of another gateway' })
    await pass(900)
    expect(await outcomeOf(50, directory.lookUp('g-1', 'new'))).toMatchObject({ kind: 'found' })
    expect(directory.lookUp('g-1', 'crowd-39')).toMatchObject({ kind: 'found' })
  })
  test('taken away is gone after 15 s from a gateway in use, after 60 s from any', async () => {
    const [active, quiet] = [deviceOf('g-1'), deviceOf('g-2')]
    await outcomeOf(
      50,
      Promise.all([directory.lookUp('g-1', active.deviceId), directory.lookUp('g-2', quiet.deviceId)]),
    )
    active.unbound = quiet.unbound = true
    await pass(14_000)
    expect(directory.lookUp('g-1', active.deviceId)).toMatchObject({ kind: 'found' })
    await pass(1_500)
    expect(directory.lookUp('g-1', active.deviceId)).toMatchObject({ kind: 'found' })
    expect(await outcomeOf(400, directory.lookUp('g-1', active.deviceId))).toMatchObject({ kind: 'found' })
    expect(await outcomeOf(200, directory.lookUp('g-1', active.deviceId))).toEqual({ kind: 'unknown device' })
    await pass(50_000)
    expect(await outcomeOf(200, directory.lookUp('g-2', quiet.deviceId))).toEqual({ kind: 'unknown device' })
  })
  test('of nobody, and of another gateway, are told apart', async () => {
    expect(await outcomeOf(200, directory.lookUp('g-1', 'nobody'))).toEqual({ kind: 'unknown device' })
    const foreign = deviceOf('g-2').deviceId
    expect(await outcomeOf(200, directory.lookUp('g-1', foreign))).toEqual({ kind: 'device of another gateway' })
    expect(await outcomeOf(200, directory.lookUp('no-gateway', foreign))).toEqual({ kind: 'device of another gateway' })
  })
  test.each(['a b', 'x'.repeat(65), '', '设备', 'a/b'])('id that is none (%j) is not asked for', async (id) => {
    asked = []
    expect(await outcomeOf(10, directory.lookUp('g-1', id))).toEqual({ kind: 'unknown device' })
    expect(await outcomeOf(10, directory.lookUp(id, 'g-1-water'))).toEqual({ kind: 'unknown device' })
    expect(await outcomeOf(10, directory.findGateway(id))).toBeUndefined()
    expect(asked).toEqual([])
  })
})

describe('questions are grouped', () => {
  test('2,000 gateways that come back at once cost a handful of queries, one under way at a time', async () => {
    const ids = Array.from({ length: 2_000 }, (_, i) => `g-${i}`)
    await pass(1_000)
    asked = []
    underMax = 0
    const found = await outcomeOf(200, Promise.all(ids.map((id) => directory.findGateway(id))))
    expect(found).toHaveLength(2_000)
    expect(countOf('gateways')).toBe(5)
    expect(Math.max(...asked.map(({ keys }) => keys))).toBe(500)
    // Communities and people may be asked for beside gateways.
    expect(underMax).toBeLessThanOrEqual(3)
  })
  test.each([
    { gateways: 4_000, everyMs: 1_000, jitterMs: 0, queriesPerSecondMax: 1 },
    { gateways: 30_000, everyMs: 60_000, jitterMs: 20_000, queriesPerSecondMax: 42 },
  ])(
    '$gateways gateways that publish every $everyMs ms cost at most $queriesPerSecondMax loads a second',
    {
      timeout: 60_000,
    },
    async (load) => {
      const source = lineTo({
        ...createFakeSource(world),
        gateways: async (ids) => ({ gateways: ids.map(oneDeviceHome), residents: [] }),
      })
      const busy = createDirectory({ source, shelf: { ...shelf.shelf, put: () => {} }, clock: systemClock, log })
      const dice = createDice(5)
      const nextAt = Array.from({ length: load.gateways }, () => dice() * load.everyMs)
      const slots = new Map<number, number[]>()
      const plan = (gateway: number, at: number) => {
        const slot = Math.ceil(at / 5)
        const others = slots.get(slot)
        if (others) others.push(gateway)
        else slots.set(slot, [gateway])
      }
      nextAt.forEach((at, gateway) => void plan(gateway, at))
      let late = 0
      let sent = 0
      const warmUpMs = 2 * load.everyMs
      for (let ms = 0; ms < warmUpMs + 20_000; ms += 5) {
        if (ms === warmUpMs) {
          asked = []
          late = sent = 0
        }
        for (const gateway of slots.get(ms / 5) ?? []) {
          sent++
          if (busy.lookUp(`g-${gateway}`, 'w') instanceof Promise) late++
          plan(gateway, ms + load.everyMs + (dice() - 0.5) * load.jitterMs)
        }
        slots.delete(ms / 5)
        await pass(5)
      }
      console.log(`${sent / 20} messages/s, ${late / 20} waited, ${countOf('gateways') / 20} queries/s`)
      expect(sent).toBeGreaterThan((20_000 * load.gateways) / load.everyMs / 1.1)
      expect(late / sent).toBeLessThan(0.6)
      expect(countOf('gateways') / 20).toBeLessThanOrEqual(load.queriesPerSecondMax)
      await busy.stop()
    },
  )
  test('a gateway that asks for foreign and unknown devices 500 times a second costs a few', async () => {
    await outcomeOf(10, directory.lookUp('g-1', deviceOf('g-1').deviceId))
    asked = []
    const foreign = deviceOf('g-2').deviceId
    const outcomes: unknown[] = []
    for (let i = 0; i < 2_500; i++) {
      void Promise.resolve(directory.lookUp('g-1', i % 2 ? foreign : `made-up-${i}`)).then((o) => outcomes.push(o.kind))
      await pass(2)
    }
    await pass(300)
    expect(outcomes).toHaveLength(2_500)
    expect(outcomes.filter((kind) => kind === 'device of another gateway')).toHaveLength(1_250)
    expect(countOf('gateways')).toBeLessThanOrEqual(6)
    expect(countOf('boundDevices')).toBeLessThanOrEqual(52)
    await outcomeOf(200, directory.lookUp('g-1', foreign))
    asked = []
    for (let i = 0; i < 100; i++) await outcomeOf(100, directory.lookUp('g-1', foreign))
    expect(countOf('boundDevices')).toBeLessThanOrEqual(1)
  })
})

describe('while the database is away', () => {
  beforeEach(async () => {
    for (let i = 0; i < 10; i++) void directory.findGateway(`g-${i}`)
    await pass(1_000)
    await pass(60_000)
    await pass(1_000)
  })

  test('what was known answers at once, for hours; who is called too', async () => {
    const { deviceId } = deviceOf('g-1')
    const { residentId } = deviceOf('g-1')
    const chain = directory.chainOf(residentId, Date.now())
    expect(chain.steps.flatMap(({ people }) => people).length).toBeGreaterThan(0)
    state = 'away'
    expect(await outcomeOf(10, directory.lookUp('g-1', deviceId))).toMatchObject({ kind: 'found' })
    const since = Date.now()
    for (let hour = 0; hour < 5; hour++) {
      await pass(3_600_000)
      expect(directory.lookUp('g-1', deviceId)).toMatchObject({ kind: 'found' })
      expect(await outcomeOf(0, directory.findGateway('g-1'))).toMatchObject({ gatewayId: 'g-1', secretHash: 'hash-1' })
    }
    expect(directory.chainOf(residentId, since)).toEqual(chain)
    expect(directory.operators().length).toBeGreaterThan(0)
    expect(Date.now() - directory.refreshedAt()!).toBeGreaterThan(5 * 3_600_000)
  })
  test('what was never known is unavailable, not unknown', async () => {
    state = 'away'
    for (const answer of [
      await outcomeOf(50, directory.lookUp('g-1', 'new')),
      await outcomeOf(50, directory.lookUp('g-20', 'new')),
      await outcomeOf(50, directory.findGateway('g-20')),
    ]) {
      expect(answer).toBeInstanceOf(DirectoryUnavailable)
      expect(isStorageFailure(answer)).toBe(true)
    }
  })
  test('a device that is missing on a card of this moment is unavailable too', async () => {
    await outcomeOf(20, directory.findGateway('g-1'))
    state = 'away'
    expect(await outcomeOf(200, directory.lookUp('g-1', 'new'))).toBeInstanceOf(DirectoryUnavailable)
  })
  test('it is asked once a second, whoever wants to know', async () => {
    state = 'away'
    await pass(20_000)
    asked = []
    for (let i = 0; i < 1_000; i++) {
      for (const id of ['g-1', 'g-2', 'g-25', `g-${i}`]) {
        void Promise.resolve(directory.lookUp(id, deviceOf('g-1').deviceId)).catch(() => undefined)
        void directory.findGateway(id).catch(() => undefined)
      }
      await pass(10)
    }
    expect(countOf('gateways')).toBeLessThanOrEqual(11)
    expect(countOf('gateways')).toBeGreaterThanOrEqual(8)
    expect(countOf('operators')).toBeLessThanOrEqual(11)
  })
  test('and hangs, an old card answers within 1.5 s, then at once; no second query joins the one that hangs', async () => {
    await pass(120_000)
    const { deviceId } = deviceOf('g-1')
    state = 'hanging'
    asked = []
    const first = directory.lookUp('g-1', deviceId)
    expect(await outcomeOf(1_400, first)).toBe('nothing yet')
    expect(await outcomeOf(150, first)).toMatchObject({ kind: 'found' })
    for (let i = 0; i < 8; i++) {
      await pass(1_000)
      expect(directory.lookUp('g-1', deviceId)).toMatchObject({ kind: 'found' })
      expect(await outcomeOf(0, directory.lookUp('g-20', 'x'))).toBeInstanceOf(DirectoryUnavailable)
    }
    expect(countOf('gateways')).toBe(1)
    state = 'well'
    await pass(1_500)
    expect(await outcomeOf(50, directory.lookUp('g-20', deviceOf('g-20').deviceId))).toMatchObject({ kind: 'found' })
  })
  test('and comes back, what changed meanwhile is seen', async () => {
    state = 'away'
    await pass(100_000)
    const device = deviceOf('g-1')
    expect(await outcomeOf(10, directory.lookUp('g-1', device.deviceId))).toMatchObject({ kind: 'found' })
    device.unbound = true
    world.gateways = world.gateways.filter(({ gatewayId }) => gatewayId !== 'g-2')
    state = 'well'
    await pass(1_000)
    void directory.lookUp('g-1', device.deviceId)
    void directory.findGateway('g-2')
    await pass(1_000)
    expect(await outcomeOf(200, directory.lookUp('g-1', device.deviceId))).toEqual({ kind: 'unknown device' })
    expect(await outcomeOf(200, directory.findGateway('g-2'))).toBeUndefined()
    expect(shelf.kept.has('gateway/g-2')).toBe(false)
  })
})

describe('the clock', () => {
  test('that jumps back an hour makes no answer about a foreign device stay for an hour', async () => {
    const foreign = deviceOf('g-2')
    expect(await outcomeOf(200, directory.lookUp('g-1', foreign.deviceId))).toEqual({
      kind: 'device of another gateway',
    })
    vi.setSystemTime(start - 3_600_000)
    foreign.unbound = true
    expect(await outcomeOf(200, directory.lookUp('g-1', foreign.deviceId))).toEqual({ kind: 'unknown device' })
  })
  test('that jumps back an hour makes nothing stay for an hour', async () => {
    const device = deviceOf('g-1')
    const resident = world.residents.find(({ residentId }) => residentId === device.residentId)!
    await outcomeOf(50, directory.lookUp('g-1', device.deviceId))
    await outcomeOf(200, directory.lookUp('g-1', 'new'))
    await pass(1_000)
    const supervisor = world.staff.find(({ role, disabled }) => role === 'operator' && !disabled)!
    vi.setSystemTime(start - 3_600_000)
    device.unbound = true
    resident.doorCode = 'changed'
    supervisor.disabled = true
    bindDevice('new', 'g-1')
    expect(await outcomeOf(200, directory.lookUp('g-1', device.deviceId))).toEqual({ kind: 'unknown device' })
    expect(await outcomeOf(200, directory.lookUp('g-1', 'new'))).toMatchObject({ kind: 'found' })
    await pass(62_000)
    expect(directory.operators().map(({ staffId }) => staffId)).not.toContain(supervisor.staffId)
  })
})

describe('the shelf', () => {
  test('gets each card once, and again only when it changed', async () => {
    for (let i = 0; i < 10; i++) void directory.findGateway(`g-${i}`)
    await pass(3_000)
    expect(shelf.writes.filter((write) => write.startsWith('put gateway/'))).toHaveLength(10)
    expect(new Set(shelf.writes).size).toBe(shelf.writes.length)
    for (const kind of ['resident', 'community', 'person'])
      expect(shelf.writes.filter((write) => write.startsWith(`put ${kind}/`)).length).toBeGreaterThan(1)
    shelf.writes.length = 0
    for (let minute = 0; minute < 5; minute++) {
      for (let i = 0; i < 10; i++) void directory.findGateway(`g-${i}`)
      await pass(60_000)
    }
    expect(new Set(shelf.writes)).toEqual(new Set(['put directory/age']))
    const device = deviceOf('g-1')
    const resident = world.residents.find(({ residentId }) => residentId === device.residentId)!
    resident.doorCode = '9999#'
    device.room = '阳台'
    shelf.writes.length = 0
    void directory.findGateway('g-1')
    await pass(300)
    expect(shelf.writes.toSorted()).toEqual(['put gateway/g-1', `put resident/${resident.residentId}`])
  })
  test('is enough to start without the database: gateways, messages, and who is called', async () => {
    for (let i = 0; i < 10; i++) void directory.findGateway(`g-${i}`)
    await pass(63_000)
    const before = world.residents.map(({ residentId }) => directory.chainOf(residentId, Date.now()))
    const at = Date.now()
    const age = directory.refreshedAt()
    await directory.stop()
    await pass(5_000_000)
    state = 'away'
    directory = open()
    expect(directory.isEmpty()).toBe(true)
    await directory.start()
    expect(directory.isEmpty()).toBe(false)
    expect(directory.sizes().gateways).toBe(10)
    expect(directory.refreshedAt()).toBe(age)
    expect(await outcomeOf(10, directory.findGateway('g-3'))).toMatchObject({ secretHash: 'hash-3' })
    expect(directory.lookUp('g-3', deviceOf('g-3').deviceId)).toMatchObject({ kind: 'found' })
    expect(world.residents.map(({ residentId }) => directory.chainOf(residentId, at))).toEqual(before)
  })
  test('that an older Shouwang has left keeps its people, and tells no health note that nobody has allowed', async () => {
    for (let i = 0; i < 10; i++) void directory.findGateway(`g-${i}`)
    await pass(63_000)
    // Where no policy is stored, the older one knew all that the default asks for.
    const home = deviceOf('g-1').residentId
    const { communityId } = directory.residentOf(home)!
    world.policies = world.policies.filter((each) => each.communityId !== communityId)
    await pass(63_000)
    const at = Date.now()
    const before = directory.chainOf(home, at)
    expect(before.steps.flatMap(({ people }) => people).length).toBeGreaterThan(0)
    const resident = directory.residentOf(home)!
    await directory.stop()
    for (const [key, text] of shelf.kept) {
      const {
        volunteers: _,
        family: __,
        synthetic: ___,
        colleagues: ____,
        emergencyPolicy: _____,
        ...card
      } = JSON.parse(text)
      shelf.kept.set(key, JSON.stringify(key.startsWith('resident/') ? { ...card, healthNote: '听力不好' } : card))
    }
    state = 'away'
    directory = open()
    await directory.start()
    const isNew = ({ role }: { role: string }) => role === 'neighbour'
    expect(directory.chainOf(home, at).steps).toEqual(
      before.steps.map(({ people }) => ({ people: people.filter((member) => !isNew(member)), family: [] })),
    )
    expect(directory.residentOf(home)).toEqual({
      ...resident,
      healthNote: null,
      volunteers: [],
      family: [],
      synthetic: false,
    })
  })
  test('loses what is no longer there: gateways, residents and people; what cannot be read is thrown away', async () => {
    for (let i = 0; i < 30; i++) void directory.findGateway(`g-${i}`)
    await pass(63_000)
    const disabled = directory.operators()[0]!.staffId
    world.staff.find(({ staffId }) => staffId === disabled)!.disabled = true
    world.gateways = world.gateways.slice(0, 1)
    world.devices = world.devices.filter(({ gatewayId }) => gatewayId === 'g-0')
    // Nobody asks for them any more: the sweep does, an hour later.
    await pass(2 * 3_600_000)
    const left = [...shelf.kept.keys()]
    expect(left.filter((key) => key.startsWith('gateway/'))).toEqual(['gateway/g-0'])
    expect(left.filter((key) => key.startsWith('resident/')).length).toBe(directory.sizes().residents)
    expect(directory.sizes().residents).toBeLessThan(4)
    expect(left).not.toContain(`person/${disabled}`)
    const communities = new Set(
      world.residents.flatMap((r) => (directory.residentOf(r.residentId) ? [r.communityId] : [])),
    )
    expect(left.filter((key) => key.startsWith('community/'))).toHaveLength(communities.size)
    await directory.stop()
    shelf.kept.set('gateway/odd', '{"gatewayId":7}')
    shelf.kept.set('unheard-of/x', '1')
    directory = open()
    await directory.start()
    expect(directory.sizes().gateways).toBe(1)
    expect([...shelf.kept.keys()].filter((key) => /odd|unheard/.test(key))).toEqual([])
  })
})

describe('what strangers could make grow', () => {
  test('unknown gateways leave nothing behind', async () => {
    await pass(1_000)
    const known = shelf.kept.size
    const ids = Array.from({ length: 5_000 }, (_, i) => `stranger-${i}`)
    expect(await outcomeOf(500, Promise.all(ids.map((id) => directory.findGateway(id))))).toEqual(
      ids.map(() => undefined),
    )
    expect(directory.sizes()).toEqual({ gateways: 0, residents: 0 })
    expect(shelf.kept.size).toBe(known)
  })
  test('of too many gateways the one used longest ago goes, with its residents, from the shelf too', async () => {
    await directory.stop()
    directory = open(10)
    await directory.start()
    for (let i = 0; i < 10; i++) await outcomeOf(300, directory.findGateway(`g-${i}`))
    await outcomeOf(300, directory.findGateway('g-0'))
    await outcomeOf(300, directory.findGateway('g-10'))
    expect(directory.sizes().gateways).toBe(10)
    const keys = [...shelf.kept.keys()].filter((key) => key.startsWith('gateway/'))
    expect(keys).toContain('gateway/g-0')
    expect(keys).toContain('gateway/g-10')
    expect(keys).not.toContain('gateway/g-1')
    expect(keys).toHaveLength(10)
    expect([...shelf.kept.keys()].filter((key) => key.startsWith('resident/'))).toHaveLength(
      directory.sizes().residents,
    )
  })
})
