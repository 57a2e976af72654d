import { createEscalator } from '../../alerts/escalate-due.js'
import { createArrivalFolder } from '../../alerts/fold-arrivals.js'
import { claimPages } from '../../db/pages.js'
import type { Database } from '../../db/pool.js'
import { systemClock as clock } from '../../kit/clock.js'
import type { Log } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'
import type { Figure } from './figure.js'
import { median } from './scale-numbers.js'
import { makeDue } from './scale-people.js'
import { measureRestart } from './scale-restart.js'
import { size } from './scale-size.js'

const part = 'alerts, 100,000 residents'
const onePercent = size.residents / 100
const idlePasses = 20

type Part = { db: Database; url: string; rounds: number; log: Log; print: (line: string) => void }

/** One pass over everything that may be due, with nothing due and with 1 % of the residents due, and a restart. */
export async function measureAlerts({ db, url, rounds, log, print }: Part): Promise<Figure[]> {
  const shared = { db, clock, log, signal: createSignal() }
  const fold = createArrivalFolder(shared)
  const escalate = createEscalator(shared)
  const claim = async () => {
    const limits = {
      now: clock.now(),
      leaseMs: 15_000,
      pagesMax: 128,
      perLineMax: 8,
      linesMax: 128,
      lineMax: new Map(),
    }
    const emergencies = await claimPages(db, { ...limits, of: 'emergencies' })
    return [...emergencies, ...(await claimPages(db, { ...limits, of: 'others' }))]
  }
  const pass = async () => {
    while ((await fold()) === 'more');
    while ((await escalate()) === 'more');
    return claim()
  }

  const figures: Figure[] = []
  const measured = (name: string, values: number[], unit: string, note: string) => {
    print(`  ${name}: ${median(values).toFixed(1)} ${unit}, ${note}`)
    figures.push({ part, name, value: median(values), unit, rounds: values, note })
  }
  await settle(db)
  await pass()
  const idle = await repeat(rounds, async () => median(await repeat(idlePasses, () => timed(pass))))
  measured('due-work pass, nothing due', idle, 'ms', 'rules, escalation and outbox, one after the other; goal ≤ 50 ms')

  const due: number[] = []
  for (let round = 0; round < rounds; round++) {
    await makeDue(db, { from: 1 + round * onePercent, to: (round + 1) * onePercent, now: clock.now() })
    due.push(await timed(pass))
  }
  const found = await openedSince(db, 'gateway_offline')
  measured(
    'due-work pass, 1 % due',
    due,
    'ms',
    `1,000 homes fell silent, ${found} notices opened in all; goal ≤ 2,000 ms`,
  )

  const steps: number[] = []
  for (let round = 0; round < rounds; round++) {
    await openDueAlerts(db, { from: 50_000 + round * onePercent })
    steps.push(await timed(pass))
    await settle(db)
  }
  measured(
    'due-work pass, 1 % with a step of escalation due',
    steps,
    'ms',
    '1,000 steps taken, each with its pages; goal ≤ 2,000 ms',
  )

  return [...figures, ...(await measureRestart({ db, url, rounds, part, print }))]
}

const repeat = async <T>(times: number, work: () => Promise<T>) => {
  const results: T[] = []
  for (let i = 0; i < times; i++) results.push(await work())
  return results
}

async function timed(work: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now()
  await work()
  return performance.now() - startedAt
}

/** Nothing is due and nothing waits to be sent: what a round left open is put off. */
export async function settle(db: Database): Promise<void> {
  await db.query("update pages set status = 'cancelled' where status = 'pending'")
  await db.query("update alerts set due_at = now() + interval '3 hours' where due_at < now() + interval '2 hours'")
}

const openedSince = async (db: Database, kind: string) =>
  (
    await db.query<{ n: number }>(
      `select count(*)::int as n from alerts where kind = $1 and opened_at > now() - interval '2 hours' and reason <> '{}'`,
      [kind],
    )
  ).rows[0]!.n

/** 1,000 open alerts whose second step is due. */
async function openDueAlerts(db: Database, { from }: { from: number }): Promise<void> {
  await db.query(
    `insert into alerts (resident_id, community_id, kind, severity, opened_at, observed_at, headline_zh, headline_en, step, due_at)
     select resident_id, community_id, 'silent_12h', 'urgent', now() - interval '15 minutes', now() - interval '15 minutes', '示例', 'Invented',
            1, now() - interval '1 second'
       from residents where resident_id between 'r' || lpad($1::int::text, 6, '0') and 'r' || lpad(($1::int + ${onePercent - 1})::text, 6, '0')
     on conflict do nothing`,
    [from],
  )
}
