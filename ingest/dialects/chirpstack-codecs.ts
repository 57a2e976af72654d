import { isObject, type Json } from './json.js'

/** Netvox RB02I, R718T, R312A: `Alarm` is their button, as it is that of Dragino's PB01. */
const netvoxButtons: unknown[] = ['RB02I', 'R718T', 'R312A']

/** Codecs whose words mean something only together: rewritten into names of the table, the rest is left as it is. */
export function plainNames(object: Json): Json {
  // Browan: how often it happened, not how much was used.
  if (Object.hasOwn(object, 'temperatureBoard')) return { ...object, count: null }
  const { Alarm: alarm } = object
  const isButton = netvoxButtons.includes(object.Device) || Object.hasOwn(object, 'Sound_ACK')
  if (isButton && alarm !== undefined) return { ...object, Alarm: null, button: alarm }
  const { type, event, concentration, Alarms: alarms, ...rest } = object
  // Milesight GS524N.
  if (type === 'smoke sensor' && typeof event === 'string')
    return { ...rest, smoke_concentration: concentration ?? null, ...smokeOf(event) }
  // Axioma W1: a register of bits, each of which has its own name beside it.
  if (object.payload_format === 'AXIOMA_W1_ENHANCED_24H') return { ...object, status: null }
  // Axioma, frame 103: the status register as words.
  if (Array.isArray(alarms) && alarms.every((one) => typeof one === 'string'))
    return { ...object, Alarms: null, ...alarmsOf(alarms) }
  return object
}

function smokeOf(event: string): Json {
  if (event.startsWith('testing')) return { smoke: 'test' }
  if (event === 'failover') return { smoke: 'normal', fault: true }
  if (event === 'removed') return { smoke: 'normal', tamper: true }
  if (event === 'low battery') return { smoke: 'normal', battery_low: true }
  if (event === 'installed') return { smoke: 'normal', tamper: false }
  return { smoke: event }
}

function alarmsOf(words: string[]): Json {
  const has = (...some: string[]) => some.some((word) => words.includes(word))
  return {
    leakage: has('Leakage', 'Burst'),
    fault: has('Permanent Error'),
    ...(has('Low Battery') ? { battery_low: true } : {}),
  }
}

/** Codecs that were written for other servers wrap what they decode once more. */
export function unwrapped(object: unknown): Json | undefined {
  if (!isObject(object)) return undefined
  return (
    ['data', 'decoded'].map((name) => (Object.hasOwn(object, name) ? object[name] : undefined)).find(isObject) ?? object
  )
}
