export type FrameFault = 'frame too large' | 'first frame too large' | 'first frame is no CONNECT' | 'malformed length'
export type FrameScanner = {
  /**
   * Follows the frames through the next chunk, and returns how many of its bytes may pass: all, or up to the end of the
   * `framesMax`th frame that ends in it. -1 when the stream broke a rule; `fault` then says which.
   */
  scan(chunk: Uint8Array, framesMax: number): number
  /** The first frame, the CONNECT, has passed. */
  readonly firstDone: boolean
  readonly fault: FrameFault | undefined
  /** Size of the frame that broke the rule, in bytes as its header claims. */
  readonly claimedBytes: number
}

const connectType = 1

/**
 * Reads only the fixed header of each MQTT frame (a type byte and one to four bytes of remaining length) and skips over
 * the rest, so that a frame that is too large is known from its first bytes, before anything is kept of it. Holds five
 * numbers, however the stream is cut into chunks.
 */
export function createFrameScanner({
  packetBytesMax,
  connectBytesMax,
}: {
  packetBytesMax: number
  connectBytesMax: number
}): FrameScanner {
  let first = true
  let firstDone = false
  let inHeader = false
  let bodyLeft = 0
  let length = 0
  let shift = 0
  let fault: FrameFault | undefined
  let claimedBytes = 0
  const fail = (reason: FrameFault) => {
    fault = reason
    return -1
  }
  return {
    scan(chunk, framesMax) {
      const end = chunk.length
      let at = 0
      let frames = 0
      while (at < end) {
        if (bodyLeft > 0) {
          const step = Math.min(bodyLeft, end - at)
          at += step
          bodyLeft -= step
          if (bodyLeft > 0) break
        } else if (!inHeader) {
          if (first && chunk[at]! >> 4 !== connectType) return fail('first frame is no CONNECT')
          inHeader = true
          length = 0
          shift = 0
          at++
          continue
        } else {
          const byte = chunk[at++]!
          length += (byte & 0x7f) << shift
          shift += 7
          if (byte & 0x80) {
            if (shift === 28) return fail('malformed length')
            continue
          }
          claimedBytes = 1 + shift / 7 + length
          if (first && claimedBytes > connectBytesMax) return fail('first frame too large')
          if (claimedBytes > packetBytesMax) return fail('frame too large')
          inHeader = false
          first = false
          bodyLeft = length
          if (bodyLeft > 0) continue
        }
        firstDone = true
        if (++frames >= framesMax) return at
      }
      return end
    },
    get firstDone() {
      return firstDone
    },
    get fault() {
      return fault
    },
    get claimedBytes() {
      return claimedBytes
    },
  }
}
