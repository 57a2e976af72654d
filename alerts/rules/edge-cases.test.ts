import { describe, expect, test } from 'vitest'
import type { Arrival, Decision, EpochMs, ReadingArrival, WordArrival } from '../model.js'
import { type Context, emptyState, fold, forgetDevice, knowledge, type ResidentState } from './fold.js'
import { livedHome } from './lived-home.test-support.js'
import { gapQuarters } from './routine.js'
import { headlines, hour, inOrder, lines, local, meter, minute, monday7, reading } from './scene.test-support.js'

const day = 24 * hour
const ten = 10 * minute
/** Midnight of a Monday in Shanghai; forty days later, on a Saturday, somebody falls at 15:00. */
const night = monday7 - 7 * hour
const learnedAt = night + 40 * day
const fall = learnedAt + 15 * hour
const end = fall + 60 * hour
const zone: Context = { timeZone: 'Asia/Shanghai', alarmsPerMonth: 2 }
const silent = /open silen/

type Home = { every?: number; quiet?: readonly (readonly [EpochMs, EpochMs])[]; to?: EpochMs; seed?: number }
/** The water meter of somebody who is up from 7 to 22, and is on the floor from `fall` on unless told otherwise. */
const waterOf = ({ every = ten, quiet = [[fall, end + day]], to = end, seed = 7 }: Home = {}): ReadingArrival[] =>
  livedHome({ to, days: Math.ceil((to - night) / day), night, quiet, seed }).filter(
    ({ observedAt }) => (observedAt - night) % every === 0,
  )
type Watts = (at: EpochMs) => number
const none: Watts = () => 0
/** A fridge, a kettle three times a day, and what else there is. */
const powerOf = (more: Watts = none, { every = ten, until = fall, to = end } = {}): ReadingArrival[] =>
  meter('electricity', { from: night, to, every }, (at) => {
    const h = ((at - night) % day) / hour
    const kettle = [7.5, 12, 18].some((begin) => h > begin && h <= begin + every / hour)
    const kettleWatts = kettle && at <= until ? (150 * hour) / every : 0
    return 40 + (at % hour < hour / 3 ? 90 : 10) + kettleWatts + more(at)
  })
const daily = (readings: ReadingArrival[]) =>
  readings.filter(({ observedAt }) => (observedAt - night) % day === 6 * hour)
/** More water than the home itself uses: `rate` L/h from `from` to `to`. */
const running = (readings: ReadingArrival[], rate: number, from = fall, to = end): ReadingArrival[] =>
  readings.map((one) => {
    const hours = Math.max(0, Math.min(one.observedAt, to) - from) / hour
    return { ...one, value: Math.round((one.value! + hours * rate) * 1_000) / 1_000 }
  })

type Played = { state: ResidentState; decisions: Decision[] }
const play = (parts: Arrival[][], context = zone, now?: EpochMs): Played => {
  const arrivals = inOrder(...parts)
  return fold(emptyState(), arrivals, now ?? arrivals.at(-1)!.receivedAt, context)
}
type Opened = Extract<Decision, { type: 'open' }>
const openedAfter = ({ decisions }: Played, from = fall): Opened[] =>
  decisions.filter((one): one is Opened => one.type === 'open' && one.openedAt > from)
const firstSilence = (played: Played, from = fall) => openedAfter(played, from).find(({ kind }) => /^silen/.test(kind))
const delayHours = (played: Played, from = fall) => ((firstSilence(played, from)?.openedAt ?? Infinity) - from) / hour
const kindsAfter = (played: Played, from = fall) => [...new Set(openedAfter(played, from).map(({ kind }) => kind))]

