import { afterAll, beforeAll, expect, test } from 'vitest'
import { manualClock } from '../../kit/clock.js'
import { type SmtpReceiver, startSmtpServer } from '../../test/support/smtp-server.js'
import type { Page } from '../channels/channel.js'
import { emailChannel } from '../channels/email.js'

const at = new Date('2026-03-10T06:05:00Z')
const page: Page = {
  pageId: '0d9a4c1e-7a3b-4c65-9a52-1b2c3d4e5f60',
  alertId: '1',
  severity: 'emergency',
  kind: 'button',
  resident: { id: 'r', name: '示例·居民', address: '示例路 1 号' },
  headline: { zh: '按钮被按下。', en: 'The button was pressed.' },
  openedAt: at,
  observedAt: at,
  step: 1,
  round: 0,
  url: 'https://example.org/p/x',
  timeZone: 'Asia/Shanghai',
  language: 'en',
}
const help = 'You can also reply to this e-mail: 1 I am taking it'
let smtp: SmtpReceiver
beforeAll(async () => {
  smtp = await startSmtpServer()
})
afterAll(() => smtp.stop())

async function sent(options: { replyTo?: string; repliesAreRead?: boolean }, more: Partial<Page> = {}) {
  const channel = emailChannel({ smtpUrl: smtp.url, from: 'S <s@example.org>', clock: manualClock(at), ...options })
  const to = { address: 'zhang@example.org', secret: null, name: 'Zhang' }
  const count = smtp.mails.length
  await channel.send({ ...page, ...more }, to, { attempt: 1, signal: new AbortController().signal })
  await channel.stop?.()
  return smtp.mails[count]!
}

test('where replies are read, a page says at its end what may be replied; elsewhere it does not', async () => {
  const read = await sent({ repliesAreRead: true })
  expect(read.text.trimEnd().split('\n').at(-1)).toContain(help)
  expect(read.html).toContain(help)
  expect(read.html.trimEnd().endsWith('</html>')).toBe(true)
  const unread = await sent({})
  expect(unread.text + unread.html).not.toContain(help)
})

test('the family has nothing to reply', async () => {
  const { text, html } = await sent({ repliesAreRead: true }, { audience: 'family' })
  expect(text + html).not.toContain(help)
})

test('answers go where the setting says', async () => {
  expect((await sent({ replyTo: 'S <replies@example.org>' })).headers.get('reply-to')).toEqual([
    'S <replies@example.org>',
  ])
  expect((await sent({})).headers.get('reply-to')).toBeUndefined()
})
