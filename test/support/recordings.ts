import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { join } from 'node:path'
import { chance, type Random, whole } from '../../simulators/random.js'

type Row = { at: number; value: number }

const daysRecorded = 30
const hourS = 3_600

/**
 * An hourly register in steps of 1 L, a little off the hour, with holes, backward steps (backflow of a few litres, and one
 * restart from 0) and rows that are repeated with another value. Returns its folder.
 */
export async function writeHourlyRecording({ folder, name, random }: { folder: string; name: string; random: Random }) {
  const rows: Row[] = []
  const offset = whole(random, 60, 1_800)
  let litres = 55_256
  const backAt = new Set(Array.from({ length: 12 }, () => whole(random, 5, daysRecorded * 24 - 5)))
  const restartAt = whole(random, 200, 400)
  for (let hour = 0; hour < daysRecorded * 24; hour++) {
    const awake = hour % 24 >= 6 && hour % 24 <= 22
    if (hour === restartAt) litres = 0
    else if (backAt.has(hour)) litres = Math.max(0, litres - whole(random, 1, 8))
    else if (awake && chance(random, 0.7)) litres += whole(random, 1, 40)
    if (isInHole(hour)) continue
    const at = firstAt + hour * hourS + offset + whole(random, 0, 5)
    rows.push({ at, value: litres })
    if (chance(random, 0.02)) rows.push({ at, value: litres + 3 })
  }
  return write({ folder, name, rows })
}

/** A register that reports each use, in tenths of a litre, and about every 5 min where there is none. Returns its folder. */
export async function writeIrregularRecording({
  folder,
  name,
  random,
}: {
  folder: string
  name: string
  random: Random
}) {
  const rows: Row[] = []
  let tenths = 0
  for (let at = firstAt; at < firstAt + daysRecorded * 24 * hourS; ) {
    const hour = Math.floor((at - firstAt) / hourS)
    const awake = hour % 24 >= 6 && hour % 24 <= 22
    const uses = awake && chance(random, 0.3)
    if (uses) tenths += whole(random, 1, 90)
    if (!isInHole(hour)) rows.push({ at, value: tenths / 10 })
    at += uses ? whole(random, 60, 240) : whole(random, 290, 310)
  }
  return write({ folder, name, rows })
}

/** Summer in Rome, so that the shift to the present may cross a change of the clocks. */
const firstAt = Date.parse('2019-06-30T22:00:00Z') / 1_000
const isInHole = (hour: number) => (hour >= 130 && hour < 160) || (hour >= 500 && hour < 505) || hour === 650

async function write({ folder, name, rows }: { folder: string; name: string; rows: Row[] }): Promise<string> {
  const dir = join(folder, name)
  await mkdir(dir, { recursive: true })
  await writeFile(join(dir, 'home.json'), JSON.stringify({ timezone: 'Europe/Rome', occupants: 1, kinds: ['water'] }))
  const lines = rows.map(({ at, value }) => `${at},water,${value}`)
  await writeFile(join(dir, 'readings.csv'), `${['epoch_s,kind,value', ...lines].join('\n')}\n`)
  return dir
}

/** What a recording of one water meter holds, read on purpose without the simulator's code: the first row of each second counts. */
export async function readWater(dir: string): Promise<{ timeZone: string; rows: number; first: Row[] }> {
  const { timezone } = JSON.parse(await readFile(join(dir, 'home.json'), 'utf8')) as { timezone: string }
  const [, ...lines] = (await readFile(join(dir, 'readings.csv'), 'utf8')).trim().split('\n')
  const bySecond = new Map<number, number>()
  for (const line of lines) {
    const [at, , value] = line.split(',')
    if (!bySecond.has(Number(at))) bySecond.set(Number(at), Number(value))
  }
  const first = [...bySecond].map(([at, value]) => ({ at, value })).sort((a, b) => a.at - b.at)
  return { timeZone: timezone, rows: lines.length, first }
}

/** The seconds at which the register was lower than the reading before. */
export const backwardSteps = (rows: readonly Row[]) =>
  rows.flatMap((row, n) => (n > 0 && row.value < rows[n - 1]!.value ? [row.at] : []))
