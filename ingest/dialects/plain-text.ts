/**
 * Text for people out of whatever came: without control characters (PostgreSQL takes no NUL), without half characters
 * (nor those), at most `charsMax`. '' where it is no text.
 */
export const plainText = (value: unknown, charsMax: number): string =>
  typeof value === 'string'
    ? value
        .slice(0, charsMax)
        .toWellFormed()
        .replace(/\p{Cc}/gu, ' ')
        .trim()
    : ''
