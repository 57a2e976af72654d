import type { EpochMs } from '../../alerts/model.js'
import type { ReadingKind } from '../../ingest/contract.js'
import { chance, hash, type Random, seededRandom, whole } from '../../simulators/random.js'
import type { Scenario } from '../../simulators/scenarios.js'
import type { LiveHome } from '../../simulators/simulated-home.js'
import type { Span } from './history.js'
import { type CommunityPlan, planCommunity } from './plan-community.js'
import { instants, lengthOfOutage, spans } from './plan-times.js'

export const secondMs = 1_000
export const minuteMs = 60_000
export const hourMs = 3_600_000

/** What the seed has in store for one home. */
export type HomePlan = {
  residentId: string
  gatewayId: string
  home: LiveHome
  intervalS: number
  /** Water is told on the grid of the interval alone, as by a meter that is read by radio. */
  gridOnly: boolean
  /** The line is down. */
  offline: Span[]
  /** The gateway has no power: what is measured then is lost, and what it had in memory. */
  powerCuts: Span[]
  /** The gateway loses power for a moment; `keeps`: its buffer is on flash. */
  crashes: { at: EpochMs; keeps: boolean }[]
  /** From `at` on the clock of the gateway is `aheadMs` off. */
  clock: { at: EpochMs; aheadMs: number }[]
  /** How bad the network is: the share of packets and acknowledgements lost, of packets doubled. */
  lossShare: number
  doubleShare: number
}

/** What the seed has in store for the servers. */
export type ServerPlan = {
  /** The edge has a journal, and pages by itself while the database is away. */
  hasJournal: boolean
  outages: Span[]
  edgeKills: EpochMs[]
  alertsKills: EpochMs[]
  /** When a second alerts process runs beside the first. */
  secondAlerts: Span[]
}

export type Plan = {
  seed: number
  start: EpochMs
  /** Faults end here; what follows is time to drain. */
  calm: EpochMs
  end: EpochMs
  homes: HomePlan[]
  servers: ServerPlan
  community: CommunityPlan
}

/** After the faults, so long everything has to come to rest. */
const drainMs = 2 * hourMs
const kinds: ReadingKind[] = ['water', 'electricity', 'button', 'smoke', 'gas']

/** Everything that a seed decides beforehand. */
export function planOf({ seed, homes, hours }: { seed: number; homes: number; hours: number }): Plan {
  const random = seededRandom(seed, 'plan')
  // Within 60 days: so that the clocks of some zones change now and then.
  const start = Date.UTC(2026, 2, 1) + whole(random, 0, 60 * 24) * hourMs
  const calm = start + hours * hourMs
  // The meters of one building report in the same minute, as far as they are read by one system.
  const phaseS = whole(random, 0, 3_600)
  const hasJournal = chance(seededRandom(seed, 'journal'), 0.6)
  const outages = spans(random, {
    start,
    calm,
    everyMs: (hasJournal ? 8 : 30) * hourMs,
    lengthMs: () => lengthOfOutage(random),
  })
  return {
    seed,
    start,
    calm,
    end: calm + drainMs,
    community: planCommunity({ seed, homes }),
    homes: Array.from({ length: homes }, (_, index) =>
      planHome({ seed, index, start, calm, phaseS, outages, random: seededRandom(seed, index, 'home') }),
    ),
    servers: {
      hasJournal,
      outages,
      edgeKills: [
        ...instants(random, { start, calm, everyMs: 18 * hourMs }),
        // While it is away, or just when it is back.
        ...outages.flatMap(({ from, to }) => (chance(random, 0.3) ? [whole(random, from, to + 5 * secondMs)] : [])),
      ],
      alertsKills: instants(random, { start, calm, everyMs: 12 * hourMs }),
      secondAlerts: spans(random, {
        start,
        calm,
        everyMs: 20 * hourMs,
        lengthMs: () => whole(random, 1, 300) * minuteMs,
      }),
    },
  }
}

