import type { CommandName } from '../dialects/dialect.js'

/** The life of a command to a home. Pure. */
export const commandStates = ['waiting', 'pending', 'sent', 'done', 'failed', 'expired', 'cancelled'] as const
/**
 * waiting: for the second person; pending: for its gateway to be there; sent: its gateway has it (PUBACK); done, failed:
 * what the device said, or that it cannot; expired: nobody confirmed it, or it could not be sent in time.
 */
export type CommandState = (typeof commandStates)[number]

export type CommandEvent = 'confirmed' | 'sent' | 'done' | 'failed' | 'expired' | 'cancelled'

const after: Record<CommandEvent, { to: CommandState; from: readonly CommandState[] }> = {
  confirmed: { to: 'pending', from: ['waiting'] },
  cancelled: { to: 'cancelled', from: ['waiting', 'pending'] },
  expired: { to: 'expired', from: ['waiting', 'pending'] },
  sent: { to: 'sent', from: ['pending'] },
  // What the device says is true, also where the process that sent it died before it noted so, and time ran out meanwhile.
  done: { to: 'done', from: ['pending', 'sent', 'expired', 'cancelled'] },
  failed: { to: 'failed', from: ['pending', 'sent', 'expired', 'cancelled'] },
}

/** The state that `event` leads to; undefined where it means nothing. */
export function commandAfter(state: CommandState, event: CommandEvent): CommandState | undefined {
  const { to, from } = after[event]
  return from.includes(state) ? to : undefined
}

/** The states that an event may follow, for where a statement asks. */
export const statesBefore = (event: CommandEvent): readonly CommandState[] => after[event].from

/** What somebody else has to look at first: water that is gone is missed as well. */
export const needsSecondPerson = (name: CommandName): boolean => name === 'close valve'

export const expiryMsMin = 10_000
export const expiryMsMax = 60 * 60_000
/** How long it is worth doing; a valve also waits this long for the second person, and then begins anew. */
export const expiryMsOf = (name: CommandName): number => (needsSecondPerson(name) ? 10 : 5) * 60_000

/** Commands to one device that are waiting or pending: more is somebody leaning on a button. */
export const openPerDeviceMax = 5
/** The same again within this time is a double tap. */
export const sameAgainMs = 3_000

/** The detail of a command that failed because its device can do no such thing. */
export const cannotDetail = 'device cannot'
