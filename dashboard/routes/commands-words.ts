import type { Language } from '../../alerts/model.js'
import type { CommandRow } from '../../db/command-views.js'
import { needsSecondPerson } from '../../ingest/commands/model.js'
import type { ReadingKind } from '../../ingest/contract.js'
import type { Here } from '../shell/here.js'
import { commandText } from '../shell/text-commands.js'
import { residentText } from '../shell/text-resident.js'

/** "Voice panel, living room". */
export const deviceName = ({ kind, room }: { kind: ReadingKind; room: string }, language: Language) =>
  commandText(language).deviceIn(residentText(language).kind[kind], room)

/** What was asked, as an order: "Say “…” (Cantonese)". */
export function commandSentence({ name, text, language: said, on }: CommandRow, language: Language): string {
  const t = commandText(language)
  const languages: Record<string, string> = t.languages
  if (name === 'prompt') return t.sentence.prompt(text ?? '', languages[said ?? ''] ?? said ?? '')
  if (name === 'led') return on ? t.sentence.ledOn : t.sentence.ledOff
  return t.sentence[name]
}

/** What came of it, as far as it is known: never "done" where only the gateway has it. */
export function stateSentence(command: CommandRow, here: Here): string {
  const t = commandText(here.language)
  const { name, state, detail, gatewayOnline, answers, expiresAt, cancelledBy, confirmedBy } = command
  const reasons: Record<string, string> = t.why
  if (state === 'cancelled' && cancelledBy) return t.cancelled(cancelledBy)
  if (state === 'sent') {
    const acknowledged = detail !== 'not acknowledged'
    if (!answers) return acknowledged ? t.state.silent : t.state.silentOver
    if (expiresAt <= here.now) return t.state.unanswered
    return acknowledged ? t.state.sent : t.state.handedOver
  }
  if (state === 'pending' && !gatewayOnline) return t.state.away
  const unconfirmed = needsSecondPerson(name) && !confirmedBy
  const why = detail || (state !== 'expired' ? '' : unconfirmed ? 'not confirmed' : 'gateway away')
  return why === '' ? t.state[state] : t.because(t.state[state], reasons[why] ?? why)
}
