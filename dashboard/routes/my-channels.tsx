import { createHash } from 'node:crypto'
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { findPerson } from '../../db/people.js'
import { quietHoursOf } from '../../db/quiet-hours.js'
import { channelsOf, type StaffChannel } from '../../db/staff-channels.js'
import { offeredKinds } from '../shell/channel-setup.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { isReachable, type Reach, reachOf, workingChannels } from '../shell/reach.js'
import { meText } from '../shell/text-me.js'
import { type Role, requireStaff } from '../shell/viewer.js'
import { AddChannel } from './channel-add.js'
import { channelForms, type Whose } from './channel-forms.js'
import { ChannelList, type ChannelProblem } from './channel-parts.js'
import { QuietForm } from './channel-quiet.js'
import { isWatched } from './channel-test-line.js'

export const everyRole: readonly Role[] = ['operator', 'supervisor', 'social_worker']
export const addQuery = z.object({ add: z.string().max(40).optional().catch(undefined) })
/** While a test is on its way somebody waits beside the page. */
export const watchedRefreshMs = 3_000

/** How Shouwang reaches the one who looks: channels in order, tests, quiet hours. */
export function myChannelsRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db } = deps

  app.get('/me', async (request, reply) => sendMe(request, reply, await whose(request)))
  channelForms(app, deps, {
    base: '/me',
    whose,
    again: (request, reply, mine, problem) => sendMe(request, reply, mine, problem),
  })

  async function whose(request: FastifyRequest): Promise<Whose> {
    const viewer = requireStaff(request, everyRole)
    const { staffId, communityIds } = viewer
    const person = await findPerson(db, { staffId, communityIds })
    const timeZone = person?.timeZone ?? deps.timeZoneDefault
    return { viewer, staffId, path: '/me', timeZone, note: () => Promise.resolve() }
  }

  async function sendMe(request: FastifyRequest, reply: FastifyReply, mine: Whose, problem?: ChannelProblem) {
    // The language switch cannot come back to a form's answer.
    const here = problem ? { ...request.here, path: '/me' } : request.here
    const { viewer, staffId, timeZone } = mine
    const [own, quiet] = [await channelsOf(db, staffId), await quietHoursOf(db, staffId)]
    const { add } = addQuery.parse(request.query)
    const { kinds } = deps.channels
    const t = meText(here.language)
    const tests = own.map(({ test }) => test)
    const part = { here, base: '/me', timeZone, problem }
    return sendPage(
      reply,
      <Page here={here} title={t.title} refreshMs={isWatched(tests, here.now) ? watchedRefreshMs : undefined}>
        <link rel="stylesheet" href={`${here.assets}/people.css`} />
        <div class="narrow">
          <ReachAnswer here={here} channels={own} usable={kinds} />
          <ChannelList {...part} channels={own} usable={kinds} own={true} />
          {kinds.includes('web_push') && <PushPanel here={here} channels={own} />}
          <AddChannel {...part} kinds={offeredKinds({ viewer, channels: deps.channels })} chosen={add} />
          <QuietForm {...part} quiet={quiet} />
        </div>
      </Page>,
      problem ? 400 : 200,
    )
  }
}

/** The answer to the page's question. `name`: of somebody else; `advice`: whether the viewer can do something about it. */
export function ReachAnswer(p: {
  here: Here
  channels: readonly StaffChannel[]
  usable: readonly string[]
  name?: string
  advice?: boolean
}) {
  const { here, channels, usable, name, advice = true } = p
  const t = meText(here.language)
  const reach: Reach = reachOf(channels, usable)
  const working = workingChannels(channels, usable)
  const oneFails =
    isReachable(reach) && channels.some((each) => ['unusable', 'broken', 'failing'].includes(reachOf([each], usable)))
  return (
    <div class={`answer answer-${reach === 'fine' ? 'quiet' : 'busy'}`}>
      <h1>{name === undefined ? t.answer[reach] : t.answerOf[reach](name)}</h1>
      {oneFails && reach !== 'failing' && <p>{t.oneFails}</p>}
      {advice && <p>{name === undefined ? t.todo[reach] : t.todoOf[reach]}</p>}
      {advice && working.length === 1 && <p>{t.onlyOne}</p>}
    </div>
  )
}

/** Filled in by the browser's own code, where it can push: `known` are digests of the addresses that are kept. */
function PushPanel({ here, channels }: { here: Here; channels: readonly StaffChannel[] }) {
  const t = meText(here.language).push
  const known = channels
    .filter(({ kind }) => kind === 'web_push')
    .map(({ address }) => createHash('sha256').update(address).digest('hex'))
  return (
    <section
      id="push"
      hidden
      aria-labelledby="push-title"
      data-known={known.join(' ')}
      data-on={t.on}
      data-is-on={t.isOn}
      data-denied={t.denied}
      data-failed={t.failed}
      data-install={t.install}
    >
      <h2 id="push-title">{t.title}</h2>
      <p>{t.lead}</p>
      <p role="status" />
      <script type="module" src={`${here.assets}/push.js`} />
    </section>
  )
}
