import { createHash, randomBytes, randomUUID } from 'node:crypto'
import { Counter, type Registry } from 'prom-client'
import { type Channel, isLastTry, isTaken } from '../../alerts/channels/channel.js'
import { advance, begin, type EscalationState } from '../../alerts/escalation.js'
import { type EpochMs, severityOf } from '../../alerts/model.js'
import { emergencyPauseSecondsMax } from '../../alerts/policy.js'
import { type AlarmEpisode, judgeAlarm } from '../../alerts/rules/alarm.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { type Loop, startLoop } from '../../kit/loop.js'
import type { AlarmRow } from '../alarms.js'
import type { Directory } from '../directory.js'
import { isUnreached, nextChannel, type StandInAlert, type StandInPage, takeAttempt, takeMove } from './record.js'
import { createSend } from './send.js'

const pollMs = 250
const sendsMax = 64
/** Sends under way to one person through one channel: a phone that hangs takes no more places than these. */
const perLineMax = 8
const episodesMax = 50_000
/** Nothing of an emergency is due further away than this: beyond it, the clock has jumped back. */
const dueMsMax = (emergencyPauseSecondsMax + 60) * 1_000

/** Where the records are kept; see Journal. */
export type StandInShelf = { setNote(seq: number, alerts: StandInAlert[]): Promise<void> }

export type StandIn = ReturnType<typeof createStandIn>

const keyOf = (deviceNo: number, { observedAt, event }: { observedAt: number; event: string }) =>
  `${deviceNo} ${observedAt} ${event}`

const lineOf = ({ staffId, channel }: StandInPage) => `${staffId}/${channel}`
const isDue = (at: EpochMs, now: EpochMs) => at <= now || at > now + dueMsMax

type Kept = { seq: number | undefined; alerts: StandInAlert[]; frozen: boolean; sending: Map<string, Promise<void>> }

/**
 * Pages emergencies while the database is away, from the chain that the edge's directory knows: the whole chain once, step
 * by step, as the escalation has it. What it did is kept beside the message in the journal and committed with it when the
 * database is back, so that nobody is told the same thing twice.
 */
