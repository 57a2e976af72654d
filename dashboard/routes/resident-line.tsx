import { isSilence } from '../../alerts/model.js'
import type { ResidentState } from '../../alerts/rules/fold.js'
import { type Learning, type LineView, lineHours, lineView, type Present } from '../../alerts/rules/line-view.js'
import { emptyState } from '../../alerts/rules/state.js'
import { wallClock } from '../../alerts/rules/zone.js'
import type { AlertDetail } from '../../db/alert-views.js'
import { falseAlarmsSince, findMark, type Mark, type SilenceAlert, silenceAlertsOf } from '../../db/marks.js'
import type { Queryable } from '../../db/pool.js'
import { findResidentState } from '../../db/residents.js'
import { findSilenceBudget } from '../../db/silence-budget.js'
import { type LineBar, LineChart } from '../charts/line.js'
import type { Here } from '../shell/here.js'
import { MarkForms } from '../shell/mark-parts.js'
import { outcomeWord } from '../shell/marks.js'
import { shellText } from '../shell/shell-text.js'
import { lineText } from '../shell/text-line.js'
import { clockWords, durationWords, When } from '../shell/times.js'

const alertsMax = 10
const monthMs = 30 * 24 * 3_600_000
const minuteMs = 60_000

/** What the section about the routine tells of a resident. */
export type LineKnown = {
  view: LineView
  alarmsPerMonth: number | null
  lately: { alerts: number; falseAlarms: number }
  alerts: SilenceAlert[]
}

/** `state`: what the rules know of the resident, as it is stored; null before anything came. */
export async function loadLine(
  db: Queryable,
  { residentId, state, timeZone, now }: { residentId: string; state: unknown; timeZone: string; now: Date },
): Promise<LineKnown> {
  const [alarmsPerMonth, lately, alerts] = await Promise.all([
    findSilenceBudget(db),
    falseAlarmsSince(db, { residentId, since: new Date(now.getTime() - monthMs) }),
    silenceAlertsOf(db, { residentId, rowsMax: alertsMax }),
  ])
  const folded = (state as ResidentState | null) ?? emptyState()
  return { view: lineView(folded, now.getTime(), { timeZone, alarmsPerMonth }), alarmsPerMonth, lately, alerts }
}

type Part = { timeZone: string; here: Here }

/** The silence that goes on, and when it would be too long: for the top of the page; null where there is none to tell of. */
export function PresentLine({ known, timeZone, here }: Part & { known: LineKnown }) {
  const { present } = known.view
  return present.kind === 'silent' ? <PresentWords present={present} timeZone={timeZone} here={here} /> : null
}

const PresentWords = ({ present, timeZone, here }: Part & { present: Present }) => (
  <p class={`present present-${lookOf(present, here.now.getTime())}`}>{presentWords(present, { timeZone, here })}</p>
)

/** How long silence normally lasts here, against the silences of today; says so where that is not known. */
export function RoutineLine({ known, timeZone, here }: Part & { known: LineKnown }) {
  const { language } = here
  const t = lineText(language)
  const { view, alarmsPerMonth, lately } = known
  const { present, today, hours } = view
  const budget = String(alarmsPerMonth)
  const bars: LineBar[] = today.map((silence) => ({ ...silence, what: 'today' }))
  if (present.kind === 'silent' && present.own) {
    const { since, until, limitMs } = present
    bars.push({ since, lengthMs: until - since, limitMs, what: 'now' })
  }
  return (
    <section aria-labelledby="line" class="routine-line">
      <h2 id="line">{t.title}</h2>
      {present.kind !== 'silent' && <PresentWords present={present} timeZone={timeZone} here={here} />}
      <p>{learningWords(view.learning, here)}</p>
      {hours.length > 0 && (
        <>
          <LineChart hours={hours} bars={bars} weekend={view.weekend} language={language} timeZone={timeZone} />
          <p>{todayWords(view, { timeZone, here })}</p>
          <p>
            {lately.alerts === 0 ? t.noAlarms(budget) : t.alarms(lately.alerts, lately.falseAlarms, budget)}
            {t.between + t.always}
          </p>
        </>
      )}
    </section>
  )
}

/** Hatched where nobody can say, amber where it is longer than it should be, plain for all else: silence is no good sign. */
function lookOf(present: Present, now: number): 'unknown' | 'long' | 'plain' {
  if (present.kind === 'unknown' || present.kind === 'no meter') return 'unknown'
  if (present.kind === 'silent' && (present.alerted || now >= present.alertAt)) return 'long'
  return 'plain'
}

function presentWords(present: Present, { timeZone, here }: Part): string {
  const { language, now } = here
  const t = lineText(language)
  const clock = (at: number) => clockWords(at, now.getTime(), timeZone, language)
  if (present.kind === 'away') return t.away(clock(present.until))
  if (present.kind === 'no meter') return t.noMeter
  if (present.kind === 'unknown')
    return present.knownUntil === null ? t.unknownAtAll : t.unknown(clock(present.knownUntil))
  const { since, until, atLeast, own, usualMs, limitMs, alertAt, asks, alerted } = present
  const length = `${atLeast ? t.atLeast : ''}${durationWords(until - since, language)}`
  const limit = durationWords(limitMs, language)
  const reached = now.getTime() >= alertAt
  if (!own) {
    const first = t.unused(length, clock(since), clock(until))
    if (alerted) return first + t.fixedAlerted
    return first + (reached ? t.reached(limit, clock(alertAt)) : t.fixedAt(clock(alertAt)))
  }
  const isSilent = atLeast || until - since >= minuteMs
  const first = isSilent ? t.silent(length, clock(since), clock(until)) : t.active(clock(since))
  if (alerted) return first + t.usual(durationWords(usualMs!, language)) + t.alerted(limit)
  if (reached) return first + t.reached(limit, clock(alertAt))
  return first + t.usual(durationWords(usualMs!, language)) + (asks ? t.asksAt : t.pagesAt)(clock(alertAt))
}

