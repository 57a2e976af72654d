import type { Message } from '../message.js'

/**
 * A message as the journal keeps it: the length of its head (4 bytes, big-endian), the head as JSON, and the payload as
 * it came, which may be any bytes.
 */
export function encodeMessage({ payload, receivedAt, gatewayId, topic, retain, oversizeBytes }: Message): Buffer {
  const head = Buffer.from(
    JSON.stringify({ gatewayId, topic, retain, receivedAt: receivedAt.getTime(), oversizeBytes }),
  )
  const length = Buffer.alloc(4)
  length.writeUInt32BE(head.length)
  return Buffer.concat([length, head, payload])
}

/** The message that was kept. @throws where it is none: the journal's own checksums make that a bug of ours */
export function decodeMessage(value: Buffer): Message {
  const payloadAt = 4 + value.readUInt32BE(0)
  const head = JSON.parse(value.subarray(4, payloadAt).toString()) as Omit<Message, 'payload' | 'receivedAt'> & {
    receivedAt: number
  }
  return { ...head, receivedAt: new Date(head.receivedAt), payload: Buffer.from(value.subarray(payloadAt)) }
}
