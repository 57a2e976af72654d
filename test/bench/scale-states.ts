import type { Arrival } from '../../alerts/model.js'
import { emptyState, fold, type ResidentState } from '../../alerts/rules/fold.js'
import { createHome } from '../../simulators/home.js'

const hourMs = 3_600_000
const simulatedDays = 4
export const variants = 20
/** Device numbers and the gateway of each resident are put in their place by the database. */
export const placeholders = { water: 900_000_001, electricity: 900_000_002, button: 900_000_003, gateway: 'gateway-of' }

export type StateVariant = { state: ResidentState; wakeAt: number; phaseS: number }

/**
 * What the rules know after four simulated days, of 20 different residents whose meters report once an hour. With
 * `silentMs` the newest readings are that old, which is more than the rules wait for.
 */
export function stateVariants({ now, silentMs = 0 }: { now: number; silentMs?: number }): StateVariant[] {
  return Array.from({ length: variants }, (_, i) => {
    const phaseS = Math.round((i * 3_600) / variants)
    const home = createHome({ seed: 1_000 + i, timeZone: 'Asia/Shanghai', intervalS: 3_600, phaseS })
    const to = now - silentMs
    const arrivals: Arrival[] = [
      { type: 'presence', gatewayId: placeholders.gateway, online: true, receivedAt: to - simulatedDays * 24 * hourMs },
    ]
    for (const { kind, at, reading } of home.readings({ from: to - simulatedDays * 24 * hourMs, to })) {
      // Hourly meters: what a meter tells sooner, while water flows, is left out.
      if ((kind !== 'water' && kind !== 'electricity') || at % 3_600 !== phaseS) continue
      const value = Number((reading as { litres?: number; wh?: number })[kind === 'water' ? 'litres' : 'wh'])
      arrivals.push({
        type: 'reading',
        deviceNo: placeholders[kind],
        kind,
        observedAt: at * 1_000,
        receivedAt: at * 1_000 + 800,
        event: '',
        value,
        battery: 0.9,
      })
    }
    const { state, wakeAt } = fold(emptyState(), arrivals, Math.max(to, arrivals.at(-1)!.receivedAt), {
      timeZone: 'Asia/Shanghai',
      alarmsPerMonth: null,
    })
    return { state, wakeAt: wakeAt!, phaseS }
  })
}
