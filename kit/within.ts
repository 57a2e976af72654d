import { waitAtMost } from './wait-at-most.js'

/** The promise's own outcome, or a rejection after `ms`; see waitAtMost. */
export async function within<T>(ms: number, promise: Promise<T>): Promise<T> {
  let stopWaiting = () => {}
  const late = new Promise<never>((_, reject) => {
    stopWaiting = waitAtMost(ms, () => reject(new Error(`no answer within ${ms} ms`)))
  })
  try {
    return await Promise.race([promise, late])
  } finally {
    stopWaiting()
  }
}
