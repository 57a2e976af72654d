/** To Wh. */
const energyFactors: Record<string, number> = { wh: 1, kwh: 1_000, mwh: 1_000_000 }
const gallonLitres = 3.785411784
/** To L; gallons are those of the United States, whose makers are the only ones that have them. */
const volumeFactors: Record<string, number> = {
  l: 1,
  litre: 1,
  litres: 1,
  liter: 1,
  liters: 1,
  'm³': 1_000,
  m3: 1_000,
  gal: gallonLitres,
  'ft³': 28.316846592,
  ft3: 28.316846592,
}
/** To W. */
const powerFactors: Record<string, number> = { w: 1, watt: 1, kw: 1_000 }
const timeMinutes: Record<string, number> = { min: 1, h: 60, s: 1 / 60 }

const factor = (factors: Record<string, number>, unit: string | undefined) => {
  const key = unit?.trim().toLowerCase() ?? ''
  return Object.hasOwn(factors, key) ? factors[key] : undefined
}

export const energyFactor = (unit: string | undefined) => factor(energyFactors, unit)
export const volumeFactor = (unit: string | undefined) => factor(volumeFactors, unit)
export const powerFactor = (unit: string | undefined) => factor(powerFactors, unit)

/** To L/min, from a unit such as m³/h. */
export function flowFactor(unit: string | undefined): number | undefined {
  const [volume, time] = (unit ?? '').split('/')
  const litres = volumeFactor(volume)
  const minutes = factor(timeMinutes, time)
  return litres === undefined || minutes === undefined ? undefined : litres / minutes
}
