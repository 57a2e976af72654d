import { type CommandResult, commandSchemas, commandTopic, contractVersion, type ReadingKind } from '../contract.js'
import type { CommandName, DeviceCommand, DialectMemory, DialectName } from '../dialects/dialect.js'
import { dialects } from '../dialects/dialects.js'

export type { CommandResult }

/** The names of all commands, in the order in which they are offered. */
export const commandNames = ['prompt', 'chime', 'led', 'self-test', 'close valve'] as const satisfies CommandName[]

/** What a device of each kind may be able to do; whether this one can, its adapter or the device itself says. */
export const commandsByKind: Record<ReadingKind, readonly CommandName[]> = {
  voice: ['prompt', 'chime', 'led', 'self-test'],
  button: ['chime', 'led'],
  smoke: ['self-test'],
  co: ['self-test'],
  gas: ['self-test', 'close valve'],
  leak: ['self-test', 'close valve'],
  water: ['close valve'],
  electricity: [],
  motion: [],
  door: [],
  bed: [],
}

/** Sirens: of the dialects only Zigbee2MQTT says which of these can sound without an alarm. */
const sirenKinds: readonly ReadingKind[] = ['smoke', 'co', 'gas', 'leak']
const isOffered = (name: CommandName, { kind, dialect }: Target) =>
  commandsByKind[kind].includes(name) || (name === 'chime' && dialect === 'zigbee2mqtt' && sirenKinds.includes(kind))

/** A device that a command is for, with what its gateway's adapter needs. */
export type Target = {
  gatewayId: string
  deviceId: string
  kind: ReadingKind
  dialect: DialectName | 'v1'
  baseTopics: readonly string[]
  memory: DialectMemory
  /** As its gateway names it; null where it never announced it. */
  nativeId: string | null
}

export type CommandToSend = { commandId: string; command: DeviceCommand; expiresAt: Date }

/** What to publish so that the device does it: the whole topic. Undefined: this device cannot. */
export function messageOf(target: Target, { commandId, command, expiresAt }: CommandToSend) {
  if (!isOffered(command.name, target)) return undefined
  if (target.dialect !== 'v1') return inDialect(target, command)
  const { name, ...rest } = command
  const said = commandSchemas[name].safeParse({
    id: commandId,
    command: name,
    ...rest,
    expiresAt: expiresAt.toISOString(),
  })
  if (!said.success) return undefined
  return { topic: commandTopic(target.gatewayId, target.deviceId), payload: JSON.stringify(said.data) }
}

function inDialect({ gatewayId, dialect, baseTopics, memory, nativeId }: Target, command: DeviceCommand) {
  const write = dialects[dialect as DialectName]?.write
  if (!write || nativeId === null) return undefined
  for (const base of baseTopics.length > 0 ? baseTopics : ['']) {
    const said = write({ command, nativeId, base, memory })
    if (said) return base === '' ? { ...said, topic: `${contractVersion}/${gatewayId}/${said.topic}` } : said
  }
  return undefined
}

/** What this device can be asked, for what a page offers. */
export const commandsOf = (target: Target): CommandName[] =>
  commandNames.filter((name) => messageOf(target, { commandId: anyId, command: examples[name], expiresAt: anyTime }))

const anyId = '00000000-0000-4000-8000-000000000000'
const anyTime = new Date(0)
const examples: { [N in CommandName]: Extract<DeviceCommand, { name: N }> } = {
  prompt: { name: 'prompt', text: '…', language: 'zh-CN' },
  chime: { name: 'chime' },
  led: { name: 'led', on: true },
  'self-test': { name: 'self-test' },
  'close valve': { name: 'close valve' },
}
