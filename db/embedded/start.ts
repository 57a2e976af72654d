import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, rm } from 'node:fs/promises'
import { connect } from 'node:net'
import { resolve } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { compiledEntry } from '../../kit/entry.js'
import { StartError } from '../../kit/lifecycle.js'
import { type Noted, readNote, writeNote } from './note.js'

export type Embedded = { url: string; stop(): Promise<void> }
type Running = Noted & { port: number }

const startMsMax = 60_000
/** How long a start waits for a database whose owner is gone: it still writes what it has. */
const goneMsMax = 10_000

/**
 * Starts the embedded TimescaleDB on `dataDir` in a child process, or attaches to the one that a living process runs
 * there already, so that a second command (`npm run simulate`) reaches the database of the first. When the child dies
 * before `stop`, this process says so on stderr and ends: without its database it would only seem to work.
 * @throws StartError when the folder cannot be used or the server does not start
 */
export async function startEmbedded({ dataDir }: { dataDir: string }): Promise<Embedded> {
  const folder = resolve(dataDir)
  const file = `${folder}/embedded.json`
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new StartError(`setting DATA_DIR = "${dataDir}": ${error.message}`)
  })
  const running = await lookFor(file)
  if (running) return { url: urlOf(running), stop: async () => undefined }

  const password = randomBytes(18).toString('base64url')
  const child = fork(compiledEntry('db/embedded/server'), {
    env: { ...process.env, SHOUWANG_EMBEDDED_DIR: `${folder}/timescaledb`, SHOUWANG_EMBEDDED_PASSWORD: password },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const here: Noted = { pid: child.pid!, parentPid: process.pid, password }
  await writeNote(file, here)
  const port = await listening(child)
  await writeNote(file, { ...here, port })
  const lost = (code: number | null, signal: string | null) => {
    console.error(`shouwang: the embedded database in "${dataDir}" died (${signal ?? `code ${code}`}); start again`)
    process.exit(1)
  }
  if (child.exitCode !== null || child.signalCode !== null) lost(child.exitCode, child.signalCode)
  child.once('exit', lost)
  return {
    url: urlOf({ ...here, port }),
    stop: async () => {
      child.off('exit', lost)
      if (child.exitCode === null && child.signalCode === null) {
        // Nobody attaches any more, and whoever starts now waits for its end.
        await writeNote(file, here)
        const gone = new Promise((done) => child.once('exit', done))
        child.send('stop')
        await gone
      }
      if ((await readNote(file))?.pid === child.pid) await rm(file, { force: true })
    },
  }
}

/** The database that somebody else runs here, once it is up; one without an owner is given its time to end. */
async function lookFor(file: string): Promise<Running | undefined> {
  for (let waitedMs = 0; ; waitedMs += 100) {
    const noted = await readNote(file)
    if (!noted || !(await isThere(noted))) return undefined
    const isOwned = isAlive(noted.parentPid)
    if (isOwned && noted.port !== undefined) return { ...noted, port: noted.port }
    if (waitedMs >= (isOwned ? startMsMax : goneMsMax))
      throw new StartError(`process ${noted.pid} still holds the embedded database; end it, or remove ${file}`)
    await sleep(100)
  }
}

/** Numbers of processes are used again, and survive a restart of the machine in the note: its port tells it apart. */
const isThere = async ({ pid, port }: Noted) => isAlive(pid) && (port === undefined || (await answers(port)))

const urlOf = ({ port, password }: Running) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`

function isAlive(pid: number): boolean {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

function answers(port: number): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({ host: '127.0.0.1', port, timeout: 2_000 })
    const end = (is: boolean) => () => {
      socket.destroy()
      done(is)
    }
    socket.once('connect', end(true)).once('error', end(false)).once('timeout', end(false))
  })
}

function listening(child: ChildProcess): Promise<number> {
  return new Promise((done, fail) => {
    const timer = setTimeout(() => {
      child.kill('SIGKILL')
      fail(new StartError(`the embedded database did not start within ${startMsMax / 1_000} s`))
    }, startMsMax)
    child.once('message', (message) => {
      clearTimeout(timer)
      done((message as { port: number }).port)
    })
    child.once('exit', (code) => {
      clearTimeout(timer)
      fail(new StartError(`the embedded database ended with code ${code}; is DATA_DIR damaged or in use?`))
    })
  })
}
