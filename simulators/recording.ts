import { createReadStream } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import { StartError } from '../kit/lifecycle.js'
import { dayOf, midnight } from './calendar.js'

/** One line of a recording: epoch seconds as recorded; cumulative litres or Wh. */
export type RecordedRow = { at: number; kind: 'water' | 'electricity'; value: number }

export type Recording = {
  timeZone: string
  kinds: RecordedRow['kind'][]
  firstAt: number
  lastAt: number
  rows: number
  /** Lines that are no reading, and are not played. */
  unreadable: number
}

const fileOf = (dir: string) => join(dir, 'readings.csv')

/** The rows of `readings.csv` one by one as the file is read; lines that are no reading come as undefined. */
export async function* recordedRows(dir: string): AsyncGenerator<RecordedRow | undefined, void, void> {
  const lines = createInterface({ input: createReadStream(fileOf(dir)), crlfDelay: Number.POSITIVE_INFINITY })
  for await (const line of lines) {
    if (line === '' || line.startsWith('epoch_s')) continue
    const [at, kind, value] = line.split(',')
    const row = { at: Number(at), kind, value: Number(value) }
    const readable = at !== '' && value !== '' && Number.isFinite(row.at) && Number.isFinite(row.value)
    yield readable && (kind === 'water' || kind === 'electricity') ? { ...row, kind } : undefined
  }
}

/**
 * Looks through a recording once, without keeping it.
 * @throws StartError naming the file that is missing or holds nothing
 */
export async function readRecording(dir: string): Promise<Recording> {
  const timeZone = await readTimeZone(join(dir, 'home.json'))
  const kinds = new Set<RecordedRow['kind']>()
  const recording = { firstAt: Number.POSITIVE_INFINITY, lastAt: Number.NEGATIVE_INFINITY, rows: 0, unreadable: 0 }
  try {
    for await (const row of recordedRows(dir)) {
      if (!row) {
        recording.unreadable++
        continue
      }
      recording.rows++
      kinds.add(row.kind)
      recording.firstAt = Math.min(recording.firstAt, row.at)
      recording.lastAt = Math.max(recording.lastAt, row.at)
    }
  } catch (error) {
    throw new StartError(`${fileOf(dir)}: ${(error as Error).message}`)
  }
  if (recording.rows === 0) throw new StartError(`${fileOf(dir)} holds no readings`)
  return { timeZone, kinds: [...kinds], ...recording }
}

async function readTimeZone(file: string): Promise<string> {
  try {
    const home: unknown = JSON.parse(await readFile(file, 'utf8'))
    const zone = typeof home === 'object' && home !== null && 'timezone' in home ? home.timezone : undefined
    if (typeof zone !== 'string') throw new Error('no "timezone" in it')
    return new Intl.DateTimeFormat('en', { timeZone: zone }).resolvedOptions().timeZone
  } catch (error) {
    throw new StartError(`${file}: ${(error as Error).message}`)
  }
}

/**
 * By how many seconds a recording moves so that it ends now. It moves by whole local days, so that the hours of the day
 * stay true (across a change of the clocks, true at its end). `live`: its last day lies on today's, and ends within the
 * next 24 h, so that something is left to be played as its time comes. `whole`: all of it is past, and ended within the
 * last 24 h.
 */
export function shiftSeconds(
  { lastAt, timeZone }: Pick<Recording, 'lastAt' | 'timeZone'>,
  nowS: number,
  ends: 'live' | 'whole',
): number {
  const lastDay = dayOf(lastAt, timeZone)
  const shiftTo = (day: number) => midnight(day, timeZone) - midnight(lastDay, timeZone)
  const today = dayOf(nowS, timeZone)
  const candidates = [today - 1, today, today + 1].map(shiftTo)
  return ends === 'whole'
    ? Math.max(...candidates.filter((shift) => lastAt + shift <= nowS))
    : Math.min(...candidates.filter((shift) => lastAt + shift >= nowS))
}
