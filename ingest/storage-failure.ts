/** What cannot be stored as it is, whatever the database does. */
export class NotStorable extends Error {}

const bugs = [TypeError, RangeError, ReferenceError, SyntaxError]

/**
 * Whether the storage failed, rather than what was to be stored: no answer, connection (08), resources (53), shutdown or
 * cancelled (57), system (58), rolled back for another's sake (40, 55). Trying again later may help; anything else is
 * about the data, or a bug of ours, and would fail again.
 */
export function isStorageFailure(error: unknown): boolean {
  if (error instanceof NotStorable || bugs.some((kind) => error instanceof kind)) return false
  const code = String((error as { code?: unknown }).code ?? '')
  return !/^[0-9A-Z]{5}$/.test(code) || /^(08|53|57|58|40|55)/.test(code)
}
