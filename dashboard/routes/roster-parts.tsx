import type { ComponentChildren } from 'preact'
import type { RosterPerson } from '../../db/rosters.js'
import type { Here } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { rosterText } from '../shell/text-roster.js'
import { type RosterCommunity, type RosterScope, rosterPath } from './roster-scope.js'

/** The frame of the pages around a roster: title, way back, what was saved or is wrong. */
export function RosterPage(p: {
  scope: RosterScope
  title: string
  lead?: string | undefined
  problem?: string | undefined
  notice?: string | undefined
  children: ComponentChildren
}) {
  const { here, community } = p.scope
  const t = rosterText(here.language)
  return (
    <Page here={here} title={p.title} current="roster" live={false}>
      <link rel="stylesheet" href={`${here.assets}/roster.css`} />
      <h1>{p.title}</h1>
      <p class="sub">
        {community.name} · <a href={rosterPath('/roster', community.communityId)}>{t.back}</a>
      </p>
      {p.notice && (
        <p class="message saved" role="status">
          {p.notice}
        </p>
      )}
      {p.problem && (
        <p class="message problem" role="alert">
          {p.problem}
        </p>
      )}
      {p.lead && <p>{p.lead}</p>}
      {p.children}
    </Page>
  )
}

export function CommunityChoice(p: {
  here: Here
  path: string
  community: RosterCommunity
  communities: readonly RosterCommunity[]
}) {
  const t = rosterText(p.here.language)
  if (p.communities.length < 2) return null
  return (
    <form method="get" action={p.path} class="search">
      <label>
        {t.community}
        <select name="community">
          {p.communities.map(({ communityId, name }) => (
            <option key={communityId} value={communityId} selected={communityId === p.community.communityId}>
              {name}
            </option>
          ))}
        </select>
      </label>
      <button type="submit">{t.show}</button>
    </form>
  )
}

/** Who of the community; `more` are choices before them, such as "nobody". */
export function PersonSelect(p: {
  here: Here
  name: string
  label: string
  people: readonly RosterPerson[]
  value?: string | undefined
  required?: boolean
  more?: readonly { value: string; label: string }[]
  without?: string | undefined
}) {
  const t = rosterText(p.here.language)
  const { required = true, more = [] } = p
  const choices = p.people.filter(({ member, staffId }) => member && staffId !== p.without)
  return (
    <label>
      {p.label}
      <select name={p.name} required={required}>
        <option value="" selected={!p.value}>
          {required ? t.choose : '–'}
        </option>
        {more.map(({ value, label }) => (
          <option key={value} value={value} selected={value === p.value}>
            {label}
          </option>
        ))}
        {choices.map(({ staffId, name }) => (
          <option key={staffId} value={staffId} selected={staffId === p.value}>
            {name}
          </option>
        ))}
      </select>
    </label>
  )
}

/** A moment, by the wall clock of the community. */
export function MomentField(p: { label: string; name: string; value: string }) {
  return (
    <label>
      {p.label}
      <input type="datetime-local" name={p.name} value={p.value} required />
    </label>
  )
}
