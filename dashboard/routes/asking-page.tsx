import type { AlertRow } from '../../db/alert-views.js'
import type { AskLink } from '../../db/ask-links.js'
import { stageSentence } from '../shell/alert-card.js'
import type { Here } from '../shell/here.js'
import { outcomeWord, SeverityTag } from '../shell/marks.js'
import { Page } from '../shell/page.js'
import { telHref } from '../shell/tel.js'
import { askText } from '../shell/text-asking.js'
import { When } from '../shell/times.js'
import { Left, UndoForm, undoableUntil } from '../shell/undo.js'

export type AskPageProps = {
  here: Here
  token: string
  link: AskLink
  alert: AlertRow
  said: 'noted' | 'late' | undefined
}

/** For whoever was asked to phone: whom, until when, and two buttons for what came of it. */
export function AskPage({ here, token, link, alert, said }: AskPageProps) {
  const { language, now } = here
  const t = askText(language)
  const isFamily = link.way === 'family'
  const isOpen = alert.stage !== 'closed'
  const isMine = alert.handledBy?.staffId === link.staffId
  const asking = link.endedWhy === null ? alert.asking : null
  const title = isOpen ? t.pleaseCall(alert.residentName) : isMine ? t.thanks : t.over
  const until = undoableUntil(alert, link.staffId, now)
  return (
    <Page here={here} title={title} kind="plain">
      <section class="narrow">
        <div class={isOpen ? 'answer answer-busy' : 'answer answer-quiet'}>
          {!isFamily && <SeverityTag severity={alert.severity} language={language} />}
          <h1>{title}</h1>
          {!isFamily && (
            <p class="big">
              <strong>{alert.residentName}</strong>
              <br />
              {alert.address}
            </p>
          )}
          {isOpen && <p>{isFamily ? t.familyLead : alert.headline[language]}</p>}
          <p>
            <When at={alert.openedAt} now={now} timeZone={alert.timeZone} language={language} />
          </p>
          {asking && (
            <p>
              {t.leftBefore}
              <Left until={new Date(asking.untilMs)} here={here} />
              {isFamily ? t.leftAfterFamily : t.leftAfter}
            </p>
          )}
        </div>
        {said && (
          <p class="message" role="status">
            {t[said]}
          </p>
        )}
        <p>{standsHow({ here, link, alert })}</p>
        {isOpen && (
          <div class="stack">
            {!isFamily && link.phone && (
              <a class="button primary wide huge" href={telHref(link.phone)}>
                {t.call(link.phone)}
              </a>
            )}
            {!isFamily && !link.phone && <p>{t.noPhone}</p>}
            <form method="post" action={`/ask/${token}/spoken`}>
              <button class={isFamily || !link.phone ? 'primary wide huge' : 'wide'} type="submit">
                {t.spoken}
              </button>
            </form>
            {asking && <p>{isFamily ? t.familyHelp : t.taskHelp}</p>}
            {asking && (
              <form method="post" action={`/ask/${token}/send`}>
                <button class="wide" type="submit">
                  {isFamily ? t.sendPlease : t.send}
                </button>
              </form>
            )}
          </div>
        )}
        {until && <UndoForm action={`/ask/${token}/undo`} until={until} here={here} />}
        {link.isCare && (
          <p>
            <a class="button wide" href={`/alerts/${alert.alertId}`}>
              {t.openAlert}
            </a>
          </p>
        )}
        <p class="sub">{t.forYou(link.staffName)}</p>
      </section>
    </Page>
  )
}

/** What became of it, where an answer is no longer waited for. */
function standsHow({ here, link, alert }: Pick<AskPageProps, 'here' | 'link' | 'alert'>): string {
  const t = askText(here.language)
  if (alert.stage === 'closed') return alert.outcome ? outcomeWord(alert.outcome, here.language) : ''
  if (alert.stage !== 'open') return stageSentence(alert, here)
  if (link.endedWhy === 'sent for') return t.sent
  return link.endedWhy === 'unanswered' ? t.paged : ''
}

/** A link that is over shows no longer whom it was about. */
export function AskExpired({ here }: { here: Here }) {
  const t = askText(here.language)
  return (
    <Page here={here} title={t.expired} kind="plain" live={false}>
      <section class="narrow">
        <h1>{t.expired}</h1>
      </section>
    </Page>
  )
}
