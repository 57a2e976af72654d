import type { EpochMs } from '../../alerts/model.js'
import type { ReadingKind } from '../contract.js'
import type { Rejection } from '../decode.js'

/**
 * What gateways say in other words than the v1 contract. Each dialect is a pure adapter: one publish in, readings in the
 * words of v1 out. Units, scales and signs are normalised here, once.
 */
export const dialectNames = [
  'zigbee2mqtt',
  'wmbusmeters',
  'tasmota',
  'shelly',
  'chirpstack',
  'thingsboard',
  'aliyun',
  'generic',
] as const
export type DialectName = (typeof dialectNames)[number]

/** What an adapter keeps of one gateway from message to message: plain JSON, at most `memoryBytesMax` of it. */
export type DialectMemory = Record<string, unknown>
export const memoryBytesMax = 65_536
/** Of one message; more is one rejection, and the first ones are kept. */
export const sayingsMax = 1_000

export type DialectMessage = {
  /** What stands below `v1/{gatewayId}/`; the whole topic where the gateway speaks under topics of its own. */
  topic: string
  /** The registered base topic (no slash at its end) that `topic` begins with; '' below `v1/{gatewayId}/`. */
  base: string
  payload: Uint8Array
  /** The broker that it came through had kept it: it may be old. Gateways that publish to us set the flag as they like. */
  retain: boolean
  receivedAt: EpochMs
  /** IANA zone of the gateway's community: for device times that name none. */
  timeZone: string
  memory: DialectMemory
  /** What the operator has written for this gateway (the mapping of `generic`), checked when it was saved; null: nothing. */
  settings: unknown
}

/** One reading in the words of v1: `fields` is what a gateway of the v1 contract would have published under `kind`. */
export type Saying = { nativeId: string; kind: ReadingKind; fields: Record<string, unknown> }

/** A device that a gateway tells of: one for each kind that it measures. */
export type Announcement = {
  /** The device as its gateway names it and goes on naming it: any text, at most 200 characters; with a channel, where it has several. */
  nativeId: string
  kind: ReadingKind
  /** What people call it; may be empty. */
  name: string
  /** Maker and model; may be empty. */
  model: string
}

export type DialectOutput = {
  readings: Saying[]
  /** What was not understood. What is known to carry nothing for us (a log line, a temperature) is neither. */
  rejections: Rejection[]
  announcements?: Announcement[]
  /** The gateway itself, or the bridge that it is, says that it is there or gone. */
  presence?: 'online' | 'offline'
  /** What the gateway waits for as an answer: published back to it alone, under topics of its own. */
  replies?: { topic: string; payload: string }[]
  /** What to keep from now on; missing: nothing changed. */
  memory?: DialectMemory
}

/** What a home can be asked to do. */
export type DeviceCommand =
  | { name: 'prompt' /** What to say, in the resident's own language or dialect. */; text: string; language: string }
  | { name: 'chime' }
  | { name: 'led'; on: boolean }
  | { name: 'close valve' }
  | { name: 'self-test' }
export type CommandName = DeviceCommand['name']

export type Dialect = {
  name: DialectName
  /** Never throws, whatever the message; the same input gives the same output. */
  read(message: DialectMessage): DialectOutput
  /**
   * What to publish so that a device does it; undefined where it cannot, or the dialect knows no such thing. `topic` as in
   * DialectMessage: below `v1/{gatewayId}/` where `base` is ''.
   */
  write?(p: {
    command: DeviceCommand
    nativeId: string
    base: string
    memory: DialectMemory
  }): { topic: string; payload: string } | undefined
}
