import type { Verdict } from '../../alerts/model.js'
import { type Mark, mayBeMarked } from '../../db/marks.js'
import type { Here } from './here.js'
import { effectWords } from './mark-words.js'
import { lineText } from './text-line.js'
import { When } from './times.js'

type Marked = { alertId: number; openedAt: Date; closedAt: Date | null; mark: Mark | null }

/** What was said of an alert, and the buttons to say it, or to say otherwise. `back`: where the form comes back to. */
export function MarkForms({
  alert,
  here,
  timeZone,
  back,
}: {
  alert: Marked
  here: Here
  timeZone: string
  back: 'alert' | 'resident'
}) {
  const t = lineText(here.language)
  const { mark, alertId } = alert
  const can = mayBeMarked(alert, here.now)
  const button = (verdict: Verdict | 'none') => (
    <form method="post" action={`/alerts/${alertId}/mark`}>
      <input type="hidden" name="verdict" value={verdict} />
      <input type="hidden" name="back" value={back} />
      <button type="submit">{t[verdict]}</button>
    </form>
  )
  if (!mark)
    return can ? (
      <div class="mark-buttons">
        {button('true')}
        {button('false')}
      </div>
    ) : (
      <p>{t.late}</p>
    )
  return (
    <>
      <p>
        <strong>{mark.byClosing ? t.byClosing(mark.by) : t.marked[mark.verdict](mark.by)}</strong>
        <When at={mark.at} now={here.now} timeZone={timeZone} language={here.language} />
        {t.listEnd}
      </p>
      <p>{effectWords(mark.effect, here.language)}</p>
      {can && (
        <details class="mark-change">
          <summary>{t.change}</summary>
          <div class="mark-buttons">
            {button(mark.verdict === 'true' ? 'false' : 'true')}
            {button('none')}
          </div>
        </details>
      )}
    </>
  )
}
