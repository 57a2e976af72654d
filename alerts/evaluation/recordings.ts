import { createReadStream, existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import { createInterface } from 'node:readline'
import type { EpochMs, ReadingArrival } from '../model.js'

/** `group`: homes of one source are judged together. */
export type Home = { name: string; path: string; timeZone: string; group: string }

const deviceNos: Record<string, number> = { water: 1, electricity: 2, button: 3 }

/** The homes in a folder: itself, or the folders in it that hold a home.json. Throws with one clear line if none does. */
export function homesIn(folder: string): Home[] {
  if (!existsSync(folder)) throw new Error(`no such folder: ${folder}`)
  const paths = existsSync(join(folder, 'home.json'))
    ? [folder]
    : readdirSync(folder)
        .map((name) => join(folder, name))
        .filter((path) => existsSync(join(path, 'home.json')))
        .sort()
  if (paths.length === 0) throw new Error(`no home.json in ${folder} or the folders in it`)
  return paths.map((path) => {
    const { timezone, source } = JSON.parse(readFileSync(join(path, 'home.json'), 'utf8')) as Record<string, unknown>
    if (typeof timezone !== 'string') throw new Error(`${join(path, 'home.json')}: no timezone`)
    const group = typeof source === 'string' ? source.replace(/[,(].*$/s, '').trim() : 'homes'
    return { name: basename(path), path, timeZone: timezone, group }
  })
}

/**
 * The readings of one home in time order, each arriving when it was measured. Lines that are no reading of a kind known
 * here (motion and door have no rule yet) are counted and left out.
 */
export async function readingsOf(home: Home): Promise<{ readings: ReadingArrival[]; leftOut: number }> {
  const readings: ReadingArrival[] = []
  let leftOut = 0
  const lines = createInterface({ input: createReadStream(join(home.path, 'readings.csv')), crlfDelay: Infinity })
  for await (const line of lines) {
    if (line === '' || line.startsWith('epoch_s')) continue
    const reading = readingOf(line)
    if (reading) readings.push(reading)
    else leftOut += 1
  }
  readings.sort((a, b) => a.receivedAt - b.receivedAt)
  return { readings, leftOut }
}

function readingOf(line: string): ReadingArrival | null {
  const [seconds, kind, text] = line.split(',')
  const at: EpochMs = Number(seconds) * 1_000
  const deviceNo = deviceNos[kind ?? '']
  if (deviceNo === undefined || !Number.isFinite(at) || text === undefined || text === '') return null
  const base = { type: 'reading' as const, deviceNo, observedAt: at, receivedAt: at }
  if (kind === 'button') return { ...base, kind, event: text === 'cancelled' || text === 'test' ? text : 'pressed' }
  const value = Number(text)
  if (!Number.isFinite(value)) return null
  return { ...base, kind: kind as 'water' | 'electricity', event: '', value }
}
