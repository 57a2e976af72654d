import { expect, test } from 'vitest'
import { type AlarmEpisode, type AlarmReading, judgeAlarm } from './alarm.js'

const zone = 'Asia/Shanghai'
const noon = Date.parse('2025-03-03T12:00:00+08:00')
const at = (minutes: number) => noon + minutes * 60_000

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
  more = {},
): AlarmReading => ({
  kind,
  event,
  observedAt: at(minutes),
  receivedAt: at(minutes),
  clockWrong: false,
  retained: false,
  room: '卫生间',
  ...more,
})
const closed = { closedAt: at(0.5) }
const over = { active: false, lastAt: at(5) }
const late = (minutes: number) => ({ receivedAt: at(minutes) })
const retained = { retained: true }

test.each<[string, AlarmEpisode | undefined, AlarmReading, string]>([
  ['first press', undefined, reading('button', 'pressed', 0), 'open'],
  ['pressed again after 9 min', episode(), reading('button', 'pressed', 9), 'repeat'],
  ['pressed again after 10 min', episode(), reading('button', 'pressed', 10), 'repeat'],
  ['pressed again after 11 min, alert still open', episode(), reading('button', 'pressed', 11), 'open'],
  ['pressed 1 min later, alert closed', episode(closed), reading('button', 'pressed', 1), 'open'],
  ['pressed after she cancelled', episode(over), reading('button', 'pressed', 6), 'open'],
  ['press from before the cancel, kept back', episode(over), reading('button', 'pressed', 3, late(20)), 'repeat'],
  [
    'a press after closing, whose device clock fell 25 min behind',
    episode({ ...closed, lastAt: at(8) }),
    reading('button', 'pressed', 0, late(25)),
    'open',
  ],
  [
    'press from between, kept back, alert closed',
    episode({ ...closed, lastAt: at(8) }),
    reading('button', 'pressed', 4, late(30)),
    'open',
  ],
  ['press after the last, kept back, alert closed', episode(closed), reading('button', 'pressed', 4, late(30)), 'open'],
  ['press of an hour before, kept back', episode(), reading('button', 'pressed', -60, late(3)), 'open'],
  [
    'the same press, retained, after a day, alert closed',
    episode(closed),
    reading('button', 'pressed', 0, { ...retained, ...late(1440) }),
    'open',
  ],
  [
    'a new press with the retain flag, alert closed',
    episode(closed),
    reading('button', 'pressed', 60, retained),
    'open',
  ],
  ['retained, nothing known', undefined, reading('button', 'pressed', 0, { ...retained, ...late(60) }), 'open'],
  ['button test', undefined, reading('button', 'test', 0), 'ignore'],
  ['cancelled', episode(), reading('button', 'cancelled', 1), 'cancelled'],
  ['cancelled, alert closed', episode(closed), reading('button', 'cancelled', 1), 'ignore'],
  ['cancelled, nothing known', undefined, reading('button', 'cancelled', 1), 'ignore'],
  [
    'a cancel older than the last press',
    episode({ lastAt: at(5) }),
    reading('button', 'cancelled', 4, late(6)),
    'ignore',
  ],
  ['first smoke', undefined, reading('smoke', 'alarm', 0), 'open'],
  ['smoke stays', episode({ lastAt: at(30) }), reading('smoke', 'alarm', 40), 'repeat'],
  [
    'smoke stays for 10 min after its alert was closed',
    episode({ closedAt: at(30), lastAt: at(39) }),
    reading('smoke', 'alarm', 40),
    'repeat',
  ],
  [
    'smoke stays for longer after its alert was closed',
    episode({ closedAt: at(30), lastAt: at(40) }),
    reading('smoke', 'alarm', 41),
    'open',
  ],
  [
    'smoke stays for longer after its alert was closed, by a clock that is 3 h behind',
    episode({ closedAt: at(180), lastAt: at(10) }),
    reading('smoke', 'alarm', 11, late(191)),
    'open',
  ],
  [
    'smoke of before the last, kept back, alert closed long ago',
    episode({ closedAt: at(30), lastAt: at(30) }),
    reading('smoke', 'alarm', 15, late(300)),
    'open',
  ],
  ['smoke 11 min after the last', episode(), reading('smoke', 'alarm', 11), 'open'],
  ['smoke cleared', episode(), reading('smoke', 'clear', 1), 'cleared'],
  ['smoke cleared, alert closed: armed again', episode(closed), reading('smoke', 'clear', 1), 'cleared'],
  ['smoke cleared twice', episode(over), reading('smoke', 'clear', 6), 'ignore'],
  ['smoke again after clear', episode(over), reading('smoke', 'alarm', 6), 'open'],
  ['smoke again in the very moment of the clear', episode(over), reading('smoke', 'alarm', 5), 'open'],
  ['smoke from before the clear, kept back', episode(over), reading('smoke', 'alarm', 4, late(9)), 'repeat'],
  [
    'gateway restarts and sends again what it said',
    episode(),
    reading('gas', 'alarm', 0, { ...retained, ...late(300) }),
    'repeat',
  ],
  [
    'gateway restarts and sends again what it said before the last',
    episode({ firstAt: at(60), lastAt: at(90) }),
    reading('gas', 'alarm', 0, { ...retained, ...late(300) }),
    'repeat',
  ],
  ['a new fire, from a gateway that always retains', episode(), reading('smoke', 'alarm', 300, retained), 'open'],
  [
    'a new fire, from a gateway that always retains, alert closed',
    episode(closed),
    reading('smoke', 'alarm', 300, retained),
    'open',
  ],
  [
    'retained, with a wrong clock',
    episode(),
    reading('gas', 'alarm', 0, { ...retained, ...late(300), clockWrong: true }),
    'open',
  ],
  ['retained after clear', episode(over), reading('gas', 'alarm', 300, retained), 'open'],
  ['gas kept back for 3 h', undefined, reading('gas', 'alarm', 0, late(180)), 'open'],
  ['gas test', undefined, reading('gas', 'test', 0), 'ignore'],
])('%s', (_name, known, said, kind) => {
  expect(judgeAlarm(known, said, zone).kind).toBe(kind)
})

