import { type Outcome, outcomes } from '../../alerts/model.js'
import { alertText } from './alert-text.js'
import type { Here } from './here.js'
import { outcomeWord } from './marks.js'

/** Ends an alert with what was found: folded away until somebody is at the door. */
export function CloseForm({
  here,
  action,
  outcome,
  open,
}: {
  here: Here
  action: string
  outcome: Outcome | undefined
  open: boolean
}) {
  const t = alertText(here.language)
  return (
    <details id="close" class="close" open={open}>
      <summary>{t.close}</summary>
      <form method="post" action={action} class="stack">
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
