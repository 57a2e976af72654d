import { createServer, type Server, type Socket } from 'node:net'
import { StartError } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'

/** An idle line is probed after this, so that a gateway without keepalive does not stay for ever. */
const tcpProbeMs = 60_000

export type Listener = { port: number; close(): void }

/**
 * Listens on a TCP port.
 * @throws StartError naming the setting when the port cannot be had
 */
export async function listen({
  host,
  port,
  setting,
  onConnection,
  log,
}: {
  host: string
  port: number
  setting: string
  onConnection: (raw: Socket) => void
  log: Log
}): Promise<Listener> {
  const server = createServer(
    { noDelay: true, keepAlive: true, keepAliveInitialDelay: tcpProbeMs, highWaterMark: 65_536 },
    onConnection,
  )
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) => reject(refusal(error, { host, port, setting })))
    server.listen({ host, port, backlog: 4_096 }, resolve)
  })
  // Running out of file descriptors is an error event of a server that goes on listening.
  server
    .removeAllListeners('error')
    .on('error', (error) => log.error({ setting, error: error.message }, 'listener.error'))
  return { port: portOf(server), close: () => void server.close() }
}

function refusal(
  error: NodeJS.ErrnoException,
  { host, port, setting }: { host: string; port: number; setting: string },
) {
  const why: Record<string, string> = {
    EADDRINUSE: `port ${port} is already in use on ${host}`,
    EACCES: `this user may not listen on port ${port}`,
    EADDRNOTAVAIL: `${host} is not an address of this machine (setting HOST)`,
    ENOTFOUND: `${host} cannot be resolved (setting HOST)`,
  }
  return new StartError(`setting ${setting}: ${why[error.code ?? ''] ?? error.message}`)
}

function portOf(server: Server): number {
  const address = server.address()
  if (address === null || typeof address === 'string') throw new Error('the server does not listen on a port')
  return address.port
}
