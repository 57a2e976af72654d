export type PayloadExcerpt = { as: 'text' | 'hex'; text: string }

/**
 * An excerpt of bytes from anybody as something to look at: text where it is text, else hexadecimal. Control characters
 * and direction marks are shown as such, so that a payload cannot pose as something else on the page.
 */
export function payloadExcerpt(bytes: Uint8Array, { cut }: { cut: boolean }): PayloadExcerpt {
  const text = decode(bytes, cut)
  if (text === undefined)
    return {
      as: 'hex',
      text: Buffer.from(bytes)
        .toString('hex')
        .replace(/(..)(?=.)/g, '$1 '),
    }
  return { as: 'text', text: text.replace(/[\p{Cc}\p{Cf}\p{Co}\p{Cn}\u2028\u2029]/gu, visible) }
}

/** The end of an excerpt may lie within a character: up to three bytes of it are left out. */
function decode(bytes: Uint8Array, cut: boolean): string | undefined {
  for (let dropped = 0; dropped <= (cut ? 3 : 0); dropped++) {
    try {
      return new TextDecoder('utf-8', { fatal: true }).decode(bytes.subarray(0, bytes.length - dropped))
    } catch {
      // not text up to here
    }
  }
  return undefined
}

const visible = (character: string) => {
  if (character === '\n' || character === '\t') return character
  return `\\u{${character.codePointAt(0)!.toString(16)}}`
}
