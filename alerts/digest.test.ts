import { expect, test } from 'vitest'
import { type DigestPage, digestLinesMax, digestText, groupPages, type LeftLately, type WaitingPage } from './digest.js'

const now = Date.parse('2026-06-01T04:00:00Z')
const minute = 60_000
const nothing: LeftLately = { urgent: null, warningAt: null }

type Named = WaitingPage & { name: string }
const page = (name: string, severity: WaitingPage['severity'], more: Partial<WaitingPage> = {}): Named => ({
  name,
  severity,
  attempts: 0,
  digestId: null,
  heldUntil: null,
  hasConsole: true,
  ...more,
})
const pages = (severity: WaitingPage['severity'], count: number, more: Partial<WaitingPage> = {}) =>
  Array.from({ length: count }, (_, i) => page(`${severity[0]}${i + 1}`, severity, more))
const held = { heldUntil: now }
const urgentLeft = (messages: number, secondsAgo: number, digestSecondsAgo: number | null = null): LeftLately => ({
  ...nothing,
  urgent: {
    messages,
    lastAt: now - secondsAgo * 1_000,
    lastDigestAt: digestSecondsAgo === null ? null : now - digestSecondsAgo * 1_000,
  },
})
const warningLeft = (minutesAgo: number): LeftLately => ({ ...nothing, warningAt: now - minutesAgo * minute })

/** "w1 | [w2 w3] | w4 at +15": singles, digests, and what is held until how many minutes from now. */
function said(waiting: Named[], left: LeftLately): string {
  const { singles, digests, held } = groupPages(waiting, left, now)
  const names = (list: Named[]) => list.map(({ name }) => name).join(' ')
  return [
    names(singles),
    ...digests.map(({ digestId, pages }) => `${digestId ?? ''}[${names(pages)}]`),
    ...held.map(({ until, pages }) => `${names(pages)} at +${(until - now) / minute}`),
  ]
    .filter(Boolean)
    .join(' | ')
}

test.each<[string, Named[], LeftLately, string]>([
  ['nothing', [], nothing, ''],
  ['one warning leaves at once', pages('warning', 1), nothing, 'w1'],
  ['of three warnings the first leaves, the others wait', pages('warning', 3), nothing, 'w1 | w2 w3 at +15'],
  [
    'a warning 5 min after one waits for the end of the quarter of an hour',
    pages('warning', 1),
    warningLeft(5),
    'w1 at +10',
  ],
  ['what has waited goes as one', pages('warning', 3, held), warningLeft(15), '[w1 w2 w3]'],
  [
    'and takes along what came just now',
    [...pages('warning', 2, held), page('new', 'warning')],
    warningLeft(15),
    '[w1 w2 new]',
  ],
  ['what has waited alone goes alone', pages('warning', 1, held), warningLeft(15), 'w1'],
  ['a quarter of an hour after a warning the next one leaves at once', pages('warning', 1), warningLeft(15), 'w1'],
  [
    'a warning that left in the future: a clock jumped back, nothing waits for it',
    pages('warning', 1),
    warningLeft(-60),
    'w1',
  ],
  ['an urgent page leaves at once', pages('urgent', 1), nothing, 'u1'],
  ['so do five', pages('urgent', 5), nothing, 'u1 u2 u3 u4 u5'],
  ['six are a storm: one message, at once', pages('urgent', 6), nothing, '[u1 u2 u3 u4 u5 u6]'],
  ['after four that left a minute ago the next two leave at once', pages('urgent', 2), urgentLeft(4, 60), 'u1 u2'],
  ['after four within a minute two more wait', pages('urgent', 2), urgentLeft(4, 20), 'u1 u2 at +0.6666666666666666'],
  ['after four within a minute one more leaves at once', pages('urgent', 1), urgentLeft(4, 20), 'u1'],
  ['what follows a digest waits for a minute after it, one', pages('urgent', 1), urgentLeft(1, 30, 30), 'u1 at +0.5'],
  [
    'or a hundred',
    pages('urgent', 100),
    urgentLeft(1, 30, 30),
    `${pages('urgent', 100)
      .map(({ name }) => name)
      .join(' ')} at +0.5`,
  ],
  ['and goes then', pages('urgent', 7), urgentLeft(1, 60, 60), '[u1 u2 u3 u4 u5 u6 u7]'],
  [
    'warnings do not keep urgent pages waiting',
    [...pages('warning', 1), ...pages('urgent', 1)],
    warningLeft(5),
    'u1 | w1 at +10',
  ],
  [
    'an emergency leaves at once and alone, whatever else is going on',
    pages('emergency', 50),
    { ...urgentLeft(50, 1, 1), warningAt: now },
    pages('emergency', 50)
      .map(({ name }) => name)
      .join(' '),
  ],
  ['whoever has no console is told of each', pages('warning', 3, { hasConsole: false }), warningLeft(1), 'w1 w2 w3'],
  ['and of each urgent one', pages('urgent', 7, { hasConsole: false }), nothing, 'u1 u2 u3 u4 u5 u6 u7'],
  ['what failed alone is tried again alone', pages('warning', 2, { attempts: 1 }), warningLeft(1), 'w1 w2'],
  [
    'what failed together is tried again together, and as the same message',
    pages('urgent', 2, { attempts: 1, digestId: 'd' }),
    urgentLeft(9, 1, 1),
    'd[u1 u2]',
  ],
  [
    'also after a crash, when nobody knows whether it left',
    pages('urgent', 7, { digestId: 'd' }),
    nothing,
    'd[u1 u2 u3 u4 u5 u6 u7]',
  ],
])('%s', (_name, waiting, left, expected) => {
  expect(said(waiting, left)).toBe(expected)
})

