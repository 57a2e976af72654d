import { expect, test } from 'vitest'
import { defaultPolicies } from '../../alerts/policy.js'
import { checkPaging } from './check-paging.js'
import { checkReadings } from './check-readings.js'
import { checkReplay } from './check-replay.js'
import { checkSilence } from './check-silence.js'
import type {
  History,
  HomeTruth,
  Published,
  Send,
  Station,
  StoredAlert,
  StoredEvent,
  StoredPage,
  StoredReading,
} from './history.js'
import { hourMs, minuteMs, secondMs } from './plan.js'

const start = Date.UTC(2026, 2, 1)
const at = (minutes: number) => start + minutes * minuteMs

const alert = (over: Partial<StoredAlert> = {}): StoredAlert => ({
  alertId: 1,
  residentId: 'r',
  deviceId: 'r-button',
  kind: 'button',
  severity: 'emergency',
  stage: 'closed',
  openedAt: at(1),
  observedAt: at(0),
  closedAt: at(3),
  dueAt: null,
  outcome: 'other',
  headline: { zh: '', en: '' },
  reason: {},
  ...over,
})
const press: Published = {
  gatewayId: 'r',
  deviceId: 'r-button',
  kind: 'button',
  ts: at(0),
  event: 'pressed',
  value: null,
  receivedAt: [at(1)],
  ackedAt: at(1) + 20,
}
const litres: Published = { ...press, deviceId: 'r-water', kind: 'water', event: '', value: 100 }
const rowOf = ({ deviceId, kind, ts, event, value, receivedAt }: Published): StoredReading => ({
  deviceId,
  residentId: 'r',
  kind,
  observedAt: ts,
  receivedAt: receivedAt[0]!,
  event,
  value,
  clockWrong: false,
})
const told = (minutes: number, step: number, staffId: string, role = 'responsible', round = 0): StoredEvent => ({
  alertId: 1,
  at: at(minutes),
  kind: 'told',
  staffId: null,
  detail: { round, step, staffId, role, channels: ['webhook'] },
})
const did = (minutes: number, staffId: string | null, kind: string): StoredEvent => ({
  alertId: 1,
  at: at(minutes),
  kind,
  staffId,
  detail: {},
})
const station = (quiet: Record<string, number> = {}): Station => ({
  of: (target) => {
    if (typeof target !== 'string') return [target.staffId]
    return { responsible: ['anna'], 'on duty': ['bo'], supervisor: ['dora'], neighbour: [], everybody: [] }[target]
  },
  family: ['gao'],
  everybody: ['anna', 'bo', 'dora'],
  channels: () => ['webhook'],
  wakesAt: (staffId) => quiet[staffId] ?? null,
})
const page = (pageId: string, minutes: number, step: number, staffId: string, round = 0): StoredPage => ({
  pageId,
  alertId: 1,
  round,
  step,
  staffId,
  channel: 'webhook',
  status: 'sent',
  createdAt: at(minutes),
  nextAttemptAt: at(minutes),
  condition: 'not acknowledged',
  informs: false,
})
const send = (pageId: string, minutes: number, step: number, staffId: string): Send => ({
  pageId,
  alertId: 1,
  round: 0,
  step,
  staffId,
  channel: 'webhook',
  by: 'outbox',
  about: { residentId: 'r', kind: 'button', observedAt: at(0) },
  lookedAt: at(minutes) + 10,
  startedAt: at(minutes) + 12,
  endedAt: at(minutes) + 100,
  result: 'sent',
  interrupted: false,
})

