import { afterAll, beforeAll, expect, onTestFinished, test } from 'vitest'
import { createLog } from '../kit/log.js'
import { startTestDatabase, type TestDatabase } from '../test/support/database.js'
import { startFaultyLine } from '../test/support/faulty-line.js'
import { openDatabase } from './pool.js'
import { together } from './together.js'

let database: TestDatabase
const log = createLog({ role: 'test', level: 'silent' })

beforeAll(async () => {
  database = await startTestDatabase()
})
afterAll(() => database.stop())

test('statements of one transaction that do not wait for each other go out together, and are answered in order', async () => {
  const line = await startFaultyLine({ targetUrl: database.url })
  const db = openDatabase({ url: line.url, log })
  onTestFinished(async () => {
    await db.end()
    await line.stop()
  })
  await db.query('select 1')
  const heard: string[] = []
  const marks = ['asks for the first', 'asks for the second']
  line.judge((bytes, from) => {
    if (from === 'client') heard.push(...marks.filter((mark) => bytes.includes(mark)))
    else if (bytes.includes('slept')) heard.push('the first is answered')
    return 'pass'
  })
  const [first, second] = await db.transaction((tx) =>
    together([
      tx.query<{ word: string }>("select 'slept' as word /* asks for the first */ from pg_sleep(0.1)"),
      tx.query<{ word: string }>("select 'second' as word /* asks for the second */"),
    ]),
  )
  expect([first.rows[0]!.word, second.rows[0]!.word]).toEqual(['slept', 'second'])
  expect(heard.indexOf('asks for the second')).toBeLessThan(heard.lastIndexOf('the first is answered'))
})

test('one of them fails: all of it is undone, and the connection is as good as before', async () => {
  const db = openDatabase({ url: database.url, log, connectionsMax: 1 })
  onTestFinished(() => db.end())
  await db.query('create table kept (n int)')
  const failed = db.transaction((tx) =>
    together([
      tx.query('insert into kept values (1)'),
      tx.query('select 1 / 0'),
      tx.query('insert into kept values (2)'),
    ]),
  )
  await expect(failed).rejects.toThrow('division by zero')
  expect((await db.query('select n from kept')).rows).toEqual([])
})
