import { liesUnder } from './base-topics.js'
import type { CommandName, DeviceCommand, DialectMemory } from './dialect.js'
import { isObject } from './json.js'

export const commandNames = ['prompt', 'chime', 'led', 'close valve', 'self-test'] as const satisfies CommandName[]

/** `{device}` in both, and in the payload `{text}`, `{language}` and `{on}` too. */
export type GenericCommands = Partial<Record<CommandName, { topic: string; payload: string }>>

/** Whether a text is a topic once `{device}` is filled in. */
export const isCommandTopic = (topic: string): boolean =>
  topic !== '' && !/[+#\p{Cc}\p{Cs}]/u.test(topic) && !/[{}]/.test(topic.replaceAll('{device}', ''))

/**
 * The memory with the commands of the mapping in it, for a command comes without the mapping; the same memory where they
 * are there already.
 */
export function keepCommands(memory: DialectMemory, commands: GenericCommands | undefined): DialectMemory {
  const before = Object.hasOwn(memory, 'commands') ? memory.commands : undefined
  if (JSON.stringify(before) === JSON.stringify(commands)) return memory
  const { commands: _, ...rest } = memory
  return commands ? { ...rest, commands: structuredClone(commands) } : rest
}

/** What the operator wrote for this command, filled in; undefined: nothing, or not for a device of such a name. */
export function writeCommand({
  command,
  nativeId,
  base,
  memory,
}: {
  command: DeviceCommand
  nativeId: string
  base: string
  memory: DialectMemory
}): { topic: string; payload: string } | undefined {
  const kept = Object.hasOwn(memory, 'commands') ? memory.commands : undefined
  const written = isObject(kept) && Object.hasOwn(kept, command.name) ? kept[command.name] : undefined
  if (!isObject(written)) return undefined
  const { topic: pattern, payload } = written
  if (typeof pattern !== 'string' || typeof payload !== 'string' || !isCommandTopic(pattern)) return undefined
  if (/[+#/{}\p{Cc}\p{Cs}]/u.test(nativeId)) return undefined
  const topic = pattern.replaceAll('{device}', nativeId)
  if (base !== '' && !liesUnder(base, topic)) return undefined
  const { name: _, ...said } = command
  const values: Record<string, unknown> = { device: nativeId, ...said }
  const isJson = isJsonTemplate(payload)
  const filled = payload.replace(/\{(device|text|language|on)\}/g, (whole, name: string) => {
    const value = Object.hasOwn(values, name) ? String(values[name]) : whole
    return isJson ? JSON.stringify(value).slice(1, -1) : value
  })
  return { topic, payload: filled }
}

/** Whether what is filled in stands between the quotes of JSON. */
function isJsonTemplate(payload: string): boolean {
  return payload.trimStart().startsWith('{') || payload.trimStart().startsWith('[')
}
