const charsMax = 200

/** A name that can be a native id: 1 to 200 characters without control characters and halves of one; else undefined. */
export const nativeName = (name: unknown): string | undefined =>
  typeof name === 'string' && name !== '' && name.length <= charsMax && !/[\p{Cc}\p{Cs}]/u.test(name) ? name : undefined
