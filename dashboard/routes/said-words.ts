import type { Language } from '../../alerts/model.js'
import { claimText } from '../shell/text-claim.js'

const digits = (value: number, language: Language) =>
  new Intl.NumberFormat(language === 'zh' ? 'zh-CN' : 'en', { maximumFractionDigits: 1 }).format(value)

/** What a meter stood at, with its unit. */
export function registerWords(kind: string, value: number, language: Language): string {
  if (kind === 'water') return language === 'zh' ? `${digits(value, language)} 升` : `${digits(value, language)} L`
  return value >= 10_000 ? `${digits(value / 1_000, language)} kWh` : `${digits(value, language)} Wh`
}

/** The newest thing that an unclaimed device said, in a word or two; '' where that tells nobody which one it is. */
export function saidWords(
  { kind, lastFields }: { kind: string; lastFields: Record<string, unknown> | null },
  language: Language,
): string {
  if (!lastFields) return ''
  const came: Record<string, string> = claimText(language).came
  const { litres, wh, event, alarm, test, motion, open, inBed } = lastFields
  const register = litres ?? wh
  if (typeof register === 'number') return registerWords(kind, register, language)
  if (typeof event === 'string' && Object.hasOwn(came, event)) return came[event]!
  if (test === true) return came.test!
  if (alarm === true) return came.alarm!
  if (motion === true) return came.motion!
  if (open === true) return came.open!
  if (inBed === true) return came.in!
  return ''
}
