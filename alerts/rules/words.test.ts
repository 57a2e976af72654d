import { expect, test } from 'vitest'
import type { Arrival, Decision, ReadingArrival, WordArrival } from '../model.js'
import { type Context, emptyState, fold, type ResidentState } from './fold.js'
import {
  button,
  context,
  electricity,
  headlines,
  hour,
  inOrder,
  lines,
  meter,
  minute,
  monday7,
  reading,
} from './scene.test-support.js'

const day = 24 * hour
const start = monday7
const fixed: Context = { ...context, alarmsPerMonth: null }
const learned: Context = { ...context, alarmsPerMonth: 2 }
/** Water every 5 min; `uses` are the moments at which 20 L run. */
function water(to: number, uses: readonly number[], every = 5 * minute): ReadingArrival[] {
  const ticks = new Set(uses.map((at) => start + Math.ceil((at - start) / every) * every))
  return meter('water', { from: start, to, every }, (at) => (ticks.has(at) ? (20 * hour) / every : 0))
}
const away = (at: number, until: number, from = at): WordArrival => ({ type: 'away', from, until, receivedAt: at })
const back = (at: number): WordArrival => ({ type: 'back', receivedAt: at })
const visit = (at: number): WordArrival => ({ type: 'visit', at, receivedAt: at })
const spoken = (at: number): WordArrival => ({ type: 'spoken', at, receivedAt: at })
const unsaid = (word: 'away' | 'visit' | 'spoken', said: number, at = said + 30_000): WordArrival => ({
  type: 'unsaid',
  word,
  at: said,
  receivedAt: at,
})

type Played = { state: ResidentState; decisions: Decision[]; wakeAt: number | null }
/**
 * All in one go; and again with a restart after every arrival, which must be the same. With a line of her own the six weeks
 * that it took are folded once.
 */
function run(arrivals: Arrival[], now: number, with_: Context = fixed): Played {
  const learns = with_.alarmsPerMonth !== null && arrivals.some(({ receivedAt }) => receivedAt >= today)
  if (learns) sixWeeks ??= fold(emptyState(), water(today, each(routineDays)), today, learned).state
  const begin = learns ? sixWeeks! : emptyState()
  const ordered = inOrder(arrivals).filter(({ receivedAt }) => receivedAt <= now && (!learns || receivedAt > today))
  const whole = fold(begin, ordered, now, with_)
  let state = begin
  const decisions: Decision[] = []
  for (const arrival of ordered) {
    const step = fold(JSON.parse(JSON.stringify(state)), [arrival], arrival.receivedAt, with_)
    decisions.push(...step.decisions)
    state = step.state
  }
  const last = fold(JSON.parse(JSON.stringify(state)), [], now, with_)
  expect([...decisions, ...last.decisions]).toEqual(whole.decisions)
  expect(JSON.stringify(last.state)).toBe(JSON.stringify(whole.state))
  return whole
}
const silence = /silen|back/

/** Six weeks with somebody up each hour from 07:00 to 22:00: enough for a line of her own. */
const routineDays = 42
const each = (days: number, skip: (at: number) => boolean = () => false) =>
  Array.from({ length: days * 16 }, (_, i) => start + Math.floor(i / 16) * day + (i % 16) * hour + 10 * minute).filter(
    (at) => !skip(at),
  )
const today = start + routineDays * day
let sixWeeks: ResidentState | undefined

test('away: no alert about silence, however long, until its end; then silence counts from there', () => {
  const until = start + 3 * day
  const { decisions, state } = run(
    [...water(until + 14 * hour, [start + hour]), away(start + 2 * hour, until)],
    until + 14 * hour,
  )
  expect(lines(decisions, silence)).toEqual([
    'back expired 2025-03-06 07:00:00',
    // The newest reading that proves 12 h since then.
    'open silent_12h 2025-03-06 19:00:00',
  ])
  expect(headlines(decisions, 'silent_12h')[0]!.en).toContain('since 07:00 (12 h), when away mode ended')
  expect(state.away).toBeUndefined()
})

test('away with a line of her own, too: nothing until its end', () => {
  const leaving = today + 3 * hour
  const until = today + 4 * day
  const arrivals = [...water(until + 13 * hour, each(routineDays)), away(leaving, until)]
  const { decisions } = run(arrivals, until + 13 * hour, learned)
  const after = decisions.filter((one) =>
    'at' in one ? one.at > leaving : 'openedAt' in one && one.openedAt > leaving,
  )
  expect(lines(after, silence)[0]).toBe('back expired 2025-04-18 07:00:00')
  expect(lines(after, /open silence_unusual/)).toHaveLength(1)
})

