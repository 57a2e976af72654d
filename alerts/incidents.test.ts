import { expect, test } from 'vitest'
import { incidentClosed, incidentOpened } from './incident-words.js'
import {
  type IncidentVerdict,
  judgeIncident,
  type OpenIncident,
  placeOf,
  placesToCount,
  type SilentHome,
} from './incidents.js'

const now = Date.parse('2026-06-01T06:10:00Z')
const minute = 60_000

/** `count` homes that fell silent one after the other, the first so many minutes ago, `apartS` seconds apart. */
const homes = (
  count: number,
  minutesAgo: number,
  { apartS = 5, gateways = count, street = '', from = 1 } = {},
): SilentHome[] =>
  Array.from({ length: count }, (_, i) => ({
    residentId: `r${from + i}`,
    gatewayId: `g${(i % gateways) + from}`,
    silentAt: now - minutesAgo * minute + i * apartS * 1_000,
    address: street === '' ? `示例路 ${from + i} 号` : `${street} 号 ${i} 室`,
  }))
const known = (all: number, places: Record<string, number> = {}) => new Map([['', all], ...Object.entries(places)])
const incident = (count: number, back: number, minutesAgo = 10): OpenIncident => ({
  firstAt: now - minutesAgo * minute,
  lastAt: now - minutesAgo * minute + 60_000,
  homes: Array.from({ length: count }, (_, i) => ({ residentId: `r${i + 1}`, isBack: i < back })),
})

/** "open 38", "open 6 at 示例路 9", "+2 -1", "close -3", "nothing". */
function said(verdict: IncidentVerdict): string {
  switch (verdict.kind) {
    case 'nothing':
      return 'nothing'
    case 'open':
      return `open ${verdict.homes.length}${verdict.place ? ` at ${verdict.place}` : ''}`
    case 'changed':
      return `+${verdict.joined.length} -${verdict.back.length}`
    case 'close':
      return `close -${verdict.back.length}`
  }
}

test.each<[string, SilentHome[], Map<string, number>, string]>([
  ['nobody', [], known(100), 'nothing'],
  ['38 of 120', homes(38, 6), known(120), 'open 38'],
  ['5 of 25: a fifth', homes(5, 6), known(25), 'open 5'],
  ['5 of 26: less', homes(5, 6), known(26), 'nothing'],
  ['4 of 4: too few', homes(4, 6), known(4), 'nothing'],
  ['40 homes at two boxes: the boxes may be broken', homes(40, 6, { gateways: 2 }), known(100), 'nothing'],
  ['40 homes at three', homes(40, 6, { gateways: 3 }), known(100), 'open 40'],
  ['a minute ago: it may be a restart', homes(38, 1), known(120), 'nothing'],
  [
    'some of them a minute ago: they join later',
    [...homes(30, 6), ...homes(8, 1, { from: 31 })],
    known(120),
    'open 30',
  ],
  ['one after the other within the half hour', homes(30, 29, { apartS: 60 }), known(100), 'nothing'],
  ['within 5 min', homes(30, 9, { apartS: 10 }), known(100), 'open 30'],
  ['of those within 5 min only', [...homes(2, 25), ...homes(30, 8, { from: 3 })], known(100), 'open 30'],
  [
    'a house in a large community',
    homes(9, 6, { street: '示例路 9' }),
    known(2_000, { '示例路 9': 12 }),
    'open 9 at 示例路 9',
  ],
  [
    'half of the house: neighbours on holiday',
    homes(6, 6, { street: '示例路 9' }),
    known(2_000, { '示例路 9': 12 }),
    'nothing',
  ],
  ['a house whose number nobody counted', homes(9, 6, { street: '示例路 9' }), known(2_000), 'nothing'],
])('%s', (_name, silent, counts, expected) => {
  expect(said(judgeIncident({ silent, known: counts, open: null }, now))).toBe(expected)
})

