import { expect, test } from 'vitest'
import { JournalFull } from './journal.js'
import { createShares, ShareSpent } from './share.js'

test('each gateway has its share, and gets back what was drained', () => {
  const shares = createShares({ bytesMax: 100 })
  shares.add('mad', 60)
  expect(() => shares.check('mad', 50)).toThrow(ShareSpent)
  expect(() => shares.check('mad', 50)).toThrow(JournalFull)
  shares.check('mad', 40)
  shares.check('calm', 100)
  shares.giveBack('mad', 60)
  shares.check('mad', 50)
})

test('what an earlier process kept gives nothing to borrow', () => {
  const shares = createShares({ bytesMax: 100 })
  shares.giveBack('gw', 1_000)
  expect(() => shares.check('gw', 101)).toThrow(ShareSpent)
})
