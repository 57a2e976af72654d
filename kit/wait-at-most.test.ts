import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { waitAtMost } from './wait-at-most.js'

function stallMs(ms: number) {
  const end = performance.now() + ms
  while (performance.now() < end);
}

test('calls when the time is over, once', async () => {
  let calls = 0
  waitAtMost(100, () => calls++)
  await sleep(60)
  expect(calls).toBe(0)
  await sleep(400)
  expect(calls).toBe(1)
})

test('does not call when the wait was ended', async () => {
  let calls = 0
  waitAtMost(100, () => calls++)()
  await sleep(250)
  expect(calls).toBe(0)
})

test('a stall of this process does not count', async () => {
  let calls = 0
  const stop = waitAtMost(400, () => calls++)
  stallMs(600)
  // The answer that came meanwhile is taken in this turn.
  await sleep(1)
  stop()
  expect(calls).toBe(0)
})
