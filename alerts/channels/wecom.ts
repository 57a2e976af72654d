import { utf8Bytes } from '../text-fit.js'
import type { Channel } from './channel.js'
import { type Robot, type RobotOptions, robotChannel } from './robot.js'

/**
 * WeCom's group robot (developer.work.weixin.qq.com, document 91770): text of at most 2,048 bytes, 20 messages a minute.
 * Text rather than Markdown: only text can call everybody.
 */
const wecom: Robot = {
  kind: 'wecom',
  windows: [{ max: 20, ms: 60_000 }],
  closedMs: 60_000,
  fits: (text) => utf8Bytes(text) <= 2_048,
  request: ({ url, text, everybody }) => ({
    url,
    body: { msgtype: 'text', text: { content: text, ...(everybody ? { mentioned_list: ['@all'] } : {}) } },
  }),
  judge: ({ errcode }) => {
    if (errcode === 0) return 'sent'
    if (typeof errcode !== 'number') return undefined
    // -1: the system is busy. 45009, 45033: too often, too many at once. 93000: no such robot, or removed from the group.
    if (errcode === -1) return 'retry'
    if (errcode === 45009 || errcode === 45033) return 'limited'
    return errcode === 93000 ? 'broken' : 'refused'
  },
}

export const wecomChannel = (options: RobotOptions): Channel => robotChannel(wecom, options)
