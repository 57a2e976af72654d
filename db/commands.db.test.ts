import { randomUUID } from 'node:crypto'
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest'
import type { DeviceCommand } from '../ingest/dialects/dialect.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { type Community, seedCommunity } from '../test/support/fixtures.js'
import { type CommandAnswer, recordAnswers } from './command-answers.js'
import { cancelCommand, confirmCommand } from './command-decisions.js'
import { claimCommands, expireCommands, lookForCommands, postponeCommand, recordCommandSent } from './command-queue.js'
import { findCommand, listCommands, listWaitingCommands, newestCommandChange } from './command-views.js'
import { askableDevices, askCommand, findSpeaks } from './commands.js'
import { dropOldRows } from './maintenance.js'

const now = new Date('2026-03-10T06:05:00Z')
const after = (ms: number) => new Date(now.getTime() + ms)
const minute = 60_000
const leaseMs = 10_000
const prompt: DeviceCommand = { name: 'prompt', text: '您好，请开一下门', language: 'yue' }
const valve: DeviceCommand = { name: 'close valve' }

let database: TestDatabase
let db: TestDatabase['db']
let c: Community
let other: Community
let speaker: number
let leak: number
let seeded = 0

beforeAll(async () => {
  database = await startTestDatabase()
  db = database.db
})
afterAll(() => database?.stop())
beforeEach(async () => {
  seeded += 1
  await db.query('delete from commands')
  c = await seedCommunity(db, { key: `c${seeded}`, now })
  other = await seedCommunity(db, { key: `o${seeded}`, now })
  speaker = await bind('voice', 'speaker')
  leak = await bind('leak', 'leak')
})

const home = () => c.residents[0]!.residentId
async function bind(kind: string, short: string): Promise<number> {
  const { rows } = await db.query<{ device_no: number }>(
    `insert into devices (device_id, kind, gateway_id, resident_id, room, bound_at) values ($1, $2, $3, $4, '客厅', $5) returning device_no`,
    [`${home()}-${short}`, kind, c.gatewayId, home(), now],
  )
  return rows[0]!.device_no
}
const ask = (command: DeviceCommand, over: Partial<Parameters<typeof askCommand>[1]> = {}) =>
  askCommand(db, {
    residentId: home(),
    deviceNo: command.name === 'close valve' ? leak : speaker,
    command,
    staffId: c.staff.worker.staffId,
    communityIds: [c.communityId],
    now,
    ...over,
  })
async function asked(command: DeviceCommand, over = {}): Promise<string> {
  const result = await ask(command, over)
  if (result.kind !== 'asked') throw new Error(result.kind)
  return result.commandId
}
const by = (staffId: string, commandId: string, over = {}) => ({
  commandId,
  staffId,
  communityIds: [c.communityId],
  now,
  ...over,
})
const claim = (over = {}) => claimCommands(db, { gatewayIds: [c.gatewayId], now, leaseMs, rowsMax: 10, ...over })
const stateOf = async (commandId: string, at = now) =>
  (await findCommand(db, { commandId, communityIds: [c.communityId], now: at }))!.state
const answer = (commandId: string, over: Partial<CommandAnswer> = {}): CommandAnswer => ({
  commandId,
  gatewayId: c.gatewayId,
  deviceId: `${home()}-speaker`,
  result: 'done',
  detail: '',
  receivedAt: now.getTime() + 1_000,
  ...over,
})

test('what a home can be asked: by kind, the speaker first, of devices that hang there', async () => {
  const devices = await askableDevices(db, home())
  expect(devices[0]).toMatchObject({
    deviceNo: speaker,
    kind: 'voice',
    commands: ['prompt', 'chime', 'led', 'self-test'],
  })
  expect(devices.map(({ kind }) => kind).sort()).toEqual(['button', 'leak', 'smoke', 'voice', 'water'])
  await db.query('update devices set unbound_at = $2 where device_no = $1', [speaker, now])
  expect((await askableDevices(db, home())).map(({ kind }) => kind)).not.toContain('voice')
  expect(await ask(prompt)).toEqual({ kind: 'missing' })
})

