import type { Outcome } from '../../alerts/model.js'
import { outcomes } from '../../alerts/model.js'
import type { AlertDetail, AlertEvent, PageRow } from '../../db/alert-views.js'
import { alertText, channelName, eventSentence, reasonText } from './alert-text.js'
import { heldEventSentence } from './held.js'
import type { Here } from './here.js'
import { outcomeWord } from './marks.js'
import { clockWords, durationWords, When } from './times.js'

type Part<T> = T & { alert: AlertDetail; here: Here }

/** The numbers that the rule decided by; what is not known of them is left out. */
export function Reason({ alert, here }: Part<object>) {
  const entries = Object.entries(alert.reason).filter(([, value]) => value !== null)
  if (entries.length === 0) return null
  const names: Record<string, string> = reasonText(here.language)
  return (
    <details id="reason" class="folded">
      <summary>{alertText(here.language).numbers}</summary>
      <dl class="facts">
        {entries.flatMap(([key, value]) => [
          <dt key={key}>{names[key] ?? key}</dt>,
          <dd key={`${key}-value`}>{reasonValue(key, value, { alert, here })}</dd>,
        ])}
      </dl>
    </details>
  )
}

function reasonValue(key: string, value: unknown, { alert, here }: Part<object>): string {
  const t = alertText(here.language)
  const { language, now } = here
  if (typeof value === 'boolean') return value ? t.yes : t.no
  if (typeof value === 'number') {
    if (value > 1e11) return clockWords(value, now.getTime(), alert.timeZone, language)
    if (key.endsWith('Ms')) return `${value < 0 ? '−' : ''}${durationWords(Math.abs(value), language)}`
    return String(Math.round(value * 100) / 100)
  }
  return typeof value === 'string' ? value : JSON.stringify(value)
}

/** Each page: to whom, through what, and whether it arrived. */
export function Pages({ pages, alert, here }: Part<{ pages: PageRow[] }>) {
  const t = alertText(here.language)
  const { language, now } = here
  return (
    <section aria-labelledby="pages">
      <h2 id="pages">{t.pages}</h2>
      {pages.length === 0 && <p class="empty">{t.noPages}</p>}
      <ul class="lines">
        {pages.map((page) => (
          <li key={page.pageId} id={`page-${page.pageId}`} class={`line line-${page.status}`}>
            <strong>{page.toName}</strong> · {channelName(page.channel, language)} · {t.status[page.status]}
            {page.attempts > 1 && ` · ${t.attempts(page.attempts)}`}
            <span class="sub">
              <When at={page.sentAt ?? page.createdAt} now={now} timeZone={alert.timeZone} language={language} />
              {page.status !== 'sent' && page.lastError && ` · ${page.lastError}`}
            </span>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** All that happened to this alert, in order. */
export function History({ events, alert, here }: Part<{ events: AlertEvent[] }>) {
  const t = alertText(here.language)
  const { language, now } = here
  const clock = (ms: number) => clockWords(ms, now.getTime(), alert.timeZone, language)
  const outcome = (value: string) =>
    outcomes.includes(value as Outcome) ? outcomeWord(value as Outcome, language) : value
  return (
    <section aria-labelledby="history">
      <h2 id="history">{t.history}</h2>
      <ol class="lines">
        {events.map((event) => (
          <li key={event.eventId} id={`event-${event.eventId}`} class="line">
            {heldEventSentence(event, language, clock) ?? eventSentence(event, language, outcome)}
            {t.by[event.via] && ` (${t.by[event.via]})`}
            <span class="sub">
              <When at={event.at} now={now} timeZone={alert.timeZone} language={language} />
            </span>
          </li>
        ))}
      </ol>
    </section>
  )
}