/** Plays a story as ingest does: each verdict's episode is the next one's. */
function alertsIn(story: (AlarmReading | 'closed')[]): number {
  let known: AlarmEpisode | undefined
  let alerts = 0
  for (const step of story) {
    if (step === 'closed') {
      if (known) known = { ...known, closedAt: known.lastAt }
      continue
    }
    const verdict = judgeAlarm(known, step, zone)
    if (verdict.kind === 'open') alerts += 1
    if (verdict.kind !== 'ignore') known = { ...verdict.episode, alertId: alerts }
  }
  return alerts
}

test.each<[string, (AlarmReading | 'closed')[], number]>([
  [
    'an alarm repeated each minute for 3 h, closed meanwhile',
    [
      ...Array.from({ length: 90 }, (_, i) => reading('smoke', 'alarm', i)),
      'closed',
      ...Array.from({ length: 90 }, (_, i) => reading('smoke', 'alarm', 90 + i)),
    ],
    2,
  ],
  [
    'an alarm repeated each minute for 10 min after its alert was closed',
    [reading('smoke', 'alarm', 0), 'closed', ...Array.from({ length: 10 }, (_, i) => reading('smoke', 'alarm', 1 + i))],
    1,
  ],
  ['20 presses in panic', Array.from({ length: 20 }, (_, i) => reading('button', 'pressed', i / 10)), 1],
  ['presses 9 min apart join one after the other', [0, 9, 18, 27].map((m) => reading('button', 'pressed', m)), 1],
  ['presses 11 min apart do not', [0, 11, 22, 33].map((m) => reading('button', 'pressed', m)), 4],
  [
    'live first, then its backlog of 5 h before, each minute for 20 min',
    [
      reading('smoke', 'alarm', 0),
      ...Array.from({ length: 20 }, (_, i) => reading('smoke', 'alarm', i - 300, late(1))),
    ],
    2,
  ],
  [
    'live, its backlog, live again',
    [reading('smoke', 'alarm', 0), reading('smoke', 'alarm', -60, late(1)), reading('smoke', 'alarm', 2)],
    2,
  ],
  ['on, off, on', [reading('gas', 'alarm', 0), reading('gas', 'clear', 1), reading('gas', 'alarm', 2)], 2],
  [
    'pressed, cancelled, pressed',
    [reading('button', 'pressed', 0), reading('button', 'cancelled', 1), reading('button', 'pressed', 2)],
    2,
  ],
])('%s', (_name, story, alerts) => {
  expect(alertsIn(story)).toBe(alerts)
})

test.each<[AlarmReading, string, string]>([
  [
    reading('button', 'pressed', 125, { room: 'bathroom' }),
    'Call button in the bathroom pressed at 14:05.',
    'bathroom 呼叫按钮于 14:05 按下。',
  ],
  [reading('button', 'pressed', 125), 'Call button (卫生间) pressed at 14:05.', '卫生间呼叫按钮于 14:05 按下。'],
  [
    reading('button', 'pressed', 125, late(150)),
    'Call button (卫生间) pressed at 14:05, 25 min before it reached us.',
    '卫生间呼叫按钮于 14:05 按下，25 分钟后才送达。',
  ],
  [
    reading('button', 'pressed', 125, late(127)),
    'Call button (卫生间) pressed at 14:05.',
    '卫生间呼叫按钮于 14:05 按下。',
  ],
  [
    reading('button', 'pressed', 0, { ...late(125), clockWrong: true, room: '' }),
    'Call button pressed at 14:05 (device clock wrong, time of arrival shown).',
    '呼叫按钮于 14:05 按下（设备时钟有误，所示为到达时间）。',
  ],
  [
    reading('gas', 'alarm', 0, { level: 12.34, unit: '%LEL', room: 'Kitchen' }),
    'Gas alarm in the kitchen went off at 12:00 (12 %LEL).',
    'Kitchen 燃气报警器于 12:00 报警（12 %LEL）。',
  ],
  [
    reading('smoke', 'alarm', -780, late(0)),
    'Smoke alarm (卫生间) went off at Sun 23:00, 13 h before it reached us.',
    '卫生间烟雾报警器于 周日 23:00 报警，13 小时后才送达。',
  ],
])('says %#', (said, en, zh) => {
  const verdict = judgeAlarm(undefined, said, zone)
  expect(verdict.kind === 'open' && verdict.headline).toEqual({ en, zh })
})
