import { contractVersion } from '../contract.js'

export type Owned = { gatewayId: string; baseTopics: readonly string[] }
export type TopicIndex = {
  /** Whose a topic is, by the longest of the bases that it stands under. */
  ownerOf(topic: string): string | undefined
  /** What to ask a broker for, each once. */
  filters: string[]
}

/**
 * Whose a message at a broker of somebody else's is: there nobody is logged in, the topic alone tells. Two gateways with
 * the same base are refused when they are saved; should it be so all the same, it belongs to the first by id.
 */
export function createTopicIndex(gateways: readonly Owned[]): TopicIndex {
  const owners = new Map<string, string>()
  for (const { gatewayId, baseTopics } of gateways)
    for (const base of [`${contractVersion}/${gatewayId}`, ...baseTopics])
      if (!owners.has(base)) owners.set(base, gatewayId)
  return {
    ownerOf(topic) {
      for (let end = topic.length; end > 0; end = topic.lastIndexOf('/', end - 1)) {
        const owner = owners.get(topic.slice(0, end))
        if (owner !== undefined) return owner
      }
      return undefined
    },
    filters: [...owners.keys()].map((base) => `${base}/#`).sort(),
  }
}

/** `$share/{group}/{filter}`: each message to one of those who asked under this group. */
export const sharedFilter = (group: string, filter: string) => `$share/${group}/${filter}`

/** What Shouwang, or somebody else, has to say to a gateway of the v1 contract: at a shared broker it comes back to us. */
export function isCommandOf(gatewayId: string, topic: string): boolean {
  const [version, gateway, , last, ...rest] = topic.split('/', 5)
  return version === contractVersion && gateway === gatewayId && last === 'command' && rest.length === 0
}
