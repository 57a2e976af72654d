import type { QueryResult } from 'pg'
import type { Database, Queryable } from '../../db/pool.js'
import { chance, type Random, whole } from '../../simulators/random.js'
import { death, type Life, liveAs, outside } from './life.js'
import type { Shortcuts } from './shortcuts.js'
import type { VirtualTime } from './virtual-time.js'

export type Statement = { text: string; values: unknown[] }
/** As pg takes a statement: in two pieces or in one. */
export type QueryArguments = [text: string | Statement, values?: unknown[]]
export const statementOf = ([text, values = []]: QueryArguments): Statement =>
  typeof text === 'string' ? { text, values } : { text: text.text, values: text.values ?? [] }

/** One statement in so many is where the process is killed, or where its connection breaks. */
export type FaultRates = { statementsPerDeath: number; statementsPerLoss: number }

/** What is wrong with the database itself: until when it refuses everybody (epoch ms). */
export type Outage = { until: number }

const never = new Promise<never>(() => undefined)

/** One after the other, in the order in which they asked. */
export function createTurns() {
  let last: Promise<void> = Promise.resolve()
  return async (): Promise<() => void> => {
    const before = last
    let release: () => void = () => undefined
    last = new Promise((resolve) => {
      release = resolve
    })
    await before
    return release
  }
}

/**
 * The real database as one simulated process sees it. Statements take virtual milliseconds. At a statement that the
 * seed chooses the process dies, or its connection breaks, before or after the statement or the commit has taken effect;
 * a transaction that is under way is rolled back then. Statements outside of transactions and whole transactions run one
 * after the other, because the embedded database has one session for all.
 *
 * `committed` hears of what has taken effect, also when the process dies before it hears so itself.
 */
export function createFaultyDatabase({
  inner,
  time,
  life,
  random,
  rates,
  outage,
  takeTurn,
  committed,
  shortcuts,
}: {
  inner: Database
  time: VirtualTime
  life: Life
  random: Random
  rates: FaultRates
  outage: Outage
  takeTurn: ReturnType<typeof createTurns>
  committed: (statements: Statement[]) => Promise<void>
  shortcuts: Shortcuts
}): Database {
  function broken(what: string): Error {
    life.brokeAt.push(time.now())
    return Object.assign(new Error(what), { code: 'ECONNRESET' })
  }
  function mayBreak() {
    if (!life.alive) throw death
    if (time.now() < outage.until) throw broken('connect ECONNREFUSED')
    if (chance(random, 1 / rates.statementsPerDeath)) {
      life.kill()
      throw death
    }
    if (chance(random, 1 / rates.statementsPerLoss)) throw broken('Connection terminated unexpectedly')
  }
  const pause = () => Promise.race([time.sleep(whole(random, 0, 6)), life.died])

  async function run<R>(on: Queryable, statement: Statement): Promise<R> {
    mayBreak()
    const { text, values } = statement
    const result = await time.busy(() => on.query(text, values))
    // SQL leaves the order of claimed pages open; here the seed decides everything.
    if (text.includes('= due.page_id')) result.rows.sort(byPage)
    return result as R
  }

  /** A dead process hears nothing any more: not even that its statement failed. */
  async function inTurn<T>(work: () => Promise<T>): Promise<T> {
    const release = await takeTurn()
    try {
      const result = await work().finally(release)
      return life.alive ? result : await never
    } catch (error) {
      if (!life.alive) return await never
      throw error
    }
  }

  async function query(...statement: QueryArguments) {
    const sent = shortcuts.asSent(statementOf(statement))
    return await inTurn(async () => {
      await pause()
      const known = shortcuts.known(sent)
      if (known) {
        mayBreak()
        return known
      }
      const result = await run<QueryResult>(inner, sent)
      shortcuts.learn(sent, result.rows)
      await committed([sent])
      mayBreak()
      return result
    })
  }

  async function transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    return await inTurn(async () => {
      await pause()
      mayBreak()
      let statements: Statement[] = []
      const inside =
        (tx: Queryable) =>
        async (...statement: QueryArguments) => {
          const { text, values } = statementOf(statement)
          const answer = await run(tx, { text, values })
          statements.push({ text, values })
          return answer
        }
      let realWorkEnds = time.begin()
      const begun = outside(() =>
        inner.transaction(async (tx) => {
          statements = []
          realWorkEnds()
          try {
            const client = { query: inside(tx) as Queryable['query'] }
            const done = await Promise.race([liveAs(life, () => work(client)), life.died])
            await pause()
            mayBreak()
            return done
          } finally {
            realWorkEnds = time.begin()
          }
        }),
      )
      const result = await begun.finally(() => realWorkEnds())
      await committed(statements)
      mayBreak()
      return result
    })
  }

  const asQueryable = query as unknown as Queryable['query']
  return {
    query: asQueryable,
    transaction,
    patiently: (work) => work({ query: asQueryable }),
    end: async () => undefined,
  }
}

type PageRow = { alertId: number; round: number; step: number; staffId: string; position: number }
function byPage(a: PageRow, b: PageRow): number {
  const one = [a.alertId, a.round, a.step, a.position]
  const other = [b.alertId, b.round, b.step, b.position]
  const index = one.findIndex((value, i) => value !== other[i])
  return index < 0 ? a.staffId.localeCompare(b.staffId) : one[index]! - other[index]!
}
