import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { checkAddress, parsePushKeys } from '../../alerts/channels/address.js'
import { isTimeOfDay } from '../../alerts/quiet-hours.js'
import { setQuietHours } from '../../db/quiet-hours.js'
import {
  addChannel,
  findChannel,
  moveChannel,
  queueChannelTest,
  removeChannel,
  replaceChannelSecret,
} from '../../db/staff-channels.js'
import { mayAdd } from '../shell/channel-setup.js'
import { type RouteDeps, seeOther } from '../shell/here.js'
import { meText } from '../shell/text-me.js'
import { createThrottle } from '../shell/throttle.js'
import { NotFound, type StaffViewer } from '../shell/viewer.js'
import type { ChannelProblem } from './channel-parts.js'

/** Whose channels a form is about: the viewer's own, or those of somebody without a login. */
export type Whose = {
  viewer: StaffViewer
  staffId: string
  /** The page that shows them, to which every form leads back. */
  path: string
  timeZone: string
  /** Puts what was done on record, where it was done for somebody else. */
  note: (what: string) => Promise<void>
}
type Params = { channelId: string; act: string }

const textCharsMax = 4_000
const newChannel = z.object({
  kind: z.string().max(40),
  address: z.string().max(textCharsMax).default(''),
  secret: z.string().max(textCharsMax).default(''),
})
const newSecret = z.object({ secret: z.string().max(textCharsMax).default('') })
const channelParams = z.object({ channelId: z.uuid() })
const acts = z.enum(['up', 'down', 'remove', 'test', 'secret'])
const quietForm = z.object({
  from: z.string().trim().max(8).default(''),
  until: z.string().trim().max(8).default(''),
  end: z.literal('1').optional(),
})
/** Each may cost a text message. */
const testsPerHourMax = 30
const hourMs = 3_600_000

/** What can be done with somebody's channels: add, move, test, replace the secret, remove, and their quiet hours. */
export function channelForms(
  app: FastifyInstance,
  deps: RouteDeps,
  p: {
    base: string
    whose: (request: FastifyRequest) => Promise<Whose>
    /** The page again, with what was wrong. */
    again: (
      request: FastifyRequest,
      reply: FastifyReply,
      whose: Whose,
      problem: ChannelProblem,
    ) => Promise<FastifyReply>
  },
): void {
  const { db, log, channels } = deps
  const tests = createThrottle({ hitsMax: testsPerHourMax, perMs: hourMs })

  app.post(`${p.base}/channels`, async (request, reply) => {
    const whose = await p.whose(request)
    const { kind, address, secret } = newChannel.parse(request.body)
    const wrong = (text: string) => p.again(request, reply, whose, { form: 'add', kind, address, text })
    const { language, now } = request.here
    const checked = checkAddress(kind, address, secret, channels.origins)
    if (checked.kind === 'wrong') return wrong(checked.text[language])
    if (!mayAdd({ kind, address: checked.address, viewer: whose.viewer, channels })) throw new NotFound()
    const keys = kind === 'web_push' ? parsePushKeys(checked.secret) : undefined
    const channel = { kind, address: checked.address, secret: keys ? JSON.stringify(keys) : checked.secret }
    const added = await addChannel(db, { staffId: whose.staffId, channel, now })
    // A browser that asks twice has what it wanted.
    if (added.kind !== 'added' && !(added.kind === 'there' && kind === 'web_push'))
      return wrong(meText(language).problem[added.kind])
    log.info({ staffId: whose.staffId, by: whose.viewer.staffId, kind }, 'channel.added')
    await whose.note('channel added')
    return seeOther(reply, `${whose.path}#channels`)
  })

  app.post<{ Params: Params }>(`${p.base}/channels/:channelId/:act`, async (request, reply) => {
    const act = acts.safeParse(request.params.act).data
    const whose = await p.whose(request)
    const parsed = channelParams.safeParse(request.params)
    if (!act || !parsed.success) throw new NotFound()
    const one = { staffId: whose.staffId, channelId: parsed.data.channelId }
    const found = await findChannel(db, one)
    if (!found) throw new NotFound()
    const { now, language } = request.here
    const back = (query = '') => seeOther(reply, `${whose.path}${query}#channel-${one.channelId}`)
    if (act === 'test') {
      const mayTest = tests.take(whose.viewer.staffId, now)
      const t = meText(language)
      const [zh, en] = [meText('zh'), meText('en')]
      const text = { zh: zh.testText, en: en.testText }
      const lines = [{ zh: zh.testLine, en: en.testLine }]
      const queued = mayTest ? await queueChannelTest(db, { ...one, text, lines, now }) : 'too soon'
      if (queued === 'missing') throw new NotFound()
      if (queued === 'too soon')
        return p.again(request, reply, whose, { form: 'test', channelId: one.channelId, text: t.tooSoon })
      deps.signal.raise('messages')
      await whose.note('test sent')
      return back()
    }
    if (act === 'secret') {
      const { secret } = newSecret.parse(request.body)
      const checked = checkAddress(found.kind, found.address, secret, channels.origins)
      if (checked.kind === 'wrong')
        return p.again(request, reply, whose, {
          form: 'secret',
          channelId: one.channelId,
          text: checked.text[language],
        })
      await replaceChannelSecret(db, { ...one, secret: checked.secret, now })
      await whose.note('secret replaced')
      return back()
    }
    if (act === 'remove') {
      await removeChannel(db, { ...one, now })
      log.info({ staffId: whose.staffId, by: whose.viewer.staffId, kind: found.kind }, 'channel.removed')
      await whose.note('channel removed')
      return seeOther(reply, `${whose.path}#channels`)
    }
    await moveChannel(db, { ...one, by: act === 'up' ? -1 : 1, now })
    await whose.note('channel moved')
    return back()
  })

  app.post(`${p.base}/quiet-hours`, async (request, reply) => {
    const whose = await p.whose(request)
    const { from, until, end } = quietForm.parse(request.body)
    const { now, language } = request.here
    // Some phones send seconds.
    const [fromTime, untilTime] = [from.slice(0, 5), until.slice(0, 5)]
    if (!end && (!isTimeOfDay(fromTime) || !isTimeOfDay(untilTime) || fromTime === untilTime))
      return p.again(request, reply, whose, { form: 'quiet', from, until, text: meText(language).problem.quiet })
    const quiet = end ? null : { from: fromTime, until: untilTime, timeZone: whose.timeZone }
    await setQuietHours(db, { staffId: whose.staffId, quiet, now })
    await whose.note('quiet hours')
    return seeOther(reply, `${whose.path}#quiet`)
  })
}
