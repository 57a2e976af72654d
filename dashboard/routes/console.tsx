import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import type { Language } from '../../alerts/model.js'
import { knowledge } from '../../alerts/rules/fold.js'
import { type AlertRow, listClosedAlerts, listOpenAlerts } from '../../db/alert-views.js'
import { listWaitingCommands } from '../../db/command-views.js'
import { type IncidentRow, incidentHomes, openIncidents } from '../../db/incidents.js'
import { countResidents, listResidents } from '../../db/resident-list.js'
import { summariseResidents } from '../../db/resident-summary.js'
import { AlertCard } from '../shell/alert-card.js'
import { AlsoAsked, AskedHomes, askedAnswer, isAsked } from '../shell/asking.js'
import { HeldAlerts, heldAnswer, isHeld } from '../shell/held.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Incident } from '../shell/incident-card.js'
import { Page } from '../shell/page.js'
import { createRecent } from '../shell/recent.js'
import { ResidentTable, residentsPerPage } from '../shell/resident-table.js'
import { defineText, plural } from '../shell/text.js'
import { incidentText } from '../shell/text-incident.js'
import { heldText, incidentTextOf } from '../shell/text-quiet-street.js'
import { durationWords } from '../shell/times.js'
import { careRoles, homePath, operatorRoles, requireStaff } from '../shell/viewer.js'
import { WaitingCommands } from './commands-list.js'
import { createPutInOrder, PutInOrder } from './watch-console.js'

const text = defineText({
  en: {
    title: 'Console',
    counts: {
      emergency: (n: number) => plural(n, 'emergency', 'emergencies'),
      urgent: (n: number) => plural(n, 'urgent alert', 'urgent alerts'),
      warning: (n: number) => plural(n, 'warning', 'warnings'),
      notice: (n: number) => plural(n, 'notice', 'notices'),
    },
    and: ' and ',
    waiting: (what: string) => `${what}: nobody on the way`,
    taken: (what: string) => `${what}, in hand`,
    othersTaken: (n: number) => (n === 1 ? 'One other is in hand.' : `${n} others are in hand.`),
    quiet: 'All quiet: no open alert.',
    noAlert: 'No open alert.',
    allSeen: (n: number, age: string) =>
      n === 1 ? `1 resident, seen within the last ${age}.` : `${n} residents, all seen within the last ${age}.`,
    someSeen: (n: number, unknown: number, idle: number, away: number) =>
      `${plural(n, 'resident', 'residents')}; ${[
        unknown > 0 ? `of ${unknown} nothing is known right now` : '',
        idle > 0 ? `${idle} without any use in the last 12 h` : '',
        away > 0 ? `${away} away from home` : '',
      ]
        .filter(Boolean)
        .join(', ')}.`,
    nobody: 'No residents are registered yet.',
    alerts: 'Open alerts',
    notices: 'Notices about devices',
    closed: 'Closed in the last 24 h',
    more: (n: number) => `${n} more are open than are listed here. The worst are listed.`,
    moreNotices: (n: number) => `${n} more are open than are listed here.`,
    soundOn: 'Turn the sound on',
    soundNeeded: 'The sound is off. Turn it on to hear a new emergency.',
    soundIsOn: 'Sound is on for new emergencies.',
  },
  zh: {
    title: '值守台',
    counts: {
      emergency: (n) => `${n} 起紧急情况`,
      urgent: (n) => `${n} 条急办预警`,
      warning: (n) => `${n} 条警告`,
      notice: (n) => `${n} 条提醒`,
    },
    and: '、',
    waiting: (what) => `${what}，还没有人过去`,
    taken: (what) => `${what}，都已有人处理`,
    othersTaken: (n) => `另有 ${n} 条已有人处理。`,
    quiet: '一切平静，没有未处理的预警。',
    noAlert: '没有未处理的预警。',
    allSeen: (n, age) => `${n} 位居民，最近 ${age}内都有用水或用电。`,
    someSeen: (n, unknown, idle, away) =>
      `${n} 位居民；${[
        unknown > 0 ? `${unknown} 位目前情况未知` : '',
        idle > 0 ? `${idle} 位最近 12 小时没有用水用电` : '',
        away > 0 ? `${away} 位外出` : '',
      ]
        .filter(Boolean)
        .join('，')}。`,
    nobody: '还没有登记居民。',
    alerts: '未处理的预警',
    notices: '设备提醒',
    closed: '最近 24 小时内结束的',
    more: (n) => `另有 ${n} 条未列出，这里只列出最严重的。`,
    moreNotices: (n) => `另有 ${n} 条未列出。`,
    soundOn: '打开声音',
    soundNeeded: '声音未打开。打开后，有新的紧急情况会响铃。',
    soundIsOn: '有新的紧急情况时会响铃。',
  },
})

