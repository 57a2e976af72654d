import type { Queryable } from './pool.js'

/** Keeps by which rules silence is judged from now on: false alarms a month, or null for the fixed rules alone. */
export async function keepSilenceBudget(
  db: Queryable,
  { alarmsPerMonth, now }: { alarmsPerMonth: number | null; now: Date },
): Promise<void> {
  await db.query(
    `insert into silence_budget (alarms_per_month, set_at) values ($1, $2)
     on conflict (only_one) do update set alarms_per_month = excluded.alarms_per_month, set_at = excluded.set_at`,
    [alarmsPerMonth, now],
  )
}

/** What was kept; null for the fixed rules alone, and before anybody judged. */
export async function findSilenceBudget(db: Queryable): Promise<number | null> {
  const { rows } = await db.query<{ budget: number | null }>(
    'select alarms_per_month::float8 as budget from silence_budget',
  )
  const budget = rows[0]?.budget ?? null
  // A real number has seven digits: 0.2 is 0.2 again.
  return budget === null ? null : Math.round(budget * 1_000) / 1_000
}
