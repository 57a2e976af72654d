import { type ChildProcess, spawn } from 'node:child_process'
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { pathToFileURL } from 'node:url'
import { afterEach, expect, test } from 'vitest'
import { compiledEntry } from '../../kit/entry.js'
import { createLog } from '../../kit/log.js'
import { migrate } from '../migrate.js'
import { openDatabase } from '../pool.js'
import { readNote } from './note.js'
import { startEmbedded } from './start.js'

const log = createLog({ role: 'test', level: 'silent' })
const dataDir = await mkdtemp(join(tmpdir(), 'shouwang-embedded-'))
const noted = () => readNote(join(dataDir, 'embedded.json'))
const owners = new Set<ChildProcess>()
afterEach(async () => {
  for (const owner of owners) owner.kill('SIGKILL')
  owners.clear()
  await rm(dataDir, { recursive: true, force: true, maxRetries: 50 })
})

/** Another process that starts the database, or attaches to it, and then lives on. */
async function startOwner() {
  const script = `import { startEmbedded } from ${JSON.stringify(pathToFileURL(compiledEntry('db/embedded/start')).href)}
    const { url } = await startEmbedded({ dataDir: ${JSON.stringify(dataDir)} })
    console.log(url)
    setInterval(() => undefined, 60_000)`
  await mkdir(dataDir, { recursive: true })
  await writeFile(join(dataDir, 'owner.mjs'), script)
  const owner = spawn(process.execPath, [join(dataDir, 'owner.mjs')], { stdio: ['ignore', 'pipe', 'pipe'] })
  owners.add(owner)
  let stderr = ''
  owner.stderr.on('data', (text) => {
    stderr += text
  })
  const exited = new Promise((done) => owner.once('exit', done))
  // Comes only when its database is gone too, which holds stderr.
  const closed = new Promise<number | null>((done) => owner.once('close', done))
  const url = await new Promise<string>((done, fail) => {
    owner.stdout.once('data', (text) => done(String(text).trim()))
    owner.once('exit', () => fail(new Error(`no database: ${stderr}`)))
  })
  const { pid, parentPid } = (await noted())!
  return { url, pid, parentPid, exited, closed, stderr: () => stderr }
}

async function answer(url: string) {
  const db = openDatabase({ url, log, connectionsMax: 1 })
  try {
    return (await db.query<{ n: number }>('select 7 as n')).rows[0]!.n
  } finally {
    await db.end()
  }
}

test('a second start finds the readings of the first, and takes new ones', { timeout: 60_000 }, async () => {
  for (const start of [1, 2, 3]) {
    const embedded = await startEmbedded({ dataDir })
    const db = openDatabase({ url: embedded.url, log })
    try {
      await migrate({ db, log })
      await db.query('insert into readings (device_no, observed_at, received_at, value) values (1, $1, $1, $2)', [
        new Date(Date.UTC(2026, 0, start)),
        start,
      ])
      const { rows } = await db.query<{ n: number }>('select count(*) as n from readings')
      expect(rows[0]!.n).toBe(start)
    } finally {
      await db.end()
      await embedded.stop()
    }
  }
  await expect(readFile(join(dataDir, 'embedded.json'))).rejects.toThrow('ENOENT')
})

test('a process whose database dies says so in one line and ends', { timeout: 60_000 }, async () => {
  const { pid, closed, stderr } = await startOwner()
  process.kill(pid, 'SIGKILL')
  expect(await closed).toBe(1)
  expect(stderr()).toMatch(/^shouwang: the embedded database [^\n]+ died \(SIGKILL\)[^\n]*\n$/)
})

test('a second command attaches to the database of a living process; after a kill -9 a start waits for it to end', {
  timeout: 60_000,
}, async () => {
  const first = await startOwner()
  const second = await startEmbedded({ dataDir })
  expect(second.url).toBe(first.url)
  expect(await answer(second.url)).toBe(7)
  await second.stop()
  expect(await answer(first.url)).toBe(7)
  // Held up in its closing, as by a slow disk.
  process.kill(first.pid, 'SIGSTOP')
  process.kill(first.parentPid, 'SIGKILL')
  await first.exited
  const starting = startEmbedded({ dataDir })
  await sleep(1_000)
  process.kill(first.pid, 'SIGCONT')
  const next = await starting
  expect(next.url).not.toBe(first.url)
  await first.closed
  expect(await answer(next.url)).toBe(7)
  await next.stop()
})

test('a start that comes while the database is still being stopped waits for it', { timeout: 60_000 }, async () => {
  const first = await startEmbedded({ dataDir })
  const { pid } = (await noted())!
  process.kill(pid, 'SIGSTOP')
  const stopped = first.stop()
  await sleep(200)
  const starting = startEmbedded({ dataDir })
  await sleep(500)
  process.kill(pid, 'SIGCONT')
  const second = await starting
  await stopped
  expect(second.url).not.toBe(first.url)
  expect(await answer(second.url)).toBe(7)
  await second.stop()
})
