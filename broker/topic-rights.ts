import { commandFilter, contractVersion, idPattern } from '../ingest/contract.js'
import { baseTopicProblem, baseTopicsMax, liesUnder } from '../ingest/dialects/base-topics.js'
import { isTopicFilter } from './topic-filter.js'

export type PublishRefusal = 'another gateway' | 'system topic' | 'unknown prefix' | 'malformed topic'

/** What one gateway may say and hear. */
export type TopicRights = {
  readonly gatewayId: string
  /** `v1/{gatewayId}/`, put together once. */
  readonly ownPrefix: string
  readonly baseTopics: readonly string[]
  /** It speaks a dialect: it may ask for anything under its own topics, where v1 knows only commands. */
  readonly hasDialect: boolean
}

/** Far more levels would be an error inside of Aedes, and nothing we publish has them. */
const filterLevelsMax = 20
/**
 * What gateways of a dialect ask for beside their own topics, and some give up when they are refused (zigbee2mqtt with its
 * Home Assistant part switched on): they are told yes, and nothing is ever sent there.
 */
const askedInVain: readonly string[] = [
  'homeassistant/#',
  'homeassistant/status',
  'cmnd/tasmotas/#',
  'tasmotas/cmnd/#',
  'shellies/command',
  'shellies_discovery/rpc',
]

/** Base topics are checked when they are registered, and once more here: what cannot be one gives no rights. */
export function topicRights({
  gatewayId,
  baseTopics = [],
  dialect = 'v1',
}: {
  gatewayId: string
  baseTopics?: readonly string[] | undefined
  dialect?: string | undefined
}): TopicRights {
  return {
    gatewayId,
    ownPrefix: `${contractVersion}/${gatewayId}/`,
    baseTopics: baseTopics.slice(0, baseTopicsMax).filter((topic) => baseTopicProblem(topic) === undefined),
    hasDialect: dialect !== 'v1',
  }
}

/**
 * Why a gateway may not publish under a topic; undefined: it may. Everything under `v1/{gatewayId}/` and under its base
 * topics is its own, sense or nonsense: what it means is judged by ingest, which can quarantine it.
 */
export function publishRefusal(rights: TopicRights, topic: string): PublishRefusal | undefined {
  // U+0000 is forbidden in MQTT strings and cannot be stored as text: it must not get as far as the database.
  if (topic.includes('\0')) return 'malformed topic'
  if (topic.startsWith(rights.ownPrefix)) return undefined
  for (const base of rights.baseTopics) if (liesUnder(base, topic)) return undefined
  if (topic.startsWith('$')) return 'system topic'
  const [version, other] = topic.split('/', 2)
  return version === contractVersion && other && other !== rights.gatewayId ? 'another gateway' : 'unknown prefix'
}

/**
 * With v1 a gateway may subscribe to its commands, for all of its devices or for one. With a dialect, to any filter all of
 * which lies under its own topics. In vain: it is told yes and hears nothing.
 */
export function subscriptionOf(rights: TopicRights, filter: string): 'granted' | 'in vain' | 'refused' {
  const { gatewayId, ownPrefix, baseTopics, hasDialect } = rights
  if (filter === commandFilter(gatewayId) || isCommandTopic(gatewayId, filter)) return 'granted'
  if (!isTopicFilter(filter) || filter.split('/').length > filterLevelsMax) return 'refused'
  // Neither contains a wildcard, so that the levels they consist of stand literally in the filter.
  if (hasDialect && filter.startsWith(ownPrefix)) return 'granted'
  if (baseTopics.some((base) => liesUnder(base, filter))) return 'granted'
  return hasDialect && askedInVain.includes(filter) ? 'in vain' : 'refused'
}

function isCommandTopic(gatewayId: string, topic: string): boolean {
  const levels = topic.split('/', 5)
  return (
    levels.length === 4 &&
    levels[0] === contractVersion &&
    levels[1] === gatewayId &&
    idPattern.test(levels[2]!) &&
    levels[3] === 'command'
  )
}

/** Whether two gateways' rights, or one's before and after a change, are the same. */
export const sameRights = (a: TopicRights, b: TopicRights): boolean =>
  a.gatewayId === b.gatewayId &&
  a.hasDialect === b.hasDialect &&
  a.baseTopics.length === b.baseTopics.length &&
  a.baseTopics.every((topic, index) => topic === b.baseTopics[index])
