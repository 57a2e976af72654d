import { type ChannelKind, channelKinds } from '../../alerts/channels/address.js'
import type { StaffViewer } from './viewer.js'

/** Which channels this server has, and which web origins its operator vouches for. */
export type ChannelSetup = {
  kinds: readonly ChannelKind[]
  origins: readonly string[]
  /** The public key by which browsers' push services know this server. */
  pushKey: () => Promise<string>
}

/**
 * Who may add what on a page. A webhook goes wherever it is told to, also inside the operator's own network, and its
 * answer is shown: only who runs the server enters any, the others those that lead to an origin of the setting.
 */
export function mayAdd(p: {
  kind: string
  address: string
  viewer: Pick<StaffViewer, 'role'>
  channels: Pick<ChannelSetup, 'kinds' | 'origins'>
}): boolean {
  const { kind, address, viewer, channels } = p
  if (!(channels.kinds as readonly string[]).includes(kind)) return false
  if (kind !== 'webhook' || viewer.role === 'operator') return true
  return URL.canParse(address) && channels.origins.includes(new URL(address).origin)
}

/** The channels that a form offers to this viewer; push has a button of its own. */
export function offeredKinds(p: {
  viewer: Pick<StaffViewer, 'role'>
  channels: Pick<ChannelSetup, 'kinds' | 'origins'>
}): ChannelKind[] {
  const { kinds, origins } = p.channels
  const mayWebhook = p.viewer.role === 'operator' || origins.length > 0
  return channelKinds.filter(
    (kind) => kinds.includes(kind) && kind !== 'web_push' && (kind !== 'webhook' || mayWebhook),
  )
}
