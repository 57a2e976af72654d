import type { AlertAction } from '../../alerts/lifecycle.js'
import { isSilence } from '../../alerts/model.js'
import type { AlertPageProps } from './alert-page.js'
import { alertText } from './alert-text.js'
import { SpokenForm } from './asking.js'
import { CloseForm } from './close-form.js'
import { UndoForm, undoableUntil } from './undo.js'

/** The stages as buttons: the next one large, those that may be skipped to smaller, closing folded away; and undo. */
export function Actions(p: AlertPageProps & { allows: (action: AlertAction) => boolean }) {
  const { here, alert, allows, viewer } = p
  const t = alertText(here.language)
  const steps = (
    [
      { action: { kind: 'acknowledge' }, path: 'acknowledge', label: t.acknowledge },
      { action: { kind: 'en_route' }, path: 'en-route', label: t.enRoute },
      { action: { kind: 'arrived' }, path: 'arrived', label: t.arrived },
    ] as const
  ).filter(({ action }) => allows(action))
  const until = undoableUntil(alert, viewer.staffId, here.now)
  const undo = until && <UndoForm action={`/alerts/${alert.alertId}/undo`} until={until} here={here} />
  if (alert.stage === 'closed') return undo && <section aria-label={t.steps}>{undo}</section>
  const urgentStep = alert.stage === 'open' && alert.severity === 'emergency' ? 'danger' : 'primary'
  return (
    <section class="actions" aria-label={t.steps}>
      {steps.map(({ path, label }, position) => (
        <form key={path} method="post" action={`/alerts/${alert.alertId}/${path}`}>
          <button class={position === 0 && !alert.asking ? `${urgentStep} wide` : 'wide'} type="submit">
            {label}
          </button>
        </form>
      ))}
      {isSilence(alert.kind) && !alert.asking && <SpokenForm alert={alert} here={here} />}
      <CloseForm
        here={here}
        action={`/alerts/${alert.alertId}/close`}
        outcome={p.outcome}
        open={alert.stage === 'arrived' || p.problem === 'note'}
      />
      {undo}
    </section>
  )
}
