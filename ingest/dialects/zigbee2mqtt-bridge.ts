import { isAlarmKind } from '../contract.js'
import type { Rejection } from '../decode.js'
import { type Announcement, type DialectOutput, sayingsMax } from './dialect.js'
import { isObject, nothing, notUnderstood, readJson } from './json.js'
import { plainText } from './plain-text.js'
import { describeModel } from './zigbee2mqtt-exposes.js'
import {
  aliasesMax,
  type DescribedDevice,
  fitLatched,
  isName,
  pack,
  type Spec,
  type Z2mMemory,
} from './zigbee2mqtt-memory.js'

const textCharsMax = 200

/** `bridge/state`: the bridge itself, as text before Zigbee2MQTT 2 and as JSON since; its last will says offline. */
export function readBridgeState(payload: Uint8Array): 'online' | 'offline' | undefined {
  const text = new TextDecoder().decode(payload).trim()
  if (text === 'online' || text === 'offline') return text
  const parsed = readJson(payload)
  const state = 'json' in parsed && isObject(parsed.json) ? parsed.json.state : undefined
  return state === 'online' || state === 'offline' ? state : undefined
}

/** `bridge/devices`: announces what measures something for us, and remembers what the messages of each device mean. */
export function readBridgeDevices(payload: Uint8Array, memory: Z2mMemory): DialectOutput {
  if (payload.length === 0) return nothing
  const parsed = readJson(payload)
  if ('output' in parsed) return parsed.output
  if (!Array.isArray(parsed.json)) return notUnderstood('wrong shape', 'bridge/devices is no array')
  const listed = parsed.json.filter((device) => isObject(device) && device.type !== 'Coordinator')
  const aliases = new Map(memory.aliases)
  const early = new Set(memory.early)
  const described = listed.flatMap((device): (DescribedDevice & { announced: Announcement[] })[] => {
    const { friendly_name: name, ieee_address: ieee, definition, disabled } = device
    if (!isName(name) || disabled === true) return []
    // The name that it was claimed under before the bridge told of it goes on being its id, whatever it is called later.
    if (isName(ieee) && early.has(name) && aliases.size < aliasesMax) aliases.set(ieee, name)
    early.delete(name)
    const id = isName(ieee) ? (aliases.get(ieee) ?? ieee) : name
    const model = describeModel(definition)
    return [{ name, id, model, announced: announce(id, name, definition, model?.s ?? []) }]
  })
  const announcements = described.flatMap(({ announced }) => announced)
  const { left, ...packed } = pack(described.toSorted((a, b) => interest(b) - interest(a)))
  const { online, latched = [] } = memory
  const rejections: Rejection[] = []
  const say = (detail: string) => rejections.push({ reason: 'wrong shape', detail })
  if (left > 0) say(`bridge/devices: ${left} of ${described.length} devices are more than can be remembered`)
  if (announcements.length > sayingsMax)
    say(`bridge/devices: ${announcements.length} announcements, the first ${sayingsMax} are taken`)
  return {
    readings: [],
    rejections,
    announcements: announcements.slice(0, sayingsMax),
    memory: fitLatched({
      ...(online === undefined ? {} : { online }),
      ...packed,
      early: [...early],
      aliases: [...aliases],
      latched,
    }),
  }
}

/** Alarms and calls before meters, those before what only moves, and last what is nothing to us. */
function interest({ model }: DescribedDevice): number {
  const kinds = new Set((model?.s ?? []).map(({ k }) => k).filter((k) => k !== undefined))
  if (kinds.size === 0) return 0
  if ([...kinds].some(isAlarmKind)) return 3
  return kinds.has('water') || kinds.has('electricity') ? 2 : 1
}

function announce(id: string, name: string, definition: unknown, specs: readonly Spec[]): Announcement[] {
  const { vendor, model } = isObject(definition) ? definition : {}
  const text = [plainText(vendor, textCharsMax), plainText(model, textCharsMax)].filter((each) => each !== '').join(' ')
  const announced = new Map<string, Announcement>()
  for (const { k: kind, c, as } of specs) {
    if (!kind || as === 'level' || as === 'rate' || as === 'breaths') continue
    const nativeId = c === undefined ? id : `${id}/${c}`
    if (nativeId.length > textCharsMax) continue
    announced.set(`${kind} ${nativeId}`, {
      nativeId,
      kind,
      name: (c === undefined ? name : `${name} ${c}`).slice(0, textCharsMax),
      model: text.slice(0, textCharsMax),
    })
  }
  return [...announced.values()]
}
