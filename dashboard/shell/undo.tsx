import { undoMsMax } from '../../alerts/lifecycle.js'
import type { Here } from './here.js'
import { defineText } from './text.js'
import { leftWords } from './times.js'

const text = defineText({
  en: { undo: 'Undo', label: (name: string) => `Undo: ${name}`, help: 'Possible for a minute.' },
  zh: { undo: '撤销', label: (name) => `撤销：${name}`, help: '一分钟内可以撤销。' },
})

/** Until when this person may take back what was done last with an alert; null where that is not theirs, or over. */
export function undoableUntil(
  alert: { actedAt: Date | null; handledBy: { staffId: string } | null },
  staffId: string,
  now: Date,
): Date | null {
  if (!alert.actedAt || alert.handledBy?.staffId !== staffId) return null
  const until = new Date(alert.actedAt.getTime() + undoMsMax)
  return until > now ? until : null
}

/** How long is left, as the server knows it; the browser counts it down. */
export function Left({ until, here }: { until: Date; here: Here }) {
  return (
    <time data-left="" datetime={until.toISOString()}>
      {leftWords(until.getTime() - here.now.getTime(), here.language)}
    </time>
  )
}

/** Takes the last step back. The browser takes it away when its minute is over; without browser code the answer says so. */
export function UndoForm({ action, until, who, here }: { action: string; until: Date; who?: string; here: Here }) {
  const t = text(here.language)
  return (
    <form method="post" action={action} class="undo">
      <button type="submit" aria-label={who === undefined ? undefined : t.label(who)}>
        {t.undo}
      </button>
      <span class="sub">
        {t.help} <time data-left="" data-goes="" datetime={until.toISOString()} hidden />
      </span>
    </form>
  )
}