test('a prompt: pending, claimed once, sent, done; its language is what the resident speaks', async () => {
  const before = await newestCommandChange(db)
  const commandId = await asked(prompt)
  expect(await newestCommandChange(db)).toBeGreaterThan(before)
  expect(await findSpeaks(db, home())).toBe('yue')
  expect(await lookForCommands(db, now)).toEqual({ gatewayIds: [c.gatewayId], expired: false })
  const [claimed, ...more] = await claim()
  expect(more).toEqual([])
  expect(claimed).toMatchObject({ commandId, command: prompt, attempt: 1, expiresAt: after(5 * minute) })
  expect(claimed!.device).toMatchObject({ deviceId: `${home()}-speaker`, kind: 'voice', dialect: 'v1' })
  expect(await claim()).toEqual([])
  expect(await lookForCommands(db, now)).toEqual({ gatewayIds: [], expired: false })
  await recordCommandSent(db, { commandId, now: after(500) })
  expect(await stateOf(commandId)).toBe('sent')
  expect(await claim({ now: after(2 * leaseMs) })).toEqual([])
  expect(await recordAnswers(db, [answer(commandId)])).toEqual([])
  const [row] = await listCommands(db, { residentId: home(), now, rowsMax: 5 })
  expect(row).toMatchObject({
    state: 'done',
    text: prompt.text,
    language: 'yue',
    endedAt: after(1_000),
    askedBy: { staffId: c.staff.worker.staffId },
  })
})

test('a claim whose process died is free after its lease, with the same id and one more attempt', async () => {
  const commandId = await asked({ name: 'chime' })
  expect(await claim()).toHaveLength(1)
  expect(await claim({ now: after(leaseMs - 1) })).toEqual([])
  expect(await claim({ now: after(leaseMs) })).toMatchObject([{ commandId, attempt: 2 }])
})

test('what a device says that it cannot do is not offered again', async () => {
  const commandId = await asked(prompt)
  await claim()
  await recordAnswers(db, [answer(commandId, { result: 'failed', detail: 'device cannot' })])
  expect((await askableDevices(db, home()))[0]).toMatchObject({
    deviceNo: speaker,
    commands: ['chime', 'led', 'self-test'],
  })
  const chime = await asked({ name: 'chime' })
  await claim()
  await recordAnswers(db, [answer(chime, { result: 'failed', detail: '没有电' })])
  expect((await askableDevices(db, home()))[0]!.commands).toContain('chime')
})

test('only commands of the gateways that are here are claimed', async () => {
  await asked({ name: 'chime' })
  expect(await claim({ gatewayIds: [other.gatewayId] })).toEqual([])
})

test("a gateway at somebody else's broker gets its commands when it is on record as there, and nothing acknowledges them", async () => {
  const there = (online: boolean) =>
    db.query(`update gateways set via = 'attached', online = $2 where gateway_id = $1`, [c.gatewayId, online])
  await there(false)
  const commandId = await asked(prompt)
  expect(await lookForCommands(db, now)).toEqual({ gatewayIds: [], expired: false })
  await there(true)
  expect(await lookForCommands(db, now)).toEqual({ gatewayIds: [c.gatewayId], expired: false })
  await claim()
  await recordCommandSent(db, { commandId, now, acknowledged: false })
  expect(await findCommand(db, { commandId, communityIds: [c.communityId], now })).toMatchObject({
    state: 'sent',
    detail: 'not acknowledged',
  })
  await there(false)
  await asked({ name: 'chime' })
  expect(await lookForCommands(db, after(5 * minute))).toEqual({ gatewayIds: [], expired: true })
})

test('one device gets one at a time, in the order in which they were asked', async () => {
  const on = await asked({ name: 'led', on: true })
  const off = await asked({ name: 'led', on: false })
  expect((await claim()).map(({ commandId }) => commandId)).toEqual([on])
  expect(await claim()).toEqual([])
  await postponeCommand(db, { commandId: on, dueAt: after(2_000), detail: 'no answer', neverLeft: false })
  expect(await claim()).toEqual([])
  expect((await claim({ now: after(2_000) })).map(({ commandId }) => commandId)).toEqual([on])
  await recordCommandSent(db, { commandId: on, now })
  expect((await claim()).map(({ commandId }) => commandId)).toEqual([off])
})

test('what is not sent in time expires, with the reason, and is not sent any more', async () => {
  const commandId = await asked(prompt)
  expect(await lookForCommands(db, after(5 * minute))).toEqual({ gatewayIds: [], expired: true })
  expect(await claim({ now: after(5 * minute) })).toEqual([])
  // Also while no edge is there to note it.
  expect(await stateOf(commandId, after(5 * minute))).toBe('expired')
  await expireCommands(db, after(5 * minute))
  const row = await findCommand(db, { commandId, communityIds: [c.communityId], now })
  expect(row).toMatchObject({ state: 'expired', detail: 'gateway away', endedAt: after(5 * minute) })
  expect(await lookForCommands(db, after(6 * minute))).toEqual({ gatewayIds: [], expired: false })
})

