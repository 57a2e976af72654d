import { createHash } from 'node:crypto'
import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { EpochMs } from '../../alerts/model.js'
import type { Database } from '../../db/pool.js'
import { createLog } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'
import { seededRandom } from '../../simulators/random.js'
import { createAlertsRole } from './alerts-role.js'
import { policiesOf, rosterOf, settleCommunity } from './community.js'
import { createLook, findDueWork } from './due-work.js'
import { newBooks, openEdgeFallback } from './edge-fallback.js'
import { createEdgeRole } from './edge-role.js'
import { faultsUntil, killed, lossesOnly, none } from './fault-rates.js'
import { createFaultyDatabase, createTurns, type FaultRates, type Statement } from './faulty-database.js'
import type { Action, History, Published, Send } from './history.js'
import type { Life } from './life.js'
import type { Plan } from './plan.js'
import { isStored, readDigest, readStored } from './read-stored.js'
import { createRecorder, type Entry } from './recording.js'
import { schedule } from './schedule.js'
import { createShortcuts } from './shortcuts.js'
import { watchSpans } from './spans.js'
import { createStaff } from './staff.js'
import { truthOf, wasInterrupted } from './truth.js'
import { createVirtualTime } from './virtual-time.js'
import { takeOverTimers } from './virtual-timers.js'

export type Run = { history: History; recording: Entry[]; events: number; hash: string; log: string[] }

/**
 * Runs one plan against the real stores and returns all that is needed to judge it. The same plan gives the same events,
 * whose hash is returned; `log` holds them in words if asked for.
 */
