import { transition } from '../../alerts/lifecycle.js'
import type { AtDoor } from '../../db/door-sessions.js'
import { alertText, cautionOf } from '../shell/alert-text.js'
import { CloseForm } from '../shell/close-form.js'
import { outcomeWord } from '../shell/marks.js'
import { Page } from '../shell/page.js'
import { telHref } from '../shell/tel.js'
import { clockWords } from '../shell/times.js'
import { Left, UndoForm, undoableUntil } from '../shell/undo.js'
import { Answer, type LinkPageProps, Problem } from './acknowledge-page.js'
import { acknowledgeText } from './acknowledge-text.js'

type DoorPageProps = LinkPageProps & { door: AtDoor }

/**
 * The door page: what whoever took the alert by its link needs there, and one thumb's buttons for how far they are, in
 * the same browser without logging in.
 */
export function DoorPage(p: DoorPageProps) {
  const { here, token, link, alert, door, problem, outcome } = p
  const t = acknowledgeText(here.language)
  const a = alertText(here.language)
  const { language, now } = here
  const isOpen = alert.stage === 'open'
  const closed = alert.stage === 'closed'
  const until = undoableUntil(alert, link.staffId, now)
  const undo = until && <UndoForm action={`/p/${token}/undo`} until={until} here={here} />
  const caution = closed ? undefined : cautionOf(door.kind, language)
  const steps = (
    [
      { kind: 'acknowledge', path: '', label: t.take },
      { kind: 'en_route', path: '/en-route', label: t.enRoute },
      { kind: 'arrived', path: '/arrived', label: t.arrived },
    ] as const
  ).filter(({ kind }) => transition(alert.stage, kind) !== undefined)
  const tone = isOpen ? (alert.severity === 'emergency' ? 'emergency' : 'busy') : closed ? 'plain' : 'quiet'
  const first = isOpen && alert.severity === 'emergency' ? 'danger' : 'primary'
  return (
    <Page here={here} title={alert.headline[language]} kind="plain">
      <section class="narrow">
        <Answer here={here} alert={alert} tone={tone} thanks={thanksOf(p)} />
        <Problem here={here} problem={problem} />
        {isOpen && <p class="message caution">{t.cameBack}</p>}
        <Timer {...p} />
        {caution && (
          <p class="message caution">
            <strong>
              {a.caution}
              {language === 'zh' ? '：' : ': '}
            </strong>
            {caution}
          </p>
        )}
        {closed ? (
          <p>
            {alert.outcome && t.outcome(outcomeWord(alert.outcome, language))}
            {door.outcomeNote && (language === 'zh' ? `。${door.outcomeNote}` : `. ${door.outcomeNote}`)}
          </p>
        ) : (
          <div class="actions">
            {steps.map(({ path, label }, position) => (
              <form key={path} method="post" action={`/p/${token}${path}`}>
                <button class={position === 0 ? `${first} wide huge` : 'wide'} type="submit">
                  {label}
                </button>
              </form>
            ))}
            {undo}
          </div>
        )}
        {closed && undo}
        {/* What is needed to get in comes before what is written down afterwards. */}
        {!closed && <Facts {...p} />}
        {!closed && (
          <section class="ending">
            <CloseForm
              here={here}
              action={`/p/${token}/close`}
              outcome={outcome}
              open={alert.stage === 'arrived' || problem === 'note'}
            />
          </section>
        )}
        {link.isCare && (
          <p>
            <a class="button wide" href={`/alerts/${alert.alertId}`}>
              {t.history}
            </a>
          </p>
        )}
        <p class="sub">
          {t.forYou(link.staffName)} {!closed && t.thisBrowser}
        </p>
      </section>
    </Page>
  )
}

function thanksOf({ here, alert }: DoorPageProps): string | undefined {
  const t = acknowledgeText(here.language)
  const { stage } = alert
  return {
    open: undefined,
    acknowledged: t.thanks,
    en_route: t.thanksEnRoute,
    arrived: t.thanksArrived,
    closed: t.closedByYou,
  }[stage]
}

/** "Say by 14:25 that you are at the door, or others are told again." */
function Timer({ here, alert, door }: DoorPageProps) {
  const t = acknowledgeText(here.language)
  const { language, now } = here
  const { stage } = alert
  if (stage === 'open' || stage === 'closed' || !door.dueAt || door.dueAt <= now) return null
  return (
    <p class="timer">
      {t.by[stage](clockWords(door.dueAt.getTime(), now.getTime(), alert.timeZone, language))}{' '}
      <strong>
        {t.leftBefore}
        <Left until={door.dueAt} here={here} />
        {t.leftAfter}
      </strong>
    </p>
  )
}

/** What is needed at the door, as far as it is on record and this person may know it. */
function Facts({ here, alert, door }: DoorPageProps) {
  const t = alertText(here.language)
  const known: [string, preact.ComponentChildren][] = [
    [t.resident, alert.residentName],
    [t.address, `${door.address} · ${door.communityName}`],
    [t.room, door.room],
    [
      t.phone,
      door.phone && (
        <a class="fact-link phone" href={telHref(door.phone)}>
          {door.phone}
        </a>
      ),
    ],
    [t.doorCode, door.doorCode && <code>{door.doorCode}</code>],
    [t.keyHolder, door.keyHolder],
    [t.healthNote, door.healthNote],
  ]
  return (
    <section aria-labelledby="door">
      <h2 id="door">{t.door}</h2>
      <dl class="facts">
        {known
          .filter(([, value]) => value)
          .flatMap(([label, value]) => [<dt key={label}>{label}</dt>, <dd key={`${label}-value`}>{value}</dd>])}
      </dl>
    </section>
  )
}
