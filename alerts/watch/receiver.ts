import { createServer, type IncomingMessage } from 'node:http'
import type { AddressInfo } from 'node:net'
import { z } from 'zod'
import type { Clock } from '../../kit/clock.js'
import { StartError } from '../../kit/lifecycle.js'
import { signatureHeader, verifySignature } from '../channels/signature.js'

/** A page is 1 kB. */
const bodyBytesMax = 64 * 1024
const requestMsMax = 5_000

const pageSchema = z.object({ resident: z.object({ id: z.string() }), observedAt: z.coerce.date() })

export type Expected = {
  /** Resolves when the page of this press has come. */
  came: Promise<void>
  forget(): void
}

export type Receiver = {
  /** Where pages are to be sent. */
  url: string
  /** The page of the alarm of `residentId` that was pressed at `pressedAt`, signed with `secret`. */
  expect(p: { residentId: string; secret: string; pressedAt: Date }): Expected
  stop(): Promise<void>
}

/**
 * Where the pages of synthetic residents come back: an HTTP server that takes pages by webhook as anybody's would, their
 * signature verified. `url`: where every process that sends pages reaches it, its port is where it listens; left out, it
 * listens on loopback, where a port is free.
 * @throws StartError when the port cannot be had
 */
export async function startReceiver({ url, clock }: { url?: string | undefined; clock: Clock }): Promise<Receiver> {
  /** Of those that were ever expected here: a page that comes late is not refused. */
  const secrets = new Map<string, string>()
  const waiting = new Map<string, { pressedMs: number; came(): void }>()

  function take(body: Buffer, signature: string | undefined): number {
    const page = pageSchema.safeParse(parseJson(body))
    if (!page.success) return 400
    const { resident, observedAt } = page.data
    const secret = secrets.get(resident.id)
    // Of a process that ran before, or runs beside this one: what is retried may find the right one.
    if (secret === undefined) return 503
    if (verifySignature({ header: signature, body, secret, now: clock.now() }).kind !== 'valid') return 401
    const expected = waiting.get(resident.id)
    if (expected && expected.pressedMs === observedAt.getTime()) expected.came()
    return 204
  }

  const server = createServer((request, response) => {
    readBody(request).then(
      (body) => {
        if (request.method !== 'POST' || body === null) return response.writeHead(400).end()
        return response.writeHead(take(body, headerOf(request))).end()
      },
      () => response.destroy(),
    )
  })
  server.requestTimeout = requestMsMax
  const wanted = url === undefined ? undefined : new URL(url)
  const defaultPort = wanted?.protocol === 'https:' ? 443 : 80
  const port = wanted ? Number(wanted.port || defaultPort) : 0
  await new Promise<void>((resolve, reject) => {
    server.once('error', (error: NodeJS.ErrnoException) =>
      reject(new StartError(`setting WATCH_RECEIVER_URL, port ${port}: ${error.code ?? error.message}`)),
    )
    if (wanted) server.listen(port, resolve)
    else server.listen(0, '127.0.0.1', resolve)
  })
  return {
    url: url ?? `http://127.0.0.1:${(server.address() as AddressInfo).port}/watch`,
    expect({ residentId, secret, pressedAt }) {
      secrets.set(residentId, secret)
      const mine = { pressedMs: pressedAt.getTime(), came: () => {} }
      const came = new Promise<void>((resolve) => {
        mine.came = resolve
      })
      waiting.set(residentId, mine)
      return {
        came,
        forget: () => {
          if (waiting.get(residentId) === mine) waiting.delete(residentId)
        },
      }
    },
    stop: () =>
      new Promise((resolve) => {
        server.close(() => resolve())
        server.closeAllConnections()
      }),
  }
}

const headerOf = ({ headers }: IncomingMessage) => {
  const value = headers[signatureHeader.toLowerCase()]
  return typeof value === 'string' ? value : undefined
}

/** Null for one that is too large. */
async function readBody(request: IncomingMessage): Promise<Buffer | null> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of request as AsyncIterable<Buffer>) {
    bytes += chunk.length
    if (bytes > bodyBytesMax) return null
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function parseJson(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString('utf8'))
  } catch {
    return undefined
  }
}
