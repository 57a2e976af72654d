import { expect, test } from 'vitest'
import { readArguments, usage } from './arguments.js'

const defaults = { mqtt: 'mqtt://127.0.0.1:1883', timeZone: 'Asia/Shanghai' }
const read = (line: string) => readArguments(line.split(' ').filter(Boolean), defaults)

test('homes with everything said, and with nothing said', () => {
  expect(read('--homes 50 --scenario fall --speed 60 --seed 7')).toEqual({
    command: 'homes',
    homes: 50,
    affected: 1,
    seed: 7,
    scenario: 'fall',
    speed: 60,
    fromHours: undefined,
    intervalS: 300,
    ...defaults,
  })
  expect(read('')).toMatchObject({ command: 'homes', homes: 12, seed: 1, speed: 1, scenario: undefined })
})

test('a simulated Zigbee2MQTT bridge', () => {
  expect(read('--zigbee2mqtt lotus-gw1 --secret s')).toEqual({
    command: 'zigbee2mqtt',
    gatewayId: 'lotus-gw1',
    secret: 's',
    baseTopic: 'v1/lotus-gw1',
    seed: 1,
    mqtt: defaults.mqtt,
  })
  expect(read('--zigbee2mqtt gw --secret s --base site/z2m --seed 7')).toMatchObject({ baseTopic: 'site/z2m', seed: 7 })
  for (const wrong of [
    '--zigbee2mqtt gw',
    '--zigbee2mqtt g/w --secret s',
    '--zigbee2mqtt gw --secret s --base a/#',
    '--base x',
  ])
    expect(read(wrong), wrong).toMatchObject({ command: 'wrong' })
})

test('a recording, an alarm by hand, help', () => {
  expect(read('--recording some/dir --once')).toEqual({
    command: 'recording',
    dir: 'some/dir',
    once: true,
    mqtt: defaults.mqtt,
  })
  expect(read('--smoke gw/dev --secret s --mqtt mqtts://host:8883')).toEqual({
    command: 'hand',
    what: 'smoke',
    gatewayId: 'gw',
    deviceId: 'dev',
    secret: 's',
    mqtt: 'mqtts://host:8883',
  })
  expect(read('--homes 3 --help')).toEqual({ command: 'help' })
  for (const option of ['homes', 'seed', 'scenario', 'speed', 'recording', 'once', 'press', 'mqtt'])
    expect(usage).toContain(`--${option}`)
})

test.each([
  ['--homes 0', '--homes 0'],
  ['--homes many', '--homes many'],
  ['--homes 2.5', '--homes 2.5'],
  ['--homes 3 --affected 4', '--affected 4'],
  ['--speed 0.5', '--speed 0.5'],
  ['--speed 1e9', '--speed 1e9'],
  ['--from -1', '--from'],
  ['--scenario earthquake', '--scenario earthquake'],
  ['--time-zone Mars/Base', '--time-zone Mars/Base'],
  ['--mqtt localhost', '--mqtt localhost'],
  ['--press gw --secret s', '--press gw'],
  ['--press gw/+/x --secret s', '--press gw/+/x'],
  ['--press gw/dev', '--secret'],
  ['--secret s', '--secret'],
  ['--once', '--once'],
  ['--recording', '--recording'],
  ['--nonsense', '--nonsense'],
  ['stray', 'stray'],
])('%s is refused in one line that names it', (line, named) => {
  const command = read(line)
  if (command.command !== 'wrong') return expect.fail(`taken as ${command.command}`)
  expect(command.line).toContain(named)
  expect(command.line).not.toContain('\n')
})
