import { Duplex } from 'node:stream'
import { setImmediate as turn } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { createAcknowledge } from './acknowledge.js'

function start() {
  const happened: string[] = []
  const conn = new Duplex({
    read() {},
    write(chunk: Buffer, _encoding, done) {
      happened.push(chunk.toString('hex'))
      done()
    },
  })
  const acknowledge = createAcknowledge(conn, () => happened.push('flushed'))
  const add = (id: number) => acknowledge.add(id, () => happened.push(`done ${id}`))
  return { conn, happened, add }
}

test('what one commit settles leaves in one write, in order, and each is done after it', async () => {
  const { happened, add } = start()
  await Promise.all([1, 258, 65_535].map((id) => Promise.resolve().then(() => add(id))))
  await turn()
  expect(happened).toEqual(['4002000140020102' + '4002ffff', 'done 1', 'done 258', 'done 65535', 'flushed'])
  add(7)
  await turn()
  expect(happened.slice(5)).toEqual(['40020007', 'done 7', 'flushed'])
})

test('nothing is written to a connection that is gone, and nothing is read on', async () => {
  const { conn, happened, add } = start()
  add(1)
  conn.destroy()
  await turn()
  expect(happened).toEqual([])
})
