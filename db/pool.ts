import pg from 'pg'
import type { Log } from '../kit/log.js'
import { waitAtMost } from '../kit/wait-at-most.js'
import { within } from '../kit/within.js'

/** Anything that takes a statement: the pool, or one client inside a transaction. */
export type Queryable = Pick<pg.PoolClient, 'query'>
export type Database = Queryable & {
  /**
   * Runs `work` in one transaction; commits when it resolves, rolls back and rethrows when it rejects. After a deadlock
   * it is run once more. Past `msMax` its connection is cut, which undoes it unless its commit was on the way already.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>, options?: { msMax?: number }): Promise<T>
  /** Runs `work` on a connection of its own, whose statements may take half an hour: for what is done at night. */
  patiently<T>(work: (client: Queryable) => Promise<T>): Promise<T>
  end(): Promise<void>
}

const parsers = new Map<number, (text: string) => unknown>([[pg.types.builtins.INT8, Number]])

/** What a lost client may hold its locks for, and what one statement may wait for a lock that somebody else holds. */
const idleInTransactionMsMax = 10_000
const connectMsMax = 5_000
/** Each statement has its own deadline, far below. */
const transactionMsMax = 30 * 60_000
const longStatementMsMax = 30 * 60_000

/** Deadlock and serialisation failure: the server undid the transaction, and doing it again is right. */
const isWorthAgain = (error: unknown) => ['40P01', '40001'].includes(String((error as { code?: unknown }).code))
/** What waits for an answer on the connection fails at once; the server undoes what was begun. */
const cut = (client: pg.PoolClient) => {
  const { connection } = client as unknown as { connection: { stream: { destroy(): void } } }
  connection.stream.destroy()
}
const isFromServer = (error: unknown) => /^[0-9A-Z]{5}$/.test(String((error as { code?: unknown }).code ?? ''))

/**
 * A pool of connections. bigint arrives as number (our ids stay far below 2^53), timestamptz as Date.
 * `statementMsMax` bounds each statement on the client's side too: a hanging statement is an error, not a hang.
 */
export function openDatabase({
  url,
  log,
  connectionsMax = 8,
  statementMsMax = 8_000,
}: {
  url: string
  log: Log
  connectionsMax?: number
  statementMsMax?: number
}): Database {
  const shared = {
    connectionString: url,
    connectionTimeoutMillis: connectMsMax,
    keepAlive: true,
    application_name: 'shouwang',
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        parsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  }
  const pool = new pg.Pool({
    ...shared,
    max: connectionsMax,
    statement_timeout: statementMsMax,
    query_timeout: statementMsMax + 1_000,
    idle_in_transaction_session_timeout: idleInTransactionMsMax,
    idleTimeoutMillis: 60_000,
  })
  pool.on('error', (error) => log.warn({ error: error.message }, 'database.connectionLost'))

  async function once<T>(work: (tx: Queryable) => Promise<T>, msMax: number): Promise<T> {
    const endsAt = performance.now() + msMax
    const client = await connect(msMax)
    let broken: Error | undefined
    // A connection that is lost between two statements says so in an event; unheard it would end the process.
    const lost = (error: Error) => {
      broken = error
    }
    client.on('error', lost)
    const stopWaiting = msMax < transactionMsMax ? waitAtMost(endsAt - performance.now(), () => cut(client)) : () => {}
    try {
      await client.query('begin')
      const result = await work(client)
      await client.query('commit')
      return result
    } catch (error) {
      // On a connection that does not answer, a rollback would only wait once more; the server undoes what was begun.
      if (isFromServer(error)) await client.query('rollback').catch(lost)
      else lost(error as Error)
      throw error
    } finally {
      stopWaiting()
      client.off('error', lost)
      client.release(broken)
    }
  }
  /** A connection from the pool within `msMax`; one that comes later goes back unused. */
  async function connect(msMax: number) {
    if (msMax >= transactionMsMax) return pool.connect()
    let late = false
    const connecting = pool.connect()
    connecting.then(
      (client) => late && client.release(),
      () => undefined,
    )
    return within(msMax, connecting).catch((error) => {
      late = true
      throw error
    })
  }

  return {
    query: pool.query.bind(pool) as Queryable['query'],
    transaction: (work, { msMax = transactionMsMax } = {}) =>
      once(work, msMax).catch((error) => (isWorthAgain(error) ? once(work, msMax) : Promise.reject(error))),
    patiently: async (work) => {
      const client = new pg.Client({ ...shared, statement_timeout: longStatementMsMax })
      client.on('error', (error) => log.warn({ error: error.message }, 'database.connectionLost'))
      await client.connect()
      try {
        return await work(client)
      } finally {
        await client.end()
      }
    },
    end: () => pool.end(),
  }
}
