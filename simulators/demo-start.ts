import { randomBytes } from 'node:crypto'
import { mkdir, readFile, writeFile } from 'node:fs/promises'
import { findFamilyLink, issueFamilyLink } from '../db/family.js'
import { deviceNumbers, newestRegisters } from '../db/known-registers.js'
import type { Database } from '../db/pool.js'
import { insertReadings, type ReadingRow } from '../db/readings.js'
import { type RegisterInput, registerDocument } from '../db/register/document.js'
import { register } from '../db/register/register.js'
import { decodePayload } from '../ingest/decode.js'
import type { Clock } from '../kit/clock.js'
import type { Teardown } from '../kit/lifecycle.js'
import type { Log } from '../kit/log.js'
import { arrivedAt, type DemoCommunity, demoCommunity, demoHomes } from './demo.js'
import { demoHistory } from './demo-history.js'
import { startDemoPhone } from './demo-phone.js'
import { createRunner } from './runner.js'

/** Made once per DATA_DIR, so that nobody elsewhere knows the demo's passwords. */
type DemoSecrets = { password: string; gatewaySeed: string; webhookSecret: string; familyToken?: string }

const historyDays = 30
const rowsPerStatement = 2_000

export type Demo = {
  password: string
  logins: { supervisor: string; worker: string; operator: string }
  familyToken: string
  button: { gatewayId: string; deviceId: string; secret: string }
}

/**
 * Puts the demo community into the database, with its staff, its thirty days of history (a second start adds only what
 * is missing) and a phone that prints the pages. `live` then lets the homes live over MQTT.
 */
export async function startDemo({
  db,
  dataDir,
  timeZone,
  clock,
  log,
  print,
  teardown,
}: {
  db: Database
  dataDir: string
  timeZone: string
  clock: Clock
  log: Log
  print: (line: string) => void
  teardown: Teardown
}): Promise<{ demo: Demo; live: (mqttUrl: string) => Promise<void> }> {
  const secrets = await keepSecrets(dataDir)
  const phone = await startDemoPhone({ print })
  teardown.add('demo phone', phone.stop)
  const community = demoCommunity({ timeZone, gatewaySecret: (id) => `${secrets.gatewaySeed}-${id}` })
  const now = clock.now()
  const document = registerDocument.parse(describe(community, { secrets, phoneUrl: phone.url }))
  await register(db, { document, timeZoneDefault: timeZone, now })

  const known = secrets.familyToken && (await findFamilyLink(db, secrets.familyToken))
  const familyToken = known ? secrets.familyToken! : await issueFamilyLink(db, { familyMemberId: 'demo-daughter', now })
  await saveSecrets(dataDir, { ...secrets, familyToken })

  const { gatewayId, secret, devices } = community.residents[4]!.home
  return {
    demo: {
      password: secrets.password,
      logins: { supervisor: 'demo-supervisor', worker: 'demo-worker', operator: 'demo-operator' },
      familyToken,
      button: { gatewayId, deviceId: devices.button!, secret },
    },
    live: async (mqttUrl) => {
      let stopped = false
      teardown.add('demo history', () => {
        stopped = true
      })
      const startedAt = clock.now().getTime()
      const homes = demoHomes(community, startedAt)
      const registers = () =>
        newestRegisters(
          db,
          homes.flatMap((home) => Object.values(home.devices)),
        )
      await commitHistory({ db, homes, now: startedAt, known: await registers(), isStopped: () => stopped })
      if (stopped) return
      const runner = createRunner({ homes, from: startedAt, clock, url: mqttUrl, log, known: await registers() })
      runner.start()
      teardown.add('demo homes', runner.stop)
    },
  }
}

async function commitHistory({
  db,
  homes,
  now,
  known,
  isStopped,
}: {
  db: Database
  homes: ReturnType<typeof demoHomes>
  now: number
  known: Awaited<ReturnType<typeof newestRegisters>>
  isStopped: () => boolean
}) {
  const numbers = await deviceNumbers(
    db,
    homes.flatMap((home) => Object.values(home.devices)),
  )
  for (const home of homes) {
    if (isStopped()) return
    const rows: ReadingRow[] = []
    for (const { deviceId, kind, readings } of demoHistory({ homes: [home], now, days: historyDays, known })) {
      const decoded = decodePayload({ kind, payload: Buffer.from(JSON.stringify(readings)), receivedAt: now })
      // A second start must not ring for what a button did while nobody was listening.
      if (kind !== 'water' && kind !== 'electricity') continue
      for (const reading of decoded.readings) {
        const receivedAt = arrivedAt(home, reading.observedAt, now)
        if (receivedAt !== null) rows.push({ ...reading, deviceNo: numbers.get(deviceId)!, receivedAt })
      }
    }
    rows.sort((a, b) => a.observedAt - b.observedAt)
    // In one transaction, so that the rules see the past whole: half of it would look like a gateway that fell silent.
    await db.transaction(async (tx) => {
      for (let start = 0; start < rows.length; start += rowsPerStatement)
        await insertReadings(tx, rows.slice(start, start + rowsPerStatement))
    })
  }
}

