import { afterEach, expect, test } from 'vitest'
import { systemClock } from '../kit/clock.js'
import { raiseByHand } from './hand.js'
import { startTestBroker } from './test-broker.js'

const undo: (() => Promise<void>)[] = []
afterEach(async () => {
  for (const step of undo.splice(0).reverse()) await step()
})
const press = { what: 'button', gatewayId: 'gw', deviceId: 'b', secret: 's', clock: systemClock } as const

test('a press is reported as safe only after its PUBACK', async () => {
  const broker = await startTestBroker()
  undo.push(() => broker.stop())
  const begun = Date.now()
  expect(await raiseByHand({ ...press, url: broker.url })).toMatchObject({ kind: 'safe', topic: 'v1/gw/b/button' })
  const [sent] = broker.readings<{ ts: number; event: string }>('v1/gw/b/button')
  expect(sent!.event).toBe('pressed')
  expect(sent!.ts).toBeGreaterThanOrEqual(begun)
  await raiseByHand({ ...press, what: 'gas', url: broker.url })
  expect(broker.readings('v1/gw/b/gas')).toMatchObject([{ alarm: true }])
})

test('no answer, a wrong secret and no broker at all are failures with a reason', async () => {
  const mute = await startTestBroker({ mayAcknowledge: () => false })
  undo.push(() => mute.stop())
  const unanswered = await raiseByHand({ ...press, url: mute.url, waitMsMax: 200 })
  expect(unanswered).toEqual({ kind: 'failed', reason: 'no PUBACK within 200 ms' })
  const strict = await startTestBroker({ secretOf: () => 'other' })
  undo.push(() => strict.stop())
  const refused = await raiseByHand({ ...press, url: strict.url })
  expect(refused).toMatchObject({ kind: 'failed', reason: expect.stringMatching(/not authorized/i) })
  await strict.stop()
  undo.pop()
  const absent = await raiseByHand({ ...press, url: strict.url })
  expect(absent).toMatchObject({ kind: 'failed', reason: expect.stringContaining('ECONNREFUSED') })
})
