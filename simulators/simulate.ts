import { basename, resolve } from 'node:path'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import type { HomesCommand, RecordingCommand } from './arguments.js'
import { createGateway } from './gateway.js'
import { numberedHomes, recordedHome } from './numbered-homes.js'
import { playRecording, summaryLine } from './playback.js'
import { readRecording } from './recording.js'
import { createRunner, type Runner } from './runner.js'
import { scenarioTime } from './scenario-time.js'
import { createSimulatedClock } from './simulated-clock.js'
import type { Provision } from './simulated-home.js'

const progressMs = 30_000

type Dependencies = { provision: Provision; clock: Clock; log: Log; print: (line: string) => void; teardown: Teardown }

/** Provisions the homes of the command line and lets them live until the teardown runs. */
export async function simulateHomes(command: HomesCommand, dependencies: Dependencies): Promise<Runner> {
  const { provision, clock, log, print, teardown } = dependencies
  const { scenario: name, speed, timeZone, fromHours, affected, intervalS } = command
  const homes = numberedHomes(command)
  const known = await provision(homes)
  const now = clock.now().getTime()
  const { clockStart, scenarios } = scenarioTime({
    name,
    now,
    speed,
    timeZone,
    ...(fromHours === undefined ? {} : { fromHours }),
  })
  const runner = createRunner({
    homes: homes.map((home, index) => ({ ...home, scenarios: index < affected ? scenarios : [] })),
    from: clockStart,
    clock: speed > 1 ? createSimulatedClock({ clock, start: clockStart, speed }) : clock,
    url: command.mqtt,
    log,
    known,
    intervalS,
  })
  teardown.add('homes', () => runner.stop())
  runner.start()
  const timer = setInterval(() => log.info(runner.counters(), 'simulate.progress'), progressMs)
  teardown.add('progress', () => clearInterval(timer))
  const minutes = speed > 1 ? Math.ceil((now - clockStart) / (speed - 1) / 60_000) : 0
  print(
    [
      `${homes.length} homes live at ${command.mqtt} (${homes[0]!.gatewayId} ..), seed ${command.seed}`,
      `from ${new Date(clockStart).toISOString()}${speed > 1 ? ` at ${speed}x: caught up with the clock in ${minutes} min` : ''}`,
      ...scenarios.map(({ at }) => `${name} in ${affected} of them at ${new Date(at).toISOString()}`),
    ].join('; '),
  )
  return runner
}

/** Plays a recording until its end; resolves with the summary line. */
export async function simulateRecording(command: RecordingCommand, dependencies: Dependencies): Promise<string> {
  const { provision, clock, log, print, teardown } = dependencies
  const dir = resolve(command.dir)
  const name = basename(dir)
  const recording = await readRecording(dir)
  const home = recordedHome({ name, ...recording })
  await provision([home])
  const { gatewayId, secret, devices } = home
  const gateway = createGateway({ gatewayId, secret, url: command.mqtt, log })
  const stopped = new AbortController()
  teardown.add('gateway', () => gateway.stop())
  teardown.add('recording', () => stopped.abort())
  gateway.start()
  print(`recording ${name}: ${recording.rows} rows go to ${command.mqtt} as ${gatewayId}`)
  const { once } = command
  const summary = await playRecording({ dir, recording, gateway, devices, clock, once, signal: stopped.signal })
  return summaryLine(name, recording, summary)
}
