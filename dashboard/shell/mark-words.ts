import type { Language } from '../../alerts/model.js'
import type { MarkEffect } from '../../alerts/rules/mark-effect.js'
import { lineText } from './text-line.js'
import { durationWords } from './times.js'

/** What a mark changed: "The limit for a silence that begins like it went from 3 h to 3 h 30 min; …" null: nothing yet. */
export function effectWords(effect: MarkEffect | null, language: Language): string {
  const t = lineText(language)
  if (!effect) return t.noEffect
  const [before, after] = [durationWords(effect.beforeMs, language), durationWords(effect.afterMs, language)]
  return (before === after ? t.sameEffect(before) : t.effect(before, after)) + t.moved(effect.longer, effect.shorter)
}