/** A press at 0:00, told to anna at 0:01, to bo at 0:02; bo takes it at 0:02:30 and closes it at 0:03. */
function goodHistory(): History {
  return {
    start,
    end: at(120),
    published: [{ ...press }, { ...litres }],
    sends: [send('p1', 1, 1, 'anna'), send('p2', 2, 2, 'bo')],
    actions: [
      { alertId: 1, staffId: 'bo', action: 'acknowledge', at: at(2.5) },
      { alertId: 1, staffId: 'bo', action: 'close', at: at(3) },
    ],
    homes: [],
    roster: () => station(),
    policies: defaultPolicies,
    alertsDown: [],
    journalHeld: [],
    outages: [],
    edges: [{ from: start, to: start + 10 * hourMs }],
    hasJournal: true,
    complaints: [],
    stored: {
      readings: [rowOf(press), rowOf(litres)],
      absurdTimes: new Map(),
      alerts: [alert()],
      events: [told(1, 1, 'anna'), told(2, 2, 'bo'), did(2.5, 'bo', 'acknowledged'), did(3, 'bo', 'closed')],
      pages: [page('p1', 1, 1, 'anna'), page('p2', 2, 2, 'bo')],
      attempts: [],
      unfolded: 0,
    },
  }
}
const whatOf = (violations: { what: string }[]) => violations.map(({ what }) => what).join('\n')
const setAlert = (history: History, over: Partial<StoredAlert>) => Object.assign(history.stored.alerts[0]!, over)
type Change = [name: string, change: (history: History) => unknown, complaint: RegExp]

test('a good history has nothing to complain of', () => {
  expect([...checkReadings(goodHistory()), ...checkPaging(goodHistory()), ...checkSilence(goodHistory())]).toEqual([])
})

test.each<Change>([
  ['an acknowledged reading is gone', (h) => h.stored.readings.pop(), /acknowledged .* not stored: r-water/],
  ['a reading is stored twice', (h) => h.stored.readings.push(rowOf(litres)), /stored 2 times/],
  ['a value has changed', (h) => (h.stored.readings[1]!.value = 101), /stored with 101 instead of 100/],
  ['somebody made a reading up', (h) => h.stored.readings.push(rowOf({ ...litres, ts: at(9) })), /never published/],
  ['a press has no alert', (h) => h.stored.alerts.pop(), /no alert is about it/],
  ['a press has no page', (h) => h.stored.pages.splice(0), /alert 1 has no page/],
  ['the first page came after the PUBACK', (h) => (h.stored.pages[0]!.createdAt = at(2)), /only after/],
  [
    'a reading without a usable time was acknowledged and dropped',
    (h) => h.published.push({ ...litres, ts: Date.UTC(2000, 0, 1) }),
    /not all of them in quarantine/,
  ],
])('guarantee 1: %s', (_, change, complaint) => {
  const history = goodHistory()
  change(history)
  expect(whatOf(checkReadings(history))).toMatch(complaint)
})

test.each<Change>([
  ['a due alert is left behind', (h) => (h.stored.alerts[0]!.dueAt = at(4)), /has been due since/],
  ['an arrival is left behind', (h) => (h.stored.unfolded = 1), /never folded/],
  ['nobody is told', (h) => h.stored.events.splice(0), /nobody was ever told/],
  ['escalation stops', (h) => h.stored.events.splice(2), /stood still from .* after step 2/],
  ['a step comes late', (h) => Object.assign(h.stored.events[1]!, { at: at(2.6) }) && h.actions.shift(), /stood still/],
  ['a step comes early', (h) => (h.stored.events[1]!.at = at(1.5)), /too early/],
  ['the wrong person is told', (h) => (h.stored.events[1] = told(2, 2, 'dora')), /told dora instead of bo/],
  ['a step is left out', (h) => (h.stored.events[1] = told(2, 3, 'dora')), /passed over round 0 step 2 of bo/],
  [
    'an acknowledged alert never comes back',
    (h) => h.stored.events.pop(),
    /stayed acknowledged since .* and never came back/,
  ],
  ['a step has no page', (h) => h.stored.pages.pop(), /no page for alert 1 round 0 step 2 bo/],
  ['a page is left lying', (h) => (h.stored.pages[1]!.status = 'pending'), /left lying/],
  [
    'a page is cancelled for nothing',
    (h) =>
      h.actions.splice(0) &&
      setAlert(h, { closedAt: null }) &&
      Object.assign(h.stored.pages[1]!, { status: 'cancelled' }),
    /cancelled though nobody/,
  ],
  ['sent is recorded but was not', (h) => h.sends.pop(), /nobody was told/],
  ['a person is told twice', (h) => h.sends.push(send('p2', 2.2, 2, 'bo')), /told again/],
  ['a person is told after somebody took it', (h) => h.sends.push(send('p3', 2.6, 3, 'dora')), /told after bo took it/],
])('guarantee 2: %s', (_, change, complaint) => {
  const history = goodHistory()
  change(history)
  expect(whatOf(checkPaging(history))).toMatch(complaint)
})