function planHome(p: {
  seed: number
  index: number
  start: EpochMs
  calm: EpochMs
  phaseS: number
  outages: Span[]
  random: Random
}): HomePlan {
  const { seed, index, start, calm, random } = p
  const id = `s-${index + 1}`
  const intervalS = [900, 1_800, 3_600, 3_600][whole(random, 0, 3)]!
  // One home in six has only a button and alarms: nothing but the connection tells that it is there.
  const own = index % 6 === 5 ? kinds.slice(2) : kinds
  const timeZone = ['Asia/Shanghai', 'Asia/Shanghai', 'Europe/Berlin', 'America/New_York'][whole(random, 0, 3)]!
  const reliable = chance(random, 0.4)
  return {
    residentId: id,
    gatewayId: id,
    home: {
      gatewayId: id,
      secret: 'none',
      residentSeed: hash(seed, index, 'resident'),
      timeZone,
      devices: Object.fromEntries(own.map((kind) => [kind, `${id}-${kind}`])),
      scenarios: scenariosOf(random, { start, calm, outages: p.outages }),
      phaseS: p.phaseS + whole(random, 0, 2),
    },
    intervalS,
    gridOnly: index % 5 !== 4,
    offline: reliable
      ? []
      : spans(random, { start, calm, everyMs: 40 * hourMs, lengthMs: () => lengthOfOutage(random) * 3 }),
    powerCuts: spans(random, {
      start,
      calm,
      everyMs: 36 * hourMs,
      lengthMs: () => whole(random, 10, 420) * minuteMs,
    }),
    crashes: instants(random, { start, calm, everyMs: 50 * hourMs }).map((at) => ({ at, keeps: chance(random, 0.5) })),
    clock: reliable ? [] : clockOf(random, { start, calm }),
    lossShare: [0, 0.01, 0.05, 0.2][whole(random, 0, 3)]!,
    doubleShare: [0, 0.01, 0.05][whole(random, 0, 2)]!,
  }
}

type Disturbed = { start: EpochMs; calm: EpochMs; outages: Span[] }

function scenariosOf(random: Random, { start, calm, outages }: Disturbed): Scenario[] {
  const scenarios: Scenario[] = []
  for (const at of instants(random, { start, calm, everyMs: 60 * hourMs }))
    scenarios.push({ name: 'silent', at, until: at + whole(random, 6, 40) * hourMs })
  for (const at of instants(random, { start, calm, everyMs: 80 * hourMs }))
    scenarios.push({ name: 'tap', at, until: at + whole(random, 1, 5) * hourMs })
  for (const name of ['button', 'smoke', 'gas'] as const)
    for (const at of instants(random, { start, calm, everyMs: (name === 'button' ? 40 : 90) * hourMs }))
      scenarios.push({ name, at })
  // Shortly before the database goes away, while it is, or when it comes back.
  for (const { from, to } of outages)
    if (chance(random, 0.5)) {
      const name = (['button', 'button', 'smoke', 'gas'] as const)[whole(random, 0, 3)]!
      const around = chance(random, 0.3) ? to : from
      const at = chance(random, 0.5) ? whole(random, from, to) : around + whole(random, -3, 3) * secondMs
      scenarios.push({ name, at: Math.ceil(at / secondMs) * secondMs })
    }
  if (chance(random, 0.2)) scenarios.push({ name: 'battery', at: start + whole(random, 0, 24) * hourMs })
  return scenarios
}

/** A clock that is right, drifts off, jumps by an hour, or falls back to the date of its firmware, and is set again. */
function clockOf(random: Random, { start, calm }: { start: EpochMs; calm: EpochMs }): HomePlan['clock'] {
  return spans(random, {
    start,
    calm,
    everyMs: 50 * hourMs,
    lengthMs: () => whole(random, 10, 600) * minuteMs,
  }).flatMap(({ from, to }) => {
    const jump = whole(random, 1, 3_599_999)
    const aheadMs = [jump, -jump, hourMs + jump, -hourMs - jump, Date.UTC(2000, 0, 1) - from, 40 * hourMs][
      whole(random, 0, 5)
    ]!
    return [
      { at: from, aheadMs },
      { at: to, aheadMs: whole(random, -2_000, 2_000) },
    ]
  })
}

export const clockAheadMs = (clock: HomePlan['clock'], at: EpochMs): number =>
  clock.findLast((change) => change.at <= at)?.aheadMs ?? 0
