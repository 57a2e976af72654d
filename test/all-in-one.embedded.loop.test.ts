import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startEmbedded } from '../db/embedded/start.js'
import { openDatabase } from '../db/pool.js'
import { createLog } from '../kit/log.js'
import { createProcesses, eventually, freePort, isAlive } from './support/processes.js'

const stopMsMax = 5_000
const startMsMax = 60_000

const processes = createProcesses()
let dataDir: string
let env: Record<string, string>
let pages: string

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'shouwang-all-in-one-'))
  const httpPort = await freePort()
  pages = `http://127.0.0.1:${httpPort}`
  env = {
    DATA_DIR: dataDir,
    HTTP_PORT: String(httpPort),
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
  }
})
afterAll(async () => {
  await processes.stopAll()
  await rm(dataDir, { recursive: true, force: true })
})

/** `npm start` with nothing set: the embedded database and the demo. */
async function start() {
  const startedAt = performance.now()
  const running = processes.start('main', { env })
  await running.printed('Ctrl-C stops everything', startMsMax)
  const visibleMs = performance.now() - startedAt
  const text = running.stdout()
  const familyPath = new URL(/Family page +(\S+)/.exec(text)![1]!).pathname
  const { pid: databasePid } = JSON.parse(await readFile(join(dataDir, 'embedded.json'), 'utf8')) as { pid: number }
  return { running, text, familyPath, databasePid, visibleMs }
}

/** Joins the database that runs in DATA_DIR, as `npm run simulate` does. */
async function countReadings(): Promise<number> {
  const embedded = await startEmbedded({ dataDir })
  const db = openDatabase({ url: embedded.url, log: createLog({ role: 'test', level: 'silent' }), connectionsMax: 1 })
  try {
    return (await db.query<{ n: number }>('select count(*) as n from readings')).rows[0]!.n
  } finally {
    await db.end()
    await embedded.stop()
  }
}

const familyPage = async (path: string) => {
  const response = await fetch(`${pages}${path}`)
  return { status: response.status, text: await response.text() }
}
const gone = (pid: number) => eventually(`the end of process ${pid}`, () => !isAlive(pid) || undefined, stopMsMax)

test('a start says where to look, Ctrl-C stops everything, and the next starts find what was there', async () => {
  const first = await start()
  expect(first.text).toMatch(/Console +http:\/\/localhost:\d+\n/)
  expect(first.text).toMatch(/login demo-worker, demo-supervisor or demo-operator; password \S+\n/)
  expect(first.text).toMatch(/mosquitto_pub -h 127\.0\.0\.1 -p \d+ -q 1 -u \S+ -P \S+ -t v1\/\S+\/button -m /)
  expect(first.text).toMatch(/npm run simulate -- --press \S+\/\S+ --secret \S+/)
  expect((await familyPage(first.familyPath)).status).toBe(200)
  await first.running.printed('The demo homes live now', startMsMax)
  const readings = await countReadings()
  expect(readings).toBeGreaterThan(10_000)

  // Ctrl-C in a terminal reaches every process of the group.
  const stopped = await first.running.end('SIGINT', { group: true })
  expect(stopped).toMatchObject({ code: 0 })
  expect(stopped.ms).toBeLessThan(stopMsMax)
  expect(isAlive(first.databasePid), 'the embedded database').toBe(false)
  expect(first.running.stderr()).toBe('')

  const second = await start()
  expect(second.familyPath).toBe(first.familyPath)
  expect((await familyPage(first.familyPath)).status).toBe(200)
  expect(await countReadings()).toBeGreaterThanOrEqual(readings)
  await second.running.printed('The demo homes live now', startMsMax)

  const killed = await second.running.end('SIGKILL')
  expect(killed.signal).toBe('SIGKILL')
  await gone(second.databasePid)

  const third = await start()
  expect((await familyPage(first.familyPath)).status).toBe(200)
  expect(await countReadings()).toBeGreaterThanOrEqual(readings)
  const { code, ms } = await third.running.end('SIGINT')
  expect({ code, inTime: ms < stopMsMax }).toEqual({ code: 0, inTime: true })
  expect(isAlive(third.databasePid), 'the embedded database').toBe(false)
  console.log(
    `visible after ${[first, second, third].map(({ visibleMs }) => `${(visibleMs / 1_000).toFixed(1)} s`).join(', ')}; ` +
      `stopped in ${stopped.ms} and ${ms} ms; ${readings} readings after the first start`,
  )
})

test('Ctrl-C in the middle of the first start is a clean stop too, and the next start goes on', async () => {
  const own = join(dataDir, 'interrupted')
  const settings = { DATA_DIR: own, HTTP_PORT: '0', MQTT_PORT: '0', MQTT_WS_PORT: '0' }
  for (const moment of ['is starting', 'Writing the past']) {
    const running = processes.start('main', { env: settings })
    await running.printed(moment, startMsMax)
    const { code, ms } = await running.end('SIGINT', { group: true })
    await running.closed // its database is gone as well
    expect({ moment, code, stderr: running.stderr() }).toEqual({ moment, code: 0, stderr: '' })
    expect(ms, moment).toBeLessThan(stopMsMax)
  }
  const next = processes.start('main', { env: settings })
  await next.printed('The demo homes live now', startMsMax)
  expect((await next.end('SIGINT')).code).toBe(0)
})
