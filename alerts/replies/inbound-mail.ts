import { firstOwnLine, textOfHtml } from './own-text.js'
import { type ReplyIntent, replyIntent } from './words.js'

/** What of a mail in the box is looked at. Pure types: whoever reads the box fills them in. */
export type InboundMail = {
  /** Lower-case name to each value in the order of the mail, unfolded. */
  headers: ReadonlyMap<string, readonly string[]>
  /** The body as text, decoded and bounded; null where there is none to read: an encrypted mail, a picture alone. */
  text: string | null
  /** Whether `text` is HTML: the mail has no plain text. */
  html: boolean
  /** Of a report of delivery: the parts that say whom it is about, and the headers of the mail that came back. */
  report?: { status: string; original: string }
}

/** What a mail of ours is named by: `<page-UUID@domain>`, and `<notice-UUID@domain>` for what is no page. */
export type OwnMailId = { kind: 'page' | 'notice'; id: string }

/** What a mail in the box means, before anybody has looked at who wrote it to whom. */
export type MailVerdict =
  | { kind: 'not ours'; reason: string }
  /** A machine wrote it, or somebody else than it says. */
  | { kind: 'refused'; reason: 'automatic' | 'forged' | 'no one sender'; ids: OwnMailId[]; from: string | null }
  | { kind: 'reply'; ids: OwnMailId[]; from: string; intent: ReplyIntent }
  | { kind: 'bounce'; ids: OwnMailId[]; recipient: string; reason: string }

const idsMax = 20
const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'
const idPattern = new RegExp(`<(page|notice)-(${uuid})@[^<>@\\s]{1,255}>`, 'gi')
const headerCharsMax = 20_000

/** The mails of ours that a text names, the last first: the one that is answered directly stands at the end. */
export function ownIdsIn(text: string): OwnMailId[] {
  const found = [...text.slice(-headerCharsMax).matchAll(idPattern)]
    .map(([, kind, id]) => ({ kind: kind!.toLowerCase() as OwnMailId['kind'], id: id!.toLowerCase() }))
    .reverse()
  return found.filter(({ id }, at) => found.findIndex((other) => other.id === id) === at).slice(0, idsMax)
}

const header = (mail: InboundMail, name: string) => mail.headers.get(name) ?? []
const first = (mail: InboundMail, name: string) => (header(mail, name)[0] ?? '').slice(0, headerCharsMax)

/** The headers that are looked at, for whoever fetches them. */
export const headersWanted = [
  'from',
  'subject',
  'message-id',
  'date',
  'in-reply-to',
  'references',
  'content-type',
  'return-path',
  'auto-submitted',
  'precedence',
  'list-id',
  'list-unsubscribe',
  'x-autoreply',
  'x-autorespond',
  'x-auto-response',
  'x-failed-recipients',
  'authentication-results',
] as const

/** True where reading the body could make a difference: it answers a mail of ours, or reports on one. */
export const isWorthReading = (mail: Pick<InboundMail, 'headers'>): boolean => {
  const all = { ...mail, text: '', html: false }
  return isReport(all) || idsOf(all).length > 0
}

function idsOf(mail: InboundMail): OwnMailId[] {
  // What is answered directly comes last in References as well; some programs give only one of the two.
  return ownIdsIn(`${header(mail, 'references').join(' ')} ${header(mail, 'in-reply-to').join(' ')}`)
}

const isReport = (mail: InboundMail) => /^multipart\/report\b/i.test(first(mail, 'content-type').trim())

/** What a mail means. Who may act by it is asked of the database afterwards. */
export function judgeMail(mail: InboundMail): MailVerdict {
  if (isReport(mail) && mail.report) {
    const bounce = judgeReport(mail.report)
    if (bounce) return bounce
  }
  const ids = idsOf(mail)
  if (ids.length === 0) return { kind: 'not ours', reason: 'it answers no mail of ours' }
  const from = oneAddress(header(mail, 'from'))
  if (isAutomatic(mail)) return { kind: 'refused', reason: 'automatic', ids, from }
  if (!from) return { kind: 'refused', reason: 'no one sender', ids, from }
  if (failsAuthentication(header(mail, 'authentication-results')))
    return { kind: 'refused', reason: 'forged', ids, from }
  if (mail.text === null) return { kind: 'reply', ids, from, intent: 'unclear' }
  const text = mail.html ? textOfHtml(mail.text) : mail.text
  return { kind: 'reply', ids, from, intent: replyIntent(firstOwnLine(text)) }
}

