import { expect, test } from 'vitest'
import { preferredLanguage } from './language.js'

test.each([
  ['zh-CN,zh;q=0.9,en;q=0.8', 'zh'],
  ['en-GB,en;q=0.9,zh;q=0.8', 'en'],
  ['de, zh;q=0.5, en;q=0.4', 'zh'],
  ['de', 'en'],
  ['', 'en'],
  ['zh;q=0', 'en'],
  ['zh;q=nonsense,en;q=0.1', 'en'],
  [';;;,,=;q=', 'en'],
])('%s prefers %s', (accept, language) => {
  expect(preferredLanguage(accept)).toBe(language)
})
