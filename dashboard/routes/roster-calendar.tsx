import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { shiftsBetween } from '../../alerts/roster.js'
import { findRosterFeed, issueRosterFeed, ownRosterFeed, revokeRosterFeeds } from '../../db/roster-feeds.js'
import { type ImportedShift, importShifts } from '../../db/roster-import.js'
import { listRosterCommunities, listRosterPeople, rosterOf } from '../../db/rosters.js'
import { type RouteDeps, sendPage } from '../shell/here.js'
import { namesOf } from '../shell/roster-words.js'
import { rosterText } from '../shell/text-roster.js'
import { rosterCalendarText } from '../shell/text-roster-calendar.js'
import { addressKey, createThrottle } from '../shell/throttle.js'
import { NotFound } from '../shell/viewer.js'
import { CalendarPage } from './roster-calendar-page.js'
import { fileCharsMax, readRosterFile } from './roster-file.js'
import { writeRosterFile } from './roster-file-write.js'
import { notText, takeFormFiles } from './roster-form-data.js'
import { guessPerson, leaveOut } from './roster-people.js'
import { type RosterScope, rosterEditors, rosterScope, saved } from './roster-scope.js'

const path = '/roster/calendar'
const dayMs = 86_400_000
const feedBackDays = 31
const feedAheadDays = 400
/** A letter of Chinese is three bytes, each of which a form writes as three characters. */
const bodyBytesMax = fileCharsMax * 9 + 64 * 1024
const looksPerLinkMax = 30
const wrongPerAddressMax = 20
const minuteMs = 60_000

const importForm = z.object({
  file: z.string().default(''),
  text: z.string().default(''),
  action: z.enum(['look', 'take']).catch('look'),
})
const linkForm = z.object({ shifts: z.enum(['own', 'all']).catch('own') })
const query = z.object({ saved: z.string().max(40).catch('') })

