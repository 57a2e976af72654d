import type { Language } from '../../alerts/model.js'
import type { MeterKind } from './load-use.js'

export const unitOf: Record<MeterKind, string> = { water: 'L', electricity: 'Wh' }

/**
 * Where one shade of the strip ends and the next begins, in L and Wh an hour; the same for every home, so that two
 * residents' pages can be compared: a glass, a meal, a shower; a fridge, a lamp and television, a kettle, an oven.
 */
export const shadesOf: Record<MeterKind, readonly number[]> = {
  water: [2, 10, 30, 80],
  electricity: [50, 150, 400, 1_000],
}

/** 0 for no use, then 1 to 5. */
export const shadeOf = (use: number, kind: MeterKind) =>
  use <= 0 ? 0 : 1 + shadesOf[kind].filter((limit) => use > limit).length

const formatOf = (locale: string) => new Intl.NumberFormat(locale, { maximumFractionDigits: 0 })
/** Making a format costs more than using it a hundred times. */
const formats = { zh: formatOf('zh-CN'), en: formatOf('en') }

/** An amount with its unit: "0.4 L", "86 L", "1.2 m³"; "640 Wh", "3.2 kWh". */
export function amountWords(use: number, kind: MeterKind, language: Language): string {
  const large = kind === 'water' ? 10_000 : 1_000
  const [value, unit] = use >= large ? [use / 1_000, kind === 'water' ? 'm³' : 'kWh'] : [use, unitOf[kind]]
  // A trickle is not nothing.
  if (value > 0 && value < 0.1) return `< 0.1 ${unit}`
  const digits = value < 10 ? 1 : 0
  // Most amounts of a page are below a thousand and the same in both languages: Intl takes 1 µs for each.
  const short = digits === 1 ? Math.round(value * 10) / 10 : Math.round(value)
  return `${short < 1_000 ? short : formats[language].format(value)} ${unit}`
}

/** A round number at or above `max`, for the top of an axis. */
export function niceTop(max: number, least: number): number {
  const wanted = Math.max(max, least)
  const power = 10 ** Math.floor(Math.log10(wanted))
  return [1, 2, 3, 4, 5, 6, 8, 10].map((step) => step * power).find((top) => top >= wanted) ?? wanted
}
