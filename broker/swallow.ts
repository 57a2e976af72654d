/** A valid PUBLISH frame in place of one that was swallowed; `payloadBytes` is the size of the payload it had. */
export type Stub = { frame: Buffer; payloadBytes: number }
export type Swallow = {
  /** Takes what belongs to the frame from the start of the chunk, and returns how many bytes that were. */
  take(chunk: Uint8Array): number
  /** Its topic does not fit into it. */
  readonly malformed: boolean
  /** There once the last byte has been taken. */
  readonly stub: Stub | undefined
}

/** Topics of the contract have at most 200 bytes or so; a quarantined one is shown with 300 characters. */
const topicBytesKept = 1_024
/** Enough to recognise what was sent. */
const payloadBytesKept = 256

/**
 * Lets the body of a PUBLISH frame run through without keeping it: what stays is the start of its topic, its packet id
 * and the start of its payload, under 1.3 KB. They make the stub: the same first byte (QoS, DUP, RETAIN) and packet id,
 * so that whoever reads it acknowledges what the sender sent. A longer topic is cut: to refuse it
 * would only make the sender come back with it.
 */
export function createSwallow({ firstByte, bodyBytes }: { firstByte: number; bodyBytes: number }): Swallow {
  const idBytes = (firstByte & 0x06) === 0 ? 0 : 2
  const body = Buffer.alloc(2 + topicBytesKept + idBytes + payloadBytesKept)
  let size = 2
  let seen = 0
  let topicBytes = 0
  let headBytes = 2
  const payloadBytes = () => bodyBytes - 2 - topicBytes - idBytes

  function look(byte: number) {
    if (seen < 2) topicBytes = (topicBytes << 8) | byte
    else if (seen < 2 + topicBytesKept || seen >= 2 + topicBytes) body[size++] = byte
    if (++seen === 2) headBytes = Math.min(bodyBytes, 2 + topicBytes + idBytes + payloadBytesKept)
  }

  return {
    take(chunk) {
      let at = 0
      while (at < chunk.length && seen < headBytes) look(chunk[at++]!)
      const step = Math.min(chunk.length - at, bodyBytes - seen)
      seen += step
      return at + step
    },
    get malformed() {
      return seen >= 2 && payloadBytes() < 0
    },
    get stub() {
      if (seen < bodyBytes) return undefined
      body.writeUInt16BE(Math.min(topicBytes, topicBytesKept))
      const header = Buffer.from([firstByte, ...lengthOf(size)])
      return { frame: Buffer.concat([header, body.subarray(0, size)]), payloadBytes: payloadBytes() }
    },
  }
}

/** MQTT's remaining length, for less than 16 KB. */
const lengthOf = (bytes: number) => (bytes < 0x80 ? [bytes] : [(bytes & 0x7f) | 0x80, bytes >> 7])
