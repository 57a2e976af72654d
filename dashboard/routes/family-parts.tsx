import type { FamilyView } from '../../db/family.js'
import type { ResidentAlert } from '../../db/residents.js'
import { localClock } from '../charts/days.js'
import type { DayMark } from '../charts/week.js'
import { weekdayWords } from '../charts/words.js'
import type { Here } from '../shell/here.js'
import { shellText } from '../shell/shell-text.js'
import { telHref } from '../shell/tel.js'
import { familyText } from '../shell/text-family.js'
import { clockWords, HowLong, When } from '../shell/times.js'
import { type Known, knownClass } from './resident-knowledge.js'
import { type NightOfBed, restWords } from './resident-night.js'

type Part = { view: FamilyView; here: Here }
const nightEndsHour = 6
const nightBeginsHour = 22

/**
 * The one line, and what stands behind it. Unknown is said as unknown, and quiet is not called well.
 * `calm`: no alert is open; beside an open one nothing is green. `ownLine`: alerts come by what is usual at home.
 */
export function Answer({ known, view, here, calm, ownLine }: Part & { known: Known; calm: boolean; ownLine: boolean }) {
  const t = familyText(here.language)
  const when = (at: number) => <When at={at} now={here.now} timeZone={view.timeZone} language={here.language} />
  const until = clockWords(known.knownUntil ?? here.now.getTime(), here.now.getTime(), view.timeZone, here.language)
  const fresh = knownClass(known, here.now.getTime())
  const look = calm || known.knowledge === 'unknown' ? fresh : 'known known-earlier'
  const { hour } = localClock(here.now.getTime(), view.timeZone)
  const night = hour >= nightBeginsHour || hour < nightEndsHour
  if (known.knowledge === 'used' && known.lastUseAt !== null)
    return (
      <div class={look}>
        <p class="answer-line">
          {known.lastUseBy === 'fine' ? t.fineBefore : fresh.endsWith('used') ? t.usedBefore : t.usedEarlierBefore}
          {when(known.lastUseAt)}
        </p>
        <p>{known.lastUseBy ? t.seenMore[known.lastUseBy] : t.usedMore(until)}</p>
        {night && <p>{t.night}</p>}
      </div>
    )
  if (known.knowledge === 'not used') {
    return (
      <div class={look}>
        <p class="answer-line">
          {known.lastUseAt === null ? (
            t.notUsedAtAll
          ) : (
            <>
              {t.notUsedBefore}
              <HowLong at={known.lastUseAt} now={here.now} timeZone={view.timeZone} language={here.language} />
              {t.notUsedAfter}
            </>
          )}
        </p>
        <p>{t.notUsedMore(until)}</p>
        <p>
          {night && `${t.night} `}
          {ownLine ? t.ownRule : t.notUsedRule}
        </p>
      </div>
    )
  }
  return (
    <div class={look}>
      <p class="answer-line">{t.unknown}</p>
      <p>{whyWords(known, view, here)}</p>
      {known.lastUseAt !== null && (
        <p>
          {t.unknownLast}
          {when(known.lastUseAt)}
        </p>
      )}
      {known.why === 'gatewaySilent' && <p>{t.unknownButton}</p>}
    </div>
  )
}

function whyWords({ why, knownUntil, gatewaySilentSince }: Known, view: FamilyView, here: Here): string {
  const t = familyText(here.language)
  const clock = (at: number) => clockWords(at, here.now.getTime(), view.timeZone, here.language)
  const silentSince = knownUntil ?? gatewaySilentSince
  if (why === 'gatewaySilent')
    return silentSince === null ? t.unknownGateway : t.unknownGatewaySince(clock(silentSince))
  if (why === 'metersSilent' && knownUntil !== null) return t.unknownMetersSince(clock(knownUntil))
  if (why === 'tooShort') return t.unknownTooShort
  if (why === 'noMeters') return t.unknownNoMeters
  if (why === 'sensorsQuiet') return t.unknownSensors
  return t.unknownNothing
}

