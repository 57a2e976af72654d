import fc from 'fast-check'
import { expect, test } from 'vitest'
import { type AlarmEpisode, type AlarmReading, judgeAlarm } from './alarm.js'

const zone = 'Asia/Shanghai'
const noon = Date.parse('2025-03-03T12:00:00+08:00')
const at = (minutes: number) => noon + minutes * 60_000

const episode = (more: Partial<AlarmEpisode> = {}): AlarmEpisode => ({
  alertId: 7,
  active: false,
  firstAt: at(0),
  lastAt: at(1),
  closedAt: null,
  takenAt: null,
  ...more,
})
const reading = (
  kind: AlarmReading['kind'],
  event: AlarmReading['event'],
  minutes: number,
  receivedMinutes = minutes,
): AlarmReading => ({
  kind,
  event,
  observedAt: at(minutes),
  receivedAt: at(receivedMinutes),
  clockWrong: false,
  retained: false,
  room: '',
})
const taken = (minutes: number) => ({ takenAt: at(minutes) })
const unknown = () => {
  const { takenAt: _, ...known } = episode()
  return known
}

test.each<[string, AlarmEpisode, AlarmReading, 'open' | 'repeat']>([
  ['goes off again 1 min after it cleared, nobody has taken it', episode(), reading('smoke', 'alarm', 2), 'repeat'],
  ['30 min after', episode(), reading('smoke', 'alarm', 31), 'repeat'],
  ['31 min after', episode(), reading('smoke', 'alarm', 32), 'open'],
  ['somebody took it 9 min ago', episode(taken(2)), reading('gas', 'alarm', 11), 'repeat'],
  ['somebody took it 11 min ago and may believe it is over', episode(taken(0)), reading('gas', 'alarm', 11), 'open'],
  ['it was closed', episode({ closedAt: at(1.5) }), reading('gas', 'alarm', 2), 'open'],
  ['whether somebody took or closed it is not known', unknown(), reading('smoke', 'alarm', 2), 'open'],
  ['kept back for 5 h, people are being told', episode(), reading('smoke', 'alarm', 300, 600), 'repeat'],
  ['kept back for 5 h, from 3 h before', episode(), reading('smoke', 'alarm', -180, 120), 'repeat'],
  ['kept back for 5 h, taken 20 min ago', episode(taken(580)), reading('smoke', 'alarm', 300, 600), 'open'],
  ['kept back for 5 h, closed', episode({ closedAt: at(2) }), reading('smoke', 'alarm', 300, 600), 'open'],
  ['a press kept back for 5 h', episode({ active: true }), reading('button', 'pressed', 300, 600), 'repeat'],
  [
    'a press kept back, after she cancelled, people are being told',
    episode(),
    reading('button', 'pressed', 300, 600),
    'repeat',
  ],
  [
    'a press kept back, after she cancelled, somebody is there',
    episode(taken(595)),
    reading('button', 'pressed', 300, 600),
    'open',
  ],
  ['a press now, after she cancelled', episode(), reading('button', 'pressed', 2), 'open'],
  ['a press now, 11 min later', episode({ active: true }), reading('button', 'pressed', 12), 'open'],
])('%s', (_name, known, said, kind) => {
  const verdict = judgeAlarm(known, said, zone)
  expect(verdict.kind).toBe(kind)
  if (verdict.kind === 'repeat' && said.observedAt >= known.lastAt) expect(verdict.episode.active).toBe(true)
})

test('on, off, on, off … each 2 min for an hour is one episode; half an hour of quiet ends it', () => {
  let known: AlarmEpisode | undefined
  let alerts = 0
  const say = (minutes: number, event: 'alarm' | 'clear') => {
    const verdict = judgeAlarm(known, reading('gas', event, minutes), zone)
    if (verdict.kind === 'open') alerts += 1
    if (verdict.kind !== 'ignore') known = { takenAt: null, ...verdict.episode, alertId: alerts }
  }
  for (let minute = 0; minute < 60; minute += 2) say(minute, minute % 4 === 0 ? 'alarm' : 'clear')
  expect(alerts).toBe(1)
  say(58 + 31, 'alarm')
  expect(alerts).toBe(2)
})

type Step =
  | { afterS: number; does: 'alarm' | 'clear'; lateS: number; retained: boolean; cached: boolean; clockWrong: boolean }
  | { afterS: number; does: 'take' | 'close' | 'return' }
const said = fc.record({
  does: fc.constantFrom('alarm' as const, 'clear' as const),
  afterS: fc.integer({ min: 0, max: 2_400 }),
  lateS: fc.oneof(fc.constant(0), fc.integer({ min: 0, max: 40_000 })),
  retained: fc.boolean(),
  cached: fc.constant(false),
  clockWrong: fc.boolean(),
})
const done = fc.record({
  does: fc.constantFrom('take' as const, 'close' as const, 'return' as const),
  afterS: fc.integer({ min: 0, max: 2_400 }),
})

/** Since when an alarm that joins a closed or taken alert may be about what those people are just dealing with. */
const dealtWithMs = 10 * 60_000

test('whatever it says in whatever order, each live alarm has an alert that is being told, was just taken or was just closed', () => {
  const seed = Number(process.env.SEED ?? Math.floor(Math.random() * 1e9))
  console.log(`alarm-flapping: SEED=${seed}`)
  fc.assert(
    fc.property(fc.array(fc.oneof({ weight: 3, arbitrary: said }, done), { maxLength: 60 }), (steps: Step[]) => {
      let known: AlarmEpisode | undefined
      let now = noon
      for (const step of steps) {
        now += step.afterS * 1_000
        if (step.does === 'take') {
          if (known && known.closedAt === null) known = { ...known, takenAt: now }
        } else if (step.does === 'return') {
          if (known && known.closedAt === null) known = { ...known, takenAt: null }
        } else if (step.does === 'close') {
          if (known && known.closedAt === null) known = { ...known, takenAt: null, closedAt: now }
        } else if ('lateS' in step) {
          const { does: event, lateS, retained, cached, clockWrong } = step
          const before = known
          const times = { observedAt: now - lateS * 1_000, receivedAt: now }
          const verdict = judgeAlarm(
            known,
            { kind: 'smoke', event, ...times, retained, cached, clockWrong, room: '' },
            zone,
          )
          if (verdict.kind === 'open') known = { ...verdict.episode, alertId: 1, takenAt: null }
          else if (verdict.kind !== 'ignore') known = { ...verdict.episode, alertId: 1 }
          if (event === 'clear' || verdict.kind === 'ignore') continue
          const moment = clockWrong ? now : times.observedAt
          // Kept back, of a time that the alert is about: whoever dealt with that dealt with this.
          if (before && moment <= before.lastAt && moment >= before.firstAt - dealtWithMs) continue
          if (!known) throw new Error('an alarm without an alert')
          const { closedAt, takenAt } = known
          const standing = verdict.kind === 'repeat' && before?.active
          if (closedAt !== null) expect(now - closedAt).toBeLessThanOrEqual(dealtWithMs)
          // One that never cleared is what whoever took it is at.
          else if (takenAt !== null && takenAt !== undefined && !standing)
            expect(now - takenAt).toBeLessThanOrEqual(dealtWithMs)
        }
      }
    }),
    { seed, numRuns: 3_000 },
  )
})
