import fc from 'fast-check'
import { generate, type IPublishPacket, type Packet, parser } from 'mqtt-packet'
import { expect, test } from 'vitest'
import { type TakenPublish, takePublishes } from './take-publishes.js'

const publish = (over: Partial<IPublishPacket> = {}): Packet => ({
  cmd: 'publish',
  topic: 'v1/gw1/meter/water',
  payload: '{"litres":1}',
  qos: 1,
  dup: false,
  retain: false,
  messageId: 1,
  ...over,
})
function take(chunk: Buffer) {
  const taken: TakenPublish[] = []
  const bytes = takePublishes(chunk, (one) => taken.push(one))
  return { taken, bytes }
}
const parsed = (bytes: Buffer) => {
  const packets: IPublishPacket[] = []
  const parse = parser()
  parse.on('packet', (packet: Packet) => packet.cmd === 'publish' && packets.push(packet))
  parse.parse(bytes)
  return packets
}

test('what is taken is what the parser of Aedes reads, and nothing of it is left for it', () => {
  const packet = fc.record({
    topic: fc.oneof(fc.constant('v1/gw1/meter/water'), fc.string({ minLength: 1, unit: 'binary', maxLength: 300 })),
    payload: fc.oneof(fc.string({ unit: 'binary' }), fc.string({ minLength: 120, maxLength: 17_000 })),
    dup: fc.boolean(),
    retain: fc.boolean(),
    messageId: fc.integer({ min: 1, max: 65_535 }),
  })
  const isPlain = ({ topic }: { topic: string }) => !/[#+\0]/.test(topic)
  fc.assert(
    fc.property(fc.array(packet.filter(isPlain), { minLength: 1, maxLength: 5 }), (given) => {
      const bytes = Buffer.concat(given.map((one) => generate(publish(one))))
      const read = parsed(bytes)
      const { taken, bytes: takenBytes } = take(bytes)
      expect(takenBytes).toBe(bytes.length)
      expect(taken).toEqual(
        read.map(({ topic, payload, dup, retain, messageId }) => ({
          ...{ cmd: 'publish', qos: 1, topic, dup, retain, messageId },
          payload: Buffer.from(payload),
        })),
      )
    }),
    { numRuns: 500 },
  )
})

test.each<[string, Packet]>([
  ['QoS 0', publish({ qos: 0 })],
  ['QoS 2', publish({ qos: 2 })],
  ['a ping', { cmd: 'pingreq' }],
  ['a disconnect', { cmd: 'disconnect' }],
  ['a subscription', { cmd: 'subscribe', messageId: 1, subscriptions: [{ topic: 'v1/gw1/+/command', qos: 1 }] }],
])('%s and what follows it is left', (_what, packet) => {
  const first = generate(publish())
  const { taken, bytes } = take(Buffer.concat([first, generate(packet), first]))
  expect(taken).toHaveLength(1)
  expect(bytes).toBe(first.length)
})

test.each([
  ['an empty topic', Buffer.from([0x32, 5, 0, 0, 0, 1, 0x78])],
  ['a pattern #', Buffer.from([0x32, 5, 0, 1, 0x23, 0, 1])],
  ['a pattern +', Buffer.from([0x32, 5, 0, 1, 0x2b, 0, 1])],
  ['message id 0', Buffer.from([0x32, 5, 0, 1, 0x61, 0, 0])],
  ['a topic longer than its frame', Buffer.from([0x32, 5, 0, 9, 0x61, 0, 1])],
  ['no room for a message id', Buffer.from([0x32, 3, 0, 1, 0x61])],
  ['both QoS bits', Buffer.from([0x36, 5, 0, 1, 0x61, 0, 1])],
])('%s is left to Aedes', (_what, frame) => {
  expect(take(frame)).toEqual({ taken: [], bytes: 0 })
})

test('a frame that is cut, wherever it is, is left', () => {
  const whole = generate(publish({ payload: 'x'.repeat(200) }))
  for (let cut = 1; cut < whole.length; cut++) {
    const { taken, bytes } = take(Buffer.concat([whole, whole.subarray(0, cut)]))
    expect([taken.length, bytes]).toEqual([1, whole.length])
  }
})
