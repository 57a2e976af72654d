import { afterEach, expect, test, vi } from 'vitest'
import { systemClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { runSimulators } from './process.js'
import { startTestBroker } from './test-broker.js'

const log = createLog({ role: 'test', level: 'silent' })
afterEach(() => {
  process.exitCode = undefined
  vi.restoreAllMocks()
})

/** What a command that ends by itself prints, and its exit code. */
async function run(mqtt: string, ...argv: string[]) {
  const out = vi.spyOn(console, 'log').mockImplementation(() => undefined)
  const err = vi.spyOn(console, 'error').mockImplementation(() => undefined)
  const provision = async () => expect.fail('nothing to provision')
  await runSimulators({ argv, defaults: { mqtt, timeZone: 'Asia/Shanghai' }, provision, clock: systemClock, log })
  return { code: process.exitCode ?? 0, out: out.mock.calls.flat(), err: err.mock.calls.flat() }
}

test('help prints the usage; a wrong argument is one line and exit code 2', async () => {
  const help = await run('mqtt://127.0.0.1:1', '--help')
  expect(help).toMatchObject({ code: 0, out: [expect.stringContaining('--scenario')], err: [] })
  vi.restoreAllMocks()
  const wrong = await run('mqtt://127.0.0.1:1', '--homes', 'x')
  expect(wrong).toEqual({ code: 2, out: [], err: [expect.stringMatching(/^simulate: --homes x: .*$/)] })
})

test('a press by hand prints one line when it is safe, and fails with one line and exit code 1 when it is not', async () => {
  const broker = await startTestBroker()
  const safe = await run(broker.url, '--press', 'gw/b', '--secret', 's')
  expect(safe).toMatchObject({
    code: 0,
    out: [expect.stringMatching(/^button of gw is safe after \d+ ms: v1\/gw\/b\/button$/)],
  })
  await broker.stop()
  vi.restoreAllMocks()
  const failed = await run(broker.url, '--press', 'gw/b', '--secret', 's')
  expect(failed).toMatchObject({ code: 1, out: [], err: [expect.stringContaining('ECONNREFUSED')] })
})
