import type { Dialect, DialectMessage, DialectOutput } from './dialect.js'
import { isObject, type Json, nothing, notUnderstood, readJson } from './json.js'
import { readBridgeDevices, readBridgeState } from './zigbee2mqtt-bridge.js'
import { writeZ2m } from './zigbee2mqtt-commands.js'
import { specsFor } from './zigbee2mqtt-guess.js'
import { deviceByName, isName, memoryOf, withEarly, withLatches, type Z2mMemory } from './zigbee2mqtt-memory.js'
import { readMessageTime } from './zigbee2mqtt-time.js'
import { readZ2mTopic } from './zigbee2mqtt-topics.js'
import { readValues } from './zigbee2mqtt-values.js'

const nativeIdCharsMax = 200
const ieeePattern = /^0x[0-9a-f]{16}$/

/**
 * Zigbee2MQTT (https://www.zigbee2mqtt.io, guide/usage/mqtt_topics_and_messages). The retained `bridge/devices` tells
 * what each property of each device means; until it was heard, and for devices without a definition, names do. Each
 * message is the whole state of its device, the kept part as well as what it has just said: an alarm that stands is said
 * again with every temperature.
 */
export const zigbee2mqtt: Dialect = {
  name: 'zigbee2mqtt',
  read(message) {
    const { topic, base, payload } = message
    const memory = memoryOf(message.memory)
    const about = readZ2mTopic(topic, base, (name) => deviceByName(memory, name) !== undefined)
    switch (about.kind) {
      case 'nothing':
        return nothing
      case 'other':
        return notUnderstood('topic not in dialect', 'no device in the topic')
      case 'bridge':
        return readBridge(about.about, message, memory)
      case 'attribute': {
        const text = new TextDecoder().decode(payload)
        // A new device whose name begins with that of another: no attribute alone is an object.
        if (text.startsWith('{')) return readState(`${about.name}/${about.property}`, message, memory)
        return readDevice(about.name, Object.fromEntries([[about.property, plain(text)]]), message, memory)
      }
      case 'device':
        return readState(about.name, message, memory)
    }
  },
  write: ({ memory, ...asked }) => writeZ2m({ ...asked, memory: memoryOf(memory) }),
}

function readBridge(about: string, { payload, receivedAt }: DialectMessage, memory: Z2mMemory): DialectOutput {
  if (about === 'devices') return readBridgeDevices(payload, memory)
  // Logs, requests and their answers, groups, settings.
  if (about !== 'state' || payload.length === 0) return nothing
  const presence = readBridgeState(payload)
  if (!presence) return notUnderstood('wrong shape', 'bridge/state is neither online nor offline')
  if (presence === 'offline') return { ...nothing, presence }
  return { ...nothing, presence, memory: { ...memory, online: receivedAt } }
}

function readState(name: string, message: DialectMessage, memory: Z2mMemory): DialectOutput {
  if (!isName(name)) return notUnderstood('topic not in dialect', 'a name that cannot be kept')
  // A retained topic is cleared with an empty payload when its device is renamed or removed.
  if (message.payload.length === 0) return nothing
  const parsed = readJson(message.payload)
  if ('output' in parsed) return parsed.output
  if (!isObject(parsed.json)) return notUnderstood('wrong shape', 'the state of a device is an object')
  // The id of a device that has another name now: whoever speaks under it is not that device.
  if (!deviceByName(memory, name) && memory.devices.some(([, id]) => id === name))
    return notUnderstood('topic not in dialect', 'a name that the bridge has not told of, once of another device')
  return readDevice(name, parsed.json, message, memory)
}

function readDevice(name: string, payload: Json, message: DialectMessage, memory: Z2mMemory): DialectOutput {
  const [, known, model] = deviceByName(memory, name) ?? []
  const id = known ?? ieeeOf(payload, memory) ?? name
  const { receivedAt, retain } = message
  const output = readValues({
    id,
    specs: specsFor(model === undefined ? undefined : memory.models[model]?.s, payload),
    payload,
    time: readMessageTime({ lastSeen: payload.last_seen, receivedAt, retain, online: memory.online }),
    latched: new Set(memory.latched),
  })
  const readings = output.readings.filter(({ nativeId }) => nativeId.length <= nativeIdCharsMax)
  const isEarly = id === name && known === undefined && !ieeePattern.test(name) && readings.length > 0
  const said = withLatches(memory, output.latches)
  const next = (isEarly ? withEarly(said, name) : undefined) ?? said
  return { readings, rejections: output.rejections, ...(next === memory ? {} : { memory: next }) }
}

/** The address of the device, where the bridge is set to tell it in each message. */
function ieeeOf({ device }: Json, { aliases }: Z2mMemory): string | undefined {
  const ieee = isObject(device) ? device.ieeeAddr : undefined
  if (typeof ieee !== 'string' || !ieeePattern.test(ieee)) return undefined
  return aliases.find(([known]) => known === ieee)?.[1] ?? ieee
}

/** One attribute as it is published alone: true, 21.5, ON. */
function plain(text: string): unknown {
  if (text === 'true' || text === 'false') return text === 'true'
  return text.trim() !== '' && Number.isFinite(Number(text)) ? Number(text) : text
}
