import { createHmac } from 'node:crypto'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'

/**
 * How to answer: a plain answer; `hang` (never), `drop` (cut the connection), `trickle` (headers byte by byte, never
 * complete), `trickleBody` (200, then a body that never ends), `oversize` (200, then as
 * many bytes as the client takes).
 */
export type WebhookAnswer =
  | { status: number; headers?: Record<string, string>; body?: string }
  | 'hang'
  | 'drop'
  | 'trickle'
  | 'trickleBody'
  | 'oversize'

export type ReceivedPage = {
  method: string
  path: string
  headers: IncomingMessage['headers']
  /** The raw body. */
  body: string
  /** The body parsed, null when it is no JSON. */
  json: Record<string, unknown> | null
  signatureValid: boolean
  /** Epoch milliseconds with fractions, when the whole body had arrived. */
  arrivedMs: number
  /** Client port: the same for requests on one kept connection. */
  clientPort: number
}

export type WebhookReceiver = {
  url: string
  port: number
  requests: ReceivedPage[]
  /** From now on; a function decides for each request, numbered from 0. Default: 200. */
  answerWith(answer: WebhookAnswer | ((request: ReceivedPage, index: number) => WebhookAnswer)): void
  /** Resolves when that many have arrived in all. @throws after `msMax` */
  waitFor(count: number, msMax?: number): Promise<ReceivedPage[]>
  /** Cuts the connections that are open, as a proxy does with idle ones. */
  cutConnections(): void
  stop(): Promise<void>
}

/** The signature checked from the contract's words, on purpose not with alerts/channels/signature. */
function signatureFits(header: string | string[] | undefined, body: Buffer, secret: string, nowMs: number): boolean {
  const match = /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(header))
  if (!match) return false
  const expected = createHmac('sha256', secret)
    .update(Buffer.concat([Buffer.from(`${match[1]}.`), body]))
    .digest('hex')
  return expected === match[2] && Math.abs(nowMs / 1_000 - Number(match[1])) < 300
}

function parseJson(text: string): Record<string, unknown> | null {
  try {
    return JSON.parse(text) as Record<string, unknown>
  } catch {
    return null
  }
}

function trickle(send: () => void, response: ServerResponse): void {
  const timer = setInterval(send, 20)
  response.on('close', () => clearInterval(timer))
}

function answerRequest(answer: WebhookAnswer, response: ServerResponse): void {
  if (answer === 'hang') return
  if (answer === 'drop') {
    response.socket?.destroy()
    return
  }
  if (answer === 'trickle') {
    const { socket } = response
    socket?.write('HTTP/1.1 200 OK\r\nX-Slow: ')
    trickle(() => void socket?.write('a'), response)
    return
  }
  if (answer === 'trickleBody') {
    response.writeHead(200)
    trickle(() => void response.write('a'), response)
    return
  }
  if (answer === 'oversize') {
    response.writeHead(200)
    const chunk = Buffer.alloc(65_536, 'x')
    const pour = () => {
      while (!response.destroyed && response.write(chunk));
    }
    response.on('drain', pour)
    pour()
    return
  }
  response.writeHead(answer.status, answer.headers)
  response.end(answer.body ?? '')
}

/** A real HTTP server on a free port that takes pages, checks their signature and records them. */
export async function startWebhookReceiver({
  secret,
  port = 0,
}: {
  secret: string
  port?: number
}): Promise<WebhookReceiver> {
  const requests: ReceivedPage[] = []
  const waiting = new Set<() => void>()
  let decide: (request: ReceivedPage, index: number) => WebhookAnswer = () => ({ status: 200, body: 'ok' })

  const server = createServer((request, response) => {
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      const arrivedMs = performance.timeOrigin + performance.now()
      const raw = Buffer.concat(chunks)
      const received: ReceivedPage = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: raw.toString('utf8'),
        json: parseJson(raw.toString('utf8')),
        signatureValid: signatureFits(request.headers['shouwang-signature'], raw, secret, Date.now()),
        arrivedMs,
        clientPort: request.socket.remotePort ?? 0,
      }
      requests.push(received)
      answerRequest(decide(received, requests.length - 1), response)
      for (const look of [...waiting]) look()
    })
  })
  // The test says how connections end; the server must not end idle ones by itself.
  server.keepAliveTimeout = 60_000
  await new Promise<void>((resolve, reject) => {
    server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const actualPort = (server.address() as AddressInfo).port

  return {
    url: `http://127.0.0.1:${actualPort}/pages`,
    port: actualPort,
    requests,
    answerWith(answer) {
      decide = typeof answer === 'function' ? answer : () => answer
    },
    waitFor(count, msMax = 5_000) {
      return new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer)
          waiting.delete(look)
        }
        const look = () => {
          if (requests.length < count) return
          finish()
          resolve([...requests])
        }
        const timer = setTimeout(() => {
          finish()
          reject(new Error(`${requests.length} of ${count} pages arrived in ${msMax} ms`))
        }, msMax)
        waiting.add(look)
        look()
      })
    },
    cutConnections: () => server.closeAllConnections(),
    stop() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      })
    },
  }
}
