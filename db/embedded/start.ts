import { type ChildProcess, fork } from 'node:child_process'
import { randomBytes } from 'node:crypto'
import { mkdir, readFile, rm, writeFile } from 'node:fs/promises'
import { connect } from 'node:net'
import { resolve } from 'node:path'
import { compiledEntry } from '../../kit/entry.js'
import { StartError } from '../../kit/lifecycle.js'

export type Embedded = { url: string; stop(): Promise<void> }
type Running = { pid: number; port: number; password: string }

const startMsMax = 60_000

/**
 * Starts the embedded TimescaleDB on `dataDir` in a child process, or attaches to the one that runs there already, so
 * that a second command (`npm run simulate`) reaches the database of the first.
 * @throws StartError when the folder cannot be used or the server does not start
 */
export async function startEmbedded({ dataDir }: { dataDir: string }): Promise<Embedded> {
  const folder = resolve(dataDir)
  const note = `${folder}/embedded.json`
  await mkdir(folder, { recursive: true }).catch((error: Error) => {
    throw new StartError(`setting DATA_DIR = "${dataDir}": ${error.message}`)
  })
  const running = await readNote(note)
  if (running && isAlive(running.pid) && (await answers(running.port)))
    return { url: urlOf(running), stop: async () => undefined }

  const password = randomBytes(18).toString('base64url')
  const child = fork(compiledEntry('db/embedded/server'), {
    env: { ...process.env, SHOUWANG_EMBEDDED_DIR: `${folder}/timescaledb`, SHOUWANG_EMBEDDED_PASSWORD: password },
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const port = await listening(child)
  const here: Running = { pid: child.pid!, port, password }
  await writeFile(note, JSON.stringify(here), { mode: 0o600 })
  return {
    url: urlOf(here),
    stop: async () => {
      await rm(note, { force: true })
      if (child.exitCode !== null) return
      const gone = new Promise((done) => child.once('exit', done))
      child.send('stop')
      await gone
    },
  }
}

const urlOf = ({ port, password }: Running) => `postgres://postgres:${password}@127.0.0.1:${port}/postgres`

async function readNote(file: string): Promise<Running | undefined> {
  try {
    return JSON.parse(await readFile(file, 'utf8')) as Running
  } catch {
    return undefined // no note, or half of one: nobody is running here
  }
}

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
