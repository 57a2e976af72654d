import type { AddressInfo } from 'node:net'
import { performance } from 'node:perf_hooks'
import { SMTPServer } from 'smtp-server'
import { type ParsedMail, parseMail } from './mime.js'

/** Where in the conversation something happens: at the greeting, the sender, the recipient, or after the message. */
export type SmtpMoment = 'connect' | 'from' | 'to' | 'data'

/** An SMTP status such as 451 or 550, `hang` (no reply ever) or `drop` (cut the connection); 250 is yes. */
export type SmtpAnswer = number | 'hang' | 'drop'

export type ReceivedMail = ParsedMail & {
  /** The envelope's sender and recipients. */
  from: string
  to: string[]
  raw: Buffer
  /** Epoch milliseconds with fractions, when the whole message had arrived. */
  arrivedMs: number
  /** Client port: the same for messages on one kept connection. */
  clientPort: number
}

export type SmtpReceiver = {
  /** For SMTP_URL. */
  url: string
  port: number
  mails: ReceivedMail[]
  /** How often a client connected. */
  connections(): number
  /** From now on, at that moment of each conversation. */
  answerWith(answer: SmtpAnswer, moment?: SmtpMoment): void
  /** Resolves when that many have been taken in all. @throws after `msMax` */
  waitFor(count: number, msMax?: number): Promise<ReceivedMail[]>
  /** Cuts the connections that are open. */
  cutConnections(): void
  stop(): Promise<void>
}

/** A real SMTP server on a free port that keeps what it takes. Give `port` to start again where another one was. */
export async function startSmtpServer({ port = 0 }: { port?: number } = {}): Promise<SmtpReceiver> {
  const mails: ReceivedMail[] = []
  const waiting = new Set<() => void>()
  let answer: SmtpAnswer = 250
  let at: SmtpMoment = 'to'
  let connected = 0

  const cut = (sessionId?: string) => {
    for (const connection of server.connections)
      if (!sessionId || connection.session.id === sessionId) connection._socket.destroy()
  }
  const reply = (moment: SmtpMoment, sessionId: string, callback: (error?: Error | null) => void) => {
    if (at !== moment || answer === 250) callback()
    else if (answer === 'drop') cut(sessionId)
    else if (answer !== 'hang') callback(Object.assign(new Error('as the test says'), { responseCode: answer }))
  }

  const server = new SMTPServer({
    authOptional: true,
    disabledCommands: ['STARTTLS', 'AUTH'],
    disableReverseLookup: true,
    closeTimeout: 50,
    logger: false,
    onConnect(session, callback) {
      connected += 1
      reply('connect', session.id, callback)
    },
    onMailFrom: (_address, session, callback) => reply('from', session.id, callback),
    onRcptTo: (_address, session, callback) => reply('to', session.id, callback),
    onData(stream, session, callback) {
      const chunks: Buffer[] = []
      stream.on('data', (chunk: Buffer) => chunks.push(chunk))
      stream.on('end', () => {
        const arrivedMs = performance.timeOrigin + performance.now()
        reply('data', session.id, (error) => {
          if (!error) {
            const raw = Buffer.concat(chunks)
            const { mailFrom, rcptTo } = session.envelope
            mails.push({
              ...parseMail(raw),
              from: mailFrom ? mailFrom.address : '',
              to: rcptTo.map(({ address }) => address),
              raw,
              arrivedMs,
              clientPort: session.remotePort,
            })
          }
          callback(error)
          for (const look of [...waiting]) look()
        })
      })
    },
  })
  // A client that goes away in mid-conversation is what some tests are about.
  server.on('error', () => undefined)
  await new Promise<void>((resolve, reject) => {
    server.server.once('error', reject)
    server.listen(port, '127.0.0.1', resolve)
  })
  const actualPort = (server.server.address() as AddressInfo).port

  return {
    url: `smtp://127.0.0.1:${actualPort}`,
    port: actualPort,
    mails,
    connections: () => connected,
    answerWith(next, moment = 'to') {
      answer = next
      at = moment
    },
    waitFor(count, msMax = 5_000) {
      return new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer)
          waiting.delete(look)
        }
        const look = () => {
          if (mails.length < count) return
          finish()
          resolve([...mails])
        }
        const timer = setTimeout(() => {
          finish()
          reject(new Error(`${mails.length} of ${count} mails arrived in ${msMax} ms`))
        }, msMax)
        waiting.add(look)
        look()
      })
    },
    cutConnections: () => cut(),
    stop() {
      return new Promise((resolve) => {
        server.close(() => resolve())
        cut()
      })
    },
  }
}
