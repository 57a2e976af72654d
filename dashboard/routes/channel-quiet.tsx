import type { QuietHours } from '../../alerts/quiet-hours.js'
import { meText } from '../shell/text-me.js'
import { type Part, Problem } from './channel-parts.js'

/** When this person wants to hear of emergencies only. */
export function QuietForm({ here, base, timeZone, problem, quiet }: Part & { quiet: QuietHours | null }) {
  const t = meText(here.language)
  const wrong = problem?.form === 'quiet' ? problem : undefined
  return (
    <section aria-labelledby="quiet">
      <h2 id="quiet">{t.quiet}</h2>
      <p>
        <strong>{quiet ? t.quietNow(quiet.from, quiet.until) : t.quietNone}</strong>
      </p>
      <p>{t.quietLead}</p>
      {wrong && <Problem text={wrong.text} />}
      <form method="post" action={`${base}/quiet-hours`} class="stack">
        <div class="times">
          <label>
            {t.from}
            <input id="quiet-from" name="from" type="time" required value={wrong?.from ?? quiet?.from ?? '22:00'} />
          </label>
          <label>
            {t.until}
            <input id="quiet-until" name="until" type="time" required value={wrong?.until ?? quiet?.until ?? '07:00'} />
          </label>
        </div>
        <p class="sub">{t.quietZone(quiet?.timeZone ?? timeZone)}</p>
        <button type="submit">{t.quietSave}</button>
      </form>
      {quiet && (
        <form method="post" action={`${base}/quiet-hours`} class="stack">
          <input type="hidden" name="end" value="1" />
          <button class="quiet" type="submit">
            {t.quietEnd}
          </button>
        </form>
      )}
    </section>
  )
}