test('it ends by itself at activity, and from then on silence counts again', () => {
  const home = start + 30 * hour
  const { decisions, state } = run(
    [...water(home + 13 * hour, [start + hour, home]), away(start + 2 * hour, start + 5 * day)],
    home + 13 * hour,
  )
  expect(lines(decisions, silence)).toEqual([
    'back activity 2025-03-04 13:00:00',
    'open silent_12h 2025-03-05 01:00:00',
  ])
  expect(decisions.find(({ type }) => type === 'back')).toMatchObject({ from: start + 2 * hour })
  expect(state.away).toBeUndefined()
})

test.each<[string, Arrival[]]>([
  ['the call button', [reading('button', start + 30 * hour, undefined, { event: 'pressed' })]],
  ['movement', [reading('motion', start + 30 * hour, undefined, { deviceNo: 8, event: 'motion' })]],
  ['“I’m fine” at the panel', [reading('voice', start + 30 * hour, undefined, { deviceNo: 8, event: 'fine' })]],
  ['a carer who says she is there with her', [visit(start + 30 * hour)]],
  [
    'an appliance',
    meter('electricity', { from: start, to: start + 31 * hour, every: 5 * minute }, (at) =>
      at > start + 30 * hour && at <= start + 30 * hour + 10 * minute ? 1800 : 40,
    ),
  ],
])('%s ends away mode', (_, seen) => {
  const { decisions } = run(
    [...water(start + 31 * hour, [start + hour]), away(start + 2 * hour, start + 5 * day), ...seen],
    start + 31 * hour,
  )
  expect(lines(decisions, /back/)).toHaveLength(1)
  expect(lines(decisions, /back activity 2025-03-04 13:/)).toHaveLength(1)
})

test.each<[string, Arrival[]]>([
  // From outside: whoever waters the flowers.
  ['the door', [reading('door', start + 30 * hour, undefined, { deviceNo: 8, event: 'open' })]],
  ['somebody who spoke with her, wherever she is', [spoken(start + 30 * hour)]],
  ['what runs while she puts her coat on', water(start + 40 * hour, [start + 2 * hour + 50 * minute])],
])('%s does not', (_, seen) => {
  const { decisions, state } = run(
    [
      ...(seen.length > 9 ? [] : water(start + 40 * hour, [start + hour])),
      away(start + 2 * hour, start + 5 * day),
      ...seen,
    ],
    start + 40 * hour,
  )
  expect(lines(decisions, silence)).toEqual([])
  expect(state.away).toBeDefined()
})

test.each([fixed, learned])('a dripping tap is nobody at home', (with_) => {
  const drip = meter('water', { from: start, to: start + 4 * day, every: 5 * minute }, (at) =>
    at === start + hour ? 240 : 1.2,
  )
  const leaving = start + 2 * day + 2 * hour
  const { decisions } = run([...drip, away(leaving, start + 5 * day)], start + 4 * day, with_)
  expect(lines(decisions, /back/)).toEqual([])
})

test('a meter that tells once a day tells in the evening what ran before she left', () => {
  // 40 L each day until she leaves on the third morning at 09:00; the reading of that midnight still grows.
  const daily = (to: number, more: number[] = []) =>
    Array.from({ length: Math.floor((to - start) / day) + 1 }, (_, n) => n).map((n) =>
      reading('water', start + n * day, 40 * Math.min(n, 11) + more.filter((one) => one <= n).length * 40),
    )
  const leaving = start + 10 * day + 2 * hour
  const until = start + 30 * day
  const quiet = run([...daily(start + 20 * day), away(leaving, until)], start + 20 * day)
  expect(lines(quiet.decisions, /back/)).toEqual([])
  const used = run([...daily(start + 20 * day, [15]), away(leaving, until)], start + 20 * day)
  expect(lines(used.decisions, /back/)).toEqual(['back activity 2025-03-18 07:00:00'])
})

test('an open alert about silence is cleared when away is set, with its reason, and stays cleared', () => {
  const set = start + 27 * hour
  const { decisions, state } = run(
    [...water(start + 40 * hour, [start + hour]), away(set, start + 3 * day)],
    start + 40 * hour,
  )
  expect(lines(decisions, /silent/)).toEqual([
    'open silent_12h 2025-03-03 20:00:00',
    'open silent_24h 2025-03-04 08:00:00',
    'clear silent_12h 2025-03-04 10:00:00',
    'clear silent_24h 2025-03-04 10:00:00',
  ])
  expect(headlines(decisions, 'silent_24h').at(-1)).toEqual({
    en: 'Away mode until Thu 07:00.',
    zh: '已设为外出，至 周四 07:00。',
  })
  expect(state.silence).toBeNull()
})

