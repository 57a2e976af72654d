import type { Person, StaffChange } from '../../db/people.js'
import type { StaffChannel } from '../../db/staff-channels.js'
import type { Here } from '../shell/here.js'
import { personPath } from '../shell/person-path.js'
import { reachOf } from '../shell/reach.js'
import { shownAddress } from '../shell/shown-address.js'
import { telHref } from '../shell/tel.js'
import { peopleText } from '../shell/text-people.js'
import { When } from '../shell/times.js'
import { channelName } from './channel-parts.js'

export function Who({ here, person }: { here: Here; person: Person }) {
  const t = peopleText(here.language)
  return (
    <p>
      {t.role[person.role]}
      {person.of && ` · ${t.familyOf(person.of.residentName, person.of.relation)}`}
      {person.phone && ' · '}
      {person.phone && (
        <a class="phone" href={telHref(person.phone)}>
          {person.phone}
        </a>
      )}
      {person.of && !person.of.seesAlerts && <strong> {t.notAllowed}</strong>}
    </p>
  )
}

/** A colleague's channels: how they stand, for the supervisor to ask; only the colleague changes them. */
export function ReadOnly(p: {
  here: Here
  channels: readonly StaffChannel[]
  usable: readonly string[]
  timeZone: string
}) {
  const { here, channels, usable, timeZone } = p
  const { language, now } = here
  const t = peopleText(language)
  const when = (at: Date) => <When at={at} now={now} timeZone={timeZone} language={language} />
  return (
    <section aria-labelledby="channels">
      <h2 id="channels">{t.channels}</h2>
      <p>{t.ownPage}</p>
      {channels.length === 0 && <p>{t.noneSet}</p>}
      <ol class="channels">
        {channels.map((channel) => (
          <li class="channel" key={channel.channelId}>
            <h3>
              {channelName(channel.kind, language)}{' '}
              <span class="sub">{shownAddress(channel.kind, channel.address)}</span>
            </h3>
            <p>{t.state[reachOf([channel], usable)]}</p>
            <p class="sub">
              {channel.lastSentAt ? t.reached : t.neverReached}
              {channel.lastSentAt && when(channel.lastSentAt)}
            </p>
          </li>
        ))}
      </ol>
    </section>
  )
}

/** Whether a family member phones when the home is silent for longer than usual, before anybody is paged. */
export function AskForm({ here, person }: { here: Here; person: Person }) {
  if (!person.of?.seesAlerts) return null
  const t = peopleText(here.language)
  const { agreedToAsk, residentName } = person.of
  return (
    <section aria-labelledby="asking">
      <h2 id="asking">{t.asking}</h2>
      <p>{agreedToAsk ? t.asked(residentName) : t.notAsked(residentName)}</p>
      <form method="post" action={`${personPath(person.staffId)}/asking`} class="stack">
        <input type="hidden" name="agreed" value={agreedToAsk ? 'no' : 'yes'} />
        <button type="submit">{agreedToAsk ? t.endAsking : t.beginAsking}</button>
      </form>
    </section>
  )
}

export function EndForm({ here, person }: { here: Here; person: Person }) {
  const t = peopleText(here.language)
  const isVolunteer = person.role === 'volunteer'
  return (
    <details id="end-person">
      <summary>{isVolunteer ? t.endVolunteer : t.endFamily}</summary>
      <form method="post" action={`${personPath(person.staffId)}/end`} class="stack">
        <p>{isVolunteer ? t.endVolunteerLead : t.endFamilyLead}</p>
        <button type="submit">{isVolunteer ? t.endVolunteer : t.endFamily}</button>
      </form>
    </details>
  )
}

export function Changes({
  here,
  changes,
  timeZone,
}: {
  here: Here
  changes: readonly StaffChange[]
  timeZone: string
}) {
  if (changes.length === 0) return null
  const { language, now } = here
  const t = peopleText(language)
  const words: Record<string, string> = t.change
  return (
    <section aria-labelledby="changes">
      <h2 id="changes">{t.changes}</h2>
      <ul class="lines">
        {changes.map((change) => (
          <li class="line" key={`${change.at.getTime()} ${change.what}`}>
            {words[change.what] ?? change.what} · {change.by} ·{' '}
            <When at={change.at} now={now} timeZone={timeZone} language={language} />
          </li>
        ))}
      </ul>
    </section>
  )
}
