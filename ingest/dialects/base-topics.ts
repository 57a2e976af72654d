/**
 * Where gateways may speak beside `v1/{gatewayId}/`: base topics, which are beginnings of topics, whole levels, without a
 * slash at the end. Two gateways may have the same one: what comes in is told apart by who is logged in.
 */
const baseTopicCharsMax = 200
const baseTopicLevelsMax = 10
export const baseTopicsMax = 20

/**
 * Below `v1/` the first two would be mistaken for what ThingsBoard's gateways say under topics that nobody can change; the
 * last is who Home Assistant logs in as.
 */
export const reservedGatewayIds: readonly string[] = ['gateway', 'devices', 'home-assistant']
const allowedBelowV1 = ['v1/gateway', 'v1/devices/me']
/** What Shouwang itself publishes for others. */
const ownFirstLevels = ['homeassistant', 'shouwang']

export type BaseTopicProblem =
  | 'empty'
  | 'too long'
  | 'too many levels'
  | 'wildcard'
  | 'control character'
  | 'empty level'
  | 'system topic'
  | 'reserved'

/** Why a topic cannot be registered as a base topic; undefined: it can. A slash at the beginning is part of it. */
export function baseTopicProblem(topic: string): BaseTopicProblem | undefined {
  if (topic === '') return 'empty'
  if (topic.length > baseTopicCharsMax) return 'too long'
  if (/[#+]/.test(topic)) return 'wildcard'
  // U+0000 and halves of surrogate pairs are forbidden in MQTT; the others only hide in a list.
  if (/[\p{Cc}\p{Cs}]/u.test(topic)) return 'control character'
  const levels = topic.split('/')
  if (levels.length > baseTopicLevelsMax) return 'too many levels'
  if (levels.some((level, index) => level === '' && (index > 0 || levels.length === 1))) return 'empty level'
  const first = levels[0]!
  if (first.startsWith('$')) return 'system topic'
  if (ownFirstLevels.includes(first)) return 'reserved'
  if (first === 'v1' && !allowedBelowV1.some((allowed) => liesUnder(allowed, topic))) return 'reserved'
  return undefined
}

/** The first problem of what one gateway is to have; `topic` is missing where there are too many. */
export function baseTopicsProblem(
  topics: readonly string[],
): { topic?: string; problem: BaseTopicProblem | 'too many' | 'under another one' } | undefined {
  if (topics.length > baseTopicsMax) return { problem: 'too many' }
  for (const [index, topic] of topics.entries()) {
    const problem = baseTopicProblem(topic)
    if (problem) return { topic, problem }
    // It would be open which of the two a topic belongs to.
    if (topics.some((other, at) => at !== index && liesUnder(other, topic)))
      return { topic, problem: 'under another one' }
  }
  return undefined
}

/** Whether `topic` is `base` or stands below it, by whole levels. */
export const liesUnder = (base: string, topic: string): boolean =>
  topic.startsWith(base) && (topic.length === base.length || topic.charCodeAt(base.length) === slash)
const slash = 47
