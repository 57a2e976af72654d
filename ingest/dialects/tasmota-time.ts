import type { EpochMs } from '../../alerts/model.js'
import { offsetMsAt } from '../../alerts/rules/zone.js'
import type { Json } from './json.js'
import { plainText } from './plain-text.js'

const dayMs = 86_400_000
/** Until 2018 Tasmota wrote its dates with dots. */
const localTime = /^(\d{4})[-.](\d{2})[-.](\d{2})[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,3}))?$/
const rawCharsMax = 40

/**
 * The `ts` of a reading in a message of Tasmota, as the v1 contract takes it. `Time` is the device's own local time,
 * without a zone unless SetOption52 gives it one; the command Time can put an epoch beside it or in its place. Without
 * either it is the arrival: telemetry is not kept back for later. A clock that was never set says 1970, which the
 * contract refuses for a meter.
 */
export function readTasmotaTime(
  message: Json,
  { timeZone, receivedAt }: { timeZone: string; receivedAt: EpochMs },
): number | string {
  const { Time: time, Epoch: epoch } = message
  if (typeof epoch === 'number') return epoch
  if (typeof time === 'number') return time
  if (typeof time !== 'string') return receivedAt
  return localToEpoch(time, timeZone, receivedAt) ?? plainText(time, rawCharsMax)
}

/**
 * A local time such as 2026-06-01T12:00:00 in epoch ms; undefined for any other text. In the hour that a change of clocks
 * repeats, the instant nearer to `near`; in the hour that it skips, what the clock would have said without the change.
 */
export function localToEpoch(text: string, timeZone: string, near: EpochMs): EpochMs | undefined {
  const parts = localTime.exec(text)
  if (!parts) return undefined
  const [year = 0, month = 0, day, hour = 0, minute = 0, second = 0] = parts.slice(1, 7).map(Number)
  const clock = Date.UTC(year, month - 1, day, hour, minute, second, Number((parts[7] ?? '').padEnd(3, '0')))
  const isDate = new Date(clock).toISOString().startsWith(`${parts[1]}-${parts[2]}-${parts[3]}T${parts[4]}:${parts[5]}`)
  if (!isDate || second > 59) return undefined
  const before = offsetMsAt(clock - dayMs, timeZone)
  const instants = [before, offsetMsAt(clock + dayMs, timeZone)]
    .filter((offset) => offsetMsAt(clock - offset, timeZone) === offset)
    .map((offset) => clock - offset)
    .sort((a, b) => Math.abs(a - near) - Math.abs(b - near))
  return instants[0] ?? clock - before
}
