import type { ResidentState } from '../../alerts/rules/state.js'
import { changesOf, nightsKnown, weeksKnown } from '../../alerts/rules/trends.js'
import { WeeksChart } from '../charts/weeks.js'
import type { Here } from '../shell/here.js'
import { trendsText } from '../shell/text-trends.js'
import { When } from '../shell/times.js'

/**
 * What has changed over weeks: more visits at night, less going on by day; where nothing has, how it is. Nothing of it
 * where nothing is learned. `state`: as it is stored; null before anything came.
 */
export function LastWeeks({ state, timeZone, here }: { state: unknown; timeZone: string; here: Here }) {
  const { language, now } = here
  const t = trendsText(language)
  const known = state as ResidentState | null
  if (!known?.nights && !known?.weeks) return null
  const changes = changesOf(known)
  const nights = nightsKnown(known)
  const weeks = weeksKnown(known)
  const isKnown = Boolean(nights?.headline ?? weeks?.headline)
  const facts = [
    // What has changed says it already.
    !known.nights?.told && nights && (nights.headline?.[language] ?? t.nightsYoung(nights.known, nights.needed)),
    !known.weeks?.fall && weeks && (weeks.headline?.[language] ?? t.weeksYoung(weeks.known)),
  ].filter((fact) => typeof fact === 'string')
  return (
    <section aria-labelledby="weeks">
      <h2 id="weeks">{t.title}</h2>
      {changes.length === 0 ? (
        <p>{isKnown ? t.same : t.young}</p>
      ) : (
        <>
          <p>
            <strong>{t.changed(changes.length)}</strong>
          </p>
          <ul>
            {changes.map(({ at, headline }) => (
              <li key={headline.en}>
                {headline[language]}
                {t.found}
                <When at={at} now={now} timeZone={timeZone} language={language} />
              </li>
            ))}
          </ul>
        </>
      )}
      {facts.map((fact) => (
        <p key={fact}>{fact}</p>
      ))}
      {weeks && (
        <WeeksChart
          hours={weeks.hours}
          endDay={weeks.endDay}
          kind={known.weeks!.kinds.startsWith('water') ? 'water' : 'electricity'}
          language={language}
        />
      )}
    </section>
  )
}
