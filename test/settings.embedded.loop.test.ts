import { randomUUID } from 'node:crypto'
import { mkdtemp, readFile, rm } from 'node:fs/promises'
import { createServer, type Server } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { startTestDatabase, type TestDatabase } from './support/database.js'
import { createProcesses, freePort } from './support/processes.js'

/** Each role as the process that `npm run` starts. */
const entries = {
  'all-in-one': 'main',
  edge: 'broker/main',
  alerts: 'alerts/main',
  dashboard: 'dashboard/main',
  simulate: 'simulators/main',
} as const
type Role = keyof typeof entries
const allRoles = Object.keys(entries) as Role[]
const atOnce = 3

const processes = createProcesses()
let database: TestDatabase
let folder: string
let taken: Server
let takenPort: string
let closedPort: string

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'shouwang-settings-'))
  database = await startTestDatabase()
  closedPort = String(await freePort())
  takenPort = String(await freePort())
  taken = createServer()
  await new Promise<void>((resolve) => taken.listen(Number(takenPort), '127.0.0.1', resolve))
})
afterAll(async () => {
  await processes.stopAll()
  taken?.close()
  await database?.stop()
  await rm(folder, { recursive: true, force: true })
})

type Wrong = { env: Record<string, string>; named: string; roles?: Role[]; says?: string; secret?: string }

const wrongSettings = (): Wrong[] => [
  { env: { MQTT_PORT: 'abc' }, named: 'MQTT_PORT', says: 'abc' },
  { env: { HTTP_PORT: '70000' }, named: 'HTTP_PORT', says: '70000' },
  { env: { EDGE_HTTP_PORT: '1.5' }, named: 'EDGE_HTTP_PORT', says: '1.5' },
  { env: { DATABASE_URL: 'nonsense:hunter2' }, named: 'DATABASE_URL', secret: 'hunter2' },
  { env: { ATTACH_URL: 'http://u:hunter2@x' }, named: 'ATTACH_URL', secret: 'hunter2' },
  {
    env: { DATABASE_URL: `postgres://postgres:hunter2@127.0.0.1:${closedPort}/postgres` },
    named: 'DATABASE_URL',
    secret: 'hunter2',
  },
  {
    env: { DATABASE_URL: `postgres://postgres@localhost:${closedPort}/postgres` },
    named: 'DATABASE_URL',
    says: closedPort,
  },
  { env: { TZ_DEFAULT: 'Mars/Base' }, named: 'TZ_DEFAULT', says: 'Mars/Base' },
  { env: { RETENTION_DAYS: '1' }, named: 'RETENTION_DAYS', says: '31' },
  { env: { PUBLIC_URL: 'www.example.org' }, named: 'PUBLIC_URL' },
  { env: { LOG_LEVEL: 'loud' }, named: 'LOG_LEVEL', says: 'loud' },
  { env: { TLS_CERT_FILE: '/nowhere/cert.pem' }, named: 'TLS_KEY_FILE' },
  {
    env: { TLS_CERT_FILE: '/nowhere/cert.pem', TLS_KEY_FILE: '/nowhere/key.pem' },
    named: 'TLS_CERT_FILE',
    says: '/nowhere/cert.pem',
    roles: ['edge', 'all-in-one'],
  },
  { env: { MQTT_PORT: takenPort }, named: 'MQTT_PORT', says: 'in use', roles: ['edge', 'all-in-one'] },
  { env: { MQTT_WS_PORT: takenPort }, named: 'MQTT_WS_PORT', says: 'in use', roles: ['edge', 'all-in-one'] },
  { env: { EDGE_HTTP_PORT: takenPort }, named: 'EDGE_HTTP_PORT', says: 'in use', roles: ['edge'] },
  { env: { ALERTS_HTTP_PORT: takenPort }, named: 'ALERTS_HTTP_PORT', says: 'in use', roles: ['alerts'] },
  { env: { HTTP_PORT: takenPort }, named: 'HTTP_PORT', says: 'in use', roles: ['dashboard', 'all-in-one'] },
]

test('a wrong setting ends the start with code 1 and one line that names it', async () => {
  const cases = wrongSettings().flatMap((wrong) => (wrong.roles ?? allRoles).map((role) => ({ role, wrong })))
  const worker = async () => {
    for (let one = cases.shift(); one; one = cases.shift()) await startAndSee(one)
  }
  await Promise.all(Array.from({ length: atOnce }, worker))
})

async function startAndSee({ role, wrong: { env, named, says, secret } }: { role: Role; wrong: Wrong }) {
  const ports = ['MQTT_PORT', 'MQTT_WS_PORT', 'MQTTS_PORT', 'HTTP_PORT', 'EDGE_HTTP_PORT', 'ALERTS_HTTP_PORT']
  const running = processes.start(entries[role], {
    env: {
      ...Object.fromEntries(ports.map((port) => [port, '0'])),
      DATABASE_URL: database.url,
      // Each its own: a journal is for one process at a time.
      DATA_DIR: join(folder, randomUUID()),
      ...env,
    },
    args: role === 'simulate' ? ['--homes', '1'] : [],
  })
  const what = `${role} with ${JSON.stringify(env)}`
  const { code } = await running.closed
  const stderr = running.stderr()
  expect({ what, code, stderr }).toEqual({ what, code: 1, stderr: expect.stringMatching(/^shouwang: [^\n]+\n$/) })
  expect(stderr, what).toContain(named)
  if (says) expect(stderr, what).toContain(says)
  if (secret) expect(stderr + running.stdout(), what).not.toContain(secret)
}

test('a start that fails halfway takes the embedded database down with it', async () => {
  const dataDir = join(folder, 'half')
  const running = processes.start('main', {
    env: { DATA_DIR: dataDir, MQTT_PORT: takenPort, MQTT_WS_PORT: '0', HTTP_PORT: '0' },
  })
  const { code } = await running.closed // comes only when its database child is gone too: it holds stderr
  expect({ code, stderr: running.stderr() }).toEqual({
    code: 1,
    stderr: expect.stringMatching(/^shouwang: setting MQTT_PORT[^\n]+in use[^\n]*\n$/),
  })
  await expect(readFile(join(dataDir, 'embedded.json'))).rejects.toThrow('ENOENT')
})
