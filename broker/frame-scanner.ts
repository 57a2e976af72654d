export type FrameFault =
  | 'frame too large'
  | 'first frame too large'
  | 'first frame is no CONNECT'
  | 'malformed length'
  | 'malformed topic length'
  | 'frame too slow'

/** How much of a chunk may pass (`passedBytes`), and what comes after it. */
export type Scan =
  /** Everything may pass, or as many frames as were asked for. */
  | { kind: 'passed'; passedBytes: number }
  /** The chunk ends inside of a frame's header: those bytes must be shown again, with what follows them. */
  | { kind: 'header cut'; passedBytes: number }
  /** A PUBLISH that is too large to pass, and small enough to be swallowed. */
  | { kind: 'oversized publish'; passedBytes: number; firstByte: number; headerBytes: number; bodyBytes: number }
  /** The stream broke a rule; `claimedBytes` is what the frame's header says, 0 before it says anything. */
  | { kind: 'fault'; fault: FrameFault; claimedBytes: number }

export type FrameScanner = {
  /** Follows the frames through the next chunk, up to the end of the `framesMax`th frame that ends in it. */
  scan(chunk: Uint8Array, framesMax: number): Scan
  /** The first frame, the CONNECT, has passed. */
  readonly firstDone: boolean
  /** What comes next is the beginning of a frame. */
  readonly atFrameStart: boolean
}

export type FrameLimits = { packetBytesMax: number; connectBytesMax: number; swallowBytesMax: number }

const connectType = 1
const publishType = 3

/**
 * Reads only the fixed header of each MQTT frame (a type byte and one to four bytes of remaining length) and skips over
 * the rest, so that a frame that is too large is known from its first bytes, before anything is kept of it. Holds three
 * values, however the stream is cut into chunks.
 */
export function createFrameScanner({ packetBytesMax, connectBytesMax, swallowBytesMax }: FrameLimits): FrameScanner {
  let first = true
  let firstDone = false
  let bodyLeft = 0
  const fail = (fault: FrameFault, claimedBytes = 0): Scan => ({ kind: 'fault', fault, claimedBytes })
  return {
    scan(chunk, framesMax) {
      const end = chunk.length
      let at = 0
      let frames = 0
      while (at < end) {
        if (bodyLeft === 0) {
          const firstByte = chunk[at]!
          const type = firstByte >> 4
          if (first && type !== connectType) return fail('first frame is no CONNECT')
          let body = at + 1
          let length = 0
          for (let shift = 0; ; shift += 7) {
            if (body === end) return { kind: 'header cut', passedBytes: at }
            const byte = chunk[body++]!
            length += (byte & 0x7f) << shift
            if (byte < 0x80) break
            if (shift === 21) return fail('malformed length')
          }
          const headerBytes = body - at
          const claimedBytes = headerBytes + length
          if (first && claimedBytes > connectBytesMax) return fail('first frame too large', claimedBytes)
          if (claimedBytes > packetBytesMax) {
            const isPublish = type === publishType && (firstByte & 0x06) !== 0x06
            if (!isPublish || claimedBytes > swallowBytesMax) return fail('frame too large', claimedBytes)
            return { kind: 'oversized publish', passedBytes: at, firstByte, headerBytes, bodyBytes: length }
          }
          first = false
          bodyLeft = length
          at = body
        }
        const step = Math.min(bodyLeft, end - at)
        at += step
        bodyLeft -= step
        if (bodyLeft > 0) break
        firstDone = true
        if (++frames >= framesMax) break
      }
      return { kind: 'passed', passedBytes: at }
    },
    get firstDone() {
      return firstDone
    },
    get atFrameStart() {
      return bodyLeft === 0
    },
  }
}
