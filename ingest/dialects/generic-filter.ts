/** Whether a text is an MQTT topic filter: `+` a whole level, `#` only the last one. */
export function isFilter(filter: string): boolean {
  const levels = filter.split('/')
  return (
    filter !== '' &&
    !filter.includes('\0') &&
    levels.every((level, index) => (level === '#' ? index === levels.length - 1 : level === '+' || !/[#+]/.test(level)))
  )
}

/** Whether a topic belongs to a filter; `a/#` is also `a`. */
export function isOf(filter: string, topic: string): boolean {
  const levels = topic.split('/')
  const wanted = filter.split('/')
  for (const [index, level] of wanted.entries()) {
    if (level === '#') return true
    if (level !== '+' && level !== levels[index]) return false
  }
  return wanted.length === levels.length
}
