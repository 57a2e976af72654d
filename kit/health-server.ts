import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Registry } from 'prom-client'
import { StartError } from './lifecycle.js'

/**
 * `/healthz` (the process lives), `/readyz` (it can do its work: true, or why not in one line) and `/metrics` (Prometheus) for a role without pages.
 * @throws StartError naming `setting` when the port cannot be had
 */
export async function startHealthServer({
  host,
  port,
  setting,
  isReady,
  metrics,
}: {
  host: string
  port: number
  setting: string
  isReady: () => Promise<boolean | string>
  metrics: Registry
}): Promise<{ port: number; stop(): Promise<void> }> {
  const server = createServer(async (request, response) => {
    const answer = (status: number, text: string, type = 'text/plain; charset=utf-8') =>
      response.writeHead(status, { 'content-type': type }).end(text)
    if (request.url === '/healthz') return answer(200, 'ok\n')
    if (request.url === '/readyz') {
      const ready = await isReady().catch(() => false)
      if (ready === true) return answer(200, 'ready\n')
      return answer(503, ready ? `not ready: ${ready}\n` : 'not ready\n')
    }
    if (request.url === '/metrics') return answer(200, await metrics.metrics(), metrics.contentType)
    return answer(404, 'not found\n')
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(
        new StartError(
          `setting ${setting} = ${port}: ${error.code === 'EADDRINUSE' ? 'the port is in use' : error.message}`,
        ),
      ),
    )
    server.listen(port, host, resolve)
  })
  return {
    port: (server.address() as AddressInfo).port,
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}