test('what is being sent does not expire under the hand of who sends it', async () => {
  const commandId = await asked(prompt)
  const late = after(5 * minute - 1_000)
  expect(await claim({ now: late })).toHaveLength(1)
  await expireCommands(db, after(5 * minute))
  expect(await stateOf(commandId, after(5 * minute))).toBe('pending')
  await recordCommandSent(db, { commandId, now: after(5 * minute) })
  expect(await stateOf(commandId, after(5 * minute))).toBe('sent')
})

test('a valve waits for a second person of the same community; who asked cannot be the one', async () => {
  const commandId = await asked(valve)
  expect(await stateOf(commandId)).toBe('waiting')
  expect(await claim()).toEqual([])
  const { worker, colleague } = c.staff
  expect(await confirmCommand(db, by(worker.staffId, commandId))).toEqual({ kind: 'same person' })
  const foreign = { communityIds: [other.communityId] }
  expect(await confirmCommand(db, by(other.staff.worker.staffId, commandId, foreign))).toEqual({ kind: 'missing' })
  expect(await cancelCommand(db, by(other.staff.worker.staffId, commandId, foreign))).toEqual({ kind: 'missing' })
  expect(await claim()).toEqual([])
  expect(await listWaitingCommands(db, { communityIds: [c.communityId], now, rowsMax: 5 })).toMatchObject([
    { commandId },
  ])
  expect(await listWaitingCommands(db, { communityIds: [other.communityId], now, rowsMax: 5 })).toEqual([])
  expect(await confirmCommand(db, by(colleague.staffId, commandId, { now: after(9 * minute) }))).toEqual({
    kind: 'done',
  })
  expect(await confirmCommand(db, by(c.staff.supervisor.staffId, commandId))).toEqual({ kind: 'refused' })
  // Its ten minutes begin anew.
  expect(await claim({ now: after(18 * minute) })).toMatchObject([{ commandId, command: valve }])
})

test('the database itself keeps a valve from leaving without a second person', async () => {
  const commandId = await asked(valve)
  const force = (set: string) => db.query(`update commands set ${set} where command_id = $1`, [commandId])
  await expect(force(`state = 'pending'`)).rejects.toThrow(/check constraint/)
  await expect(force(`state = 'pending', confirmed_by = asked_by`)).rejects.toThrow(/check constraint/)
  await expect(force(`state = 'sent'`)).rejects.toThrow(/check constraint/)
  await expect(force('attempts = 1')).rejects.toThrow(/check constraint/)
})

test('a valve that nobody confirms is given up after ten minutes, and can be asked for again', async () => {
  const commandId = await asked(valve)
  const late = after(10 * minute)
  expect(await confirmCommand(db, by(c.staff.colleague.staffId, commandId, { now: late }))).toEqual({ kind: 'refused' })
  const again = await ask(valve, { now: late })
  expect(again.kind).toBe('asked')
  expect(await findCommand(db, { commandId, communityIds: [c.communityId], now: late })).toMatchObject({
    state: 'expired',
    detail: 'not confirmed',
  })
})

test('the same valve is asked for once, a double tap is one command, and leaning on a button is refused', async () => {
  const commandId = await asked(valve)
  expect(await ask(valve, { staffId: c.staff.colleague.staffId })).toEqual({ kind: 'asked before', commandId })
  const both = await Promise.all([ask({ name: 'chime' }), ask({ name: 'chime' })])
  expect(both.map(({ kind }) => kind).sort()).toEqual(['asked', 'asked before'])
  // Something else to say, or the same from somebody else, is something else.
  expect((await ask(prompt)).kind).toBe('asked')
  expect((await ask({ ...prompt, text: '请按一下按钮' })).kind).toBe('asked')
  expect((await ask(prompt, { staffId: c.staff.colleague.staffId })).kind).toBe('asked')
  expect((await ask({ name: 'led', on: true })).kind).toBe('asked')
  expect(await ask({ name: 'led', on: false })).toEqual({ kind: 'too many' })
  expect((await ask({ name: 'led', on: false }, { now: after(5 * minute) })).kind).toBe('asked')
})

