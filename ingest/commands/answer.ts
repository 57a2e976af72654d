import type { CommandAnswer } from '../../db/command-answers.js'
import { commandResultSchema } from '../contract.js'
import { parsePayload, type Rejection } from '../decode.js'
import type { Message } from '../message.js'
import { cannotDetail } from './model.js'

/** What a device says of a command that it was given; the detail as one line. */
export function readAnswer(message: Message, deviceId: string): { answer: CommandAnswer } | { rejection: Rejection } {
  const parsed = parsePayload(message.payload)
  if ('reason' in parsed) return { rejection: parsed }
  const said = commandResultSchema.safeParse(parsed.json)
  if (!said.success) {
    const [issue] = said.error.issues
    return { rejection: { reason: 'wrong shape', detail: `${issue?.path.join('.')}: ${issue?.message}`.slice(0, 200) } }
  }
  const { id, result, detail = '' } = said.data
  return {
    answer: {
      commandId: id,
      gatewayId: message.gatewayId,
      deviceId,
      ...(result === 'unsupported'
        ? { result: 'failed', detail: cannotDetail }
        : { result, detail: detail.toWellFormed().replaceAll(/\p{Cc}+/gu, ' ') }),
      receivedAt: message.receivedAt.getTime(),
    },
  }
}
