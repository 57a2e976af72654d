import type { CommunityName } from '../../db/gateway-registration.js'
import { type Person, peopleMax, type ToldFamily } from '../../db/people.js'
import type { Here } from '../shell/here.js'
import { personPath } from '../shell/person-path.js'
import { isReachable, type Reach, reachOf } from '../shell/reach.js'
import { peopleText } from '../shell/text-people.js'
import { When } from '../shell/times.js'
import { channelName } from './channel-parts.js'
import type { VolunteerValues } from './people.js'

type Props = {
  here: Here
  people: readonly Person[]
  more: boolean
  usable: readonly string[]
  communities: readonly CommunityName[]
  /** May change something, and sees how each is reached. */
  isSupervisor: boolean
  search: string | undefined
  untold: { rows: readonly ToldFamily[]; more: boolean } | undefined
  wrong: { values: VolunteerValues; text: string } | undefined
}

/** Who needs somebody's help stands first. */
const worstFirst: readonly Reach[] = ['none', 'unusable', 'broken', 'failing', 'untested', 'fine']

export function PeoplePage(p: Props) {
  const { here, people, usable, more } = p
  const t = peopleText(here.language)
  const rows = people
    .map((person) => ({ person, reach: reachOf(person.channels, usable) }))
    .sort((a, b) => worstFirst.indexOf(a.reach) - worstFirst.indexOf(b.reach))
  const unreachable = rows.filter(({ reach }) => !isReachable(reach))
  const untested = rows.filter(({ reach }) => reach === 'untested')
  const groups = [
    { key: 'staff', of: (person: Person) => person.role !== 'volunteer' && person.role !== 'family', none: null },
    { key: 'volunteers', of: (person: Person) => person.role === 'volunteer', none: t.noVolunteers },
    { key: 'family', of: (person: Person) => person.role === 'family', none: t.noFamily },
  ] as const
  return (
    <>
      <div class={`answer answer-${unreachable.length > 0 ? 'busy' : 'quiet'}`}>
        <h1>{rows.length === 0 ? t.answerNobody : t.answer(unreachable.length, rows.length)}</h1>
        {unreachable.length > 0 && (
          <p>
            {unreachable
              .slice(0, 12)
              .map(({ person }) => person.name)
              .join(here.language === 'zh' ? '、' : ', ')}
            {unreachable.length > 12 && ' …'}
          </p>
        )}
        {untested.length > 0 && <p>{t.answerUntested(untested.length, unreachable.length > 0)}</p>}
      </div>
      {more && <p class="message">{t.more(peopleMax)}</p>}
      {groups.map(({ key, of, none }) => {
        const own = rows.filter(({ person }) => of(person))
        return (
          <section key={key} aria-labelledby={key}>
            <h2 id={key}>
              {t.groups[key]} <span class="count">{own.length}</span>
            </h2>
            {own.length === 0 && none && <p>{none}</p>}
            <ul class="people">
              {own.map(({ person, reach }) => (
                <PersonLine key={person.staffId} {...p} person={person} reach={reach} />
              ))}
            </ul>
            {key === 'volunteers' && p.isSupervisor && <VolunteerForm {...p} />}
            {key === 'family' && p.isSupervisor && <FamilyForm {...p} />}
          </section>
        )
      })}
    </>
  )
}

const latest = (dates: readonly (Date | null)[]): Date | null =>
  dates.reduce((last, date) => (date && (!last || date > last) ? date : last), null)

