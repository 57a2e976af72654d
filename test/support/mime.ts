/** Enough of RFC 5322, 2045 and 2047 to assert on a message that came over SMTP; written apart from what composes it. */

export type ParsedMail = {
  /** Lower-case name to each value, unfolded but not decoded. */
  headers: Map<string, string[]>
  subject: string
  text: string
  html: string
}

function unquote(text: string, spaceForUnderscore: boolean): Buffer {
  const source = spaceForUnderscore ? text.replace(/_/g, ' ') : text.replace(/=\r?\n/g, '')
  const bytes: number[] = []
  for (let at = 0; at < source.length; at += 1) {
    const hex = /^=([0-9A-Fa-f]{2})/.exec(source.slice(at, at + 3))
    if (hex) at += 2
    bytes.push(hex ? Number.parseInt(hex[1]!, 16) : source.charCodeAt(at))
  }
  return Buffer.from(bytes)
}

/** Encoded words (`=?utf-8?B?…?=`) as text. Neighbours are one text: the space between them is only folding. */
export function decodeWords(value: string): string {
  const joined = value.replace(/(\?=)\s+(?==\?)/g, '$1')
  return joined.replace(
    /=\?([^?*]+)(?:\*[^?]*)?\?([BbQq])\?([^?]*)\?=/g,
    (_all, charset: string, how: string, data) => {
      const bytes = how.toUpperCase() === 'B' ? Buffer.from(data, 'base64') : unquote(data, true)
      return new TextDecoder(charset).decode(bytes)
    },
  )
}

function splitEntity(raw: string): { headers: Map<string, string[]>; body: string } {
  const end = raw.indexOf('\r\n\r\n')
  const head = end < 0 ? raw : raw.slice(0, end)
  const headers = new Map<string, string[]>()
  for (const line of head.replace(/\r\n(?=[ \t])/g, '').split('\r\n')) {
    const colon = line.indexOf(':')
    if (colon < 1) continue
    const name = line.slice(0, colon).toLowerCase()
    headers.set(name, [...(headers.get(name) ?? []), line.slice(colon + 1).trim()])
  }
  return { headers, body: end < 0 ? '' : raw.slice(end + 4) }
}

function collect(raw: string, found: { text: string; html: string }): Map<string, string[]> {
  const { headers, body } = splitEntity(raw)
  const type = headers.get('content-type')?.[0] ?? 'text/plain'
  const boundary = /boundary="?([^";]+)"?/i.exec(type)?.[1]
  if (boundary) {
    for (const part of `\r\n${body}`.split(`\r\n--${boundary}`).slice(1))
      if (!part.startsWith('--')) collect(part.replace(/^\r\n/, ''), found)
    return headers
  }
  const encoding = headers.get('content-transfer-encoding')?.[0]?.toLowerCase() ?? '7bit'
  const bytes =
    encoding === 'base64'
      ? Buffer.from(body, 'base64')
      : encoding === 'quoted-printable'
        ? unquote(body, false)
        : Buffer.from(body, 'latin1')
  const decoded = bytes.toString('utf8').replace(/\r\n/g, '\n')
  if (/^text\/html/i.test(type)) found.html = decoded
  else if (/^text\/plain/i.test(type)) found.text = decoded
  return headers
}

export function parseMail(raw: Buffer): ParsedMail {
  const found = { text: '', html: '' }
  const headers = collect(raw.toString('latin1'), found)
  const subject = Buffer.from(headers.get('subject')?.[0] ?? '', 'latin1').toString('utf8')
  return { headers, subject: decodeWords(subject), ...found }
}
