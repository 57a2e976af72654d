import type { MessageStructureObject } from 'imapflow'

const partsMax = 200

/** Name to values as they stand in the mail, folded lines joined. */
export function parseHeaders(raw: Buffer): Map<string, string[]> {
  const headers = new Map<string, string[]>()
  const lines = raw
    .toString('utf8')
    .replace(/\r?\n[ \t]+/g, ' ')
    .split(/\r?\n/)
  for (const line of lines) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).trim().toLowerCase()
    const value = line.slice(colon + 1).trim()
    const known = headers.get(name)
    if (known) known.push(value)
    else headers.set(name, [value])
  }
  return headers
}

export type Part = { part: string; type: string }

/** The parts of a mail in order, without those that were attached as files: a text may be one. */
export function partsOf(structure: MessageStructureObject | undefined): Part[] {
  const found: Part[] = []
  const walk = (node: MessageStructureObject, isWhole: boolean) => {
    if (found.length >= partsMax) return
    const type = node.type.toLowerCase()
    const isFile = node.disposition?.toLowerCase() === 'attachment' && type.startsWith('text/')
    if (!isFile && !type.startsWith('multipart/')) found.push({ part: node.part ?? (isWhole ? '1' : ''), type })
    // What came back within a report is not the writer's words.
    if (!type.startsWith('message/')) for (const child of node.childNodes ?? []) walk(child, false)
  }
  if (structure) walk(structure, true)
  return found.filter(({ part }) => part !== '')
}
