import { createHmac } from 'node:crypto'
import { utf8Bytes } from '../text-fit.js'
import type { Channel } from './channel.js'
import { type Robot, type RobotOptions, robotChannel } from './robot.js'

/** `timestamp` in s, and HMAC-SHA256 over nothing with `timestamp\nsecret` as key, Base64. */
export function signFeishu(secret: string, now: Date): { timestamp: string; sign: string } {
  const timestamp = String(Math.floor(now.getTime() / 1_000))
  const sign = createHmac('sha256', `${timestamp}\n${secret}`).update('').digest('base64')
  return { timestamp, sign }
}

// 19001: no such robot. 19021: signature. 19022: sender's address. 19024: keyword.
const broken = new Set([19001, 19021, 19022, 19024])

/**
 * Feishu's (Lark's) group robot (open.feishu.cn, "custom bot"): a request of at most 20 KB, 100 messages a minute and 5 a
 * second. Some errors come with HTTP 400: the code in the JSON decides.
 */
const feishu: Robot = {
  kind: 'feishu',
  windows: [
    { max: 100, ms: 60_000 },
    { max: 5, ms: 1_000 },
  ],
  closedMs: 60_000,
  fits: (text) => utf8Bytes(text) <= 4_000,
  request: ({ url, secret, text, everybody, now }) => {
    // Text may carry tags that call people: what comes from a record must not.
    const plain = text.replaceAll('<', '＜')
    const content = everybody ? `<at user_id="all">所有人</at> ${plain}` : plain
    return { url, body: { ...(secret ? signFeishu(secret, now) : {}), msg_type: 'text', content: { text: content } } }
  },
  judge: ({ code, StatusCode, msg }) => {
    if (code === 0 || (code === undefined && StatusCode === 0)) return 'sent'
    if (typeof code !== 'number') return undefined
    // 9499 is said of malformed requests, and in older answers of too many.
    if (code === 11232 || code === 99991400 || (code === 9499 && /too many|frequen/i.test(String(msg))))
      return 'limited'
    return broken.has(code) ? 'broken' : 'refused'
  },
}

export const feishuChannel = (options: RobotOptions): Channel => robotChannel(feishu, options)
