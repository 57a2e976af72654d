import { once } from 'node:events'
import { connect as dial } from 'node:net'
import { generate, type Packet, parser } from 'mqtt-packet'
import { gatewaySecret } from './community.js'

export type Flood = {
  /** Publishes that were written to the socket, taken by the kernel or not. */
  sent(): number
  acknowledged(): number
  stop(): void
  /** Resolves when everything that was sent is acknowledged. @throws when the connection ends before */
  done: Promise<void>
}

/** Of the 65,535 packet ids that MQTT has: what waits is acknowledged within seconds once the flood ends. */
const windowMax = 10_000
const perWrite = 200

/** A gateway that publishes as fast as its socket takes it and waits for no acknowledgement. `payloadOf`: of the nth publish. */
export async function startFlood({
  mqttUrl,
  gatewayId,
  topic,
  payloadOf,
}: {
  mqttUrl: string
  gatewayId: string
  topic: string
  payloadOf: (nth: number) => string
}): Promise<Flood> {
  const { hostname, port } = new URL(mqttUrl)
  const socket = dial({ host: hostname, port: Number(port), noDelay: true })
  let sent = 0
  let acknowledged = 0
  let stopped = false
  let finish = () => {}
  const done = new Promise<void>((resolve, reject) => {
    finish = () => {
      if (stopped && acknowledged === sent) socket.end(generate({ cmd: 'disconnect' }), resolve)
    }
    socket.once('close', () => reject(new Error(`the flood was cut off after ${acknowledged} acknowledgements`)))
  })
  done.catch(() => undefined)
  const packets = parser()
  const connected = new Promise<void>((resolve) =>
    packets.on('packet', ({ cmd }: Packet) => {
      if (cmd === 'connack') resolve()
      if (cmd !== 'puback') return
      acknowledged++
      finish()
    }),
  )
  socket.on('data', (bytes) => packets.parse(bytes)).on('error', () => undefined)
  await once(socket, 'connect')
  const login = { clientId: gatewayId, username: gatewayId, password: Buffer.from(gatewaySecret(gatewayId)) }
  socket.write(
    generate({ cmd: 'connect', protocolId: 'MQTT', protocolVersion: 4, clean: true, keepalive: 60, ...login }),
  )
  await connected

  async function pour() {
    while (!stopped && !socket.destroyed) {
      const frames: Buffer[] = []
      for (let i = 0; i < perWrite && sent - acknowledged < windowMax; i++) {
        const messageId = (sent % 65_535) + 1
        frames.push(
          generate({ cmd: 'publish', topic, messageId, qos: 1, dup: false, retain: false, payload: payloadOf(sent++) }),
        )
      }
      const taken = frames.length === 0 || socket.write(Buffer.concat(frames))
      await new Promise((resolve) =>
        taken ? setImmediate(resolve) : socket.once('drain', resolve).once('close', resolve),
      )
    }
  }
  void pour()
  return {
    sent: () => sent,
    acknowledged: () => acknowledged,
    stop: () => {
      stopped = true
      finish()
    },
    done,
  }
}
