const slash = '/'

/** Whether a string can be the topic of a message: no wildcard, no U+0000, 1 to 65,535 bytes. */
export const isTopicName = (topic: string): boolean =>
  topic !== '' && !/[#+\0]/.test(topic) && Buffer.byteLength(topic) <= 65_535

/** Whether a string is a topic filter: `#` only as its last level, `+` only as a whole one. */
export function isTopicFilter(filter: string): boolean {
  if (filter === '' || filter.includes('\0')) return false
  const levels = filter.split(slash)
  return levels.every((level, index) =>
    level === '#' ? index === levels.length - 1 : level === '+' || !/[#+]/.test(level),
  )
}

export const hasWildcard = (filter: string): boolean => /[#+]/.test(filter)

const [hashCode, plusCode, slashCode] = [0x23, 0x2b, 0x2f]

/**
 * Whether a message under `topic` belongs to a valid `filter`: `a/#` is `a` too, and no pattern begins with `$…`.
 * Walks both once and allocates nothing: one connection may have a thousand filters.
 */
export function filterMatches(filter: string, topic: string): boolean {
  if (topic.startsWith('$') && /^[#+]/.test(filter)) return false
  let t = 0
  for (let f = 0; f < filter.length; f++) {
    const code = filter.charCodeAt(f)
    if (code === hashCode) return true
    if (code === plusCode) while (t < topic.length && topic.charCodeAt(t) !== slashCode) t++
    else if (t === topic.length)
      return code === slashCode && f + 2 === filter.length && filter.charCodeAt(f + 1) === hashCode
    else if (code !== topic.charCodeAt(t++)) return false
  }
  return t === topic.length
}

/** Whether every topic that belongs to the valid filter `inner` belongs to the valid filter `outer` too. */
export function filterCovers(outer: string, inner: string): boolean {
  if (inner.startsWith('$') && /^[#+]/.test(outer)) return false
  const [outers, inners] = [outer.split(slash), inner.split(slash)]
  for (const [index, level] of outers.entries()) {
    if (level === '#') return true
    const other = inners[index]
    if (other === undefined || other === '#') return false
    if (level !== '+' && level !== other) return false
  }
  return outers.length === inners.length
}
