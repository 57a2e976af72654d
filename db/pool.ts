import pg from 'pg'
import type { Log } from '../kit/log.js'

/** Anything that takes a statement: the pool, or one client inside a transaction. */
export type Queryable = Pick<pg.PoolClient, 'query'>
export type Database = Queryable & {
  /** Runs `work` in one transaction; commits when it resolves, rolls back and rethrows when it rejects. */
  transaction<T>(work: (tx: Queryable) => Promise<T>): Promise<T>
  end(): Promise<void>
}

const parsers = new Map<number, (text: string) => unknown>([[pg.types.builtins.INT8, Number]])

/**
 * A pool of connections. bigint arrives as number (our ids stay far below 2^53), timestamptz as Date.
 * `statementMsMax` bounds each statement on the client's side too: a hanging statement is an error, not a hang.
 */
export function openDatabase({
  url,
  log,
  connectionsMax = 8,
  statementMsMax = 15_000,
}: {
  url: string
  log: Log
  connectionsMax?: number
  statementMsMax?: number
}): Database {
  const pool = new pg.Pool({
    connectionString: url,
    max: connectionsMax,
    statement_timeout: statementMsMax,
    query_timeout: statementMsMax + 1_000,
    connectionTimeoutMillis: 5_000,
    idleTimeoutMillis: 60_000,
    application_name: 'shouwang',
    types: {
      getTypeParser: ((oid: number, format?: 'text') =>
        parsers.get(oid) ?? pg.types.getTypeParser(oid, format)) as typeof pg.types.getTypeParser,
    },
  })
  pool.on('error', (error) => log.warn({ error: error.message }, 'database.connectionLost'))
  return {
    query: pool.query.bind(pool) as Queryable['query'],
    transaction: async (work) => {
      const client = await pool.connect()
      let broken: Error | undefined
      try {
        await client.query('begin')
        const result = await work(client)
        await client.query('commit')
        return result
      } catch (error) {
        await client.query('rollback').catch((rollbackError: Error) => {
          broken = rollbackError
        })
        throw error
      } finally {
        client.release(broken)
      }
    },
    end: () => pool.end(),
  }
}
