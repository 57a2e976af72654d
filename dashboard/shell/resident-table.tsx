import { knowledge } from '../../alerts/rules/fold.js'
import type { ResidentRow } from '../../db/resident-list.js'
import type { Here } from './here.js'
import { KnowledgeMark } from './marks.js'
import { momentWords } from './roster-words.js'
import { shellText } from './shell-text.js'
import { defineText, plural } from './text.js'
import { absenceText } from './text-absence.js'
import { When } from './times.js'

export const residentsPerPage = 50

const text = defineText({
  en: {
    heading: 'Residents',
    search: 'Name or address',
    find: 'Find',
    all: 'Show all',
    none: 'Nobody by that name or address.',
    nobody: 'No residents are registered yet.',
    name: 'Resident',
    use: 'Water and electricity',
    last: 'Last use',
    never: 'none seen',
    open: (count: number) => plural(count, 'open alert', 'open alerts'),
    pages: 'Pages of residents',
  },
  zh: {
    heading: '居民',
    search: '姓名或地址',
    find: '查找',
    all: '显示全部',
    none: '没有找到这个姓名或地址。',
    nobody: '还没有登记居民。',
    name: '居民',
    use: '用水用电',
    last: '最近一次使用',
    never: '还没有',
    open: (count) => `${count} 条未结预警`,
    pages: '居民列表分页',
  },
})

/** The residents of the viewer's communities, made for hundreds: search and pages, no scrolling without end. */
export function ResidentTable(p: {
  residents: ResidentRow[]
  total: number
  search: string
  page: number
  here: Here
}) {
  const { residents, total, search, page, here } = p
  const { language, now } = here
  const t = text(language)
  const pages = Math.max(1, Math.ceil(total / residentsPerPage))
  return (
    <section aria-labelledby="residents">
      <h2 id="residents">
        {t.heading} <span class="count">{total}</span>
      </h2>
      <search>
        <form method="get" action="/" class="search">
          <label>
            <span class="sr-only">{t.search}</span>
            <input id="q" type="search" name="q" value={search} maxLength={100} placeholder={t.search} />
          </label>
          <button type="submit">{t.find}</button>
          {search !== '' && (
            <a class="button quiet" href="/">
              {t.all}
            </a>
          )}
        </form>
      </search>
      {residents.length === 0 ? (
        <p class="empty">{search === '' ? t.nobody : t.none}</p>
      ) : (
        <table class="rows">
          <thead>
            <tr>
              <th scope="col">{t.name}</th>
              <th scope="col">{t.use}</th>
              <th scope="col">{t.last}</th>
            </tr>
          </thead>
          <tbody>
            {residents.map((resident) => {
              const known = resident.state && knowledge(resident.state, now.getTime())
              return (
                <tr key={resident.residentId} id={`resident-${resident.residentId}`}>
                  <th scope="row">
                    <a class="row-name" href={`/residents/${encodeURIComponent(resident.residentId)}`}>
                      {resident.name}
                    </a>
                    <span class="sub">{resident.address}</span>
                    {resident.awayUntil && resident.awayUntil > now && (
                      <span class="tag tag-away">
                        {absenceText(language).awayUntil(
                          momentWords(resident.awayUntil.getTime(), resident.timeZone, language, now.getTime()),
                        )}
                      </span>
                    )}
                    {resident.openAlerts > 0 && <span class="tag">{t.open(resident.openAlerts)}</span>}
                  </th>
                  <td>
                    <KnowledgeMark knowledge={known?.knowledge ?? 'unknown'} language={language} />
                  </td>
                  <td data-label={t.last}>
                    {known?.lastUseAt ? (
                      <When at={known.lastUseAt} now={now} timeZone={resident.timeZone} language={language} />
                    ) : (
                      t.never
                    )}
                  </td>
                </tr>
              )
            })}
          </tbody>
        </table>
      )}
      {pages > 1 && <Pager page={page} pages={pages} search={search} here={here} />}
    </section>
  )
}

function Pager({ page, pages, search, here }: { page: number; pages: number; search: string; here: Here }) {
  const t = shellText(here.language)
  const href = (to: number) =>
    `/?${new URLSearchParams({ ...(search ? { q: search } : {}), page: String(to) })}#residents`
  return (
    <nav class="pager" aria-label={text(here.language).pages}>
      {page > 1 && (
        <a class="button" rel="prev" href={href(page - 1)}>
          {t.previous}
        </a>
      )}
      <span>{t.pageOf(page, pages)}</span>
      {page < pages && (
        <a class="button" rel="next" href={href(page + 1)}>
          {t.next}
        </a>
      )}
    </nav>
  )
}
