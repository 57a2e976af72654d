import type { ClaimedMessage } from '../db/messages.js'
import type { Message } from './channels/channel.js'
import { quietUntil } from './quiet-hours.js'

/** When the person wants to be told, where that is later than `now`; null: at once. */
export function quietEndOf(message: ClaimedMessage, now: Date): Date | null {
  const { urgent, quietFrom: from, quietUntil: until, quietZone: timeZone } = message
  if (urgent || !from || !until || !timeZone) return null
  const end = quietUntil({ from, until, timeZone }, now.getTime())
  return end === null ? null : new Date(end)
}

/**
 * A claimed message as a channel tells it. A test leads to the page where a person says that it arrived, a call task with
 * its `askToken` to the one where a person says what came of the call.
 */
export function toMessage(message: ClaimedMessage, publicUrl: string, askToken?: string): Message {
  const { messageId, kind, textZh, textEn, lines, language, createdAt } = message
  const path = kind === 'test' ? `/got/${messageId}` : askToken ? `/ask/${askToken}` : message.path
  return {
    messageId,
    kind,
    text: { zh: textZh, en: textEn },
    lines,
    url: path === null ? null : `${publicUrl}${path}`,
    at: createdAt,
    language,
  }
}