test('each page is somewhere, once', () => {
  const all = [
    ...pages('warning', 30),
    ...pages('urgent', 30),
    ...pages('emergency', 3),
    page('again', 'warning', { digestId: 'd' }),
  ]
  for (const left of [nothing, warningLeft(3), urgentLeft(3, 10), urgentLeft(3, 10, 10)]) {
    const { singles, digests, held } = groupPages(all, left, now)
    const placed = [...singles, ...digests.flatMap(({ pages }) => pages), ...held.flatMap(({ pages }) => pages)]
    expect(placed.map(({ name, severity }) => severity + name).sort()).toEqual(
      all.map(({ name, severity }) => severity + name).sort(),
    )
  }
})

const told = (n: number, severity: DigestPage['severity'], minutesAgo: number): DigestPage => ({
  severity,
  openedAt: new Date(now - minutesAgo * minute),
  headlineZh: `水龙头一直开着 ${n}。`,
  headlineEn: `The tap has been running ${n}.`,
  residentName: `示例·居民 ${n}`,
  residentAddress: `示例路 ${n} 号\n假行`,
})

test('a digest says how many, the worst and oldest first, each in one line', () => {
  const { text, lines } = digestText([told(1, 'warning', 1), told(2, 'warning', 9), told(3, 'urgent', 2)])
  expect(text).toEqual({
    zh: '1 条急办预警、2 条警告等待处理',
    en: '1 urgent alert and 2 warnings waiting for somebody',
  })
  expect(lines).toEqual(
    [3, 2, 1].map((n) => ({
      zh: `示例·居民 ${n}（示例路 ${n} 号 假行）：水龙头一直开着 ${n}。`,
      en: `示例·居民 ${n} (示例路 ${n} 号 假行): The tap has been running ${n}.`,
    })),
  )
})

test('of many it lists the worst and says how many more there are', () => {
  const { lines } = digestText(Array.from({ length: 57 }, (_, i) => told(i, 'urgent', i)))
  expect(lines).toHaveLength(digestLinesMax + 1)
  expect(lines[0]!.en).toContain('running 56')
  expect(lines.at(-1)).toEqual({ zh: '另有 37 条，见值守台。', en: 'And 37 more, on the console.' })
})