/** What is wrong in plain words, and who is on the way; of what is over, how it ended. */
export function FamilyAlerts({ alerts, view, here }: Part & { alerts: readonly ResidentAlert[] }) {
  const t = familyText(here.language)
  const shell = shellText(here.language)
  const plain: Record<string, string> = t.alert
  const when = (at: Date) => <When at={at} now={here.now} timeZone={view.timeZone} language={here.language} />
  return (
    <>
      {alerts.map((alert) =>
        alert.closedAt === null ? (
          <section key={alert.alertId} class={`family-alert family-alert-${alert.severity}`}>
            <h2>{t.alertNow}</h2>
            <p class="answer-line">{plain[alert.kind] ?? t.alert.other}</p>
            <p>{when(alert.openedAt)}</p>
            <p>
              <strong>
                <Stage alert={alert} here={here} view={view} />
              </strong>
            </p>
          </section>
        ) : (
          <section key={alert.alertId} class="family-alert over">
            <h2>{t.closedLead}</h2>
            <p>
              {plain[alert.kind] ?? t.alert.other}
              <br />
              {when(alert.openedAt)}
            </p>
            <p>
              {alert.outcome && t.closed(shell.outcome[alert.outcome])}
              {when(alert.closedAt)}
            </p>
          </section>
        ),
      )}
    </>
  )
}

function Stage({ alert, here, view }: Part & { alert: ResidentAlert }) {
  const t = familyText(here.language)
  if (alert.isAsked) return <>{t.stage.asked}</>
  if (alert.stage === 'open' || alert.stage === 'closed') return <>{t.stage.open}</>
  return (
    <>
      {t.stage[alert.stage](alert.handledBy ?? t.somebody)}
      <When at={alert.stageAt ?? alert.openedAt} now={here.now} timeZone={view.timeZone} language={here.language} />
    </>
  )
}

/** How long in bed, and how often up; not what was measured there, which is for those who look after a person. */
export function FamilyNight({ nights, view, here }: Part & { nights: readonly NightOfBed[] }) {
  const t = familyText(here.language)
  return (
    <section>
      <h2>{t.lastNight}</h2>
      {nights.map(({ device, rest }) => (
        <p key={device.deviceNo}>{rest ? restWords(rest, { timeZone: view.timeZone, here }) : t.nightUnknown}</p>
      ))}
    </section>
  )
}

/** Whom to call, as far as the station has recorded it. */
export function Call({ view, here }: Part) {
  const t = familyText(here.language)
  const { responsible } = view
  if (!responsible) return null
  return (
    <section class="family-call">
      <h2>{t.call}</h2>
      <p>{t.callName(responsible.name)}</p>
      {responsible.phone && (
        <p>
          <a class="button phone" href={telHref(responsible.phone)}>
            {responsible.phone}
          </a>
        </p>
      )}
    </section>
  )
}

/** Shape and word for each day, never colour alone. */
export function Week({
  week,
  alerts,
  here,
}: {
  week: readonly { date: string; mark: DayMark }[]
  alerts: ReadonlySet<string>
  here: Here
}) {
  const t = familyText(here.language)
  if (week.length === 0) return null
  const newestFirst = [...week].reverse()
  return (
    <section>
      <h2>{t.week}</h2>
      <ol class="week">
        {newestFirst.map(({ date, mark }, index) => {
          // A day that has only begun has not been quiet yet.
          const shown = index === 0 && mark === 'quiet' ? 'not yet' : mark
          return (
            <li key={date}>
              <span class="week-day">
                {index === 0 ? t.today : index === 1 ? t.yesterday : weekdayWords(date, here.language)}
              </span>
              <Mark mark={shown} />
              <span class="week-words">
                {t.weekMark[shown]}
                {alerts.has(date) && <span class="week-alert">{t.weekAlert}</span>}
              </span>
            </li>
          )
        })}
      </ol>
    </section>
  )
}

function Mark({ mark }: { mark: DayMark }) {
  return (
    <svg class={`mark-${mark.replace(' ', '-')}`} viewBox="0 0 24 24" width="28" height="28" aria-hidden="true">
      {mark === 'unknown' ? <rect x="2" y="2" width="20" height="20" rx="3" /> : <circle cx="12" cy="12" r="9.5" />}
      {mark === 'partly' && <path class="half" d="M12 2.5a9.5 9.5 0 0 1 0 19z" />}
      {mark === 'unknown' && <path class="lines" d="M3 15 15 3M3 21 21 3M9 21 21 9" />}
    </svg>
  )
}