test.each<[string, SilentHome[], OpenIncident, string]>([
  ['as it was', homes(10, 10), incident(10, 0), 'nothing'],
  ['two more', homes(12, 10), incident(10, 0), '+2 -0'],
  ['two more a minute ago: not yet', [...homes(10, 10), ...homes(2, 1, { from: 11 })], incident(10, 0), 'nothing'],
  [
    'two more an hour later are another matter',
    [...homes(10, 70), ...homes(2, 6, { from: 11 })],
    incident(10, 0, 70),
    'nothing',
  ],
  ['three are back', homes(7, 10, { from: 4 }), incident(10, 0), '+0 -3'],
  ['seven of ten back', homes(3, 10, { from: 8 }), incident(10, 5), '+0 -2'],
  ['eight of ten back: over', homes(2, 10, { from: 9 }), incident(10, 5), 'close -3'],
  ['all back: over', [], incident(10, 5), 'close -5'],
  ['one that went again is not counted twice', homes(10, 10), incident(10, 5), 'nothing'],
])('an open one: %s', (_name, silent, open, expected) => {
  expect(said(judgeIncident({ silent, known: known(100), open }, now))).toBe(expected)
})

test.each([
  ['示例路 12 号 301 室', '示例路 12'],
  ['示例小区3栋2单元501', '示例小区3'],
  ['Example Street 12, flat 3', 'Example Street 12'],
  ['12 Example Street', ''],
  ['#12', ''],
  ['无门牌', ''],
])('the place of %s is "%s"', (address, place) => {
  expect(placeOf(address)).toBe(place)
})

test('places are counted where enough homes are silent', () => {
  expect(
    placesToCount([
      ...homes(5, 6, { street: '示例路 9' }),
      ...homes(4, 6, { street: '示例路 7' }),
      ...homes(9, 6, { from: 100 }),
    ]),
  ).toEqual(['示例路 9'])
})

test('says how many, when, what it may be and what it means', () => {
  const told = {
    community: '示例社区',
    place: '',
    homes: 38,
    homesKnown: 120,
    firstAt: now - 8 * minute,
    lastAt: now - 6 * minute,
    timeZone: 'Asia/Shanghai',
  }
  expect(incidentOpened('offline', told, now)).toEqual({
    zh: '示例社区：14:02 至 14:04 之间有 38 户（共 120 户）失去联系，很可能是停电或网络中断。恢复之前，这些家里的用水用电、呼叫按钮和报警器都收不到。',
    en: '示例社区: 38 of 120 homes fell silent between 14:02 and 14:04: most likely a mains or network failure. Until they are back nothing is heard from them, not even a call button or an alarm.',
  })
  expect(incidentOpened('offline', { ...told, place: '示例路 9', lastAt: told.firstAt }, now).zh).toMatch(
    /^示例社区 示例路 9：14:02 前后有 38 户/,
  )
  expect(incidentClosed('offline', { ...told, silent: 7 }, now)).toEqual({
    zh: '示例社区：14:02 失去联系的 38 户中，31 户已恢复，仍有 7 户没有信号。',
    en: '示例社区: 31 of the 38 homes that fell silent at 14:02 are back; 7 still silent.',
  })
  expect(incidentClosed('offline', { ...told, silent: 0 }, now).en).toBe(
    '示例社区: all 38 homes that fell silent at 14:02 are back.',
  )
})

test('of water and electricity it says what may be, what waits, and what does not', () => {
  const told = {
    community: '示例社区',
    place: '示例路',
    homes: 29,
    homesKnown: 30,
    firstAt: now - 200 * minute,
    lastAt: now - 120 * minute,
    timeZone: 'Asia/Shanghai',
  }
  expect(incidentOpened('no water', told, now)).toEqual({
    zh: '示例社区 示例路：12:10 以来，30 户中有 29 户同时没有用水，可能停水。这些住户“没有用水”的预警最多暂缓 2 小时再通知；按钮和报警器不受影响。',
    en: '示例社区 示例路: 29 of 30 homes have used no water since 12:10: the water may be cut off. Alerts about their silence wait for 2 h at most; call buttons and alarms do not wait.',
  })
  expect(incidentOpened('no power', told, now).zh).toMatch(/29 户的电表同时停走，可能停电/)
  expect(incidentClosed('no water', { ...told, silent: 2 }, now)).toEqual({
    zh: '示例社区 示例路：12:10 以来没有用水的 29 户中，27 户已重新用水，还有 2 户没有。',
    en: '示例社区 示例路: 27 of the 29 homes that had no water since 12:10 use it again; 2 do not yet.',
  })
  expect(incidentClosed('no power', { ...told, silent: 0 }, now).zh).toMatch(/29 户中，全部已重新用电。$/)
})
