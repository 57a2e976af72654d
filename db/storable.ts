/** Text as PostgreSQL takes it: no NUL, and no lone half of a surrogate pair. */
export const storableText = (text: string): string => text.toWellFormed().replaceAll('\0', '␀')

/** Plain JSON as jsonb takes it: each text in it, names too, storable. */
export function storableJson(value: unknown): string {
  return JSON.stringify(value, (_, part: unknown) => {
    if (typeof part === 'string') return storableText(part)
    if (typeof part !== 'object' || part === null || Array.isArray(part)) return part
    const names = Object.keys(part)
    if (names.every((name) => name === storableText(name))) return part
    return Object.fromEntries(Object.entries(part).map(([name, inner]) => [storableText(name), inner]))
  })
}
