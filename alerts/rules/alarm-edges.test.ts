import { expect, test } from 'vitest'
import { type AlarmEpisode, type AlarmReading, type AlarmVerdict, judgeAlarm } from './alarm.js'

const zone = 'Asia/Shanghai'
const noon = Date.parse('2025-03-03T12:00:00+08:00')
const at = (minutes: number) => noon + minutes * 60_000
const second = 1 / 60

const episode = (more: Partial<AlarmEpisode> = {}): AlarmEpisode => ({
  alertId: 7,
  active: true,
  firstAt: at(0),
  lastAt: at(0),
  closedAt: null,
  ...more,
})
const reading = (
  kind: AlarmReading['kind'],
  event: AlarmReading['event'],
  minutes: number,
  more: Partial<AlarmReading> = {},
): AlarmReading => ({
  kind,
  event,
  observedAt: at(minutes),
  receivedAt: at(minutes),
  clockWrong: false,
  retained: false,
  room: '厨房',
  ...more,
})
const cached = { cached: true }
/** With a time of its own: measured then, said again later. */
const kept = (minutes: number) => ({ ...cached, receivedAt: at(minutes) })
const closed = { closedAt: at(5) }
const over = { active: false, lastAt: at(5) }

test.each<[string, AlarmEpisode | undefined, AlarmReading, AlarmVerdict['kind']]>([
  ['from memory, nothing known: news to us', undefined, reading('smoke', 'alarm', 0, cached), 'open'],
  ['from memory, cleared since: news to us', episode(over), reading('smoke', 'alarm', 60, cached), 'open'],
  ['from memory, from before the clear', episode(over), reading('smoke', 'alarm', 4, kept(60)), 'verify'],
  ['from memory, of the very moment of the clear', episode(over), reading('smoke', 'alarm', 5, kept(60)), 'verify'],
  ['from memory, the alert is open', episode(), reading('smoke', 'alarm', 60, cached), 'verify'],
  ['from memory, the alert was closed', episode(closed), reading('co', 'alarm', 600, cached), 'verify'],
  ['the same live: opens again', episode(closed), reading('co', 'alarm', 600), 'open'],
  ['live, 11 min after the last: opens again', episode(), reading('smoke', 'alarm', 11), 'open'],
  ['a clear from memory ends it', episode(), reading('smoke', 'clear', 60, cached), 'cleared'],
  [
    'a press from memory, without a time of its own',
    episode(closed),
    reading('button', 'pressed', 60, cached),
    'verify',
  ],
  ['the press we know, from memory', episode(closed), reading('button', 'pressed', 0, kept(60)), 'verify'],
  ['a later press that only memory tells of', episode(closed), reading('button', 'pressed', 30, kept(60)), 'open'],
  ['help from memory, nothing known', undefined, reading('voice', 'help', 0, cached), 'open'],
  ['the same press 2 s later', episode(), reading('button', 'pressed', 2 * second), 'ignore'],
  ['the same press 5 s later', episode(), reading('button', 'pressed', 5 * second), 'ignore'],
  ['the same press, overtaken by its echo', episode(), reading('button', 'pressed', -2 * second), 'ignore'],
  ['pressed again 6 s later', episode(), reading('button', 'pressed', 6 * second), 'repeat'],
  [
    'pressed 2 s after the alert was closed',
    episode({ closedAt: at(0) }),
    reading('button', 'pressed', 2 * second),
    'open',
  ],
  ['pressed 2 s after she cancelled', episode({ active: false }), reading('button', 'pressed', 2 * second), 'open'],
  ['alarm 2 s after the clear', episode({ active: false }), reading('smoke', 'alarm', 2 * second), 'open'],
  ['help', undefined, reading('voice', 'help', 0), 'open'],
  ['help again', episode(), reading('voice', 'help', 3), 'repeat'],
  ['“I’m fine” after help', episode(), reading('voice', 'fine', 1), 'fine'],
  ['help after “I’m fine”', episode(over), reading('voice', 'help', 6), 'open'],
  ['“I’m fine” with nothing open', undefined, reading('voice', 'fine', 1), 'ignore'],
  ['“I’m fine” after the alert was closed', episode({ closedAt: at(0) }), reading('voice', 'fine', 1), 'ignore'],
  ['“I’m fine” from before the help', episode({ lastAt: at(5) }), reading('voice', 'fine', 4), 'ignore'],
  ['water on the floor', undefined, reading('leak', 'alarm', 0), 'open'],
  ['leak test', undefined, reading('leak', 'test', 0), 'ignore'],
])('%s', (_name, known, said, kind) => {
  expect(judgeAlarm(known, said, zone).kind).toBe(kind)
})

