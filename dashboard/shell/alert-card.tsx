import type { AlertRow } from '../../db/alert-views.js'
import type { Here } from './here.js'
import { outcomeWord, SeverityTag } from './marks.js'
import { shellText } from './shell-text.js'
import { defineText } from './text.js'
import { When } from './times.js'
import { UndoForm, undoableUntil } from './undo.js'

const text = defineText({
  en: {
    acknowledge: 'I am taking this',
    acknowledgeLabel: (name: string) => `I am taking this: ${name}`,
    mute: 'Mute this alarm',
    opened: 'Opened',
    closed: 'Closed',
  },
  zh: {
    acknowledge: '我来处理',
    acknowledgeLabel: (name) => `我来处理：${name}`,
    mute: '静音这一条',
    opened: '发生',
    closed: '结束',
  },
})

/** Who has it, in a sentence: "Nobody has taken it yet", "Zhang is on the way". */
export function stageSentence(alert: Pick<AlertRow, 'stage' | 'handledBy'>, here: Here): string {
  const t = shellText(here.language)
  return alert.handledBy ? t.stageBy[alert.stage](alert.handledBy.name) : t.stage[alert.stage]
}

/** One alert in a list: what, who, where, how long, who has it (or why nobody is told: `waits`), and the button that takes it. */
export function AlertCard({ alert, waits, here }: { alert: AlertRow; waits?: string; here: Here }) {
  const t = text(here.language)
  const { language, now } = here
  const waiting = alert.stage === 'open'
  // What the browser sounds for, until it is acknowledged or muted; who muted it hears its next round again.
  const sounds = waiting && alert.severity === 'emergency'
  const closed = alert.stage === 'closed'
  const until = here.viewer && undoableUntil(alert, here.viewer.staffId, here.now)
  return (
    <li
      id={`alert-${alert.alertId}`}
      class={`card card-${alert.severity} ${waiting ? 'card-waiting' : ''}`}
      data-emergency={sounds ? alert.alertId : undefined}
      data-round={sounds ? alert.round : undefined}
    >
      <div class="card-head">
        <SeverityTag severity={alert.severity} language={language} />
        <span class="card-time">
          {closed ? t.closed : t.opened}{' '}
          <When at={alert.closedAt ?? alert.openedAt} now={now} timeZone={alert.timeZone} language={language} />
        </span>
      </div>
      <h3>
        <a href={`/alerts/${alert.alertId}`}>{alert.headline[language]}</a>
      </h3>
      <p class="card-who">
        <strong>{alert.residentName}</strong>
        <span>{alert.address}</span>
      </p>
      <div class="card-foot">
        <p class={waiting ? 'stage stage-waiting' : 'stage'}>
          {waits ?? (closed && alert.outcome ? outcomeWord(alert.outcome, language) : stageSentence(alert, here))}
        </p>
        {sounds && (
          <button class="quiet mute" type="button" data-mute={alert.alertId} hidden>
            {t.mute}
          </button>
        )}
        {until && (
          <UndoForm action={`/alerts/${alert.alertId}/undo`} until={until} who={alert.residentName} here={here} />
        )}
        {waiting && alert.severity !== 'notice' && (
          <form method="post" action={`/alerts/${alert.alertId}/acknowledge`}>
            <button
              class={alert.severity === 'emergency' ? 'danger' : 'primary'}
              type="submit"
              aria-label={t.acknowledgeLabel(alert.residentName)}
            >
              {t.acknowledge}
            </button>
          </form>
        )}
      </div>
    </li>
  )
}
