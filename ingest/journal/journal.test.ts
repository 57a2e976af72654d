import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { createLog } from '../../kit/log.js'
import { decodeMessage, encodeMessage } from './entry.js'
import { JournalFull, openJournal } from './journal.js'

const log = createLog({ role: 'test', level: 'silent' })
const all = { entriesMax: 1_000, bytesMax: 1_000_000 }

function newFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'shouwang-journal-'))
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }))
  return folder
}
async function open(folder = newFolder(), bytesMax = 1_000_000) {
  const journal = await openJournal({ folder, bytesMax, log })
  onTestFinished(() => journal.close())
  return journal
}
const texts = (entries: { value: Buffer }[]) => entries.map(({ value }) => value.toString())

test('gives back what was appended, in order, each range apart', async () => {
  const journal = await open()
  await Promise.all(['one', 'two', 'three'].map((text) => journal.append('meters', Buffer.from(text))))
  await journal.append('alarms', Buffer.from('fire'))
  expect(texts(await journal.oldest('meters', all))).toEqual(['one', 'two', 'three'])
  expect(texts(await journal.oldest('alarms', all))).toEqual(['fire'])
  expect(journal.waiting('meters')).toBe(3)
  expect(journal.bytes()).toBe('onetwothreefire'.length)
})

test('takes at least one entry, and no more than asked for', async () => {
  const journal = await open()
  for (const text of ['aaaa', 'bbbb', 'cccc']) await journal.append('meters', Buffer.from(text))
  expect(texts(await journal.oldest('meters', { entriesMax: 9, bytesMax: 1 }))).toEqual(['aaaa'])
  expect(texts(await journal.oldest('meters', { entriesMax: 9, bytesMax: 8 }))).toEqual(['aaaa', 'bbbb'])
  expect(texts(await journal.oldest('meters', { entriesMax: 1, bytesMax: 99 }))).toEqual(['aaaa'])
})

test('what was removed is gone, also after it is opened again, and the numbers go on', async () => {
  const folder = newFolder()
  const journal = await openJournal({ folder, bytesMax: 1_000_000, log })
  for (const text of ['one', 'two', 'three']) await journal.append('alarms', Buffer.from(text), { text })
  await journal.remove('alarms', await journal.oldest('alarms', { entriesMax: 2, bytesMax: 1_000 }))
  await journal.close()
  const again = await open(folder)
  expect(again.waiting('alarms')).toBe(1)
  expect(await again.notes()).toEqual([{ seq: 2, note: { text: 'three' } }])
  expect(await again.append('alarms', Buffer.from('four'))).toBe(3)
  expect(texts(await again.oldest('alarms', all))).toEqual(['three', 'four'])
})

test('an empty range is empty, and takes no room', async () => {
  const journal = await open()
  await journal.append('meters', Buffer.from('one'))
  await journal.remove('meters', await journal.oldest('meters', all))
  expect(await journal.oldest('meters', all)).toEqual([])
  expect(journal.waiting('meters')).toBe(0)
  expect(journal.bytes()).toBe(0)
})

test('at its limit it refuses meter readings, never emergencies, and takes them again when there is room', async () => {
  const journal = await open(newFolder(), 10)
  await journal.append('meters', Buffer.from('12345678'))
  await expect(journal.append('meters', Buffer.from('123'))).rejects.toThrow(JournalFull)
  await journal.append('alarms', Buffer.from('a fire, and a long description of it'))
  await journal.remove('alarms', await journal.oldest('alarms', all))
  await journal.remove('meters', await journal.oldest('meters', all))
  await journal.append('meters', Buffer.from('123'))
  expect(journal.waiting('meters')).toBe(1)
})

test('keeps notes beside alarms and replaces them', async () => {
  const journal = await open()
  const seq = await journal.append('alarms', Buffer.from('fire'), { told: 0 })
  await journal.append('alarms', Buffer.from('smoke'))
  await journal.setNote(seq, { told: 1 })
  expect(await journal.notes()).toEqual([{ seq, note: { told: 1 } }])
})

test('keeps values under names', async () => {
  const journal = await open()
  await journal.keep([
    ['gateway/a', { id: 'a' }],
    ['person/王', [1]],
    ['gateway/b', { id: 'b' }],
  ])
  await journal.keep([['gateway/b', undefined]])
  expect(await journal.named('gateway/')).toEqual([['gateway/a', { id: 'a' }]])
  expect(await journal.named('')).toHaveLength(2)
})

test('one process at a time: the second is told in one line', async () => {
  const folder = newFolder()
  await open(folder)
  await expect(openJournal({ folder, bytesMax: 1, log })).rejects.toThrow(
    `setting DATA_DIR: the journal in ${folder} cannot be opened: another process uses it`,
  )
})

test('a message comes back as it came, whatever its bytes', () => {
  const message = {
    gatewayId: 'gw-1',
    topic: 'v1/gw-1/烟感/smoke',
    payload: Buffer.from([0, 255, 1, 123, 10]),
    retain: true,
    receivedAt: new Date(1_780_000_000_123),
    oversizeBytes: 70_000,
  }
  expect(decodeMessage(encodeMessage(message))).toEqual(message)
  const empty = { ...message, payload: Buffer.alloc(0), oversizeBytes: undefined }
  expect(decodeMessage(encodeMessage(empty))).toEqual(empty)
})
