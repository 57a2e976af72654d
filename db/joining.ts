import type { Database, Queryable } from './pool.js'

/** The same database inside a transaction that has begun: what begins one inside joins it. */
export const joining = (db: Database, tx: Queryable): Database => ({
  query: tx.query.bind(tx) as Queryable['query'],
  transaction: (work) => work(tx),
  patiently: (work) => db.patiently(work),
  end: () => db.end(),
})
