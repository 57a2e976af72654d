import { eventItems, idOf, packItems, propertyItems } from './aliyun-items.js'
import { type AliyunTopic, aliyunId, readAliyunTopic } from './aliyun-topic.js'
import { liesUnder } from './base-topics.js'
import type { DeviceCommand, Dialect, DialectMemory, DialectMessage, DialectOutput } from './dialect.js'
import { meaningOf } from './field-names.js'
import { gather, type Item } from './gathered.js'
import { isObject, type Json, nothing, notUnderstood, readJson } from './json.js'
import { allNoted, notedOf } from './noted.js'
import { plainText } from './plain-text.js'

const textCharsMax = 200
const requestIdCharsMax = 64

/**
 * Aliyun's thing model (Alink JSON): properties and events of a device, of a gateway with its sub-devices (`pack`), kept
 * for later (`history`) and in a batch. A device is `{productKey}/{deviceName}`. Each request is answered under
 * `<topic>_reply` unless it says `sys.ack: 0`: 200 when it was understood as a request (fields that are not known are
 * quarantined; to send them again would not help), 460 when its parameters are none.
 */
export const aliyun: Dialect = { name: 'aliyun', read, write }

/** A gateway waits for the answer and has nothing else to tell us. */
const granted = /^(session\/combine\/\w+|topo\/(add|delete|get)|deviceinfo\/(update|delete)|list\/found)$/
/** Answers to what was asked of a device, and what goes the other way. */
const silent = /(_reply$|^service\/|^downlink\/|^config\/|^dsltemplate\/|^disable$|^enable$|^delete$|^ntp\/response$)/

function read(message: DialectMessage): DialectOutput {
  const topic = readAliyunTopic(message.topic)
  if (!topic) return notUnderstood('topic not in dialect', plainText(message.topic, textCharsMax))
  const { path } = topic
  const event = /^event\/([^/]+)\/post$/.exec(path)?.[1]
  const post = event ?? /^event\/property\/(pack|batch|history)\/post$/.exec(path)?.[1]
  if (post === undefined && path !== 'ntp/request' && !granted.test(path))
    return silent.test(path) ? nothing : notUnderstood('topic not in dialect', plainText(message.topic, textCharsMax))
  const said = readJson(message.payload)
  if ('output' in said) return said.output
  if (!isObject(said.json)) return notUnderstood('wrong shape', 'no object')
  if (path === 'ntp/request') return tellTime(said.json, message)
  const { params } = said.json
  const answer = (code: number, output: DialectOutput) => ({
    ...output,
    ...replies(said.json as Json, message, topic, code),
  })
  if (post === undefined) return answer(200, nothing)
  const items = itemsOf(post, params, { nativeId: aliyunId(topic), receivedAt: message.receivedAt })
  if (!items)
    return answer(460, notUnderstood('wrong shape', `params of ${plainText(path, 80)} are not what they should be`))
  const output = gather(items, { vocabulary: 'aliyun', memory: message.memory })
  return answer(200, withValves(output, items, message.memory))
}

/** Undefined: these are no parameters. */
function itemsOf(
  post: string,
  params: unknown,
  { nativeId, receivedAt }: { nativeId: string; receivedAt: number },
): Item[] | undefined {
  const context = { nativeId, receivedAt }
  if (post === 'history') {
    if (!Array.isArray(params)) return undefined
    // It was kept because there was no line: of then, and not of now. It comes late, but was not said before.
    const kept = { nativeId, receivedAt: undefined }
    return params
      .filter(isObject)
      .flatMap((one) => packItems(one, { ...kept, nativeId: idOf(one.identity) ?? nativeId }))
  }
  if (!isObject(params)) return undefined
  if (post === 'property') return propertyItems(params, context)
  if (post === 'pack' || post === 'batch') return packItems(params, context)
  return eventItems(post, params, context)
}

function replies(said: Json, { topic }: DialectMessage, { path, productKey, deviceName }: AliyunTopic, code: number) {
  const { id, sys, method } = said
  const isWanted = !isObject(sys) || sys.ack !== 0
  if (!isWanted || !((typeof id === 'string' && id.length <= requestIdCharsMax) || typeof id === 'number')) return {}
  const payload = JSON.stringify({
    code,
    data: path.startsWith('session/') ? { productKey, deviceName } : {},
    id: String(id),
    message: code === 200 ? 'success' : 'request parameter error',
    method: plainText(method, textCharsMax) || `thing.${path.replaceAll('/', '.')}`,
    version: '1.0',
  })
  return { replies: [{ topic: `${topic}_reply`, payload }] }
}

/** A device without a clock asks; it works out the rest by itself. */
function tellTime({ deviceSendTime }: Json, { topic, receivedAt }: DialectMessage): DialectOutput {
  const payload = {
    deviceSendTime: plainText(String(deviceSendTime ?? ''), 40),
    serverRecvTime: String(receivedAt),
    serverSendTime: String(receivedAt),
  }
  return { ...nothing, replies: [{ topic: topic.replace(/request$/, 'response'), payload: JSON.stringify(payload) }] }
}

/** Which property of a device is its valve: kept, for a command that closes it. */
function withValves(output: DialectOutput, items: readonly Item[], before: DialectMemory): DialectOutput {
  const valves = new Map<string, string>()
  for (const item of items) {
    if ('odd' in item || typeof item.nativeId !== 'string' || item.nativeId.length > textCharsMax) continue
    const valve = Object.keys(item.values).find((name) => meaningOf('aliyun', name)?.is === 'valve')
    if (valve !== undefined) valves.set(item.nativeId, valve)
  }
  const memory = allNoted(output.memory ?? before, 'valve', valves)
  return memory === before ? output : { ...output, memory }
}

/** Sets the valve property of a device that has told of one: 0 is closed. No other command is in the thing model. */
function write({
  command,
  nativeId,
  base,
  memory,
}: {
  command: DeviceCommand
  nativeId: string
  base: string
  memory: DialectMemory
}) {
  const valve = notedOf(memory, 'valve', nativeId)
  if (command.name !== 'close valve' || typeof valve !== 'string') return undefined
  const topic = `${base === '' ? '' : '/'}sys/${nativeId}/thing/service/property/set`
  if (!readAliyunTopic(topic) || (base !== '' && !liesUnder(base, topic))) return undefined
  const payload = { id: '1', version: '1.0', params: { [valve]: 0 }, method: 'thing.service.property.set' }
  return { topic, payload: JSON.stringify(payload) }
}