const alertsMax = 300
/** A power cut silences a whole quarter: it must not make the page of everybody who looks ten times as large. */
const noticesMax = 50
const closedMax = 50
const waitingCommandsMax = 20
const incidentHomesMax = 50
const dayMs = 86_400_000
/** What goes through every resident is asked for not more often than this, however many consoles are open. */
const summaryMsMax = 10_000
/** Fewer than these are counted anew each time: that takes 1 ms. */
const countedAnewMax = 5_000

const query = z.object({
  q: z.string().trim().max(100).catch(''),
  page: z.coerce.number().int().min(1).max(10_000).catch(1),
})

/** The console: who needs me now? */
export function consoleRoutes(app: FastifyInstance, { db, channels }: RouteDeps): void {
  const recentSummary = createRecent({
    ageMsMax: summaryMsMax,
    load: (communityIds: string[], now) => summariseResidents(db, { communityIds, now }),
  })
  const recentCount = createRecent({
    ageMsMax: summaryMsMax,
    load: (communityIds: string[]) => countResidents(db, { communityIds, search: '' }),
  })
  const putInOrder = createPutInOrder(db, channels.kinds)
  const count = async ({ communityIds, search, now }: { communityIds: string[]; search: string; now: Date }) => {
    if (search === '' && (await recentCount(communityIds, now)) > countedAnewMax) return recentCount(communityIds, now)
    return countResidents(db, { communityIds, search })
  }

  app.get('/', async (request, reply) => {
    const viewer = requireStaff(request, [...careRoles, ...operatorRoles])
    if (viewer.role === 'operator') return seeOther(reply, homePath(viewer.role))
    const { here } = request
    const { communityIds } = viewer
    const { q: search, page } = query.parse(request.query)
    const [open, notices, closed, residents, total, waitingCommands, incidents] = await Promise.all([
      listOpenAlerts(db, { communityIds, notices: false, rowsMax: alertsMax }),
      listOpenAlerts(db, { communityIds, notices: true, rowsMax: noticesMax }),
      listClosedAlerts(db, { communityIds, since: new Date(here.now.getTime() - dayMs), rowsMax: closedMax }),
      listResidents(db, { communityIds, search, offset: (page - 1) * residentsPerPage, rowsMax: residentsPerPage }),
      count({ communityIds, search, now: here.now }),
      listWaitingCommands(db, { communityIds, now: here.now, rowsMax: waitingCommandsMax }),
      openIncidents(db, { communityIds }),
    ])
    const held = open.alerts.filter(isHeld)
    const alerts = open.alerts.filter((alert) => !isAsked(alert) && !isHeld(alert))
    const asked = open.alerts.filter(isAsked)
    const t = text(here.language)
    const answer =
      alerts.length > 0
        ? busyAnswer(alerts, here.language)
        : asked.length > 0
          ? askedAnswer(asked, here)
          : incidents.length > 0
            ? incidentAnswer(incidents, here.language)
            : held.length > 0
              ? heldAnswer(held, here)
              : calmAnswer(await recentSummary(communityIds, here.now), here.now.getTime(), here.language)
    const homes =
      incidents.length > 0
        ? await incidentHomes(db, {
            incidentIds: incidents.map(({ incidentId }) => incidentId),
            homesMax: incidentHomesMax,
          })
        : []
    const unlisted = open.total - open.alerts.length
    return sendPage(
      reply,
      <Page here={here} title={open.total > 0 ? answer.first : t.title} current="console">
        <div class={`answer answer-${answer.tone}`}>
          <h1>{answer.first}</h1>
          {answer.more && <p>{answer.more}</p>}
          {alerts.length > 0 && <AlsoAsked count={asked.length} here={here} />}
          {held.length > 0 && alerts.length + asked.length + incidents.length > 0 && (
            <p>{heldText(here.language).also(held.length)}</p>
          )}
        </div>
        <div id="sound" class="sound" hidden data-on={t.soundOn} data-needed={t.soundNeeded} data-is-on={t.soundIsOn} />
        {alerts.length > 0 && (
          <section aria-labelledby="alerts">
            <h2 id="alerts" class="sr-only">
              {t.alerts}
            </h2>
            <ul class="cards">
              {alerts.map((alert) => (
                <AlertCard key={alert.alertId} alert={alert} here={here} />
              ))}
            </ul>
            {unlisted > 0 && <p>{t.more(unlisted)}</p>}
          </section>
        )}
        <AskedHomes alerts={asked} here={here} />
        <PutInOrder here={here} {...(await putInOrder(viewer, here.now))} />
        {incidents.length > 0 && (
          <section aria-labelledby="incidents">
            <h2 id="incidents">
              {incidents.every(({ kind }) => kind === 'offline')
                ? incidentText(here.language).heading
                : incidentText(here.language).headings}
            </h2>
            {incidents.map((incident) => (
              <Incident
                key={incident.incidentId}
                incident={incident}
                homes={homes.filter(({ incidentId }) => incidentId === incident.incidentId)}
                here={here}
              />
            ))}
          </section>
        )}
        <HeldAlerts alerts={held} here={here} />
        <WaitingCommands here={here} commands={waitingCommands} />
        <Folded id="notices" heading={t.notices} {...notices} here={here} />
        <ResidentTable residents={residents} total={total} search={search} page={page} here={here} />
        <Folded id="closed" heading={t.closed} alerts={closed} here={here} />
      </Page>,
    )
  })
}

