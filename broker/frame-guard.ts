import type { Duplex } from 'node:stream'
import { createFrameScanner, type FrameFault, type FrameLimits } from './frame-scanner.js'
import { createSwallow, type Swallow } from './swallow.js'

export class FrameError extends Error {
  constructor(
    readonly fault: FrameFault,
    readonly claimedBytes: number,
  ) {
    super(fault)
  }
}

export type FrameGuard = {
  /** For a chunk that is the stub of an oversized PUBLISH: the size of the payload that it had, in bytes. */
  oversizeBytesOf(chunk: Uint8Array): number | undefined
  /** Something was not read because there was no room. */
  readonly held: boolean
}

/**
 * Stands between a connection and Aedes, which reads its stream only through `conn.read(null)` and parses what it gets
 * to the last byte. Replacing that one method is the smallest correct place to look at the bytes: no second stream around
 * each socket with buffers and errors of its own, no copy, a few instructions a frame (not measurable beside Aedes' own
 * work at 60,000 to 200,000 publishes a second). What Aedes may not have yet goes back with `unshift`, so that
 * end-of-stream still comes after the last byte.
 *
 * `room()` is how many frames after the first Aedes may be given now. It is what slows a flooding gateway: with no room the socket is not
 * read, and TCP tells the sender. (Aedes' own measure counts a batch per `readable` event and drifts upwards under load;
 * its `concurrency` option bounds the deliveries of the whole broker, not the publishes of a client.) The first frame
 * passes alone: packets sent before the CONNACK would otherwise be queued by Aedes, or kill the connection at 42 of them.
 *
 * A PUBLISH that is too large is swallowed, and Aedes gets a small stub in its place, as a chunk of its own: to end the
 * connection would make a gateway that keeps its messages come back with the same one for ever. `onSwallow` is called for
 * each piece of it, which is all that is heard of the gateway meanwhile.
 *
 * `take` is shown what may pass and begins with a frame; what it takes from the beginning of that, whole frames, does not
 * reach Aedes.
 */
export function guardFrames({
  conn,
  room,
  take = () => 0,
  onBytes,
  onSwallow,
  swallowMsMax,
  ...limits
}: FrameLimits & {
  conn: Duplex
  room: () => number
  take?: (chunk: Buffer) => number
  onBytes: (bytes: number) => void
  onSwallow: () => void
  swallowMsMax: number
}): FrameGuard {
  const readAll = conn.read
  const scanner = createFrameScanner(limits)
  // Not before it is needed: each of 20,000 connections would hold an empty one.
  let stubs: WeakMap<Uint8Array, number> | undefined
  let cutHeader: Buffer | undefined
  let swallow: Swallow | undefined
  let tooSlow: NodeJS.Timeout | undefined
  let held = false
  conn.once('close', () => clearTimeout(tooSlow))

  function end(fault: FrameFault, claimedBytes: number) {
    conn.destroy(new FrameError(fault, claimedBytes))
    return null
  }

  function swallowFrom(into: Swallow, chunk: Buffer) {
    const taken = into.take(chunk)
    onBytes(taken)
    onSwallow()
    if (into.malformed) return end('malformed topic length', 0)
    const { stub } = into
    if (!stub) return null
    swallow = undefined
    clearTimeout(tooSlow)
    if (taken < chunk.length) conn.unshift(chunk.subarray(taken))
    stubs ??= new WeakMap()
    stubs.set(stub.frame, stub.payloadBytes)
    return stub.frame
  }

  conn.read = (size?: number) => {
    // read(0) is how Node's streams ask for more; they get no data by it.
    if (size === 0) return readAll.call(conn, 0)
    const framesMax = scanner.firstDone ? room() : 1
    held = framesMax <= 0
    if (held) return null
    const read: Buffer | null = readAll.call(conn)
    if (read === null) return null
    if (swallow) return swallowFrom(swallow, read)

    const chunk = cutHeader ? Buffer.concat([cutHeader, read]) : read
    cutHeader = undefined
    const { atFrameStart } = scanner
    const scan = scanner.scan(chunk, framesMax)
    if (scan.kind === 'fault') return end(scan.fault, scan.claimedBytes)
    const { passedBytes } = scan
    if (scan.kind === 'oversized publish' && passedBytes === 0) {
      const { headerBytes, bodyBytes } = scan
      tooSlow = setTimeout(end, swallowMsMax, 'frame too slow', headerBytes + bodyBytes)
      swallow = createSwallow(scan)
      onBytes(headerBytes)
      return swallowFrom(swallow, chunk.subarray(headerBytes))
    }
    onBytes(passedBytes)
    // Given back, it would be read again at once, for as long as nothing follows. (A copy: not to keep the whole chunk.)
    if (scan.kind === 'header cut') cutHeader = Buffer.from(chunk.subarray(passedBytes))
    else if (passedBytes < chunk.length) conn.unshift(chunk.subarray(passedBytes))
    const passed = chunk.subarray(0, passedBytes)
    const takenBytes = atFrameStart ? take(passed) : 0
    return takenBytes === passedBytes ? null : passed.subarray(takenBytes)
  }

  return {
    oversizeBytesOf: (chunk) => stubs?.get(chunk),
    get held() {
      return held
    },
  }
}
