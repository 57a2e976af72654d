import { expect, test } from 'vitest'
import { startDemoPhone } from './demo-phone.js'

test('prints a page with its link, a call task and any other message with its words, and what it does not understand', async () => {
  const printed: string[] = []
  const phone = await startDemoPhone({ print: (line) => printed.push(line) })
  const post = (body: string) => fetch(`${phone.url}/demo-worker`, { method: 'POST', body })
  const resident = { name: '示例·李爷爷' }
  const headline = { zh: '按钮按下。', en: 'Button pressed.' }
  const page = { pageId: 'p', severity: 'emergency', kind: 'button', resident, headline, url: 'http://here/p/1' }
  const task = { noticeId: 'n', severity: 'notice', kind: 'call task', text: { zh: '请打电话。', en: 'Please phone.' } }
  await post(JSON.stringify(page))
  await post(JSON.stringify({ ...task, url: 'http://here/ask/1' }))
  await post(JSON.stringify({ ...task, kind: 'weekly report' }))
  await post('{')
  await phone.stop()
  expect(printed).toEqual([
    '☎  demo-worker: [emergency] 示例·李爷爷: 按钮按下。 Button pressed.\n   http://here/p/1',
    '☎  demo-worker: [call task] 请打电话。 Please phone.\n   http://here/ask/1',
    '☎  demo-worker: [weekly report] 请打电话。 Please phone.',
    '☎  a page that is not JSON',
  ])
})
