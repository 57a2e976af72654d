import { createTransport, type NodemailerError } from 'nodemailer'
import type { Clock } from '../../kit/clock.js'
import type { Severity } from '../model.js'
import { oneLine, pageMessage } from '../page-message.js'
import { withReplyHelp } from '../replies/reply-help.js'
import { checkAddress } from './address.js'
import { type Channel, detailLine, type Recipient, retryPauseMs, type SendResult } from './channel.js'
import { startDeadline } from './deadline.js'

export type MailDeadlines = {
  /** Name look-up, connecting and the greeting together. */
  connectMsMax: number
  greetingMsMax: number
  /** Silence of the server in mid-conversation. */
  silenceMsMax: number
  /** The whole attempt. Longer than one silence, so that a connection that died while idle is replaced within it. */
  sendMsMax: number
}

const defaultDeadlines: MailDeadlines = {
  connectMsMax: 4_000,
  greetingMsMax: 4_000,
  silenceMsMax: 4_000,
  sendMsMax: 10_000,
}

/** Enough that a few that hang do not hold up the next emergency. */
const connectionsMax = 10
/** Below what routers and mail servers commonly allow an idle connection. */
const idleMsMax = 60_000

/** The server knows no such mailbox (RFC 5321: 550, 551, 553 to RCPT), as opposed to one that is full or a mail it dislikes. */
const isNoMailbox = ({ responseCode = 0, command = '' }: NodemailerError): boolean =>
  command.startsWith('RCPT') && [550, 551, 553].includes(responseCode)

/**
 * What an SMTP error means. Refused is only what a server says with 5xx about this message, its sender or its recipient.
 * A login refused, a greeting of 554 or 503 (commands out of order) is about us or the moment: worth another attempt.
 */
function judge(error: NodemailerError, { attempt, severity }: { attempt: number; severity: Severity }): SendResult {
  const status = error.responseCode ?? 0
  const aboutMessage = error.code === 'EENVELOPE' || error.code === 'EMESSAGE'
  const said = detailLine(error.response ?? `${error.code ?? 'error'}: ${error.message}`)
  if (aboutMessage && status >= 500 && status < 600 && status !== 503)
    return isNoMailbox(error) ? { kind: 'refused', reason: said, broken: true } : { kind: 'refused', reason: said }
  return { kind: 'retry', afterMs: retryPauseMs(attempt, severity), detail: said }
}

type Mail = {
  severity: Severity
  subject: string
  text: string
  html?: string
  messageId: string
  headers: Record<string, string>
}

/**
 * Pages by e-mail through the server at `smtpUrl` (`smtp://` or `smtps://`), over a pool of kept connections. `from` is
 * the sender as in `Name <address>`, `replyTo` where answers go instead, `repliesAreRead` says so in each page. A pool that lost its server connects again on the next send.
 */
export function emailChannel({
  smtpUrl,
  from,
  replyTo,
  repliesAreRead = false,
  clock,
  deadlines = {},
}: {
  smtpUrl: string
  from: string
  replyTo?: string | undefined
  repliesAreRead?: boolean
  clock: Clock
  deadlines?: Partial<MailDeadlines>
}): Channel {
  const { connectMsMax, greetingMsMax, silenceMsMax, sendMsMax } = { ...defaultDeadlines, ...deadlines }
  const transport = createTransport({
    url: smtpUrl,
    pool: true,
    maxConnections: connectionsMax,
    maxMessages: 1_000,
    idleTimeout: idleMsMax,
    connectionTimeout: connectMsMax,
    dnsTimeout: connectMsMax,
    greetingTimeout: greetingMsMax,
    socketTimeout: silenceMsMax,
    socketCloseTimeout: 1_000,
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = /@([A-Za-z0-9.-]+)>?\s*$/.exec(from)?.[1] ?? 'localhost'

  async function deliver(
    { severity, ...mail }: Mail,
    to: Recipient,
    { attempt, signal }: { attempt: number; signal: AbortSignal },
  ): Promise<SendResult> {
    if (checkAddress('email', to.address).kind === 'wrong')
      return { kind: 'refused', reason: 'the address is not one e-mail address', broken: true }
    const deadline = startDeadline({ signal, ms: sendMsMax })
    try {
      const { response } = await transport.sendMail({
        ...mail,
        from,
        ...(replyTo ? { replyTo } : {}),
        to: { name: oneLine(to.name, 100), address: to.address },
        ...(severity === 'emergency' ? { priority: 'high' as const } : {}),
        signal: deadline.signal,
      })
      return { kind: 'sent', detail: detailLine(response) }
    } catch (error) {
      if (deadline.passed())
        return { kind: 'retry', afterMs: retryPauseMs(attempt, severity), detail: `not taken in ${sendMsMax} ms` }
      if (signal.aborted) return { kind: 'retry', afterMs: 0, detail: 'stopped before it was taken' }
      return judge(error as NodemailerError, { attempt, severity })
    } finally {
      deadline.clear()
    }
  }

  return {
    kind: 'email',
    send: (page, to, options) => {
      const message = pageMessage({ page, now: clock.now() })
      const mail = {
        ...(repliesAreRead && page.audience !== 'family' ? withReplyHelp(message, page.language) : message),
        severity: page.severity,
        // The same for every attempt, so that a mailbox that got it twice can show it once.
        messageId: `<page-${page.pageId}@${domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated', 'X-Shouwang-Page-Id': page.pageId },
      }
      return deliver(mail, to, options)
    },
    tell: ({ messageId, text, lines = [], url, language }, to, options) => {
      const mail = {
        severity: 'notice' as const,
        subject: language === 'zh' ? `守望系统通知：${text.zh}` : `Shouwang: ${text.en}`,
        text:
          [text, ...lines].map((line) => `${oneLine(line[language], 1_000)}\n`).join('') + (url ? `\n${url}\n` : ''),
        messageId: `<notice-${messageId}@${domain}>`,
        headers: { 'Auto-Submitted': 'auto-generated' },
      }
      return deliver(mail, to, options)
    },
    async stop() {
      transport.close()
    },
  }
}
