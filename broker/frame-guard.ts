import type { Duplex } from 'node:stream'
import { createFrameScanner, type FrameFault } from './frame-scanner.js'

export class FrameError extends Error {
  constructor(
    readonly fault: FrameFault,
    readonly claimedBytes: number,
  ) {
    super(fault)
  }
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
 */
export function guardFrames({
  conn,
  packetBytesMax,
  connectBytesMax,
  room,
  onBytes,
}: {
  conn: Duplex
  packetBytesMax: number
  connectBytesMax: number
  room: () => number
  onBytes: (bytes: number) => void
}): void {
  const readAll = conn.read
  const scanner = createFrameScanner({ packetBytesMax, connectBytesMax })
  conn.read = (size?: number) => {
    // read(0) is how Node's streams ask for more; they get no data by it.
    if (size === 0) return readAll.call(conn, 0)
    const framesMax = scanner.firstDone ? room() : 1
    if (framesMax <= 0) return null
    const chunk: Buffer | null = readAll.call(conn)
    if (chunk === null) return null
    const passed = scanner.scan(chunk, framesMax)
    if (passed < 0) {
      conn.destroy(new FrameError(scanner.fault!, scanner.claimedBytes))
      return null
    }
    onBytes(passed)
    if (passed === chunk.length) return chunk
    conn.unshift(chunk.subarray(passed))
    return chunk.subarray(0, passed)
  }
}
