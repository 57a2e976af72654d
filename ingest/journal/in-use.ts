import type { JournalState } from '../store-and-forward.js'

/** Why the edge is not as ready as it should be, in one line for the operator; undefined while all goes to the database. */
export function journalInUse(state: JournalState | undefined, now: Date): string | undefined {
  if (!state || state.sinceMs === null) return undefined
  const { alarms, meters, bytes, full } = state
  const seconds = Math.round((now.getTime() - state.sinceMs) / 1_000)
  const waiting = `${alarms + meters} messages (${alarms} with emergencies, ${(bytes / 1_048_576).toFixed(1)} MB) wait in the journal`
  const refused = full ? '; it is full: meter readings are not acknowledged' : ''
  return `the database has not taken what comes for ${seconds} s; ${waiting}${refused}`
}
