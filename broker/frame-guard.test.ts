import { Duplex } from 'node:stream'
import { setTimeout as sleep } from 'node:timers/promises'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { type FrameGuard, guardFrames } from './frame-guard.js'
import { createFrameScanner } from './frame-scanner.js'
import { connectPacket, publishPacket } from './testkit.js'

const limits = { packetBytesMax: 65_536, connectBytesMax: 4_096, swallowBytesMax: 1_048_576 }
const connect = generate(connectPacket())

/** Feeds chunks through a guarded stream, reads them as Aedes does, and returns what it was given, piece by piece. */
async function passThrough(chunks: Buffer[], framesMax: number) {
  const pieces: Buffer[] = []
  const oversizes: (number | undefined)[] = []
  const conn = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  let bytes = 0
  const count = (more: number) => {
    bytes += more
  }
  const guard: FrameGuard = guardFrames({
    conn,
    ...limits,
    swallowMsMax: 10_000,
    room: () => framesMax,
    onBytes: count,
    onSwallow: () => {},
  })
  conn.on('readable', () => {
    for (let piece = conn.read(); piece !== null; piece = conn.read()) {
      pieces.push(piece)
      oversizes.push(guard.oversizeBytesOf(piece))
    }
  })
  const over = new Promise<Error | undefined>((resolve) => {
    conn.once('error', resolve)
    conn.once('end', () => resolve(undefined))
  })
  for (const chunk of chunks) conn.push(chunk)
  conn.push(null)
  return { error: await over, pieces, oversizes, bytes }
}

const packet = fc.oneof(
  fc
    .record({ qos: fc.constantFrom(0, 1, 2), bytes: fc.oneof(fc.nat(300), fc.nat(65_000)) })
    .map(({ qos, bytes }) =>
      publishPacket('v1/gw1/meter/water', 7, { qos: qos as 0 | 1 | 2, payload: Buffer.alloc(bytes, 0xff) }),
    ),
  fc.constant<Packet>({ cmd: 'pingreq' }),
  fc.constant<Packet>({ cmd: 'puback', messageId: 3 }),
)

function cut(stream: Buffer, cuts: number[]): Buffer[] {
  const at = [0, ...cuts.map((share) => Math.floor(share * stream.length)).sort((a, b) => a - b), stream.length]
  return at
    .slice(1)
    .map((end, index) => stream.subarray(at[index], end))
    .filter((chunk) => chunk.length > 0)
}

test('any chunking of a valid stream passes through unchanged, never more than the allowed frames at once', async () => {
  const seed = Date.now() & 0x7fffffff
  console.log(`frame guard: seed ${seed}`)
  await fc.assert(
    fc.asyncProperty(
      fc.array(packet, { maxLength: 20 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (packets, cuts, framesMax) => {
        const frames = [connect, ...packets.map((each) => generate(each))]
        const stream = Buffer.concat(frames)
        const { pieces, error } = await passThrough(cut(stream, cuts), framesMax)
        expect(error).toBeUndefined()
        expect(Buffer.concat(pieces).equals(stream)).toBe(true)
        const ends = new Set<number>()
        frames.reduce((at, frame) => {
          ends.add(at + frame.length)
          return at + frame.length
        }, 0)
        let from = 0
        for (const piece of pieces) {
          let ended = 0
          for (const end of ends) if (end > from && end <= from + piece.length) ended++
          expect(ended).toBeLessThanOrEqual(framesMax)
          from += piece.length
        }
      },
    ),
    { seed, numRuns: 150 },
  )
})

const bigPublish = fc
  .record({
    qos: fc.constantFrom(0 as const, 1 as const, 2 as const),
    dup: fc.boolean(),
    retain: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
    topic: fc.constantFrom('v1/gw1/meter/water', 'x'.repeat(1_023), 'x'.repeat(1_024), 'x'.repeat(65_535)),
    bytes: fc.oneof(fc.integer({ min: 65_536, max: 66_000 }), fc.integer({ min: 65_536, max: 400_000 })),
  })
  .map(({ bytes, topic, dup, ...rest }) => {
    const payload = Buffer.from(Array.from({ length: 300 }, (_, at) => at & 0xff))
    const whole = {
      cmd: 'publish' as const,
      topic,
      dup,
      ...rest,
      payload: Buffer.concat([payload, Buffer.alloc(bytes)]),
    }
    const stub = generate({ ...whole, topic: topic.slice(0, 1_024), payload: payload.subarray(0, 256) })
    return { sent: generate(whole), stub, payloadBytes: whole.payload.length }
  })

test('of a stream with oversized publishes the good frames pass unchanged and in order, a stub in place of the others', async () => {
  const seed = Date.now() & 0x7fffffff
  console.log(`oversized: seed ${seed}`)
  const good = packet.map((each) => ({ sent: generate(each), stub: undefined, payloadBytes: undefined }))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.oneof({ weight: 2, arbitrary: good }, { weight: 1, arbitrary: bigPublish }), { maxLength: 8 }),
      fc.array(fc.double({ min: 0, max: 1, noNaN: true }), { maxLength: 12 }),
      // Cuts at and around the frames' headers, where few of the others fall.
      fc.array(fc.tuple(fc.nat(), fc.integer({ min: -2, max: 12 })), { maxLength: 12 }),
      fc.integer({ min: 1, max: 5 }),
      async (frames, cuts, headerCuts, framesMax) => {
        const stream = Buffer.concat([connect, ...frames.map(({ sent }) => sent)])
        const starts = frames.map((_, index) => Buffer.concat(frames.slice(0, index).map(({ sent }) => sent)).length)
        const near = starts.length === 0 ? [] : headerCuts.map(([pick, by]) => starts[pick % starts.length]! + by)
        const shares = near.map((at) => Math.max(0, connect.length + at) / stream.length)
        const { pieces, error, oversizes, bytes } = await passThrough(cut(stream, [...cuts, ...shares]), framesMax)
        expect(error).toBeUndefined()
        const expected = Buffer.concat([connect, ...frames.map(({ sent, stub }) => stub ?? sent)])
        expect(Buffer.concat(pieces).equals(expected)).toBe(true)
        const stubs = frames.filter(({ stub }) => stub)
        expect(oversizes.filter((each) => each !== undefined)).toEqual(stubs.map(({ payloadBytes }) => payloadBytes))
        pieces.forEach((piece, index) => {
          if (oversizes[index] !== undefined) expect(stubs.some(({ stub }) => stub!.equals(piece))).toBe(true)
        })
        expect(bytes).toBe(stream.length)
      },
    ),
    { seed, numRuns: 150 },
  )
})

