import { expect, test } from 'vitest'
import { samplePage } from '../test/support/page.js'
import { severityOf } from './model.js'
import { ageText, oneLine, pageMessage } from './page-message.js'

const now = new Date('2026-03-10T06:05:30Z')
const minutes = (count: number) => new Date(now.getTime() - count * 60_000)
const textOf = (changes = {}, at = now) => pageMessage({ page: samplePage(changes), now: at }).text
const english = {
  language: 'en' as const,
  resident: { id: 'demo-r01', name: 'Example Wang', address: '1 Example Road, flat 101' },
  keyHolder: 'the porter',
  healthNote: 'hard of hearing, knock loudly',
}

test('the whole message in Chinese', () => {
  const { subject, text } = pageMessage({ page: samplePage(), now })
  expect(subject).toBe('紧急呼叫：示例·王奶奶，示例路 1 号 101 室')
  expect(text).toBe(`紧急呼叫：示例·王奶奶，示例路 1 号 101 室

14:03 卧室的呼叫按钮被按下。
时间：2 分钟前，14:03

上门须知：
地址：示例路 1 号 101 室
门禁密码：1357#
备用钥匙：示例·李师傅（门卫室）
居民电话：000-0000-0001
健康情况：听力不好，敲门要用力

点此确认由您处理：
https://shouwang.example/a/demo-token
打开后再按一次“确认”即可，无需登录。链接 24 小时内有效，只能用一次。

如果无人确认，系统会继续通知其他同事。
`)
})

test('the whole message in English', () => {
  const { subject, text } = pageMessage({ page: samplePage(english), now })
  expect(subject).toBe('Call button pressed: Example Wang, 1 Example Road, flat 101')
  expect(text).toBe(`Call button pressed: Example Wang, 1 Example Road, flat 101

The call button in the bedroom was pressed at 14:03.
When: 2 min ago, 14:03

At the door:
Address: 1 Example Road, flat 101
Door code: 1357#
Spare key: the porter
Resident’s phone: 000-0000-0001
Health: hard of hearing, knock loudly

Tap to say that you are taking this:
https://shouwang.example/a/demo-token
It opens a page with one button to confirm; no login. The link works once, for 24 hours.

If nobody acknowledges, others are told.
`)
})

test('each kind of alert begins with its own words, in both languages', () => {
  for (const language of ['zh', 'en'] as const) {
    const firsts = (Object.keys(severityOf) as (keyof typeof severityOf)[]).map(
      (kind) => pageMessage({ page: samplePage({ kind, language }), now }).text.split('\n')[0],
    )
    expect(new Set(firsts).size).toBe(firsts.length)
    for (const first of firsts) expect(first).toContain('示例·王奶奶')
  }
})

test('what is not recorded leaves no empty line behind', () => {
  const bare = textOf({ doorCode: null, keyHolder: '', healthNote: '  ', phone: undefined })
  expect(bare).toContain('上门须知：\n地址：示例路 1 号 101 室\n\n点此')
})

test('health is told for what concerns a person, not for a flat battery', () => {
  for (const [kind, severity] of Object.entries(severityOf)) {
    const told = textOf({ kind, severity }).includes('听力不好')
    expect({ kind, told }).toEqual({ kind, told: severity === 'emergency' || severity === 'urgent' })
  }
})

test('gas and smoke come with what could hurt the one who goes', () => {
  expect(textOf({ kind: 'gas' })).toContain('注意：不要按电门铃')
  expect(textOf({ kind: 'smoke', language: 'en' })).toContain('Take care: If the door')
  expect(textOf()).not.toContain('注意')
})

test('a volunteer gets what opens the door by a neighbour: no door code, nothing of health', () => {
  const text = textOf({ audience: 'volunteer' })
  expect(text).toContain('地址：示例路 1 号 101 室\n备用钥匙：示例·李师傅（门卫室）\n居民电话：000-0000-0001\n\n点此')
  expect(text).toContain('如果您去不了，不用操作')
  const { html } = pageMessage({ page: samplePage({ audience: 'volunteer' }), now })
  expect(html + text).not.toMatch(/1357|听力/)
})

test('the family gets who, what, when and that staff have been told', () => {
  const page = samplePage({ audience: 'family', url: 'https://shouwang.example/f/x' })
  const { subject, text, html } = pageMessage({ page, now })
  expect(subject).toBe('示例·王奶奶：紧急呼叫')
  expect(text).toBe(`示例·王奶奶：紧急呼叫

时间：2 分钟前，14:03
系统已于 14:03 开始通知社区工作人员。
您无需确认。后续情况请看您的家属页面（社区给您的链接）；担心的话，可以直接给老人或社区打电话。
`)
  expect(html + text).not.toMatch(/1357|听力|示例路|卧室|李师傅|000-0000|确认由您|https:/)
  expect(pageMessage({ page: { ...page, language: 'en' }, now }).text).toBe(`示例·王奶奶: Call button pressed

When: 2 min ago, 14:03
The community’s staff have been told, beginning at 14:03.
There is nothing to confirm. Your family page (the link that the community gave you) says how it goes on. If you are worried, phone your relative or the community.
`)
})

