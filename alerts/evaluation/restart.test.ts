import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { seededRandom } from '../../simulators/random.js'
import { writeHourlyRecording, writeIrregularRecording } from '../../test/support/recordings.js'
import type { Decision } from '../model.js'
import { emptyState, foldInto, type ResidentState } from '../rules/fold.js'
import { homesIn, readingsOf } from './recordings.js'

const seed = Number(process.env.SEED ?? 44)
const everyReadings = 100
const stateBytesMax = 8_192
/** One home of each source, where the recordings of real homes are at hand. */
const real = ['naples-water', 'alicante-water-219ffd09', 'nsw-electricity-10006704']
let folder = ''

beforeAll(async () => {
  folder = mkdtempSync(join(tmpdir(), 'restart-'))
  const random = seededRandom(seed, 'restart')
  await writeHourlyRecording({ folder, name: 'hourly', random })
  await writeIrregularRecording({ folder, name: 'irregular', random })
})
afterAll(() => rmSync(folder, { recursive: true }))

const { RECORDINGS_DIR: realDir } = process.env
const homes: [name: string, parent: () => string][] = [
  ['hourly', () => folder],
  ['irregular', () => folder],
  ...(realDir ? real.map((name): [string, () => string] => [name, () => realDir]) : []),
]

test.each(homes)(
  'the engine restarted at every 100th reading gives the identical list of alerts, from 8 KB: %s',
  (name, parent) => {
    const home = homesIn(join(parent(), name))[0]!
    const { readings } = readingsOf(home)
    const context = { timeZone: home.timeZone, alarmsPerMonth: 4 }
    const whole: Decision[] = []
    foldInto(emptyState(), readings, readings.at(-1)!.receivedAt, context, whole)
    const parts: Decision[] = []
    let state = emptyState()
    let bytesMax = 0
    for (let from = 0; from < readings.length; from += everyReadings) {
      const part = readings.slice(from, from + everyReadings)
      const stored = JSON.stringify(state)
      bytesMax = Math.max(bytesMax, Buffer.byteLength(stored))
      state = JSON.parse(stored) as ResidentState
      foldInto(state, part, part.at(-1)!.receivedAt, context, parts)
    }
    expect(whole.length).toBeGreaterThan(0)
    expect(parts).toEqual(whole)
    expect(bytesMax).toBeLessThanOrEqual(stateBytesMax)
  },
  60_000,
)
