import { isObject } from './json.js'

export const pathCharsMax = 200
const levelsMax = 20

type Step = string | number
const step = /(?:^|\.)([^.[\]"'\s$][^.[\]"']*)|\[(\d{1,6})\]|\["([^"]*)"\]|\['([^']*)'\]/y

/**
 * `a.b[0].c`, `a["with.dots"]`; `$` is the whole payload, and with it a path inside `items` begins at the payload again.
 * Undefined: not a path.
 */
export function parsePath(text: string): { fromRoot: boolean; steps: Step[] } | undefined {
  if (text === '' || text.length > pathCharsMax) return undefined
  const fromRoot = text.startsWith('$')
  let rest = fromRoot ? text.slice(1) : text
  if (fromRoot && rest !== '' && !/^[.[]/.test(rest)) return undefined
  if (rest.startsWith('.')) rest = fromRoot ? rest.slice(1) : rest
  if (text.endsWith('.') || rest.startsWith('.')) return undefined
  const steps: Step[] = []
  step.lastIndex = 0
  while (step.lastIndex < rest.length) {
    const found = step.exec(rest)
    if (!found || steps.length === levelsMax) return undefined
    const [, name, index, quoted, alsoQuoted] = found
    steps.push(index === undefined ? (name ?? quoted ?? alsoQuoted ?? '') : Number(index))
  }
  return { fromRoot, steps }
}

/** What stands at a path; undefined: nothing. Only what the payload itself has: no prototypes, no `length`. */
export function valueAt(path: string, { item, root }: { item: unknown; root: unknown }): unknown {
  const parsed = parsePath(path)
  if (!parsed) return undefined
  let value = parsed.fromRoot ? root : item
  for (const key of parsed.steps) {
    if (typeof key === 'number' && Array.isArray(value)) value = value[key] as unknown
    else if (isObject(value) && Object.hasOwn(value, key)) value = value[key]
    else return undefined
  }
  return value
}