function learningWords(learning: Learning, { language }: Here): string {
  const t = lineText(language)
  if (learning.kind === 'off') return t.off
  if (learning.kind === 'not begun') return t.notBegun
  if (learning.kind === 'learned') return t.learned(learning.silences)
  return t[learning.kind](learning.day, learning.of)
}

function todayWords({ today }: LineView, { timeZone, here }: Part): string {
  const { language, now } = here
  const t = lineText(language)
  if (today.length === 0) return t.todayNone
  const each = today.map(({ since, lengthMs }) =>
    t.one(clockWords(since, now.getTime(), timeZone, language), durationWords(lengthMs, language)),
  )
  return `${t.todayLead}${each.join(language === 'zh' ? '；' : '; ')}${t.listEnd}`
}

/** The last alerts about silence, each with what was said of it. */
export function SilenceAlerts({ known, timeZone, here }: Part & { known: LineKnown }) {
  const { language, now } = here
  const t = lineText(language)
  const shell = shellText(language)
  const { alerts } = known
  return (
    <section aria-labelledby="silence-alerts">
      <h2 id="silence-alerts">{t.alerts}</h2>
      <p>{alerts.length === 0 ? t.alertsNone : t.alertsLead}</p>
      <ul class="lines">
        {alerts.map((alert) => (
          <li key={alert.alertId} class="line silence-alert">
            <p>
              <a href={`/alerts/${alert.alertId}`}>{alert.headline[language]}</a>
            </p>
            <p>
              <strong>{alert.outcome ? outcomeWord(alert.outcome, language) : shell.stage[alert.stage]}</strong>
              {' · '}
              <When at={alert.openedAt} now={now} timeZone={timeZone} language={language} />
            </p>
            <MarkForms alert={alert} here={here} timeZone={timeZone} back="resident" />
          </li>
        ))}
      </ul>
      {alerts.length === alertsMax && <p>{t.alertsMost(alertsMax)}</p>}
    </section>
  )
}

/** What an alert about silence shows beside what every alert shows; undefined for any other. */
export type SilenceOfAlert = { mark: Mark | null; state: ResidentState | null; alarmsPerMonth: number | null }

export async function loadSilence(db: Queryable, alert: AlertDetail): Promise<SilenceOfAlert | undefined> {
  if (!isSilence(alert.kind)) return undefined
  const [mark, state, alarmsPerMonth] = await Promise.all([
    findMark(db, alert),
    findResidentState(db, alert.residentId),
    findSilenceBudget(db),
  ])
  return { mark, state: state as ResidentState | null, alarmsPerMonth }
}

/** Was it right? */
export function MarkSection({ alert, silence, here }: { alert: AlertDetail; silence: SilenceOfAlert; here: Here }) {
  const t = lineText(here.language)
  return (
    <section aria-labelledby="mark" class="mark-section">
      <h2 id="mark">{t.question}</h2>
      <MarkForms alert={{ ...alert, mark: silence.mark }} here={here} timeZone={alert.timeZone} back="alert" />
      <p class="sub">
        {t.lead}
        {alert.closedAt === null && t.between + t.open}
      </p>
    </section>
  )
}

/** Why the learned line opened this alert: its numbers, and its silence against the line; null for the fixed rules. */
export function WhySilence({ alert, silence, here }: { alert: AlertDetail; silence: SilenceOfAlert; here: Here }) {
  const { language, now } = here
  const t = lineText(language)
  const { timeZone, reason } = alert
  const { since, minutes, usualMinutes, limitMinutes } = reason
  if (alert.kind !== 'silence_unusual') return null
  if (![since, minutes, usualMinutes, limitMinutes].every((value) => typeof value === 'number')) return null
  const words = (of: unknown) => durationWords(Number(of) * minuteMs, language)
  const { state, alarmsPerMonth } = silence
  const hours = state ? lineHours(state, Number(since), { timeZone, alarmsPerMonth }) : []
  const bar: LineBar = {
    since: Number(since),
    lengthMs: Number(minutes) * minuteMs,
    limitMs: Number(limitMinutes) * minuteMs,
    what: 'alert',
  }
  return (
    <div class="why-silence">
      <h3>{t.why}</h3>
      <p>
        {t.whySentence(
          clockWords(Number(since), now.getTime(), timeZone, language),
          words(minutes),
          words(usualMinutes),
          words(limitMinutes),
        )}
      </p>
      {hours.length > 0 && (
        <>
          <LineChart
            hours={hours}
            bars={[bar]}
            weekend={wallClock(Number(since), timeZone).weekend}
            language={language}
            timeZone={timeZone}
          />
          <p>{t.whyNow}</p>
        </>
      )}
    </div>
  )
}
