import type { Channel, SendResult } from '../../alerts/channels/channel.js'
import type { AlertAction } from '../../alerts/lifecycle.js'
import type { EpochMs } from '../../alerts/model.js'
import { actOnAlert, undoLast } from '../../db/alert-actions.js'
import { acknowledgeByLink } from '../../db/page-links.js'
import type { Database } from '../../db/pool.js'
import { chance, type Random, seededRandom, whole } from '../../simulators/random.js'
import type { Send } from './history.js'
import { type Life, liveAs } from './life.js'
import { minuteMs, secondMs } from './plan.js'
import type { DigestPage } from './read-stored.js'
import type { VirtualTime } from './virtual-time.js'

const outcomes = ['fall', 'resident fine', 'device fault', 'other'] as const
/** Told of alerts; they do nothing with them. */
const onlyTold = ['gao']

type Told = Pick<DigestPage, 'pageId' | 'alertId' | 'round' | 'step' | 'staffId' | 'channel' | 'severity'>

/**
 * Those who are told, and their phones. A phone takes a page after a while, or is busy, or refuses; whoever was told may
 * take the alert after minutes, by link or at the console, take that back, forget about it, and close it later. What they
 * do depends on the alert and the step alone, so that the order in which pages leave changes nothing.
 */
export function createStaff({
  seed,
  time,
  life,
  db,
  sends,
  lookedAt,
  pagesOf,
  calm,
  note,
}: {
  seed: number
  time: VirtualTime
  /** The dashboard's: staff act through it. */
  life: Life
  db: Database
  sends: (Send & { sender: Life })[]
  lookedAt: (pageId: string) => EpochMs
  /** What is told together in one message. */
  pagesOf: (digestId: string) => Promise<DigestPage[]>
  /** From here on phones work. */
  calm: EpochMs
  note: (event: string) => void
}) {
  async function insist(name: string, work: () => Promise<{ kind: string }>): Promise<boolean> {
    for (;;) {
      try {
        const { kind } = await liveAs(life, work)
        note(`${name} ${kind}`)
        return kind === 'done'
      } catch {
        // The page says that it did not work, and they press again.
        await time.sleep(20 * secondMs)
      }
    }
  }
  const act = (alertId: number, staffId: string, action: AlertAction, token?: string): Promise<boolean> =>
    insist(`${staffId} ${action.kind} ${alertId}`, async () => {
      const now = time.clock.now()
      if (token === undefined) return actOnAlert(db, { alertId, action, staffId, via: 'console', now })
      return (await acknowledgeByLink(db, { token, alertId, staffId, doorToken: undefined, now })).result
    })

  async function look(page: Told, token: string | undefined) {
    const { alertId, staffId } = page
    if (onlyTold.includes(staffId)) return
    const random = seededRandom(seed, 'person', alertId, page.round, page.step, staffId)
    // Sooner or later somebody comes: rounds of an emergency are minutes apart.
    if (!chance(random, page.severity === 'emergency' ? 0.35 : 0.5)) return
    // Some at once, while others are being told and other channels are still tried.
    const withinS = chance(random, 0.4) ? 15 : page.severity === 'emergency' ? 600 : 3_600
    await time.sleep(whole(random, 1, withinS) * secondMs)
    const byLink = chance(random, 0.5) ? token : undefined
    if (!(await actOrUndo(random, page, { kind: 'acknowledge' }, byLink))) return
    // Some forget about it, at once or on the way: the alert comes back.
    if (chance(random, 0.15)) return
    const inHaste = chance(random, 0.5)
    await time.sleep(inHaste ? whole(random, 5, 100) * secondMs : whole(random, 1, 40) * minuteMs)
    if (chance(random, 0.5) && !(await actOrUndo(random, page, { kind: 'en_route' }))) return
    if (chance(random, 0.1)) return
    await time.sleep(whole(random, 1, inHaste ? 9 : 30) * minuteMs)
    if (chance(random, 0.5) && !(await actOrUndo(random, page, { kind: 'arrived' }))) return
    if (chance(random, 0.1)) return
    await time.sleep(whole(random, 10, 1_800) * secondMs)
    const outcome = outcomes[whole(random, 0, outcomes.length - 1)]!
    await actOrUndo(random, page, { kind: 'close', outcome, note: '' })
  }

  /** Some press the wrong button, and take it back within a minute or a little later. False where nothing is left of it. */
  async function actOrUndo(
    random: Random,
    { alertId, staffId }: Told,
    action: AlertAction,
    token?: string,
  ): Promise<boolean> {
    const done = await act(alertId, staffId, action, token)
    if (!done || !chance(random, 0.12)) return done
    await time.sleep(whole(random, 1, 65) * secondMs)
    const undone = await insist(`${staffId} takes back ${action.kind} ${alertId}`, () =>
      undoLast(db, { alertId, staffId, via: 'console', now: time.clock.now() }),
    )
    return !undone
  }

  /** One thing that a phone is asked to show, about one alert or about several. */
  async function deliver(
    pages: (Told & Pick<Send, 'about' | 'lookedAt'> & { token?: string })[],
    p: { kind: string; attempt: number; by: Send['by']; sender: Life },
  ): Promise<SendResult> {
    const { kind, attempt, by, sender } = p
    const [first] = pages
    if (!first) return { kind: 'sent', detail: 'nothing in it' }
    const { alertId, round, step, staffId, pageId } = first
    const key = [alertId, round, step, staffId, kind, attempt, ...(pages.length > 1 ? [pages.length] : [])]
    const random = seededRandom(seed, 'phone', ...key, sends.filter((send) => send.pageId === pageId).length)
    const startedAt = time.now()
    const mine = pages.map(({ token: _, severity: __, ...page }): Send & { sender: Life } => ({
      ...page,
      by,
      startedAt,
      endedAt: null,
      result: 'lost',
      interrupted: false,
      sender,
    }))
    sends.push(...mine)
    await time.sleep(whole(random, 20, chance(random, 0.8) ? 500 : 11_000))
    // The request has left: whether its sender still lives decides only who hears the answer.
    const luck = time.now() >= calm ? 0 : random()
    const result = luck < 0.8 ? 'sent' : luck < 0.97 ? 'retry' : 'refused'
    for (const send of mine) Object.assign(send, { endedAt: time.now(), result })
    note(`page ${key.join(' ')} ${result}`)
    if (result === 'retry') return { kind: 'retry', afterMs: whole(random, 1, 40) * secondMs, detail: 'busy' }
    if (result === 'refused') return { kind: 'refused', reason: 'gone' }
    for (const page of pages) void look(page, page.token)
    return { kind: 'sent', detail: 'ok' }
  }

  const channelsOf = (sender: Life, by: Send['by']): Channel[] =>
    (['webhook', 'email'] as const).map((kind) => ({
      kind,
      send: (page, to, { attempt }) => {
        const { pageId, round, step, severity } = page
        const about = { residentId: page.resident.id, kind: page.kind, observedAt: page.observedAt.getTime() }
        const staffId = to.address.split(':')[1]!
        const token = page.url.split('/p/')[1]
        const told = { pageId, alertId: Number(page.alertId), round, step, staffId, channel: kind, severity, about }
        return deliver([{ ...told, lookedAt: lookedAt(pageId), ...(token ? { token } : {}) }], {
          kind,
          attempt,
          by,
          sender,
        })
      },
      tell: async (message, _, { attempt }) => {
        const pages = await pagesOf(message.messageId)
        const told = pages.map(({ residentId, kind: alertKind, observedAt, ...page }) => ({
          ...page,
          about: { residentId, kind: alertKind, observedAt },
          lookedAt: lookedAt(page.pageId),
        }))
        return deliver(told, { kind, attempt, by, sender })
      },
    }))
  return { channelsOf }
}
