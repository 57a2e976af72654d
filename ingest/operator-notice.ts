import { randomUUID } from 'node:crypto'
import type { Channel, Message } from '../alerts/channels/channel.js'
import type { Headline } from '../alerts/model.js'
import type { Clock } from '../kit/clock.js'
import type { Log } from '../kit/log.js'
import { type Loop, startLoop } from '../kit/loop.js'
import type { Directory } from './directory.js'
import type { JournalState } from './store-and-forward.js'

/** A restart of the database takes seconds and needs nobody. */
const awayMsMin = 30_000
const attemptsMax = 5
const sendMsMax = 12_000

/**
 * Tells the operators, each through their first channel, when the database has been away for half a minute, when the
 * journal is full, and when all is well again: once each.
 */
export function createOperatorNotice({
  state,
  directory,
  channels,
  clock,
  log,
  lookPauseMs = 1_000,
  retryPauseMs = 5_000,
}: {
  state: () => JournalState | undefined
  directory: Pick<Directory, 'operators'>
  channels: Channel[]
  clock: Clock
  log: Log
  lookPauseMs?: number
  retryPauseMs?: number
}) {
  let toldAway = false
  let toldFull = false
  const stopping = new AbortController()
  let loop: Loop | undefined

  function work(): Promise<'idle'> {
    const now = state()
    if (!now) return Promise.resolve('idle')
    const { sinceMs, alarms, meters, full } = now
    const ms = sinceMs === null ? 0 : Math.abs(clock.now().getTime() - sinceMs)
    if (sinceMs !== null && ms >= awayMsMin && !toldAway) {
      toldAway = true
      tell('database away', awayText(ms, alarms + meters))
    }
    if (full && !toldFull) {
      toldFull = true
      tell('journal full', fullText)
    }
    if (sinceMs === null && (toldAway || toldFull)) {
      toldAway = false
      toldFull = false
      tell('database back', backText)
    }
    return Promise.resolve('idle')
  }

  function tell(kind: Message['kind'], text: Headline) {
    const notice = { messageId: randomUUID(), kind, text, at: clock.now() }
    const operators = directory.operators()
    log.warn({ kind, operators: operators.length }, 'operator.notice')
    for (const { name, language, channels: own } of operators) {
      const [first] = own
      const channel = channels.find((each) => each.kind === first?.kind)
      if (first && channel) void insist(channel, { ...notice, language }, { ...first, name })
    }
  }

  async function insist(
    channel: Channel,
    notice: Message,
    to: { address: string; secret: string | null; name: string },
  ) {
    for (let attempt = 1; attempt <= attemptsMax && !stopping.signal.aborted; attempt++) {
      const signal = AbortSignal.any([stopping.signal, AbortSignal.timeout(sendMsMax)])
      const result = await channel.tell(notice, to, { attempt, signal }).catch((error: Error) => {
        log.error({ err: error, channel: channel.kind }, 'channel.threw')
        return { kind: 'retry' as const }
      })
      if (result.kind !== 'retry') return
      await new Promise((resolve) => setTimeout(resolve, retryPauseMs).unref())
    }
  }

  return {
    start: () => {
      loop = startLoop({ name: 'operator notice', work, pauseMs: lookPauseMs, log })
    },
    stop: async () => {
      stopping.abort()
      await loop?.stop()
    },
  }
}

const awayText = (ms: number, messages: number): Headline => {
  const seconds = Math.round(ms / 1_000)
  return {
    zh: `数据库已 ${seconds} 秒无法写入。${messages} 条消息保存在本机，紧急报警由网关服务直接通知，其他预警暂停。请尽快检查数据库。`,
    en: `The database has not taken anything for ${seconds} s. ${messages} messages are kept on this machine and emergencies are paged from here; all other alerts wait. Please look at the database.`,
  }
}
const fullText: Headline = {
  zh: '本机保存的消息已达上限：水电读数不再接收，由各网关自行保留；紧急报警仍会保存并通知。',
  en: 'The journal on this machine is full: meter readings are no longer taken and stay with the gateways; emergencies are still kept and paged.',
}
const backText: Headline = {
  zh: '数据库已恢复，保存在本机的消息已全部写入。',
  en: 'The database is back, and has all that was kept on this machine.',
}