test('offline, leaks, running water and emergencies are as they always are', () => {
  const leaving = start + 2 * hour
  const tap = meter('water', { from: start, to: start + 8 * hour, every: 5 * minute }, (at) =>
    at > leaving + 10 * minute ? 400 : 0,
  )
  const { decisions } = run([...tap, away(leaving, start + 5 * day)], start + 12 * hour)
  // The meter says nothing after 15:00.
  expect(lines(decisions, /open/).map((line) => line.split(' ')[1])).toEqual(['water_running', 'gateway_offline'])
})

test('another end of the same absence counts at once, further away or nearer', () => {
  const leaving = start + 2 * hour
  const longer = run(
    [
      ...water(start + 4 * day, [start + hour]),
      away(leaving, start + day),
      away(start + 20 * hour, start + 3 * day, leaving),
    ],
    start + 3 * day + minute,
  )
  expect(lines(longer.decisions, silence)).toEqual(['back expired 2025-03-06 07:00:00'])
  const shorter = run(
    [
      ...water(start + 4 * day, [start + hour]),
      away(leaving, start + 3 * day),
      away(start + 20 * hour, start + day, leaving),
    ],
    start + day + minute,
  )
  expect(lines(shorter.decisions, silence)).toEqual(['back expired 2025-03-04 07:00:00'])
})

test('an end that has passed when the word is taken sets nothing', () => {
  const late: WordArrival = { type: 'away', from: start + hour, until: start + 2 * hour, receivedAt: start + 3 * hour }
  const { state, decisions } = run([...water(start + 4 * hour, [start + hour]), late], start + 4 * hour)
  expect(state.away).toBeUndefined()
  expect(decisions).toEqual([])
})

test('a person ends it: silence counts from then on; without away mode the word is nothing', () => {
  const ended = start + 20 * hour
  const { decisions, state } = run(
    [...water(ended + 13 * hour, [start + hour]), away(start + 2 * hour, start + 9 * day), back(ended)],
    ended + 13 * hour,
  )
  expect(lines(decisions, silence)).toEqual(['open silent_12h 2025-03-04 15:00:00'])
  expect(state.away).toBeUndefined()
  const nothing = run([...water(start + 5 * hour, [start + hour]), back(start + 2 * hour)], start + 5 * hour)
  expect(nothing.state.seen).toBeUndefined()
})

test('the wake-up time is the end of away mode, though nothing arrives', () => {
  const until = start + 100 * minute
  const { wakeAt } = run([...water(start + hour, []), away(start + hour, until)], start + hour)
  expect(wakeAt).toBeLessThanOrEqual(until)
  // Long after, without a reading: it has ended at its own time.
  const later = run([...water(start + hour, []), away(start + hour, until)], start + 2 * day)
  expect(lines(later.decisions, /back/)).toEqual(['back expired 2025-03-03 08:40:00'])
})

test('a visit and a call end a silence that is told, and count as seen', () => {
  for (const [word, says] of [
    [visit, 'A carer was there at'],
    [spoken, 'Somebody spoke with them at'],
  ] as const) {
    const at = start + 14 * hour
    const { decisions } = run([...water(at + hour, [start + hour]), word(at)], at + hour)
    expect(lines(decisions, /silent_12h/)).toEqual([
      'open silent_12h 2025-03-03 20:00:00',
      'clear silent_12h 2025-03-03 21:00:00',
    ])
    expect(headlines(decisions, 'silent_12h').at(-1)!.en).toContain(says)
    // Who is there has yet to say how she is.
    const cleared = decisions.find(({ type }) => type === 'clear')
    expect(cleared).toMatchObject(word === visit ? { outcome: 'other' } : { kind: 'silent_12h' })
    expect('outcome' in cleared!).toBe(word === visit)
    // And it counts from there.
    const next = run([...water(at + 13 * hour, [start + hour]), word(at)], at + 13 * hour)
    expect(lines(next.decisions, /open silent_12h/)).toHaveLength(2)
  }
})

test('a visit teaches nothing: neither the silence it ended, nor what the carer used', () => {
  const gap = [today + 3 * hour, today + 9 * hour] as const
  const uses = each(routineDays + 1, (at) => at > gap[0] && at < gap[1])
  const now = today + 11 * hour
  const plain = run(water(now, uses), now, learned)
  const visited = run([...water(now, uses), visit(gap[1] - 20 * minute)], now, learned)
  expect(visited.state.routine!.gaps.length).toBe(plain.state.routine!.gaps.length - 1)
})

