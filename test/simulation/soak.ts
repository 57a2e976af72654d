import { parseArgs } from 'node:util'
import { startSimulationDatabase } from './database.js'
import { judgeSeed, lineOf } from './judge.js'

const usage = 'npm run soak -- [--minutes 30] [--seed N] [--homes 8] [--hours 120] [--log]'

/**
 * Runs seed after seed until the time is up; with `--seed` that one alone. Ends with a line of totals, and with code 1
 * when a guarantee was broken: the seeds are named, and each can be run again with the same homes and hours.
 */
async function soak(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string', default: '30' },
      seed: { type: 'string' },
      homes: { type: 'string', default: '8' },
      hours: { type: 'string', default: '120' },
      log: { type: 'boolean', default: false },
    },
  })
  const [minutes, homes, hours] = [values.minutes, values.homes, values.hours].map(Number) as [number, number, number]
  if (![minutes, homes, hours].every((n) => n > 0)) throw new Error(usage)
  const first = values.seed === undefined ? Math.floor(Math.random() * 1_000_000_000) : Number(values.seed)
  const database = await startSimulationDatabase()
  const begun = performance.now()
  const minutesSince = () => (performance.now() - begun) / 60_000
  const failed: number[] = []
  let [seeds, homeHours, readings, alerts] = [0, 0, 0, 0]
  try {
    for (let seed = first; seeds === 0 || (values.seed === undefined && minutesSince() < minutes); seed++) {
      const verdict = await judgeSeed(database.db, { seed, homes, hours, keepLog: values.log })
      seeds++
      homeHours += verdict.homeHours
      readings += verdict.run.history.published.length
      alerts += verdict.run.history.stored.alerts.length
      console.log(lineOf(seed, verdict))
      if (values.log) for (const line of verdict.run.log) console.log(line)
      for (const { guarantee, what } of verdict.violations) console.log(`  guarantee ${guarantee}: ${what}`)
      if (verdict.violations.length > 0) {
        failed.push(seed)
        console.log(`  again: npm run soak -- --seed ${seed} --homes ${homes} --hours ${hours}`)
      }
    }
  } finally {
    await database.stop()
  }
  const rate = Math.round(homeHours / minutesSince())
  const verdict = failed.length === 0 ? 'all guarantees held' : `BROKEN by seeds ${failed.join(', ')}`
  console.log(
    `${seeds} seeds, ${Math.round(homeHours)} home-hours (${rate} a minute), ${readings} readings, ${alerts} alerts: ${verdict}`,
  )
  return failed.length === 0 ? 0 : 1
}

process.exitCode = await soak().catch((error: Error) => {
  console.error(error.message)
  return 1
})
