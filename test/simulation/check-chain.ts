import type { EpochMs } from '../../alerts/model.js'
import type { PagedSeverity, Policy, TakenStage } from '../../alerts/policy.js'
import { channelsAsked, type Expected, expectedOf, pauseAfterMs, type Walked } from './expected-chain.js'
import { type Span, type Station, type StoredAlert, type StoredEvent, type StoredPage, timeText } from './history.js'
import { secondMs } from './plan.js'

/** What polling, a lost connection and a step that is passed over for a while may cost. */
export const slackMs = 30 * secondMs
/** Clocks of one simulation agree; times are rounded. */
const earlyMsMax = secondMs

const beginnings = ['told', 'nobody to tell', 'quiet hours']

type Member = { staffId: string; role: string; channels: string[] }
export type Told = { at: EpochMs; round: number; step: number; members: Member[] }
type Due = { from: EpochMs; slackMs: number }
/** An alert as its events have left it. */
type Now = {
  stage: 'open' | TakenStage | 'closed'
  stageAt: EpochMs
  handler: string | null
  due: Due
  /** Taken back: what came due before that is due then. */
  resumedAt: EpochMs
}

/**
 * Goes through the history of one alert and says where it is not what its policy wants: each step in its time with its
 * people and channels, nobody left out and nobody told in their quiet hours, each stage ended in its time by somebody or by
 * coming back, with the one who had it told first.
 */
