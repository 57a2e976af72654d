import type { EpochMs, Verdict } from '../model.js'
import { forgetCurve, isLearned, recount } from './line.js'
import {
  dayQuarters,
  type Ended,
  type Gap,
  gapQuarters,
  gapStart,
  gapsMax,
  insertTop,
  type Marked,
  type Routine,
} from './routine.js'
import { wallClock } from './zone.js'

/** So many marks can still be changed; of older ones only what they taught is left. */
const marksMax = 10

type Said = { since: EpochMs; verdict: Verdict | 'none' }

/**
 * What staff found an alert about a silence to be. One that was right (she had fallen, or was ill) is no routine: what its
 * silence has taught is taken back, and it is no false alarm. One that was false counts twice from now on, because somebody
 * had to say so. Saying otherwise, or nothing ('none'), first takes back what was said before. Of a silence that still goes
 * on it waits for the end: a mark is about the alert, and ends neither. A silence that is not known changes nothing.
 */
export function applyMark(routine: Routine, { since, verdict }: Said, timeZone: string): void {
  forgetCurve(routine)
  const goesOn = routine.activeAt !== null && since >= routine.activeAt
  const gap = goesOn ? null : gapAt(routine, since, timeZone)
  const before = routine.marked?.find((mark) => mark[0] === since || isSame(mark[2], gap))
  if (before) {
    takeBack(routine, before)
    routine.marked = routine.marked!.filter((mark) => mark !== before)
    if (routine.marked.length === 0) delete routine.marked
  }
  if (verdict === 'none') return
  // What was taken back stands in its place again.
  const found = gap ?? (before?.[2] !== undefined ? gapAt(routine, since, timeZone) : null)
  if (found === null && !goesOn) return
  const mark: Marked = [since, verdict]
  if (found !== null) teach(routine, mark, found, true)
  routine.marked = [...(routine.marked ?? []), mark].slice(-marksMax)
}

/** The silence in which something was marked has ended and was learned; `counted`: as a false alarm. */
export function settleMark(routine: Routine, ended: Ended, counted: boolean, timeZone: string): void {
  const mark = routine.marked?.find(([since, , gap]) => gap === undefined && since >= ended.since && since < ended.at)
  const gap = mark && gapAt(routine, ended.since, timeZone)
  if (mark && gap !== null && gap !== undefined) teach(routine, mark, gap, counted || mark[1] === 'false')
}

/** The silence that goes on has been marked as an emergency: what ends it is no false alarm. */
export const isEmergency = ({ marked, activeAt }: Routine): boolean =>
  marked?.some(([since, verdict, gap]) => gap === undefined && verdict === 'true' && since >= (activeAt ?? 0)) ?? false

/** The finished silence in which `since` lies: an alert may count it from a later sighting than the routine does. */
export function gapAt({ gaps }: Routine, since: EpochMs, timeZone: string): Gap | null {
  const clock = wallClock(since, timeZone)
  const quarter = clock.day * dayQuarters + Math.floor(clock.hour * 4)
  for (let index = gaps.length - 1; index >= 0; index -= 1) {
    const gap = gaps[index]!
    const start = gapStart(gap)
    if (start <= quarter) return quarter < start + gapQuarters(gap) ? gap : null
  }
  return null
}

const isSame = (one: Gap | undefined, other: Gap | null) =>
  one !== undefined && other !== null && gapStart(one) === gapStart(other)

function teach(routine: Routine, mark: Marked, gap: Gap, counts: boolean): void {
  mark[2] = gap
  const score = scoreOf(routine, gap)
  // What it had taught is needed once more when the mark is taken back.
  if (score !== null) mark[3] = score
  if (mark[1] === 'true') remove(routine, gap)
  else insert(routine, gap, score)
  if (counts && isLearned(routine, mark[0])) recount(routine, mark[1] === 'true' ? -1 : 1)
}

function takeBack(routine: Routine, [since, verdict, gap, score]: Marked): void {
  if (gap === undefined) return
  if (verdict === 'true') insert(routine, gap, score ?? null)
  else remove(routine, gap)
  if (isLearned(routine, since)) recount(routine, verdict === 'true' ? 1 : -1)
}

/** How unusual the line found it; null where there was no line, or it is not among the highest. */
const scoreOf = ({ tops }: Routine, gap: Gap): number | null =>
  tops.find(([start]) => start === gapStart(gap))?.[1] ?? null

function insert(routine: Routine, gap: Gap, score: number | null): void {
  const { gaps } = routine
  const index = gaps.findIndex((one) => gapStart(one) > gapStart(gap))
  gaps.splice(index < 0 ? gaps.length : index, 0, gap)
  if (gaps.length > gapsMax) gaps.shift()
  if (score !== null) insertTop(routine, gapStart(gap), score)
}

function remove({ gaps, tops }: Routine, gap: Gap): void {
  const index = gaps.findIndex((one) => isSame(one, gap))
  if (index >= 0) gaps.splice(index, 1)
  const top = tops.findIndex(([start]) => start === gapStart(gap))
  if (top >= 0) tops.splice(top, 1)
}
