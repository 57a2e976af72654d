import { describe, expect, test } from 'vitest'
import {
  failsAuthentication,
  type InboundMail,
  isWorthReading,
  judgeMail,
  oneAddress,
  ownIdsIn,
} from './inbound-mail.js'

const id = '0d9a4c1e-7a3b-4c65-9a52-1b2c3d4e5f60'
const other = '11111111-2222-4333-8444-555555555555'
const inReplyTo = `<page-${id}@example.org>`

function mail(
  headers: Record<string, string | string[]>,
  text: string | null = '1',
  more: Partial<InboundMail> = {},
): InboundMail {
  const all = { from: '示例 <zhang@example.org>', 'in-reply-to': inReplyTo, ...headers }
  return {
    headers: new Map(Object.entries(all).map(([name, value]) => [name, [value].flat()])),
    text,
    html: false,
    ...more,
  }
}
const verdict = (headers: Record<string, string | string[]>, text?: string | null, more?: Partial<InboundMail>) =>
  judgeMail(mail(headers, text, more))

test('a reply: which page, from whom, what it says', () => {
  expect(verdict({ from: '"Zhang, 社工" <Zhang@Example.org>' }, '在路上\n> 不')).toEqual({
    kind: 'reply',
    ids: [{ kind: 'page', id }],
    from: 'zhang@example.org',
    intent: 'en_route',
  })
  expect(verdict({}, '<p>no</p>', { html: true })).toMatchObject({ intent: 'decline' })
  // An encrypted mail or a picture alone: nobody knows what it says.
  expect(verdict({}, null)).toMatchObject({ intent: 'unclear' })
  expect(verdict({}, '')).toMatchObject({ intent: 'acknowledge' })
})

test('the page that is answered directly comes first, from either header', () => {
  const references = `<page-${other}@example.org> <abc@example.org> <notice-${other}@example.org>`
  expect(ownIdsIn(`${references} ${inReplyTo}`)).toEqual([
    { kind: 'page', id },
    { kind: 'notice', id: other },
  ])
  expect(verdict({ 'in-reply-to': '', references: `${references} ${inReplyTo}` })).toMatchObject({
    ids: [{ id }, { id: other }],
  })
})

test('a mail that answers nothing of ours is none of our business, and its body is not asked for', () => {
  for (const strange of [
    '',
    '<abc@example.org>',
    `page-${id}@example.org`,
    `<page-${id.slice(1)}@example.org>`,
    `<page-${id}>`,
  ]) {
    expect(verdict({ 'in-reply-to': strange })).toMatchObject({ kind: 'not ours' })
    expect(isWorthReading(mail({ 'in-reply-to': strange }))).toBe(false)
  }
})

describe('what a program sent never acknowledges', () => {
  test.each<[string, Record<string, string>]>([
    ['auto-replied', { 'auto-submitted': 'auto-replied' }],
    ['auto-generated with a comment', { 'auto-submitted': 'Auto-Generated (vacation)' }],
    ['precedence bulk', { precedence: 'bulk' }],
    ['precedence list', { precedence: 'LIST' }],
    ['precedence auto_reply', { precedence: 'auto_reply' }],
    ['a mailing list', { 'list-id': '<a.example.org>' }],
    ['x-autoreply', { 'x-autoreply': 'yes' }],
    ['no address for an answer', { 'return-path': '<>' }],
    ['mailer-daemon', { from: 'Mail <MAILER-DAEMON@example.org>' }],
    ['no-reply', { from: 'no-reply@example.org' }],
    ['a Chinese subject', { subject: '自动回复: 紧急呼叫' }],
    ['an English subject', { subject: 'Automatic reply: Call button' }],
    ['out of office', { subject: 'Out of Office: Call button' }],
    ['a receipt that it was read', { 'content-type': 'multipart/report; report-type=disposition-notification' }],
  ])('%s', (_name, headers) => {
    expect(verdict(headers)).toMatchObject({ kind: 'refused', reason: 'automatic' })
  })
  test('a person’s mail with the usual headers does', () => {
    const usual = {
      'auto-submitted': 'no',
      precedence: 'normal',
      'return-path': '<zhang@example.org>',
      subject: 'Re: 紧急呼叫',
      'x-autoreply': 'no',
    }
    expect(verdict(usual)).toMatchObject({ kind: 'reply', intent: 'acknowledge' })
  })
})

