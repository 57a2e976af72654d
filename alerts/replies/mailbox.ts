import { ImapFlow, type MessageStructureObject } from 'imapflow'
import { headersWanted, type InboundMail } from './inbound-mail.js'
import { type Part, parseHeaders, partsOf } from './mail-parts.js'

/** How much of one mail is looked at. */
const mailBytesMax = 25 * 1_048_576
const partBytesMax = 64 * 1_024
/** A server that says nothing for this long is gone; it is asked more often than that. */
const silenceMsMax = 60_000
const connectMsMax = 15_000

export type ImapAddress = { host: string; port: number; secure: boolean; user: string; pass: string }

/** A mail that was seen, as yet without its body. */
export type MailHead = { uid: number; headers: InboundMail['headers']; structure: MessageStructureObject | undefined }

export type Mailbox = {
  uidValidity: number
  /** True where the server tells by itself that a mail has come. */
  pushes: boolean
  /** The lowest number of the mails that came since that day, or the next number to be given: nothing before it matters. */
  firstSince(day: Date): Promise<number>
  /**
   * Mails from `uid` on, oldest first, at most `mailsMax`; `upTo`: all below it have been looked at. Null: there is none.
   * @throws UnreadableMails
   */
  from(uid: number, mailsMax: number): Promise<{ heads: MailHead[]; upTo: number } | null>
  read(head: MailHead): Promise<InboundMail>
  /** Resolves when a mail may have come, at the latest after `msMax`. @throws where the connection is lost */
  wait(msMax: number, signal: AbortSignal): Promise<void>
  /** The connection is gone: what fails now says nothing about a mail. */
  isLost(): boolean
  close(): Promise<void>
}

/** The server has these mails, and what it says of them cannot be read. */
export class UnreadableMails extends Error {
  constructor(
    readonly uids: number[],
    cause: unknown,
  ) {
    super(`mails ${uids[0]} to ${uids.at(-1)} cannot be read: ${(cause as Error).message}`, { cause })
  }
}

/** `imaps://user:password@host`, with what a URL needs to escape escaped. */
export function imapAddress(imapUrl: string): ImapAddress {
  const { hostname, port, protocol, username, password } = new URL(imapUrl)
  const secure = protocol === 'imaps:'
  return {
    host: hostname.replace(/^\[|\]$/g, ''),
    port: Number(port) || (secure ? 993 : 143),
    secure,
    user: decodeURIComponent(username),
    pass: decodeURIComponent(password),
  }
}

/**
 * Opens a mailbox to be read only: what lies in it stays as it is. Without TLS from the start it is asked for before the
 * password goes out, but on this machine itself.
 */
