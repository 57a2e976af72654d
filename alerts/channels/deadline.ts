export type Deadline = { signal: AbortSignal; passed(): boolean; clear(): void }

/**
 * A signal that aborts `ms` from now or with `signal`, whichever comes first; `clear` must be called. By hand rather than
 * with AbortSignal.any, which on Node 20 keeps every derived signal alive as long as the process-wide one lives.
 */
export function startDeadline({ signal, ms }: { signal: AbortSignal; ms: number }): Deadline {
  const controller = new AbortController()
  let passed = false
  const abort = () => controller.abort()
  const timer = setTimeout(() => {
    passed = true
    abort()
  }, ms)
  if (signal.aborted) abort()
  else signal.addEventListener('abort', abort, { once: true })
  return {
    signal: controller.signal,
    passed: () => passed,
    clear: () => {
      clearTimeout(timer)
      signal.removeEventListener('abort', abort)
    },
  }
}
