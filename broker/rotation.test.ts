import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import type { GatewayCredentials, RightsSource } from './broker.js'
import { connectGateway, gateway, publishPacket, rawClient, startBroker, storedSecret, until } from './testkit.js'

/** A gateway table that can say which gateways changed, and counts how often it is asked. */
function table(gateways: GatewayCredentials[]) {
  const changes: string[] = []
  const asked = { changed: 0, rights: [] as string[][] }
  let away = false
  const source: RightsSource = {
    changedSince: async (cursor) => {
      asked.changed++
      if (away) throw new Error('away')
      return { cursor: `${changes.length}`, gatewayIds: cursor === undefined ? [] : changes.slice(Number(cursor)) }
    },
    rightsOf: async (ids) => {
      asked.rights.push(ids)
      return gateways.filter(({ gatewayId }) => ids.includes(gatewayId))
    },
  }
  return {
    asked,
    source,
    gateways,
    change(gatewayId: string, over: Partial<GatewayCredentials>) {
      const at = gateways.findIndex((each) => each.gatewayId === gatewayId)
      gateways[at] = { ...gateways[at]!, ...over }
      changes.push(gatewayId)
    },
    remove(gatewayId: string) {
      gateways.splice(
        gateways.findIndex((each) => each.gatewayId === gatewayId),
        1,
      )
      changes.push(gatewayId)
    },
    goAway: (is: boolean) => {
      away = is
    },
  }
}

async function start(limits: Parameters<typeof startBroker>[0] = {}) {
  const rights = table([gateway('gw1'), gateway('gw2')])
  const broker = await startBroker({
    gateways: rights.gateways,
    rights: rights.source,
    ...limits,
    limits: { failedLoginDelayMsMin: 1, rightsPollMs: 100, ...limits.limits },
  })
  const code = (secret: string, clientId = secret) =>
    rawClient(broker).connect({ clientId, password: Buffer.from(secret) })
  return { broker, rights, code }
}
const oldSecret = 'secret of gw1'
const rotated = (untilMs: number): Partial<GatewayCredentials> => ({
  secretHash: storedSecret('new'),
  secretHashBefore: storedSecret(oldSecret),
  secretBeforeUntil: untilMs,
})

test('while they overlap, both secrets open the door and keep it open; then the new one does', async () => {
  const { broker, rights, code } = await start()
  const old = rawClient(broker)
  expect(await old.connect({ clientId: 'before' })).toBe(0)
  const until1 = Date.now() + 2_500
  rights.change('gw1', rotated(until1))
  await sleep(400)
  const fresh = rawClient(broker)
  expect(await fresh.connect({ clientId: 'fresh', password: Buffer.from('new') })).toBe(0)
  const late = rawClient(broker)
  expect(await late.connect({ clientId: 'late' })).toBe(0)
  expect(await code('wrong')).toBe(4)
  expect(Date.now()).toBeLessThan(until1)
  // Nothing has to be heard of them for it.
  await Promise.all([old.closed, late.closed])
  expect(Date.now()).toBeGreaterThanOrEqual(until1)
  expect(await code(oldSecret)).toBe(4)
  expect(await code('new')).toBe(0)
  fresh.send({ cmd: 'pingreq' })
  expect(await fresh.next('pingresp')).toBeDefined()
  expect(await broker.sample('shouwang_rights_withdrawn_total')).toBe(2)
})

test('an overlap that is ended early ends who came with the old secret, and nobody else', async () => {
  const { broker, rights, code } = await start()
  rights.change('gw1', rotated(Date.now() + 3_600_000))
  const [old, fresh] = [rawClient(broker), rawClient(broker)]
  expect(await old.connect({ clientId: 'old' })).toBe(0)
  expect(await fresh.connect({ clientId: 'fresh', password: Buffer.from('new') })).toBe(0)
  rights.change('gw1', { secretHashBefore: null, secretBeforeUntil: null })
  await old.closed
  await sleep(300)
  expect(fresh.socket.destroyed).toBe(false)
  expect([await code(oldSecret), await code('new')]).toEqual([4, 0])
})

test('a secret before the one before is no good', async () => {
  const { broker, rights, code } = await start()
  rights.change('gw1', rotated(Date.now() + 3_600_000))
  const old = rawClient(broker)
  expect(await old.connect()).toBe(0)
  rights.change('gw1', {
    secretHash: storedSecret('newest'),
    secretHashBefore: storedSecret('new'),
    secretBeforeUntil: Date.now() + 3_600_000,
  })
  await old.closed
  expect([await code(oldSecret), await code('new'), await code('newest')]).toEqual([4, 0, 0])
})

