import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { numbersCommunities } from '../../db/numbers.js'
import { AlertsByDay } from '../charts/numbers-days.js'
import { FalseByRule } from '../charts/numbers-false.js'
import { NightsByPerson } from '../charts/numbers-nights.js'
import { TimesSpread } from '../charts/numbers-times.js'
import { countsWords, monthWords, shareWords } from '../charts/numbers-words.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { numbersText } from '../shell/text-numbers.js'
import { clockWords } from '../shell/times.js'
import { NotFound, numbersRoles, type Role, requireStaff } from '../shell/viewer.js'
import { alertsCsv, figuresCsv } from './numbers-csv.js'
import { type Chosen, chooseMonth, loadMonth, type MonthReport } from './numbers-month.js'
import { ByKind, MonthChoice, NumbersAnswer, TimesTable } from './numbers-parts.js'

/** What stands in an address bar is anybody's; what is no month does not exist. */
const query = z.object({
  community: z.string().max(200).catch(''),
  month: z
    .string()
    .regex(/^(\d{4}-(0[1-9]|1[0-2]))?$/)
    .default('')
    .catch('none'),
  names: z.literal('hide').optional().catch(undefined),
})
const supervisors: readonly Role[] = ['supervisor']

/** The numbers of a month: a page that prints, and two files. No resident's name is in any of them. */
export function numbersRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  /** @throws NotFound for a community that is not the viewer's, and for what is no month */
  async function ask(request: FastifyRequest, roles: readonly Role[]) {
    const { here } = request
    const { communityIds, role } = requireStaff(request, roles)
    const asked = query.parse(request.query)
    if (asked.month === 'none') throw new NotFound()
    const communities = await numbersCommunities(db, { communityIds })
    const chosen = chooseMonth(communities, asked, here.now)
    if (!chosen && asked.community !== '') throw new NotFound()
    const mayName = role === 'supervisor'
    const named = mayName && asked.names !== 'hide'
    const { personNo } = numbersText(here.language)
    const load = (of: Chosen) =>
      loadMonth(db, { chosen: of, now: here.now, ...(named ? {} : { nameOf: (index) => personNo(index + 1) }) })
    return { here, communities, chosen, load, mayName, named }
  }

  app.get('/numbers', async (request, reply) => {
    const { here, communities, chosen, load, mayName, named } = await ask(request, numbersRoles)
    const t = numbersText(here.language)
    if (!chosen)
      return sendPage(
        reply,
        <Page here={here} title={t.heading} current="numbers" live={false}>
          <h1>{t.heading}</h1>
          <p class="empty">{t.noCommunity}</p>
        </Page>,
      )
    const report = await load(chosen)
    const month = monthWords(chosen.month, here.language)
    return sendPage(
      reply,
      <Page here={here} title={t.title(chosen.community.name, month)} current="numbers" live={false}>
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/numbers.css`} />
        <h1>{t.title(chosen.community.name, month)}</h1>
        <p class="print-only">{t.madeAt(madeAt(report, here))}</p>
        {chosen.outside && <p class="message caution">{t.outside(monthWords(chosen.outside, here.language), month)}</p>}
        <NumbersAnswer report={report} here={here} />
        <MonthChoice chosen={chosen} communities={communities} here={here} />
        {report.numbers.alerts > 0 && <Figures report={report} here={here} />}
        {(report.numbers.alerts > 0 || report.people.length > 0) && <Nights report={report} here={here} />}
        <HandOn chosen={chosen} here={here} mayName={mayName} named={named} />
        <Definitions here={here} />
      </Page>,
    )
  })

  app.get('/numbers.csv', async (request, reply) => {
    const { here, chosen, load } = await ask(request, numbersRoles)
    if (!chosen || chosen.outside) throw new NotFound()
    return sendCsv(reply, `numbers-${chosen.month}.csv`, figuresCsv(await load(chosen), here.language))
  })

  // An operator looks after the system and has no business with single alerts.
  app.get('/numbers/alerts.csv', async (request, reply) => {
    const { here, chosen, load } = await ask(request, supervisors)
    if (!chosen || chosen.outside) throw new NotFound()
    return sendCsv(reply, `alerts-${chosen.month}.csv`, alertsCsv(await load(chosen), here.language))
  })
}

const sendCsv = (reply: FastifyReply, name: string, body: string) =>
  reply
    .type('text/csv; charset=utf-8')
    .header('cache-control', 'no-store')
    .header('content-disposition', `attachment; filename="${name}"`)
    .send(body)

const madeAt = ({ community }: MonthReport, { now, language }: Here) =>
  // Seen from far ahead, so that the year is told: paper is read later.
  clockWords(now.getTime(), now.getTime() + 400 * 86_400_000, community.timeZone, language)

type Part = { report: MonthReport; here: Here }

function Figures({ report, here }: Part) {
  const t = numbersText(here.language)
  const { numbers, before, span, daysPassed } = report
  const context = { language: here.language, month: span.month, days: span.days, daysPassed }
  const beforeByKind = new Map([
    ...(before?.numbers.byKind.map(({ kind, falseAlarms }) => [kind as string, falseAlarms] as const) ?? []),
    ...(before ? [['', before.numbers.falseAlarms] as const] : []),
  ])
  const monthBefore = before ? monthWords(before.month, here.language) : t.monthBeforeShort
  const visitless = Object.values(numbers.closedWithoutVisit).reduce((sum, count) => sum + count, 0)
  return (
    <>
      <section>
        <h2>{t.byDay}</h2>
        <AlertsByDay byDay={numbers.byDay} context={context} />
      </section>
      <ByKind report={report} here={here} />
      <section>
        <h2>{t.times}</h2>
        <p>{t.timesLead}</p>
        <h3>{t.measure.door}</h3>
        <TimesTable report={report} here={here} measure="door" />
        {visitless > 0 && <p>{t.withoutVisit(visitless, countsWords(numbers.closedWithoutVisit, here.language))}</p>}
        <TimesSpread measure="door" bars={numbers.door} context={context} />
        <h3>{t.measure.taken}</h3>
        <TimesTable report={report} here={here} measure="taken" />
        <TimesSpread measure="taken" bars={numbers.taken} context={context} />
        <h3>{t.measure.page}</h3>
        <TimesTable report={report} here={here} measure="page" />
      </section>
      <section>
        <h2>{t.falseAlarms}</h2>
        <p>
          {numbers.falseAlarms.share.of === 0
            ? t.falseUnknown
            : t.falseLead(shareWords(numbers.falseAlarms.share, here.language))}
        </p>
        <FalseByRule
          byKind={numbers.byKind}
          all={numbers.falseAlarms}
          before={beforeByKind}
          context={{ ...context, monthBefore }}
        />
      </section>
    </>
  )
}

function Nights({ report, here }: Part) {
  const t = numbersText(here.language)
  const { people, span, daysPassed } = report
  const pages = people.reduce((sum, person) => sum + person.pages, 0)
  const context = { language: here.language, month: span.month, days: span.days, daysPassed }
  return (
    <section>
      <h2>{t.nights}</h2>
      <p>{pages === 0 ? t.nightsNone : t.nightsLead(people.length, pages)}</p>
      {people.length > 0 && <NightsByPerson people={people} context={context} />}
    </section>
  )
}

function HandOn(p: { chosen: Chosen; here: Here; mayName: boolean; named: boolean }) {
  const { chosen, here, mayName, named } = p
  const t = numbersText(here.language)
  const of = {
    community: chosen.community.communityId,
    month: chosen.month,
    ...(named || !mayName ? {} : { names: 'hide' }),
  }
  const path = (to: string, more: Record<string, string> = of) => `${to}?${new URLSearchParams(more)}`
  const { names: _, ...plain } = { names: '', ...of }
  return (
    <section class="no-print">
      <h2>{t.handOn}</h2>
      <p>{t.printHelp}</p>
      <ul class="hand-on">
        {mayName && (
          <li>
            <a href={path('/numbers', named ? { ...plain, names: 'hide' } : plain)}>
              {named ? t.hideNames : t.showNames}
            </a>
          </li>
        )}
        <li>
          <a href={path('/numbers.csv')} download>
            {t.csv}
          </a>
        </li>
        {mayName && (
          <li>
            <a href={path('/numbers/alerts.csv')} download>
              {t.csvAlerts}
            </a>
          </li>
        )}
      </ul>
      <details>
        <summary>{t.columns}</summary>
        <p>{t.columnsFigures}</p>
        {mayName && <p>{t.columnsAlerts}</p>}
      </details>
    </section>
  )
}

function Definitions({ here }: { here: Here }) {
  const { counted, countedItems } = numbersText(here.language)
  return (
    <section class="definitions">
      <h2>{counted}</h2>
      <ul>
        {Object.entries(countedItems).map(([key, words]) => (
          <li key={key}>{words}</li>
        ))}
      </ul>
    </section>
  )
}
