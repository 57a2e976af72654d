import type { Saying } from './dialect.js'
import { isObject, type Json, numberOf } from './json.js'
import { plainText } from './plain-text.js'
import { nativeIdOf } from './tasmota-topic.js'

const nameCharsMax = 60
/** Bits of an IAS zone status. */
const tamperBit = 0x04
const troubleBit = 0x40
const noPress = /^(|none|release|released)$/i

/**
 * What the Zigbee bridge in Tasmota received of its devices: `{"0x662E": {"Device": …, "Name": …, "Contact": 1, …}}`, or
 * the inner object alone with SetOption119. A device is known by its friendly name, else by its short address, which a
 * new pairing changes: a device that is claimed wants a name (ZbName).
 */
export function readZigbee(received: unknown, device: string[], ts: number | string): Saying[] {
  if (!isObject(received)) return []
  const devices = typeof received.Device === 'string' ? [received] : Object.values(received)
  return devices.filter(isObject).flatMap((one) => {
    const name = plainText(one.Name, nameCharsMax) || plainText(one.Device, nameCharsMax)
    return name === '' ? [] : sayingsOf(one, nativeIdOf(device, `zb:${name}`), ts)
  })
}

function sayingsOf(attributes: Json, nativeId: string, ts: number | string): Saying[] {
  const { Occupancy, Contact, Fire, CO, Water, Panic, PersonalAlarm, Click, ZoneStatusChange } = attributes
  const percent = numberOf(attributes.BatteryPercentage)
  const common: Json = { ts }
  if (percent !== undefined && percent >= 0 && percent <= 100) common.battery = percent / 100
  if (typeof ZoneStatusChange === 'number') {
    common.tamper = (ZoneStatusChange & tamperBit) !== 0
    common.fault = (ZoneStatusChange & troubleBit) !== 0
  }
  const sayings: Saying[] = []
  const say = (kind: Saying['kind'], fields: Json) => sayings.push({ nativeId, kind, fields: { ...common, ...fields } })
  const state = (value: unknown, then: (on: boolean) => void) => {
    if (value === 0 || value === 1 || typeof value === 'boolean') then(Boolean(value))
  }
  state(Occupancy, (motion) => say('motion', { motion }))
  state(Contact, (open) => say('door', { open }))
  state(Fire, (alarm) => say('smoke', { alarm }))
  state(CO, (alarm) => say('co', { alarm }))
  state(Water, (alarm) => say('leak', { alarm }))
  const isPress = typeof Click === 'string' && !noPress.test(Click)
  if (Panic === 1 || PersonalAlarm === 1 || isPress) say('button', { event: 'pressed' })
  return sayings
}