/** Programs that answer for a person who is away, lists, and receipts: nobody has read the page yet. RFC 3834. */
function isAutomatic(mail: InboundMail): boolean {
  const submitted = first(mail, 'auto-submitted').trim().toLowerCase()
  if (submitted !== '' && !/^no\b/.test(submitted)) return true
  if (/bulk|list|junk|auto/i.test(first(mail, 'precedence'))) return true
  if (['list-id', 'list-unsubscribe', 'x-failed-recipients'].some((name) => header(mail, name).length > 0)) return true
  if (
    ['x-autoreply', 'x-autorespond', 'x-auto-response'].some(
      (name) => /\S/.test(first(mail, name)) && !/^no\b/i.test(first(mail, name).trim()),
    )
  )
    return true
  // Reports and receipts, and what leaves no address for an answer.
  if (isReport(mail) || /^\s*<\s*>\s*$/.test(first(mail, 'return-path'))) return true
  if (/<?(mailer-daemon|postmaster|no-?reply|do-?not-?reply)@/i.test(first(mail, 'from'))) return true
  return /^\s*(自动回复|自動回覆|自动答复|休假|外出|automatic reply|auto(matic)?[- ]?re(ply|sponse)|out of (the )?office|abwesen|read:|已读|已讀)/i.test(
    first(mail, 'subject'),
  )
}

/** The one address of a From; null where there is none or more than one. Lower case: no mail server tells them apart. */
export function oneAddress(values: readonly string[]): string | null {
  if (values.length !== 1) return null
  // A name in quotes may hold anything, another address too.
  const bare = values[0]!
    .slice(0, 2_000)
    .replace(/"(?:[^"\\]|\\.)*"/g, ' ')
    .replace(/\([^()]*\)/g, ' ')
  const inAngles = [...bare.matchAll(/<([^<>]*)>/g)].map(([, address]) => address!.trim())
  const candidates = inAngles.length > 0 ? inAngles : bare.split(/[,;\s]+/).filter((part) => part.includes('@'))
  const [address] = candidates
  if (candidates.length !== 1 || !/^[^\s\p{Cc}<>@,;:"]+@[^\s\p{Cc}<>@,;:"]+$/u.test(address!)) return null
  return address!.toLowerCase()
}

/**
 * Whether the server that took this mail says that its sender is not who it says. Each server puts its own results above
 * those of the ones before: only the topmost, and those of the same server, are its word. A failed SPF alone is no proof
 * where DMARC passed by the signature: forwarded mail.
 */
export function failsAuthentication(values: readonly string[]): boolean {
  const parse = (value: string) => {
    const plain = value
      .slice(0, headerCharsMax)
      .replace(/\([^()]*\)/g, ' ')
      .toLowerCase()
    const said = [...plain.matchAll(/;\s*(dmarc|spf)\s*=\s*([a-z]+)/g)]
    const of = (method: string) => said.flatMap(([, name, result]) => (name === method ? [result!] : []))
    const server = plain.split(';', 1)[0]!.trim().split(/\s+/, 1)[0]!
    return { server, dmarc: of('dmarc'), spf: of('spf') }
  }
  const all = values.slice(0, 20).map(parse)
  const own = all.filter(({ server }) => server === all[0]!.server)
  const dmarc = own.flatMap((one) => one.dmarc)
  if (dmarc.includes('fail')) return true
  return !dmarc.includes('pass') && own.some(({ spf }) => spf.includes('fail'))
}

/** Of whatever a server said: one line that the database takes, no NUL and no half of a character. */
const storable = (said: string): string =>
  [...said.slice(0, 600)]
    .map((char) => (/[\p{Cc}\p{Cs}]/u.test(char) ? ' ' : char))
    .slice(0, 300)
    .join('')
    .trim()

/** A report that one of our mails will never arrive (RFC 3464); undefined for one that says anything else. */
function judgeReport({ status, original }: { status: string; original: string }): MailVerdict | undefined {
  const ids = ownIdsIn(original)
  if (ids.length === 0) return undefined
  const unfolded = status.slice(0, headerCharsMax).replace(/\r?\n[ \t]+/g, ' ')
  for (const block of unfolded.split(/\r?\n\s*\r?\n/)) {
    const field = (name: string) => new RegExp(`^${name}\\s*:\\s*(.*)$`, 'im').exec(block)?.[1]?.trim() ?? ''
    // 4.x.x has not given up: "delayed". What is "relayed" or "expanded" has gone on.
    if (!/^failed\b/i.test(field('Action')) || !/^5\./.test(field('Status'))) continue
    const recipient = oneAddress([(field('Original-Recipient') || field('Final-Recipient')).replace(/^[^;]*;/, '')])
    if (!recipient) continue
    const said = [field('Status'), field('Diagnostic-Code').replace(/^[^;]*;\s*/, '')].filter(Boolean).join(' ')
    return { kind: 'bounce', ids, recipient, reason: storable(said) }
  }
  return undefined
}
