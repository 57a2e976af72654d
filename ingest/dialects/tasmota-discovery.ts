import type { Announcement, DialectMemory, DialectOutput } from './dialect.js'
import { isObject, type Json, nothing, notUnderstood } from './json.js'
import { plainText } from './plain-text.js'
import { kindOfSwitch } from './tasmota-switch.js'
import { nativeIdOf } from './tasmota-topic.js'

type Known = { id: string; name: string; model: string }
const knownMax = 60
const idCharsMax = 120
const nameCharsMax = 60
const switchOff = -1

const isKnown = (value: unknown): value is Known =>
  isObject(value) && [value.id, value.name, value.model].every((text) => typeof text === 'string')

/**
 * `tasmota/discovery/<mac>/config` and `…/sensors`, retained: what a device is called, and which inputs and sensors it has.
 * The second names the device by its MAC only, so that the first is kept.
 */
export function readDiscovery(what: string, mac: string, json: unknown, memory: DialectMemory): DialectOutput {
  if (!isObject(json)) return notUnderstood('wrong shape', 'a discovery message is an object')
  const known = isObject(memory.discovered) ? memory.discovered : {}
  if (what === 'config') {
    const { device, ...told } = readConfig(json)
    if (!device) return notUnderstood('wrong shape', 'a discovery message without topic')
    const others = Object.entries(known).filter(([other]) => other !== mac)
    const discovered = Object.fromEntries([...others.slice(-(knownMax - 1)), [mac.slice(0, nameCharsMax), device]])
    return { ...nothing, ...told, memory: { ...memory, discovered } }
  }
  const device = Object.hasOwn(known, mac) ? known[mac] : undefined
  const sensors = isObject(json.sn) ? json.sn : {}
  if (!isKnown(device) || !isObject(sensors.ENERGY)) return nothing
  const { id, name, model } = device
  return { ...nothing, announcements: [{ nativeId: id, kind: 'electricity', name, model }] }
}

function readConfig(config: Json): { device?: Known; announcements?: Announcement[] } {
  const levels = levelsOf(config)
  if (!levels) return {}
  const id = nativeIdOf(levels)
  const name = plainText(config.dn, nameCharsMax)
  const model = plainText(config.md, nameCharsMax)
  const announcements: Announcement[] = []
  listOf(config.btn).forEach((isUsed, index) => {
    const part = `Button${index + 1}`
    if (isUsed === 1)
      announcements.push({ nativeId: nativeIdOf(levels, part), kind: 'button', name: `${name} ${part}`.trim(), model })
  })
  const switchNames = listOf(config.swn)
  listOf(config.swc).forEach((mode, index) => {
    if (typeof mode !== 'number' || mode === switchOff) return
    const part = plainText(switchNames[index], nameCharsMax) || `Switch${index + 1}`
    const kind = kindOfSwitch(part)
    if (kind) announcements.push({ nativeId: nativeIdOf(levels, part), kind, name: `${name} ${part}`.trim(), model })
  })
  return { device: { id, name, model }, announcements }
}

const inputsMax = 64
const listOf = (value: unknown): unknown[] => (Array.isArray(value) ? value.slice(0, inputsMax) : [])

/** The levels of the device in its topics, out of FullTopic; undefined where they cannot be told. */
function levelsOf({ ft, t, hn, mac }: Json): string[] | undefined {
  const topic = plainText(t, idCharsMax)
  if (topic === '') return undefined
  const full = plainText(ft, idCharsMax) || '%prefix%/%topic%/'
  const levels = full
    .split('/')
    .filter((level, index, all) => level !== '%prefix%' && !(level === '' && index === all.length - 1))
    .map((level) =>
      level
        .replaceAll('%topic%', () => topic)
        .replaceAll('%hostname%', () => plainText(hn, nameCharsMax))
        .replaceAll('%id%', () => plainText(mac, nameCharsMax)),
    )
  const id = levels.join('/')
  return id.length > idCharsMax || /[#+]/.test(id) ? undefined : levels
}