test('half a header is not read again and again while nothing follows', async () => {
  const conn = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  const guarded = { conn, ...limits, swallowMsMax: 10_000, room: () => 10, onBytes: () => {}, onSwallow: () => {} }
  guardFrames(guarded)
  const pieces: Buffer[] = []
  let events = 0
  conn.on('readable', () => {
    if (++events > 50) conn.removeAllListeners('readable')
    for (let piece = conn.read(); piece !== null; piece = conn.read()) pieces.push(piece)
  })
  conn.push(connect)
  await sleep(5)
  const frame = generate(publishPacket('v1/gw1/a/water', 1, { payload: Buffer.alloc(200) }))
  conn.push(frame.subarray(0, 2))
  await sleep(30)
  conn.push(frame.subarray(2))
  await sleep(5)
  expect(events).toBeLessThan(8)
  expect(Buffer.concat(pieces).equals(Buffer.concat([connect, frame]))).toBe(true)
})

test('one byte at a time is the same stream', async () => {
  const stream = Buffer.concat([connect, generate(publishPacket('v1/gw1/a/water', 1, { payload: Buffer.alloc(200) }))])
  const { pieces, error } = await passThrough(
    cut(
      stream,
      [...stream].map((_, at) => at / stream.length),
    ),
    1,
  )
  expect(error).toBeUndefined()
  expect(Buffer.concat(pieces).equals(stream)).toBe(true)
})

const publishOf = (bytes: number) => {
  const overhead = generate(publishPacket('v1/gw1/a/water', 1, { payload: Buffer.alloc(60_000) })).length - 60_000
  return generate(publishPacket('v1/gw1/a/water', 1, { payload: Buffer.alloc(bytes - overhead) }))
}

test.each([
  ['a frame of exactly 65,536 bytes', [connect, publishOf(65_536)], undefined],
  ['a publish one byte larger', [connect, publishOf(65_537)], undefined],
  ['a publish of exactly 1 MB', [connect, publishOf(1_048_576)], undefined],
  ['a publish one byte larger than may be swallowed', [connect, publishOf(1_048_577)], 'frame too large'],
  ['a large SUBSCRIBE', [connect, Buffer.from([0x82, 0x80, 0x80, 0x04])], 'frame too large'],
  ['a large publish of QoS 3', [connect, Buffer.from([0x36, 0x80, 0x80, 0x04])], 'frame too large'],
  ['a large first publish', [publishOf(65_537)], 'first frame is no CONNECT'],
  [
    'a topic that is longer than its frame',
    [connect, Buffer.from([0x32, 0xfd, 0xff, 0x03, 0xff, 0xff]), Buffer.alloc(65_531)],
    'malformed topic length',
  ],
  ['only the header of a frame of 256 MB', [connect, Buffer.from([0x30, 0xff, 0xff, 0xff, 0x7f])], 'frame too large'],
  ['a fifth length byte', [connect, Buffer.from([0x30, 0x80, 0x80, 0x80, 0x80, 0x01])], 'malformed length'],
  ['a first frame that is no CONNECT', [generate({ cmd: 'pingreq' })], 'first frame is no CONNECT'],
  ['HTTP', [Buffer.from('GET / HTTP/1.1\r\n\r\n')], 'first frame is no CONNECT'],
  [
    'a CONNECT of 4,097 bytes',
    [generate(connectPacket({ clientId: 'x'.repeat(4_097 - connect.length + 2) }))],
    'first frame too large',
  ],
])('%s: %s', async (_name, chunks, fault) => {
  const { error } = await passThrough(chunks, 10)
  expect(error?.message).toBe(fault)
})

test('the largest CONNECT passes', () => {
  const scanner = createFrameScanner(limits)
  const frame = generate(connectPacket({ clientId: 'x'.repeat(4_096 - connect.length + 2) }))
  expect(frame.length).toBe(4_096)
  expect(scanner.scan(frame, 1)).toEqual({ kind: 'passed', passedBytes: 4_096 })
})
