import type { Database } from '../../db/pool.js'
import { createProcesses, eventually, freePort } from '../support/processes.js'
import type { Figure } from './figure.js'
import { median } from './scale-numbers.js'
import { makeDue } from './scale-people.js'
import { size } from './scale-size.js'

const onePercent = size.residents / 100

/** From the start of the alerts process to its being ready, and to the end of its first pass with 1 % due meanwhile. */
export async function measureRestart({
  db,
  url,
  rounds,
  part,
  print,
}: {
  db: Database
  url: string
  rounds: number
  part: string
  print: (line: string) => void
}): Promise<Figure[]> {
  const processes = createProcesses()
  const ready: number[] = []
  const caughtUp: number[] = []
  try {
    for (let round = 0; round < rounds; round++) {
      const first = 70_000 + round * onePercent
      await makeDue(db, { from: first, to: first + onePercent - 1, now: new Date() })
      const port = await freePort()
      const startedAt = performance.now()
      const since = () => performance.now() - startedAt
      const alerts = processes.start('alerts/main', {
        env: { DATABASE_URL: url, ALERTS_HTTP_PORT: String(port), LOG_LEVEL: 'warn' },
      })
      const isReady = () =>
        fetch(`http://127.0.0.1:${port}/readyz`).then(
          ({ ok }) => ok,
          () => false,
        )
      const nothingDue = async () => {
        const { rows } = await db.query<{ due: boolean }>(
          "select exists (select from resident_state where wake_at <= now() - interval '2 seconds') as due",
        )
        return !rows[0]!.due
      }
      const passed = eventually('the first pass', nothingDue, 60_000).then(since)
      await eventually('alerts to be ready', isReady, 60_000)
      ready.push(since())
      caughtUp.push(await passed)
      await alerts.end('SIGTERM')
    }
  } finally {
    await processes.stopAll()
  }
  const figure = (name: string, values: number[], note: string): Figure => {
    print(`  ${name}: ${median(values).toFixed(0)} ms, ${note}`)
    return { part, name, value: median(values), unit: 'ms', rounds: values, note }
  }
  return [
    figure('restart until ready', ready, 'from the start of the process'),
    figure('restart until the first pass is done, 1 % due', caughtUp, '1,000 homes fell silent while it was away'),
  ]
}
