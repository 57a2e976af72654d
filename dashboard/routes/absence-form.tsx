import { z } from 'zod'
import { noteCharsMax } from '../../db/absences.js'
import type { Here } from '../shell/here.js'
import { momentWords } from '../shell/roster-words.js'
import { absenceText } from '../shell/text-absence.js'
import { type EndProblem, endFieldBounds, suggestedEnds } from './absence-ends.js'

const field = z.string().trim().max(40).catch('')
export const awayForm = z.object({ end: field, other: field, note: z.string().trim().max(noteCharsMax).catch('') })
export type AwayFields = z.infer<typeof awayForm>
export const emptyAway: AwayFields = { end: '', other: '', note: '' }

/**
 * Until when somebody is away: what most people mean by one tap, any other time by its field. What was sent stays in it, with
 * what is wrong with it. `running`: the end that stands, where one does.
 */
export function AwayForm(p: {
  here: Here
  action: string
  timeZone: string
  fields: AwayFields
  problem: EndProblem | undefined
  running: Date | null
  noteHint: string
}) {
  const { here, fields, problem, timeZone, running } = p
  const { language } = here
  const now = here.now.getTime()
  const t = absenceText(language)
  const ends = suggestedEnds(now, timeZone)
  // What was chosen an hour ago may not be offered any more.
  const isOffered = ends.some((each) => each.field === fields.end)
  const other = fields.other || (fields.end !== 'other' && !isOffered ? fields.end : '')
  return (
    <form method="post" action={p.action} class="stack" id="away-form">
      {problem && (
        <p class="message problem" role="alert" id="end-problem">
          {t.problem[problem]}
        </p>
      )}
      <fieldset aria-describedby={problem ? 'end-problem' : undefined}>
        <legend>{running ? t.changeHeading : t.setHeading}</legend>
        <div class="choices ends">
          {ends.map(({ kind, field: value, until }) => (
            <label key={kind} class="choice">
              <input type="radio" name="end" value={value} checked={fields.end === value} />
              {t.suggested[kind](momentWords(until, timeZone, language, now))}
            </label>
          ))}
          <label class="choice">
            <input type="radio" name="end" value="other" checked={fields.end === 'other' || other !== ''} />
            {t.other}
          </label>
        </div>
      </fieldset>
      <label>
        {t.otherField}
        <input id="away-other" type="datetime-local" name="other" value={other} {...endFieldBounds(now, timeZone)} />
        <span class="sub">{t.zone(timeZone)}</span>
      </label>
      <label>
        {t.noteField}
        <input id="away-note" name="note" maxLength={noteCharsMax} autocomplete="off" value={fields.note} />
        <span class="sub">{p.noteHint}</span>
      </label>
      <button class="primary wide" type="submit">
        {running ? t.saveChange : t.save}
      </button>
    </form>
  )
}
