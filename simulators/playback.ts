import { setTimeout as wait } from 'node:timers/promises'
import type { Clock } from '../kit/clock.js'
import type { Gateway, GatewayCounters } from './gateway.js'
import { type RecordedRow, type Recording, recordedRows, shiftSeconds } from './recording.js'

/** How far the reader runs ahead of the acknowledgements, in readings. */
const readAheadMax = 4_000
const lookMs = 500

export type PlaybackSummary = Pick<GatewayCounters, 'acknowledged' | 'dropped'> & {
  rows: number
  sent: number
  unreadable: number
  /** Rows with the second and kind of the row before: sent too; the first is the one that is stored. */
  repeated: number
  /** Registers that were lower than the one before, sent as they are. */
  backward: number
  shiftS: number
}

/**
 * Plays a recording through a gateway that is started: what lies before the present goes at once, as a backlog in
 * arrays, as fast as it is acknowledged; the rest as its time comes. With `once` the recording is moved so that all of it
 * is past (see `shiftSeconds`). Resolves when everything is acknowledged, or when `signal` is aborted.
 */
export async function playRecording({
  dir,
  recording,
  gateway,
  devices,
  clock,
  once,
  signal,
}: {
  dir: string
  recording: Recording
  gateway: Gateway
  devices: Partial<Record<RecordedRow['kind'], string>>
  clock: Clock
  once: boolean
  signal: AbortSignal
}): Promise<PlaybackSummary> {
  const shiftS = shiftSeconds(recording, Math.floor(clock.now().getTime() / 1_000), once ? 'whole' : 'live')
  const counted = { rows: 0, sent: 0, unreadable: 0, repeated: 0, backward: 0 }
  const gone = aborted(signal)
  const last = new Map<RecordedRow['kind'], RecordedRow>()

  for await (const row of recordedRows(dir)) {
    if (!row) {
      counted.unreadable++
      continue
    }
    counted.rows++
    const before = last.get(row.kind)
    if (before?.at === row.at) counted.repeated++
    if (before && row.value < before.value) counted.backward++
    last.set(row.kind, row)

    const ts = row.at + shiftS
    while (!signal.aborted && ts * 1_000 > clock.now().getTime()) await pause(lookMs, signal)
    if (signal.aborted) break
    const reading = row.kind === 'water' ? { ts, litres: row.value } : { ts, wh: row.value }
    gateway.add(devices[row.kind]!, row.kind, reading)
    counted.sent++
    if (gateway.counters().buffered >= readAheadMax) await Promise.race([gateway.untilBuffered(readAheadMax / 2), gone])
  }
  await Promise.race([gateway.untilBuffered(0), gone])
  const { acknowledged, dropped } = gateway.counters()
  return { ...counted, acknowledged, dropped, shiftS }
}

async function pause(ms: number, signal: AbortSignal): Promise<void> {
  try {
    await wait(ms, undefined, { signal })
  } catch (error) {
    if (!signal.aborted) throw error
  }
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve()
    signal.addEventListener('abort', () => resolve(), { once: true })
  })
}

/** The one line at the end of a playback. */
export function summaryLine(name: string, recording: Recording, summary: PlaybackSummary): string {
  const day = (at: number) => new Date((at + summary.shiftS) * 1_000).toISOString().slice(0, 10)
  const { rows, sent, acknowledged, repeated, backward, unreadable, dropped, shiftS } = summary
  return (
    `recording ${name}: ${rows} rows, ${sent} sent, ${acknowledged} acknowledged; ` +
    `${repeated} repeat the second of the row before (sent too: the first is kept), ${backward} steps backwards, ` +
    `${unreadable} unreadable, ${dropped} dropped; moved by ${Math.round(shiftS / 86_400)} days ` +
    `to ${day(recording.firstAt)} .. ${day(recording.lastAt)}`
  )
}
