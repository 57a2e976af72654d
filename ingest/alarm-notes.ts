import { recordAlertEvent } from '../db/alerts.js'
import type { DeviceChange } from '../db/flapping.js'
import { tellOfFlapping } from '../db/notices.js'
import type { Queryable } from '../db/pool.js'

/** Lines that one commit writes into the history of one alert: of a backlog of thousands the rest is one line. */
const linesMax = 20
/** A change that is older than this when it is committed says nothing about how the device is now. */
const recentMs = 6 * 3_600_000
/** Devices that go on and off by themselves; whoever presses a button means it. */
const flaps: readonly string[] = ['smoke', 'gas', 'co', 'leak']

type Line = { alertId: number; at: Date; kind: string; detail: { observedAt: string } }

/** What is noted in the course of one commit of alarms, beside the alerts: lines of history, and devices that go on and off. */
export function createAlarmNotes(tx: Queryable, now: Date) {
  const written = new Map<number, number>()
  const rest = new Map<number, Line & { times: number }>()
  const changes: DeviceChange[] = []
  const ended = new Set<number>()

  return {
    /** A device that still says alarm has a notice about that from here on. */
    stands: (deviceNo: number): void => void ended.delete(deviceNo),
    /** True the first time that its alarm ends: of a backlog that goes on and off, the first end ends that notice. */
    endsStanding: (deviceNo: number): boolean => !ended.has(deviceNo) && Boolean(ended.add(deviceNo)),
    async line(line: Line): Promise<void> {
      const lines = (written.get(line.alertId) ?? 0) + 1
      written.set(line.alertId, lines)
      if (lines <= linesMax) return recordAlertEvent(tx, line)
      rest.set(line.alertId, { ...line, times: (rest.get(line.alertId)?.times ?? 0) + 1 })
    },
    /** An alarm device that was on is off, or the other way round. */
    change(change: DeviceChange): void {
      if (flaps.includes(change.kind) && change.at > now.getTime() - recentMs) changes.push(change)
    },
    /** Writes what is still to be written. A device that flaps gets a notice; its alarms are paged all the same. */
    async finish(): Promise<void> {
      for (const { times, alertId, at, detail } of rest.values())
        await recordAlertEvent(tx, { alertId, at, kind: 'repeat', detail: { ...detail, times } })
      await tellOfFlapping(tx, changes, now)
    },
  }
}