/** As above; bo forgets about it, it comes back after two minutes, is told to bo and anna, and anna closes it. */
function returnedHistory(): History {
  const history = goodHistory()
  const { stored, sends, actions } = history
  const back = 4.5
  stored.events.splice(
    3,
    1,
    did(back, null, 'returned'),
    told(back, 1, 'bo', 'handler', 1),
    told(back, 1, 'anna', 'responsible', 1),
    did(5, 'anna', 'closed'),
  )
  stored.pages.push(page('p3', back, 1, 'bo', 1), page('p4', back, 1, 'anna', 1))
  sends.push({ ...send('p3', back, 1, 'bo'), round: 1 }, { ...send('p4', back, 1, 'anna'), round: 1 })
  actions[1] = { alertId: 1, staffId: 'anna', action: 'close', at: at(5) }
  setAlert(history, { closedAt: at(5) })
  return history
}
/** Bo takes it at 0:02:30 and takes that back at 0:02:50; dora is told in her time and closes it. */
function undoneHistory(): History {
  const history = goodHistory()
  const { stored, sends, actions } = history
  stored.events.splice(
    3,
    1,
    did(2.83, 'bo', 'undone'),
    told(4, 3, 'dora'),
    told(4, 3, 'gao', 'family'),
    did(5, 'dora', 'closed'),
  )
  stored.pages.push(page('p3', 4, 3, 'dora'), { ...page('p4', 4, 3, 'gao'), informs: true })
  sends.push(send('p3', 4, 3, 'dora'), send('p4', 4, 3, 'gao'))
  actions.splice(
    1,
    1,
    { alertId: 1, staffId: 'bo', action: 'undo', at: at(2.83) },
    { alertId: 1, staffId: 'dora', action: 'close', at: at(5) },
  )
  setAlert(history, { closedAt: at(5) })
  return history
}
const silentWarning = (h: History) => {
  setAlert(h, { kind: 'water_running', severity: 'warning' })
  h.stored.events.splice(0, 4, told(1, 2, 'bo', 'on duty'), did(3, 'bo', 'closed'))
  h.roster = () => station({ anna: at(300) })
}

