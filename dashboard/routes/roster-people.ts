import type { RosterPerson } from '../../db/rosters.js'
import type { FilePerson } from './roster-file.js'

/** What a choice says for somebody who is left out: no id of a person has a star. */
export const leaveOut = '*leave out'

/** Of shorter names too much else is made. */
const charsMin = 2

const plain = (text: string) => text.normalize('NFKC').toLowerCase().replace(/\s+/g, ' ').trim()

/**
 * Whom a calendar file means: by mail address, else by login or name, else by the one name that stands in what it says
 * ("Night shift: Lin"). Nothing where that is nobody, or more than one.
 */
export function guessPerson({ person, name }: FilePerson, people: readonly RosterPerson[]): string | undefined {
  const members = people.filter(({ member }) => member)
  const said = [plain(person), plain(name)]
  const only = (matches: (each: RosterPerson) => boolean) => {
    const found = members.filter(matches)
    return found.length === 1 ? found[0]!.staffId : undefined
  }
  return (
    only(({ emails }) => emails.some((email) => said.includes(plain(email)))) ??
    only(({ login }) => login !== null && said.includes(plain(login))) ??
    only((each) => said.includes(plain(each.name))) ??
    only((each) => {
      const called = plain(each.name)
      return called.length >= charsMin && said.some((text) => text.includes(called))
    })
  )
}
