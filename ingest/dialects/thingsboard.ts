import type { DeviceCommand, Dialect, DialectMessage, DialectOutput } from './dialect.js'
import { gather, type Item } from './gathered.js'
import { isObject, type Json, nothing, notUnderstood, numberOf, readJson } from './json.js'
import { nativeName } from './native-name.js'
import { plainText } from './plain-text.js'

/** The one device of a client that is no gateway (`v1/devices/me/…`). */
const me = 'me'
const textCharsMax = 200
const nameCharsMax = 40

/**
 * What ThingsBoard's gateways and devices say: `v1/gateway/telemetry` `{device: [{ts, values}]}` and
 * `v1/devices/me/telemetry`, with `ts` in milliseconds, or without it for "now", which is how ThingsBoard takes it.
 * Attributes are what a device is, sent again at each start: the alarms among them are said again from memory.
 */
export const thingsboard: Dialect = { name: 'thingsboard', read, write }

const silent = ['connect', 'disconnect', 'claim', 'rpc', 'request', 'response']

function read(message: DialectMessage): DialectOutput {
  const levels = message.topic.split('/')
  const last = levels.lastIndexOf('gateway')
  const mine = levels.lastIndexOf('me')
  const isGateway = last >= 0
  const [what = '', ...rest] = isGateway
    ? levels.slice(last + 1)
    : levels[mine - 1] === 'devices'
      ? levels.slice(mine + 1)
      : []
  if (silent.includes(what) || (what === 'attributes' && rest.length > 0)) return nothing
  if ((what !== 'telemetry' && what !== 'attributes') || rest.length > 0)
    return notUnderstood('topic not in dialect', plainText(message.topic, textCharsMax))
  const read = readJson(message.payload)
  if ('output' in read) return read.output
  const { memory, receivedAt } = message
  const itemsOf = (nativeId: string, said: unknown): Item[] =>
    (Array.isArray(said) ? said : [said]).map((one: unknown) =>
      isObject(one)
        ? {
            nativeId,
            ...timedValues(one, receivedAt),
            ...(what === 'attributes' ? { cached: true, alarmsOnly: true } : {}),
          }
        : { odd: `${plainText(nativeId, nameCharsMax)}: no values` },
    )
  if (!isGateway) return gather(itemsOf(me, read.json), { vocabulary: 'thingsboard', memory })
  if (!isObject(read.json)) return notUnderstood('wrong shape', 'no object with a device for each name')
  const items = Object.entries(read.json).flatMap(([nativeId, said]) => itemsOf(nativeId, said))
  return gather(items, { vocabulary: 'thingsboard', memory })
}

/** `{ts, values}`, or the values alone. */
function timedValues(item: Json, receivedAt: number): { values: Json; ts: string | number | undefined } {
  const now = new Date(receivedAt).toISOString()
  if (!isObject(item.values)) return { values: item, ts: now }
  const { ts } = item
  if (ts === undefined || ts === null) return { values: item.values, ts: now }
  return { values: item.values, ts: numberOf(ts) ?? (typeof ts === 'string' ? ts : undefined) }
}

const methods: Record<DeviceCommand['name'], string> = {
  prompt: 'prompt',
  chime: 'chime',
  led: 'setLed',
  'close valve': 'closeValve',
  'self-test': 'selfTest',
}

/**
 * A call of a method (server-side RPC), whose names are ours: `prompt`, `chime`, `setLed`, `closeValve`, `selfTest`. The
 * gateway's configuration says what they do at each device.
 */
function write({ command, nativeId, base }: { command: DeviceCommand; nativeId: string; base: string }) {
  const { name, ...params } = command
  const method = methods[name]
  const levels = base.split('/')
  if (nativeId === me && levels.at(-1) === 'me')
    return { topic: `${base}/rpc/request/1`, payload: JSON.stringify({ method, params }) }
  if (!nativeName(nativeId) || /[+#\0]/.test(base)) return undefined
  const topic = base === '' ? 'v1/gateway/rpc' : levels.at(-1) === 'gateway' ? `${base}/rpc` : undefined
  return topic === undefined
    ? undefined
    : { topic, payload: JSON.stringify({ device: nativeId, data: { id: 1, method, params } }) }
}
