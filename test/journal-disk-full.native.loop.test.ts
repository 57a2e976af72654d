import { execFileSync } from 'node:child_process'
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { type FaultyLine, startFaultyLine } from './support/faulty-line.js'
import { acknowledged, sentOf, startJournalScene } from './support/journal-scene.js'
import { eventually, seedOf } from './support/processes.js'
import { pageDelays, pagesByResident, pressesOf, toldTwice } from './support/told.js'

const seed = seedOf('journal-disk-full')
let database: TestDatabase
let line: FaultyLine
beforeAll(async () => {
  database = await startTestDatabase()
  line = await startFaultyLine({ targetUrl: database.url })
})
afterAll(async () => {
  await line?.stop()
  await database?.stop()
})

const start = (env: Record<string, string>) => startJournalScene({ database, line, buttons: 200, seed, env })

/** A small disk of its own. */
function smallDisk(mb: number) {
  const folder = mkdtempSync(join(tmpdir(), 'shouwang-disk-'))
  execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${mb}m`, 'none', folder])
  const ballast = join(folder, 'ballast')
  return {
    folder,
    fill: () => {
      const file = openSync(ballast, 'a')
      const block = Buffer.alloc(4_096)
      try {
        for (;;) writeSync(file, block)
      } catch (error) {
        if ((error as NodeJS.ErrnoException).code !== 'ENOSPC') throw error
      } finally {
        closeSync(file)
      }
    },
    free: () => rmSync(ballast, { force: true }),
    remove: () => {
      execFileSync('umount', ['-l', folder])
      rmSync(folder, { recursive: true, force: true })
    },
  }
}

test('a full disk disturbs nothing while the database is there; without it emergencies are told once, and nothing is acknowledged that is not safe', async () => {
  const disk = smallDisk(24)
  onTestFinished(disk.remove)
  const { rig, loads, publish, ready, finish, balance } = await start({ DATA_DIR: join(disk.folder, 'data') })
  disk.fill()
  const more = async (count: number) => {
    const goal = acknowledged(loads).length + count
    await eventually(`${count} more`, () => acknowledged(loads).length > goal || undefined)
  }
  await more(300)
  await sleep(1_500)
  await more(300)
  expect(await ready()).toMatch(/^ready/)

  await line.away()
  const awayAt = Date.now()
  await sleep(1_500)
  // The last blocks of the log that it had.
  disk.fill()
  await sleep(500)
  const atFull = acknowledged(loads).length
  const pressedAt = Date.now()
  const press = publish('button', { ts: Date.now(), event: 'pressed' })
  const { usage } = await cpuOf(rig.edge().pid, () => sleep(4_000))
  const whileFull = acknowledged(loads).length - atFull
  const pressed = pressesOf(sentOf(loads)).filter(({ ts }) => ts > awayAt - 1_000 && ts < Date.now() - 2_000)
  expect(pagesByResident(rig.receiver).get('q-1'), 'pages of the press on the full disk').toHaveLength(1)
  expect(pagesByResident(rig.receiver).get('q-1')![0]!.arrivedMs - pressedAt).toBeLessThan(2_000)

  disk.free()
  await press
  await more(100)
  await sleep(1_000)
  await rig.edge().end('SIGKILL')
  await rig.startEdge()
  await line.mend()
  await eventually('drained', async () => (await ready()).startsWith('ready') || undefined, 30_000)
  await more(100)
  await finish()
  const counts = await balance()
  const delays = pageDelays(rig.receiver, pressed)
  console.log(
    `${whileFull} acknowledged while full, cpu ${usage}`,
    counts,
    `${pressed.length} presses paged p50 ${delays[delays.length >> 1]} max ${delays.at(-1)}`,
  )
  expect(counts.acknowledged).toBe(counts.sent)
  expect(toldTwice(rig.receiver)).toEqual([])
  expect(usage).toBeLessThan(0.9)
})

/** The share of one core that a process takes during `work`. */
async function cpuOf(pid: number, work: () => Promise<unknown>) {
  const ticks = () => {
    const fields = execFileSync('cat', [`/proc/${pid}/stat`], { encoding: 'utf8' })
      .split(') ')[1]!
      .split(' ')
    return Number(fields[11]) + Number(fields[12])
  }
  const before = ticks()
  const begun = performance.now()
  await work()
  return { usage: ((ticks() - before) * 10) / (performance.now() - begun) }
}
