import { readingTopic } from '../../ingest/contract.js'
import { gatewayIdOf, meterIdOf } from './bench-database.js'

const hourMs = 3_600_000
/** Registers start here and count 0.001 L a reading: each has as many digits as the last one. */
const litresFrom = 100_000

/** Writes the PUBLISH frames of one water meter, each with readings that nobody has sent before. */
export type MeterFrames = {
  readonly frameBytes: number
  /** Writes the next frame at `at`. */
  write(into: Buffer, at: number, messageId: number): void
}

/**
 * The frames of meter `n`, QoS 1, `readings` of 1 ms apart in each (an array where there are more than one). All frames
 * of a meter have one length, so they are a template with times and registers written over it.
 */
export function meterFrames({ n, readings, now }: { n: number; readings: number; now: number }): MeterFrames {
  const sample = '{"ts":"2026-01-01T00:00:00.000Z","litres":100000.000}'
  const payload = readings === 1 ? sample : `[${Array<string>(readings).fill(sample).join(',')}]`
  const topic = readingTopic(gatewayIdOf(n), meterIdOf(n), 'water')
  const template = publishFrame(topic, payload)
  const firstReadingAt = template.length - payload.length + (readings === 1 ? 0 : 1)
  const messageIdAt = template.length - payload.length - 2
  const timeAt = firstReadingAt + sample.indexOf('2026')
  const litresAt = firstReadingAt + sample.indexOf('100000')
  const strideBytes = sample.length + 1
  // An hour ago, so that a fast meter does not run into the future.
  let at = now - hourMs
  let millilitres = 0
  return {
    frameBytes: template.length,
    write(into, offset, messageId) {
      template.copy(into, offset)
      into.writeUInt16BE(messageId, offset + messageIdAt)
      for (let reading = 0; reading < readings; reading++) {
        const stride = offset + reading * strideBytes
        into.write(new Date(at).toISOString(), stride + timeAt, 'latin1')
        into.write((litresFrom + millilitres / 1_000).toFixed(3), stride + litresAt, 'latin1')
        at++
        millilitres++
      }
    },
  }
}

/** A PUBLISH at QoS 1 with message id 0. */
function publishFrame(topic: string, payload: string): Buffer {
  const bodyBytes = 2 + Buffer.byteLength(topic) + 2 + Buffer.byteLength(payload)
  const length: number[] = []
  for (let left = bodyBytes; ; ) {
    const byte = left % 128
    left = Math.floor(left / 128)
    length.push(left > 0 ? byte | 0x80 : byte)
    if (left === 0) break
  }
  const frame = Buffer.alloc(1 + length.length + bodyBytes)
  frame[0] = 0x32
  frame.set(length, 1)
  let at = frame.writeUInt16BE(Buffer.byteLength(topic), 1 + length.length)
  at += frame.write(topic, at)
  frame.write(payload, at + 2)
  return frame
}
