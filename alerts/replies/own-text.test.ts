import { describe, expect, test } from 'vitest'
import { firstOwnLine, textOfHtml } from './own-text.js'

const quoted = '> 紧急呼叫：示例·王奶奶\n> 点此确认由您处理：\n> https://example.org/p/abc\n'
const link = `https://example.org/p/${'A'.repeat(43)}`

describe('the first line that its writer wrote, in the ways of mail programs', () => {
  const table: [name: string, text: string, own: string][] = [
    ['a word alone', '1', '1'],
    ['a word above a quotation', `收到\n\n${quoted}`, '收到'],
    ['Gmail', `1\n\nOn Sat, 21 Nov 2026 at 14:05, Shouwang <shouwang@example.org> wrote:\n\n${quoted}`, '1'],
    [
      'Gmail, attribution over two lines',
      `\nOn Sat, 21 Nov 2026 at 14:05, Shouwang\n<shouwang@example.org> wrote:\n${quoted}`,
      '',
    ],
    ['Gmail in Chinese', `守望 <shouwang@example.org> 于2026年11月21日周六 14:05写道：\n${quoted}`, ''],
    ['below the quotation', `On Sat, 21 Nov 2026, Shouwang wrote:\n${quoted}\nno\n`, 'no'],
    ['between quotations', `${quoted}去不了\n${quoted}`, '去不了'],
    ['Outlook', `Taking it\n\n-----Original Message-----\nFrom: Shouwang\nno\n`, 'Taking it'],
    ['Outlook without a word', `\n\n________________________________\nFrom: Shouwang\nSent: Saturday\nno\n`, ''],
    ['Outlook in Chinese', `\n发件人: 守望 <shouwang@example.org>\n发送时间: 2026年11月21日\n不\n`, ''],
    ['QQ Mail', `1\n\n\n------------------ 原始邮件 ------------------\n发件人: "守望"\n`, '1'],
    ['163, quoting without marks', `在 2026-11-21 14:05:00，"守望" <shouwang@example.org> 写道：\n不要按电门铃\n`, ''],
    ['a telephone', '\n\n发自我的 iPhone\n', ''],
    ['a telephone after a word', '到了\n发自我的iPhone', '到了'],
    ['a signature in English', '\nSent from my phone\n', ''],
    ['a quotation without any sign', `\n${link}\n不\n`, ''],
    ['a blank that is none', '\u200b\ufeff\n\u00a01\r\n', '1'],
    ['nothing', '', ''],
  ]
  test.each(table)('%s', (_name, text, own) => {
    expect(firstOwnLine(text)).toBe(own)
  })
})

describe('HTML', () => {
  test('its text without style, quotations and entities', () => {
    const own = (html: string) => firstOwnLine(textOfHtml(html))
    expect(own('<html><head><style>p{color:red}</style></head><body><div>on my way</div></body></html>')).toBe(
      'on my way',
    )
    expect(own('<div dir="ltr">&#19981;&nbsp;</div><div class="gmail_quote"><p>收到</p></div>')).toBe('不')
    expect(own('<div><br></div><blockquote><p>no</p></blockquote>')).toBe('')
    expect(own('<div id="divRplyFwdMsg">no</div>')).toBe('')
    expect(own('<p>I can&#39;t</p>')).toBe("I can't")
    expect(own('<!-- 1 --><script>no</script><p>3')).toBe('3')
  })
  test('odd markup costs no time and brings no tag through', () => {
    const startedAt = performance.now()
    for (const odd of [
      '<'.repeat(100_000),
      '<div '.repeat(50_000),
      '<!--'.repeat(50_000),
      '&#'.repeat(100_000),
      '<a class="'.repeat(30_000),
    ])
      expect(textOfHtml(odd)).not.toMatch(/<div|<a/)
    expect(performance.now() - startedAt).toBeLessThan(4_000)
  })
})

test('a long mail costs no time', () => {
  const startedAt = performance.now()
  for (const odd of [
    'on 1 '.repeat(20_000),
    '\n'.repeat(100_000),
    `${'a <b@c>'.repeat(2_000)}\n`.repeat(20),
    '-'.repeat(50_000),
    'On 1'.repeat(9_000),
  ])
    firstOwnLine(odd)
  // A few milliseconds where nothing else runs; what grows with the square of the length takes minutes.
  expect(performance.now() - startedAt).toBeLessThan(4_000)
})

test('nor does a line that is nearly an address again and again', () => {
  const startedAt = performance.now()
  for (let i = 0; i < 20; i++) firstOwnLine(`${'<'.repeat(200)}${'@'.repeat(399)}\nx`)
  // Under 1 ms where nothing else runs; with both sides of the @ unbounded, 0.25 s for each.
  expect(performance.now() - startedAt).toBeLessThan(1_000)
})
