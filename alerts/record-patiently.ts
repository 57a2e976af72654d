const pauseMs = 500

/** It was sent, or refused, and the database does not know: it is left to its lease. */
export class NotRecorded extends Error {
  constructor(cause: unknown) {
    super((cause as Error).message, { cause })
  }
}

/**
 * What has been sent is not sent again because the database cannot note it now: that is tried for `msMax` (0: once), or
 * until `stopping`. `onWait` is told of each failure that is followed by another try. @throws NotRecorded
 */
export async function recordPatiently<T>(
  record: () => Promise<T>,
  { msMax, stopping, onWait }: { msMax: number; stopping: AbortSignal; onWait: (error: Error) => void },
): Promise<T> {
  const endsAt = performance.now() + msMax
  for (;;) {
    try {
      return await record()
    } catch (error) {
      if (stopping.aborted || performance.now() >= endsAt) throw new NotRecorded(error)
      onWait(error as Error)
      await new Promise((resolve) => setTimeout(resolve, pauseMs))
    }
  }
}
