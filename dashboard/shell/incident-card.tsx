import type { IncidentKind } from '../../alerts/incidents.js'
import type { IncidentHome, IncidentRow } from '../../db/incidents.js'
import type { Here } from './here.js'
import { incidentText } from './text-incident.js'
import { incidentTextOf } from './text-quiet-street.js'
import { clockWords, When } from './times.js'

/** When its homes fell silent: "between 14:02 and 14:04". */
export function fellWords(incident: IncidentRow, here: Here): string {
  const t = incidentText(here.language)
  const words = (at: Date) => clockWords(at.getTime(), here.now.getTime(), incident.timeZone, here.language)
  const [from, to] = [words(incident.firstAt), words(incident.lastAt)]
  return from === to ? t.at(from) : t.between(from, to)
}

export const whereWords = ({ community, place }: IncidentRow): string =>
  place === '' ? community : `${community} ${place}`

/** Homes with when they fell silent or came back. */
export function IncidentHomes(p: { kind: IncidentKind; homes: IncidentHome[]; timeZone: string; here: Here }) {
  const t = incidentTextOf(p.kind, p.here.language)
  const { language, now } = p.here
  return (
    <ul class="lines">
      {p.homes.map((home) => (
        <li key={home.residentId} class="line">
          <a href={`/residents/${home.residentId}`}>
            <strong>{home.name}</strong>
          </a>{' '}
          {home.address}
          <span class="sub">
            {home.backAt ? t.back : t.stillSilent}{' '}
            <When at={home.backAt ?? home.silentAt} now={now} timeZone={p.timeZone} language={language} />
          </span>
        </li>
      ))}
    </ul>
  )
}

/** One incident on the console, in the place of a notice for each of its homes, which are listed on demand. */
export function Incident(p: { incident: IncidentRow; homes: IncidentHome[]; here: Here }) {
  const { incident, homes, here } = p
  const t = incidentTextOf(incident.kind, here.language)
  const unlisted = incident.homes - homes.length
  return (
    <>
      <ul class="cards">
        <li class="card card-warning" id={`incident-${incident.incidentId}`}>
          <div class="card-head">
            <strong>{t.title}</strong>
            <span class="card-time">{fellWords(incident, here)}</span>
          </div>
          <h3>
            <a href={`/incidents/${incident.incidentId}`}>{t.silent(incident.silent, incident.homes)}</a>
          </h3>
          <p class="card-who">
            <strong>{whereWords(incident)}</strong>
            <span>{t.known(incident.homesKnown)}</span>
          </p>
        </li>
      </ul>
      <details id={`incident-${incident.incidentId}-homes`} class="folded">
        <summary>
          {t.homes} <span class="count">{incident.homes}</span>
        </summary>
        <IncidentHomes kind={incident.kind} homes={homes} timeZone={incident.timeZone} here={here} />
        {unlisted > 0 && (
          <p>
            <a href={`/incidents/${incident.incidentId}`}>{t.more(unlisted)}</a>
          </p>
        )}
      </details>
    </>
  )
}
