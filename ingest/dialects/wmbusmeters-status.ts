/** A battery that says no more than that it is low; below what the rules take for low. */
const lowBattery = 0.05

/** What a meter says of itself, from its words. A flag is missing where it said no word at all. */
export type MeterStatus = {
  battery?: number
  tamper?: boolean
  fault?: boolean
  leak?: boolean
  /** Each word, for the detectors whose status is their reading. */
  words: ReadonlySet<string>
}

const fine = /^(OK|BUSY|NO_ALARMS?|NO_ERRORS?|.*_OK|NO_LEAK\w*|NOT_LEAK\w*)$/
const leak = /LEAK|BURST/
const tamper = /TAMPER|SABOTAGE|FRAUD|MANIPULATION|MAGNET|REMOVED|REMOVAL/
const power = /^POWER_LOW$|LOW_POWER|BATTERY/
/** The status of doors and detectors is their reading, not a fault. */
const reading = /^(OPEN|CLOSED|SMOKE|SMOKE_ALARM|FIRE|FIRE_ALARM|GAS|GAS_ALARM)$/

/**
 * A status is a set of words in any order, `OK` alone or such as `POWER_LOW TEMPORARY_ERROR`; the driver of the IZAR has
 * `current_alarms` besides, with commas and in small letters. What is over (`…_PREVIOUSLY`) counts as nothing; a word that
 * is not known is a fault: a meter that says more than OK wants to be looked at.
 */
export function readMeterStatus(...texts: unknown[]): MeterStatus {
  const words = new Set(
    texts
      .filter((text) => typeof text === 'string')
      .flatMap((text) => text.toUpperCase().split(/[\s,;|]+/))
      .filter((word) => word !== '' && !/PREVIOUS/.test(word)),
  )
  const status: MeterStatus = { words }
  if (!texts.some((text) => typeof text === 'string' && text.trim() !== '')) return status
  const trouble = [...words].filter((word) => !fine.test(word))
  status.leak = trouble.some((word) => leak.test(word))
  status.tamper = trouble.some((word) => tamper.test(word))
  status.fault = trouble.some((word) => ![leak, tamper, power, reading].some((known) => known.test(word)))
  if (trouble.some((word) => power.test(word))) status.battery = lowBattery
  return status
}