/** `total`: how many there are where not all are listed. */
function Folded(p: { id: string; heading: string; alerts: AlertRow[]; total?: number; here: Here }) {
  if (p.alerts.length === 0) return null
  const unlisted = (p.total ?? 0) - p.alerts.length
  return (
    <details id={p.id} class="folded">
      <summary>
        <h2>
          {p.heading} <span class="count">{Math.max(p.alerts.length, p.total ?? 0)}</span>
        </h2>
      </summary>
      <ul class="cards">
        {p.alerts.map((alert) => (
          <AlertCard key={alert.alertId} alert={alert} here={p.here} />
        ))}
      </ul>
      {unlisted > 0 && <p>{text(p.here.language).moreNotices(unlisted)}</p>}
    </details>
  )
}

/** "2 emergencies: nobody on the way", and how many more are in hand; when all are: "1 emergency, in hand". */
function busyAnswer(alerts: AlertRow[], language: Language) {
  const t = text(language)
  const waiting = alerts.filter(({ stage }) => stage === 'open')
  const count = (counted: AlertRow[]) =>
    (['emergency', 'urgent', 'warning'] as const)
      .map((severity) => ({ severity, count: counted.filter((alert) => alert.severity === severity).length }))
      .filter(({ count }) => count > 0)
      .map(({ severity, count }) => t.counts[severity](count))
      .join(t.and)
  const tone = waiting.some(({ severity }) => severity === 'emergency') ? 'emergency' : 'busy'
  if (waiting.length === 0) return { tone, first: t.taken(count(alerts)), more: null }
  const taken = alerts.length - waiting.length
  return { tone, first: t.waiting(count(waiting)), more: taken > 0 ? t.othersTaken(taken) : null }
}

/** Where no alert is open, but many homes are out of reach, or without water: never "all quiet". The worst comes first. */
function incidentAnswer(incidents: IncidentRow[], language: Language) {
  const kinds = ['offline', 'no power', 'no water'] as const
  const kind = kinds.find((each) => incidents.some((incident) => incident.kind === each))!
  const t = incidentTextOf(kind, language)
  const homes = incidents.filter((incident) => incident.kind === kind).reduce((sum, { silent }) => sum + silent, 0)
  return { tone: 'busy', first: t.noAlertBut(homes), more: t.means }
}

/** "All quiet … 12 residents, all seen within the last 6 h"; never "all quiet" while of one nothing is known. */
function calmAnswer(
  { summary, states }: Awaited<ReturnType<typeof summariseResidents>>,
  nowMs: number,
  language: Language,
) {
  const t = text(language)
  const { residents } = summary
  if (residents === 0) return { tone: 'plain', first: t.noAlert, more: t.nobody }
  let { unknown, idle } = summary
  let oldestMs = Math.min(nowMs, summary.oldestUseAt?.getTime() ?? nowMs)
  for (const state of states) {
    const known = state && knowledge(state, nowMs)
    if (known?.knowledge === 'not used') idle += 1
    else if (!known || known.knowledge === 'unknown' || known.lastUseAt === null) unknown += 1
    else oldestMs = Math.min(oldestMs, known.lastUseAt)
  }
  const { away } = summary
  if (unknown + idle + away > 0)
    return { tone: 'plain', first: t.noAlert, more: t.someSeen(residents, unknown, idle, away) }
  const hourMs = 3_600_000
  const age = durationWords(Math.max(1, Math.ceil((nowMs - oldestMs) / hourMs)) * hourMs, language)
  return { tone: 'quiet', first: t.quiet, more: t.allSeen(residents, age) }
}
