import type { Stored, StoredAlert, Violation } from './history.js'
import { timeText } from './history.js'

/** Guarantee 7: the same stream gives the same alerts, to the millisecond, with the same numbers and the same end. */
export function checkReplay(original: Pick<Stored, 'alerts'>, replayed: Pick<Stored, 'alerts'>): Violation[] {
  const once = original.alerts.map(textOf)
  const again = replayed.alerts.map(textOf)
  const missing = once.filter((text) => !again.includes(text)).map((text) => `not decided again: ${text}`)
  const added = again.filter((text) => !once.includes(text)).map((text) => `decided only in the replay: ${text}`)
  const counted = once.length === again.length ? [] : [`${once.length} alerts, and ${again.length} in the replay`]
  return [...counted, ...missing, ...added].map((what) => ({ guarantee: 7, what }))
}

function textOf(alert: StoredAlert): string {
  const { residentId, kind, deviceId, openedAt, observedAt, headline, reason, stage, closedAt, outcome } = alert
  const numbers = JSON.stringify(Object.entries(reason).sort(([a], [b]) => a.localeCompare(b)))
  return [
    `${residentId} ${kind} ${deviceId ?? ''} opened ${timeText(openedAt)} observed ${timeText(observedAt)}`,
    `${stage} ${timeText(closedAt)} ${outcome ?? ''}`,
    `${headline.en} ${headline.zh} ${numbers}`,
  ].join(' · ')
}