test('an alert that came back, one that was taken back and a warning that spares a sleeper are as they should be', () => {
  expect(checkPaging(returnedHistory())).toEqual([])
  expect(checkPaging(undoneHistory())).toEqual([])
  const warning = goodHistory()
  silentWarning(warning)
  expect(whatOf(checkPaging(warning)).replaceAll(/no page for .*/g, '')).toBe('')
})
const back = (over: Partial<StoredEvent>, index: number) => (h: History) => Object.assign(h.stored.events[index]!, over)
test.each<Change>([
  [
    'an alert comes back before its time',
    (h) => h.stored.events.splice(3, 3, ...[3, 4, 5].map((i) => ({ ...h.stored.events[i]!, at: at(3.5) }))),
    /came back too early from acknowledged/,
  ],
  ['it comes back and nobody is told', (h) => h.stored.events.splice(4, 2), /came back .* and nobody was told/],
  [
    'it comes back and the one who had it is not told',
    (h) => h.stored.events.splice(4, 1),
    /bo, who had it, was not told/,
  ],
  [
    'it comes back and they are not told first',
    (h) => h.stored.events.splice(4, 2, ...h.stored.events.slice(4, 6).reverse()),
    /told bo as the one who had it/,
  ],
  [
    'somebody is reminded of what was not theirs',
    back({ detail: { round: 1, step: 1, staffId: 'dora', role: 'handler', channels: ['webhook'] } }, 4),
    /told dora as the one who had it, not bo/,
  ],
  ['it comes back though nobody had it', (h) => h.stored.events.splice(2, 1), /came back though nobody had it/],
])('guarantee 2, stages: %s', (_, change, complaint) => {
  const history = returnedHistory()
  change(history)
  expect(whatOf(checkPaging(history))).toMatch(complaint)
})
test.each<Change>([
  ['escalation does not go on after it', (h) => h.stored.events.splice(4, 2), /stood still/],
  ['the family is left out', (h) => h.stored.events.splice(5, 1), /told dora instead of dora,gao/],
  [
    'what was not sent because of it is left',
    (h) => {
      h.stored.events.splice(6, 1)
      h.actions.pop()
      setAlert(h, { closedAt: null, stage: 'open' })
      h.stored.pages[1]!.status = 'cancelled'
    },
    /left cancelled though it was taken back/,
  ],
  ['somebody is told before it', (h) => h.sends.push(send('p5', 2.7, 2, 'bo')), /told after bo took it/],
  ['there was nothing to take back', (h) => h.stored.events.splice(2, 1), /nothing to take back/],
])('guarantee 2, taken back: %s', (_, change, complaint) => {
  const history = undoneHistory()
  change(history)
  expect(whatOf(checkPaging(history))).toMatch(complaint)
})
test.each<Change>([
  [
    'a sleeper is told of a warning',
    (h) => {
      silentWarning(h)
      h.stored.events[0] = told(1, 1, 'anna')
    },
    /passed over round 0 step 2 of bo/,
  ],
  ['a step is taken twice', (h) => (h.stored.events[1] = told(2, 1, 'anna')), /came twice/],
  [
    'a step goes through other channels',
    (h) => (h.stored.events[1]!.detail.channels = ['email']),
    /to bo by email instead of webhook/,
  ],
  [
    'everybody is told though others can be',
    (h) => (h.stored.events[1]!.detail.role = 'last resort'),
    /told bo instead of bo/,
  ],
  ['somebody is told of a closed alert', (h) => h.stored.events.push(told(4, 3, 'dora')), /told after it was closed/],
  [
    'a step that waits for the end is not taken',
    (h) => {
      const steps = defaultPolicies.emergency.steps.map((step, i) => ({
        ...step,
        afterSeconds: i * 60,
        ...(i === 2 && { condition: 'not resolved' as const }),
      }))
      h.policies = { ...defaultPolicies, emergency: { ...defaultPolicies.emergency, steps } }
      h.stored.events[3] = did(4.4, 'bo', 'closed')
    },
    /step 3 was not taken though it was not resolved/,
  ],
])('guarantee 2, policy: %s', (_, change, complaint) => {
  const history = goodHistory()
  change(history)
  expect(whatOf(checkPaging(history))).toMatch(complaint)
})

test('guarantee 2: a crash between sending and recording excuses a second telling', () => {
  const history = goodHistory()
  history.sends[1]!.interrupted = true
  history.sends.push(send('p2', 2.2, 2, 'bo'))
  expect(checkPaging(history)).toEqual([])
})

