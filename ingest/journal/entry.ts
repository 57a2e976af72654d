import type { Message } from '../message.js'

/**
 * A message as the journal keeps it: the length of its head (4 bytes, big-endian), the head as JSON with what its dialect
 * made of it, and the payload as it came, which may be any bytes.
 */
export function encodeMessage({ payload, receivedAt, gatewayId, topic, retain, oversizeBytes, said }: Message): Buffer {
  const plain = { gatewayId, topic, retain, receivedAt: receivedAt.getTime(), oversizeBytes }
  const head = Buffer.from(textOf({ ...plain, said }) ?? JSON.stringify(plain))
  const length = Buffer.alloc(4)
  length.writeUInt32BE(head.length)
  return Buffer.concat([length, head, payload])
}

/** Undefined where it is nested without end, as nothing of ours is: that message is read once more. */
function textOf(head: object): string | undefined {
  try {
    return JSON.stringify(head)
  } catch {
    return undefined
  }
}

/** The message that was kept. @throws where it is none: the journal's own checksums make that a bug of ours */
export function decodeMessage(value: Buffer): Message {
  const payloadAt = 4 + value.readUInt32BE(0)
  const head = JSON.parse(value.subarray(4, payloadAt).toString()) as Omit<Message, 'payload' | 'receivedAt'> & {
    receivedAt: number
  }
  return { ...head, receivedAt: new Date(head.receivedAt), payload: Buffer.from(value.subarray(payloadAt)) }
}