/** Plays a story as ingest does; returns the alerts opened, the notices that a device still says alarm, and the lines noted. */
function play(story: (AlarmReading | 'closed')[]) {
  let known: AlarmEpisode | undefined
  let alerts = 0
  let notices = 0
  let lines = 0
  for (const step of story) {
    if (step === 'closed') {
      if (known) known = { ...known, closedAt: known.lastAt }
      continue
    }
    const verdict = judgeAlarm(known, step, zone)
    if (verdict.kind === 'ignore') continue
    if (verdict.kind === 'open') alerts += 1
    else lines += 1
    if (verdict.kind === 'verify' && verdict.standing) notices += 1
    known = { ...verdict.episode, alertId: alerts }
  }
  return { alerts, notices, lines }
}
const hourly = (hours: number, more = {}) =>
  Array.from({ length: hours }, (_, i) => reading('smoke', 'alarm', 60 * (i + 1), more))

test.each<[string, (AlarmReading | 'closed')[], { alerts: number; notices: number; lines: number }]>([
  [
    'a true that never clears is armed for the next fire, cached in between or not',
    [reading('smoke', 'alarm', 0), 'closed', ...hourly(3, cached), reading('smoke', 'alarm', 1_440)],
    { alerts: 2, notices: 1, lines: 3 },
  ],
  [
    'what is from memory does not keep an open episode young: the next fire opens',
    [reading('smoke', 'alarm', 0), reading('smoke', 'alarm', 59, cached), reading('smoke', 'alarm', 60)],
    { alerts: 2, notices: 0, lines: 1 },
  ],
  [
    'a bridge that restarts each hour for a day, its alarm cached: no second emergency, one notice once it was closed',
    [reading('smoke', 'alarm', 0), ...hourly(4, cached), 'closed', ...hourly(24, cached)],
    { alerts: 1, notices: 1, lines: 28 },
  ],
  [
    'each episode has its notice',
    [
      reading('gas', 'alarm', 0),
      'closed',
      reading('gas', 'alarm', 60, cached),
      reading('gas', 'clear', 61),
      reading('gas', 'alarm', 120),
      'closed',
      reading('gas', 'alarm', 180, cached),
    ],
    { alerts: 2, notices: 2, lines: 3 },
  ],
  [
    'one press that arrives three times',
    [0, 0.6, 1.9].map((s) => reading('button', 'pressed', s * second)),
    { alerts: 1, notices: 0, lines: 0 },
  ],
  [
    'pressing each 2 s for a minute is one alert, noted each 6 s',
    Array.from({ length: 31 }, (_, i) => reading('button', 'pressed', 2 * i * second)),
    { alerts: 1, notices: 0, lines: 10 },
  ],
])('%s', (_name, story, outcome) => {
  expect(play(story)).toEqual(outcome)
})

const opened = (said: AlarmReading) => {
  const verdict = judgeAlarm(undefined, said, zone)
  if (verdict.kind !== 'open') throw new Error(verdict.kind)
  return verdict
}

test.each([0, 0.02, 0.05])('at a battery of %d it opens all the same, and says that it may be false', (battery) => {
  const { headline, reason } = opened(reading('button', 'pressed', 0, { battery }))
  expect(reason).toMatchObject({ suspect: true, battery })
  expect(headline).toEqual({
    en: 'Call button (厨房) pressed at 12:00 (battery nearly empty: it may be a false alarm, go and look all the same).',
    zh: '厨房呼叫按钮于 12:00 按下（电量将尽，可能误报，仍请上门确认）。',
  })
})
test.each([undefined, 0.06, 1])('at a battery of %s nothing is suspect', (battery) => {
  const { headline, reason } = opened(reading('button', 'pressed', 0, { battery }))
  expect(reason).not.toHaveProperty('suspect')
  expect(headline.zh).toBe('厨房呼叫按钮于 12:00 按下。')
})

test.each<[AlarmReading, string, string]>([
  [
    reading('co', 'alarm', 0, { level: 120, unit: 'ppm', room: 'Kitchen' }),
    'Carbon monoxide alarm in the kitchen went off at 12:00 (120 ppm).',
    'Kitchen 一氧化碳报警器于 12:00 报警（120 ppm）。',
  ],
  [reading('leak', 'alarm', 0), 'Water found (厨房) at 12:00.', '厨房水浸传感器于 12:00 报警。'],
  [reading('voice', 'help', 0), 'Help called at the voice panel (厨房) at 12:00.', '厨房语音面板于 12:00 收到求助。'],
])('says %#', (said, en, zh) => {
  expect(opened(said).headline).toEqual({ en, zh })
})

test('what the notice says of a device that still says alarm, and what ends it', () => {
  const verdict = judgeAlarm(episode(closed), reading('smoke', 'alarm', 1_440, cached), zone)
  expect(verdict.kind === 'verify' && verdict.standing).toEqual({
    headline: {
      en: 'Smoke alarm (厨房) still reports its alarm of Mon 12:00, though that alert was closed: please check the device.',
      zh: '厨房烟雾报警器仍在上报 周一 12:00 的报警，而那条预警已经结束，请检查设备。',
    },
    reason: { since: at(0), room: '厨房' },
  })
  const end = judgeAlarm(episode({ ...closed, standingTold: true }), reading('smoke', 'clear', 1_445), zone)
  expect(end.kind === 'cleared' && end.headline).toEqual({
    en: 'Smoke alarm (厨房) stopped reporting its alarm at 12:05.',
    zh: '厨房烟雾报警器于 12:05 停止报警。',
  })
})
