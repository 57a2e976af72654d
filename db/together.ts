/**
 * The answers to statements that went out together, in their order. @throws what the first of them failed with: those
 * behind it in a transaction fail because of it, and may say so earlier.
 */
export async function together<T extends unknown[]>(statements: { [K in keyof T]: Promise<T[K]> }): Promise<T> {
  const settled = await Promise.allSettled(statements)
  return settled.map((each) => {
    if (each.status === 'rejected') throw each.reason
    return each.value
  }) as T
}
