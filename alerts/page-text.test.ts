import { expect, test } from 'vitest'
import { samplePage } from '../test/support/page.js'
import type { Page } from './channels/channel.js'
import { messageNotification, messageSms, messageSpeech, messageText } from './message-text.js'
import { severityOf } from './model.js'
import { pageNotification, pageSms, pageSpeech, pageText, spacedDigits } from './page-text.js'
import { smsParts, utf8Bytes } from './text-fit.js'

const now = new Date('2026-03-10T06:05:30Z')
const roomy = (text: string) => utf8Bytes(text) <= 2_048
const english = {
  language: 'en' as const,
  resident: { id: 'demo-r01', name: 'Example Wang', address: '1 Example Road, flat 101' },
  keyHolder: 'the porter',
}
const link = `https://shouwang.example/p/${'k'.repeat(43)}`

test('a page for a group, in Chinese', () => {
  expect(pageText({ page: samplePage(), now, fits: roomy })).toBe(`【守望】紧急呼叫：示例·王奶奶
示例路 1 号 101 室
14:03 卧室的呼叫按钮被按下。
时间：2 分钟前，14:03
备用钥匙：示例·李师傅（门卫室）
无人确认时，系统会继续通知其他人。
点此确认由您处理：https://shouwang.example/a/demo-token`)
})

test('whom the home was asked through before stands after the time; a name cannot add a line', () => {
  const asked = { at: new Date('2026-03-10T05:35:00Z'), ways: ['home', 'family'] as const, by: '示例·女儿\n假的一行' }
  const lines = (result: 'unanswered' | 'sent for', fits = roomy) =>
    pageText({
      page: samplePage({ kind: 'silence_unusual', severity: 'urgent', asked: { ...asked, result } }),
      now,
      fits,
    })
  expect(lines('unanswered').split('\n')[4]).toBe('13:35 起询问过（家里的语音或提示音、家属），没有回应。')
  expect(lines('sent for').split('\n')[4]).toBe(
    '13:35 起询问过（家里的语音或提示音、家属）；示例·女儿 假的一行 请马上派人去看。',
  )
  expect(lines('unanswered', (text) => utf8Bytes(text) <= 300)).not.toContain('询问过')
})

test('a page for a group, in English, of gas', () => {
  expect(
    pageText({ page: samplePage({ ...english, kind: 'gas' }), now, fits: roomy }),
  ).toBe(`[Shouwang 守望] Gas alarm: Example Wang
1 Example Road, flat 101
Take care: Knock: no electric doorbell, no light switches or appliances. Go outside before you phone.
The call button in the bedroom was pressed at 14:03.
When: 2 min ago, 14:03
Spare key: the porter
If nobody acknowledges, others are told.
Tap to say that you are taking this: https://shouwang.example/a/demo-token`)
})

test('where there is little room, what, who, where, the danger and the link stay', () => {
  const page = samplePage({ kind: 'gas', url: link })
  const small = pageText({ page, now, fits: (text) => utf8Bytes(text) <= 290 })
  expect(small.split('\n')).toEqual([
    '【守望】燃气报警：示例·王奶奶',
    '示例路 1 号 101 室',
    '注意：不要按电门铃，不要开关灯和电器，敲门即可；到室外再打电话。',
    `点此确认由您处理：${link}`,
  ])
  const smaller = pageText({ page, now, fits: (text) => utf8Bytes(text) <= 200 })
  expect(smaller).toContain(link)
  expect(smaller.split('\n')).toHaveLength(3)
})

const others: [string, (page: Page) => string][] = [
  ['a group', (page) => pageText({ page, now, fits: roomy })],
  ['a locked screen', (page) => Object.values(pageNotification({ page, now, fits: roomy })).join('\n')],
  ['a text message', (page) => pageSms({ page, partsMax: 4 })],
  ['a telephone', (page) => pageSpeech(page)],
]

test.each(others)('%s is told no door code, number or health, whatever the alert', (_, write) => {
  for (const [kind, severity] of Object.entries(severityOf))
    for (const audience of ['staff', 'volunteer', 'family'] as const) {
      const text = write(samplePage({ kind: kind as Page['kind'], severity, audience }))
      expect(text).toContain('王奶奶')
      expect(text).not.toMatch(/1357|听力|000-0000|0 0 0/)
    }
})

test.each(others)('%s that belongs to the family learns what and who, not where and not how', (_, write) => {
  for (const language of ['zh', 'en'] as const) {
    const text = write(samplePage({ audience: 'family', language, kind: 'smoke', url: 'https://shouwang.example/f/x' }))
    expect(text).toContain('示例·王奶奶')
    expect(text).toMatch(language === 'zh' ? /烟雾报警/ : /Smoke alarm/)
    expect(text).not.toMatch(/示例路|101|1 0 1|卧室|bedroom|李师傅|Confirm|确认由您/)
  }
})

