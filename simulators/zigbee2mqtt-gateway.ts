import { connectAsync, type MqttClient } from 'mqtt'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type ZigbeeDevice, zigbeeDevices } from './zigbee2mqtt-devices.js'

const tapLitresPerMin = 6
const tapReportS = 2
/** So long before its start the bridge last heard its devices. */
const keptMs = 30 * 60_000

export type Zigbee2MqttGateway = {
  devices: readonly ZigbeeDevice[]
  /** Connects and tells of itself and its devices, as Zigbee2MQTT does when it starts. @throws where it is refused */
  start(): Promise<void>
  /** Says goodbye and hangs up. */
  stop(): Promise<void>
  /** Publishes the state of a device with these fields changed. */
  say(key: string, fields: Record<string, unknown>): Promise<void>
  /** One press of a call button: the action, and the empty one that older versions send after it. */
  press(key: string): Promise<void>
  /** Holds the test button of a smoke alarm, and lets go. */
  smokeTest(key: string): Promise<void>
  /** Lets water flow, 6 L/min, for so long: the register grows and is published every 2 s. */
  openTap(key: string, seconds: number): Promise<void>
  /** The kettle: the register of the plug grows. */
  boil(key: string, wattHours: number): Promise<void>
  openDoor(key: string): Promise<void>
}

/**
 * A Zigbee2MQTT bridge with ten devices: its own topics below `baseTopic`, retained where it retains, with its last will.
 * Each function resolves when the broker has acknowledged.
 */
export function createZigbee2MqttGateway({
  user,
  secret,
  url,
  baseTopic,
  seed = 1,
  clock,
  log,
}: {
  user: string
  secret: string
  url: string
  baseTopic: string
  seed?: number
  clock: Clock
  log: Log
}): Zigbee2MqttGateway {
  const devices = zigbeeDevices(seed)
  let client: MqttClient | undefined

  async function publish(topic: string, payload: object, retain = false): Promise<void> {
    if (!client) throw new Error('the simulated bridge is not connected')
    await client.publishAsync(`${baseTopic}/${topic}`, JSON.stringify(payload), { qos: 1, retain })
  }
  const deviceOf = (key: string) => {
    const device = devices.find((each) => each.key === key)
    if (!device) throw new Error(`no simulated device ${key}: ${devices.map((each) => each.key).join(', ')}`)
    return device
  }
  async function say(key: string, fields: Record<string, unknown>): Promise<void> {
    const device = deviceOf(key)
    Object.assign(device.state, fields)
    await publish(device.friendlyName, heardNow(device.state))
  }
  /** As with `advanced.last_seen: ISO_8601`: what the device has said itself is told from what the bridge had kept. */
  const heardNow = (state: ZigbeeDevice['state']) => Object.assign(state, { last_seen: clock.now().toISOString() })
  const registerOf = (key: string, field: string) => Number(deviceOf(key).state[field] ?? 0)

  return {
    devices,
    async start() {
      client = await connectAsync(
        url,
        {
          protocolVersion: 4,
          clientId: `mqttjs_${user}`.slice(0, 64),
          username: user,
          password: secret,
          clean: true,
          keepalive: 60,
          reconnectPeriod: 5_000,
          will: {
            topic: `${baseTopic}/bridge/state`,
            payload: Buffer.from(JSON.stringify({ state: 'offline' })),
            qos: 1,
            retain: true,
          },
        },
        false,
      )
      client.on('error', (error) => log.warn({ user, reason: error.message }, 'zigbee2mqtt.error'))
      await publish('bridge/state', { state: 'online' }, true)
      await publish('bridge/info', { version: '2.4.0', permit_join: false, log_level: 'info' }, true)
      await publish('bridge/devices', [coordinator, ...devices.map(entryOf)] as unknown as object, true)
      for (const { friendlyName } of devices) await publish(`${friendlyName}/availability`, { state: 'online' }, true)
      // What it has kept of each: meters and detectors, not actions.
      const last_seen = new Date(clock.now().getTime() - keptMs).toISOString()
      for (const { state } of devices) Object.assign(state, { last_seen })
      for (const { friendlyName, state } of devices) await publish(friendlyName, state)
    },
    async stop() {
      const old = client
      client = undefined
      if (!old) return
      await old.publishAsync(`${baseTopic}/bridge/state`, JSON.stringify({ state: 'offline' }), {
        qos: 1,
        retain: true,
      })
      await old.endAsync()
    },
    say,
    async press(key) {
      const { friendlyName, state } = deviceOf(key)
      await publish(friendlyName, { ...heardNow(state), action: 'emergency' })
      await publish(friendlyName, { ...heardNow(state), action: '' })
    },
    async smokeTest(key) {
      await say(key, { smoke: true, test: true })
      await say(key, { smoke: false, test: false })
    },
    async openTap(key, seconds) {
      for (let open = 0; open < seconds && client; open += tapReportS) {
        await new Promise((resolve) => setTimeout(resolve, tapReportS * 1_000))
        const litres = registerOf(key, 'water_consumed') * 1_000 + tapLitresPerMin * (tapReportS / 60)
        if (client) await say(key, { water_consumed: Math.round(litres * 10) / 10_000 })
      }
    },
    boil: async (key, wattHours) => {
      await say(key, { power: 1_800, energy: Math.round(registerOf(key, 'energy') * 1_000 + wattHours) / 1_000 })
      await say(key, { power: 0 })
    },
    openDoor: (key) => say(key, { contact: false }),
  }
}

const coordinator = {
  ieee_address: '0x00124b00deadbeef',
  type: 'Coordinator',
  network_address: 0,
  supported: true,
  friendly_name: 'Coordinator',
  definition: null,
  interview_completed: true,
  disabled: false,
}

const entryOf = (device: ZigbeeDevice, place: number) => ({
  ieee_address: device.ieeeAddress,
  type: device.powerSource === 'Battery' ? 'EndDevice' : 'Router',
  network_address: 10_000 + place,
  supported: true,
  friendly_name: device.friendlyName,
  definition: device.definition,
  power_source: device.powerSource,
  model_id: device.definition.model,
  manufacturer: device.definition.vendor,
  interview_completed: true,
  disabled: false,
})
