const hourMs = 3_600_000
export const aheadMsMax = 24 * hourMs
/**
 * An emergency that is older at its arrival was more likely stamped by a clock that fell back to the date of its
 * firmware than kept back for so long: taken at its word, it would join an episode of years ago and page nobody.
 */
export const emergencyAgeMsMax = 7 * 24 * hourMs
const earliest = Date.UTC(2020, 0, 1)
/** Numbers below this are epoch seconds, from it on milliseconds: 10^11 s is the year 5138, 10^11 ms is 1973. */
const secondsBelow = 1e11
const isoWithZone = /^\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(:\d{2}(\.\d{1,9})?)?(Z|[+-]\d{2}:?\d{2})$/i

export type ObservedAt =
  | { kind: 'known'; at: number }
  | { kind: 'unusable'; reason: 'time missing' | 'time absurd'; detail: string }

/**
 * The device time of a reading in epoch ms, from ISO 8601 with zone, epoch seconds or epoch milliseconds.
 * Unusable when missing, without a zone, over 24 h ahead of `receivedAt` (epoch ms), before 2020, or over `ageMsMax` old.
 */
export function readObservedAt(
  ts: string | number | undefined,
  receivedAt: number,
  ageMsMax = Number.POSITIVE_INFINITY,
): ObservedAt {
  if (ts === undefined) return { kind: 'unusable', reason: 'time missing', detail: 'no ts' }
  const at = typeof ts === 'number' ? Math.round(ts < secondsBelow ? ts * 1_000 : ts) : parseIso(ts)
  if (at === undefined || !Number.isFinite(at))
    return {
      kind: 'unusable',
      reason: 'time missing',
      detail: `ts "${String(ts).slice(0, 40)}" is not ISO 8601 with zone`,
    }
  if (at > receivedAt + aheadMsMax)
    return { kind: 'unusable', reason: 'time absurd', detail: `ts ${describe(at)} is over 24 h ahead` }
  if (at < earliest) return { kind: 'unusable', reason: 'time absurd', detail: `ts ${describe(at)} is before 2020` }
  if (receivedAt - at > ageMsMax)
    return { kind: 'unusable', reason: 'time absurd', detail: `ts ${describe(at)} is over ${ageMsMax / hourMs} h old` }
  return { kind: 'known', at }
}

function parseIso(text: string): number | undefined {
  if (!isoWithZone.test(text)) return undefined
  const at = Date.parse(text.replace(' ', 'T'))
  return Number.isNaN(at) ? undefined : at
}

/** Date's own range is ±8.64e15 ms; beyond it there is no ISO form. */
const describe = (at: number) => (Math.abs(at) <= 8.64e15 ? new Date(at).toISOString() : String(at))