describe('a collapse with something left on', () => {
  test('nothing left on: found by dinner, and again each day', () => {
    const played = play([waterOf(), powerOf()])
    expect(delayHours(played)).toBeLessThan(5)
    expect(kindsAfter(played)).toEqual(['silence_unusual', 'silent_24h'])
  })

  test('the tap: it is told itself, it hides the silence for the 4 h until it shows to be even, and the sentence says so', () => {
    const played = play([running(waterOf(), 400), powerOf()])
    expect(kindsAfter(played)).toEqual(['water_running', 'silence_unusual', 'silent_24h'])
    // Counted from 19:00, when silence until the morning is usual.
    expect(delayHours(played)).toBeLessThan(16)
    expect(firstSilence(played)!.headline.en).toMatch(
      /^No water or electricity used since .*\(.*\), beyond the 400 L\/h of water that run all the time; at this hour/,
    )
    expect(firstSilence(played)!.headline.zh).toMatch(/未用水、未用电（一直在流的每小时 400 升除外）；/)
    // By water alone, which tells the time before and after it turned even, the night comes between.
    const alone = play([running(waterOf(), 400)])
    expect(kindsAfter(alone)).toEqual(['water_running', 'silence_unusual', 'silent_24h'])
    expect(delayHours(alone)).toBeLessThan(17)
  })

  test.each<[string, number, number, string[]]>([
    ['the stove, 1.8 kW', 1_800, ten, ['silence_unusual', 'appliance_on', 'silent_24h']],
    ['a heater, 600 W', 600, ten, ['silence_unusual', 'silent_24h']],
    ['the television, 220 W', 220, ten, ['silence_unusual', 'silent_24h']],
    ['the television, read by the half hour', 220, hour / 2, ['silence_unusual', 'silent_24h']],
    ['the television, read by the hour', 220, hour, ['silence_unusual', 'silent_24h']],
  ])('%s is nobody at a switch: two days more while it was taken for one', (_name, watts, every, kinds) => {
    const played = play([waterOf(), powerOf((at) => (at > fall ? watts : 0), { every })])
    expect(delayHours(played)).toBeLessThan(12)
    expect(kindsAfter(played)).toEqual(kinds)
    expect(lines(played.decisions, /clear silen/).filter((line) => line.slice(-19) > local(fall))).toEqual([])
  })

  test('somebody who watches television for eight hours and has a kettle on meanwhile is up', () => {
    const evening = learnedAt + 14 * hour
    const watching: Watts = (at) =>
      at > evening && at <= evening + 8 * hour ? (at === evening + 5 * hour ? 1_100 : 220) : 0
    const { state } = play([powerOf(watching, { to: evening + 5 * hour })], zone)
    expect(state.routine!.activeAt).toBe(evening + 5 * hour)
    // By five in the evening it was on for four hours: what went before the kettle is no news.
    const before = play([powerOf(watching, { to: evening + 5 * hour - ten, until: evening })], zone).state
    expect(before.routine!.activeAt).toBeLessThan(evening + 4.5 * hour)
  })

  test('a washing machine on a timer, water and power: silence counts from its end', () => {
    const from = fall + 2 * hour
    const wash: Watts = (at) => (at > from && at <= from + 1.5 * hour ? 500 : 0)
    const played = play([running(waterOf(), 40, from, from + 1.5 * hour), powerOf(wash)])
    expect(firstSilence(played)!.reason.since).toBeLessThanOrEqual(from + 1.5 * hour)
    expect(delayHours(played)).toBeLessThan(12)
    expect(kindsAfter(played)).toEqual(['silence_unusual', 'silent_24h'])
  })

  test('a leak that starts two hours later hides the evening, not the morning; the rule of 24 h stays', () => {
    const played = play([running(waterOf(), 20, fall + 2 * hour)])
    expect(delayHours(played)).toBeLessThan(20)
    expect(kindsAfter(played)).toEqual(['silence_unusual', 'silent_24h', 'leak_standing'])
    expect(firstSilence(played)!.headline.en).toContain('beyond the 20 L/h of water that run all the time')
  })

  test('a dripping tap in the first days, with no line yet: 24 h beyond it are told, though 72 L ran', () => {
    const wake = [1, 5, 11].map((h) => h * hour)
    const dripping = (days: number) =>
      meter('water', { from: monday7, to: monday7 + days * day, every: ten }, (at) =>
        at < monday7 + 5 * day && wake.includes((at - monday7) % day) ? 90 : 3,
      )
    const { decisions, state } = play([dripping(8)])
    expect(lines(decisions, /silen/)).toEqual([
      'open silent_24h 2025-03-08 18:00:00',
      'open silent_24h 2025-03-09 18:00:00',
      'open silent_24h 2025-03-10 18:00:00',
    ])
    expect(headlines(decisions, 'silent_24h')[0]).toEqual({
      en: 'No water used since Fri 18:00 (24 h), beyond the 3 L/h of water that run all the time.',
      zh: '自周五 18:00 起 24 小时内未用水（一直在流的每小时 3 升除外）。',
    })
    // It is over when somebody is at a tap, not when it drips on.
    const tap = reading('water', monday7 + 8 * day + ten, state.meters[0]!.raw + 15)
    const after = fold(state, [tap], tap.receivedAt, zone).decisions
    expect(lines(after)).toEqual(['clear silent_24h 2025-03-11 07:10:00'])
    expect(headlines(after, 'silent_24h')[0]!.zh).toBe('07:10 前再次用水。')
  })
})

