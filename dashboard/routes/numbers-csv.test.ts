import { expect, test } from 'vitest'
import { csv, csvCell } from './numbers-csv.js'

test.each<[string, string | number | null, string]>([
  ['a word', '示例社区', '示例社区'],
  ['nothing', null, ''],
  ['a number', 12.5, '12.5'],
  ['a negative number of ours', -3, '-3'],
  ['a comma', 'a,b', '"a,b"'],
  ['a quote', 'say "no"', '"say ""no"""'],
  ['two lines', 'a\nb', '"a\nb"'],
  ['a formula', '=1+2', "'=1+2"],
  ['a command', '@SUM(A1)', "'@SUM(A1)"],
  ['plus and minus', '+8613', "'+8613"],
  ['a minus in a text', '-2+3', "'-2+3"],
  ['a formula after a space', '  =1+2', "'  =1+2"],
  ['a formula in wide letters', '＝1+2', "'＝1+2"],
  ['a formula with a comma', '=HYPERLINK("http://x.example","y")', '"\'=HYPERLINK(""http://x.example"",""y"")"'],
  ['a tab', '\t=1', "'\t=1"],
  ['a carriage return', '\r=1', '"\'\r=1"'],
])('%s', (_, cell, expected) => {
  expect(csvCell(cell)).toBe(expected)
})

test('a file begins with what tells Excel that it is UTF-8, and its lines end as RFC 4180 has them', () => {
  expect(
    csv([
      ['a', 'b'],
      ['居民', 2],
    ]),
  ).toBe('\uFEFFa,b\r\n居民,2\r\n')
})
