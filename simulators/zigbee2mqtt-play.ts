import { createInterface } from 'node:readline'
import type { Readable } from 'node:stream'
import type { Clock } from '../kit/clock.js'
import { StartError, type Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import type { Zigbee2MqttCommand } from './arguments.js'
import { createZigbee2MqttGateway, type Zigbee2MqttGateway } from './zigbee2mqtt-gateway.js'

const tapSeconds = 30
const kettleWattHours = 120

/** What a line asks for: `press button 1`, `smoke smoke 2`, `tap`, `kettle`, `door`. */
const doings: Record<string, (bridge: Zigbee2MqttGateway, key: string) => Promise<void>> = {
  press: (bridge, key) => bridge.press(key || 'button 1'),
  smoke: (bridge, key) => bridge.smokeTest(key || 'smoke 1'),
  fire: (bridge, key) => bridge.say(key || 'smoke 1', { smoke: true }),
  clear: (bridge, key) => bridge.say(key || 'smoke 1', { smoke: false }),
  tap: (bridge, key) => bridge.openTap(key || 'water 1', tapSeconds),
  kettle: (bridge, key) => bridge.boil(key || 'plug 1', kettleWattHours),
  door: (bridge, key) => bridge.openDoor(key || 'door 1'),
}

/**
 * Connects the simulated bridge and does what the lines of `lines` ask for, until the teardown runs.
 * @throws StartError where the broker refuses it or is not there
 */
export async function playZigbee2Mqtt(
  command: Zigbee2MqttCommand,
  p: { clock: Clock; log: Log; print: (line: string) => void; teardown: Teardown; lines: Readable },
): Promise<void> {
  const { gatewayId, secret, baseTopic, seed, mqtt } = command
  const { clock, log, print, teardown } = p
  const bridge = createZigbee2MqttGateway({ user: gatewayId, secret, url: mqtt, baseTopic, seed, clock, log })
  await bridge.start().catch((error: Error) => {
    throw new StartError(`gateway ${gatewayId} at ${mqtt}: ${error.message || String(error)}`)
  })
  teardown.add('bridge', () => bridge.stop())
  print(`${gatewayId} is connected and tells of ${bridge.devices.map(({ key }) => key).join(', ')}`)
  print(`type what happens: ${Object.keys(doings).join(', ')}, with a device (press button 2)`)
  const lines = createInterface({ input: p.lines })
  teardown.add('lines', () => lines.close())
  lines.on('line', (line) => {
    const [word = '', ...key] = line.trim().split(/\s+/)
    if (word === '') return
    const doing = Object.hasOwn(doings, word) ? doings[word] : undefined
    if (!doing) return print(`nothing known of "${word}": ${Object.keys(doings).join(', ')}`)
    doing(bridge, key.join(' ')).then(
      () => print(`${word}: acknowledged`),
      (error: Error) => print(`${word}: ${error.message}`),
    )
  })
}