describe('intervals', () => {
  test('water by the hour beside power by the minute: as if both were told by the minute', () => {
    expect(delayHours(play([waterOf({ every: hour }), powerOf(none, { every: minute })]))).toBeLessThan(6)
  })

  test('an electricity meter that tells once a day holds back nothing that the water tells, and the sentence leaves it out', () => {
    const played = play([waterOf(), daily(powerOf())])
    expect(delayHours(played)).toBeLessThan(6)
    const { en, zh } = firstSilence(played)!.headline
    expect(en).toMatch(
      /^No water used since .* Electricity is unknown since 06:00: its meter reports about every 24 h\.$/,
    )
    expect(zh).toMatch(/^自 \d\d:\d\d 起 .*未用水；.*电表约每 24 小时上报一次，06:00 以后是否用电未知。$/)
    const night6 = play([waterOf({ to: learnedAt }), daily(powerOf(none, { to: learnedAt }))]).state
    expect(night6.routine!.gaps.filter((gap) => gapQuarters(gap) > 7 * 4).length).toBeGreaterThan(20)
    expect(knowledge(played.state, end)).toMatchObject({ knowledge: 'not used' })
  })

  test('a water meter that tells once a day: the power by the minute speaks alone, and a whole day with use ends the alert', () => {
    const played = play([daily(waterOf()), powerOf()])
    expect(delayHours(played)).toBeLessThan(5)
    expect(firstSilence(played)!.headline.en).toMatch(/^No electricity used since .* Water is unknown since 06:00/)
    // On Sunday at 06:00 its register has grown since Saturday: that may have been before she fell. On Monday it has not.
    expect(lines(played.decisions, /clear silence/).filter((line) => line.slice(-19) > local(fall))).toEqual([])
    const living = play([daily(waterOf({ quiet: [] })), powerOf()])
    const ends = living.decisions.filter((one) => one.type === 'clear' && one.at > fall)
    expect(lines(ends, /clear silence/)).toEqual(['clear silence_unusual 2025-04-14 06:00:00'])
    expect(headlines(ends, 'silence_unusual')[0]).toEqual({
      en: 'Water used again between Sun 06:00 and 06:00.',
      zh: '周日 06:00 至 06:00 之间再次用水。',
    })
  })

  test('one register a day: the fixed rules, and a sentence that says what the meter cannot know', () => {
    const { decisions, state } = play([daily(waterOf())])
    expect(state.routine!.gaps).toEqual([])
    expect(lines(decisions, /open/).filter((line) => line.slice(-19) > local(learnedAt))).toEqual([
      'open silent_12h 2025-04-14 06:00:00',
      'open silent_24h 2025-04-14 06:00:00',
    ])
    expect(headlines(decisions, 'silent_24h')[0]).toEqual({
      en: 'No water used since Sun 06:00 (24 h): 0 L of water. The water meter reports about every 24 h: the last use may have been as early as Sat 06:00, and nothing is known yet after 06:00.',
      zh: '自周日 06:00 起 24 小时内未用水：水表没有走字。水表约每 24 小时上报一次：最后一次用水可能早至周六 06:00，06:00 以后的情况还不知道。',
    })
  })

  test('a meter that sends at 06:00 what the day before was: not offline, found with the upload, and it says until when it knows', () => {
    const sent = waterOf()
      .map((one) => ({ ...one, receivedAt: night + Math.ceil((one.observedAt - night) / day) * day + 6 * hour }))
      .filter(({ receivedAt }) => receivedAt <= end)
    const played = play([sent])
    expect(lines(played.decisions, /offline/).filter((line) => line.slice(-19) > local(night + 14 * day))).toEqual([])
    const first = firstSilence(played)!
    expect(local(first.openedAt)).toBe('2025-04-13 06:00:10')
    expect(first.headline.en).toMatch(/The water meter reports about every 24 h: nothing is known yet after 00:00\.$/)
    expect(first.headline.zh).toMatch(/水表约每 24 小时上报一次：00:00 以后的情况还不知道。$/)
  })

  test('two backlogs in a row teach no long interval, unless they are alike', () => {
    const hold = (gaps: number[]) => {
      const every = hour
      const live = meter('water', { from: night, to: night + 3 * day, every }, () => 5)
      let from = night + 3 * day
      const held = gaps.flatMap((hours) => {
        const to = from + hours * hour
        const part = meter(
          'water',
          { from: from + every, to: to - every, every, start: (5 * (from - night)) / hour },
          () => 5,
        )
        from = to
        return part.map((one) => ({ ...one, receivedAt: to }))
      })
      return play([live, held]).state.meters[0]!.reach.usualMs
    }
    expect(hold([10, 14, 9, 20, 12])).toBe(hour)
    expect(hold([10, 10, 10, 10, 10])).toBe(10 * hour)
  })

  test('somebody who is up by night and sleeps by day, with both meters', () => {
    const shift = 10 * hour
    const later = (one: ReadingArrival) => ({
      ...one,
      observedAt: one.observedAt + shift,
      receivedAt: one.receivedAt + shift,
    })
    const moved = inOrder(waterOf(), powerOf()).map((one) => later(one as ReadingArrival))
    const played = play([moved])
    expect(delayHours(played, fall + shift)).toBeLessThan(6)
    const before = openedAfter(played, night + 28 * day + shift).filter(({ openedAt }) => openedAt <= fall + shift)
    expect(before.filter(({ kind }) => /^silen/.test(kind)).length).toBeLessThanOrEqual(2)
  })
})