/** A home that uses 1 L a minute until it falls silent after `silentFrom` hours; both meters report every 15 min. */
function silentHome({
  hours = 40,
  silentFrom = 4,
  hole,
}: {
  hours?: number
  silentFrom?: number
  hole?: [number, number]
} = {}) {
  const litresAt = (time: number) => Math.min((time - start) / minuteMs, silentFrom * 60)
  const home: HomeTruth = {
    residentId: 'r',
    gatewayId: 'r',
    meters: (['water', 'electricity'] as const).map((kind) => ({
      kind,
      deviceId: `r-${kind}`,
      intervalMs: 15 * minuteMs,
    })),
    litresAt,
    silences: [{ from: start + silentFrom * hourMs, to: start + hours * hourMs }],
    clockAheadMs: () => 0,
  }
  const readings: StoredReading[] = []
  for (let minutes = 0; minutes < hours * 60; minutes += 15) {
    if (hole && minutes >= hole[0] * 60 && minutes < hole[1] * 60) continue
    for (const { kind, deviceId } of home.meters)
      readings.push({
        deviceId,
        residentId: 'r',
        kind,
        observedAt: at(minutes),
        receivedAt: at(minutes) + secondMs,
        event: '',
        value: litresAt(at(minutes)),
        clockWrong: false,
      })
  }
  return { home, readings }
}
const silent = (sinceHours: number, untilHours: number, openedHours = untilHours + 0.01) =>
  alert({
    kind: 'silent_12h',
    severity: 'urgent',
    deviceId: null,
    openedAt: start + openedHours * hourMs,
    closedAt: null,
    reason: { since: start + sinceHours * hourMs, until: start + untilHours * hourMs, water: true, electricity: true },
  })
const judge = ({ home, readings }: ReturnType<typeof silentHome>, alerts: StoredAlert[], hours = 40) =>
  whatOf(
    checkSilence({
      homes: [home],
      end: start + hours * hourMs,
      outages: [],
      stored: { ...goodHistory().stored, readings, alerts },
    }),
  )

test('guarantee 3: a silence that was covered and told is as it should be', () => {
  expect(judge(silentHome(), [silent(4, 16)])).toBe('')
})
test('guarantee 3: a silence that is not told', () => {
  expect(judge(silentHome(), [])).toMatch(/nobody was told/)
})
test('guarantee 3: a silence that was none', () => {
  expect(judge(silentHome({ silentFrom: 6 }), [silent(4, 17)])).toMatch(/120.0 L were really used/)
})
test('guarantee 3: a silence over a hole', () => {
  expect(judge(silentHome({ hole: [8, 12] }), [silent(4, 16)])).toMatch(/a hole of 255 min in electricity/)
})
test('guarantee 3: a silence of a gateway that was offline', () => {
  expect(judge(silentHome({ hours: 10 }), [silent(4, 16)], 17)).toMatch(/not known all that time/)
  expect(judge(silentHome({ hours: 17 }), [silent(4, 16, 30)], 31)).toMatch(/nothing had come from water/)
})
test('guarantee 3: a silence that is too short, or of the future', () => {
  expect(judge(silentHome(), [silent(4, 14)])).toMatch(/shorter than its kind/)
  expect(judge(silentHome(), [silent(4, 16, 15)])).toMatch(/speaks of the future/)
})
test('guarantee 3: a gateway that is gone without a notice, and with one', () => {
  const gone = silentHome({ hours: 30, silentFrom: 30, hole: [10, 20] })
  expect(judge(gone, [], 30)).toMatch(/no notice says so/)
  const notice = alert({
    kind: 'gateway_offline',
    severity: 'notice',
    openedAt: start + 10.5 * hourMs,
    closedAt: start + 20 * hourMs,
  })
  expect(judge(gone, [notice], 30)).toBe('')
})

test('guarantee 7: the same alerts, one less, one more, and one second later', () => {
  const alerts = [alert(), alert({ alertId: 2, kind: 'smoke' })]
  expect(checkReplay({ alerts }, { alerts: alerts.map((one) => ({ ...one, alertId: one.alertId + 5 })) })).toEqual([])
  expect(whatOf(checkReplay({ alerts }, { alerts: alerts.slice(1) }))).toMatch(/not decided again: r button/)
  expect(whatOf(checkReplay({ alerts: alerts.slice(1) }, { alerts }))).toMatch(/only in the replay: r button/)
  const later = [alert({ openedAt: at(1) + secondMs }), alerts[1]!]
  expect(checkReplay({ alerts }, { alerts: later })).toHaveLength(2)
  expect(checkReplay({ alerts }, { alerts: [alert({ reason: { litres: 3 } }), alerts[1]!] })).toHaveLength(2)
})
