import { mkdtemp, rm } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { basename, join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { createTestDashboard, logIn } from '../dashboard/test-app.js'
import { registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import { systemClock } from '../kit/clock.js'
import { seededRandom } from '../simulators/random.js'
import { staffPassword } from './support/community.js'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, eventually, freePort, seedOf } from './support/processes.js'
import { backwardSteps, readWater, writeHourlyRecording, writeIrregularRecording } from './support/recordings.js'

const dayS = 86_400
const foldMsMax = 100_000

const processes = createProcesses()
const seed = seedOf('recordings')
/** Where the recordings of real homes lie: where that is not said, the test plays only two that it makes up itself. */
const { RECORDINGS_DIR: realDir } = process.env
const realHomes = [
  'naples-water',
  'alicante-water-1c71ebe5',
  'alicante-water-58e154b1',
  'alicante-water-219ffd09', // 163 backward steps
]
const recordings = ['made-up-hourly', 'made-up-irregular', ...(realDir ? realHomes : [])]

let database: TestDatabase
let folder: string
let env: Record<string, string>

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shouwang-recordings-'))
  const random = seededRandom(seed, 'recordings')
  await writeHourlyRecording({ folder, name: 'made-up-hourly', random })
  await writeIrregularRecording({ folder, name: 'made-up-irregular', random })
  database = await startTestDatabase()
  const document = registerDocument.parse({
    communities: [{ id: 'simulated', name: '模拟社区' }],
    staff: [
      {
        id: 'r-worker',
        name: '示例·张社工',
        role: 'social_worker',
        login: 'r-worker',
        password: staffPassword,
        communities: ['simulated'],
      },
    ],
  })
  await register(database.db, { document, timeZoneDefault: 'Asia/Shanghai', now: new Date() })
  env = {
    DATABASE_URL: database.url,
    MQTT_PORT: String(await freePort()),
    MQTT_WS_PORT: String(await freePort()),
    EDGE_HTTP_PORT: String(await freePort()),
    ALERTS_HTTP_PORT: String(await freePort()),
    // Some recordings are longer than the default of 13 months.
    RETENTION_DAYS: '3660',
    LOG_LEVEL: 'info',
  }
  await processes.start('broker/main', { env }).printed('edge.listening')
  await processes.start('alerts/main', { env }).printed('alerts.started')
})
afterAll(async () => {
  await processes.stopAll()
  await database?.stop()
  await rm(folder, { recursive: true, force: true })
})

test.each(recordings)(
  '%s played in: each reading is there once, backward steps are noted, two weeks are drawn',
  async (name) => {
    const dir = join(realHomes.includes(name) ? realDir! : folder, name)
    const { timeZone, rows, first } = await readWater(dir)
    const steps = backwardSteps(first)
    const gatewayId = `rec-${basename(dir)}`

    const startedAt = performance.now()
    const playing = processes.start('simulators/main', { env, args: ['--recording', dir, '--once'] })
    const { code } = await playing.closed
    const playedMs = performance.now() - startedAt
    expect({ code, stderr: playing.stderr() }).toEqual({ code: 0, stderr: '' })
    expect(playing.stdout()).toContain(`${rows} rows, ${rows} sent, ${rows} acknowledged`)

    const stored = await storedReadings(gatewayId)
    const shift = stored.at(-1)!.at - first.at(-1)!.at
    const clockAt = (at: number) =>
      new Intl.DateTimeFormat('en-GB', { timeZone, timeStyle: 'medium' }).format(at * 1_000)
    const endedAt = stored.at(-1)!.at
    expect(clockAt(endedAt), 'the hour of the day').toBe(clockAt(first.at(-1)!.at))
    expect(Date.now() / 1_000 - endedAt, 'seconds since its end').toBeLessThan(dayS + 60)
    expect(stored.length).toBe(first.length)
    const differing = first.filter(({ at, value }, n) => stored[n]!.at !== at + shift || stored[n]!.value !== value)
    expect(differing.slice(0, 5), `${differing.length} readings are not as recorded`).toEqual([])

    await eventually('all of it folded', async () => (await unfolded(gatewayId)) === 0 || undefined, foldMsMax)
    const foldedMs = performance.now() - startedAt
    expect(await findings(gatewayId), 'backward steps').toEqual(steps.map((at) => ({ at: at + shift, kept: true })))

    const page = await residentPage(gatewayId)
    const days = daysDrawn(page)
    expect(days.length).toBe(14)
    // The day on which it ends and today may be empty, and each hole may take a day.
    const usedDays = days.filter(({ used }) => used > 0).length
    const daysWithUse = localDaysWithUse(stored, timeZone)
    expect(daysWithUse).toBeGreaterThan(2)
    expect(
      Math.abs(usedDays - daysWithUse),
      `${usedDays} of ${daysWithUse} days with use are drawn`,
    ).toBeLessThanOrEqual(1)
    console.log(
      `${name}: ${rows} rows, ${stored.length} readings, ${steps.length} backward steps noted; played in ${(playedMs / 1_000).toFixed(1)} s, ` +
        `folded after ${(foldedMs / 1_000).toFixed(1)} s; ${usedDays} of the last 14 days show use (${daysWithUse} have it)`,
    )
  },
)

async function storedReadings(gatewayId: string) {
  const { rows } = await database.db.query<{ at: number; value: number }>(
    `select extract(epoch from observed_at)::float8 as at, value from readings join devices using (device_no)
      where gateway_id = $1 order by observed_at`,
    [gatewayId],
  )
  return rows
}

async function unfolded(residentId: string) {
  const { rows } = await database.db.query<{ n: number }>('select count(*) as n from arrivals where resident_id = $1', [
    residentId,
  ])
  return rows[0]!.n
}

async function findings(gatewayId: string) {
  const { rows } = await database.db.query<{ at: number; kept: boolean }>(
    `select extract(epoch from received_at)::float8 as at, kept from quarantine
      where gateway_id = $1 and reason = 'register ran backwards' order by received_at`,
    [gatewayId],
  )
  return rows
}

async function residentPage(residentId: string): Promise<string> {
  const { app } = await createTestDashboard(database.db, { clock: systemClock })
  try {
    const cookie = await logIn(app, { login: 'r-worker', password: staffPassword })
    const url = `/residents/${residentId}`
    const response = await app.inject({ url, headers: { cookie, 'accept-language': 'en' } })
    expect(response.statusCode).toBe(200)
    return response.body
  } finally {
    await app.close()
  }
}

/** The rows of the water chart of the last days, newest first: in how many hours use is drawn. */
function daysDrawn(page: string): { used: number }[] {
  const chart = page.slice(page.indexOf('class="strip"'), page.indexOf('axis-row'))
  const [, ...rows] = chart.split('class="strip-row"')
  return rows.map((row) => ({ used: row.match(/<rect class="s[1-9]"/g)?.length ?? 0 }))
}

/** On how many of the last 14 local days the register rose. */
function localDaysWithUse(readings: { at: number; value: number }[], timeZone: string): number {
  const day = new Intl.DateTimeFormat('en-CA', { timeZone, dateStyle: 'short' })
  const last14 = new Set(Array.from({ length: 14 }, (_, ago) => day.format(Date.now() - ago * dayS * 1_000)))
  const used = readings
    .filter(({ value }, n) => n > 0 && value > readings[n - 1]!.value)
    .map(({ at }) => day.format(at * 1_000))
  return new Set(used.filter((date) => last14.has(date))).size
}
