import type { AlertRow, Asking } from '../../db/alert-views.js'
import type { Here } from './here.js'
import { SeverityTag } from './marks.js'
import { telHref } from './tel.js'
import { askText } from './text-asking.js'
import { When } from './times.js'
import { Left } from './undo.js'

export type AskedAlert = AlertRow & { asking: Asking }
export const isAsked = (alert: AlertRow): alert is AskedAlert => alert.asking !== null

/** Who or what was asked: "The voice panel was told to ask whether all is well." */
export function askedSentence({ way, device, names }: Asking, { language }: Here): string {
  const t = askText(language)
  if (way === 'home') return device === 'voice' ? t.voice : t.chime
  return t[way](names.join(language === 'zh' ? '、' : ', '))
}

/** How long an answer is waited for. */
function Waits({ asking, here }: { asking: Asking; here: Here }) {
  const t = askText(here.language)
  return (
    <>
      {t.leftBefore}
      <Left until={new Date(asking.untilMs)} here={here} />
      {t.leftAfter}
    </>
  )
}

/** The telephone, and what came of the call: the same on the console and on the alert's own page. */
export function AskForms({ alert, here, wide }: { alert: AskedAlert; here: Here; wide?: boolean }) {
  const t = askText(here.language)
  const { asking, alertId, residentName } = alert
  return (
    <>
      {asking.phone ? (
        <a class={wide ? 'button primary wide' : 'button primary'} href={telHref(asking.phone)}>
          {t.call(asking.phone)}
        </a>
      ) : (
        <span class="sub">{t.noPhone}</span>
      )}
      <form method="post" action={`/alerts/${alertId}/spoken`}>
        <button class={wide ? 'wide' : undefined} type="submit" aria-label={t.spokenLabel(residentName)}>
          {t.spoken}
        </button>
      </form>
      <form method="post" action={`/alerts/${alertId}/send-now`}>
        <button class={wide ? 'wide' : undefined} type="submit" aria-label={t.sendLabel(residentName)}>
          {t.send}
        </button>
      </form>
    </>
  )
}

/** On the console: a home that is being asked, with the time that is left; where people were asked, that they should phone. */
function AskCard({ alert, here }: { alert: AskedAlert; here: Here }) {
  const { language, now } = here
  const t = askText(language)
  const { asking } = alert
  return (
    <li id={`alert-${alert.alertId}`} class={`card card-${alert.severity}`}>
      <div class="card-head">
        <SeverityTag severity={alert.severity} language={language} />
        <span class="card-time">
          <When at={asking.atMs} now={now} timeZone={alert.timeZone} language={language} />
        </span>
      </div>
      <h3>
        <a href={`/alerts/${alert.alertId}`}>
          {asking.way === 'task' ? t.pleaseCall(alert.residentName) : alert.headline[language]}
        </a>
      </h3>
      <p class="card-who">
        <strong>{alert.residentName}</strong>
        <span>{alert.address}</span>
      </p>
      {asking.way === 'task' && <p class="card-asked">{alert.headline[language]}</p>}
      <p class="card-asked">
        {askedSentence(asking, here)} <Waits asking={asking} here={here} />
      </p>
      <div class="card-foot card-answers">
        <AskForms alert={alert} here={here} />
      </div>
    </li>
  )
}

/** The homes that are being asked, those to be phoned first. */
export function AskedHomes({ alerts, here }: { alerts: readonly AskedAlert[]; here: Here }) {
  if (alerts.length === 0) return null
  const calls = (alert: AskedAlert) => (alert.asking.way === 'task' ? 0 : 1)
  const sorted = [...alerts].sort((a, b) => calls(a) - calls(b) || a.asking.untilMs - b.asking.untilMs)
  return (
    <section aria-labelledby="asked">
      <h2 id="asked">{askText(here.language).heading}</h2>
      <ul class="cards">
        {sorted.map((alert) => (
          <AskCard key={alert.alertId} alert={alert} here={here} />
        ))}
      </ul>
    </section>
  )
}

/** The first line of the console where nothing else is open. */
export function askedAnswer(alerts: readonly AskedAlert[], { language }: Here) {
  const t = askText(language)
  const calls = alerts.filter(({ asking }) => asking.way === 'task').length
  const rest = alerts.length - calls
  if (calls === 0) return { tone: 'busy', first: t.asked(rest), more: null }
  return { tone: 'busy', first: t.calls(calls), more: rest > 0 ? t.alsoAsked(rest) : null }
}

/** Below a first line that is about something else. */
export function AlsoAsked({ count, here }: { count: number; here: Here }) {
  return count === 0 ? null : <p>{askText(here.language).alsoAsked(count)}</p>
}

/** On the page of an alert: what was asked, how long is left, and what came of a call. */
export function AskedPart({ alert, here }: { alert: AskedAlert; here: Here }) {
  const t = askText(here.language)
  return (
    <section class="actions asked-actions" aria-labelledby="asked">
      <h2 id="asked">{alert.asking.way === 'task' ? t.pleaseCall(alert.residentName) : t.heading}</h2>
      <p>
        {askedSentence(alert.asking, here)} <Waits asking={alert.asking} here={here} />
      </p>
      <p class="sub">{t.settles}</p>
      <AskForms alert={alert} here={here} wide />
    </section>
  )
}

/** On the page of an alert about silence that is not asked about (any more): a word with the resident settles it. */
export function SpokenForm({ alert, here }: { alert: AlertRow; here: Here }) {
  const t = askText(here.language)
  return (
    <form method="post" action={`/alerts/${alert.alertId}/spoken`}>
      <button class="wide" type="submit" aria-label={t.spokenLabel(alert.residentName)}>
        {t.spoken}
      </button>
    </form>
  )
}