export function checkChain(p: {
  alert: StoredAlert
  events: StoredEvent[]
  pages: StoredPage[]
  policy: Policy
  stationAt: (at: EpochMs) => Station
  end: EpochMs
  /** When nothing could be done; in order, not touching each other. */
  excused: readonly Span[]
}): string[] {
  const { alert, events, pages, policy, stationAt, end, excused } = p
  const complaints: string[] = []
  const complain = (what: string) => complaints.push(`alert ${alert.alertId} ${what}`)
  const severity = alert.severity as PagedSeverity
  const never: Due = { from: Number.POSITIVE_INFINITY, slackMs }
  const atOnce = (from: EpochMs): Due => ({ from, slackMs })

  // A pass of the rules that comes late opens as of when it was so; escalation begins with the pass.
  const begunAt = events.find(({ kind }) => beginnings.includes(kind))?.at ?? alert.openedAt
  let walked: Walked = { round: 0, step: 0, told: new Set() }
  let roundAt = begunAt
  let now: Now = {
    stage: 'open',
    stageAt: begunAt,
    handler: null,
    due: atOnce(begunAt),
    resumedAt: 0,
  }
  let before: Now[] = []
  /** Told at this moment that it comes back, whom that has not reached yet. */
  let returned: { at: EpochMs; handler: string | null } | undefined

  const expectedAt = (at: EpochMs, from = walked): Expected =>
    expectedOf({ severity, policy, station: stationAt(at), walked: from, now: at })

  for (const item of timelineOf(events)) {
    if ('members' in item) takeTold(item)
    else takeEvent(item)
  }
  waitUntil(end)
  return complaints

  function latest({ from, slackMs: slack }: Due): EpochMs {
    let at = from + slack
    for (const span of excused) if (span.from <= at) at += Math.max(0, span.to - Math.max(span.from, from))
    return at
  }
  /** Nothing has happened before `at`: was that in order? */
  function waitUntil(at: EpochMs) {
    if (returned && returned.at < at) {
      complain(`came back ${timeText(returned.at)} and nobody was told`)
      returned = undefined
    }
    if (now.stage === 'closed') return
    if (now.stage !== 'open') return waitWhileTaken(at)
    while (at > latest(now.due)) {
      const { from } = now.due
      const possible = [from, latest(now.due)].map((each) => expectedAt(each))
      const silent = possible.find(({ kind }) => kind !== 'told')
      if (!silent) {
        complain(`stood still from ${timeText(from)} to ${timeText(at)} after step ${walked.step}`)
        now.due = never
      } else if (silent.kind === 'silent') {
        now.due = { from: Math.max(silent.at, from + secondMs), slackMs: latest(now.due) - from + slackMs }
        walked = silent.after
      } else now.due = never
    }
  }

  function waitWhileTaken(at: EpochMs) {
    const stageEnds = stageEndsAt()
    for (;;) {
      const index = policy.steps.findIndex((step, i) => i >= walked.step && step.condition === 'not resolved')
      // Where nobody was told, the beginning of the round is not known.
      if (index === -1 || walked.told.size === 0) break
      const from = Math.max(roundAt + policy.steps[index]!.afterSeconds * secondMs, now.stageAt, now.resumedAt)
      const last = latest(atOnce(from))
      if (last >= Math.min(at, stageEnds)) break
      if ([from, last].every((each) => unresolvedAt(index, each).length > 0))
        complain(`step ${index + 1} was not taken though it was not resolved, ${timeText(from)}`)
      walked = { ...walked, step: index + 1 }
    }
    const last = latest(atOnce(Math.max(stageEnds, now.resumedAt)))
    if (at > last) {
      complain(`stayed ${now.stage} since ${timeText(now.stageAt)} and never came back`)
      now.stageAt = Number.POSITIVE_INFINITY
    }
  }
  function stageEndsAt(): EpochMs {
    const seconds = policy.stageSecondsMax[now.stage as TakenStage]
    return seconds === null ? Number.POSITIVE_INFINITY : now.stageAt + seconds * secondMs
  }
  function unresolvedAt(index: number, at: EpochMs): string[] {
    const station = stationAt(at)
    const step = policy.steps[index]!
    const staff = [...step.to.flatMap(station.of), ...(step.family ? station.family : [])]
    const isAwake = (id: string) => severity === 'emergency' || station.wakesAt(id) === null
    return [...new Set(staff)].filter((id) => id !== now.handler && isAwake(id))
  }

  function takeEvent({ at, kind, staffId }: StoredEvent) {
    switch (kind) {
      case 'acknowledged':
      case 'en_route':
      case 'arrived':
      case 'closed':
        waitUntil(at)
        if (now.stage === 'closed') complain(`was closed twice, ${timeText(at)}`)
        before.push(now)
        now = { stage: kind, stageAt: at, handler: staffId, due: never, resumedAt: 0 }
        break
      case 'undone': {
        waitUntil(at)
        const last = before.pop()
        if (!last) complain(`was taken back with nothing to take back, ${timeText(at)}`)
        else now = { ...last, resumedAt: at, due: { ...last.due, from: Math.max(last.due.from, at) } }
        break
      }
      case 'returned':
        waitUntil(at)
        if (now.stage === 'open' || now.stage === 'closed') complain(`came back though nobody had it, ${timeText(at)}`)
        else if (at < stageEndsAt() - earlyMsMax) complain(`came back too early from ${now.stage}, ${timeText(at)}`)
        returned = { at, handler: now.handler }
        walked = { round: walked.round + 1, step: 0, told: new Set() }
        roundAt = at
        before = []
        now = { stage: 'open', stageAt: at, handler: null, due: atOnce(at), resumedAt: 0 }
    }
  }

  function takeTold(told: Told) {
    const { at, round, step, members } = told
    const place = `round ${round} step ${step} ${timeText(at)}`
    waitUntil(at)
    const back = returned
    returned = undefined
    if (now.stage === 'closed') return complain(`was told after it was closed: ${place}`)
    if (now.stage !== 'open') return takeToldOfTaken(told, place)
    checkHandler(told, back, place)
    const asked = members.filter(({ role }) => role !== 'handler')
    const isEarly = !back && at < now.due.from - earlyMsMax
    if (isEarly && !hasFailed(round, step)) complain(`took ${place} too early`)
    if (asked.length === 0) {
      const expected = expectedAt(at)
      if (expected.kind === 'told') complain(`told nobody but its handler, not ${namesOf(expected)}: ${place}`)
      if (expected.kind === 'silent') {
        walked = { ...expected.after, told: idsOf(members) }
        now.due = atOnce(expected.at)
      } else now.due = never
      return
    }
    const from = statesAt(at).find((state) => isAsWanted(expectedAt(at, state), told, asked))
    if (!from && !isLastResort(told, asked)) complainOf(told, asked, expectedAt(at), place)
    const expected = expectedAt(at, from)
    if (expected.kind === 'told' && expected.crossed) roundAt = at
    const already = round === walked.round ? walked.told : []
    walked = { round, step, told: new Set([...already, ...idsOf(members)]) }
    now.due = atOnce(at + pauseAfterMs(policy, step))
    const lastResort = asked.some(({ role }) => role === 'last resort')
    checkChannels(asked, lastResort ? policy.steps.length - 1 : step - 1, at, place)
  }
  /** How far it may have been walked: it may have been looked at before, and nobody told. */
  function statesAt(at: EpochMs): Walked[] {
    const silent = now.due.from <= at ? expectedAt(now.due.from) : undefined
    return silent?.kind === 'silent' ? [walked, silent.after] : [walked]
  }
  function isAsWanted(expected: Expected, { round, step }: Told, asked: Member[]): boolean {
    if (expected.kind !== 'told' || expected.round !== round || expected.step !== step) return false
    if (expected.lastResort !== asked.some(({ role }) => role === 'last resort')) return false
    const staff = asked.filter(({ role }) => role !== 'family')
    const family = asked.filter(({ role }) => role === 'family')
    return (
      isSame(staff, expected.staff) &&
      isSame(
        family,
        expected.family.filter((id) => !expected.staff.includes(id)),
      )
    )
  }
  /** Everybody else, where nobody of the chain could be reached. */
  function isLastResort({ at, round, step }: Told, asked: Member[]): boolean {
    const earlier = pages.filter(({ createdAt, informs }) => createdAt < at && !informs)
    return (
      severity === 'emergency' &&
      round === walked.round &&
      step === policy.steps.length &&
      asked.every(({ role, staffId }) => (role === 'last resort' || role === 'family') && !walked.told.has(staffId)) &&
      earlier.every(({ status }) => status === 'failed')
    )
  }
  function complainOf({ round, step }: Told, asked: Member[], expected: Expected, place: string) {
    const told = asked.map(({ staffId }) => staffId).join()
    if (expected.kind !== 'told') return complain(`told ${told} where nobody is to be told: ${place}`)
    if (round < walked.round || (round === walked.round && step <= walked.step)) complain(`${place} came twice`)
    else if (expected.round !== round || expected.step !== step)
      complain(`${place} passed over round ${expected.round} step ${expected.step} of ${namesOf(expected)}`)
    else complain(`${place} told ${told} instead of ${namesOf(expected)}`)
  }

  /** Who had it is told with the first of the new round, before them. */
  function checkHandler({ at, members }: Told, back: typeof returned, place: string) {
    const reminded = members.filter(({ role }) => role === 'handler').map(({ staffId }) => staffId)
    if (!back) {
      if (reminded.length > 0) complain(`reminded ${reminded.join()} of what was not theirs: ${place}`)
      return
    }
    if (back.at !== at) complain(`came back ${timeText(back.at)} and told people only ${timeText(at)}`)
    const { handler } = back
    const station = stationAt(at)
    const canBeTold =
      handler !== null &&
      station.channels(handler).length > 0 &&
      (severity === 'emergency' || station.wakesAt(handler) === null)
    if (canBeTold && !members.some(({ staffId }) => staffId === handler))
      complain(`came back and ${handler}, who had it, was not told: ${place}`)
    if (reminded.length > 0 && (reminded.join() !== handler || members[0]!.role !== 'handler'))
      complain(`came back and told ${reminded.join()} as the one who had it, not ${handler}: ${place}`)
    if (reminded.length > 0) checkChannels([members[0]!], 0, at, place)
  }

  /** A step that is taken until it is resolved. */
  function takeToldOfTaken({ at, step, members }: Told, place: string) {
    const index = step - 1
    const wanted = policy.steps[index]
    if (wanted?.condition !== 'not resolved' || index < walked.step)
      return complain(`was told though ${now.handler} had it: ${place}`)
    if (walked.told.size > 0 && at < roundAt + wanted.afterSeconds * secondMs - earlyMsMax)
      complain(`took ${place} too early`)
    const expected = unresolvedAt(index, at)
    if (!isSame(members, expected))
      complain(`${place} told ${members.map(({ staffId }) => staffId).join()} instead of ${expected.join()}`)
    walked = { ...walked, step, told: new Set([...walked.told, ...idsOf(members)]) }
    checkChannels(members, index, at, place)
  }

  function checkChannels(members: Member[], index: number, at: EpochMs, place: string) {
    for (const { staffId, channels } of members) {
      const wanted = channelsAsked(policy, index, stationAt(at).channels(staffId))
      if ([...channels].sort().join() !== [...wanted].sort().join())
        complain(`${place} went to ${staffId} by ${channels.join()} instead of ${wanted.join()}`)
    }
  }
  /** Nobody could be reached: what follows comes at once, in the first round. */
  function hasFailed(round: number, step: number): boolean {
    const { round: lastRound, step: lastStep } = walked
    const isFirst = lastRound === 0 && (round === 0 || step > 0)
    const theirs = pages.filter((page) => page.round === lastRound && page.step === lastStep)
    return isFirst && theirs.some(({ status }) => status === 'failed')
  }
}

const idsOf = (members: Member[]): Set<string> => new Set(members.map(({ staffId }) => staffId))
const isSame = (members: Member[], ids: readonly string[]): boolean =>
  members
    .map(({ staffId }) => staffId)
    .sort()
    .join() === [...new Set(ids)].sort().join()
const namesOf = ({ staff, family }: Extract<Expected, { kind: 'told' }>) =>
  [...staff, ...family].sort().join() || 'nobody'

/** The events in their order, those that are told at once as one. */
export function timelineOf(events: StoredEvent[]): (StoredEvent | Told)[] {
  const timeline: (StoredEvent | Told)[] = []
  for (const event of events) {
    if (event.kind !== 'told') {
      if (event.kind !== 'page sent' && event.kind !== 'page failed') timeline.push(event)
      continue
    }
    const { at, detail } = event
    const { round, step, staffId, role, channels } = detail as Omit<Told, 'members'> & Member
    const last = timeline.at(-1)
    const member = { staffId, role, channels }
    if (last && 'members' in last && last.round === round && last.step === step && last.at === at)
      last.members.push(member)
    else timeline.push({ at, round, step, members: [member] })
  }
  return timeline
}
