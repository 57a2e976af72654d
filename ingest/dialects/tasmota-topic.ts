const prefixes = ['tele', 'stat', 'cmnd'] as const
export type TasmotaTopic = {
  prefix: (typeof prefixes)[number]
  /** Where the prefix stands among the levels: FullTopic can put it anywhere. */
  prefixAt: number
  /** The levels that name the device, whatever their order with the prefix; none where the gateway is one device alone. */
  device: string[]
  /** The last level, in capitals: SENSOR, RESULT, STATUS8, LWT … */
  message: string
}

const deviceCharsMax = 120
/** How a device is called that has no level of its own in its topics. */
const itself = 'self'

/** A topic of Tasmota taken apart; undefined where it has none of the three prefixes, which Prefix1 to 3 must not rename. */
export function readTasmotaTopic(topic: string): TasmotaTopic | undefined {
  const levels = topic.split('/')
  const message = levels.pop()!.toUpperCase()
  const prefixAt = levels.findIndex((level) => (prefixes as readonly string[]).includes(level))
  const prefix = levels[prefixAt] as TasmotaTopic['prefix'] | undefined
  const device = levels.filter((_, index) => index !== prefixAt)
  const name = device.join('/')
  if (prefix === undefined || message === '' || name.length > deviceCharsMax || /[\p{Cc}#+]/u.test(name))
    return undefined
  return { prefix, prefixAt, device, message }
}

/** The levels of a base topic that name a device: what is left of it without a prefix. */
export const deviceOfBase = (base: string): string[] =>
  base.split('/').filter((level) => level !== '' && !(prefixes as readonly string[]).includes(level))

/** `#` cannot be in a topic: what stands behind it is the part of the device. */
export const nativeIdOf = (device: string[], part = ''): string => {
  const name = device.join('/') || itself
  return part === '' ? name : `${name}#${part}`
}

/** The topic of a command to the device of `nativeId`, with the prefix where this gateway has it; undefined for no topic. */
export function commandTopic(nativeId: string, prefixAt: number, command: string): string | undefined {
  const name = nativeId.split('#', 1)[0]!
  if (name === '' || name.includes('+')) return undefined
  const levels = name === itself ? [] : name.split('/')
  return levels.toSpliced(prefixAt, 0, 'cmnd').concat(command).join('/')
}
