import { setTimeout as sleep } from 'node:timers/promises'
import { expect, test } from 'vitest'
import { together } from './together.js'

const failing = async (ms: number, message: string): Promise<never> => {
  await sleep(ms)
  throw new Error(message)
}

test('each answer in its place', async () => {
  expect(await together([sleep(2, 'slow'), Promise.resolve(7), Promise.resolve(undefined)])).toEqual([
    'slow',
    7,
    undefined,
  ])
})

test('what failed first in their order is the cause, also where one behind it says so earlier', async () => {
  const locked = together([
    Promise.resolve(1),
    failing(5, 'lock timeout'),
    failing(0, 'current transaction is aborted'),
  ])
  await expect(locked).rejects.toThrow('lock timeout')
})
