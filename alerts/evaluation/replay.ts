import { parseArgs } from 'node:util'
import type { Decision } from '../model.js'
import { emptyState, foldInto } from '../rules/fold.js'
import { homesIn, partsOf } from './recordings.js'

const usage = 'usage: npm run replay -- DIR [--budget ALARMS_PER_MONTH] [--json]'
const partMax = 20_000
/** Alerts of the first 28 days are printed, and marked: the rules are still learning. */
const warmUpMs = 28 * 86_400_000

export type ReplayedAlert = {
  home: string
  rule: string
  openedAt: number
  silentSince: number | null
  warmUp: boolean
  en: string
  zh: string
}

/** `parts`: what was folded at a time, and the time of one core that it took. */
export type Replayed = {
  homes: number
  readings: number
  leftOut: number
  parts: { readings: number; cpuMs: number }[]
}

/** Readings folded in a second of one core: of all parts, and of the later half, when the code has been compiled. */
export function speedOf(parts: Replayed['parts']): { all: number; warm: number } {
  const perSecond = (some: Replayed['parts']) => {
    const sum = (pick: (part: Replayed['parts'][number]) => number) =>
      some.reduce((total, part) => total + pick(part), 0)
    return Math.round(
      (sum(({ readings }) => readings) /
        Math.max(
          1,
          sum(({ cpuMs }) => cpuMs),
        )) *
        1_000,
    )
  }
  return { all: perSecond(parts), warm: perSecond(parts.slice(parts.length >> 1)) }
}

/** Replays each home by the production rules; hands on each alert as it opens. Returns how much was replayed. */
export async function replay(
  folder: string,
  { alarmsPerMonth, onAlert }: { alarmsPerMonth: number; onAlert: (alert: ReplayedAlert) => void },
): Promise<Replayed> {
  const done: Replayed = { homes: 0, readings: 0, leftOut: 0, parts: [] }
  for (const home of homesIn(folder)) {
    const context = { timeZone: home.timeZone, alarmsPerMonth }
    const decisions: Decision[] = []
    const state = emptyState()
    let firstAt: number | null = null
    for (const { readings, leftOut } of partsOf(home, partMax)) {
      const begun = process.cpuUsage()
      foldInto(state, readings, readings.at(-1)?.receivedAt ?? 0, context, decisions)
      const { user, system } = process.cpuUsage(begun)
      done.parts.push({ readings: readings.length, cpuMs: (user + system) / 1_000 })
      done.readings += readings.length
      done.leftOut += leftOut
      firstAt ??= readings[0]?.receivedAt ?? null
    }
    done.homes += 1
    const learnedAt = (firstAt ?? 0) + warmUpMs
    for (const decision of decisions) {
      if (decision.type !== 'open') continue
      const { since } = decision.reason
      onAlert({
        home: home.name,
        rule: decision.kind,
        openedAt: Math.round(decision.openedAt / 1_000),
        silentSince: decision.kind.startsWith('silen') && typeof since === 'number' ? Math.round(since / 1_000) : null,
        warmUp: decision.openedAt < learnedAt,
        en: decision.headline.en,
        zh: decision.headline.zh,
      })
    }
  }
  return done
}

/** Reads `DIR [--budget N] [--json]`, a budget of 1 unless told; throws with one clear line on anything else. */
export function replayArgs(args: string[]): { folder: string; alarmsPerMonth: number; json: boolean } {
  const { values, positionals } = parseArgs({
    args,
    allowPositionals: true,
    options: { budget: { type: 'string', default: '1' }, json: { type: 'boolean', default: false } },
  })
  const [folder, ...rest] = positionals
  if (!folder || rest.length > 0) throw new Error(usage)
  const alarmsPerMonth = Number(values.budget)
  if (!(alarmsPerMonth > 0 && alarmsPerMonth <= 100)) throw new Error('--budget: alarms a month, above 0 and up to 100')
  return { folder, alarmsPerMonth, json: values.json }
}
