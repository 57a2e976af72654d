import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { createConnection } from 'node:net'
import { tmpdir, userInfo } from 'node:os'
import { join } from 'node:path'
import { seededRandom } from '../../simulators/random.js'
import { keepingGateway, type Load, meterMessages, pressMessages } from './gateway-load.js'
import { eventually, freePort } from './processes.js'
import { buildingId, rigKey } from './rig.js'

/** Where Debian's package puts it. */
const binary = ['/usr/sbin/mosquitto', '/usr/local/sbin/mosquitto', '/opt/homebrew/sbin/mosquitto'].find(existsSync)

export type Mosquitto = {
  url: string
  port: number
  /** What it has written about itself. */
  log(): string
  /** Starts it on the same port with what it has saved; resolves when it takes connections. */
  start(): Promise<void>
  /** SIGTERM: it saves what it holds. SIGKILL: it does not. */
  end(signal: 'SIGTERM' | 'SIGKILL'): Promise<void>
  stop(): Promise<void>
}

/**
 * The real Mosquitto on a port and in a folder of its own, with persistence, and with queues without a limit: of a thousand
 * messages, its default, it drops what comes above them, though it has acknowledged it. `config` is added to its file.
 */
export async function startMosquitto({ config = [] }: { config?: string[] } = {}): Promise<Mosquitto> {
  if (!binary) throw new Error('these tests need Mosquitto: apt-get install mosquitto')
  const folder = await mkdtemp(join(tmpdir(), 'shouwang-mosquitto-'))
  const port = await freePort()
  const file = join(folder, 'mosquitto.conf')
  const lines = [
    `listener ${port} 127.0.0.1`,
    'allow_anonymous true',
    // Started by root it would become somebody else, who may not write here.
    `user ${userInfo().username}`,
    'persistence true',
    `persistence_location ${folder}/`,
    'max_queued_messages 0',
    'log_dest stdout',
    ...config,
  ]
  await writeFile(file, `${lines.join('\n')}\n`)
  let child: ChildProcess | undefined
  let log = ''
  const kill = () => child?.kill('SIGKILL')
  process.on('exit', kill)

  async function start() {
    const started = spawn(binary!, ['-c', file], { stdio: ['ignore', 'pipe', 'pipe'] })
    child = started
    for (const stream of [started.stdout, started.stderr])
      stream.setEncoding('utf8').on('data', (text: string) => {
        log += text
      })
    await eventually('Mosquitto listens', async () => {
      if (started.exitCode !== null) throw new Error(`Mosquitto ended:\n${log.slice(-2_000)}`)
      return (await answers(port)) || undefined
    })
  }
  async function end(signal: NodeJS.Signals) {
    const ending = child
    child = undefined
    if (!ending || ending.exitCode !== null || ending.signalCode !== null) return
    const ended = new Promise((resolve) => ending.once('exit', resolve))
    ending.kill(signal)
    await ended
  }
  await start()
  return {
    url: `mqtt://127.0.0.1:${port}`,
    port,
    log: () => log,
    start,
    end,
    stop: async () => {
      await end('SIGKILL')
      process.off('exit', kill)
      await rm(folder, { recursive: true, force: true })
    },
  }
}

const answers = (port: number) =>
  new Promise<boolean>((resolve) => {
    const socket = createConnection({ port, host: '127.0.0.1' })
    socket.once('connect', () => {
      socket.destroy()
      resolve(true)
    })
    socket.once('error', () => resolve(false))
  })

/**
 * What the four gateways of a rig publish, at a pace that a loaded machine stands: Mosquitto acknowledges at once, and all
 * that comes faster than it is stored only waits there.
 */
export function startCalmLoads({ url, buttons, seed }: { url: string; buttons: number; seed: number }): Load[] {
  const meter = (n: number, perMessage: number) => {
    const gatewayId = `${rigKey}-${n}`
    return { url, gatewayId, next: meterMessages({ gatewayId, deviceId: `${gatewayId}-water`, perMessage }) }
  }
  const deviceIds = Array.from({ length: buttons }, (_, i) => `button-${i + 1}`)
  const next = pressMessages({ gatewayId: buildingId, deviceIds, random: seededRandom(seed, 'presses') })
  return [
    keepingGateway({ ...meter(1, 1), window: 5, pauseMs: 50 }),
    keepingGateway({ ...meter(2, 1), window: 1, pauseMs: 20 }),
    keepingGateway({ ...meter(3, 40), window: 1, pauseMs: 200 }),
    keepingGateway({ url, gatewayId: buildingId, next, window: 1, pauseMs: 200 }),
  ]
}
