import { createHmac } from 'node:crypto'
import { utf8Bytes } from '../text-fit.js'
import type { Channel } from './channel.js'
import { type Robot, type RobotOptions, robotChannel } from './robot.js'

/** `timestamp` in ms, and HMAC-SHA256 over `timestamp\nsecret` with the secret as key, Base64. */
export function signDingtalk(secret: string, now: Date): { timestamp: string; sign: string } {
  const timestamp = String(now.getTime())
  const sign = createHmac('sha256', secret).update(`${timestamp}\n${secret}`).digest('base64')
  return { timestamp, sign }
}

const limited = new Set([130101, 130102, 410100, 90018, 90030])
// No such token, robot stopped or removed, group dissolved; 310000: keyword, signature or sender's address do not fit.
const broken = new Set([300001, 300005, 310000, 400013, 400101, 400102, 400106])

/**
 * DingTalk's group robot (open.dingtalk.com, "custom robot"): messages of at most 20,000 bytes, 20 a minute; who sends
 * more is shut out for 10 min.
 */
const dingtalk: Robot = {
  kind: 'dingtalk',
  windows: [{ max: 20, ms: 60_000 }],
  closedMs: 600_000,
  // Longer texts are folded away in the client, and what matters is at their beginning.
  fits: (text) => utf8Bytes(text) <= 4_000,
  request: ({ url, secret, text, everybody, now }) => {
    const signed = new URL(url)
    if (secret) {
      const { timestamp, sign } = signDingtalk(secret, now)
      signed.searchParams.set('timestamp', timestamp)
      signed.searchParams.set('sign', sign)
    }
    return { url: signed, body: { msgtype: 'text', text: { content: text }, at: { isAtAll: everybody } } }
  },
  judge: ({ errcode }) => {
    if (errcode === 0) return 'sent'
    if (typeof errcode !== 'number') return undefined
    if (errcode === -1) return 'retry'
    if (limited.has(errcode)) return 'limited'
    return broken.has(errcode) ? 'broken' : 'refused'
  },
}

export const dingtalkChannel = (options: RobotOptions): Channel => robotChannel(dingtalk, options)
