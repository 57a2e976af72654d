/** A PUBLISH at QoS 1, as Aedes would hand it over. */
export type TakenPublish = {
  cmd: 'publish'
  qos: 0 | 1
  dup: boolean
  retain: boolean
  topic: string
  payload: Buffer
  messageId: number
}

/** PUBLISH at QoS 1, whatever its DUP and RETAIN flags. */
const publishMask = 0b1111_0110
const publishBits = 0b0011_0010
const hash = 0x23
const plus = 0x2b

/**
 * Hands over the QoS 1 publishes that stand whole at the beginning of `chunk`, which begins with a frame whose lengths
 * have been checked. Returns how many bytes they are: what is left begins with something else, with a frame that is cut,
 * or with a publish that breaks a rule (its topic empty or a pattern, a message id of 0), all of which are for Aedes.
 */
export function takePublishes(chunk: Buffer, take: (publish: TakenPublish) => void): number {
  let at = 0
  while (at < chunk.length) {
    const first = chunk[at]!
    if ((first & publishMask) !== publishBits) return at
    let length = 0
    let body = at + 1
    for (let shift = 0; ; shift += 7) {
      if (body >= chunk.length) return at
      const byte = chunk[body++]!
      length += (byte & 0x7f) << shift
      if (byte < 0x80) break
    }
    const end = body + length
    const topicAt = body + 2
    if (end > chunk.length || length < 5) return at
    const topicEnd = topicAt + (chunk[body]! << 8) + chunk[body + 1]!
    if (topicEnd === topicAt || topicEnd + 2 > end) return at
    for (let i = topicAt; i < topicEnd; i++) if (chunk[i] === hash || chunk[i] === plus) return at
    const messageId = (chunk[topicEnd]! << 8) + chunk[topicEnd + 1]!
    if (messageId === 0) return at
    take({
      cmd: 'publish',
      qos: 1,
      dup: (first & 0b1000) !== 0,
      retain: (first & 1) !== 0,
      topic: chunk.toString('utf8', topicAt, topicEnd),
      payload: chunk.subarray(topicEnd + 2, end),
      messageId,
    })
    at = end
  }
  return at
}
