import type { Knowledge, Language, Outcome, Severity } from '../../alerts/model.js'
import { shellText } from './shell-text.js'

/** A shape of its own for each severity: readable without colour. The word beside it is what a screen reader says. */
const shapes: Record<Severity, string> = {
  emergency: 'M7 2h10l5 5v10l-5 5H7l-5-5V7z',
  urgent: 'M12 2.5 22.5 21h-21z',
  warning: 'M12 1.5 22.5 12 12 22.5 1.5 12z',
  notice: 'M12 2a10 10 0 1 1 0 20 10 10 0 0 1 0-20z',
}

export function SeverityTag({ severity, language }: { severity: Severity; language: Language }) {
  return (
    <span class={`severity severity-${severity}`}>
      <svg viewBox="0 0 24 24" width="20" height="20" aria-hidden="true" focusable="false">
        <path d={shapes[severity]} fill="currentColor" />
        <path
          d={severity === 'notice' ? 'M12 11v6M12 7v.5' : 'M12 8v6M12 17v.5'}
          class="severity-sign"
          stroke-width="2.4"
          stroke-linecap="round"
        />
      </svg>
      {shellText(language).severity[severity]}
    </span>
  )
}

/** Used (a filled green dot), not used (an empty ring), unknown (grey hatching): told apart by shape and word. */
export function KnowledgeMark({ knowledge, language }: { knowledge: Knowledge; language: Language }) {
  const name = knowledge === 'not used' ? 'idle' : knowledge
  return (
    <span class={`knowledge knowledge-${name}`}>
      <span class="knowledge-sign" aria-hidden="true" />
      {shellText(language).knowledge[knowledge]}
    </span>
  )
}

export const outcomeWord = (outcome: Outcome, language: Language) => shellText(language).outcome[outcome]
