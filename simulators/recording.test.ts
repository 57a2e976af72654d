import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, expect, test } from 'vitest'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { wallSeconds } from './calendar.js'
import { createGateway } from './gateway.js'
import { playRecording, summaryLine } from './playback.js'
import { readRecording, shiftSeconds } from './recording.js'
import { startTestBroker } from './test-broker.js'
import { until } from './test-wait.js'

const log = createLog({ role: 'test', level: 'silent' })
const undo: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})

/** Summer in Rome, 2019; the present is winter. */
const firstAt = Date.parse('2019-07-01T06:30:00Z') / 1_000
const now = new Date('2026-01-20T09:00:00Z')

async function recordingDir(lines: string[], home = '{"timezone":"Europe/Rome"}') {
  const dir = await mkdtemp(join(tmpdir(), 'recording-'))
  undo.push(() => rm(dir, { recursive: true }))
  await writeFile(join(dir, 'home.json'), home)
  await writeFile(join(dir, 'readings.csv'), ['epoch_s,kind,value', ...lines].join('\n'))
  return dir
}

/** Three days, both kinds, with a hole of a day, a backward step, repeated rows, and lines that are no reading. */
function lines(): string[] {
  const rows: string[] = []
  for (let at = firstAt; at < firstAt + 3 * 86_400; at += 600) {
    const n = (at - firstAt) / 600
    if (n >= 150 && n < 294) continue
    rows.push(`${at},water,${n === 100 ? 500 : 1_000 + n}`)
    if (n % 50 === 0) rows.push(`${at},water,${9_999}`)
    rows.push(`${at},electricity,${n * 20}`)
  }
  rows.splice(7, 0, 'noise', '12,13', `${firstAt},steam,4`)
  return rows
}

async function rig(dir: string) {
  const broker = await startTestBroker()
  undo.push(() => broker.stop())
  const gateway = createGateway({ gatewayId: 'rec', secret: 's', url: broker.url, log, reconnectMs: 50 })
  undo.push(() => gateway.stop())
  gateway.start()
  const recording = await readRecording(dir)
  const stop = new AbortController()
  const parts = { dir, recording, gateway, devices: { water: 'w', electricity: 'e' }, signal: stop.signal }
  return { broker, gateway, recording, stop, parts }
}
type Sent = { ts: number; litres: number }

test('once: every row arrives as recorded and in order, the last within the last day', async () => {
  const dir = await recordingDir(lines())
  const { broker, parts, recording } = await rig(dir)
  const summary = await playRecording({ ...parts, clock: manualClock(now), once: true })
  const sent = broker.readings<Sent>('v1/rec/w/water')
  const recorded = lines().flatMap((line) => {
    const [at, kind, value] = line.split(',')
    return kind === 'water' ? [{ ts: Number(at) + summary.shiftS, litres: Number(value) }] : []
  })
  expect(sent).toEqual(recorded)
  expect(sent.at(-1)!.ts).toBeLessThanOrEqual(now.getTime() / 1_000)
  expect(sent.at(-1)!.ts).toBeGreaterThan(now.getTime() / 1_000 - 86_400)
  const repeats = 6
  expect(summary).toMatchObject({ unreadable: 3, repeated: repeats, backward: repeats + 1, dropped: 0 })
  expect(summary.acknowledged).toBe(summary.rows)
  expect(broker.received.some(({ payload }) => payload.startsWith('['))).toBe(true)
  expect(summaryLine('x', recording, summary)).toContain(`${summary.rows} rows, ${summary.rows} sent`)
})

test('live: the rest comes as its time comes, never before', async () => {
  const dir = await recordingDir(lines())
  const { broker, parts, stop } = await rig(dir)
  const clock = manualClock(now)
  const playing = playRecording({ ...parts, clock, once: false, signal: stop.signal })
  const newest = () => (broker.readings<Sent>('v1/rec/w/water').at(-1)?.ts ?? 0) * 1_000
  await until(() => newest() > now.getTime() - 600_000)
  await new Promise((resolve) => setTimeout(resolve, 600))
  expect(newest()).toBeLessThanOrEqual(clock.now().getTime())
  clock.advance(3_600_000)
  await until(() => newest() > now.getTime() + 3_000_000)
  expect(newest()).toBeLessThanOrEqual(clock.now().getTime())
  clock.advance(86_400_000)
  const summary = await playing
  expect(summary.acknowledged).toBe(summary.rows)
})

test('a stop ends the wait for the next reading', async () => {
  const { gateway, parts, stop } = await rig(await recordingDir(lines()))
  const playing = playRecording({ ...parts, clock: manualClock(now), once: false })
  await until(() => gateway.counters().acknowledged > 100)
  stop.abort()
  const summary = await playing
  expect(summary.sent).toBeLessThan(lines().length)
})

test('the hour of the day stays true, from summer to winter and at any hour of the present', () => {
  for (const timeZone of ['Europe/Rome', 'Australia/Sydney', 'Asia/Shanghai'])
    for (let hour = 0; hour < 48; hour++)
      for (const ends of ['live', 'whole'] as const) {
        const nowS = now.getTime() / 1_000 + hour * 3_600
        const lastAt = firstAt + 7 * 3_600
        const shifted = lastAt + shiftSeconds({ lastAt, timeZone }, nowS, ends)
        expect(wallSeconds(shifted, timeZone) % 86_400).toBe(wallSeconds(lastAt, timeZone) % 86_400)
        const ahead = shifted - nowS
        expect(ends === 'live' ? ahead >= 0 && ahead < 86_400 : ahead <= 0 && ahead > -86_400, `${ends} ${ahead}`).toBe(
          true,
        )
      }
})

test('what cannot be played is said in one line', async () => {
  await expect(readRecording(join(tmpdir(), 'no-such-recording'))).rejects.toThrow(/home\.json/)
  await expect(readRecording(await recordingDir([]))).rejects.toThrow(/readings\.csv holds no readings/)
  await expect(readRecording(await recordingDir(lines(), '{}'))).rejects.toThrow(/timezone/)
  await expect(readRecording(await recordingDir(lines(), '{"timezone":"Mars/Base"}'))).rejects.toThrow(/Mars/)
})