/** The roster and calendars: as a file, as a secret address that an app follows, and from a file. */
export function rosterCalendarRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, log, clock, publicUrl } = deps
  const looks = createThrottle({ hitsMax: looksPerLinkMax, perMs: minuteMs })
  const wrong = createThrottle({ hitsMax: wrongPerAddressMax, perMs: minuteMs })

  app.get(path, async (request, reply) => {
    const scope = await rosterScope(deps, request)
    const counts = /^imported (\d{1,5}) (\d{1,5})$/.exec(query.parse(request.query).saved)
    const t = rosterCalendarText(scope.here.language)
    const notice = counts ? t.done(Number(counts[1]), Number(counts[2])) : undefined
    return send(reply, scope, { notice })
  })

  app.get('/roster.ics', async (request, reply) => {
    const { here, community } = await rosterScope(deps, request)
    const { communityId } = community
    const text = await fileOf({ communityId, language: here.language, now: here.now })
    const name = `roster-${communityId.replaceAll(/[^A-Za-z0-9_-]/g, '_')}.ics`
    return sendFile(reply, text).header('content-disposition', `attachment; filename="${name}"`)
  })

  /** What a calendar app follows: no session, the address is the secret. */
  app.get<{ Params: { token: string } }>('/c/:token', async (request, reply) => {
    const now = clock.now()
    const token = request.params.token.replace(/\.ics$/, '')
    const feed = await findRosterFeed(db, token)
    if (!feed) {
      if (!wrong.take(addressKey(request.ip), now)) throw throttled()
      throw new NotFound()
    }
    if (!looks.take(token, now)) throw throttled()
    const { communityId, language, onlyOwn, staffId } = feed
    const text = await fileOf({ communityId, language, now, ...(onlyOwn ? { staffId } : {}) })
    return sendFile(reply, text).header('x-robots-tag', 'noindex, nofollow')
  })

  app.post('/roster/calendar/link', async (request, reply) => {
    const scope = await rosterScope(deps, request)
    const { communityId } = scope.community
    const { staffId } = scope.viewer
    const onlyOwn = linkForm.parse(request.body ?? {}).shifts === 'own'
    const token = await issueRosterFeed(db, { staffId, communityId, onlyOwn, now: scope.here.now })
    log.info({ communityId, staffId }, 'roster.linkIssued')
    return send(reply, scope, { link: `${publicUrl}/c/${token}.ics` })
  })

  app.post('/roster/calendar/revoke', async (request, reply) => {
    const { community, viewer, here } = await rosterScope(deps, request)
    const { communityId } = community
    await revokeRosterFeeds(db, { staffId: viewer.staffId, communityId, now: here.now })
    log.info({ communityId, staffId: viewer.staffId }, 'roster.linkRevoked')
    return saved(reply, path, communityId)
  })

  app.register(async (files) => {
    takeFormFiles(files, { bytesMax: bodyBytesMax })
    files.post('/roster/calendar/import', { bodyLimit: bodyBytesMax }, async (request, reply) => {
      const scope = await rosterScope(deps, request, { roles: rosterEditors })
      const { here, community, people, editor } = scope
      const form = importForm.parse(request.body)
      const text = form.file.trim() === '' ? form.text : form.file
      const t = rosterCalendarText(here.language).problem
      if (text === notText) return send(reply, scope, { problem: t['not text'] })
      const file = readRosterFile(text, { timeZone: community.timeZone, now: here.now.getTime() })
      if ('problem' in file) return send(reply, scope, { problem: t[file.problem] })
      const answers = request.body as Record<string, unknown>
      const chosen = file.people.map((person, index) => {
        const answer = answers[`person${index}`]
        return typeof answer === 'string' && answer !== '' ? answer : (guessPerson(person, people) ?? '')
      })
      const byPerson = new Map(file.people.map(({ person }, index) => [person, chosen[index]!]))
      const shifts = file.shifts.flatMap(({ uid, person, from, until }): ImportedShift[] => {
        const staffId = byPerson.get(person) ?? ''
        const isSomebody = staffId !== '' && staffId !== leaveOut
        return isSomebody ? [{ uid, staffId, startsAt: new Date(from), endsAt: new Date(until) }] : []
      })
      const unanswered = chosen.includes('')
      const dryRun = form.action === 'look' || unanswered
      const counts = await importShifts(db, { ...editor, shifts, uids: file.uids, dryRun })
      const preview = { file, text, chosen, counts: 'kind' in counts ? undefined : counts }
      if ('kind' in counts) return send(reply, scope, { problem: t.unknown, preview })
      if (form.action === 'take' && unanswered) return send(reply, scope, { problem: t.people, preview })
      if (dryRun) return send(reply, scope, { preview })
      const { communityId } = community
      log.info({ communityId, staffId: editor.byStaffId, ...counts }, 'roster.imported')
      return saved(reply, path, communityId, `imported ${counts.added} ${counts.removed}`)
    })
  })

  async function fileOf(p: { communityId: string; language: 'zh' | 'en'; now: Date; staffId?: string }) {
    const { communityId, language, now } = p
    const span = { from: now.getTime() - feedBackDays * dayMs, until: now.getTime() + feedAheadDays * dayMs }
    const [roster, people, [community]] = await Promise.all([
      rosterOf(db, communityId, span),
      listRosterPeople(db, communityId),
      listRosterCommunities(db, [communityId]),
    ])
    const t = rosterCalendarText(language)
    const { insteadOf } = rosterText(language)
    const names = namesOf(people, language)
    const shifts = shiftsBetween(roster, span.from, span.until)
    return writeRosterFile({
      communityId,
      title: (p.staffId === undefined ? t.feedTitle : t.feedOwn)(community?.name ?? ''),
      shifts: p.staffId === undefined ? shifts : shifts.filter(({ staffId }) => staffId === p.staffId),
      nameOf: names,
      note: (shift) => (shift.insteadOf === null ? undefined : insteadOf(names(shift.insteadOf))),
      now,
    })
  }

  async function send(
    reply: FastifyReply,
    scope: RosterScope,
    p: Omit<Parameters<typeof CalendarPage>[0], 'scope' | 'feed'>,
  ): Promise<FastifyReply> {
    const { communityId } = scope.community
    const feed = await ownRosterFeed(db, { staffId: scope.viewer.staffId, communityId })
    return sendPage(reply, <CalendarPage {...{ scope, feed }} {...p} />, p.problem ? 400 : 200)
  }
}

const sendFile = (reply: FastifyReply, text: string) =>
  reply.header('cache-control', 'no-store').type('text/calendar; charset=utf-8').send(text)

const throttled = () => Object.assign(new Error('too many looks'), { statusCode: 429 })
