import type { Database } from '../../db/pool.js'
import { seededRandom } from '../../simulators/random.js'
import { checkFallback } from './check-fallback.js'
import { checkPaging } from './check-paging.js'
import { checkReadings } from './check-readings.js'
import { checkReplay } from './check-replay.js'
import { checkSilence } from './check-silence.js'
import type { Published, Send, Violation } from './history.js'
import { hourMs, planOf } from './plan.js'
import { replay } from './replay.js'
import { type Run, simulate } from './simulate.js'

export type Verdict = { run: Run; violations: Violation[]; homeHours: number; seconds: number }

/** Runs one seed and holds what happened against guarantees 1, 2, 3 and 7. */
export async function judgeSeed(
  db: Database,
  { seed, homes, hours, keepLog = false }: { seed: number; homes: number; hours: number; keepLog?: boolean },
): Promise<Verdict> {
  const begun = performance.now()
  const plan = planOf({ seed, homes, hours })
  const run = await simulate(db, plan, { keepLog })
  const { history, recording } = run
  const original = history.stored
  const again = await replay(db, { plan, recording, original, random: seededRandom(seed, 'replay') })
  const violations = [
    ...checkReadings(history),
    ...checkPaging(history),
    ...checkFallback(history),
    ...checkSilence(history),
    ...checkReplay(original, again),
  ]
  const homeHours = (homes * (plan.end - plan.start)) / hourMs
  return { run, violations, homeHours, seconds: (performance.now() - begun) / 1_000 }
}

/** What a run did, in one line. */
export function lineOf(seed: number, { run, violations, homeHours, seconds }: Verdict): string {
  const { published, sends, stored, hasJournal } = run.history
  return [
    `seed ${seed}: ${Math.round(homeHours)} home-hours in ${seconds.toFixed(1)} s`,
    `${published.length} readings, ${stored.alerts.length} alerts, ${sends.length} sends${hasJournal ? `, ${keptOf(published)} readings and ${byEdge(sends)} sends by the journal` : ''}`,
    `${run.events} events ${run.hash}`,
    violations.length === 0 ? 'all guarantees held' : `${violations.length} VIOLATIONS`,
  ].join('; ')
}

const keptOf = (published: Published[]) => published.filter(({ keptAt }) => keptAt !== undefined).length
const byEdge = (sends: Send[]) => sends.filter(({ by }) => by === 'edge').length
