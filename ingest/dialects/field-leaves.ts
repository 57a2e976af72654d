import { meaningOf, type Vocabulary } from './field-names.js'
import { isObject, type Json } from './json.js'

const leavesMax = 500
const levelsMax = 4

type Leaf = { name: string; value: unknown; unit: string | undefined }

/** Every value with the path of its name; `{value, unit}` is one value. What is known to be nothing is not opened. */
export function leavesOf(values: Json, vocabulary: Vocabulary): Leaf[] {
  const leaves: Leaf[] = []
  const walk = (object: Json, path: string, level: number) => {
    for (const [key, value] of Object.entries(object)) {
      if (leaves.length >= leavesMax) return
      const name = path === '' ? key : `${path}.${key}`
      const one = isObject(value) ? measurement(value) : undefined
      if (one) leaves.push({ name, ...one })
      else if (!isObject(value)) leaves.push({ name, value, unit: undefined })
      else if (meaningOf(vocabulary, name)?.is === 'nothing') continue
      else if (level < levelsMax) walk(value, name, level + 1)
      else leaves.push({ name, value, unit: undefined })
    }
  }
  walk(values, '', 1)
  return leaves
}

function measurement(object: Json): { value: unknown; unit: string | undefined } | undefined {
  const { unit } = object
  const name = ['value', 'data'].find((each) => Object.hasOwn(object, each))
  if (name === undefined || isObject(object[name])) return undefined
  if (Object.keys(object).some((key) => !['value', 'data', 'unit', 'time', 'ts'].includes(key))) return undefined
  return { value: object[name], unit: typeof unit === 'string' ? unit : undefined }
}