export async function simulate(db: Database, plan: Plan, { keepLog = false } = {}): Promise<Run> {
  await settleCommunity(db, plan)
  const { seed, start, calm, end, servers } = plan
  const time = createVirtualTime(start)
  const giveBackTimers = takeOverTimers(time)
  const log = createLog({ role: 'simulation', level: 'silent' })
  const signal = createSignal()
  const outage = { until: 0 }
  const takeTurn = createTurns()
  const recording: Entry[] = []
  const looks = new Map<string, EpochMs>()
  const hash = createHash('sha256')
  const lines: string[] = []
  let events = 0
  const shortcuts = createShortcuts(db)
  const books = newBooks()
  const complaints: string[] = []
  const folder = await mkdtemp(join(tmpdir(), 'shouwang-simulation-'))
  const isDown = () => time.now() < outage.until || !alertsRoles.some((role) => role.isUp())
  const alertsDown = watchSpans(() => isDown())
  const journalHeld = watchSpans(() => books.alarms > 0)

  function note(event: string) {
    events++
    const line = `${time.now() - start} ${event}`
    hash.update(line).update('\n')
    if (keepLog) lines.push(line)
    for (const spans of [alertsDown, journalHeld]) spans.watch(time.now())
  }
  const record = createRecorder({ db, underWaySince: () => edge.underWaySince(), handedOver: books.handedOver })
  async function committed(statements: Statement[]) {
    const at = time.now()
    for (const { text, values } of statements)
      if (text.startsWith('with asked as')) for (const pageId of values[0] as string[]) looks.set(pageId, at)
    for (const entry of await time.busy(() => record(statements, at))) {
      recording.push(entry)
      if (entry.kind === 'presence') edge.presenceWritten()
      note(`commit ${entry.kind}`)
      // Polling would find it soon, whether or not its process lived to raise a signal.
      const arrived =
        entry.kind === 'presence' ? statements.some(({ text }) => text.includes("'presence'")) : bringsArrivals(entry)
      if (arrived) for (const role of alertsRoles) role.arrivals()
      if (entry.kind !== 'readings') look()
    }
  }
  const database = (faults: FaultRates) => (life: Life, random: ReturnType<typeof seededRandom>) =>
    createFaultyDatabase({
      inner: db,
      time,
      life,
      random,
      rates: faultsUntil(calm, time.now, faults),
      outage,
      takeTurn,
      committed,
      shortcuts,
    })

  const published: Published[] = []
  const sends: (Send & { sender: Life })[] = []
  const dashboard = time.newLife('dashboard', [])
  const staff = createStaff({
    seed,
    time,
    life: dashboard,
    db: database(lossesOnly)(dashboard, seededRandom(seed, 'dashboard')),
    sends,
    lookedAt: (pageId) => looks.get(pageId) ?? time.now(),
    pagesOf: (digestId) => pastFaults(() => readDigest(db, digestId)),
    calm,
    note,
  })
  const journalRandom = seededRandom(seed, 'journal operations')
  const edge = createEdgeRole({
    time,
    database: database(killed),
    log,
    signal,
    random: seededRandom(seed, 'edge'),
    note,
    books,
    outage,
    openFallback: servers.hasJournal
      ? (life, edgeDb) =>
          openEdgeFallback({
            time,
            life,
            db: edgeDb,
            folder,
            channels: staff.channelsOf(life, 'edge'),
            random: journalRandom,
            log,
            books,
            mayDie: () => time.now() < calm,
          })
      : undefined,
    isStored: (parcel, receivedAt) => pastFaults(() => isStored(db, parcel, receivedAt)),
    complain: (what) => complaints.push(what),
    gone: async (edgeId) => {
      const at = time.now()
      const statement = await pastFaults(() => shortcuts.lastBeat(edgeId, at))
      recording.push({ kind: 'presence', at: time.now(), statements: [statement] })
    },
  })
  const alertsRoles = ['alerts', 'second'].map((name) =>
    createAlertsRole({
      name,
      time,
      database: database(killed),
      channelsOf: staff.channelsOf,
      outage,
      log,
      signal,
      random: seededRandom(seed, name),
      note,
      looked: () => look(),
    }),
  )

  /** Asks the real database, in its turn. */
  async function pastFaults<T>(work: () => Promise<T>): Promise<T> {
    const release = await takeTurn()
    return await time.busy(work).finally(release)
  }
  const look = createLook({ seed, time, find: () => pastFaults(() => findDueWork(db)), roles: alertsRoles })

  schedule({
    plan,
    time,
    edge,
    alertsRoles,
    published,
    outage,
    maintenanceDatabase: (life) => database(none)(life, seededRandom(seed, 'maintenance')),
    note,
    look,
  })
  await time.runUntil(end)
  for (const role of alertsRoles) await role.stop(false)
  edge.kill()
  dashboard.kill()
  await time.runUntil(end + 1)
  giveBackTimers()
  for (const spans of [alertsDown, journalHeld]) spans.end(end)
  await rm(folder, { recursive: true, force: true })

  const stored = await readStored(db, end)
  // What a stand-in tells of may be an alert of another number in the end.
  const alertOfPage = new Map(stored.pages.map(({ pageId, alertId }) => [pageId, alertId]))
  const history: History = {
    start,
    end,
    published,
    sends: sends.map(({ sender, ...send }) => ({
      ...send,
      alertId: alertOfPage.get(send.pageId) ?? send.alertId,
      interrupted: wasInterrupted(send, sender, stored),
    })),
    actions: recording.flatMap((entry): Action[] => (entry.kind === 'action' ? [entry] : [])),
    homes: plan.homes.map(truthOf),
    roster: rosterOf(plan),
    policies: policiesOf(plan),
    alertsDown: alertsDown.spans,
    journalHeld: journalHeld.spans,
    outages: servers.outages,
    edges: edge.lives.map(({ bornAt, diedAt }) => ({ from: bornAt, to: diedAt ?? end })),
    hasJournal: servers.hasJournal,
    complaints,
    stored,
  }
  return { history, recording, events, hash: hash.digest('hex').slice(0, 16), log: lines }
}

const bringsArrivals = ({ kind }: Entry) => kind === 'readings' || kind === 'alarms'
