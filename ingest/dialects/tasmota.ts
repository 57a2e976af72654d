import type { DeviceCommand, Dialect, DialectMessage, DialectOutput } from './dialect.js'
import { isObject, nothing, notUnderstood, readJson } from './json.js'
import { readDiscovery } from './tasmota-discovery.js'
import { readActions, readInput, readSensors } from './tasmota-sensor.js'
import { kindOfSwitch } from './tasmota-switch.js'
import { commandTopic, deviceOfBase, readTasmotaTopic, type TasmotaTopic } from './tasmota-topic.js'
import { readZigbee } from './tasmota-zigbee.js'

const discoveryTopic = /(?:^|\/)tasmota\/discovery\/([0-9A-Za-z]{1,32})\/(config|sensors)$/
/** Telemetry that carries nothing for us. What else is said under `tele` is not known. */
const knownTelemetry =
  /^(STATE|INFO\d*|RESULT|UPTIME|MARGINS|WARNING|POWER\w*|HASS_STATE|STATUS\d*|SENSOR|SSERIALRECEIVED)$/
const stateText = /^(on|off|toggle|hold|0|1|true|false|open|closed?)$/i
const payloadCharsMax = 16
const utf8 = new TextDecoder()

/** Tasmota: sockets with a meter, buttons, switches, motion sensors, and the Zigbee bridge in it. */
export const tasmota: Dialect = {
  name: 'tasmota',
  read(message) {
    if (message.payload.length === 0) return nothing
    const discovery = discoveryTopic.exec(message.topic)
    if (discovery) {
      const read = readJson(message.payload)
      return 'output' in read ? read.output : readDiscovery(discovery[2]!, discovery[1]!, read.json, message.memory)
    }
    const topic = readTasmotaTopic(message.topic)
    if (!topic) return notUnderstood('topic not in dialect', 'expected …/tele/… or …/stat/…')
    if (topic.prefix === 'cmnd') return nothing
    return noteLayout(topic, message, readMessage(topic, message))
  },
  write({ command, nativeId, memory }) {
    const said = instructionOf(command, nativeId)
    if (!said || nativeId.includes('#zb:')) return undefined
    const [name, payload] = said
    const topic = commandTopic(nativeId, prefixAtOf(memory.prefixAt), name)
    return topic === undefined ? undefined : { topic, payload }
  },
}

function readMessage(topic: TasmotaTopic, message: DialectMessage): DialectOutput {
  const { device } = topic
  const context = { device, timeZone: message.timeZone, receivedAt: message.receivedAt }
  if (topic.message === 'LWT') return readLastWill(topic, message)
  const kind = kindOfSwitch(topic.message)
  const text = utf8.decode(message.payload.subarray(0, payloadCharsMax + 1)).trim()
  // What a rule publishes of an input, as the documentation has it do for a motion sensor: stat/…/PIR1 ON.
  if (kind && stateText.test(text)) {
    const output: DialectOutput = { readings: [], rejections: [] }
    readInput(topic.message, text, { device, ts: message.receivedAt }, output)
    return output
  }
  const isZigbee = topic.message === 'ZBRECEIVED'
  const isInput = /^(BUTTON|SWITCH)\d*$/.test(topic.message)
  if (!isZigbee && !isInput && !knownTelemetry.test(topic.message))
    return topic.prefix === 'tele' ? notUnderstood('topic not in dialect', `tele … ${topic.message}`) : nothing
  // The answers to commands are bare words as often as JSON; what has a reading in it is JSON.
  if (/^(POWER\w*|UPTIME|HASS_STATE|SSERIALRECEIVED)$/.test(topic.message)) return nothing
  const read = readJson(message.payload)
  if ('output' in read) return read.output
  const { json } = read
  if (!isObject(json)) return notUnderstood('wrong shape', `${topic.message} is an object`)
  if (isZigbee) return { readings: readZigbee(json, device, message.receivedAt), rejections: [] }
  if (isInput) return readActions({ [topic.message]: json }, context)
  if (topic.message === 'SENSOR') return readSensors(json, context)
  if (isObject(json.StatusSNS)) return readSensors(json.StatusSNS, context)
  return topic.message === 'RESULT' ? readActions(json, context) : nothing
}

/**
 * A last will is the gateway's own presence only where its base topic names this one device; of a socket among others it
 * says nothing about the gateway.
 */
function readLastWill({ device }: TasmotaTopic, { base, payload }: DialectMessage): DialectOutput {
  const said = utf8.decode(payload.subarray(0, payloadCharsMax)).toLowerCase()
  if (said !== 'online' && said !== 'offline') return notUnderstood('wrong shape', 'LWT is Online or Offline')
  return deviceOfBase(base).join('/') === device.join('/') ? { ...nothing, presence: said } : nothing
}

const prefixAtMax = 20
const prefixAtOf = (value: unknown): number =>
  typeof value === 'number' && Number.isInteger(value) && value >= 0 && value <= prefixAtMax ? value : 0

/** Where this gateway has its prefix, for the commands to it. */
function noteLayout({ prefixAt }: TasmotaTopic, { memory }: DialectMessage, output: DialectOutput): DialectOutput {
  if (prefixAt === prefixAtOf(memory.prefixAt) || prefixAt > prefixAtMax) return output
  return { ...output, memory: { ...memory, ...output.memory, prefixAt } }
}

const beeps = '3'
/** What is called a valve: a relay that has anything else behind it is not to be switched off as one. */
const valve = /valve|ventil|阀/i

function instructionOf(command: DeviceCommand, nativeId: string): [name: string, payload: string] | undefined {
  switch (command.name) {
    case 'close valve':
      return valve.test(nativeId) ? ['POWER', 'OFF'] : undefined
    case 'led':
      return ['LedPower', command.on ? 'ON' : 'OFF']
    case 'chime':
      return ['Buzzer', beeps]
    default:
      return undefined
  }
}
