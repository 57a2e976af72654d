import { parseArgs } from 'node:util'
import { idPattern } from '../ingest/contract.js'
import type { HandKind } from './hand.js'
import { type ScenarioName, scenarioNames } from './scenarios.js'

export const usage = `Simulated homes that speak MQTT to Shouwang.

  npm run simulate -- [--homes N] [--scenario NAME] [--speed S] [--seed N]
  npm run simulate -- --recording DIR [--once]
  npm run simulate -- --press GATEWAY/DEVICE --secret SECRET      (or --smoke, --gas)
  npm run simulate -- --zigbee2mqtt GATEWAY --secret SECRET [--base TOPIC] [--seed N]

Homes
  --homes N          how many homes live, 1 to 2000                       [12]
  --seed N           decides who lives there and what they do            [1]
  --scenario NAME    what goes wrong: ${scenarioNames.slice(0, 6).join(', ')},
                     ${scenarioNames.slice(6).join(', ')}
  --affected N       in how many of the homes, the first ones            [1]
  --speed S          the simulated clock starts in the past and runs S times as fast
                     until it meets the wall clock, 1 to 3600            [1]
  --from HOURS       how far in the past it starts                       [as the scenario needs]
                     (at --speed 1 that past is sent at once)
  --interval SECONDS how often meters at rest report, 10 to 3600         [300]
  --time-zone ZONE   where the homes are                                 [TZ_DEFAULT]

Recordings
  --recording DIR    plays home.json and readings.csv (epoch_s,kind,value), moved by whole
                     days so that they end now: the past as a backlog, the rest live
  --once             all of it is past: exits with a summary when it is acknowledged

By hand
  --press G/D        presses the button D of gateway G once
  --smoke G/D        raises a smoke alarm      --gas G/D   raises a gas alarm
  --secret SECRET    the gateway's secret

A Zigbee2MQTT bridge with ten devices, to be claimed on the pages; what it does is typed
  --zigbee2mqtt G    in the name of gateway G, registered with that dialect
  --base TOPIC       its base topic                                      [v1/GATEWAY]

  --mqtt URL         the broker                                          [mqtt://127.0.0.1:MQTT_PORT]
  --help             this text`

export type HomesCommand = {
  command: 'homes'
  homes: number
  affected: number
  seed: number
  scenario: ScenarioName | undefined
  speed: number
  fromHours: number | undefined
  intervalS: number
  timeZone: string
  mqtt: string
}
export type RecordingCommand = { command: 'recording'; dir: string; once: boolean; mqtt: string }
export type HandCommand = {
  command: 'hand'
  what: HandKind
  gatewayId: string
  deviceId: string
  secret: string
  mqtt: string
}
export type Zigbee2MqttCommand = {
  command: 'zigbee2mqtt'
  gatewayId: string
  secret: string
  baseTopic: string
  seed: number
  mqtt: string
}
export type Command =
  | HomesCommand
  | RecordingCommand
  | HandCommand
  | Zigbee2MqttCommand
  | { command: 'help' }
  | { command: 'wrong'; line: string }

class WrongArgument extends Error {}

const options = {
  homes: { type: 'string' },
  seed: { type: 'string' },
  scenario: { type: 'string' },
  affected: { type: 'string' },
  speed: { type: 'string' },
  from: { type: 'string' },
  interval: { type: 'string' },
  'time-zone': { type: 'string' },
  recording: { type: 'string' },
  once: { type: 'boolean' },
  press: { type: 'string' },
  smoke: { type: 'string' },
  gas: { type: 'string' },
  secret: { type: 'string' },
  zigbee2mqtt: { type: 'string' },
  base: { type: 'string' },
  mqtt: { type: 'string' },
  help: { type: 'boolean', short: 'h' },
} as const
type Values = Partial<Record<keyof typeof options, string | boolean>>

/** Reads the command line; whatever is wrong comes back as one line that names the argument. */
export function readArguments(argv: string[], defaults: { mqtt: string; timeZone: string }): Command {
  try {
    const { values } = parseArgs({ args: argv, options, strict: true, allowPositionals: false })
    return commandOf(values, defaults)
  } catch (error) {
    if (error instanceof WrongArgument) return { command: 'wrong', line: error.message }
    if (error instanceof TypeError && 'code' in error && String(error.code).startsWith('ERR_PARSE_ARGS'))
      return { command: 'wrong', line: error.message.split('. ')[0]!.replaceAll('\n', ' ') }
    throw error
  }
}

