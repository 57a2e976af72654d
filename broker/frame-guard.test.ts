import { Duplex } from 'node:stream'
import fc from 'fast-check'
import { generate, type Packet } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { guardFrames } from './frame-guard.js'
import { createFrameScanner } from './frame-scanner.js'
import { connectPacket, publishPacket } from './testkit.js'

const limits = { packetBytesMax: 65_536, connectBytesMax: 4_096 }
const connect = generate(connectPacket())

/** Feeds chunks through a guarded stream, reads them as Aedes does, and returns what it was given, piece by piece. */
async function passThrough(chunks: Buffer[], framesMax: number) {
  const pieces: Buffer[] = []
  const conn = new Duplex({ read() {}, write: (_chunk, _encoding, done) => done() })
  guardFrames({ conn, ...limits, room: () => framesMax, onBytes: () => {} })
  conn.on('readable', () => {
    for (let piece = conn.read(); piece !== null; piece = conn.read()) pieces.push(piece)
  })
  const over = new Promise<Error | undefined>((resolve) => {
    conn.once('error', resolve)
    conn.once('end', () => resolve(undefined))
  })
  for (const chunk of chunks) conn.push(chunk)
  conn.push(null)
  return { error: await over, pieces }
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
  ['a frame one byte larger', [connect, publishOf(65_537)], 'frame too large'],
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
  expect(scanner.scan(frame, 1)).toBe(4_096)
})
