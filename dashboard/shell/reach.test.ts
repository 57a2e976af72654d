import { expect, test } from 'vitest'
import { type ReachChannel, reachOf } from './reach.js'
import { shownAddress } from './shown-address.js'

const early = new Date('2026-05-01T00:00:00Z')
const late = new Date('2026-05-02T00:00:00Z')
const channel = (more: Partial<ReachChannel> = {}): ReachChannel => ({
  kind: 'email',
  brokenAt: null,
  lastFailedAt: null,
  lastSentAt: null,
  confirmedAt: null,
  ...more,
})

test.each<[string, ReachChannel[], string]>([
  ['no channel at all', [], 'none'],
  ['one that was refused for good', [channel({ brokenAt: early })], 'broken'],
  ['one that this server does not have', [channel({ kind: 'sms' })], 'unusable'],
  ['one of each', [channel({ kind: 'sms' }), channel({ brokenAt: early })], 'broken'],
  ['new: nobody knows', [channel()], 'untested'],
  ['sent to, which proves nothing', [channel({ lastSentAt: late })], 'untested'],
  ['somebody saw a test', [channel({ confirmedAt: early })], 'fine'],
  ['the last attempt failed', [channel({ confirmedAt: early, lastSentAt: early, lastFailedAt: late })], 'failing'],
  ['it works again since', [channel({ confirmedAt: early, lastSentAt: late, lastFailedAt: early })], 'fine'],
  ['never sent, only failed', [channel({ lastFailedAt: early })], 'failing'],
  ['one is broken, the other was confirmed', [channel({ brokenAt: early }), channel({ confirmedAt: early })], 'fine'],
  ['the one that was confirmed is broken', [channel({ brokenAt: late, confirmedAt: early }), channel()], 'untested'],
  ['one fails, the other is new', [channel({ lastFailedAt: early }), channel()], 'untested'],
])('%s', (_, channels, reach) => {
  expect(reachOf(channels, ['email'])).toBe(reach)
})

test.each([
  ['email', 'zhang@example.org', 'zhang@example.org'],
  ['sms', '+8613800000000', '+8613800000000'],
  ['wecom', 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=secret-key-abcd', 'qyapi.weixin.qq.com/…abcd'],
  ['ntfy', 'https://ntfy.sh/a-long-topic', 'ntfy.sh/…opic'],
  ['web_push', 'https://fcm.googleapis.com/fcm/send/abc:def', 'fcm.googleapis.com/…:def'],
  ['webhook', 'https://hooks.example.org/services/T0/B0/token', 'hooks.example.org/…oken'],
])('an address of %s lets nobody else send to it', (kind, address, shown) => {
  expect(shownAddress(kind, address)).toBe(shown)
})
