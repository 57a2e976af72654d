import { transition } from '../../alerts/lifecycle.js'
import type { Outcome } from '../../alerts/model.js'
import type { AlertRow } from '../../db/alert-views.js'
import type { PageLink } from '../../db/page-links.js'
import { stageSentence } from '../shell/alert-card.js'
import type { Here } from '../shell/here.js'
import { outcomeWord, SeverityTag } from '../shell/marks.js'
import { Page } from '../shell/page.js'
import { When } from '../shell/times.js'
import { acknowledgeText, type LinkProblem } from './acknowledge-text.js'

export type LinkPageProps = {
  here: Here
  token: string
  link: PageLink
  alert: AlertRow
  since: Date | null
  problem: LinkProblem | undefined
  outcome?: Outcome | undefined
}

/** What happened, to whom and where: the first thing on both pages of a link. */
export function Answer({
  here,
  alert,
  tone,
  thanks,
}: {
  here: Here
  alert: AlertRow
  tone: string
  thanks?: string | undefined
}) {
  const { language, now } = here
  return (
    <div class={`answer answer-${tone}`}>
      {thanks && <p class="big">{thanks}</p>}
      <SeverityTag severity={alert.severity} language={language} />
      <h1>{alert.headline[language]}</h1>
      <p class="big">
        <strong>{alert.residentName}</strong>
        <br />
        {alert.address}
      </p>
      <p>
        <When at={alert.openedAt} now={now} timeZone={alert.timeZone} language={language} />
      </p>
    </div>
  )
}

export function Problem({ here, problem }: Pick<LinkPageProps, 'here' | 'problem'>) {
  if (!problem) return null
  return (
    <p class="message problem" role="alert">
      {acknowledgeText(here.language).problem[problem]}
    </p>
  )
}

/** The page of a link for whoever has not taken the alert in this browser: one button, or who has it. */
export function LinkPage({ here, token, link, alert, since, problem }: LinkPageProps) {
  const t = acknowledgeText(here.language)
  const { language, now } = here
  const isTaken = alert.stage !== 'open' && alert.stage !== 'closed'
  const isMine = isTaken && alert.handledBy?.staffId === link.staffId
  const offers = !link.usedAt && transition(alert.stage, 'acknowledge') !== undefined
  const goesOn = isMine && !link.usedAt
  const tone = offers ? (alert.severity === 'emergency' ? 'emergency' : 'busy') : isMine ? 'quiet' : 'plain'
  const times = { now, timeZone: alert.timeZone, language }
  return (
    <Page here={here} title={alert.headline[language]} kind="plain">
      <section class="narrow">
        <Answer here={here} alert={alert} tone={tone} thanks={isMine ? t.thanks : undefined} />
        {(!isMine || problem !== 'late') && <Problem here={here} problem={problem} />}
        {offers || goesOn ? (
          <form method="post" action={`/p/${token}`}>
            <button
              class={`${offers && alert.severity === 'emergency' ? 'danger' : 'primary'} wide huge`}
              type="submit"
            >
              {offers ? t.take : t.goOn}
            </button>
            <p>{offers ? t.others : t.goOnHelp}</p>
          </form>
        ) : (
          <p>
            {stageSentence(alert, here)}
            {isTaken && since && (
              <>
                {' · '}
                <When at={since} {...times} />
              </>
            )}
            {alert.outcome && ` · ${t.outcome(outcomeWord(alert.outcome, language))}`}
          </p>
        )}
        {link.usedAt && (
          <p class="sub">
            {t.used} {isMine && t.otherBrowser}
          </p>
        )}
        {link.isCare && alert.stage !== 'closed' && (
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

/** A link that is over shows no longer whom it was about. */
export function Expired({ here, link }: { here: Here; link: PageLink }) {
  const t = acknowledgeText(here.language)
  return (
    <Page here={here} title={t.expired} kind="plain" live={false}>
      <section class="narrow">
        <h1>{t.expired}</h1>
        {link.isCare && (
          <p>
            <a class="button wide" href={`/alerts/${link.alertId}`}>
              {t.openAlert}
            </a>
          </p>
        )}
      </section>
    </Page>
  )
}