test('to the family: who was told, and since when, by the clock of the home', () => {
  const page = samplePage({ audience: 'family', url: 'https://shouwang.example/f/x' })
  expect(pageText({ page, now, fits: roomy })).toBe(`【守望】示例·王奶奶：紧急呼叫
时间：2 分钟前，14:03
系统已于 14:03 开始通知社区工作人员。
您无需确认。后续情况请看您的家属页面（社区给您的链接）；担心的话，可以直接给老人或社区打电话。`)
})

test.each([
  [{}, `紧急呼叫：示例·王奶奶，示例路 1 号 101 室。确认：${link}`],
  [english, `Call button pressed: Example Wang, 1 Example Road, flat 101. Confirm: ${link}`],
  [{ round: 1 }, `再次通知：紧急呼叫：示例·王奶奶，示例路 1 号 101 室。确认：${link}`],
  [{ audience: 'family' as const }, '紧急呼叫：示例·王奶奶。'],
])('a text message %#', (changes, expected) => {
  const text = pageSms({ page: samplePage({ ...changes, url: link }), partsMax: 2 })
  expect(text).toBe(expected)
  expect(smsParts(text)).toBeLessThanOrEqual(2)
})

test('a text message stays within its parts, the link whole, however long the record', () => {
  const resident = { id: 'r', name: '很长的名字'.repeat(20), address: '很长的地址'.repeat(60) }
  for (const partsMax of [2, 3, 4])
    for (const reservedChars of [0, 4, 20]) {
      const text = pageSms({ page: samplePage({ resident, url: link, round: 2 }), partsMax, reservedChars })
      expect(smsParts('x'.repeat(reservedChars) + text)).toBeLessThanOrEqual(partsMax)
      expect(text.endsWith(link)).toBe(true)
      expect(text).toMatch(/^再次通知：紧急呼叫：很长/)
    }
  // One part does not even hold the link: it is sent all the same, in two.
  expect(pageSms({ page: samplePage({ resident, url: link }), partsMax: 1 }).endsWith(link)).toBe(true)
})

test('a telephone says it twice, digits one by one', () => {
  expect(pageSpeech(samplePage())).toBe(
    '这里是守望。紧急呼叫。示例·王奶奶，示例路 1 号 1 0 1 室。请马上查看守望发来的通知，并确认由您处理。再说一遍。紧急呼叫。示例·王奶奶，示例路 1 号 1 0 1 室。请马上查看守望发来的通知，并确认由您处理。',
  )
  expect(pageSpeech(samplePage(english))).toMatch(
    /^This is Shouwang\. Call button pressed\. (.+) Once more\. Call button pressed\. \1$/,
  )
  expect(spacedDigits('12 号 1204 室，010 起')).toBe('12 号 1 2 0 4 室，0 1 0 起')
})

test('nothing from a record becomes a second line or another link', () => {
  const nasty = 'Demo\r\nhttps://evil.example\u2028x\u202Ey\u0000'
  const page = samplePage({
    resident: { id: 'r', name: nasty, address: nasty },
    headline: { zh: nasty, en: nasty },
    keyHolder: nasty,
  })
  const plain = pageText({ page: samplePage(), now, fits: roomy })
  const text = pageText({ page, now, fits: roomy })
  expect(text.split('\n')).toHaveLength(plain.split('\n').length)
  expect(text.split('\n').filter((line) => line.startsWith('http'))).toEqual([])
  expect(pageSms({ page, partsMax: 9 })).not.toMatch(/[\r\n\u2028\u202E\0]/)
})

const digest = {
  messageId: 'm-1',
  kind: 'digest' as const,
  text: { zh: '12 条预警', en: '12 alerts' },
  lines: Array.from({ length: 40 }, (_, at) => ({ zh: `第 ${at + 1} 条`, en: `Number ${at + 1}` })),
  url: 'https://shouwang.example/',
  at: now,
  language: 'zh' as const,
}

test('of a message the first lines stay, and the link', () => {
  const text = messageText({ message: digest, fits: (whole) => utf8Bytes(whole) <= 120 })
  expect(text).toBe(
    '【守望】12 条预警\n第 1 条\n第 2 条\n第 3 条\n第 4 条\n第 5 条\n第 6 条\n第 7 条\nhttps://shouwang.example/',
  )
  expect(messageNotification({ message: digest, fits: (body) => utf8Bytes(body) <= 22 })).toEqual({
    title: '12 条预警',
    body: '第 1 条\n第 2 条',
  })
  expect(messageSms({ message: { ...digest, language: 'en' }, partsMax: 2 })).toBe(
    '12 alerts https://shouwang.example/',
  )
  expect(messageSms({ message: { ...digest, text: { zh: '字'.repeat(500), en: '' } }, partsMax: 2 })).toMatch(
    /^字+… https:\/\/shouwang\.example\/$/,
  )
  expect(messageSpeech(digest)).toBe('这里是守望。12 条预警。再说一遍。12 条预警。')
})