test.each([
  ['revoked', { secretHash: 'none' }, 4],
  ['disabled', { disabled: true }, 5],
  ['moved to another broker', { attached: true }, 5],
] as const)(
  'a gateway that is %s is out at once, silent or not, and does not come back',
  async (_how, over, refusal) => {
    const { broker, rights, code } = await start({ limits: { gatewayCacheMs: 60_000 } })
    const silent = rawClient(broker)
    await silent.connect({ clientId: 'silent' })
    const loud = rawClient(broker)
    await loud.connect({ clientId: 'loud' })
    const talk = setInterval(() => loud.socket.destroyed || loud.send(publishPacket('v1/gw1/meter/water', 1)), 5)
    const neighbour = await connectGateway(broker, 'gw2')
    // Known and cached: a secret that was right a moment ago.
    expect(await code(oldSecret, 'third')).toBe(0)
    const startedAt = performance.now()
    rights.change('gw1', over)
    await Promise.all([silent.closed, loud.closed])
    console.log(`out after ${Math.round(performance.now() - startedAt)} ms`)
    clearInterval(talk)
    expect(await code(oldSecret)).toBe(refusal)
    await neighbour.publishAsync('v1/gw2/meter/water', '{}', { qos: 1 })
    expect(broker.presence.slice(-1)).toEqual(['-gw1'])
  },
)

test('a gateway that is gone from the table is out', async () => {
  const { broker, rights, code } = await start()
  const client = rawClient(broker)
  await client.connect()
  rights.remove('gw1')
  await client.closed
  expect(await code(oldSecret)).toBe(4)
})

test('one whose topics changed comes again and has the new ones', async () => {
  const { broker, rights } = await start()
  const client = rawClient(broker)
  await client.connect()
  client.send(publishPacket('zigbee2mqtt/a', 1))
  await client.next('puback')
  rights.change('gw1', { dialect: 'zigbee2mqtt', baseTopics: ['zigbee2mqtt'] })
  await client.closed
  const again = rawClient(broker)
  await again.connect()
  again.send(publishPacket('zigbee2mqtt/b', 1))
  await again.next('puback')
  expect(broker.accepted.map(({ topic }) => topic)).toEqual(['zigbee2mqtt/b'])
  // What changes nothing about its rights ends nothing.
  rights.change('gw1', {})
  await sleep(400)
  expect(again.socket.destroyed).toBe(false)
})

test('a login that is under way while its secret is revoked does not come through', async () => {
  let verified = () => {}
  const { broker, rights } = await start({
    verify: () => new Promise((resolve) => (verified = () => resolve(true))),
    limits: { gatewayCacheMs: 60_000 },
  })
  const client = rawClient(broker)
  const code = client.connect()
  await sleep(100)
  rights.change('gw1', { secretHash: 'none' })
  const before = rights.asked.changed
  await until(() => rights.asked.changed > before + 1)
  verified()
  expect(await code).toBe(4)
  expect(await broker.sample('shouwang_logins_total{result="wrong secret"}')).toBe(1)
  expect(broker.presence).toEqual([])
})

test('a login that is under way while something else changes comes through, with what is true then', async () => {
  let verified = () => {}
  const { broker, rights } = await start({
    verify: () => new Promise((resolve) => (verified = () => resolve(true))),
    limits: { gatewayCacheMs: 60_000 },
  })
  const client = rawClient(broker)
  const code = client.connect()
  await sleep(100)
  rights.change('gw1', { dialect: 'generic', baseTopics: ['meters'] })
  const before = rights.asked.changed
  await until(() => rights.asked.changed > before + 1)
  verified()
  expect(await code).toBe(0)
  client.send(publishPacket('meters/1', 1))
  await client.next('puback')
  expect(broker.accepted.length).toBe(1)
})

test('with two secrets a wrong one costs both hashes at once, and a right one is known from then on', async () => {
  const { broker, rights, code } = await start()
  rights.change('gw1', rotated(Date.now() + 3_600_000))
  await sleep(250)
  expect(await code('wrong')).toBe(4)
  expect(broker.hashes()).toBe(2)
  expect([
    await code(oldSecret, 'a'),
    await code(oldSecret, 'b'),
    await code('new', 'c'),
    await code('new', 'd'),
  ]).toEqual([0, 0, 0, 0])
  expect(broker.hashes()).toBe(6)
})

test('who is not connected here is not asked for; who is, twice for each change', async () => {
  const { broker, rights } = await start()
  await connectGateway(broker, 'gw2')
  rights.change('gw1', { secretHash: 'other' })
  await sleep(400)
  expect(rights.asked.rights).toEqual([])
  rights.change('gw2', {})
  await sleep(600)
  expect(rights.asked.rights).toEqual([['gw2'], ['gw2']])
})

test('while the database is away nobody is put out, and when it is back nothing was missed', async () => {
  const { broker, rights } = await start()
  const client = rawClient(broker)
  await client.connect()
  rights.goAway(true)
  await sleep(250)
  rights.change('gw1', { secretHash: 'none' })
  await sleep(400)
  expect(client.socket.destroyed).toBe(false)
  rights.goAway(false)
  await client.closed
})

test('the time of an old secret ends also while the database is away', async () => {
  const { broker, rights } = await start()
  rights.change('gw1', rotated(Date.now() + 1_500))
  await sleep(250)
  const client = rawClient(broker)
  expect(await client.connect()).toBe(0)
  rights.goAway(true)
  await client.closed
})
