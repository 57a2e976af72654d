import { expect, test } from 'vitest'
import { manualClock, systemClock } from '../kit/clock.js'
import { createBoundedCache } from './bounded-cache.js'
import { createLogLimit } from './log-limit.js'
import { createLoginThrottle } from './login-throttle.js'
import { connectPacket, gateway, publishPacket, rawClient, startBroker, until } from './testkit.js'

// The clock of the edge jumps back an hour, as after a time server was found, or a night in October.
const hourMs = 3_600_000
/** The system's clock, moved by hand. */
function jumpyClock() {
  let offsetMs = 0
  return {
    now: () => new Date(systemClock.now().getTime() + offsetMs),
    jump: (ms: number) => {
      offsetMs += ms
    },
  }
}

test('what was kept for a second is not kept for an hour', () => {
  const clock = manualClock(new Date('2024-10-27T03:00:00Z'))
  const cache = createBoundedCache<number>({ entriesMax: 9, ttlMs: 1_000, clock })
  cache.set('a', 1)
  clock.advance(-hourMs)
  expect(cache.get('a')).toBeUndefined()
  cache.set('a', 2)
  expect(cache.get('a')).toBe(2)
  clock.advance(1_000)
  expect(cache.get('a')).toBeUndefined()
})

test('a log line is not held back for an hour', () => {
  const clock = manualClock(new Date('2024-10-27T03:00:00Z'))
  const limit = createLogLimit({ everyMs: 60_000, keysMax: 9, clock })
  expect([limit('a') !== undefined, limit('a') !== undefined]).toEqual([true, false])
  clock.advance(-hourMs)
  expect(limit('a')).toBeDefined()
})

test('who failed to log in does not pay for an hour longer', () => {
  const clock = manualClock(new Date('2024-10-27T03:00:00Z'))
  const throttle = createLoginThrottle({ delayMsMin: 250, delayMsMax: 8_000, pairsMax: 9, forgetMs: 900_000, clock })
  for (let i = 0; i < 9; i++) {
    throttle.begin('a', 'gw1')
    throttle.end('a', 'gw1', 'wrong')
  }
  clock.advance(-hourMs)
  clock.advance(900_000)
  expect(throttle.begin('a', 'gw1')).toBe(0)
  throttle.end('a', 'gw1', 'wrong')
})

test('a gateway that is disabled is refused at its next login', async () => {
  const clock = jumpyClock()
  const gateways = [gateway('gw1')]
  const broker = await startBroker({ clock, gateways, limits: { gatewayCacheMs: 50 } })
  expect(await rawClient(broker).connect()).toBe(0)
  clock.jump(-hourMs)
  gateways[0] = { ...gateways[0]!, disabled: true }
  expect(await rawClient(broker).connect({ clientId: 'another' })).toBe(5)
})

test('a gateway that is connected when it is disabled is ended', async () => {
  const clock = jumpyClock()
  const gateways = [gateway('gw1')]
  const broker = await startBroker({ clock, gateways, limits: { gatewayCacheMs: 50, recheckMs: 50 } })
  const client = rawClient(broker)
  expect(await client.connect()).toBe(0)
  clock.jump(-hourMs)
  gateways[0] = { ...gateways[0]!, disabled: true }
  client.send(publishPacket('v1/gw1/meter/water', 1))
  await client.closed
})

test('publishes are taken with the time that the clock tells, and the keepalive goes on', async () => {
  const clock = jumpyClock()
  const broker = await startBroker({ clock, limits: { keepaliveSecondsMin: 1 } })
  const [talking, silent] = [rawClient(broker), rawClient(broker)]
  talking.send(connectPacket({ keepalive: 1 }))
  silent.send(connectPacket({ keepalive: 1, clientId: 'silent' }))
  await Promise.all([talking.next('connack'), silent.next('connack')])
  clock.jump(-hourMs)
  talking.send(publishPacket('v1/gw1/meter/water', 1))
  expect(await talking.next('puback')).toMatchObject({ messageId: 1 })
  expect(Math.abs(broker.accepted[0]!.receivedAt.getTime() - (Date.now() - hourMs))).toBeLessThan(5_000)
  const pinging = setInterval(() => talking.send({ cmd: 'pingreq' }), 300)
  await silent.closed
  clearInterval(pinging)
  expect(talking.socket.destroyed).toBe(false)
  await until(() => broker.presence.length === 1)
})
