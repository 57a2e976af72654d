import type { Clock } from '../kit/clock.js'
import { runProcess } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import { readArguments, usage } from './arguments.js'
import { raiseByHand } from './hand.js'
import { simulateHomes, simulateRecording } from './simulate.js'
import type { Provision } from './simulated-home.js'
import { playZigbee2Mqtt } from './zigbee2mqtt-play.js'

/**
 * The whole command: reads the arguments and does what they say. Ends the process with 2 for a wrong argument, with 1
 * for what could not be done, with 0 when there is nothing left to do; homes and live recordings go on until a signal.
 */
export async function runSimulators({
  argv,
  defaults,
  provision,
  clock,
  log,
}: {
  argv: string[]
  defaults: { mqtt: string; timeZone: string }
  provision: Provision
  clock: Clock
  log: Log
}): Promise<void> {
  const print = (line: string) => console.log(line)
  const command = readArguments(argv, defaults)
  switch (command.command) {
    case 'help':
      return print(usage)
    case 'wrong':
      console.error(`simulate: ${command.line}`)
      process.exitCode = 2
      return
    case 'hand': {
      const { gatewayId, what } = command
      const outcome = await raiseByHand({ ...command, url: command.mqtt, clock })
      if (outcome.kind === 'safe')
        return print(`${what} of ${gatewayId} is safe after ${outcome.ms} ms: ${outcome.topic}`)
      console.error(`simulate: ${what} of ${gatewayId} at ${command.mqtt}: ${outcome.reason}`)
      process.exitCode = 1
      return
    }
    case 'zigbee2mqtt':
      return runProcess({
        log,
        start: (teardown) => playZigbee2Mqtt(command, { clock, log, print, teardown, lines: process.stdin }),
      })
    case 'homes':
      return runProcess({
        log,
        start: async (teardown) => void (await simulateHomes(command, { provision, clock, log, print, teardown })),
      })
    case 'recording':
      return runProcess({
        log,
        start: async (teardown) => {
          print(await simulateRecording(command, { provision, clock, log, print, teardown }))
          await teardown.run()
          process.exit(0)
        },
      })
  }
}
