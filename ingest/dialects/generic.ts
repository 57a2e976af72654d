import type { Dialect, DialectMessage, DialectOutput } from './dialect.js'
import { keepCommands, writeCommand } from './generic-commands.js'
import { checkMapping } from './generic-mapping.js'
import { tryMapping } from './generic-trial.js'
import { notUnderstood } from './json.js'

/**
 * Any JSON, read by the mapping that the operator has written for this gateway (`genericMapping`). Without one, or with
 * one that an older version of Shouwang would have taken, everything is quarantined.
 */
export const generic: Dialect = { name: 'generic', read, write: writeCommand }

/** Settings are checked once, not once for each message. */
const checked = new WeakMap<object, ReturnType<typeof checkMapping>>()

function mappingOf(settings: unknown): ReturnType<typeof checkMapping> {
  if (typeof settings !== 'object' || settings === null) return { problems: [{ at: '', message: 'none' }] }
  const before = checked.get(settings)
  if (before) return before
  const found = checkMapping(settings)
  checked.set(settings, found)
  return found
}

function read({ settings, topic, payload, receivedAt, timeZone, memory: before }: DialectMessage): DialectOutput {
  const found = mappingOf(settings)
  if ('problems' in found) {
    const [first] = found.problems
    return notUnderstood('wrong shape', `no mapping for this gateway: ${first?.at ?? ''} ${first?.message ?? ''}`)
  }
  const { readings, rejections } = tryMapping(found.mapping, { topic, payload, receivedAt, timeZone })
  const memory = keepCommands(before, found.mapping.commands)
  return { readings, rejections, ...(memory === before ? {} : { memory }) }
}
