import { isAlarmKind, type ReadingKind } from '../contract.js'
import type { Rejection } from '../decode.js'
import type { Saying } from './dialect.js'
import { type Json, numberOf } from './json.js'
import { isCall, isPress } from './zigbee2mqtt-actions.js'
import type { Spec } from './zigbee2mqtt-memory.js'
import type { MessageTime } from './zigbee2mqtt-time.js'
import { isNothing, readBattery, readYesNo } from './zigbee2mqtt-words.js'

const valueCharsMax = 60

type Group = { kind: ReadingKind; channel: string | undefined; specs: Spec[] }

/** The readings of one message, one for each kind and channel, and what in it was not understood. */
export function readValues({
  id,
  specs,
  payload,
  time,
  latched,
}: {
  id: string
  specs: readonly Spec[]
  payload: Json
  time: MessageTime
  /** Which calls that are a state are known to stand: `device property`. */
  latched: ReadonlySet<string>
}): { readings: Saying[]; rejections: Rejection[]; latches: Map<string, boolean> } {
  const latches = new Map<string, boolean>()
  const odd: Rejection[] = []
  const reject = ({ p }: Spec, why: string) => odd.push({ reason: 'unknown field', detail: `${id}: ${p} ${why}` })
  const common = readCommon(specs, payload)
  const readings = groupsOf(specs, payload).flatMap((group): Saying[] => {
    const measured = group.kind === 'button' ? call(group) : measure(group, payload, time, reject)
    if (!measured) return []
    const nativeId = group.channel === undefined ? id : `${id}/${group.channel}`
    return [{ nativeId, kind: group.kind, fields: { ts: time.ts, ...measured, ...common } }]
  })
  return { readings, rejections: odd, latches }

  function call({ specs, channel }: Group) {
    const nativeId = channel === undefined ? id : `${id}/${channel}`
    return readCall(specs, payload, time, { nativeId, latched, latches, reject })
  }
}

function groupsOf(specs: readonly Spec[], payload: Json): Group[] {
  const groups = new Map<string, Group>()
  for (const spec of specs) {
    const { k: kind, c: channel, p } = spec
    if (!kind || !Object.hasOwn(payload, p)) continue
    const key = `${kind} ${channel ?? ''}`
    const group = groups.get(key)
    if (group) group.specs.push(spec)
    else groups.set(key, { kind, channel, specs: [spec] })
  }
  // The parts of a total are one only together.
  return [...groups.values()].filter(
    ({ kind, channel, specs: there }) =>
      count(there) === count(specs.filter(({ k, c }) => k === kind && c === channel)) || count(there) === 0,
  )
}

const count = (specs: readonly Spec[]) => specs.filter(({ as }) => as === 'register').length

type Reject = (spec: Spec, why: string) => void

/** The fields that are of this kind alone; undefined: nothing is said of it. */
function measure({ kind, specs }: Group, payload: Json, time: MessageTime, reject: Reject): Json | undefined {
  if (kind === 'water' || kind === 'electricity')
    return time.isOld ? undefined : readMeter(kind, specs, payload, reject)
  const says = readAny(specs, payload, reject)
  if (says === undefined) return undefined
  if (isAlarmKind(kind)) {
    const level = specs.find(({ as }) => as === 'level')
    const amount = level && numberOf(payload[level.p])
    return {
      alarm: says,
      ...(amount === undefined ? {} : { level: amount, ...(level!.u ? { unit: level!.u } : {}) }),
      ...(time.isFromStart ? { cached: true } : {}),
    }
  }
  // Nobody moved because a bridge started.
  if (time.isFromStart) return undefined
  if (kind === 'motion') return { motion: says }
  if (kind === 'door') return { open: says }
  const breaths = specs.find(({ as }) => as === 'breaths')
  const breathsPerMin = breaths && numberOf(payload[breaths.p])
  return { inBed: says, ...(says && breathsPerMin ? { breathsPerMin } : {}) }
}