describe('Spring Festival at the children’s', () => {
  const leaving = learnedAt + 10 * hour
  const home = leaving + 9 * day
  const to = home + 6 * day
  const life = [waterOf({ quiet: [[leaving, home]], to }), powerOf(none, { until: leaving, to })]
  const away: WordArrival = { type: 'away', from: leaving, until: home + 2 * day, receivedAt: leaving }
  const longestGap = ({ state }: Played) => Math.max(...state.routine!.gaps.map(gapQuarters)) / 4

  test('with away mode: nobody is paged, coming home ends it, and it has taught nothing', () => {
    const played = play([...life, [away]])
    expect(lines(openedAfter(played, leaving).filter(({ openedAt }) => openedAt < home))).toEqual([])
    const [back, ...more] = played.decisions.filter(({ type }) => type === 'back')
    expect(back).toMatchObject({ from: leaving, why: 'activity' })
    expect((back as { at: number }).at).toBeGreaterThanOrEqual(home)
    expect(more).toEqual([])
    expect(longestGap(played)).toBeLessThan(14)
  })

  test('without: one unusual silence and one reminder a day, cleared at home; nine days teach no line', () => {
    const played = play(life)
    const told = openedAfter(played, leaving).filter(({ openedAt }) => openedAt < home)
    expect(told.map(({ kind }) => kind)).toEqual(['silence_unusual', ...Array(9).fill('silent_24h')])
    expect(
      lines(played.decisions, /clear silen/)
        .slice(-2)
        .map((line) => line.split(' ')[1]),
    ).toEqual(expect.arrayContaining(['silence_unusual', 'silent_24h']))
    expect(longestGap(played)).toBeLessThan(14)
    expect(lines(openedAfter(played, home + day), /silent_24h/)).toEqual([])
  })
})

