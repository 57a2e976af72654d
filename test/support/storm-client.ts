import { connect } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { generate } from 'mqtt-packet'
import type { StormMessage } from './storm-homes.js'

const connackByte = 0x20
const pubackByte = 0x40

type Backlog = { port: number; gatewayId: string; secret: string; messages: StormMessage[]; window: number }

/**
 * A gateway that comes back: it connects and sends what it has kept, QoS 1, `window` messages at a time, and comes back
 * again, a second or two later, with what was not acknowledged when its connection ended. Resolves when all of it is.
 */
export async function sendBacklog(backlog: Backlog): Promise<{ connections: number }> {
  let { messages } = backlog
  for (let connections = 1; ; connections++) {
    messages = await sendOnce({ ...backlog, messages })
    if (messages.length === 0) return { connections }
    await sleep(1_000 + Math.random() * 1_000)
  }
}

/** What was not acknowledged. Answers are read four bytes at a time, so that thousands of these fit into one test. */
function sendOnce({ port, gatewayId, secret, messages, window }: Backlog): Promise<StormMessage[]> {
  return new Promise((resolve) => {
    const socket = connect({ port, host: '127.0.0.1', noDelay: true })
    const waiting = new Map<number, StormMessage>()
    let sent = 0
    let rest = Buffer.alloc(0)
    const send = () => {
      const frames: Buffer[] = []
      while (waiting.size < window && sent < messages.length) {
        const message = messages[sent++]!
        waiting.set(sent, message)
        frames.push(generate({ cmd: 'publish', qos: 1, dup: false, retain: false, messageId: sent, ...message }))
      }
      if (frames.length > 0) socket.write(Buffer.concat(frames))
    }
    socket.on('data', (chunk) => {
      rest = Buffer.concat([rest, chunk])
      for (; rest.length >= 4; rest = rest.subarray(4)) {
        if (rest[0] === connackByte && rest[3] !== 0) return void socket.destroy()
        if (rest[0] === pubackByte) waiting.delete(rest.readUInt16BE(2))
      }
      if (waiting.size === 0 && sent === messages.length) socket.end()
      else send()
    })
    socket.on('error', () => undefined)
    socket.on('close', () => resolve([...waiting.values(), ...messages.slice(sent)]))
    socket.write(
      generate({
        cmd: 'connect',
        protocolId: 'MQTT',
        protocolVersion: 4,
        clean: true,
        clientId: gatewayId,
        keepalive: 60,
        username: gatewayId,
        password: Buffer.from(secret),
      }),
    )
  })
}
