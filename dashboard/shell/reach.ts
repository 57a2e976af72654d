/** What is known of a channel, as far as it says whether a person can be reached. */
export type ReachChannel = {
  kind: string
  brokenAt: Date | null
  lastFailedAt: Date | null
  lastSentAt: Date | null
  confirmedAt: Date | null
}
export type Reach = 'none' | 'unusable' | 'broken' | 'failing' | 'untested' | 'fine'

/** Channels that this server can use and that nobody refused. */
export const workingChannels = <T extends ReachChannel>(channels: readonly T[], usable: readonly string[]): T[] =>
  channels.filter(({ kind, brokenAt }) => brokenAt === null && usable.includes(kind))

/** Whether a person can be reached; `usable`: the kinds of channels that this server has. Pure. */
export function reachOf(channels: readonly ReachChannel[], usable: readonly string[]): Reach {
  if (channels.length === 0) return 'none'
  if (!channels.some(({ kind }) => usable.includes(kind))) return 'unusable'
  const working = workingChannels(channels, usable)
  if (working.length === 0) return 'broken'
  if (working.every(hasFailed)) return 'failing'
  return working.some(({ confirmedAt }) => confirmedAt !== null) ? 'fine' : 'untested'
}

export const hasFailed = ({ lastFailedAt, lastSentAt }: ReachChannel) =>
  lastFailedAt !== null && (lastSentAt === null || lastFailedAt > lastSentAt)

export const isReachable = (reach: Reach): boolean => !['none', 'unusable', 'broken'].includes(reach)