test('away time teaches nothing', () => {
  const gap = [today + 3 * hour, today + 13 * hour] as const
  const uses = each(routineDays + 1, (at) => at > gap[0] && at < gap[1])
  const now = today + 15 * hour
  const plain = run(water(now, uses), now, learned)
  const known = run([...water(now, uses), away(gap[0] + minute, gap[1] - 30 * minute)], now, learned)
  expect(known.state.routine!.gaps.length).toBe(plain.state.routine!.gaps.length - 1)
})

test.each(['visit', 'spoken', 'away'] as const)('%s taken back within a minute: as if it had not been said', (word) => {
  // Silent since 10:10, alerted at about 14:00.
  const uses = each(routineDays + 1, (at) => at > today + 3 * hour + 11 * minute)
  const said = today + 9 * hour
  const now = said + 3 * hour
  const words: WordArrival[] =
    word === 'away' ? [away(said, said + 2 * day)] : word === 'visit' ? [visit(said)] : [spoken(said)]
  const plain = run(water(now, uses), now, learned)
  const taken = run([...water(now, uses), ...words, unsaid(word, said)], now, learned)
  const opened = lines(plain.decisions, /open silence_unusual/)
  expect(opened).toHaveLength(1)
  // Cleared by the word, and open again with the reading after it was taken back.
  expect(lines(taken.decisions, /silence_unusual/).map((line) => line.split(' ')[0])).toEqual(['open', 'clear', 'open'])
  const { routine, away: gone, said: kept, seen } = taken.state
  expect([gone, kept, seen?.[word === 'away' ? 'due' : word]]).toEqual([undefined, undefined, undefined])
  const { alert: _a, line: _l, ...learnedNow } = routine!
  const { alert: _b, line: _m, ...learnedPlain } = plain.state.routine!
  expect(learnedNow).toEqual(learnedPlain)
})

test('taken back: what was said before it stands again', () => {
  const [first, second] = [start + 3 * hour, start + 5 * hour]
  const { state } = run(
    [...water(start + 6 * hour, [start + hour]), visit(first), visit(second), unsaid('visit', second)],
    start + 6 * hour,
  )
  expect(state.seen).toEqual({ visit: first })
})

test('taken back within a minute after its end was moved, too: nobody was away', () => {
  const said = start + 3 * hour
  const words = [away(said, start + 2 * day), away(said + 10_000, start + 4 * day, said), unsaid('away', said)]
  const { state, decisions } = run([...water(start + 14 * hour, [start + hour]), ...words], start + 14 * hour)
  expect(state.away).toBeUndefined()
  expect(lines(decisions, silence)).toEqual(['open silent_12h 2025-03-03 20:00:00'])
})

test('of two who said the same, one takes it back: the other has still said it', () => {
  const said = start + 3 * hour
  const { state } = run(
    [...water(start + 6 * hour, [start + hour]), visit(said), visit(said + 10_000), unsaid('visit', said)],
    start + 6 * hour,
  )
  expect(state.seen).toEqual({ visit: said + 10_000 })
  const soon = run(
    [...water(said + hour, [start + hour]), visit(said), visit(said + 10_000), unsaid('visit', said)],
    said + minute,
  )
  expect(soon.state.said).toMatchObject({ word: 'visit', at: said + 10_000 })
  // And when the other takes it back as well, nobody has.
  const both = [visit(said), visit(said + 10_000), unsaid('visit', said), unsaid('visit', said + 10_000)]
  expect(run([...water(start + 6 * hour, [start + hour]), ...both], start + 6 * hour).state.seen).toEqual({})
  const uses = each(routineDays + 1, (at) => at > today + 3 * hour + 11 * minute)
  const call = today + 9 * hour
  const calls = [spoken(call), spoken(call + 10_000), unsaid('spoken', call)]
  const { decisions } = run([...water(call + hour, uses), ...calls], call + hour, learned)
  expect(lines(decisions, /silence_unusual/).map((line) => line.split(' ')[0])).toEqual(['open', 'clear'])
})

test('an older word is taken back as far as it can be: no sighting any more', () => {
  const said = start + 3 * hour
  const { state } = run(
    [...water(start + 6 * hour, [start + hour]), visit(said), spoken(said + 10_000), unsaid('visit', said)],
    start + 6 * hour,
  )
  expect(state.seen).toEqual({ spoken: said + 10_000 })
})

