import { secretOf } from './numbered-homes.js'
import { hash } from './random.js'
import type { Scenario, ScenarioName } from './scenarios.js'
import type { LiveHome, SimulatedHome } from './simulated-home.js'

/** What happens to a demo resident, relative to the start of the demo, in seconds; negative: it began before. */
export type DemoEvent = { scenario: ScenarioName; afterS: number; forS?: number }
export type DemoResident = {
  residentId: string
  /** Invented: 示例 means "sample". */
  name: string
  address: string
  phone: string
  /** Where each device hangs. */
  rooms: Partial<Record<keyof SimulatedHome['devices'], string>>
  events: readonly DemoEvent[]
  home: SimulatedHome
}
export type DemoCommunity = { communityId: string; name: string; timeZone: string; residents: readonly DemoResident[] }

const hourS = 3_600
/** In the past the readings arrived this long after they were measured. */
const onTheWayMs = 2_000

/** How often the meters of the demo report at rest while somebody watches; the history makes do with 300 s. */
export const demoIntervalS = 60
/** 12 h without use are full a minute after the start. */
const silentSinceS = -(12 * hourS - 60)
const silentReportS = 75
/** Until then nothing had come from that home for so long: what is older than that arrived only at the start. */
const silentUnheardS = 30 * 60
/** 2 h of a running tap are full 4 min after the start. */
const tapSinceS = -(2 * hourS - 240)

const cast: {
  name: string
  flat: string
  gateway: string
  without?: readonly ('smoke' | 'gas')[]
  events?: readonly DemoEvent[]
}[] = [
  {
    name: '示例·王奶奶 (Demo Grandma Wang)',
    flat: '1 号 101 室',
    gateway: '01',
    events: [{ scenario: 'button', afterS: 20 }],
  },
  {
    name: '示例·李爷爷 (Demo Grandpa Li)',
    flat: '1 号 102 室',
    gateway: '02',
    events: [{ scenario: 'silent', afterS: silentSinceS, forS: 38 * hourS }],
  },
  {
    name: '示例·赵奶奶 (Demo Grandma Zhao)',
    flat: '1 号 201 室',
    gateway: '03',
    events: [{ scenario: 'smoke', afterS: 180 }],
  },
  {
    name: '示例·陈爷爷 (Demo Grandpa Chen)',
    flat: '1 号 202 室',
    gateway: '04',
    events: [{ scenario: 'tap', afterS: tapSinceS, forS: 4 * hourS }],
  },
  { name: '示例·刘奶奶 (Demo Grandma Liu)', flat: '1 号 301 室', gateway: '05' },
  { name: '示例·周爷爷 (Demo Grandpa Zhou)', flat: '1 号 302 室', gateway: '06' },
  { name: '示例·孙奶奶 (Demo Grandma Sun)', flat: '2 号 101 室', gateway: '07' },
  { name: '示例·吴爷爷 (Demo Grandpa Wu)', flat: '2 号 102 室', gateway: '08', without: ['gas'] },
  { name: '示例·郑奶奶 (Demo Grandma Zheng)', flat: '2 号 201 室', gateway: '09' },
  { name: '示例·冯爷爷 (Demo Grandpa Feng)', flat: '2 号 202 室', gateway: '10', without: ['gas'] },
  // One gateway can serve a staircase.
  { name: '示例·何奶奶 (Demo Grandma He)', flat: '3 号 101 室', gateway: '11', without: ['smoke', 'gas'] },
  { name: '示例·高爷爷 (Demo Grandpa Gao)', flat: '3 号 102 室', gateway: '11', without: ['smoke', 'gas'] },
]

const roomOf = { water: '卫生间', electricity: '门厅', button: '卧室', smoke: '客厅', gas: '厨房' } as const

/**
 * The demo community: twelve residents who do not exist, what hangs in their homes, and what happens to them in the first
 * minutes. Plain data: the same in every process, but for the zone and the secrets that are handed in.
 */
export function demoCommunity({
  timeZone,
  gatewaySecret = (gatewayId) => secretOf('demo', gatewayId),
}: {
  timeZone: string
  gatewaySecret?: (gatewayId: string) => string
}): DemoCommunity {
  const residents = cast.map(({ name, flat, gateway, without = [], events = [] }, index): DemoResident => {
    const number = String(index + 1).padStart(2, '0')
    const gatewayId = `demo-gw-${gateway}`
    const kinds = (['water', 'electricity', 'button', 'smoke', 'gas'] as const).filter(
      (kind) => !without.some((missing) => missing === kind),
    )
    return {
      residentId: `demo-${number}`,
      name,
      address: `示例路 ${flat}`,
      phone: `000-0000-00${number}`,
      rooms: Object.fromEntries(kinds.map((kind) => [kind, roomOf[kind]])),
      events,
      home: {
        gatewayId,
        secret: gatewaySecret(gatewayId),
        residentSeed: hash('demo', number),
        timeZone,
        devices: Object.fromEntries(kinds.map((kind) => [kind, `demo-${number}-${kind}`])),
      },
    }
  })
  return { communityId: 'demo', name: '示例社区 (Demo community)', timeZone, residents }
}

/** The scenarios of a resident's events for a demo that starts at `startedAt`, epoch milliseconds. */
export const scenariosOf = (resident: DemoResident, startedAt: number): Scenario[] =>
  resident.events.map(({ scenario, afterS, forS }) => {
    const at = startedAt + afterS * 1_000
    return { name: scenario, at, ...(forS === undefined ? {} : { until: at + forS * 1_000 }) }
  })

/**
 * The demo's homes for `demoHistory` and the runner, with what happens in them when the demo starts at `startedAt`
 * (epoch ms). Silence is judged where the power meter's five minutes end: in the silent home that is 75 s after the start.
 */
export const demoHomes = (community: DemoCommunity, startedAt: number): LiveHome[] =>
  community.residents.map((resident) => ({
    ...resident.home,
    scenarios: scenariosOf(resident, startedAt),
    ...(resident.events.some(({ scenario }) => scenario === 'silent')
      ? { phaseS: Math.floor(startedAt / 1_000) + silentReportS }
      : {}),
  }))

/**
 * When a reading of the past arrived (epoch ms) at a demo that starts at `startedAt`; null: not before the demo lives. What
 * the silent home measured since its silence began comes late: told in time, the line of that resident would have been
 * crossed hours before anybody watched, at an hour that depends on when the demo is started.
 */
export function arrivedAt({ scenarios }: LiveHome, observedAt: number, startedAt: number): number | null {
  const silent = scenarios.find(({ name }) => name === 'silent')
  if (silent && observedAt > startedAt - silentUnheardS * 1_000) return null
  return silent && observedAt > silent.at ? startedAt : Math.min(startedAt, observedAt + onTheWayMs)
}
