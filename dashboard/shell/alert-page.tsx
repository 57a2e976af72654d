import type { VNode } from 'preact'
import { transition } from '../../alerts/lifecycle.js'
import type { Outcome } from '../../alerts/model.js'
import type { AlertDetail, AlertEvent, PageRow } from '../../db/alert-views.js'
import { Actions } from './alert-actions.js'
import { stageSentence } from './alert-card.js'
import { History, Pages, Reason } from './alert-history.js'
import { alertText, cautionOf } from './alert-text.js'
import { AskedPart, isAsked } from './asking.js'
import { HeldNote, heldStage, isHeld } from './held.js'
import type { Here } from './here.js'
import { outcomeWord, SeverityTag } from './marks.js'
import { Page } from './page.js'
import { telHref } from './tel.js'
import { askText } from './text-asking.js'
import { lineText } from './text-line.js'
import { durationWords, leftWords, When } from './times.js'
import type { StaffViewer } from './viewer.js'

export type Next =
  | { kind: 'closed' }
  | { kind: 'nothing' }
  | { kind: 'returns'; dueAt: Date }
  | { kind: 'nobody'; dueAt: Date }
  | { kind: 'tells'; dueAt: Date; names: string[]; again: boolean }

export type AlertPageProps = {
  here: Here
  viewer: StaffViewer
  alert: AlertDetail
  events: AlertEvent[]
  pages: PageRow[]
  next: Next
  problem: 'refused' | 'note' | 'undo-late' | 'undo-nothing' | 'mark-late' | 'mark-kind' | undefined
  /** Of an alert about silence: why it came, and whether it was right. */
  why?: VNode | undefined
  marking?: VNode | undefined
  /** Of an alert about silence: who said that they are there, and a door that was opened. */
  presence?: VNode | undefined
  outcome: Outcome | undefined
}

/** First what happened and what to do; then where to go; then why, who was told and how it went. */
export function AlertPage(p: AlertPageProps) {
  const { here, alert } = p
  const t = alertText(here.language)
  const { language, now } = here
  const caution = alert.stage === 'closed' ? undefined : cautionOf(alert.kind, language)
  const times = { now, timeZone: alert.timeZone, language }
  const waits = alert.stage === 'open' && alert.severity === 'emergency'
  return (
    <Page here={here} title={alert.headline[language]}>
      {p.marking && <link rel="stylesheet" href={`${here.assets}/line.css`} />}
      <div class={`answer answer-${waits ? 'emergency' : alert.stage === 'closed' ? 'plain' : 'busy'}`}>
        <SeverityTag severity={alert.severity} language={language} />
        <h1>{alert.headline[language]}</h1>
        <p>
          <strong>{alert.residentName}</strong> · {alert.address}
        </p>
        <p>
          <When at={alert.openedAt} {...times} />
        </p>
        <p class={alert.stage === 'open' ? 'stage stage-waiting' : 'stage'}>
          {isAsked(alert)
            ? askText(language).heading
            : isHeld(alert)
              ? heldStage(alert, here)
              : stageSentence(alert, here)}
          {alert.outcome && ` · ${t.outcome}${language === 'zh' ? '：' : ': '}${outcomeWord(alert.outcome, language)}`}
        </p>
        {alert.outcomeNote && <p>{alert.outcomeNote}</p>}
      </div>
      {p.problem && (
        <p class="message problem" role="alert">
          {problemSentence(p)}
        </p>
      )}
      {caution && (
        <p class="message caution">
          <strong>
            {t.caution}
            {language === 'zh' ? '：' : ': '}
          </strong>
          {caution}
        </p>
      )}
      <div class="columns">
        <div>
          {isAsked(alert) && <AskedPart alert={alert} here={here} />}
          <Actions {...p} allows={(action) => transition(alert.stage, action.kind) !== undefined} />
          {p.presence}
          {alert.stage === 'closed' && p.marking}
          <section aria-labelledby="next">
            <h2 id="next">{t.next}</h2>
            {isHeld(alert) && <HeldNote held={alert.held} timeZone={alert.timeZone} here={here} />}
            <p>{nextSentence(p)}</p>
          </section>
          <Door alert={alert} here={here} />
          {alert.stage !== 'closed' && p.marking}
        </div>
        <div>
          <section aria-labelledby="what">
            <h2 id="what">{t.what}</h2>
            <dl class="facts">
              <dt>{t.observed}</dt>
              <dd>
                <When at={alert.observedAt} {...times} />
              </dd>
              <dt>{t.opened}</dt>
              <dd>
                <When at={alert.openedAt} {...times} />
              </dd>
              {alert.closedAt && <dt>{t.closed}</dt>}
              {alert.closedAt && (
                <dd>
                  <When at={alert.closedAt} {...times} />
                </dd>
              )}
              {alert.deviceId && <dt>{t.device}</dt>}
              {alert.deviceId && <dd>{[alert.room, alert.deviceId].filter(Boolean).join(' · ')}</dd>}
            </dl>
            {p.why}
            <Reason alert={alert} here={here} />
          </section>
          <Pages pages={p.pages} alert={alert} here={here} />
          <History events={p.events} alert={alert} here={here} />
        </div>
      </div>
    </Page>
  )
}

