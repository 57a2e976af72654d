import { once } from 'node:events'
import { type AddressInfo, createServer, connect as dial, type Socket } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { type FaultyLine, startFaultyLine } from './faulty-line.js'
import { eventually } from './processes.js'

// What the line leads to: says back what it hears, and remembers it.
const heard: string[] = []
const served = new Set<Socket>()
const echo = createServer((socket) => {
  served.add(socket)
  socket.on('close', () => served.delete(socket)).on('error', () => undefined)
  socket.on('data', (bytes) => {
    heard.push(bytes.toString())
    socket.write(bytes)
  })
})
let line: FaultyLine

beforeAll(async () => {
  echo.listen(0, '127.0.0.1')
  await once(echo, 'listening')
  line = await startFaultyLine({
    targetUrl: `tcp://user:secret@127.0.0.1:${(echo.address() as AddressInfo).port}/name`,
  })
})
afterAll(async () => {
  await line.stop()
  echo.close()
})

async function connect() {
  const socket = dial({ host: '127.0.0.1', port: Number(new URL(line.url).port) })
  let received = ''
  socket.on('data', (bytes) => {
    received += bytes.toString()
  })
  socket.on('error', () => undefined)
  await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve))
  const closed = socket.destroyed ? Promise.resolve() : once(socket, 'close').then(() => undefined)
  return {
    socket,
    closed,
    received: () => received,
    says: async (text: string) => {
      const before = received.length
      socket.write(text)
      await eventually('an answer', () => received.length >= before + text.length || undefined, 2_000)
    },
  }
}

test('everything of the address but host and port is kept', () => {
  expect(line.url).toMatch(/^tcp:\/\/user:secret@127\.0\.0\.1:\d+\/name$/)
})

test('passes bytes both ways, and the end of either side', async () => {
  const client = await connect()
  await client.says('x'.repeat(1_000_000))
  client.socket.end()
  await client.closed
  await eventually('no connection', () => line.connections() === 0 && served.size === 0)
})

test('cut ends what is open on both sides; what comes next passes', async () => {
  const [first, second] = [await connect(), await connect()]
  await first.says('a')
  await second.says('b')
  expect(line.cut()).toBe(2)
  await Promise.all([first.closed, second.closed])
  await eventually('the far ends gone', () => served.size === 0)
  const next = await connect()
  await next.says('c')
  line.cut()
})

test('away: what is open ends and what is new is refused, until it is mended', async () => {
  const open = await connect()
  await open.says('a')
  await line.away()
  await open.closed
  expect((await connect()).socket.destroyed).toBe(true)
  await line.mend()
  const next = await connect()
  await next.says('b')
  line.cut()
})

test('hang: nothing arrives and nothing ends, for open and for new connections, until it is mended', async () => {
  const open = await connect()
  await open.says('a')
  heard.length = 0
  line.hang()
  const fresh = await connect()
  open.socket.write('lost')
  fresh.socket.write('lost too')
  await sleep(150)
  expect([open.socket.destroyed, fresh.socket.destroyed, served.size]).toEqual([false, false, 1])
  await line.mend()
  await Promise.all([open.closed, fresh.closed])
  await eventually('the far end gone', () => served.size === 0)
  expect(heard).toEqual([])
  const next = await connect()
  await next.says('b')
  line.cut()
})

test('freeze: what is open hangs, what is new passes, and mending ends only what hung', async () => {
  const open = await connect()
  await open.says('a')
  line.freeze()
  open.socket.write('lost')
  const fresh = await connect()
  await fresh.says('b')
  expect([open.received(), open.socket.destroyed]).toEqual(['a', false])
  await line.mend()
  await open.closed
  await fresh.says('c')
  line.cut()
})

test('a judge sees what passes: cut before it arrives, or after it', async () => {
  heard.length = 0
  const [before, after] = [await connect(), await connect()]
  line.judge((bytes, from) => {
    if (from === 'server') return 'pass'
    return bytes.includes('never') ? 'cut' : bytes.includes('done') ? 'cutAfter' : 'pass'
  })
  await before.says('a')
  before.socket.write('never')
  await before.closed
  after.socket.write('done')
  await after.closed
  await eventually('what was sent last', () => heard.includes('done'))
  expect([after.received(), heard.includes('never')]).toEqual(['', false])
  line.judge()
  const next = await connect()
  await next.says('never')
  line.cut()
})
