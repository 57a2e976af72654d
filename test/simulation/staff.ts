import type { Channel, SendResult } from '../../alerts/channels/channel.js'
import type { AlertAction } from '../../alerts/lifecycle.js'
import type { EpochMs } from '../../alerts/model.js'
import { actOnAlert } from '../../db/alert-actions.js'
import { acknowledgeByLink } from '../../db/page-links.js'
import type { Database } from '../../db/pool.js'
import { chance, seededRandom, whole } from '../../simulators/random.js'
import type { Send } from './history.js'
import { type Life, liveAs } from './life.js'
import { minuteMs, secondMs } from './plan.js'
import type { VirtualTime } from './virtual-time.js'

const outcomes = ['fall', 'resident fine', 'device fault', 'other'] as const

/**
 * The social workers and their phones. A phone takes a page after a while, or is busy, or refuses; whoever was told may
 * take the alert after minutes, by link or at the console, and closes it later. What they do depends on the alert and the
 * step alone, so that the order in which pages leave changes nothing.
 */
export function createStaff({
  seed,
  time,
  life,
  db,
  sends,
  lookedAt,
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
  /** From here on phones work. */
  calm: EpochMs
  note: (event: string) => void
}) {
  async function act(alertId: number, staffId: string, action: AlertAction, token?: string): Promise<boolean> {
    for (;;) {
      try {
        const now = time.clock.now()
        const via = token === undefined ? ('console' as const) : ('link' as const)
        const result = await liveAs(life, () =>
          token === undefined
            ? actOnAlert(db, { alertId, action, staffId, via, now })
            : acknowledgeByLink(db, { token, alertId, staffId, now }),
        )
        note(`${staffId} ${action.kind} ${alertId} ${result.kind}`)
        return result.kind === 'done'
      } catch {
        // The page says that it did not work, and they press again.
        await time.sleep(20 * secondMs)
      }
    }
  }

  async function look(
    page: { alertId: number; round: number; step: number; staffId: string; severity: string },
    token: string,
  ) {
    const { alertId, staffId } = page
    const random = seededRandom(seed, 'person', alertId, page.round, page.step, staffId)
    // Sooner or later somebody comes: rounds of an emergency are minutes apart.
    if (!chance(random, page.severity === 'emergency' ? 0.35 : 0.5)) return
    // Some at once, while others are being told and other channels are still tried.
    const withinS = chance(random, 0.4) ? 15 : page.severity === 'emergency' ? 600 : 3_600
    await time.sleep(whole(random, 1, withinS) * secondMs)
    if (!(await act(alertId, staffId, { kind: 'acknowledge' }, chance(random, 0.5) ? token : undefined))) return
    // Some forget about it: the alert comes back.
    if (chance(random, 0.15)) return
    await time.sleep(whole(random, 1, 40) * minuteMs)
    if (chance(random, 0.5)) await act(alertId, staffId, { kind: 'en_route' })
    await time.sleep(whole(random, 1, 30) * minuteMs)
    const outcome = outcomes[whole(random, 0, outcomes.length - 1)]!
    await act(alertId, staffId, { kind: 'close', outcome, note: '' })
  }

  const channelsOf = (sender: Life, by: Send['by']): Channel[] =>
    (['webhook', 'email'] as const).map((kind) => ({
      kind,
      async send(page, to, { attempt }): Promise<SendResult> {
        const staffId = to.address.split(':')[1]!
        const alertId = Number(page.alertId)
        const { pageId, round, step } = page
        const key = [alertId, round, step, staffId, kind, attempt] as const
        const random = seededRandom(seed, 'phone', ...key, sends.filter((send) => send.pageId === pageId).length)
        const send: Send & { sender: Life } = {
          pageId,
          alertId,
          round,
          step,
          staffId,
          channel: kind,
          by,
          about: { residentId: page.resident.id, kind: page.kind, observedAt: page.observedAt.getTime() },
          lookedAt: lookedAt(pageId),
          startedAt: time.now(),
          endedAt: null,
          result: 'lost',
          interrupted: false,
          sender,
        }
        sends.push(send)
        await time.sleep(whole(random, 20, chance(random, 0.8) ? 500 : 11_000))
        // The request has left: whether its sender still lives decides only who hears the answer.
        send.endedAt = time.now()
        const luck = time.now() >= calm ? 0 : random()
        send.result = luck < 0.8 ? 'sent' : luck < 0.97 ? 'retry' : 'refused'
        note(`page ${key.join(' ')} ${send.result}`)
        if (send.result === 'sent')
          void look({ alertId, round, step, staffId, severity: page.severity }, page.url.split('/p/')[1]!)
        if (send.result === 'retry') return { kind: 'retry', afterMs: whole(random, 1, 40) * secondMs, detail: 'busy' }
        if (send.result === 'refused') return { kind: 'refused', reason: 'gone' }
        return { kind: 'sent', detail: 'ok' }
      },
    }))
  return { channelsOf }
}
