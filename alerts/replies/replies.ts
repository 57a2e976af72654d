import { createHash } from 'node:crypto'
import { setTimeout as sleep } from 'node:timers/promises'
import { Counter, Gauge, type Registry } from 'prom-client'
import type { Database } from '../../db/pool.js'
import { markRead, nextUid } from '../../db/replies.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import type { Signal } from '../../kit/signal.js'
import { handleMail, type MailResult } from './handle-mail.js'
import { type InboundMail, isWorthReading, judgeMail } from './inbound-mail.js'
import { imapAddress, type Mailbox, type MailHead, openMailbox, UnreadableMails } from './mailbox.js'

/** Asked also where the server says by itself that a mail has come: what it says may be lost. */
const pollMs = 30_000
const pollWithoutPushMs = 5_000
const retryMsMin = 1_000
const retryMsMax = 30_000
/** Of a box that was never read before, what is older than this could not act any longer: a page is answered for a day. */
const firstLookMs = 3 * 86_400_000
/** A mail that cannot be handled this often, while others can, is left where it lies. */
const triesMax = 3
const mailsAtOnceMax = 100

/**
 * Watches the mailbox that replies to pages go to (`imapUrl`: `imaps://user:password@host`), and does what they say. Any
 * number of processes may watch one box. Nothing in the box is changed. While the server is away it is tried again, with
 * growing pauses: the escalation goes on as if nobody had answered.
 */
export function startReplies({
  db,
  imapUrl,
  mailbox,
  clock,
  log,
  metrics,
  signal,
  open = openMailbox,
}: {
  db: Database
  imapUrl: string
  mailbox: string
  clock: Clock
  log: Log
  metrics: Registry
  signal: Signal
  open?: typeof openMailbox
}): { stop(): Promise<void> } {
  const address = imapAddress(imapUrl)
  const name = `${address.user}@${address.host}:${address.port}/${mailbox}`
  const results = new Counter({
    name: 'shouwang_mail_replies_total',
    help: 'Mails that answered a page, by what became of them',
    labelNames: ['result'],
    registers: [metrics],
  })
  const connected = new Gauge({
    name: 'shouwang_reply_mailbox_connected',
    help: '1 while the mailbox of replies is being watched',
    registers: [metrics],
  })
  const stopping = new AbortController()
  const tries = new Map<number, number>()
  /** Up to here mails are asked for one by one: among them is one that cannot be read. */
  let singlyUpTo = 0

  async function run() {
    let failures = 0
    while (!stopping.signal.aborted) {
      try {
        await watch(() => {
          failures = 0
        })
      } catch (error) {
        // What the server says may repeat the password.
        const { code, message } = error as NodeJS.ErrnoException
        if (!stopping.signal.aborted)
          log.warn({ error: message.replaceAll(address.pass, '…'), code }, 'replies.notWatched')
      }
      connected.set(0)
      const pauseMs = Math.min(retryMsMin * 2 ** failures, retryMsMax)
      failures += 1
      await sleep(pauseMs, undefined, { signal: stopping.signal }).catch(() => undefined)
    }
  }

  async function watch(isWell: () => void): Promise<void> {
    const box = await open({ address, mailbox, signal: stopping.signal })
    try {
      connected.set(1)
      log.info({ pushes: box.pushes }, 'replies.watched')
      while (!stopping.signal.aborted) {
        await readNew(box)
        isWell()
        await box.wait(box.pushes ? pollMs : pollWithoutPushMs, stopping.signal)
      }
    } finally {
      await box.close()
    }
  }

  async function readNew(box: Mailbox): Promise<void> {
    const id = { mailbox: name, uidValidity: box.uidValidity }
    for (;;) {
      const known = await nextUid(db, id)
      const from = known ?? (await box.firstSince(new Date(clock.now().getTime() - firstLookMs)))
      if (known === null) await markRead(db, { ...id, uid: from }, clock.now())
      const found = await box
        .from(from, from <= singlyUpTo ? 1 : mailsAtOnceMax)
        .catch((error: unknown) => passUnreadable(box, error))
      if (found === 'again') continue
      if (!found) return
      for (const head of found.heads) {
        if (stopping.signal.aborted) return
        if (isWorthReading(head)) await handle(box, head)
      }
      await markRead(db, { ...id, uid: found.upTo }, clock.now())
    }
  }

  /** One mail that cannot be read must not keep the others waiting for ever: after a few tries it is passed by. */
  function passUnreadable(box: Mailbox, error: unknown) {
    if (!(error instanceof UnreadableMails)) throw error
    const [uid] = error.uids as [number]
    singlyUpTo = Math.max(singlyUpTo, error.uids.at(-1)!)
    if (error.uids.length === 1 && isLastTry(uid)) {
      log.error({ err: error, uid }, 'reply.notReadable')
      results.inc({ result: 'failed' })
      return { heads: [], upTo: uid + 1 }
    }
    if (box.isLost()) throw error
    return 'again' as const
  }

  function isLastTry(uid: number): boolean {
    const times = (tries.get(uid) ?? 0) + 1
    tries.set(uid, times)
    if (times < triesMax) return false
    tries.delete(uid)
    return true
  }

  async function handle(box: Mailbox, head: MailHead): Promise<void> {
    const { uid } = head
    try {
      const mail = await box.read(head)
      const verdict = judgeMail(mail)
      if (verdict.kind === 'not ours') return
      const place = { mailbox: name, uidValidity: box.uidValidity, uid }
      const result = await handleMail(db, { place, mailKey: mailKeyOf(mail), verdict, now: clock.now() })
      tries.delete(uid)
      count(result, uid)
    } catch (error) {
      const databaseAnswers = await nextUid(db, { mailbox: name, uidValidity: box.uidValidity }).then(
        () => true,
        () => false,
      )
      if (box.isLost() || !databaseAnswers) throw error
      if (!isLastTry(uid)) return handle(box, head)
      // The mails behind it are waiting; this one stays in the box for people to see.
      log.error({ err: error, uid }, 'reply.notHandled')
      results.inc({ result: 'failed' })
    }
  }

  function count(result: MailResult, uid: number): void {
    if (result === 'handled before') return
    results.inc({ result })
    log.info({ uid, result }, 'reply.handled')
    for (const name of ['alerts', 'pages', 'messages'] as const) signal.raise(name)
  }

  const done = run()
  return {
    stop: () => {
      stopping.abort()
      return done
    },
  }
}

/** What names a mail wherever it lies: its own id, or where a program gave it none, what it says. */
export function mailKeyOf(mail: InboundMail): Buffer {
  const all = (name: string) => (mail.headers.get(name) ?? []).join('\n')
  const own = all('message-id')
  const named =
    own ||
    ['from', 'date', 'references', 'in-reply-to', 'subject']
      .map(all)
      .concat(mail.text ?? '')
      .join('\n')
  return createHash('sha256')
    .update(own ? 'id\n' : 'text\n')
    .update(named)
    .digest()
}
