import type { Queryable } from './pool.js'

/** One press that arrives several times is one press. */
const samePressMsMax = 5_000
/**
 * A detector whose test button is held goes on saying so; one that is still at it then means it, as does one that goes on
 * after its test has ended.
 */
export const sameAlarmMsMax = 30_000
/** The clocks of two processes differ by less. */
const clocksApartMsMax = 5_000

/** An alarm reading as far as a test is concerned; times in epoch ms. */
export type TestedReading = {
  deviceNo: number
  event: string
  receivedAt: number
  /** Said again from memory, by a bridge or a broker: nobody has pressed just now. */
  cached?: boolean | undefined
}

type Running = {
  deviceTestId: number
  deviceNo: number
  begunAt: number
  endsAt: number
  passedAt: number | null
  clearedAt: number | null
}

export type RunningTests = {
  /**
   * Whether this reading is the test of its device, or what still belongs to it, and nobody is to be paged for it. Marks the
   * test as passed in the caller's transaction.
   */
  take(reading: TestedReading): Promise<boolean>
}

/**
 * The tests of these devices that may concern what arrived since `since` (epoch ms), locked until the transaction ends. By
 * arrival, whatever the clock of a device says.
 */
export async function lockRunningTests(
  tx: Queryable,
  { deviceNos, since }: { deviceNos: number[]; since: number },
): Promise<RunningTests> {
  const { rows } = await tx.query<{
    device_test_id: number
    device_no: number
    begun_at: Date
    ends_at: Date
    passed_at: Date | null
    cleared_at: Date | null
  }>(
    `select device_test_id, device_no, begun_at, ends_at, passed_at, cleared_at from device_tests
      where device_no = any($1) and ends_at > $2 and cleared_at is null
      order by device_no, begun_at for no key update`,
    [deviceNos, new Date(since)],
  )
  const tests = new Map<number, Running>(
    rows.map((row) => [
      row.device_no,
      {
        deviceTestId: row.device_test_id,
        deviceNo: row.device_no,
        begunAt: row.begun_at.getTime(),
        endsAt: row.ends_at.getTime(),
        passedAt: row.passed_at?.getTime() ?? null,
        clearedAt: row.cleared_at?.getTime() ?? null,
      },
    ]),
  )
  return {
    take: async (reading) => {
      const test = tests.get(reading.deviceNo)
      if (!test || reading.cached || !isWithin(test, reading)) return false
      if (test.passedAt === null) {
        if (!answers(reading)) return false
        test.passedAt = reading.receivedAt
        await tx.query('update device_tests set passed_at = $2, came_event = $3 where device_test_id = $1', [
          test.deviceTestId,
          new Date(reading.receivedAt),
          reading.event,
        ])
        return true
      }
      if (reading.event === 'clear' && test.clearedAt === null) {
        test.clearedAt = reading.receivedAt
        await tx.query('update device_tests set cleared_at = $2 where device_test_id = $1', [
          test.deviceTestId,
          new Date(reading.receivedAt),
        ])
        return false
      }
      return belongs(test as Running & { passedAt: number }, reading)
    },
  }
}

const isWithin = ({ begunAt, endsAt }: Running, { receivedAt }: TestedReading) =>
  receivedAt >= begunAt - clocksApartMsMax && receivedAt < endsAt

/** What a device says when it is tried out. */
const answers = ({ event }: TestedReading) => ['pressed', 'alarm', 'test', 'help', 'fine'].includes(event)

/** The same press once more, or a detector whose test alarm has not ended yet. */
function belongs({ passedAt, clearedAt }: Running & { passedAt: number }, reading: TestedReading): boolean {
  if (clearedAt !== null) return false
  const sinceMs = reading.receivedAt - passedAt
  if (reading.event === 'pressed' || reading.event === 'help') return sinceMs < samePressMsMax
  return reading.event === 'alarm' && sinceMs < sameAlarmMsMax
}