/** Yes where one of several properties says yes. */
function readAny(specs: readonly Spec[], payload: Json, reject: Reject): boolean | undefined {
  let says: boolean | undefined
  for (const spec of specs) {
    if (spec.as !== 'alarm' && spec.as !== 'state' && spec.as !== 'latch') continue
    const value = readYesNo(spec, payload[spec.p])
    if (value === 'odd') reject(spec, `is ${show(payload[spec.p])}`)
    else if (value !== undefined) says = says || value
  }
  return says
}

type Calls = {
  nativeId: string
  latched: ReadonlySet<string>
  /** Filled with what is said now. */
  latches: Map<string, boolean>
  reject: Reject
}

/**
 * A press: each action once; a state as long as it stands, since only the device knows whether it was pressed again. A
 * press that is held to be an old one is told to nobody. So the start of a bridge makes an old one only of an action that
 * was published to be kept (a bridge keeps no others) and of a state that is known to have stood before: a call that came
 * while the bridge started is news.
 */
function readCall(
  specs: readonly Spec[],
  payload: Json,
  time: MessageTime,
  { nativeId, latched, latches, reject }: Calls,
): Json | undefined {
  const standing: boolean[] = []
  for (const spec of specs.filter(({ as }) => as === 'latch')) {
    const value = readAny([spec], payload, reject)
    if (value === undefined) continue
    const key = `${nativeId} ${spec.p}`
    latches.set(key, value)
    if (value) standing.push(latched.has(key))
  }
  const pressed = (isOld: boolean) => ({ event: 'pressed', ...(isOld ? { cached: true } : {}) })
  for (const spec of specs.filter(({ as }) => as === 'press')) {
    const action = payload[spec.p]
    if (isNothing(action)) continue
    if (typeof action !== 'string') reject(spec, `is ${show(action)}`)
    else if (spec.any ? isPress(action) : isCall(action))
      return pressed(time.isRetained && time.isFromStart && standing.every((isKnown) => isKnown))
  }
  return standing.length > 0 ? pressed(time.isFromStart && standing.every((isKnown) => isKnown)) : undefined
}

function readMeter(kind: 'water' | 'electricity', specs: readonly Spec[], payload: Json, reject: Reject) {
  let total: number | undefined
  for (const spec of specs.filter(({ as }) => as === 'register')) {
    const value = payload[spec.p]
    if (isNothing(value)) return undefined
    const number = numberOf(value)
    if (number === undefined) reject(spec, `is ${show(value)}`)
    else if (spec.x === undefined) reject(spec, 'has no unit in its exposes')
    if (number === undefined || spec.x === undefined) return undefined
    total = (total ?? 0) + number * spec.x
  }
  if (total === undefined) return undefined
  const rate = specs.find(({ as }) => as === 'rate')
  const now = rate && numberOf(payload[rate.p])
  const w = now === undefined ? undefined : tidy(now * (rate?.x ?? 1))
  if (kind === 'electricity') return { wh: tidy(total), ...(w === undefined ? {} : { w }) }
  return { litres: tidy(total), ...(w === undefined || w < 0 ? {} : { flowLpm: w }) }
}

/** 0.1 kWh is 100 Wh, and not 100.00000000000001. */
const tidy = (value: number) => Number(value.toPrecision(12))

function readCommon(specs: readonly Spec[], payload: Json): Json {
  const battery = readBattery(specs, payload)
  const says = (as: Spec['as']) => {
    const values = specs.filter((spec) => spec.as === as).map((spec) => readYesNo(spec, payload[spec.p]))
    return values.includes(true) ? true : values.includes(false) ? false : undefined
  }
  const tamper = says('tamper')
  const fault = says('fault')
  return {
    ...(battery === undefined ? {} : { battery }),
    ...(tamper === undefined ? {} : { tamper }),
    ...(fault === undefined ? {} : { fault }),
    ...(says('test') ? { test: true } : {}),
  }
}

const show = (value: unknown) =>
  typeof value === 'object' ? 'no plain value' : `"${String(value).slice(0, valueCharsMax)}"`
