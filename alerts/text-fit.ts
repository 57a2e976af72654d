/**
 * Short texts within what a channel takes. Pure. What is not needed most goes first; a line is dropped whole rather than
 * cut in the middle, and a link is never cut.
 */

export type Line = {
  text: string
  /** Lines with the highest go first; 0 is shortened when nothing else is left, and never dropped. */
  drop: number
  /** How a line of 0 looks with at most that many characters; without it the line stays as it is. */
  shorten?: (charsMax: number) => string
}

export const utf8Bytes = (text: string): number => new TextEncoder().encode(text).length

/** The first characters of a text, with … where something is missing; surrogate pairs stay whole. */
export function cutText(text: string, charsMax: number): string {
  const chars = [...text]
  return chars.length > charsMax ? `${chars.slice(0, Math.max(charsMax - 1, 0)).join('')}…` : text
}

const shortenSteps = [80, 60, 45, 35, 28, 22, 18, 14, 10, 8]

/**
 * The lines that fit together, most important kept. Where not even those of 0 fit, these come shortened all the same. Fewer
 * lines have to fit wherever more do: how many go is found by halving, since a digest may have thousands.
 */
export function fitLines(lines: readonly Line[], fits: (lines: string[]) => boolean): string[] {
  const order = lines
    .map(({ drop }, index) => ({ drop, index }))
    .filter(({ drop }) => drop > 0)
    .sort((a, b) => b.drop - a.drop || b.index - a.index)
  const without = (count: number) => {
    const gone = new Set(order.slice(0, count).map(({ index }) => index))
    return lines.filter((_, index) => !gone.has(index))
  }
  const textsOf = (kept: readonly Line[]) => kept.map(({ text }) => text)
  let [least, most] = [0, order.length]
  while (least < most) {
    const middle = Math.floor((least + most) / 2)
    if (fits(textsOf(without(middle)))) most = middle
    else least = middle + 1
  }
  let kept = without(least)
  for (const charsMax of shortenSteps) {
    if (fits(textsOf(kept))) break
    kept = kept.map((line) => (line.shorten ? { ...line, text: line.shorten(charsMax) } : line))
  }
  return textsOf(kept)
}

/** GSM 03.38: the characters of one septet, and those of two. */
const gsmBasic = new Set(
  '@£$¥èéùìòÇ\nØø\rÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !"#¤%&\'()*+,-./0123456789:;<=>?¡ABCDEFGHIJKLMNOPQRSTUVWXYZÄÖÑÜ§¿abcdefghijklmnopqrstuvwxyzäöñüà',
)
const gsmExtended = new Set('^{}\\[~]|€')

/**
 * How many parts of a text message it takes: 160 characters of GSM 03.38 or 70 of UCS-2 in one, 153 or 67 in each of
 * several (3GPP TS 23.040). One Chinese character makes all of it UCS-2.
 */
export function smsParts(text: string): number {
  const chars = [...text]
  const isGsm = chars.every((char) => gsmBasic.has(char) || gsmExtended.has(char))
  const units = isGsm ? chars.reduce((sum, char) => sum + (gsmExtended.has(char) ? 2 : 1), 0) : text.length
  const [single, each] = isGsm ? [160, 153] : [70, 67]
  return units <= single ? 1 : Math.ceil(units / each)
}
