import type { EpochMs } from '../../alerts/model.js'
import type { FaultRates } from './faulty-database.js'

export const killed: FaultRates = { statementsPerDeath: 1_500, statementsPerLoss: 400 }
export const lossesOnly: FaultRates = { statementsPerDeath: Number.POSITIVE_INFINITY, statementsPerLoss: 100 }
export const none: FaultRates = {
  statementsPerDeath: Number.POSITIVE_INFINITY,
  statementsPerLoss: Number.POSITIVE_INFINITY,
}

/** These faults until `calm`, then none. */
export const faultsUntil = (calm: EpochMs, now: () => EpochMs, faulty: FaultRates): FaultRates => ({
  get statementsPerDeath() {
    return now() < calm ? faulty.statementsPerDeath : none.statementsPerDeath
  },
  get statementsPerLoss() {
    return now() < calm ? faulty.statementsPerLoss : none.statementsPerLoss
  },
})
