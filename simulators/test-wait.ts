/** Waits until something is true; throws after `msMax`, so that a test fails rather than hangs. */
export async function until(isTrue: () => boolean, msMax = 5_000): Promise<void> {
  const begun = performance.now()
  while (!isTrue()) {
    if (performance.now() - begun > msMax) throw new Error(`still not so after ${msMax} ms`)
    await new Promise((resolve) => setTimeout(resolve, 5))
  }
}
