import { isObject } from './json.js'
import { plainText } from './plain-text.js'
import type { Scalar } from './zigbee2mqtt-memory.js'

/** One property that a device exposes. */
export type Leaf = {
  name: string
  property: string
  type: string
  /** It is part of what the device says, and can be set. */
  isSaid: boolean
  isSet: boolean
  unit: string | undefined
  endpoint: string | undefined
  values: Scalar[]
  on: Scalar | undefined
  off: Scalar | undefined
  /** Of what it is a feature: switch, light, lock; '' for none. */
  parent: string
}

const leavesMax = 1_000
const wordCharsMax = 100

const word = (value: unknown) => (plainText(value, wordCharsMax) === value ? value : undefined)
const scalar = (value: unknown): Scalar | undefined =>
  typeof value === 'string' ? word(value) : typeof value === 'number' || typeof value === 'boolean' ? value : undefined

/**
 * The properties among the exposes of a definition. Parts of composites and lists are settings and records in all
 * definitions there are (the conformance test looks), and are left out.
 */
export function readLeaves(exposes: unknown, parent = '', leaves: Leaf[] = []): Leaf[] {
  if (!Array.isArray(exposes)) return leaves
  for (const expose of exposes) {
    if (!isObject(expose) || leaves.length >= leavesMax) continue
    const { type, features, access } = expose
    const name = word(expose.name)
    const property = word(expose.property)
    if (Array.isArray(features)) {
      if (type !== 'composite' && type !== 'list' && parent === '')
        readLeaves(features, word(type) || 'specific', leaves)
      continue
    }
    if (!name || !property || typeof type !== 'string') continue
    const bits = typeof access === 'number' ? access : 1
    leaves.push({
      name,
      property,
      type,
      isSaid: (bits & 1) > 0,
      isSet: (bits & 2) > 0,
      unit: word(expose.unit),
      endpoint: word(expose.endpoint),
      values: (Array.isArray(expose.values) ? expose.values : [])
        .map(scalar)
        .filter((value) => value !== undefined)
        .slice(0, leavesMax),
      on: scalar(expose.value_on),
      off: scalar(expose.value_off),
      parent,
    })
  }
  return leaves
}
