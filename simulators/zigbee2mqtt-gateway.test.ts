import { PassThrough } from 'node:stream'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createTeardown } from '../kit/lifecycle.js'
import { createLog } from '../kit/log.js'
import { startTestBroker, type TestBroker } from './test-broker.js'
import { zigbeeDevices } from './zigbee2mqtt-devices.js'
import { createZigbee2MqttGateway } from './zigbee2mqtt-gateway.js'
import { playZigbee2Mqtt } from './zigbee2mqtt-play.js'

const log = createLog({ role: 'test', level: 'silent' })
const clock = manualClock(new Date('2026-06-01T04:00:00Z'))
let broker: TestBroker

beforeAll(async () => {
  broker = await startTestBroker({ secretOf: (user) => `secret-of-${user}` })
})
afterAll(() => broker.stop())
beforeEach(() => {
  broker.received.length = 0
})
const bridgeOf = (seed = 1) =>
  createZigbee2MqttGateway({
    user: 'gw',
    secret: 'secret-of-gw',
    url: broker.url,
    baseTopic: 'v1/gw',
    seed,
    clock,
    log,
  })
const said = (topic: string) =>
  broker.received.filter((packet) => packet.topic === topic).map((packet) => JSON.parse(packet.payload))

test('ten devices, the same for the same seed and others for another', () => {
  expect(zigbeeDevices(1)).toHaveLength(10)
  expect(zigbeeDevices(1)).toEqual(zigbeeDevices(1))
  const addresses = [...zigbeeDevices(1), ...zigbeeDevices(2)].map(({ ieeeAddress }) => ieeeAddress)
  expect(new Set(addresses).size).toBe(20)
  for (const address of addresses) expect(address).toMatch(/^0x[0-9a-f]{16}$/)
})

test('it tells of itself and its devices as a bridge does, with what it retains, and says goodbye', async () => {
  const bridge = bridgeOf()
  await bridge.start()
  const [state, , list] = broker.received
  expect(state).toEqual({ topic: 'v1/gw/bridge/state', payload: '{"state":"online"}', retain: true })
  expect(list).toMatchObject({ topic: 'v1/gw/bridge/devices', retain: true })
  const entries = JSON.parse(list!.payload)
  expect(entries.map((entry: { type: string }) => entry.type)).toHaveLength(11)
  expect(entries[0]).toMatchObject({ type: 'Coordinator', definition: null })
  expect(
    entries.find((entry: { friendly_name: string }) => entry.friendly_name === '水表').definition.exposes[0],
  ).toMatchObject({ property: 'water_consumed', unit: 'm³', access: 1 })
  expect(said('v1/gw/kitchen/smoke/availability')).toEqual([{ state: 'online' }])
  await bridge.stop()
  expect(said('v1/gw/bridge/state').at(-1)).toEqual({ state: 'offline' })
})

test('a press with its empty action, a smoke test, a tap that runs', async () => {
  const bridge = bridgeOf()
  await bridge.start()
  broker.received.length = 0
  await bridge.press('button 1')
  expect(said('v1/gw/呼叫按钮 卧室').map(({ action }) => action)).toEqual(['emergency', ''])
  await bridge.smokeTest('smoke 1')
  expect(said('v1/gw/kitchen/smoke').map(({ smoke, test: tested }) => [smoke, tested])).toEqual([
    [true, true],
    [false, false],
  ])
  const before = Number(bridge.devices.find(({ key }) => key === 'water 1')!.state.water_consumed)
  await bridge.openTap('water 1', 4)
  const registers = said('v1/gw/水表').map(({ water_consumed }) => water_consumed)
  expect(registers).toEqual([before + 0.0002, before + 0.0004].map((value) => expect.closeTo(value, 6)))
  await expect(bridge.press('button 9')).rejects.toThrow('no simulated device button 9')
  await bridge.stop()
})

test('lines say what happens; a wrong secret is one clear line', async () => {
  const teardown = createTeardown({ log })
  const lines = new PassThrough()
  const printed: string[] = []
  const command = { command: 'zigbee2mqtt', gatewayId: 'gw', baseTopic: 'v1/gw', seed: 1, mqtt: broker.url } as const
  const play = (secret: string) =>
    playZigbee2Mqtt({ ...command, secret }, { clock, log, print: (line) => printed.push(line), teardown, lines })
  await expect(play('wrong')).rejects.toThrow(/^gateway gw at mqtt:.*(refused|authorized)/i)
  await play('secret-of-gw')
  lines.write('press button 2\ndance\npress button 9\n')
  await expect.poll(() => printed.length, { timeout: 10_000 }).toBe(5)
  expect(printed.slice(2).sort()).toEqual([
    expect.stringMatching(/^nothing known of "dance"/),
    'press: acknowledged',
    expect.stringMatching(/^press: no simulated device button 9/),
  ])
  expect(said('v1/gw/呼叫按钮 卫生间').at(-2)).toMatchObject({ action: 'emergency' })
  await teardown.run()
})
