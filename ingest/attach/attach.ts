import { randomUUID } from 'node:crypto'
import { Counter, Gauge, type Registry } from 'prom-client'
import {
  forgetSession,
  type HeldSession,
  holdSessions,
  releaseSessions,
  saveSessionFilters,
} from '../../db/attach-sessions.js'
import { type AttachedGateway, listAttachedGateways } from '../../db/attached.js'
import type { Database } from '../../db/pool.js'
import type { Clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { type Loop, startLoop } from '../../kit/loop.js'
import { within } from '../../kit/within.js'
import { NoRoom } from '../lane.js'
import type { Message } from '../message.js'
import type { Reply } from '../work.js'
import type { Received } from './connection.js'
import type { AttachedPresence } from './presence.js'
import { openRemembered, type Remembered } from './remembered.js'
import { readRetained } from './retained.js'
import { keepSession, type Session } from './session.js'
import { createTopicIndex, isCommandOf, type TopicIndex } from './topics.js'

const tickMs = 3_000
/** Three ticks: an edge that is killed keeps its sessions so long from the others. */
const leaseMs = 10_000
const gatewaysMs = 15_000
/** A session that an edge cannot connect for so long is for another one to try. */
const tryMsMax = 20_000
/** What a broker has kept comes within this, also through a slow commit. */
const settleMs = 5_000
const sweepMs = 60_000
const publishMsMax = 5_000

/** `lostMs`: how long the connection may be away before its gateways are, too. */
export type AttachSettings = { url: string; name: string; sessions: number; lostMs?: number }
export type Attach = ReturnType<typeof createAttach>

/**
 * Ingest as a subscriber of a broker that already runs: it acknowledges a message there when `accept` has resolved. The
 * sessions at that broker are divided among the edges; each gateway that is registered as attached is heard, and answered.
 */
export function createAttach({
  db,
  settings,
  file,
  accept,
  presence,
  clock,
  log,
  metrics,
}: {
  db: Database
  settings: AttachSettings
  /** Where it keeps what it has to know when the database is away at its start. */
  file: string
  accept: (message: Message) => Promise<Reply[] | undefined>
  presence: AttachedPresence
  clock: Clock
  log: Log
  metrics: Registry
}) {
  const { url, name, sessions: sessionsMax, lostMs = 60_000 } = settings
  const group = sessionsMax > 1 ? name : undefined
  const remembered = openRemembered(file)
  const sessions = new Map<number, Session>()
  const retiring = new Set<number>()
  const settling = new Set<NodeJS.Timeout>()
  let memory: Remembered = { holderId: '', held: [], gateways: [] }
  let index: TopicIndex = createTopicIndex([])
  let attachedIds = new Set<string>()
  let loop: Loop | undefined
  let gatewaysAt = Number.NEGATIVE_INFINITY
  let sweptAt = performance.now()
  let lostAt: number | undefined

  const messages = new Counter({
    name: 'shouwang_attach_messages_total',
    help: 'Messages from a broker that Shouwang is attached to',
    labelNames: ['result'],
    registers: [metrics],
  })
  new Gauge({
    name: 'shouwang_attach_sessions',
    help: 'Connections of this process to a broker that Shouwang is attached to',
    registers: [metrics],
    collect() {
      this.set(connected().length)
    },
  })
  const connected = () => [...sessions.values()].filter((session) => session.isConnected())

  async function receive({ topic, payload, retain }: Received): Promise<void> {
    const gatewayId = index.ownerOf(topic)
    if (gatewayId === undefined || isCommandOf(gatewayId, topic)) {
      messages.inc({ result: 'ignored' })
      return
    }
    if (!retain) presence.heard(gatewayId)
    try {
      const replies = await accept({ gatewayId, topic, payload, retain, shared: true, receivedAt: clock.now() })
      messages.inc({ result: 'accepted' })
      for (const reply of replies ?? []) void publish(reply)
    } catch (error) {
      // The alarms of others wait behind it: what there is no room for is given up, and counted.
      if (error instanceof NoRoom) {
        messages.inc({ result: 'dropped' })
        return
      }
      messages.inc({ result: 'failed' })
      log.error({ err: error, gatewayId }, 'attach.notStored')
      throw error
    }
  }

  /** Whether the broker has it. */
  async function publish({ topic, payload }: { topic: string; payload: string }): Promise<boolean> {
    const connection = connected()[0]?.connection()
    if (!connection) return false
    return within(publishMsMax, connection.publish(topic, payload)).then(
      () => true,
      (error: Error) => {
        log.warn({ error: error.message }, 'attach.publishFailed')
        return false
      },
    )
  }

  function know(gateways: AttachedGateway[]) {
    index = createTopicIndex(gateways)
    attachedIds = new Set(gateways.map(({ gatewayId }) => gatewayId))
    presence.know(gateways)
    memory = { ...memory, gateways }
  }

  function onConnected(sessionNo: number, shared: boolean) {
    // Nobody who shares is given what the broker has kept: one of them asks for it by itself.
    const readKept = shared && sessionNo === 1
    const kept = readKept
      ? readRetained({ url, clientId: `${name}-kept-${randomUUID()}`, filters: index.filters, receive, log })
      : undefined
    const timer = setTimeout(() => {
      settling.delete(timer)
      if (connected().length > 0) presence.settled()
    }, settleMs)
    settling.add(timer)
    void kept
  }

  function hold({ sessionNo, filters }: HeldSession) {
    if (sessions.has(sessionNo)) return
    const session = keepSession({
      sessionNo,
      url,
      clientId: `${name}-${sessionNo}`,
      group,
      known: filters,
      saveFilters: (saved) => {
        memory = {
          ...memory,
          held: memory.held.map((held) => (held.sessionNo === sessionNo ? { sessionNo, filters: saved } : held)),
        }
        return saveSessionFilters(db, { sessionNo, filters: saved })
      },
      receive,
      onConnected: (_connection, shared) => onConnected(sessionNo, shared),
      log,
    })
    sessions.set(sessionNo, session)
    session.ask(index.filters)
  }

  async function drop(sessionNo: number) {
    const session = sessions.get(sessionNo)
    sessions.delete(sessionNo)
    await session?.stop()
  }

  /** A session of a larger number in earlier days: emptied, and gone. */
  function retire(session: Session) {
    const { sessionNo } = session
    if (retiring.has(sessionNo) || !session.isConnected()) return
    retiring.add(sessionNo)
    session
      .retire()
      .then(async (isGone) => {
        if (!isGone) return
        sessions.delete(sessionNo)
        await forgetSession(db, { sessionNo })
        log.info({ sessionNo }, 'attach.sessionRetired')
      })
      .catch((error: Error) => log.warn({ sessionNo, error: error.message }, 'attach.notRetired'))
      .finally(() => retiring.delete(sessionNo))
  }

  async function share() {
    const keep = [...sessions.values()]
      .filter((session) => performance.now() - (session.awaySince() ?? performance.now()) < tryMsMax)
      .map(({ sessionNo }) => sessionNo)
    const { holderId: edgeId } = memory
    const answer = await holdSessions(db, { edgeId, sessions: sessionsMax, keep, now: clock.now(), leaseMs })
    const mine = answer.held.filter(({ sessionNo }) => !sessions.has(sessionNo) || keep.includes(sessionNo))
    const tooMany = mine.slice(Math.max(answer.share, 1)).map(({ sessionNo }) => sessionNo)
    const stays = mine.filter(({ sessionNo }) => !tooMany.includes(sessionNo))
    memory = { ...memory, held: stays }
    for (const sessionNo of [...sessions.keys()])
      if (!stays.some((held) => held.sessionNo === sessionNo)) await drop(sessionNo)
    const givenBack = answer.held
      .map(({ sessionNo }) => sessionNo)
      .filter((no) => !sessions.has(no) && !stays.some((held) => held.sessionNo === no))
    if (givenBack.length > 0) await releaseSessions(db, { edgeId, sessionNos: givenBack, leave: false })
    for (const held of stays) hold(held)
  }

  async function loadGateways() {
    const now = performance.now()
    if (now - gatewaysAt < gatewaysMs) return
    const before = index.filters.join()
    know(await listAttachedGateways(db))
    gatewaysAt = now
    if (index.filters.join() === before) return
    log.info({ gateways: attachedIds.size }, 'attach.gateways')
    for (const { sessionNo, ask } of sessions.values()) if (sessionNo <= sessionsMax) ask(index.filters)
  }

  function judgePresence() {
    const now = performance.now()
    if (connected().length > 0) lostAt = undefined
    else if (lostAt === undefined) lostAt = now
    else if (now - lostAt > lostMs) presence.lost()
    if (now - sweptAt < sweepMs) return
    sweptAt = now
    presence.sweep()
  }

  async function tick(): Promise<'idle'> {
    judgePresence()
    try {
      await loadGateways()
      await share()
      for (const session of sessions.values()) if (session.sessionNo > sessionsMax) retire(session)
    } catch (error) {
      // What is held is held on to: without the database nobody else can take it either.
      log.warn({ error: (error as Error).message }, 'attach.databaseAway')
      for (const held of memory.held) hold(held)
    }
    await remembered.write(memory).catch((error: Error) => log.warn({ error: error.message }, 'attach.notRemembered'))
    return 'idle'
  }

  return {
    /** Whether a gateway speaks to the broker that this is attached to. */
    isAttached: (gatewayId: string) => attachedIds.has(gatewayId),
    isConnected: (gatewayId: string) => attachedIds.has(gatewayId) && connected().length > 0,
    /** To a gateway, through its broker: who hears it there, and when, is that broker's business. */
    publishTo: async (_gatewayId: string, message: { topic: string; payload: string | Buffer }) =>
      (await publish({ topic: message.topic, payload: String(message.payload) }))
        ? ({ kind: 'delivered', acknowledged: false } as const)
        : ({ kind: 'no answer' } as const),
    /** Resolves at once: the broker, and the database, may come later. */
    async start() {
      memory = await remembered.read()
      know(memory.gateways)
      loop = startLoop({ name: 'attach', work: tick, pauseMs: tickMs, log })
    },
    async stop() {
      for (const timer of settling) clearTimeout(timer)
      const stopping = loop?.stop()
      const sessionNos = [...sessions.keys()]
      await Promise.all([...sessions.values()].map((session) => session.stop()))
      presence.lost()
      await stopping
      const release = releaseSessions(db, { edgeId: memory.holderId, sessionNos, leave: true })
      await within(500, release).catch((error: Error) => log.warn({ error: error.message }, 'attach.notReleased'))
    },
  }
}