/** Colleagues see whether somebody can be reached; how and when is for the supervisor. */
function PersonLine({ here, person, reach, isSupervisor }: Props & { person: Person; reach: Reach }) {
  const { language, now, timeZoneDefault: timeZone } = here
  const t = peopleText(language)
  const when = (at: Date) => <When at={at} now={now} timeZone={timeZone} language={language} />
  const sentAt = latest(person.channels.map(({ lastSentAt }) => lastSentAt))
  const confirmedAt = latest(person.channels.map(({ confirmedAt }) => confirmedAt))
  return (
    <li class={`person person-${reach}`}>
      <h3>
        {isSupervisor ? <a href={personPath(person.staffId)}>{person.name}</a> : person.name}{' '}
        <span class="sub">{t.role[person.role]}</span>
      </h3>
      <p class={`reach reach-${reach}`}>{t.state[reach]}</p>
      {person.role === 'volunteer' && <p>{t.residentsOf(person.residents)}</p>}
      {person.of && <p>{t.familyOf(person.of.residentName, person.of.relation)}</p>}
      {person.of && !person.of.seesAlerts && <p>{t.notAllowed}</p>}
      {isSupervisor && (
        <p class="sub">
          {person.channels.map(({ kind }) => channelName(kind, language)).join(language === 'zh' ? '、' : ', ')}
          {person.channels.length > 0 && ' · '}
          {sentAt ? t.reached : t.neverReached}
          {sentAt && when(sentAt)}
          {confirmedAt && ` · ${t.confirmed}`}
          {confirmedAt && when(confirmedAt)}
        </p>
      )}
    </li>
  )
}

function VolunteerForm({ here, communities, wrong }: Props) {
  const t = peopleText(here.language)
  const values = wrong?.values
  return (
    <details id="add-volunteer" open={wrong !== undefined}>
      <summary>{t.addVolunteer}</summary>
      <form method="post" action="/people" class="stack narrow">
        <p>{t.addVolunteerLead}</p>
        {wrong && (
          <p class="message problem" role="alert">
            {wrong.text}
          </p>
        )}
        <label>
          {t.name}
          <input id="volunteer-name" name="name" required maxLength={100} autocomplete="off" value={values?.name} />
        </label>
        <label>
          {t.phone} <span class="sub">{t.optional}</span>
          <input id="volunteer-phone" name="phone" type="tel" maxLength={40} autocomplete="off" value={values?.phone} />
        </label>
        <label>
          {t.language}
          <select id="volunteer-language" name="language">
            {(['zh', 'en'] as const).map((each) => (
              <option key={each} value={each} selected={each === (values?.language ?? here.language)}>
                {t.languages[each]}
              </option>
            ))}
          </select>
        </label>
        {communities.length === 1 ? (
          <input type="hidden" name="community" value={communities[0]!.communityId} />
        ) : (
          <label>
            {t.community}
            <select id="volunteer-community" name="community">
              {communities.map(({ communityId, name }) => (
                <option key={communityId} value={communityId} selected={communityId === values?.community}>
                  {name}
                </option>
              ))}
            </select>
          </label>
        )}
        <button class="primary wide" type="submit">
          {t.add}
        </button>
      </form>
    </details>
  )
}

function FamilyForm({ here, search, untold }: Props) {
  const t = peopleText(here.language)
  return (
    <details id="add-family" open={untold !== undefined}>
      <summary>{t.addFamily}</summary>
      <div class="narrow">
        <p>{t.addFamilyLead}</p>
        <form method="get" action="/people#add-family" class="stack">
          <label>
            {t.findFamily}
            <input id="family-search" name="family" type="search" maxLength={100} value={search} />
          </label>
          <button type="submit">{t.search}</button>
        </form>
        {untold && untold.rows.length === 0 && <p>{t.nobodyFound}</p>}
        <ul class="lines">
          {untold?.rows.map((member) => (
            <li class="line" key={member.familyMemberId}>
              <strong>{member.name}</strong> {t.familyOf(member.residentName, member.relation)}
              {member.seesAlerts ? (
                <form method="post" action={`/people/family/${encodeURIComponent(member.familyMemberId)}`}>
                  <button type="submit">{t.tell(member.name)}</button>
                </form>
              ) : (
                <p>{t.notAllowed}</p>
              )}
            </li>
          ))}
        </ul>
        {untold?.more && <p>{t.moreFound}</p>}
      </div>
    </details>
  )
}
