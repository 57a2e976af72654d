import type { FastifyInstance } from 'fastify'
import { measureLateness } from '../../db/lateness.js'
import type { Queryable } from '../../db/pool.js'
import { listWatched, listWatchProcesses, watchedHours } from '../../db/watch-views.js'
import { WatchDay } from '../charts/watch-day.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { createRecent } from '../shell/recent.js'
import { watchText } from '../shell/text-watch.js'
import { operatorRoles, requireStaff } from '../shell/viewer.js'
import { judgeWatch, type WatchFacts } from './watch-judge.js'
import { Answer, Communities, Switch, Work } from './watch-parts.js'

const dayMs = 24 * 3_600_000
/** A day of 200 communities is 100,000 rounds: summed up not more often than this. */
const factsMsMax = 10_000

/** What tells whether Shouwang is well, for a set of communities; at most 10 s old. */
export const createWatchFacts = (db: Queryable): ((communityIds: string[], now: Date) => Promise<WatchFacts>) =>
  createRecent({
    ageMsMax: factsMsMax,
    load: async (communityIds: string[], now) => {
      const since = new Date(now.getTime() - dayMs)
      const [communities, processes, lateness] = await Promise.all([
        listWatched(db, { communityIds, since }),
        listWatchProcesses(db, { since }),
        measureLateness(db, { now }),
      ])
      return { communities, processes, lateness }
    },
  })

/** The operator's page: is Shouwang itself well? */
export function watchRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  const recentFacts = createWatchFacts(db)
  const recentHours = createRecent({
    ageMsMax: factsMsMax,
    load: (communityIds: string[], now) =>
      watchedHours(db, { communityIds, since: new Date(now.getTime() - dayMs + 3_600_000) }),
  })

  app.get('/watch', async (request, reply) => {
    const { here } = request
    const { communityIds } = requireStaff(request, operatorRoles)
    const [facts, hours] = await Promise.all([recentFacts(communityIds, here.now), recentHours(communityIds, here.now)])
    const { communities, processes, lateness } = facts
    const t = watchText(here.language)
    const verdict = judgeWatch(facts, here.now)
    return sendPage(
      reply,
      <Page here={here} title={t.title} current="watch">
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/watch.css`} />
        <Answer verdict={verdict} lateness={lateness} here={here} />
        <Work lateness={lateness} here={here} />
        <section aria-labelledby="tests">
          <h2 id="tests">{t.tests}</h2>
          <p>{t.testsLead}</p>
          <Communities communities={communities} here={here} />
        </section>
        <section aria-labelledby="day">
          <h2 id="day">{t.day}</h2>
          <WatchDay rows={hours} here={here} />
        </section>
        <Switch processes={processes} here={here} />
      </Page>,
    )
  })
}