function commandOf(values: Values, defaults: { mqtt: string; timeZone: string }): Command {
  if (values.help) return { command: 'help' }
  const text = (name: keyof Values) => (values[name] === undefined ? undefined : String(values[name]))
  function number<Fallback>(name: keyof Values, fallback: Fallback, low: number, high: number, integer = true) {
    const given = text(name)
    if (given === undefined) return fallback
    const value = given.trim() === '' ? Number.NaN : Number(given)
    if (!(value >= low && value <= high) || (integer && !Number.isInteger(value)))
      throw new WrongArgument(
        `--${name} ${given}: give ${integer ? 'a whole number' : 'a number'} from ${low} to ${high}`,
      )
    return value
  }
  const mqtt = text('mqtt') ?? defaults.mqtt
  if (!/^(mqtts?|wss?):\/\/./.test(mqtt) || !URL.canParse(mqtt))
    throw new WrongArgument(`--mqtt ${mqtt}: give a URL such as mqtt://127.0.0.1:1883`)

  for (const [option, what] of [
    ['press', 'button'],
    ['smoke', 'smoke'],
    ['gas', 'gas'],
  ] as const) {
    const target = text(option)
    if (target === undefined) continue
    const [gatewayId = '', deviceId = '', ...more] = target.split('/')
    if (more.length > 0 || !idPattern.test(gatewayId) || !idPattern.test(deviceId))
      throw new WrongArgument(`--${option} ${target}: give GATEWAY/DEVICE`)
    const secret = text('secret')
    if (!secret) throw new WrongArgument(`--secret is missing: --${option} needs the secret of gateway ${gatewayId}`)
    return { command: 'hand', what, gatewayId, deviceId, secret, mqtt }
  }

  const bridge = text('zigbee2mqtt')
  if (bridge !== undefined) {
    const secret = text('secret')
    if (!idPattern.test(bridge)) throw new WrongArgument(`--zigbee2mqtt ${bridge}: give the id of a gateway`)
    if (!secret) throw new WrongArgument(`--secret is missing: --zigbee2mqtt needs the secret of gateway ${bridge}`)
    const baseTopic = text('base') ?? `v1/${bridge}`
    if (/[+#]|^$|\/$/.test(baseTopic)) throw new WrongArgument(`--base ${baseTopic}: give a topic without + and #`)
    return { command: 'zigbee2mqtt', gatewayId: bridge, secret, baseTopic, seed: number('seed', 1, 0, 2 ** 31), mqtt }
  }
  if (values.base !== undefined) throw new WrongArgument('--base goes with --zigbee2mqtt')

  const dir = text('recording')
  if (dir === '') throw new WrongArgument('--recording: give a directory')
  if (dir !== undefined) return { command: 'recording', dir, once: values.once === true, mqtt }
  if (values.once) throw new WrongArgument('--once goes with --recording')
  if (values.secret !== undefined)
    throw new WrongArgument('--secret goes with --press, --smoke, --gas or --zigbee2mqtt')

  const scenario = scenarioNames.find((name) => name === values.scenario)
  if (values.scenario !== undefined && !scenario)
    throw new WrongArgument(`--scenario ${values.scenario}: give one of ${scenarioNames.join(', ')}`)
  const homes = number('homes', 12, 1, 2_000)
  return {
    command: 'homes',
    homes,
    affected: number('affected', 1, 1, homes),
    seed: number('seed', 1, 0, 2 ** 31),
    scenario,
    speed: number('speed', 1, 1, 3_600, false),
    fromHours: number('from', undefined, 0, 24 * 400, false),
    intervalS: number('interval', 300, 10, 3_600),
    timeZone: zone(text('time-zone') ?? defaults.timeZone),
    mqtt,
  }
}

function zone(name: string): string {
  try {
    return new Intl.DateTimeFormat('en', { timeZone: name }).resolvedOptions().timeZone
  } catch {
    throw new WrongArgument(`--time-zone ${name}: not a known IANA time zone`)
  }
}