function Door({ alert, here }: { alert: AlertDetail; here: Here }) {
  const t = alertText(here.language)
  const or = (value: string | null) => value ?? <span class="sub">{t.notGiven}</span>
  return (
    <section aria-labelledby="door">
      <h2 id="door">{t.door}</h2>
      <dl class="facts">
        <dt>{t.resident}</dt>
        <dd>
          <a class="fact-link" href={`/residents/${encodeURIComponent(alert.residentId)}`}>
            {alert.residentName}
          </a>
        </dd>
        <dt>{t.address}</dt>
        <dd>
          {alert.address} <span class="sub">{alert.communityName}</span>
        </dd>
        <dt>{t.phone}</dt>
        <dd>
          {alert.phone ? (
            <a class="fact-link phone" href={telHref(alert.phone)}>
              {alert.phone}
            </a>
          ) : (
            or(null)
          )}
        </dd>
        <dt>{t.doorCode}</dt>
        <dd>{alert.doorCode ? <code>{alert.doorCode}</code> : or(null)}</dd>
        <dt>{t.keyHolder}</dt>
        <dd>{or(alert.keyHolder)}</dd>
        <dt>{t.healthNote}</dt>
        <dd>{or(alert.healthNote)}</dd>
      </dl>
    </section>
  )
}

function problemSentence({ here, alert, viewer, problem }: AlertPageProps): string {
  const t = alertText(here.language)
  if (problem === 'note') return t.noteMissing
  if (problem === 'undo-late') return t.undoLate
  if (problem === 'undo-nothing') return t.undoNothing
  if (problem === 'mark-late') return lineText(here.language).problem.late
  if (problem === 'mark-kind') return lineText(here.language).problem.kind
  const by = alert.handledBy
  if (!by || by.staffId === viewer.staffId) return t.changedFirst
  return alert.stage === 'closed' ? t.closedFirst(by.name) : t.tookFirst(by.name)
}

function nextSentence({ here, next, alert }: AlertPageProps): string {
  const { language, now } = here
  const t = alertText(language)
  if (next.kind === 'closed') return t.done
  if (next.kind === 'nothing') return t.nothingNext
  const waitMs = next.dueAt.getTime() - now.getTime()
  const wait = durationWords(waitMs, language)
  if (next.kind === 'returns') return t.returns(wait)
  if (next.kind === 'nobody') return t.nobodyToTell(wait)
  const names = next.names.join(language === 'zh' ? '、' : ', ')
  if (waitMs <= 0) return t.tellsNow(names)
  if (alert.asking) return askText(language).tells(names, leftWords(waitMs, language))
  return next.again ? t.tellsAgain(names, wait) : t.tells(names, wait)
}
