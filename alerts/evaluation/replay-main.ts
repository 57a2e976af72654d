import { replay, replayArgs } from './replay.js'

try {
  const { folder, alarmsPerMonth, json } = replayArgs(process.argv.slice(2))
  const done = await replay(folder, {
    alarmsPerMonth,
    onAlert: (alert) => {
      const { home, rule, openedAt, silentSince, warmUp, en, zh } = alert
      const line = [home, rule, openedAt, silentSince ?? '-', warmUp ? 'warm-up' : 'counted', en, zh].join('\t')
      process.stdout.write(`${json ? JSON.stringify(alert) : line}\n`)
    },
  })
  const perSecond = Math.round((done.readings / done.cpuMs) * 1_000)
  process.stderr.write(
    `${done.homes} homes, ${done.readings} readings (${done.leftOut} lines left out), ${perSecond} readings/s of one core\n`,
  )
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
