import { readingTopic } from '../../ingest/contract.js'

export const minuteMs = 60_000

/**
 * Homes with a water meter that is read each minute, and what of it their gateways have to send: from `from` to `to`
 * minutes before `now` (epoch ms). In the first `taps` homes a tap runs since 150 minutes ago; in as many more it was turned
 * off 25 minutes ago. `singles`: every second gateway sends one reading a message, the others arrays.
 */
export type Storm = { gateways: number; taps: number; now: number; from: number; to: number; singles: boolean }
export type StormMessage = { topic: string; payload: string }

export function stormBacklog(storm: Storm, n: number): { gatewayId: string; messages: StormMessage[] } {
  const gatewayId = `storm-${n}`
  const topic = readingTopic(gatewayId, `${gatewayId}-water`, 'water')
  const readings = readingsOf(storm, n)
  const bodies = storm.singles && n % 2 === 1 ? readings : [readings]
  return { gatewayId, messages: bodies.map((body) => ({ topic, payload: JSON.stringify(body) })) }
}

function readingsOf({ taps, now, from, to }: Storm, n: number) {
  return Array.from({ length: from - to + 1 }, (_, i) => {
    const minutesAgo = from - i
    const ranMinutes = n <= taps ? 150 - minutesAgo : n <= 2 * taps ? 150 - Math.max(minutesAgo, 25) : 0
    return { ts: now - minutesAgo * minuteMs, litres: 1_000 + 6 * Math.max(ranMinutes, 0) }
  })
}
