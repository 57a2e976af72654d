import type { FastifyInstance } from 'fastify'
import { coverage, type Finding } from '../../alerts/coverage.js'
import { findingWords } from '../../alerts/coverage-words.js'
import { loadCoverage } from '../../db/coverage.js'
import type { Queryable } from '../../db/pool.js'
import { listRosterCommunities } from '../../db/rosters.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { createRecent } from '../shell/recent.js'
import { watchText } from '../shell/text-watch.js'
import { requireStaff } from '../shell/viewer.js'

const days = 14
const dayMs = 24 * 3_600_000
/** Whoever fills a hole sees it filled; whoever looks often asks no more often than this. */
const gapsMsMax = 30_000
const listedMax = 50
/** Who supervises more communities than these is told each morning, and looks at the page. */
const communitiesOnConsoleMax = 10

export type CommunityCover = { communityId: string; name: string; timeZone: string; findings: Finding[] }

/** What is missing in the cover of each of these communities in the coming 14 days, by name. `channelKinds`: what this server can send through. */
async function loadCover(
  db: Queryable,
  { communityIds, channelKinds }: { communityIds: string[]; channelKinds: readonly string[] },
  now: Date,
): Promise<CommunityCover[]> {
  const until = new Date(now.getTime() + days * dayMs)
  const covers: CommunityCover[] = []
  for (const community of await listRosterCommunities(db, communityIds)) {
    const { communityId } = community
    const scene = await loadCoverage(db, { communityId, from: now, until, channelKinds })
    covers.push({ ...community, findings: coverage(scene) })
  }
  return covers
}

/** How many gaps there are, for one quiet line of the console; null where there are too many communities to look at each time. */
export function createGapCount(
  db: Queryable,
  channelKinds: readonly string[],
): (communityIds: string[], now: Date) => Promise<number | null> {
  return createRecent({
    ageMsMax: gapsMsMax,
    load: async (communityIds: string[], now) => {
      if (communityIds.length > communitiesOnConsoleMax) return null
      const covers = await loadCover(db, { communityIds, channelKinds }, now)
      return covers.reduce((sum, { findings }) => sum + findings.length, 0)
    },
  })
}

/** The supervisor's page: is everybody covered in the coming 14 days? */
export function coverageRoutes(app: FastifyInstance, { db, channels }: RouteDeps): void {
  app.get('/coverage', async (request, reply) => {
    const { here } = request
    const { communityIds } = requireStaff(request, ['supervisor'])
    const { language } = here
    const t = watchText(language)
    const covers = await loadCover(db, { communityIds, channelKinds: channels.kinds }, here.now)
    const gaps = covers.reduce((sum, { findings }) => sum + findings.length, 0)
    const inOrder = [...covers].sort((a, b) => Number(b.findings.length > 0) - Number(a.findings.length > 0))
    return sendPage(
      reply,
      <Page here={here} title={t.coverageTitle}>
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/watch.css`} />
        <div class={`answer answer-${gaps > 0 ? 'busy' : covers.length > 0 ? 'quiet' : 'plain'}`}>
          <h1>{covers.length === 0 ? t.noCommunity : gaps > 0 ? t.coverageGaps(gaps, days) : t.coverageAll(days)}</h1>
          <p>{t.coverageWhat}</p>
        </div>
        <nav class="watch-links" aria-label={t.consoleLabel}>
          <a class="button" href="/roster">
            {t.toRoster}
          </a>
          <a class="button" href="/people">
            {t.toPeople}
          </a>
          <a class="button" href="/policies">
            {t.toPolicies}
          </a>
        </nav>
        {inOrder.map(({ communityId, name, timeZone, findings }) => (
          <section key={communityId} aria-label={name}>
            <h2>
              {name} {findings.length > 0 && <span class="count">{findings.length}</span>}
            </h2>
            {findings.length === 0 && <p>{t.communityWell}</p>}
            <ul class="lines">
              {findings.slice(0, listedMax).map((finding) => {
                const words = findingWords(finding, { timeZone, days })[language]
                return (
                  <li class={finding.kind === 'nobody on duty' ? 'line gap gap-roster' : 'line gap'} key={words}>
                    {words}
                  </li>
                )
              })}
            </ul>
            {findings.length > listedMax && <p>{t.coverageMore(findings.length - listedMax)}</p>}
          </section>
        ))}
      </Page>,
    )
  })
}