function describe(
  community: DemoCommunity,
  { secrets, phoneUrl }: { secrets: DemoSecrets; phoneUrl: string },
): RegisterInput {
  const { communityId, name, timeZone, residents } = community
  const channels = (who: string) => [
    { kind: 'webhook' as const, address: `${phoneUrl}/${who}`, secret: secrets.webhookSecret },
  ]
  const staff = (id: string, person: string, role: 'operator' | 'supervisor' | 'social_worker') => ({
    id,
    name: person,
    role,
    login: id,
    password: secrets.password,
    phone: '000-0000-0100',
    communities: [communityId],
    channels: role === 'operator' ? [] : channels(id),
  })
  return {
    communities: [{ id: communityId, name, timeZone }],
    staff: [
      staff('demo-worker', '示例·张社工', 'social_worker'),
      staff('demo-colleague', '示例·林社工', 'social_worker'),
      staff('demo-night-1', '示例·周社工', 'social_worker'),
      staff('demo-night-2', '示例·吴社工', 'social_worker'),
      staff('demo-supervisor', '示例·黄主管', 'supervisor'),
      staff('demo-operator', '示例·运维', 'operator'),
    ],
    residents: residents.map((resident) => ({
      id: resident.residentId,
      community: communityId,
      name: resident.name,
      address: resident.address,
      phone: resident.phone,
      keyHolder: '楼下值班室（示例）',
      ...(resident.residentId === 'demo-01'
        ? { doorCode: '0000#', healthNote: '高血压，膝盖不便（示例）', healthInPages: true }
        : {}),
      responsible: 'demo-worker',
    })),
    gateways: [
      ...new Map(
        residents.map(({ home, address }) => [
          home.gatewayId,
          { id: home.gatewayId, community: communityId, secret: home.secret, label: address },
        ]),
      ).values(),
    ],
    devices: residents.flatMap(({ residentId, home, rooms }) =>
      Object.entries(home.devices).map(([kind, id]) => ({
        id,
        kind: kind as keyof typeof rooms,
        gateway: home.gatewayId,
        resident: residentId,
        room: rooms[kind as keyof typeof rooms] ?? '',
      })),
    ),
    family: [{ id: 'demo-daughter', resident: residents[4]!.residentId, name: '示例·女儿', relation: '女儿' }],
    roster: demoRoster.map((shift) => ({ ...shift, community: communityId })),
  }
}

/** The days of one, the nights of two in turns of a week. */
const demoRoster = [
  { staff: 'demo-colleague', weekdays: [1, 2, 3, 4, 5, 6, 7], start: '08:00', end: '20:00', from: '2026-01-05' },
  ...['demo-night-1', 'demo-night-2'].map((staff, turn) => ({
    staff,
    weekdays: [1, 2, 3, 4, 5, 6, 7],
    start: '20:00',
    end: '08:00',
    from: turn === 0 ? '2026-01-05' : '2026-01-12',
    everyWeeks: 2,
  })),
]

const fileOf = (dataDir: string) => `${dataDir}/demo.json`

async function keepSecrets(dataDir: string): Promise<DemoSecrets> {
  try {
    return JSON.parse(await readFile(fileOf(dataDir), 'utf8')) as DemoSecrets
  } catch {
    // A first start: nothing is there yet.
    const word = (bytes: number) => randomBytes(bytes).toString('base64url')
    return { password: word(9), gatewaySeed: word(12), webhookSecret: word(24) }
  }
}

async function saveSecrets(dataDir: string, secrets: DemoSecrets) {
  await mkdir(dataDir, { recursive: true })
  await writeFile(fileOf(dataDir), JSON.stringify(secrets, null, 2), { mode: 0o600 })
}
