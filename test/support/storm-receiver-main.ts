import { createServer } from 'node:http'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { SMTPServer } from 'smtp-server'

// The phones of a storm, in a process of their own: a mail server and a web server that take what comes after
// `answerMs`, and note when it came. Prints its ports; `GET /` on the web server answers with all that came.
const { answerMs } = JSON.parse(process.argv[2]!) as { answerMs: number }

/** What came: a page with its alert, or a digest. `at`: epoch ms. */
export type Arrived = {
  channel: 'webhook' | 'email'
  to: string
  at: number
  pageId: string | null
  digestId: string | null
  /** The text of a digest. */
  text: string
}

const arrived: Arrived[] = []
const web = createServer((request, response) => {
  if (request.method === 'GET') return void response.end(JSON.stringify(arrived))
  const chunks: Buffer[] = []
  request.on('data', (chunk: Buffer) => chunks.push(chunk))
  request.on('end', async () => {
    const text = Buffer.concat(chunks).toString()
    const { pageId = null } = JSON.parse(text) as { pageId?: string }
    const digestId = pageId === null ? String(request.headers['idempotency-key']) : null
    const to = request.url!.slice(1)
    arrived.push({ channel: 'webhook', to, at: Date.now(), pageId, digestId, text: digestId ? text : '' })
    await sleep(answerMs)
    response.writeHead(204).end()
  })
})
const mail = new SMTPServer({
  authOptional: true,
  disabledCommands: ['STARTTLS', 'AUTH'],
  disableReverseLookup: true,
  logger: false,
  onData(stream, session, callback) {
    const chunks: Buffer[] = []
    stream.on('data', (chunk: Buffer) => chunks.push(chunk))
    stream.on('end', async () => {
      const text = Buffer.concat(chunks).toString()
      const [, kind, id] = /^Message-ID: <([a-z]+)-([^@]+)@/im.exec(text) ?? []
      const isPage = kind === 'page'
      arrived.push({
        channel: 'email',
        to: session.envelope.rcptTo[0]!.address.split('@')[0]!,
        at: Date.now(),
        pageId: isPage ? id! : null,
        digestId: isPage ? null : (id ?? 'none'),
        text: isPage ? '' : text,
      })
      await sleep(answerMs)
      callback()
    })
  },
})
mail.on('error', () => undefined)
await new Promise<void>((resolve) => web.listen(0, '127.0.0.1', resolve))
await new Promise<void>((resolve) => mail.listen(0, '127.0.0.1', resolve))
const portOf = (server: { address(): unknown }) => (server.address() as AddressInfo).port
web.keepAliveTimeout = 60_000
console.log(`ports ${portOf(web)} ${portOf(mail.server)}`)