describe('who wrote it', () => {
  test.each<[string, string[], string | null]>([
    ['an address', ['a@example.org'], 'a@example.org'],
    ['with a name', ['A B <a@Example.org>'], 'a@example.org'],
    ['a name that holds an address', ['"x@evil.example" <a@example.org>'], 'a@example.org'],
    ['a comment', ['a@example.org (Zhang)'], 'a@example.org'],
    ['two', ['a@example.org, b@example.org'], null],
    ['two in angles', ['<a@example.org> <b@example.org>'], null],
    ['two headers', ['a@example.org', 'b@example.org'], null],
    ['none', [], null],
    ['empty', ['<>'], null],
    ['a NUL in it', ['a\0@example.org'], null],
  ])('%s', (_name, values, address) => {
    expect(oneAddress(values)).toBe(address)
  })
  test('without one address it is refused', () => {
    expect(verdict({ from: 'a@example.org, b@example.org' })).toMatchObject({
      kind: 'refused',
      reason: 'no one sender',
    })
  })
})

describe('what the server that took it says of its sender', () => {
  test.each<[string, string[], boolean]>([
    ['nothing', [], false],
    ['all well', ['mx.example.org; spf=pass; dkim=pass; dmarc=pass'], false],
    ['DMARC failed', ['mx.example.org; spf=pass; dmarc=fail (p=none) header.from=x'], true],
    ['SPF failed', ['mx.example.org; spf=fail smtp.mailfrom=x'], true],
    ['SPF failed softly', ['mx.example.org; spf=softfail'], false],
    ['forwarded: SPF failed, DMARC by the signature', ['mx.example.org; spf=fail; dkim=pass; dmarc=pass'], false],
    ['an earlier server said fail', ['mx.example.org; dmarc=pass', 'relay.example.net; dmarc=fail'], false],
    ['a forged pass below', ['mx.example.org; dmarc=fail', 'mx.evil.example; dmarc=pass'], true],
    ['the same server in two headers', ['mx.example.org 1; spf=pass', 'mx.example.org; dmarc=fail'], true],
    ['a comment that says fail', ['mx.example.org; dmarc=pass (dmarc=fail; spf=fail)'], false],
  ])('%s', (_name, values, fails) => {
    expect(failsAuthentication(values)).toBe(fails)
  })
  test('thousands of results cost no time', () => {
    const startedAt = performance.now()
    failsAuthentication(Array(20).fill(';'.repeat(20_000)))
    // A few milliseconds where nothing else runs; with an expression made for each result, 0.9 s.
    expect(performance.now() - startedAt).toBeLessThan(500)
  })
  test('a forged mail is refused', () => {
    expect(verdict({ 'authentication-results': 'mx.example.org; dmarc=fail' })).toMatchObject({ reason: 'forged' })
  })
})

describe('reports of delivery', () => {
  const report = (action: string, status: string) => ({
    report: {
      status: `Reporting-MTA: dns; mx.example.org\r\n\r\nFinal-Recipient: rfc822; Zhang@Example.org\r\nAction: ${action}\r\nStatus: ${status}\r\nDiagnostic-Code: smtp; 550 5.1.1 no such\r\n user here\r\n`,
      original: `From: Shouwang <shouwang@example.org>\r\nMessage-ID: <page-${id}@example.org>\r\n`,
    },
  })
  const headers = {
    'content-type': 'multipart/report; report-type=delivery-status',
    from: 'MAILER-DAEMON@example.org',
    'in-reply-to': '',
  }
  test('failed for good: whose address, which page, why', () => {
    expect(isWorthReading(mail(headers))).toBe(true)
    expect(verdict(headers, '', report('failed', '5.1.1'))).toEqual({
      kind: 'bounce',
      ids: [{ kind: 'page', id }],
      recipient: 'zhang@example.org',
      reason: '5.1.1 550 5.1.1 no such user here',
    })
  })
  test('why, in what the database takes: no NUL, and no half of a character where it is cut', () => {
    const { report: ours } = report('failed', '5.1.1')
    const odd = { ...ours, status: ours.status.replace('no such', `no\0such ${'😀'.repeat(300)}`) }
    const { reason } = verdict(headers, '', { report: odd }) as { reason: string }
    expect(reason).toMatch(/^5\.1\.1 550 5\.1\.1 no such 😀+$/u)
    expect(reason).toBe(reason.toWellFormed())
  })
  test('delayed, delivered, or about another mail: nothing', () => {
    expect(verdict(headers, '', report('delayed', '4.4.1'))).toMatchObject({ kind: 'not ours' })
    expect(verdict(headers, '', report('delivered', '2.0.0'))).toMatchObject({ kind: 'not ours' })
    expect(verdict(headers, '', report('failed', '4.4.1'))).toMatchObject({ kind: 'not ours' })
    const { report: ours } = report('failed', '5.1.1')
    expect(verdict(headers, '', { report: { ...ours, original: 'Message-ID: <x@example.org>' } })).toMatchObject({
      kind: 'not ours',
    })
  })
})
