import type { EpochMs } from '../../alerts/model.js'
import { aliyunId } from './aliyun-topic.js'
import { meaningOf, nameKey } from './field-names.js'
import type { Item } from './gathered.js'
import { isObject, type Json, numberOf } from './json.js'

type Context = {
  nativeId: string
  /** For what names no time; undefined: it has to name one. */
  receivedAt: EpochMs | undefined
}

/** `Identifier: value`, `{value, time}` or a list of them. What was measured at one time is one item. */
export function propertyItems(properties: Json, { nativeId, receivedAt }: Context): Item[] {
  const byTime = new Map<string | number | undefined, [string, unknown][]>()
  for (const [identifier, said] of Object.entries(properties)) {
    for (const one of Array.isArray(said) ? said : [said]) {
      const { value, ts } = timed(one, receivedAt)
      const at = byTime.get(ts) ?? []
      byTime.set(ts, at)
      at.push([withoutBlock(identifier), value])
    }
  }
  return [...byTime].map(([ts, values]) => ({ nativeId, values: Object.fromEntries(values), ts }))
}

/** What an event says besides that it happened. */
const deciding = ['alarmstate', 'alarmstatus', 'alarm', 'state', 'status', 'value']
const circumstances = [
  'alarmtype',
  'alarmtime',
  'alarmlevel',
  'eventtime',
  'eventtype',
  'errorcode',
  'alarmcode',
  'level',
]

/**
 * An event `{value: {…}, time}`, or a list of them: that it happened is the alarm, where its name is one of the table and
 * nothing in it says that it is over (`SmokeSensorState: 0`, `AlarmState: 0`).
 */
export function eventItems(identifier: string, said: unknown, { nativeId, receivedAt }: Context): Item[] {
  const name = withoutBlock(identifier)
  // The standard event of every product: a number that only its maker knows.
  if (nameKey(name) === 'error') return []
  const each = (Array.isArray(said) ? said : [said]).filter((one) => one !== null && one !== undefined)
  return each.map((one: unknown) => {
    const { value, ts } = timed(one, receivedAt)
    const params = isObject(value) ? Object.entries(value) : []
    const meaning = meaningOf('aliyun', name)
    const others = params.filter(([param]) => ![...deciding, ...circumstances].includes(nameKey(param)))
    if (!meaning || meaning.is === 'nothing') {
      return { nativeId, values: Object.fromEntries(params), ts, called: `event ${name}` }
    }
    const [, decided] = params.find(([param]) => deciding.includes(nameKey(param))) ?? []
    const isToldInside = others.some(([param]) => {
      const inside = meaningOf('aliyun', param)
      return inside?.is === meaning.is && (!('kind' in inside) || !('kind' in meaning) || inside.kind === meaning.kind)
    })
    const state: [string, unknown][] = isToldInside ? [] : [[name, decided ?? true]]
    return { nativeId, values: Object.fromEntries([...state, ...others]), ts }
  })
}

/**
 * `{properties, events, subDevices: [{identity, properties, events}]}` of a gateway's batch, and each entry of `history`:
 * there both may be lists of objects.
 */
export function packItems(pack: Json, context: Context): Item[] {
  const objects = (said: unknown) => (Array.isArray(said) ? said : [said]).filter(isObject)
  const subDevices = Array.isArray(pack.subDevices) ? pack.subDevices.filter(isObject) : []
  return [
    ...objects(pack.properties).flatMap((properties) => propertyItems(properties, context)),
    ...objects(pack.events).flatMap((events) =>
      Object.entries(events).flatMap(([identifier, said]) => eventItems(identifier, said, context)),
    ),
    ...subDevices.flatMap((sub): Item[] => {
      const nativeId = idOf(sub.identity)
      return nativeId
        ? packItems({ properties: sub.properties, events: sub.events }, { ...context, nativeId })
        : [{ odd: 'a sub-device without an identity' }]
    }),
  ]
}

/** `identity: {productKey, deviceName}`; undefined: there is none. */
export const idOf = (identity: unknown): string | undefined => {
  if (!isObject(identity)) return undefined
  const { productKey, deviceName } = identity
  return typeof productKey === 'string' && productKey !== '' && typeof deviceName === 'string' && deviceName !== ''
    ? aliyunId({ productKey, deviceName })
    : undefined
}

/** A custom block of the model stands before the identifier: `alarms:SmokeAlarm`. */
const withoutBlock = (identifier: string) => identifier.slice(identifier.indexOf(':') + 1)

function timed(said: unknown, receivedAt: EpochMs | undefined): { value: unknown; ts: string | number | undefined } {
  const now = receivedAt === undefined ? undefined : new Date(receivedAt).toISOString()
  if (
    !isObject(said) ||
    !Object.hasOwn(said, 'value') ||
    Object.keys(said).some((key) => !['value', 'time'].includes(key))
  )
    return { value: said, ts: now }
  const { value, time } = said
  if (time === undefined || time === null) return { value, ts: now }
  return { value, ts: numberOf(time) ?? (typeof time === 'string' ? time : undefined) }
}