export function createStandIn({
  directory,
  shelf,
  channels,
  publicUrl,
  takeAlertId,
  clock,
  log,
  metrics,
}: {
  directory: Pick<Directory, 'residentOf' | 'chainOf' | 'personOf'>
  shelf: StandInShelf
  channels: Channel[]
  publicUrl: string
  /** An id that no other alert gets; null where none is at hand. */
  takeAlertId: () => number | null
  clock: Clock
  log: Log
  metrics: Registry
}) {
  const send = createSend({ directory, channels, log })
  const attempts = new Counter({
    name: 'shouwang_stand_in_page_attempts_total',
    help: 'Attempts of the edge to send a page by itself',
    labelNames: ['channel', 'result'],
    registers: [metrics],
  })
  const kept = new Set<Kept>()
  const byReading = new Map<string, Kept>()
  const episodes = new Map<number, AlarmEpisode>()
  /** Readings that the database has: sent again, they are no news. */
  const stored = new Set<string>()
  const stopping = new AbortController()
  const perLine = new Map<string, number>()
  let sends = 0
  let loop: Loop | undefined

  function remember(deviceNo: number, episode: AlarmEpisode) {
    episodes.delete(deviceNo)
    episodes.set(deviceNo, episode)
    if (episodes.size > episodesMax) episodes.delete(episodes.keys().next().value!)
  }

  /** The chain is being told of an alert of this device: what it says more of reaches somebody without another one. */
  const isBeingTold = (deviceNo: number): boolean =>
    [...kept].some(({ alerts }) => alerts.some((alert) => alert.deviceNo === deviceNo && !alert.walked))

  /** `opening`: devices of which an alert is opened together with this one. */
  function judgeOne(row: AlarmRow, now: EpochMs, opening: Set<number>): StandInAlert | undefined {
    // A leak waits for the database, as everything does that is no emergency.
    if (severityOf[row.kind] !== 'emergency') return undefined
    const resident = directory.residentOf(row.residentId)
    if (!resident) {
      log.error({ deviceNo: row.deviceNo }, 'standIn.residentUnknown: paged when the database is back')
      return undefined
    }
    const reading = { ...row, event: row.event as Parameters<typeof judgeAlarm>[1]['event'], room: row.room }
    const known = episodes.get(row.deviceNo)
    const isTold = known && (opening.has(row.deviceNo) || isBeingTold(row.deviceNo))
    const episode = isTold ? { ...known, takenAt: null } : known
    const verdict = judgeAlarm(episode, { ...reading, level: row.value }, resident.timeZone)
    if (verdict.kind === 'ignore') return undefined
    // Whether its alert is still open is asked anew each time.
    const { takenAt: _, ...next } = verdict.episode
    remember(row.deviceNo, { ...next, alertId: 0 })
    if (verdict.kind !== 'open') return undefined
    const alert: StandInAlert = {
      alertId: row.alertId ?? takeAlertId(),
      residentId: row.residentId,
      deviceNo: row.deviceNo,
      kind: row.kind,
      reading: { observedAt: row.observedAt, event: row.event },
      openedAt: row.receivedAt,
      observedAt: row.observedAt,
      headline: verdict.headline,
      reason: verdict.reason,
      step: 0,
      dueAt: null,
      walked: false,
      told: [],
      pages: [],
    }
    const chain = directory.chainOf(row.residentId, now)
    return takeMove({ ...alert, steps: chain.steps.length }, begin('emergency', chain, now), now, randomUUID)
  }

  /** What a reading has opened already: a gateway sends again what was not acknowledged. */
  const alreadyOpened = (row: AlarmRow): Kept | undefined => byReading.get(keyOf(row.deviceNo, row))
  function hold(entry: Kept) {
    kept.add(entry)
    for (const { deviceNo, reading } of entry.alerts) byReading.set(keyOf(deviceNo, reading), entry)
  }
  function drop(entry: Kept) {
    kept.delete(entry)
    for (const { deviceNo, reading } of entry.alerts) byReading.delete(keyOf(deviceNo, reading))
  }

  function work(): Promise<'idle'> {
    const now = clock.now().getTime()
    for (const entry of kept) {
      if (entry.frozen) continue
      entry.alerts.forEach((alert, index) => {
        if (alert.walked || alert.dueAt === null || !isDue(alert.dueAt, now)) return
        const { step, residentId, openedAt } = alert
        const state: EscalationState = {
          severity: 'emergency',
          stage: 'open',
          step,
          round: 0,
          roundAt: openedAt,
          stageAt: openedAt,
          told: alert.told.map(({ staffId }) => staffId),
          unreached: isUnreached(alert),
        }
        const move = advance(state, directory.chainOf(residentId, now), now)
        entry.alerts[index] = takeMove(alert, move, now, randomUUID)
        save(entry)
      })
      for (const alert of entry.alerts)
        for (const page of alert.pages)
          if (page.status === 'pending' && isDue(page.nextAttemptAt, now) && !entry.sending.has(page.pageId))
            if (sends < sendsMax && (perLine.get(lineOf(page)) ?? 0) < perLineMax) start(entry, alert, page)
    }
    return Promise.resolve('idle')
  }

  function start(entry: Kept, alert: StandInAlert, page: StandInPage) {
    const line = lineOf(page)
    sends++
    perLine.set(line, (perLine.get(line) ?? 0) + 1)
    const sending = deliver(entry, alert, page)
      .catch((error: unknown) => log.error({ err: error, pageId: page.pageId }, 'standIn.failed'))
      .finally(() => {
        sends--
        const left = perLine.get(line)! - 1
        if (left > 0) perLine.set(line, left)
        else perLine.delete(line)
        entry.sending.delete(page.pageId)
        loop?.nudge()
      })
    entry.sending.set(page.pageId, sending)
  }

  async function deliver(entry: Kept, alert: StandInAlert, page: StandInPage): Promise<void> {
    const index = entry.alerts.findIndex(({ pages }) => pages.some(({ pageId }) => pageId === page.pageId))
    const token = randomBytes(32).toString('base64url')
    const linkHash = createHash('sha256').update(token).digest('hex')
    // The family is told; it is not asked to come. The address of its own page is known to nobody else.
    const url = page.informs ? `${publicUrl}/` : `${publicUrl}/p/${token}`
    const startedAt = clock.now().getTime()
    const result = await send({ alert, page, url, signal: stopping.signal })
    const at = clock.now().getTime()
    const next = nextChannel(entry.alerts[index]!, page, directory.personOf(page.staffId)?.channels ?? [])
    const attempt = page.attempts.length + 1
    const lastTry = isLastTry({ result, attempt, severity: 'emergency', hasNext: next !== null })
    const change = (each: StandInAlert) =>
      takeAttempt(each, page.pageId, {
        attempt: {
          startedAt,
          durationMs: at - startedAt,
          result: result.kind,
          detail: result.kind === 'refused' ? result.reason : result.detail,
        },
        retryAt: result.kind === 'retry' && !lastTry ? at + result.afterMs : null,
        next: next && { ...next, pageId: randomUUID() },
        at,
      })
    const noted = change(entry.alerts[index]!)
    entry.alerts[index] = {
      ...noted,
      pages: noted.pages.map((each) =>
        each.pageId === page.pageId && !page.informs ? { ...each, linkHashes: [...each.linkHashes, linkHash] } : each,
      ),
    }
    attempts.inc({ channel: page.channel, result: result.kind })
    const { pageId, channel } = page
    const { alertId } = alert
    log[isTaken(result) ? 'info' : 'warn']({ pageId, alertId, channel, result: result.kind }, 'standIn.attempted')
    save(entry)
  }

  function save({ seq, alerts }: Kept) {
    if (seq === undefined) return
    shelf
      .setNote(seq, alerts)
      .catch((error: Error) => log.error({ error: error.message }, 'standIn.notKept: after a restart it is told again'))
  }

  const heldOf = (rows: AlarmRow[]) => new Set(rows.flatMap((row) => alreadyOpened(row) ?? []))

  return {
    /** Which alerts follow from alarms that go into the journal. Nobody is told before `page`. */
    judge: (rows: AlarmRow[], now: EpochMs): StandInAlert[] => {
      const opening = new Set<number>()
      return rows.flatMap((row) => {
        if (alreadyOpened(row) || stored.has(keyOf(row.deviceNo, row))) return []
        const alert = judgeOne(row, now, opening)
        if (alert) opening.add(row.deviceNo)
        return alert ? [alert] : []
      })
    },
    /** Begins to tell people of `alerts`, which are in the journal as entry `seq`; undefined: the disk refused them. */
    page: (alerts: StandInAlert[], seq: number | undefined) => {
      if (alerts.length === 0) return
      hold({ seq, alerts, frozen: false, sending: new Map() })
      loop?.nudge()
    },
    /** The message of these alarms is in the journal after all, as entry `seq`. */
    adopt: (rows: AlarmRow[], seq: number) => {
      for (const row of rows) {
        const entry = alreadyOpened(row)
        if (!entry || entry.seq !== undefined) continue
        entry.seq = seq
        save(entry)
      }
    },
    /** These are in the database. */
    stored: (rows: AlarmRow[]) => {
      for (const row of rows) stored.add(keyOf(row.deviceNo, row))
      for (const key of stored) {
        if (stored.size <= episodesMax) return
        stored.delete(key)
      }
    },
    /** An alarm that this edge has committed: while it stays true it is the same episode. A press always pages. */
    committed: (deviceNo: number, episode: AlarmEpisode) => remember(deviceNo, episode),
    /**
     * Knows after a restart what the journal has. Nobody is told before `takeBack`: the database may have it all, and
     * somebody may have been to the door.
     */
    resume: (notes: { seq: number; note: unknown }[]) => {
      for (const { seq, note } of notes) {
        const entry: Kept = { seq, alerts: note as StandInAlert[], frozen: true, sending: new Map() }
        hold(entry)
        for (const { deviceNo, reading } of entry.alerts)
          remember(deviceNo, {
            alertId: 0,
            active: true,
            firstAt: reading.observedAt,
            lastAt: reading.observedAt,
            closedAt: null,
          })
      }
    },
    /** Somebody was told of one of these, and the database does not know. */
    holds: (rows: AlarmRow[]): boolean => kept.size > 0 && rows.some((row) => alreadyOpened(row) !== undefined),
    /**
     * Takes no more steps for these alarms, waits for what is being sent (12 s at most), and returns what is to be committed
     * with them. Afterwards either `release` or, when that failed, `takeBack`.
     */
    handOver: async (rows: AlarmRow[]): Promise<StandInAlert[]> => {
      const entries = [...heldOf(rows)]
      for (const entry of entries) entry.frozen = true
      await Promise.all(entries.flatMap(({ sending }) => [...sending.values()]))
      return entries.flatMap(({ alerts }) => alerts)
    },
    /** The database did not take what was handed over: goes on with all of it. */
    takeBack: () => {
      for (const entry of kept) entry.frozen = false
      loop?.nudge()
    },
    release: (rows: AlarmRow[]) => {
      for (const entry of heldOf(rows)) drop(entry)
    },
    start: () => {
      loop = startLoop({ name: 'stand-in', work, pauseMs: pollMs, log })
    },
    stop: async () => {
      await loop?.stop()
      const grace = setTimeout(() => stopping.abort(), 1_000)
      await Promise.all([...kept].flatMap(({ sending }) => [...sending.values()]))
      clearTimeout(grace)
      await Promise.all(channels.map((channel) => channel.stop?.()))
    },
  }
}
