import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'

/** What a provider was asked. */
export type Asked = {
  method: string
  path: string
  query: URLSearchParams
  headers: IncomingMessage['headers']
  body: Buffer
  /** Header names and values as they came. */
  host: string
}
export type Reply = { status: number; json?: unknown; text?: string; headers?: Record<string, string> }

/**
 * What goes wrong instead of an answer: nothing ever, the connection cut, a page of a proxy with status 200, half a JSON,
 * a body that never ends, or an answer that the test gives.
 */
export type Misbehaviour = 'hang' | 'cut' | 'garbage' | 'half' | 'endless' | Reply

export type ProviderServer = {
  origin: string
  asked: Asked[]
  /** From now on, also after the provider has looked at it; undefined: it behaves. */
  misbehave(how: Misbehaviour | undefined): void
  stop(): Promise<void>
}

/** A real HTTP server on a free port that answers as `answer` says, and goes wrong when the test wants it to. */
export async function startProviderServer(answer: (asked: Asked) => Reply): Promise<ProviderServer> {
  const asked: Asked[] = []
  let how: Misbehaviour | undefined
  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const url = new URL(request.url ?? '/', 'http://provider')
      const { method = '', headers } = request
      const one = {
        method,
        path: url.pathname,
        query: url.searchParams,
        headers,
        body: Buffer.concat(chunks),
        host: headers.host ?? '',
      }
      asked.push(one)
      if (how === 'hang') return
      if (how === 'cut') return void request.socket.destroy()
      if (how === 'endless') {
        response.writeHead(200, { 'content-type': 'application/json' })
        const timer = setInterval(() => response.write(' '), 20)
        response.on('close', () => clearInterval(timer))
        return
      }
      const reply =
        how === 'garbage'
          ? { status: 200, text: '<html><body>Please log in to this network</body></html>' }
          : how === 'half'
            ? { status: 200, text: '{"errcode":0,"code":0,"Code":"OK","id":"x' }
            : (how ?? answer(one))
      response.writeHead(reply.status, { 'content-type': 'application/json', ...reply.headers })
      response.end(reply.text ?? (reply.json === undefined ? '' : JSON.stringify(reply.json)))
    })
  })
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(0, '127.0.0.1', resolve)
  })
  return {
    origin: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    asked,
    misbehave: (next) => {
      how = next
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

export function jsonOf(body: Buffer): Record<string, unknown> | undefined {
  try {
    return JSON.parse(body.toString('utf8')) as Record<string, unknown>
  } catch {
    return undefined
  }
}

/** How many of `max` in `ms` are used, as a provider counts. */
export function countRate({ max, ms }: { max: number; ms: number }) {
  let times: number[] = []
  return (now: Date): boolean => {
    times = times.filter((at) => at > now.getTime() - ms)
    times.push(now.getTime())
    return times.length <= max
  }
}
