import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { recordLook } from '../../db/access-log.js'
import { cancelCommand, confirmCommand } from '../../db/command-decisions.js'
import { type CommandRow, findCommand } from '../../db/command-views.js'
import { askCommand } from '../../db/commands.js'
import { promptCharsMax } from '../../ingest/contract.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { commandText, promptLanguages } from '../shell/text-commands.js'
import { When } from '../shell/times.js'
import { careRoles, NotFound, requireStaff, type StaffViewer } from '../shell/viewer.js'
import { commandSentence, deviceName, stateSentence } from './commands-words.js'

const residentParams = z.object({ residentId: z.string().max(200) })
const commandParams = z.object({ commandId: z.uuid() })
const query = z.object({ problem: z.enum(['same person', 'refused']).optional().catch(undefined) })
/** As somebody types it, with whatever a phone puts between the words. */
const spoken = z.string().transform((text) =>
  text
    .toWellFormed()
    .replaceAll(/[\p{Cc}\s]+/gu, ' ')
    .trim(),
)
const deviceNo = { device: z.coerce.number().int().min(1).max(2_147_483_647) }
const form = z.discriminatedUnion('command', [
  z.object({ ...deviceNo, command: z.literal('prompt'), text: spoken, language: z.enum(promptLanguages) }),
  z.object({ ...deviceNo, command: z.literal('led'), on: z.enum(['true', 'false']).transform((on) => on === 'true') }),
  z.object({ ...deviceNo, command: z.literal(['chime', 'self-test', 'close valve']) }),
])

/** What staff ask of a home, and the page on which a second person decides. */
export function commandRoutes(app: FastifyInstance, { db, clock, log, signal }: RouteDeps): void {
  app.post('/residents/:residentId/commands', async (request, reply) => {
    const viewer = requireStaff(request, careRoles)
    const { residentId } = residentParams.parse(request.params)
    const page = `/residents/${encodeURIComponent(residentId)}`
    const { device, command: name, ...rest } = form.parse(request.body)
    if ('text' in rest && (rest.text === '' || rest.text.length > promptCharsMax))
      return seeOther(reply, `${page}?asked=text#ask-home`)
    const command = { name, ...rest } as Parameters<typeof askCommand>[1]['command']
    const { staffId, communityIds } = viewer
    const now = clock.now()
    const result = await askCommand(db, { residentId, deviceNo: device, command, staffId, communityIds, now })
    if (result.kind === 'missing') throw new NotFound()
    const commandId = 'commandId' in result ? result.commandId : undefined
    log.info({ commandId, staffId, command: name, result: result.kind }, 'command.asked')
    if (commandId === undefined) return seeOther(reply, `${page}?asked=${encodeURIComponent(result.kind)}#ask-home`)
    if (result.kind === 'asked') {
      await recordLook(db, { residentId, staffId, page: 'command asked', now })
      signal.raise('commands')
    }
    return seeOther(reply, name === 'close valve' ? `/commands/${commandId}` : `${page}#ask-home`)
  })

  app.get('/commands/:commandId', async (request, reply) => {
    const viewer = requireStaff(request, careRoles)
    const { here } = request
    const command = await inScope(request.params, viewer, here.now)
    const { residentId } = command
    await recordLook(db, {
      residentId,
      staffId: viewer.staffId,
      page: 'command',
      now: here.now,
      refresh: here.refresh,
    })
    const { problem } = query.parse(request.query)
    return sendPage(reply, <CommandPage here={here} viewer={viewer} command={command} problem={problem} />)
  })

  const decisions = {
    confirm: { decide: confirmCommand, look: 'command confirmed' },
    cancel: { decide: cancelCommand, look: 'command taken back' },
  } as const
  for (const path of ['confirm', 'cancel'] as const)
    app.post(`/commands/:commandId/${path}`, async (request, reply) => {
      const viewer = requireStaff(request, careRoles)
      const now = clock.now()
      const { commandId, residentId } = await inScope(request.params, viewer, now)
      const { staffId, communityIds } = viewer
      const { kind } = await decisions[path].decide(db, { commandId, staffId, communityIds, now })
      log.info({ commandId, staffId, decision: path, result: kind }, 'command.decided')
      if (kind === 'missing') throw new NotFound()
      if (kind !== 'done') return seeOther(reply, `/commands/${commandId}?problem=${encodeURIComponent(kind)}`)
      await recordLook(db, { residentId, staffId, page: decisions[path].look, now })
      signal.raise('commands')
      return seeOther(reply, `/commands/${commandId}`)
    })

  async function inScope(params: unknown, { communityIds }: StaffViewer, now: Date): Promise<CommandRow> {
    const parsed = commandParams.safeParse(params)
    const command = parsed.success ? await findCommand(db, { ...parsed.data, communityIds, now }) : undefined
    if (!command) throw new NotFound()
    return command
  }
}

type PageProps = {
  here: Here
  viewer: StaffViewer
  command: CommandRow
  problem: 'same person' | 'refused' | undefined
}

/** For the second pair of eyes: which home, which device, who asked; then the button. */
function CommandPage({ here, viewer, command, problem }: PageProps) {
  const { language, now } = here
  const t = commandText(language)
  const waiting = command.state === 'waiting'
  const mine = command.askedBy?.staffId === viewer.staffId
  const what = commandSentence(command, language)
  const title = waiting ? t.question(what) : what
  const when = (at: Date) => <When at={at} now={now} timeZone={command.timeZone} language={language} />
  const action = (path: string) => `/commands/${command.commandId}/${path}`
  return (
    <Page here={here} title={title}>
      <section class="narrow">
        <div class={waiting ? 'answer answer-busy' : 'answer answer-plain'}>
          <h1>{title}</h1>
          <p class="big">{stateSentence(command, here)}</p>
        </div>
        {problem && !(waiting && mine) && (
          <p class="message problem" role="alert">
            {t.problem[problem]}
          </p>
        )}
        {waiting && <p class="message caution">{mine ? t.yours : t.check}</p>}
        <dl class="facts">
          <dt>{t.home}</dt>
          <dd>
            <strong>{command.residentName}</strong> · {command.address}
          </dd>
          <dt>{t.deviceTitle}</dt>
          <dd>{deviceName({ kind: command.deviceKind, room: command.room }, language)}</dd>
          <dt>{t.askedTitle}</dt>
          <dd>
            {command.askedBy?.name ?? t.shouwang} · {when(command.askedAt)}
            {command.confirmedBy && ` · ${t.confirmed(command.confirmedBy)}`}
          </dd>
          {(waiting || command.state === 'pending') && <dt>{t.until}</dt>}
          {(waiting || command.state === 'pending') && <dd>{when(command.expiresAt)}</dd>}
        </dl>
        <div class="stack">
          {waiting && !mine && (
            <form method="post" action={action('confirm')}>
              <button class="primary wide huge" type="submit">
                {t.confirm}
              </button>
            </form>
          )}
          {(waiting || command.state === 'pending') && (
            <form method="post" action={action('cancel')}>
              <button class="wide" type="submit">
                {waiting && !mine ? t.decline : t.cancel}
              </button>
            </form>
          )}
          <a class="button wide" href={`/residents/${encodeURIComponent(command.residentId)}#ask-home`}>
            {t.back}
          </a>
        </div>
      </section>
    </Page>
  )
}
