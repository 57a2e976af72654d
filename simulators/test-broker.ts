import { createServer, type Socket } from 'node:net'
import { Aedes } from 'aedes'

export type ReceivedPacket = { topic: string; payload: string; retain: boolean }

/** A real broker on a free port for the simulators' own tests; it keeps what it was sent, in order. */
export async function startTestBroker({
  port = 0,
  secretOf,
  mayAcknowledge = () => true,
}: {
  port?: number
  secretOf?: (user: string) => string
  /** False withholds the PUBACK, as a broker does whose storage is away. */
  mayAcknowledge?: (topic: string) => boolean
} = {}) {
  const received: ReceivedPacket[] = []
  const sockets = new Set<Socket>()
  const aedes = await Aedes.createBroker({
    authenticate: (_client, user, password, done) =>
      done(null, secretOf === undefined || secretOf(user ?? '') === password?.toString()),
    authorizePublish: (_client, packet, done) => {
      received.push({ topic: packet.topic, payload: packet.payload.toString(), retain: packet.retain })
      if (mayAcknowledge(packet.topic)) done(null)
    },
  })
  aedes.on('clientError', () => undefined)
  const server = createServer((socket) => {
    sockets.add(socket)
    socket.on('close', () => sockets.delete(socket))
    aedes.handle(socket)
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const address = server.address()
  const openPort = typeof address === 'object' && address ? address.port : 0
  return {
    port: openPort,
    url: `mqtt://127.0.0.1:${openPort}`,
    received,
    /** The readings of one topic in the order of arrival, arrays taken apart. */
    readings: <T = Record<string, unknown>>(topic: string): T[] =>
      received
        .filter((packet) => packet.topic === topic)
        .flatMap((packet) => JSON.parse(packet.payload) as T | T[]) as T[],
    /** Breaks every connection and stops listening. */
    async stop() {
      for (const socket of sockets) socket.destroy()
      await new Promise<void>((resolve) => server.close(() => resolve()))
      await new Promise<void>((resolve) => aedes.close(() => resolve()))
    },
  }
}
export type TestBroker = Awaited<ReturnType<typeof startTestBroker>>
