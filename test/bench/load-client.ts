import { connect, type Socket } from 'node:net'
import { generate } from 'mqtt-packet'
import type { MeterFrames } from './meter-frames.js'

/** What the clients of one load share. */
export type LoadEvents = {
  /** `count` acknowledgements of this client have come; `free` are the message ids that may be used again. */
  acknowledged(client: LoadClient, ids: number[]): void
  failed(error: Error): void
}
export type LoadClient = {
  /** The CONNACK has come. */
  connected: Promise<void>
  /** Sends one frame for each of the message ids, in one write. */
  send(ids: number[]): void
  end(): void
}

const connackByte = 0x20
const pubackByte = 0x40
// Frames are 4 bytes all of them (CONNACK, PUBACK); 64 KB hold what one client can have waiting.
const shared = Buffer.allocUnsafeSlow(65_536)

/**
 * One MQTT 3.1.1 client as cheap as Node allows: its frames are templates, what it reads goes through one buffer that all
 * of the process share, and acknowledgements are read four bytes at a time.
 */
export function loadClient({
  port,
  localAddress,
  gatewayId,
  secret,
  frames,
  events,
}: {
  port: number
  localAddress?: string | undefined
  gatewayId: string
  secret: string
  frames: MeterFrames
  events: LoadEvents
}): LoadClient {
  let greet: () => void = () => {}
  let turnAway: (error: Error) => void = () => {}
  const connected = new Promise<void>((resolve, reject) => {
    greet = resolve
    turnAway = reject
  })
  let ended = false
  let ids: number[] = []
  // What a read cut off in the middle of a frame.
  let part = 0
  let partBytes = 0

  function frame(word: number) {
    const type = word >>> 24
    if (type === pubackByte) ids.push(word & 0xffff)
    else if (type === connackByte) {
      if ((word & 0xff) === 0) greet()
      else turnAway(new Error(`${gatewayId}: CONNACK ${word & 0xff}`))
    } else events.failed(new Error(`${gatewayId}: frame ${word.toString(16)}`))
  }
  function read(bytes: number) {
    let at = 0
    if (partBytes === 0)
      for (; at + 4 <= bytes; at += 4)
        frame(((shared[at]! << 24) | (shared[at + 1]! << 16) | (shared[at + 2]! << 8) | shared[at + 3]!) >>> 0)
    for (; at < bytes; at++) {
      part = ((part << 8) | shared[at]!) >>> 0
      if (++partBytes < 4) continue
      frame(part)
      part = 0
      partBytes = 0
    }
    if (ids.length === 0) return true
    const free = ids
    ids = []
    events.acknowledged(client, free)
    return true
  }

  const socket: Socket = connect({
    port,
    host: '127.0.0.1',
    localAddress,
    noDelay: true,
    onread: { buffer: shared, callback: read },
  })
  socket.on('error', turnAway)
  socket.on('close', () => {
    turnAway(new Error(`${gatewayId}: closed`))
    if (!ended) events.failed(new Error(`${gatewayId}: the connection was closed`))
  })
  socket.write(
    generate({
      cmd: 'connect',
      protocolId: 'MQTT',
      protocolVersion: 4,
      clean: true,
      clientId: gatewayId,
      // Longer than any load, but there: its timer is a part of what a gateway costs.
      keepalive: 3_600,
      username: gatewayId,
      password: Buffer.from(secret),
    }),
  )

  const client: LoadClient = {
    connected,
    send(idsToSend) {
      const { frameBytes } = frames
      const bytes = Buffer.allocUnsafe(frameBytes * idsToSend.length)
      for (let i = 0; i < idsToSend.length; i++) frames.write(bytes, i * frameBytes, idsToSend[i]!)
      socket.write(bytes)
    },
    end() {
      ended = true
      socket.destroy()
    },
  }
  return client
}
