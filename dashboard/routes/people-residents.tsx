import type { Neighbour } from '../../db/volunteers.js'
import type { Here } from '../shell/here.js'
import { peopleText } from '../shell/text-people.js'
import { When } from '../shell/times.js'

/** The residents to whose door a volunteer agreed to go, and the search for more. */
export function AgreedResidents(p: {
  here: Here
  base: string
  agreed: readonly Neighbour[]
  search: string | undefined
  found: { rows: readonly Neighbour[]; more: boolean } | undefined
}) {
  const { here, base, agreed, search, found } = p
  const { language, now, timeZoneDefault: timeZone } = here
  const t = peopleText(language)
  const action = (residentId: string) => `${base}/residents/${encodeURIComponent(residentId)}`
  return (
    <section aria-labelledby="residents">
      <h2 id="residents">{t.agreed}</h2>
      {agreed.length === 0 && <p>{t.noneAgreed}</p>}
      <ul class="lines">
        {agreed.map(({ residentId, name, address, agreedAt }) => (
          <li class="line" key={residentId}>
            <strong>{name}</strong> {address}
            {agreedAt && (
              <p class="sub">
                {t.agreedSince}
                <When at={agreedAt} now={now} timeZone={timeZone} language={language} />
              </p>
            )}
            <form method="post" action={`${action(residentId)}/end`}>
              <button type="submit" aria-label={t.endFor(name)}>
                {t.end}
              </button>
            </form>
          </li>
        ))}
      </ul>
      <details id="add-resident" open={found !== undefined || agreed.length === 0}>
        <summary>{t.addResident}</summary>
        <p>{t.addResidentLead}</p>
        <form method="get" action={`${base}#add-resident`} class="stack">
          <label>
            {t.find}
            <input id="find" name="find" type="search" maxLength={100} value={search} />
          </label>
          <button type="submit">{t.search}</button>
        </form>
        {found && found.rows.length === 0 && <p>{t.nobodyFound}</p>}
        <ul class="lines">
          {found?.rows.map(({ residentId, name, address }) => (
            <li class="line" key={residentId}>
              <strong>{name}</strong> {address}
              <form method="post" action={action(residentId)}>
                <button type="submit">{t.agreeButton(name)}</button>
              </form>
            </li>
          ))}
        </ul>
        {found?.more && <p>{t.moreFound}</p>}
      </details>
    </section>
  )
}