describe('what is changed from outside', () => {
  test('the time zone of a resident is put right: what was learned by the wrong clock is as by the right one, at once', () => {
    for (const [before, after] of [
      ['UTC', 'Asia/Shanghai'],
      ['Asia/Shanghai', 'America/Sao_Paulo'],
    ] as const) {
      const arrivals = waterOf()
      const split = arrivals.findIndex(({ receivedAt }) => receivedAt > learnedAt)
      const wrong = fold(emptyState(), arrivals.slice(0, split), learnedAt, { ...zone, timeZone: before })
      const right = fold(wrong.state, arrivals.slice(split), end, { ...zone, timeZone: after })
      const same = fold(emptyState(), arrivals, end, { ...zone, timeZone: after })
      expect(right.state.routine!.gaps, `${before} → ${after}`).toEqual(same.state.routine!.gaps)
      const [told, known] = [right, same].map((one) => openedAfter(one, learnedAt).map(({ kind }) => kind))
      expect(told).toEqual(known)
      const first = firstSilence(right)!
      expect(Math.abs(first.openedAt - firstSilence(same)!.openedAt)).toBeLessThanOrEqual(2 * hour)
      expect(first.headline.en).toMatch(
        new RegExp(`since (\\w+ )?${local(Number(first.reason.since), after).slice(11, 16)}`),
      )
    }
  })

  test('a water meter is changed for another one: the line stays, silence begins anew', () => {
    const swap = learnedAt + 9 * hour
    const old = waterOf().filter(({ receivedAt }) => receivedAt <= swap)
    const state = forgetDevice(fold(emptyState(), old, swap, zone).state, 1)
    const young = waterOf()
      .filter(({ receivedAt }) => receivedAt > swap + hour)
      .map((one) => ({ ...one, deviceNo: 11, value: Math.round((one.value! - 3_000) * 1_000) / 1_000 }))
    const played = fold(state, young, end, zone)
    expect(played.state.routine!.firstAt).toBeLessThan(night + day)
    expect(delayHours(played)).toBeLessThan(6)
    expect(lines(played.decisions, /offline|finding/).slice(0, 1)).toEqual([])
  })

  test('electricity: a register that rolls over, and one that is changed, are a hole and no kettle', () => {
    const plain = play([powerOf()])
    const rolled = play([powerOf().map((one) => ({ ...one, value: (one.value! + 20_000) % 100_000 }))])
    expect(delayHours(plain)).toBeLessThan(6)
    expect(delayHours(rolled)).toBe(delayHours(plain))
    const changed = play([
      powerOf().map((one) => ({ ...one, value: one.value! - (one.observedAt > fall + hour ? 40_000 : 0) })),
    ])
    // Silence is known from the first reading of the new register on.
    expect(firstSilence(changed)!.reason.since).toBe(fall + hour + ten)
  })

  test('what another meter held back shows that she was up: the alert is over, and its history says that it came late', () => {
    const held = { from: fall - 3 * hour, to: fall + 9 * hour }
    const kettle: Watts = (at) => (at === fall + 2 * hour ? 900 : 0)
    const power = powerOf(kettle, { to: held.to }).map((one) =>
      one.receivedAt < held.from ? one : { ...one, receivedAt: held.to },
    )
    const played = play([waterOf({ to: held.to }), power], zone, held.to + minute)
    const own = played.decisions.filter((one) => 'kind' in one && one.kind === 'silence_unusual').slice(-3)
    // Seven hours have gone by since that kettle: this is another silence, told as such.
    expect(own.map(({ type }) => type)).toEqual(['open', 'clear', 'open'])
    expect(headlines(own.slice(0, 2), 'silence_unusual')).toEqual([
      {
        en: expect.stringMatching(/^No water used since .* Electricity is unknown since 11:50: its meter is silent\.$/),
        zh: expect.stringMatching(/电表自 11:50 起无数据，是否用电未知。$/),
      },
      {
        en: 'An appliance was switched on by Sat 17:00. This was sent only at 00:00: it was not known when the alert came.',
        zh: '周六 17:00 前有电器启动。这条数据 00:00 才补传上来，预警时还不知道。',
      },
    ])
  })

  test.each([
    ['2025-03-30T15:00:00+02:00', 'Europe/Rome'],
    ['2025-10-26T15:00:00+01:00', 'Europe/Rome'],
  ])('a fall on a day of 23 or 25 h (%s) is found as on any other', (fallAt, timeZone) => {
    const at = Date.parse(fallAt)
    const midnight = Date.parse(`${fallAt.slice(0, 10)}T00:00:00${fallAt.includes('-03-') ? '+01:00' : '+02:00'}`)
    const arrivals = livedHome({
      to: at + 30 * hour,
      days: 41,
      night: midnight - 40 * day,
      // The clock on the wall has moved: so has she.
      quiet: [
        [midnight + 3 * hour, midnight + (at - midnight > 14.5 * hour ? 8 : 6) * hour],
        [at, at + 30 * hour],
      ],
    })
    const played = fold(emptyState(), arrivals, at + 30 * hour, { ...zone, timeZone })
    expect(delayHours(played, at)).toBeLessThan(12)
    const since = Number(firstSilence(played, at)!.reason.since)
    expect(firstSilence(played, at)!.headline.en).toContain(`since ${local(since, timeZone).slice(11, 16)}`)
  })
})

test('however it is cut and stored in between, the same comes of it: meters of all intervals, with a tap left on', () => {
  const parts = [
    running(waterOf({ every: hour }), 400),
    daily(powerOf()),
    [reading('motion', fall - hour, undefined, { deviceNo: 9, event: 'motion' })],
  ]
  const whole = play(parts)
  expect(lines(whole.decisions, silent).length).toBeGreaterThan(0)
  const arrivals = inOrder(...parts)
  let state = emptyState()
  const decisions: Decision[] = []
  for (let from = 0; from < arrivals.length; from += 37) {
    const part = arrivals.slice(from, from + 37)
    const folded = fold(JSON.parse(JSON.stringify(state)), part, part.at(-1)!.receivedAt, zone)
    state = folded.state
    decisions.push(...folded.decisions)
  }
  expect(decisions).toEqual(whole.decisions)
  expect(state).toEqual(whole.state)
  expect(JSON.stringify(state).length).toBeLessThan(8_000)
})