export async function openMailbox({
  address,
  mailbox,
  signal: stopping,
}: {
  address: ImapAddress
  mailbox: string
  signal: AbortSignal
}): Promise<Mailbox> {
  const { host, port, secure, user, pass } = address
  const isHere = /^(127\.|localhost$|::1$)/.test(host)
  const client = new ImapFlow({
    host,
    port,
    secure,
    auth: { user, pass },
    ...(secure || isHere ? {} : { doSTARTTLS: true }),
    logger: false,
    disableAutoIdle: true,
    connectionTimeout: connectMsMax,
    greetingTimeout: connectMsMax,
    socketTimeout: silenceMsMax,
  })
  let lost: Error | undefined
  let arrived = false
  let wake: (() => void) | undefined
  client.on('error', (error: Error) => {
    lost ??= error
    wake?.()
  })
  client.on('close', () => {
    lost ??= new Error('the server closed the connection')
    wake?.()
  })
  client.on('exists', () => {
    arrived = true
    wake?.()
  })
  const giveUp = () => client.close()
  stopping.addEventListener('abort', giveUp)
  let opened: Awaited<ReturnType<typeof client.mailboxOpen>>
  try {
    await client.connect()
    opened = await client.mailboxOpen(mailbox, { readOnly: true })
  } catch (error) {
    client.close()
    throw error
  } finally {
    stopping.removeEventListener('abort', giveUp)
  }
  const uids = async (query: Parameters<typeof client.search>[0]) => {
    const found = await client.search(query, { uid: true })
    if (!Array.isArray(found)) throw lost ?? new Error('the server did not answer a search')
    return found.sort((a, b) => a - b)
  }

  return {
    uidValidity: Number(opened.uidValidity),
    pushes: client.capabilities.has('IDLE'),
    async firstSince(day) {
      const [first] = await uids({ since: day })
      return first ?? opened.uidNext
    },
    async from(uid, mailsMax) {
      arrived = false
      // `n:*` holds the last mail always, also where its number is below n.
      const wanted = (await uids({ uid: `${uid}:*` })).filter((one) => one >= uid).slice(0, mailsMax)
      if (wanted.length === 0) return null
      const sizes = await client.fetchAll(wanted.join(','), { uid: true, size: true }, { uid: true })
      const small = sizes.filter(({ size = 0 }) => size <= mailBytesMax).map((mail) => mail.uid)
      const heads =
        small.length === 0
          ? []
          : await fetchHeads(client, small).catch((error) => Promise.reject(new UnreadableMails(wanted, error)))
      return { heads: heads.sort((a, b) => a.uid - b.uid), upTo: wanted.at(-1)! + 1 }
    },
    async read({ uid, headers, structure }) {
      const parts = partsOf(structure)
      const text = parts.find(({ type }) => type === 'text/plain') ?? parts.find(({ type }) => type === 'text/html')
      const status = parts.find(({ type }) => /^message\/(global-)?delivery-status$/.test(type))
      const original = parts.find(({ type }) =>
        /^(text\/rfc822-headers|message\/(global|rfc822|global-headers))$/.test(type),
      )
      return {
        headers,
        text: text ? await download(client, uid, text) : null,
        html: text?.type === 'text/html',
        ...(status
          ? {
              report: {
                status: await download(client, uid, status),
                original: original ? await download(client, uid, original) : '',
              },
            }
          : {}),
      }
    },
    wait(msMax, signal) {
      return new Promise((resolve, reject) => {
        const finish = () => {
          clearTimeout(timer)
          signal.removeEventListener('abort', finish)
          wake = undefined
          if (lost) reject(lost)
          else resolve()
        }
        const timer = setTimeout(finish, msMax)
        signal.addEventListener('abort', finish)
        wake = finish
        if (lost || arrived || signal.aborted) return finish()
        // Ends when the next command is sent; what goes wrong meanwhile is said by the events above.
        if (client.capabilities.has('IDLE')) client.idle().catch(() => undefined)
      })
    },
    isLost: () => lost !== undefined || !client.usable,
    async close() {
      if (!lost)
        await Promise.race([client.logout().catch(() => undefined), new Promise((end) => setTimeout(end, 500))])
      client.close()
    },
  }
}

async function fetchHeads(client: ImapFlow, uids: number[]): Promise<MailHead[]> {
  const query = { uid: true, headers: [...headersWanted], bodyStructure: true }
  const mails = await client.fetchAll(uids.join(','), query, { uid: true })
  return mails.map(({ uid, headers, bodyStructure }) => ({
    uid,
    headers: parseHeaders(headers ?? Buffer.alloc(0)),
    structure: bodyStructure,
  }))
}

/** The beginning of one part as text, its transfer encoding and character set undone. */
async function download(client: ImapFlow, uid: number, { part }: Part): Promise<string> {
  const { content } = await client.download(String(uid), part, { uid: true, maxBytes: partBytesMax })
  if (!content) return ''
  const chunks: Buffer[] = []
  for await (const chunk of content) chunks.push(chunk as Buffer)
  return Buffer.concat(chunks).toString('utf8')
}
