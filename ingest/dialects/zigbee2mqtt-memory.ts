import type { ReadingKind } from '../contract.js'
import { type DialectMemory, memoryBytesMax } from './dialect.js'
import { plainText } from './plain-text.js'

/** A value of a property that is compared as it stands. */
export type Scalar = string | number | boolean

/** What a property of a message stands for. Short keys: a gateway has hundreds of devices and 64 KiB. */
export type Spec = {
  /** The property in the message. */
  p: string
  as:
    | 'alarm'
    | 'level'
    | 'press'
    /** A call that is told as a state and not as an action: `sos: true`, `fall_status: fall_alarm`. */
    | 'latch'
    /** Several of one channel are parts of it: tariffs. */
    | 'register'
    | 'rate'
    | 'state'
    | 'breaths'
    | 'test'
    | 'battery'
    | 'batteryLow'
    | 'batteryWord'
    | 'tamper'
    | 'fault'
  /** The kind it belongs to; missing: said of the device as a whole. */
  k?: ReadingKind
  /** Values that say yes, no, and nothing; missing: true and false. */
  on?: Scalar[]
  off?: Scalar[]
  mute?: Scalar[]
  /** What the value is multiplied with to be of the unit of v1; missing for a register: its unit is not known. */
  x?: number
  /** Of a level: its unit. */
  u?: string
  /** Of an action: any press counts, not only a call for help. */
  any?: true
  /** The channel of a device that has several. */
  c?: string
}

/** What to set so that a device does something: the property, and the value. */
export type Settable = [property: string, value: unknown]
export type Settables = {
  chime?: Settable
  valve?: Settable
  test?: Settable
  ledOn?: Settable
  ledOff?: Settable
}

/** What all devices of one definition have in common. */
export type Model = { s: Spec[]; w?: Settables }

/** `model` is an index into the models; -1: it has no definition, and is understood by the names of its properties. */
export type KnownDevice = [name: string, id: string, model: number]

export type Z2mMemory = {
  /** When the bridge last said that it is there, epoch ms. */
  online?: number
  models: Model[]
  devices: KnownDevice[]
  /** Names that were heard before the bridge told of them: they stay the ids of their devices. */
  early: string[]
  /** Which IEEE address kept such a name as its id. */
  aliases: [ieee: string, id: string][]
  /** Calls that are a state and stand, `device property`, the oldest first; a bridge that starts says them again. */
  latched?: string[]
}

const earlyMax = 100
const latchedMax = 50
/** For what is not bounded by itself: when the bridge was online. */
const spareBytes = 256
export const aliasesMax = 200
/** The rest is for names heard early and for the addresses that keep them. */
const devicesBytesMax = memoryBytesMax - 8_192
const nameCharsMax = 200

export const bytesOf = (value: unknown) => new TextEncoder().encode(JSON.stringify(value)).length

/** Names that can be kept and stored: no control characters, no half characters, at most 200 characters. */
export const isName = (value: unknown): value is string =>
  typeof value === 'string' && value !== '' && plainText(value, nameCharsMax) === value

/** What an earlier message left; an empty memory at first. */
export function memoryOf(memory: DialectMemory): Z2mMemory {
  const { models = [], devices = [], early = [], aliases = [], ...rest } = memory as Partial<Z2mMemory>
  return { ...rest, models, devices, early, aliases }
}

/** A device by the name that it publishes under. */
export const deviceByName = ({ devices }: Z2mMemory, name: string) => devices.find(([known]) => known === name)

export type DescribedDevice = { name: string; id: string; model: Model | undefined }

/**
 * Devices and their descriptions, each description once; of those that do not fit the last ones are left out, so put
 * first what matters most. `left` says how many.
 */
export function pack(described: readonly DescribedDevice[]): Pick<Z2mMemory, 'models' | 'devices'> & { left: number } {
  const indexes = new Map<string, number>()
  const models: Model[] = []
  const devices: KnownDevice[] = []
  let bytes = 0
  for (const { name, id, model } of described) {
    const text = model && JSON.stringify(model)
    const known = text === undefined ? -1 : indexes.get(text)
    const device: KnownDevice = [name, id, known ?? models.length]
    bytes += bytesOf(device) + 1 + (known === undefined ? bytesOf(model) + 1 : 0)
    if (bytes > devicesBytesMax) break
    if (known === undefined) {
      indexes.set(text!, models.length)
      models.push(model!)
    }
    devices.push(device)
  }
  return { models, devices, left: described.length - devices.length }
}

/**
 * With the calls that stand now; the same memory where nothing is new. A call that has been forgotten is told again, which
 * is better than one that nobody is told of: so only those that stand are kept, and the oldest give way.
 */
export function withLatches(memory: Z2mMemory, latches: ReadonlyMap<string, boolean>): Z2mMemory {
  const { latched: before = [], ...rest } = memory
  const ended = before.filter((key) => latches.get(key) === false)
  const begun = [...latches].flatMap(([key, stands]) => (stands && !before.includes(key) ? [key] : []))
  if (ended.length === 0 && begun.length === 0) return memory
  return fitLatched({ ...rest, latched: [...before.filter((key) => !ended.includes(key)), ...begun] })
}

/** Of the calls that stand as many as there is room for. */
export function fitLatched({ latched = [], ...rest }: Z2mMemory): Z2mMemory {
  let kept = latched.slice(-latchedMax)
  const room = memoryBytesMax - spareBytes - bytesOf(rest)
  while (kept.length > 0 && bytesOf(kept) > room) kept = kept.slice(1)
  return kept.length === 0 ? rest : { ...rest, latched: kept }
}

/** Remembers that a name was heard which the bridge has not told of; the first 100 of them. */
export function withEarly(memory: Z2mMemory, name: string): Z2mMemory | undefined {
  if (memory.early.length >= earlyMax || memory.early.includes(name)) return undefined
  const next = { ...memory, early: [...memory.early, name] }
  return bytesOf(next) <= memoryBytesMax ? next : undefined
}
