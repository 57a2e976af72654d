import type { AlertAction } from '../../alerts/lifecycle.js'
import { outcomes } from '../../alerts/model.js'
import type { AlertPageProps } from './alert-page.js'
import { alertText } from './alert-text.js'
import { outcomeWord } from './marks.js'

/** The stages as buttons: the next one large, those that may be skipped to smaller, closing folded away. */
export function Actions(p: AlertPageProps & { allows: (action: AlertAction) => boolean }) {
  const { here, alert, allows } = p
  const t = alertText(here.language)
  const steps = (
    [
      { action: { kind: 'acknowledge' }, path: 'acknowledge', label: t.acknowledge },
      { action: { kind: 'en_route' }, path: 'en-route', label: t.enRoute },
      { action: { kind: 'arrived' }, path: 'arrived', label: t.arrived },
    ] as const
  ).filter(({ action }) => allows(action))
  if (alert.stage === 'closed') return null
  const urgentStep = alert.stage === 'open' && alert.severity === 'emergency' ? 'danger' : 'primary'
  return (
    <section class="actions" aria-label={t.steps}>
      {steps.map(({ path, label }, position) => (
        <form key={path} method="post" action={`/alerts/${alert.alertId}/${path}`}>
          <button class={position === 0 ? `${urgentStep} wide` : 'wide'} type="submit">
            {label}
          </button>
        </form>
      ))}
      <CloseForm {...p} open={alert.stage === 'arrived' || p.problem === 'note'} />
    </section>
  )
}

function CloseForm({ here, alert, outcome, open }: AlertPageProps & { open: boolean }) {
  const t = alertText(here.language)
  return (
    <details id="close" class="close" open={open}>
      <summary>{t.close}</summary>
      <form method="post" action={`/alerts/${alert.alertId}/close`} class="stack">
        <fieldset>
          <legend>{t.closeHeading}</legend>
          <div class="choices">
            {outcomes.map((choice) => (
              <label key={choice} class="choice">
                <input
                  id={`outcome-${choice.replace(' ', '-')}`}
                  type="radio"
                  name="outcome"
                  value={choice}
                  required
                  checked={choice === outcome}
                />
                {outcomeWord(choice, here.language)}
              </label>
            ))}
          </div>
        </fieldset>
        <label>
          {t.note} <span class="sub">{t.noteHint}</span>
          <textarea id="note" name="note" rows={3} maxLength={1_000} />
        </label>
        <button class="primary wide" type="submit">
          {t.closeSubmit}
        </button>
      </form>
    </details>
  )
}
