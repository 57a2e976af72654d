/** The part of a reply that its writer wrote, apart from what the mail program quoted below, above or between. Pure. */

const textCharsMax = 20_000
const linesMax = 400
const lineCharsMax = 600

/** "On Sat, 21 Nov 2026 … wrote:", possibly over two lines, in the ways of the usual programs. */
const attribution =
  /^(on|at|am|le|el|em)\b.{5,300}(wrote|写道|schrieb|écrit|escribió|escreveu) ?[:：]$|^.{0,300}(写道|wrote) ?[:：]$/i
/** From here on all is the mail that is answered. */
const cuts = [
  /^-{2,}\s*(original message|original|原始邮件|原邮件|forwarded message|转发邮件|回复邮件)\s*-{2,}$/i,
  /^-{4,}.*(原始邮件|original).*-{4,}$/i,
  /^_{10,}$/,
  /^(from|发件人|寄件者|寄件人)\s*[:：]\s*\S/i,
  // Our own first line under a link, where a program quotes without any sign.
  /\/p\/[A-Za-z0-9_-]{43}/,
]
/** What a telephone adds by itself. */
const signature =
  /^(--|—|sent from (my|outlook|mail|yahoo)|get outlook for|发自(我的)?|来自(我的)?|从我的|发送自|由我的|from my (iphone|ipad|android|phone))/i

/** The first line that its writer wrote; empty where there is none. `text`: the plain text of the mail. */
export function firstOwnLine(text: string): string {
  const lines = text
    .slice(0, textCharsMax)
    .replace(/\r\n?/g, '\n')
    .split('\n', linesMax)
    .map((line) =>
      line
        .slice(0, lineCharsMax)
        .replace(/[\u200b-\u200f\ufeff\u00a0]/g, ' ')
        .trim(),
    )
  for (let at = 0; at < lines.length; at++) {
    const line = lines[at]!
    if (line === '' || isQuoted(line)) continue
    const taken = attributionLines(lines, at)
    if (taken > 0) {
      const next = lines.slice(at + taken).find((one) => one !== '')
      // Without a mark before each line there is no telling where the quotation ends.
      if (next === undefined || !isQuoted(next)) return ''
      at += taken - 1
      continue
    }
    if (cuts.some((cut) => cut.test(line)) || signature.test(line)) return ''
    return line
  }
  return ''
}

const isQuoted = (line: string) => /^[>＞|]/.test(line)

function attributionLines(lines: string[], at: number): number {
  const [first, second] = [lines[at]!, lines[at + 1] ?? '']
  if (attribution.test(first)) return 1
  const starts =
    /^(on|at|am|le|el|em|在|于)\s?.{0,200}\d/i.test(first) || /^.{0,200}<[^\s<>@]{1,200}@[^\s<>@]{1,200}>/.test(first)
  return starts && second !== '' && attribution.test(`${first} ${second}`) ? 2 : 0
}

const entities: Record<string, string> = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'", nbsp: ' ' }
const htmlCharsMax = 200_000
const tagCharsMax = 1_000
const breaks = new Set(['br', 'p', 'div', 'tr', 'li', 'h1', 'h2', 'h3', 'h4', 'h5', 'h6'])
const notText = new Set(['style', 'script', 'head', 'title'])
/** Where the usual programs begin what they quote. */
const quoteMark =
  /\b(class|id)\s*=\s*["']?[^"'>]*\b(gmail_quote|yahoo_quoted|moz-cite-prefix|divRplyFwdMsg|isReplyContent|ntes-mailmaster-quote|reply-quote)\b/i

/**
 * The text of an HTML mail up to what it quotes: enough for its first words, not a browser. One pass over it, whatever
 * stands in it.
 */
export function textOfHtml(given: string): string {
  const html = given.slice(0, htmlCharsMax)
  const lower = html.toLowerCase()
  let text = ''
  let at = 0
  while (at < html.length) {
    const open = html.indexOf('<', at)
    text += html.slice(at, open < 0 ? html.length : open)
    if (open < 0) break
    const isComment = html.startsWith('<!--', open)
    const close = isComment ? html.indexOf('-->', open) : html.indexOf('>', open)
    if (close < 0) break
    at = close + (isComment ? 3 : 1)
    if (isComment) continue
    const tag = html.slice(open + 1, Math.min(close, open + tagCharsMax))
    const name = /^[a-z][a-z0-9]*/i.exec(tag)?.[0].toLowerCase() ?? ''
    if (name === 'blockquote' || quoteMark.test(tag)) break
    if (breaks.has(name)) text += '\n'
    if (!notText.has(name)) continue
    const end = lower.indexOf(`</${name}`, at)
    if (end < 0) break
    at = end
  }
  return text.slice(0, textCharsMax).replace(/&(#x?[0-9a-f]{1,6}|[a-z]{2,6});/gi, (all, name: string) => {
    if (!name.startsWith('#')) return entities[name.toLowerCase()] ?? all
    const code = /^#x/i.test(name) ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1))
    return code > 0 && code <= 0x10ffff ? String.fromCodePoint(code) : ''
  })
}