test('a page of a later round says that it is one', () => {
  const { subject, text } = pageMessage({ page: samplePage({ round: 1 }), now })
  expect(subject).toBe('再次通知：紧急呼叫：示例·王奶奶，示例路 1 号 101 室')
  expect(text).toContain('这是再次通知')
  expect(textOf()).not.toContain('再次通知')
})

test('a page of an alert that came back says who had it, and how far that person had come', () => {
  const back = { round: 1, returned: { name: '示例·李社工', stage: 'en_route' as const } }
  expect(pageMessage({ page: samplePage(back), now }).text).toContain('这是再次通知：示例·李社工 出发后迟迟没有到达。')
  const { text, html } = pageMessage({ page: samplePage({ ...back, language: 'en' }), now })
  for (const message of [text, html]) expect(message).toContain('was on the way and did not arrive in time')
})

test('the time is the one on the clock in the home, with its day when that is not today', () => {
  expect(textOf({ timeZone: 'Europe/Berlin' })).toContain('时间：2 分钟前，07:03')
  const night = new Date('2026-03-09T15:50:00Z')
  const page = { openedAt: night, observedAt: night }
  expect(textOf(page, new Date('2026-03-09T16:10:00Z'))).toContain('时间：20 分钟前，3 月 9 日 23:50')
  expect(textOf({ ...page, language: 'en' }, new Date('2026-03-09T16:10:00Z'))).toContain('20 min ago, 9 Mar 23:50')
  const midnight = new Date('2026-03-09T16:00:00Z')
  expect(textOf({ openedAt: midnight, observedAt: midnight }, midnight)).toContain('时间：刚刚，00:00')
})

test('an alarm that arrived late says when it happened and when it was known', () => {
  expect(textOf({ observedAt: minutes(200), openedAt: minutes(1) })).toContain(
    '时间：3 小时 20 分钟前，10:45；系统于 14:04 发出预警',
  )
  expect(textOf({ ...english, observedAt: minutes(200), openedAt: minutes(1) })).toContain(
    'When: 3 h 20 min ago, 10:45; alert opened 14:04',
  )
})

test('a device whose clock runs ahead never makes "in the future" of an alarm', () => {
  expect(textOf({ observedAt: minutes(-120), openedAt: minutes(1) })).toContain(
    '时间：1 分钟前，14:04；设备时钟不准（设备显示 16:05）',
  )
  expect(textOf({ observedAt: minutes(-0.5), openedAt: minutes(0) })).toContain('时间：刚刚，14:06')
})

test.each([
  [0, '刚刚', 'just now'],
  [59_999, '刚刚', 'just now'],
  [60_000, '1 分钟前', '1 min ago'],
  [3_599_999, '59 分钟前', '59 min ago'],
  [3_600_000, '1 小时前', '1 h ago'],
  [12_000_000, '3 小时 20 分钟前', '3 h 20 min ago'],
  [172_799_999, '47 小时 59 分钟前', '47 h 59 min ago'],
  [172_800_000, '2 天前', '2 days ago'],
  [-5_000, '刚刚', 'just now'],
])('%i ms is "%s", "%s"', (ms, zh, en) => {
  expect(ageText(ms, 'zh')).toBe(zh)
  expect(ageText(ms, 'en')).toBe(en)
})

test('nothing from a record becomes markup', () => {
  const nasty = `<script>alert("1")</script>&'`
  const { html } = pageMessage({
    page: samplePage({
      resident: { id: 'r', name: nasty, address: nasty },
      headline: { zh: nasty, en: nasty },
      doorCode: nasty,
      keyHolder: nasty,
      healthNote: nasty,
      phone: nasty,
      url: `https://shouwang.example/a?x="><script>&y=1`,
    }),
    now,
  })
  expect(html).not.toContain('<script')
  expect(html).not.toContain(`"1"`)
  expect(html).toContain('&lt;script&gt;alert(&quot;1&quot;)&lt;/script&gt;&amp;&#39;')
  expect(html).toContain('href="https://shouwang.example/a?x=&quot;&gt;&lt;script&gt;&amp;y=1"')
})

test('nothing from a record becomes a second line, or turns the text around', () => {
  const nasty = 'Demo\r\n点此确认由您处理：\nhttps://evil.example\u2028x\u202Ey\u0000'
  const page = samplePage({
    resident: { id: 'r', name: nasty, address: nasty },
    headline: { zh: nasty, en: nasty },
    doorCode: nasty,
    keyHolder: nasty,
    healthNote: nasty,
    phone: nasty,
  })
  const plain = pageMessage({ page: samplePage(), now })
  const { subject, text } = pageMessage({ page, now })
  expect(subject).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\u202E]/u)
  expect(text.split('\n')).toHaveLength(plain.text.split('\n').length)
  expect(text.split('\n').filter((line) => line.startsWith('http'))).toEqual([page.url])
})

test('a very long record is cut, between characters', () => {
  expect([...oneLine('😀'.repeat(1_000), 10)]).toHaveLength(10)
  const { subject } = pageMessage({
    page: samplePage({ resident: { id: 'r', name: 'x'.repeat(1e5), address: 'y'.repeat(1e5) } }),
    now,
  })
  expect(subject.length).toBeLessThan(400)
})

test('the same page at the same time is the same message', () => {
  expect(pageMessage({ page: samplePage(), now })).toEqual(pageMessage({ page: samplePage(), now }))
})
