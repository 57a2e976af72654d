import { expect, test } from 'vitest'
import { connectGateway, publishPacket, rawClient, startBroker, until } from './testkit.js'

test('while all together have many publishes in flight, a quiet line still hands one over, and a busy one waits with one', async () => {
  const waiting = new Map<string, (() => void)[]>()
  const seen = { gw1: 0, gw2: 0 }
  const broker = await startBroker({
    limits: { publishesInFlightMax: 20, publishesInFlightTotalMax: 10 },
    accept: ({ gatewayId }) => {
      seen[gatewayId as 'gw1' | 'gw2']++
      return new Promise((resolve) => {
        waiting.set(gatewayId, [...(waiting.get(gatewayId) ?? []), () => resolve(undefined)])
      })
    },
  })
  const commit = (gatewayId: string) => {
    for (const resolve of waiting.get(gatewayId)?.splice(0) ?? []) resolve()
  }
  const storm = rawClient(broker)
  await storm.connect({ username: 'gw1' })
  storm.send(...Array.from({ length: 20 }, (_, i) => publishPacket('v1/gw1/w/water', i + 1)))
  await until(() => seen.gw1 >= 10)

  const quiet = rawClient(broker)
  await quiet.connect({ username: 'gw2' })
  quiet.send(publishPacket('v1/gw2/b/button', 1), publishPacket('v1/gw2/b/button', 2))
  await until(() => seen.gw2 >= 1)
  await new Promise((resolve) => setTimeout(resolve, 50))
  expect(seen.gw2).toBe(1)

  commit('gw2')
  expect(await quiet.next('puback')).toMatchObject({ messageId: 1 })
  await until(() => seen.gw2 === 2)
  commit('gw2')
  expect(await quiet.next('puback')).toMatchObject({ messageId: 2 })
  while (seen.gw1 < 20 || waiting.get('gw1')!.length > 0) {
    commit('gw1')
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
  await until(() => storm.received.filter(({ cmd }) => cmd === 'puback').length === 20)
  const calm = await connectGateway(broker, 'gw2')
  await calm.endAsync()
})
