import { expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { createAttachedPresence, quietMsMax } from './presence.js'

function setUp(ids = ['gw1', 'gw2', 'gw3'], heardAgoMs: number | null = 60_000) {
  const clock = manualClock(new Date('2026-11-20T08:00:00Z'))
  const calls: string[] = []
  const presence = createAttachedPresence({
    presence: {
      connected: (id) => void calls.push(`+${id}`),
      disconnected: (id) => void calls.push(`-${id}`),
      heard: () => undefined,
    },
    clock,
  })
  const heardAt = heardAgoMs === null ? null : clock.now().getTime() - heardAgoMs
  presence.know(ids.map((gatewayId) => ({ gatewayId, baseTopics: [], heardAt })))
  const told = () => calls.splice(0).sort()
  return { clock, presence, told }
}

test('whoever is heard is there, and that is said once', () => {
  const { presence, told } = setUp()
  presence.heard('gw1')
  presence.heard('gw1')
  expect(told()).toEqual(['+gw1'])
})

test('once attached, all that were heard lately are there, but not who was said to be gone', () => {
  const { presence, told } = setUp()
  presence.said('gw2', false)
  presence.settled()
  expect(told()).toEqual(['+gw1', '+gw3', '-gw2'])
})

test.each([quietMsMax + 1, null])('who was last heard %s ms ago is not there for being registered', (ago) => {
  const { presence, told } = setUp(['gw1'], ago)
  presence.settled()
  expect(told()).toEqual([])
})

test('while Shouwang is not attached nobody is there, and who was there is again when it is', () => {
  const { presence, told } = setUp()
  presence.settled()
  told()
  presence.lost()
  expect(told()).toEqual(['-gw1', '-gw2', '-gw3'])
  presence.lost()
  expect(told()).toEqual([])
  presence.said('gw3', false)
  presence.settled()
  expect(told()).toEqual(['+gw1', '+gw2', '-gw3'])
})

test('who says nothing of itself is gone after a day and a bit of silence; a bridge that said "online" is not', () => {
  const { clock, presence, told } = setUp()
  presence.said('gw1', true)
  presence.settled()
  told()
  clock.advance(quietMsMax - 120_000)
  presence.heard('gw2')
  clock.advance(180_000)
  presence.sweep()
  expect(told()).toEqual(['-gw3'])
  presence.heard('gw3')
  expect(told()).toEqual(['+gw3'])
})

test('what is heard at another edge keeps it there', () => {
  const { clock, presence, told } = setUp(['gw1'])
  presence.settled()
  told()
  clock.advance(quietMsMax)
  presence.know([{ gatewayId: 'gw1', baseTopics: [], heardAt: clock.now().getTime() - 1_000 }])
  presence.sweep()
  expect(told()).toEqual([])
})

test('who is not attached any more is gone', () => {
  const { presence, told } = setUp()
  presence.settled()
  told()
  presence.know([])
  expect(told()).toEqual(['-gw1', '-gw2', '-gw3'])
})
