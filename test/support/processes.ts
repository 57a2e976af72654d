import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { createServer } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compiledEntry, projectRoot } from '../../kit/entry.js'

export type Ended = { code: number | null; signal: NodeJS.Signals | null }

/** One compiled entry of ours, running as a process of its own. */
export type Running = {
  pid: number
  startedAt: number
  /** All that it has printed so far. */
  stdout(): string
  stderr(): string
  /** The first line of stdout that holds `text`. @throws with what was printed when it ends or `msMax` pass before */
  printed(text: string, msMax?: number): Promise<string>
  /** Resolves when the process is gone. */
  ended: Promise<Ended>
  /** Resolves when all that it printed is here too, and whoever inherited its output is gone as well. */
  closed: Promise<Ended>
  /** Sends the signal and waits for the end; `ms` is how long that took. With `group` everything it started gets it too. */
  end(signal: 'SIGKILL' | 'SIGINT' | 'SIGTERM', options?: { group?: boolean }): Promise<Ended & { ms: number }>
}

/**
 * Starts compiled entries (`broker/main`) with the environment that the test gives and nothing else of its own but a folder
 * for their data, which they share, each in a process group of its own. `stopAll` belongs into afterAll: nothing survives the test, nor its process.
 */
export function createProcesses() {
  const running = new Set<ChildProcess>()
  const dataDir = mkdtempSync(join(tmpdir(), 'shouwang-data-'))
  const killAll = () => {
    for (const child of running) killGroup(child, 'SIGKILL')
    rmSync(dataDir, { recursive: true, force: true })
  }
  process.on('exit', killAll)

  function start(
    entry: string,
    { env = {}, args = [] }: { env?: Record<string, string>; args?: string[] } = {},
  ): Running {
    const child = spawn(process.execPath, ['--enable-source-maps', compiledEntry(entry), ...args], {
      cwd: projectRoot,
      env: { PATH: process.env.PATH, HOME: process.env.HOME, TMPDIR: process.env.TMPDIR, DATA_DIR: dataDir, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    })
    running.add(child)
    let stdout = ''
    let stderr = ''
    const lookers = new Set<() => void>()
    const look = () => {
      for (const looker of [...lookers]) looker()
    }
    child.stdout.setEncoding('utf8').on('data', (text: string) => {
      stdout += text
      look()
    })
    child.stderr.setEncoding('utf8').on('data', (text: string) => {
      stderr += text
    })
    const until = (event: 'exit' | 'close') =>
      new Promise<Ended>((resolve) => child.once(event, (code, signal) => resolve({ code, signal })))
    const ended = until('exit')
    const closed = until('close')
    void ended.then(look)
    void closed.then(() => running.delete(child))

    const printed = (text: string, msMax = 30_000) =>
      new Promise<string>((resolve, reject) => {
        const finish = (settle: () => void) => {
          clearTimeout(timer)
          lookers.delete(looker)
          settle()
        }
        const fail = (why: string) =>
          finish(() =>
            reject(new Error(`${entry} ${why} before "${text}"\n${stdout.slice(-4_000)}\n${stderr.slice(-4_000)}`)),
          )
        const looker = () => {
          const line = stdout.split('\n').find((one) => one.includes(text))
          if (line !== undefined) finish(() => resolve(line))
          else if (child.exitCode !== null || child.signalCode !== null) fail('ended')
        }
        const timer = setTimeout(() => fail(`took ${msMax} ms`), msMax)
        lookers.add(looker)
        looker()
      })

    return {
      pid: child.pid!,
      startedAt: Date.now(),
      stdout: () => stdout,
      stderr: () => stderr,
      printed,
      ended,
      closed,
      end: async (signal, { group = false } = {}) => {
        const startedAt = performance.now()
        if (group) killGroup(child, signal)
        else child.kill(signal)
        return { ...(await ended), ms: Math.round(performance.now() - startedAt) }
      },
    }
  }

  return {
    start,
    stopAll: async () => {
      killAll()
      while (running.size > 0) await sleep(10)
      process.off('exit', killAll)
    },
  }
}

function killGroup(child: ChildProcess, signal: NodeJS.Signals) {
  try {
    if (child.pid !== undefined) process.kill(-child.pid, signal)
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error // ESRCH: all of it is gone
  }
}

export function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/**
 * A port that nobody listens on, below the range from which the system takes the near ends of connections: it stays free
 * while a process of the test is down, and a client that tries it then cannot meet itself.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = 15_000 + Math.floor(Math.random() * 15_000)
    if (await isFree(port)) return port
  }
}

function isFree(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const server = createServer()
    server.once('error', () => resolve(false))
    server.listen(port, '127.0.0.1', () => server.close(() => resolve(true)))
  })
}

/** Tries until there is something. @throws naming `what` after `msMax` */
export async function eventually<T>(what: string, look: () => T | undefined | Promise<T | undefined>, msMax = 10_000) {
  const end = Date.now() + msMax
  for (;;) {
    const found = await look()
    if (found) return found
    if (Date.now() > end) throw new Error(`${what}: not within ${msMax} ms`)
    await sleep(20)
  }
}

/** The seed of a random test: SEED where it is given, for a replay; printed either way. */
export function seedOf(test: string): number {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))
  console.log(`${test}: SEED=${seed}`)
  return seed
}