test("nobody asks a home of another community, nor one resident's device through another", async () => {
  expect(await ask(prompt, { communityIds: [other.communityId] })).toEqual({ kind: 'missing' })
  expect(await ask(prompt, { residentId: other.residents[0]!.residentId })).toEqual({ kind: 'missing' })
  expect(await ask(prompt, { residentId: c.residents[1]!.residentId })).toEqual({ kind: 'missing' })
  expect(await ask(prompt, { deviceNo: 2_000_000_000 })).toEqual({ kind: 'missing' })
  expect(await ask(valve, { deviceNo: speaker })).toEqual({ kind: 'cannot' })
  await db.query('update residents set left_at = $2 where resident_id = $1', [home(), now])
  expect(await ask(prompt)).toEqual({ kind: 'missing' })
})

test('it can be taken back until it is being sent', async () => {
  const chime = await asked({ name: 'chime' })
  expect(await cancelCommand(db, by(c.staff.colleague.staffId, chime))).toEqual({ kind: 'done' })
  expect(await claim()).toEqual([])
  expect(await findCommand(db, { commandId: chime, communityIds: [c.communityId], now })).toMatchObject({
    state: 'cancelled',
    cancelledBy: c.staff.colleague.name,
  })
  const led = await asked({ name: 'led', on: true })
  await claim()
  expect(await cancelCommand(db, by(c.staff.worker.staffId, led))).toEqual({ kind: 'refused' })
  await recordCommandSent(db, { commandId: led, now })
  expect(await cancelCommand(db, by(c.staff.worker.staffId, led, { now: after(minute) }))).toEqual({ kind: 'refused' })
})

test("an answer counts for its own device's command only: nobody else's gateway, no other device, nothing unasked", async () => {
  const commandId = await asked(prompt)
  const early = answer(commandId)
  expect(await recordAnswers(db, [early])).toEqual([early])
  const waiting = await asked(valve)
  const aboutValve = answer(waiting, { deviceId: `${home()}-leak` })
  expect(await recordAnswers(db, [aboutValve])).toEqual([aboutValve])
  await claim()
  const strangers = [
    answer(commandId, { gatewayId: other.gatewayId }),
    answer(commandId, { deviceId: `${home()}-leak` }),
    answer(randomUUID()),
  ]
  expect(await recordAnswers(db, strangers)).toEqual(strangers)
  expect(await stateOf(commandId)).toBe('pending')
  expect(await stateOf(waiting)).toBe('waiting')
  // One batch with good ones among them: the good ones count, the first of two does.
  const failed = answer(commandId, { result: 'failed', detail: '音量为零' })
  expect(await recordAnswers(db, [strangers[0]!, failed, answer(commandId)])).toEqual([strangers[0]])
  expect(await recordAnswers(db, [answer(commandId)])).toEqual([])
  expect(await findCommand(db, { commandId, communityIds: [c.communityId], now })).toMatchObject({
    state: 'failed',
    detail: '音量为零',
  })
  // The acknowledgement that comes after the answer takes nothing back.
  await recordCommandSent(db, { commandId, now })
  expect(await stateOf(commandId)).toBe('failed')
})

test('what the device says is true, also where we had given it up', async () => {
  const commandId = await asked(prompt)
  await claim()
  await expireCommands(db, after(6 * minute))
  expect(await stateOf(commandId)).toBe('expired')
  expect(await recordAnswers(db, [answer(commandId)])).toEqual([])
  expect(await stateOf(commandId)).toBe('done')
})

test('a device that hangs elsewhere by now is claimed without its address', async () => {
  await asked(prompt)
  await db.query('update devices set unbound_at = $2 where device_no = $1', [speaker, now])
  expect(await claim()).toMatchObject([{ device: undefined }])
})

test('who is out of scope finds nothing', async () => {
  const commandId = await asked(prompt)
  expect(await findCommand(db, { commandId, communityIds: [other.communityId], now })).toBeUndefined()
  expect(await findCommand(db, { commandId: randomUUID(), communityIds: [c.communityId], now })).toBeUndefined()
})

test('what was asked is forgotten when the readings of its time are', async () => {
  const commandId = await asked(prompt)
  const daysOn = (days: number) => ({ now: after(days * 86_400_000), retentionDays: 30 })
  await dropOldRows(db, daysOn(29))
  expect(await stateOf(commandId)).toBe('pending')
  await dropOldRows(db, daysOn(31))
  expect(await listCommands(db, { residentId: home(), now, rowsMax: 5 })).toEqual([])
})
