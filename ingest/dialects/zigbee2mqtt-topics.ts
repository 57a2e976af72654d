export type Z2mTopic =
  /** Below `bridge/`. */
  | { kind: 'bridge'; about: string }
  /** What a device says. */
  | { kind: 'device'; name: string }
  /** One property of a known device alone (`output: attribute`). */
  | { kind: 'attribute'; name: string; property: string }
  /** Availability, and what others ask of devices. */
  | { kind: 'nothing' }
  | { kind: 'other' }

/**
 * What a topic is about. Names of devices may contain slashes, so a known name comes before any suffix.
 */
export function readZ2mTopic(topic: string, base: string, isKnown: (name: string) => boolean): Z2mTopic {
  const prefix = base === '' ? '' : `${base}/`
  const rest = topic.startsWith(prefix) ? topic.slice(prefix.length) : ''
  if (rest === '') return { kind: 'other' }
  if (rest.startsWith('bridge/')) return { kind: 'bridge', about: rest.slice('bridge/'.length) }
  if (isKnown(rest)) return { kind: 'device', name: rest }
  if (/\/(availability|[sg]et)$|\/[sg]et\//.test(rest)) return { kind: 'nothing' }
  const slash = rest.lastIndexOf('/')
  if (slash > 0 && isKnown(rest.slice(0, slash)))
    return { kind: 'attribute', name: rest.slice(0, slash), property: rest.slice(slash + 1) }
  return { kind: 'device', name: rest }
}
