import pg from 'pg'
import type { Log } from '../kit/log.js'

/** Anything that takes a statement: the pool, or one client inside a transaction. */
export type Queryable = Pick<pg.PoolClient, 'query'>
export type Database = Queryable & {
  /**
   * Runs `work` in one transaction; commits when it resolves, rolls back and rethrows when it rejects. After a deadlock
   * it is run once more.
   */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  /** Runs `work` on a connection of its own, whose statements may take half an hour: for what is done at night. */
  patiently<T>(work: (client: Queryable) => Promise<T>): Promise<T>
  end(): Promise<void>
}

const parsers = new Map<number, (text: string) => unknown>([[pg.types.builtins.INT8, Number]])

/** What a lost client may hold its locks for, and what one statement may wait for a lock that somebody else holds. */
const idleInTransactionMsMax = 10_000
const connectMsMax = 5_000
const longStatementMsMax = 30 * 60_000

/** Deadlock and serialisation failure: the server undid the transaction, and doing it again is right. */
const isWorthAgain = (error: unknown) => ['40P01', '40001'].includes(String((error as { code?: unknown }).code))
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

  async function once<T>(work: (tx: Queryable) => Promise<T>): Promise<T> {
    const client = await pool.connect()
    let broken: Error | undefined
    // A connection that is lost between two statements says so in an event; unheard it would end the process.
    const lost = (error: Error) => {
      broken = error
    }
    client.on('error', lost)
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
      client.off('error', lost)
      client.release(broken)
    }
  }

  return {
    query: pool.query.bind(pool) as Queryable['query'],
    transaction: (work) => once(work).catch((error) => (isWorthAgain(error) ? once(work) : Promise.reject(error))),
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