test.each<[string, ('visit' | 'spoken' | 'away')[], number[]]>([
  ['the newer one first', ['spoken', 'visit'], [1, 0]],
  ['the older one first', ['spoken', 'visit'], [0, 1]],
  ['the newer one first', ['spoken', 'spoken'], [1, 0]],
  ['the older one first', ['spoken', 'spoken'], [0, 1]],
  ['the newer one first', ['visit', 'spoken'], [1, 0]],
  ['the newer one first', ['spoken', 'away'], [1, 0]],
])('both taken back, %s (%j): the silence goes on as if nobody had said anything', (_name, said, order) => {
  const uses = each(routineDays + 1, (at) => at > today + 3 * hour + 11 * minute)
  const call = today + 9 * hour
  const ats = said.map((_, index) => call + index * 10_000)
  const words = said.map((word, index) =>
    word === 'away' ? away(ats[index]!, call + day) : word === 'visit' ? visit(ats[index]!) : spoken(ats[index]!),
  )
  const undone = order.map((index, nth) => unsaid(said[index]!, ats[index]!, call + 30_000 + nth * 5_000))
  const { decisions, state } = run([...water(call + hour, uses), ...words, ...undone], call + hour, learned)
  expect(lines(decisions, /silence_unusual/).map((line) => line.split(' ')[0])).toEqual(['open', 'clear', 'open'])
  const plain = run(water(call + hour, uses), call + hour, learned).state
  expect(state.routine!.activeAt).toBe(plain.routine!.activeAt)
  expect(state.said).toBeUndefined()
})

test('taken back too late, or never said: nothing changes but the sighting itself', () => {
  const said = start + 3 * hour
  const scene = water(start + 6 * hour, [start + hour])
  const other = run([...scene, visit(said), unsaid('visit', said - 1_000, said + minute)], start + 6 * hour)
  expect(other.state.seen).toEqual({ visit: said })
  const none = run([...scene, unsaid('away', said), unsaid('spoken', said)], start + 6 * hour)
  expect(none.decisions).toEqual([])
  expect(none.state.seen).toBeUndefined()
  const long = run([...scene, away(said, start + 9 * day), unsaid('away', said - 1, said + minute)], start + 6 * hour)
  expect(long.state.away).toBeDefined()
})

test('somebody was up within that minute: the silence before is over, and stays over', () => {
  const uses = each(routineDays + 1, (at) => at > today + 3 * hour + 11 * minute)
  const said = today + 9 * hour
  const pressed = reading('button', said + 10_000, undefined, { event: 'pressed', deviceNo: button })
  const { decisions, state } = run(
    [...water(said + hour, uses), spoken(said), pressed, unsaid('spoken', said)],
    said + hour,
    learned,
  )
  expect(lines(decisions, /silence_unusual/).map((line) => line.split(' ')[0])).toEqual(['open', 'clear'])
  expect(state.routine!.activeAt).toBe(said + 10_000)
})

test('what is kept for taking back is gone two minutes later: the state stays small', () => {
  const said = today + 9 * hour
  const scene = water(said + hour, each(routineDays + 1))
  const soon = run([...scene, spoken(said)], said + minute, learned)
  expect(soon.state.said).toBeDefined()
  const later = run([...scene, spoken(said)], said + 10 * minute, learned)
  expect(later.state.said).toBeUndefined()
  expect(JSON.stringify(later.state).length).toBeLessThan(8 * 1_024)
})

test('what homes around normally do is taken whole, or not at all', () => {
  const hours = Array.from({ length: 24 }, (_, at) => at * minute)
  const say = (limitMs: number[]): WordArrival => ({ type: 'neighbours', limitMs, receivedAt: start })
  expect(run([say(hours)], start).state.neighbours).toEqual(hours)
  expect(run([say(hours.slice(1))], start).state.neighbours).toBeUndefined()
})

test('days of 23 and 25 hours: the end is an instant', () => {
  const zone: Context = { timeZone: 'Europe/Berlin', alarmsPerMonth: null }
  const saturday = Date.parse('2025-03-29T20:00:00+01:00')
  const until = Date.parse('2025-03-30T20:00:00+02:00')
  const scene = meter('water', { from: saturday - 5 * hour, to: until + hour, every: 30 * minute }, () => 0)
  const power = meter('electricity', { from: saturday - 5 * hour, to: until + hour, every: 30 * minute }, () => 30)
  const { decisions } = run(
    [...scene, ...power.map((one) => ({ ...one, deviceNo: electricity })), away(saturday, until)],
    until + hour,
    zone,
  )
  expect(decisions.filter(({ type }) => type === 'back')).toEqual([
    { type: 'back', at: until, from: saturday, why: 'expired' },
  ])
})
