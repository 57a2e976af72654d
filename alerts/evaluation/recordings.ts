import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { basename, join } from 'node:path'
import type { EpochMs, ReadingArrival } from '../model.js'

/** `group`: homes of one source are judged together. */
export type Home = { name: string; path: string; timeZone: string; group: string }

const deviceNos: Record<string, number> = { water: 1, electricity: 2, button: 3, motion: 4, door: 5 }
/** What recordings call the two states of a sensor, as events of the contract. */
const events: Record<string, Record<string, string>> = {
  motion: {
    1: 'motion',
    on: 'motion',
    true: 'motion',
    motion: 'motion',
    0: 'still',
    off: 'still',
    false: 'still',
    still: 'still',
  },
  door: {
    1: 'open',
    on: 'open',
    true: 'open',
    open: 'open',
    0: 'closed',
    off: 'closed',
    false: 'closed',
    closed: 'closed',
  },
}
const buttonEvents = new Set(['pressed', 'cancelled', 'test'])

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

/** What was read of a recording: `leftOut` lines are no reading of a kind known here. */
export type Recording = { readings: ReadingArrival[]; leftOut: number }

/** The readings of one home in time order, each arriving when it was measured. */
export function readingsOf(home: Home): Recording {
  const all: Recording = { readings: [], leftOut: 0 }
  for (const { readings, leftOut } of partsOf(home, Number.POSITIVE_INFINITY)) {
    for (const reading of readings) all.readings.push(reading)
    all.leftOut += leftOut
  }
  return all
}

/**
 * The same in parts of at most `partMax` readings: what is folded at once and forgotten never has to be moved about in
 * memory. A recording that is not in time order comes in one part.
 */
export function* partsOf(home: Home, partMax: number): Generator<Recording> {
  const text = readFileSync(join(home.path, 'readings.csv'), 'latin1')
  let part: Recording = { readings: [], leftOut: 0 }
  const inOrder = isInOrder(text)
  for (const line of linesOf(text)) {
    const reading = readingOf(line)
    if (reading) part.readings.push(reading)
    else part.leftOut += 1
    if (!inOrder || part.readings.length < partMax) continue
    yield part
    part = { readings: [], leftOut: 0 }
  }
  if (!inOrder) part.readings.sort((a, b) => a.receivedAt - b.receivedAt)
  yield part
}

function* linesOf(text: string): Generator<string> {
  for (let from = 0; from < text.length; ) {
    const newLine = text.indexOf('\n', from)
    const end = newLine < 0 ? text.length : newLine
    const line = text.slice(from, text[end - 1] === '\r' ? end - 1 : end)
    from = end + 1
    if (line !== '' && !line.startsWith('epoch_s')) yield line
  }
}

function isInOrder(text: string): boolean {
  let before = Number.NEGATIVE_INFINITY
  for (const line of linesOf(text)) {
    const at = Number(line.slice(0, line.indexOf(',')))
    if (at < before) return false
    before = at
  }
  return true
}

/** Of one shape whatever the kind: 200,000 of them a second are folded. */
function readingOf(line: string): ReadingArrival | null {
  const first = line.indexOf(',')
  const second = line.indexOf(',', first + 1)
  if (first < 1 || second < 0) return null
  const at: EpochMs = Number(line.slice(0, first)) * 1_000
  const kind = line.slice(first + 1, second)
  const text = line.slice(second + 1).trim()
  const deviceNo = deviceNos[kind]
  if (deviceNo === undefined || !Number.isFinite(at) || text === '') return null
  if (kind === 'water' || kind === 'electricity') {
    const value = Number(text)
    if (!Number.isFinite(value)) return null
    return { type: 'reading', deviceNo, kind, observedAt: at, receivedAt: at, event: '', value }
  }
  const event = kind === 'button' ? (buttonEvents.has(text) ? text : 'pressed') : events[kind]?.[text.toLowerCase()]
  if (event === undefined) return null
  return { type: 'reading', deviceNo, kind: kind as ReadingArrival['kind'], observedAt: at, receivedAt: at, event }
}
