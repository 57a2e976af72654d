import type { AlertRow, Held } from '../../db/alert-views.js'
import { AlertCard } from './alert-card.js'
import type { Here } from './here.js'
import { heldText } from './text-quiet-street.js'
import { clockWords } from './times.js'

export type HeldAlert = AlertRow & { held: Held }
/** What waits for an incident, with nobody told; where the home is being asked meanwhile, that is what is shown. */
export const isHeld = (alert: AlertRow): alert is HeldAlert => alert.held !== null && alert.asking === null

/** Since when it waits, why, and until when; with the incident. */
export function HeldNote({ held, timeZone, here }: { held: Held; timeZone: string; here: Here }) {
  const { language, now } = here
  const t = heldText(language)
  const clock = (ms: number) => clockWords(ms, now.getTime(), timeZone, language)
  return (
    <p class="held">
      {t.sentence(clock(held.sinceMs), t.because[held.kind ?? 'offline'], clock(held.untilMs))}{' '}
      {held.incidentId !== null && <a href={`/incidents/${held.incidentId}`}>{t.incident}</a>}
    </p>
  )
}

/** Who has it, of an alert that waits: nobody yet, and why not. */
export function heldStage({ held, timeZone }: HeldAlert, { language, now }: Here): string {
  return heldText(language).stage(clockWords(held.untilMs, now.getTime(), timeZone, language))
}

/** The first line of the console where nothing but these is open, and what they wait for is over: never "all quiet". */
export const heldAnswer = (alerts: readonly HeldAlert[], { language }: Here) => ({
  tone: 'busy',
  first: heldText(language).only(alerts.length),
  more: heldText(language).intro,
})

/** On the console: what waits, below the incidents that it waits for. */
export function HeldAlerts({ alerts, here }: { alerts: readonly HeldAlert[]; here: Here }) {
  if (alerts.length === 0) return null
  const t = heldText(here.language)
  return (
    <section aria-labelledby="held">
      <h2 id="held">{t.heading}</h2>
      <p>{t.intro}</p>
      <ul class="cards">
        {alerts.map((alert) => (
          <AlertCard key={alert.alertId} alert={alert} waits={heldStage(alert, here)} here={here} />
        ))}
      </ul>
    </section>
  )
}

/** A line of an alert's history about its waiting; undefined for other lines. */
export function heldEventSentence(
  p: { kind: string; detail: Record<string, unknown> },
  language: 'zh' | 'en',
  clock: (ms: number) => string,
): string | undefined {
  const t = heldText(language)
  const until = typeof p.detail.until === 'number' ? clock(p.detail.until) : ''
  if (p.kind === 'held') return t.held(until)
  return p.kind === 'hold shortened' ? t.shortened(until) : undefined
}
