import { expect, test } from 'vitest'
import type { Queryable } from '../db/pool.js'
import { manualClock } from '../kit/clock.js'
import { createLog } from '../kit/log.js'
import { createDueTime } from './due-time.js'

const log = createLog({ role: 'test', level: 'silent' })
const start = new Date('2026-05-01T00:00:00Z')
const minute = 60_000

function scene() {
  const clock = manualClock(start)
  let at: Date | null = null
  let asked = 0
  const db = {
    query: async () => {
      asked++
      return { rows: [{ at }] }
    },
  } as unknown as Queryable
  const dueAt = createDueTime({ db, clock, log })
  return {
    clock,
    lag: (to: Date | null) => {
      at = to
    },
    asked: () => asked,
    behindMs: async () => clock.now().getTime() - (await dueAt()).getTime(),
  }
}

test('time goes on with the clock while nothing lags', async () => {
  const { clock, behindMs } = scene()
  expect(await behindMs()).toBe(1_000)
  clock.advance(60 * minute)
  expect(await behindMs()).toBe(1_000)
})

test('it stands still where an edge holds something, goes on as that is handed over, and catches up', async () => {
  const { clock, lag, behindMs } = scene()
  lag(new Date(start.getTime() - 60 * minute))
  expect(await behindMs()).toBe(60 * minute)
  clock.advance(2_000)
  lag(new Date(start.getTime() - 5 * minute))
  expect(await behindMs()).toBe(5 * minute + 2_000)
  clock.advance(2_000)
  lag(null)
  expect(await behindMs()).toBe(1_000)
})

test('after ten minutes it goes on all the same, until the next time', async () => {
  const { clock, lag, behindMs } = scene()
  lag(start)
  await behindMs()
  clock.advance(10 * minute - 1)
  expect(await behindMs()).toBe(10 * minute - 1)
  clock.advance(1)
  expect(await behindMs()).toBe(1_000)
  clock.advance(minute)
  lag(null)
  await behindMs()
  clock.advance(minute)
  lag(clock.now())
  await behindMs()
  clock.advance(minute)
  expect(await behindMs()).toBe(minute)
})

test('the database is asked once a second, also after the clock jumped back', async () => {
  const { clock, asked, behindMs } = scene()
  for (let i = 0; i < 10; i++) await behindMs()
  expect(asked()).toBe(1)
  clock.advance(-60 * minute)
  await behindMs()
  expect(asked()).toBe(2)
})
