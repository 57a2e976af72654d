import type { EpochMs } from '../../alerts/model.js'
import { parsePayload, type Rejection } from '../decode.js'
import { type Saying, sayingsMax } from './dialect.js'
import { isOf } from './generic-filter.js'
import { deviceOf, readFields, type Say, shown, type TrialProblem, timeOf } from './generic-item.js'
import type { GenericMapping, GenericRule } from './generic-mapping.js'
import { valueAt } from './generic-path.js'
import { nativeName } from './native-name.js'
import { plainText } from './plain-text.js'

export type { TrialProblem }

const textCharsMax = 200

export type TrialMessage = {
  /** What stands below `v1/{gatewayId}/`, or the whole topic where the gateway speaks under topics of its own. */
  topic: string
  payload: Uint8Array
  receivedAt: EpochMs
  /** IANA zone for times that name none. */
  timeZone: string
}

/** What came of one rule. */
export type TrialOutcome =
  | { is: 'read'; readings: Saying[]; problems: TrialProblem[] }
  /** It was for such a message, and nothing of it could be read. */
  | { is: 'nothing read'; problems: TrialProblem[] }
  | { is: 'ignored' }
  | { is: 'other topic' }
  | { is: 'other condition'; path: string; found: string }
  | { is: 'no items'; path: string }

export type Trial = {
  /** One for each rule, in their order; none where the payload could not be read at all. */
  rules: { index: number; name: string; outcome: TrialOutcome }[]
  /** In the words of v1, before the contract has looked at them: see `decodeOne`. */
  readings: Saying[]
  rejections: Rejection[]
}

/**
 * What a mapping makes of one message, and for each rule why it did or did not apply: for a page on which it is tried out
 * before it is saved, and for the adapter itself. Pure; never throws. Payloads are JSON, or short plain text.
 */
export function tryMapping(mapping: GenericMapping, message: TrialMessage): Trial {
  const parsed = readPayload(message.payload)
  if ('reason' in parsed) return { rules: [], readings: [], rejections: [parsed] }
  const rules = mapping.rules.map((rule, index) => ({
    index,
    name: rule.name ?? '',
    outcome: apply(rule, parsed.json, message),
  }))
  const all = rules.flatMap(({ outcome }) => (outcome.is === 'read' ? outcome.readings : []))
  const readings = all.slice(0, sayingsMax)
  const rejections = rejectionsOf(rules, message.topic)
  if (all.length > sayingsMax) rejections.push({ reason: 'wrong shape', detail: `more than ${sayingsMax} readings` })
  return { rules, readings, rejections }
}

function readPayload(payload: Uint8Array): { json: unknown } | Rejection {
  const parsed = parsePayload(payload)
  if (!('reason' in parsed) || parsed.reason !== 'malformed JSON' || payload.length > textCharsMax) return parsed
  const text = new TextDecoder().decode(payload).trim()
  return /^[[{"]/.test(text) ? parsed : { json: text }
}

function apply(rule: GenericRule, root: unknown, message: TrialMessage): TrialOutcome {
  if (!isOf(rule.topic, message.topic)) return { is: 'other topic' }
  if (rule.ignore) return unmet(rule, root, root) ?? { is: 'ignored' }
  const { kind, device, fields } = rule
  if (!kind || !device || !fields) return { is: 'nothing read', problems: [] }
  const list = rule.items === undefined ? undefined : valueAt(rule.items, { item: root, root })
  if (rule.items !== undefined && !Array.isArray(list)) return { is: 'no items', path: rule.items }
  const items: unknown[] = Array.isArray(list) ? list.slice(0, sayingsMax + 1) : [root]
  const readings: Saying[] = []
  const problems: TrialProblem[] = []
  let condition: TrialOutcome | undefined
  for (const [index, item] of items.entries()) {
    const say: Say = (problem) => problems.push({ ...problem, item: rule.items === undefined ? undefined : index })
    const other = unmet(rule, item, root)
    if (other) {
      condition ??= other
      continue
    }
    const nativeId = nativeName(deviceOf(device, { item, root, topic: message.topic }))
    if (nativeId === undefined) {
      say({ is: 'no device', ...(device.path === undefined ? {} : { path: device.path }) })
      continue
    }
    const read = readFields({ kind, fields }, { item, root, say })
    if (!read) continue
    const ts = timeOf(rule, { item, root, receivedAt: message.receivedAt, timeZone: message.timeZone })
    readings.push({ nativeId, kind, fields: { ...(ts === undefined ? {} : { ts }), ...read } })
  }
  if (readings.length > 0) return { is: 'read', readings, problems }
  return problems.length === 0 && condition ? condition : { is: 'nothing read', problems }
}

function unmet(rule: GenericRule, item: unknown, root: unknown): TrialOutcome | undefined {
  for (const { path, equals } of rule.when ?? []) {
    const found = valueAt(path, { item, root }) ?? null
    if (!(Array.isArray(equals) ? equals : [equals]).includes(found as string))
      return { is: 'other condition', path, found: shown(found) }
  }
  return undefined
}

/** What is there and could not be understood; and a message of which no rule reads anything. */
function rejectionsOf(rules: Trial['rules'], topic: string): Rejection[] {
  const describe = ({ is, field, path, found }: TrialProblem) =>
    `${[field, path && `at ${path}`].filter(Boolean).join(' ') || 'device'}: ${is}${found === undefined ? '' : ` (${found})`}`
  const outcomes = rules.map(({ outcome }) => outcome)
  const problems = outcomes.flatMap((outcome) => ('problems' in outcome ? outcome.problems : []))
  const odd = problems.filter(({ is, found }) => is === 'no device' || found !== undefined)
  const cut = (lines: string[]) => [...new Set(lines)].join(', ').slice(0, textCharsMax)
  if (odd.length > 0) return [{ reason: 'wrong shape', detail: cut(odd.map(describe)) }]
  if (outcomes.every(({ is }) => is === 'other topic'))
    return [{ reason: 'topic not in dialect', detail: `no rule for ${plainText(topic, textCharsMax - 20)}` }]
  const isSettled = outcomes.some(
    (outcome) =>
      outcome.is === 'read' ||
      outcome.is === 'ignored' ||
      // Understood as nothing: an empty list, a button that was let go.
      (outcome.is === 'nothing read' && outcome.problems.length === 0),
  )
  if (isSettled) return []
  const because = outcomes.flatMap((outcome) => {
    if (outcome.is === 'other condition') return [`${outcome.path} is ${outcome.found}`]
    if (outcome.is === 'no items') return [`no list at ${outcome.path}`]
    return outcome.is === 'nothing read' ? outcome.problems.map(describe) : []
  })
  return [{ reason: 'unknown field', detail: cut(['no rule reads it', ...because]) }]
}
