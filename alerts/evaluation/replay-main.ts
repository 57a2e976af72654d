import { replay, replayArgs, speedOf } from './replay.js'

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
  const { all, warm } = speedOf(done.parts)
  process.stderr.write(
    `${done.homes} homes, ${done.readings} readings (${done.leftOut} lines left out), ${all} readings/s of one core, ${warm} in the later half\n`,
  )
} catch (error) {
  process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
