/**
 * Units as makers write them, and what to multiply with for the v1 contract: litres, L/min, Wh, W, and 0 to 1 for a
 * battery. Nothing is guessed: a unit that is not here is none.
 */
export type Quantity = 'volume' | 'flow' | 'energy' | 'power' | 'part'

const usGallon = 3.785411784
const cubicFoot = 28.316846592

const scales: Record<Quantity, Record<string, number>> = {
  volume: { m3: 1_000, L: 1, dm3: 1, mL: 0.001, gal: usGallon, ft3: cubicFoot },
  flow: { 'L/min': 1, 'L/h': 1 / 60, 'L/s': 60, 'mL/min': 0.001, 'm3/h': 1_000 / 60, 'gal/min': usGallon },
  energy: { Wh: 1, kWh: 1_000, MWh: 1_000_000 },
  power: { W: 1, kW: 1_000, mW: 0.001 },
  part: { '%': 0.01, '1': 1 },
}

const spellings: Record<string, string> = {
  'm^3': 'm3',
  cbm: 'm3',
  立方米: 'm3',
  立方: 'm3',
  吨: 'm3',
  l: 'L',
  litre: 'L',
  litres: 'L',
  liter: 'L',
  liters: 'L',
  升: 'L',
  ml: 'mL',
  毫升: 'mL',
  gallon: 'gal',
  gallons: 'gal',
  'ft^3': 'ft3',
  cf: 'ft3',
  lpm: 'L/min',
  'l/min': 'L/min',
  'l/m': 'L/min',
  'l/h': 'L/h',
  lph: 'L/h',
  'l/s': 'L/s',
  'ml/min': 'mL/min',
  gpm: 'gal/min',
  wh: 'Wh',
  w·h: 'Wh',
  'w*h': 'Wh',
  瓦时: 'Wh',
  kwh: 'kWh',
  kw·h: 'kWh',
  'kw*h': 'kWh',
  千瓦时: 'kWh',
  度: 'kWh',
  mwh: 'MWh',
  w: 'W',
  watt: 'W',
  watts: 'W',
  瓦: 'W',
  kw: 'kW',
  千瓦: 'kW',
  percent: '%',
}

/** What a value in `unit` is to be multiplied with; undefined: no unit of this quantity. */
export function unitScale(quantity: Quantity, unit: string): number | undefined {
  const plain = unit.trim().replaceAll('³', '3')
  for (const name of [plain, spellings[plain.toLowerCase()]])
    if (name !== undefined && Object.hasOwn(scales[quantity], name)) return scales[quantity][name]
  return undefined
}

/** 6.054 m³ are 6,054 L and not 6,053.999…: twelve digits are more than any meter has. */
export const scaled = (value: number, scale: number): number => Number((value * scale).toPrecision(12))
