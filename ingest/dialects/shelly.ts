import type { DeviceCommand, Dialect, DialectMessage, DialectOutput } from './dialect.js'
import { nothing, notUnderstood } from './json.js'
import { readAnnouncement, readGen1 } from './shelly-gen1.js'
import { readRpc, readStatus } from './shelly-gen2.js'
import { forgetPresses } from './shelly-memory.js'

/** Of the part of a topic that names the device: with it, what is kept of eighty devices stays in bounds. */
const prefixCharsMax = 80
const utf8 = new TextDecoder()

/**
 * Shelly: the first generation under `shellies/<id>/…`; from the second on under a prefix of its own, the id of the
 * device unless it was changed (it can be `v1/{gatewayId}`).
 */
export const shelly: Dialect = {
  name: 'shelly',
  read(message) {
    const { topic } = message
    if (message.payload.length === 0 || /(^|\/)shellies\/command$/.test(topic)) return nothing
    if (/(^|\/)shellies\/announce$/.test(topic)) return readAnnouncement(message)
    const later = laterTopics.exec(topic)
    const [, prefix = '', rest = ''] = later ?? firstTopics.exec(topic) ?? []
    if (rest === '')
      return notUnderstood('topic not in dialect', 'expected shellies/…, …/events/rpc, …/status/…, …/online')
    if (prefix.length > prefixCharsMax || /[\p{Cc}#+]/u.test(prefix))
      return notUnderstood('topic not in dialect', `a prefix of over ${prefixCharsMax} characters, or a strange one`)
    return later ? readLater(prefix, rest, message) : readGen1(rest, { prefix, message })
  },
  write({ command, nativeId }) {
    const [, prefix = '', part = ''] = /^(?:([^#]+)#)?([^#]+)$/.exec(nativeId) ?? []
    if (/[+\0]/.test(nativeId)) return undefined
    const said = instructionOf(command, nativeId, part)
    if (!said) return undefined
    const [rest, payload] = said
    return { topic: prefix === '' ? rest : `${prefix}/${rest}`, payload }
  },
}

/** Of what the later generations say under a prefix of any levels, and both of whether they are there. */
const laterTopics = /^(?:(.*?)\/)?(events\/rpc|status\/[^/]+|online|(?<!\bevents\/)rpc|command(?:\/[^/]+)?|debug\/.+)$/
const firstTopics = /^((?:.+\/)?shellies\/[^/]+)\/(.+)$/

function readLater(prefix: string, rest: string, message: DialectMessage): DialectOutput {
  if (rest === 'events/rpc') return readRpc(prefix, message)
  if (rest.startsWith('status/')) return readStatus(prefix, rest.slice('status/'.length), message)
  return rest === 'online' ? readOnline(prefix, message) : nothing
}

/** Presence of the gateway where it is this one device, whose prefix is the base topic. */
function readOnline(prefix: string, { base, payload, memory: before }: DialectMessage): DialectOutput {
  const said = utf8.decode(payload.subarray(0, 10))
  if (said !== 'true' && said !== 'false') return notUnderstood('wrong shape', 'online is true or false')
  const memory = forgetPresses(before, prefix)
  return {
    ...nothing,
    ...(prefix === base ? { presence: said === 'true' ? ('online' as const) : ('offline' as const) } : {}),
    ...(memory === before ? {} : { memory }),
  }
}

/** What is called a valve: a relay that has anything else behind it is not to be switched off as one. */
const valve = /valve|ventil|阀/i

/**
 * The first generation takes commands beside each part, the later ones under `command/`, which answers nothing; a call
 * under `rpc` would want an answer topic that the gateway has no right to.
 */
function instructionOf(
  command: DeviceCommand,
  nativeId: string,
  part: string,
): [rest: string, payload: string] | undefined {
  const relay = /^relay\/\d$/.test(part)
  const [, type] = /^(switch|cover|light):\d{1,3}$/.exec(part) ?? []
  switch (command.name) {
    case 'close valve':
      if (part === 'sensor/gas') return ['valve/0/command', 'close']
      if (!valve.test(nativeId)) return undefined
      if (relay) return [`${part}/command`, 'off']
      return type === 'switch'
        ? [`command/${part}`, 'off']
        : type === 'cover'
          ? [`command/${part}`, 'close']
          : undefined
    case 'led':
      if (/^light\/\d$/.test(part)) return [`${part}/command`, command.on ? 'on' : 'off']
      return type === 'light' ? [`command/${part}`, command.on ? 'on' : 'off'] : undefined
    case 'self-test':
      return part === 'sensor/gas' ? ['sensor/start_self_test', 'start'] : undefined
    default:
      return undefined
  }
}
