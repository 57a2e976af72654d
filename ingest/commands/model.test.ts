import { expect, test } from 'vitest'
import { commandNames } from './message.js'
import {
  type CommandEvent,
  type CommandState,
  commandAfter,
  commandStates,
  expiryMsMax,
  expiryMsMin,
  expiryMsOf,
  needsSecondPerson,
} from './model.js'

const events: CommandEvent[] = ['confirmed', 'cancelled', 'expired', 'sent', 'done', 'failed']

test('each state, each event', () => {
  const table = Object.fromEntries(
    commandStates.map((state) => [
      state,
      Object.fromEntries(events.flatMap((event) => commandAfter(state, event) ?? []).map((to) => [to, true])),
    ]),
  )
  const leadsTo: Record<CommandState, CommandState[]> = {
    waiting: ['pending', 'cancelled', 'expired'],
    pending: ['cancelled', 'expired', 'sent', 'done', 'failed'],
    sent: ['done', 'failed'],
    // The device did it all the same.
    expired: ['done', 'failed'],
    cancelled: ['done', 'failed'],
    done: [],
    failed: [],
  }
  for (const state of commandStates) expect(Object.keys(table[state]!).sort(), state).toEqual(leadsTo[state].sort())
})

test('nothing is sent that waits for a second person, and nothing ended is sent', () => {
  for (const state of commandStates) expect(commandAfter(state, 'sent') !== undefined, state).toBe(state === 'pending')
})

test('only the valve needs a second person, and each expiry is within its limits', () => {
  expect(commandNames.filter(needsSecondPerson)).toEqual(['close valve'])
  for (const name of commandNames) {
    expect(expiryMsOf(name)).toBe(name === 'close valve' ? 600_000 : 300_000)
    expect(expiryMsOf(name)).toBeGreaterThanOrEqual(expiryMsMin)
    expect(expiryMsOf(name)).toBeLessThanOrEqual(expiryMsMax)
  }
})
