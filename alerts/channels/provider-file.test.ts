import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { StartError } from '../../kit/lifecycle.js'
import { fillText, gapNames, messageValuesOf, parseProvider, readProvider } from './provider-file.js'

const folder = mkdtempSync(join(tmpdir(), 'shouwang-provider-'))
afterAll(() => rmSync(folder, { recursive: true }))
const good = {
  name: 'Example',
  url: 'https://sms.example/send',
  values: { to: '{to}', text: '{text}' },
  answers: [{ status: ['2xx'], means: 'sent' }],
}

test.each([
  [{ ...good, url: 'nowhere' }, 'url: '],
  [{ ...good, values: { to: '{to}', text: '{txet}' } }, 'values: there is nothing to put into {txet}'],
  [{ ...good, values: { text: '{text}' } }, 'values: nothing says whom to reach: {to} is missing'],
  [{ ...good, messageValues: { to: '{to}', who: '{who}' } }, 'messageValues: there is nothing to put into {who}'],
  [{ ...good, answers: [] }, 'answers: '],
  [{ ...good, answers: [{ status: ['2xx'], means: 'refused' }] }, 'answers: none of them means "sent"'],
  [{ ...good, answers: [{ means: 'sent' }] }, 'answers.0: needs "status" or "field"'],
  [{ ...good, answers: [{ field: 'Code', means: 'sent' }] }, 'answers.0: "field" and "is" go together'],
  [{ ...good, answers: [{ status: ['2xxx'], means: 'sent' }] }, 'answers.0.status.0: '],
  [{ ...good, sign: { way: 'basic', user: 'x' } }, 'sign.password: '],
  [
    { ...good, send: 'json', sign: { way: 'aliyun rpc', accessKeyId: 'a', accessKeySecret: 'b' } },
    'send: way "aliyun rpc" signs a form or a query',
  ],
  [{ ...good, sigm: {} }, 'the document: '],
  [[], 'the document: '],
])('%# is refused in one line', (json, message) => {
  expect(() => parseProvider(json)).toThrow(message)
})

test('a file that is missing, no JSON or wrong stops the start, and its secrets stay in it', () => {
  const path = join(folder, 'sms.json')
  const read = () => readProvider({ setting: 'SMS_PROVIDER_FILE', path })
  expect(read).toThrow(/^setting SMS_PROVIDER_FILE = ".+sms\.json": ENOENT/)
  writeFileSync(path, '{ "name": geheim')
  expect(read).toThrow(/^setting SMS_PROVIDER_FILE = ".+sms\.json": is no JSON$/)
  writeFileSync(path, JSON.stringify({ ...good, sign: { way: 'bearer', token: 'geheim', extra: 'geheim' } }))
  expect(read).toThrow(StartError)
  expect(read).toThrow(/^(?!.*geheim)/)
  writeFileSync(path, JSON.stringify(good))
  expect(read()).toMatchObject({ name: 'Example', method: 'POST', send: 'form', partsMax: 2 })
})

test('a provider that only has templates for alerts is not used for messages', () => {
  expect(messageValuesOf(parseProvider(good))).toEqual(good.values)
  expect(messageValuesOf(parseProvider({ ...good, values: { to: '{to}', who: '{who}' } }))).toBe(undefined)
  const messageValues = { to: '{to}', text: '{text}' }
  expect(messageValuesOf(parseProvider({ ...good, messageValues }))).toEqual(messageValues)
})

test('what fills a gap fills no other, and cannot end an element', () => {
  const gaps = Object.fromEntries(gapNames.map((name) => [name, name])) as Parameters<typeof fillText>[1]
  const nasty = { ...gaps, speech: `{to}</Say><Hangup/>&"'$&` }
  expect(fillText('<Say>{xml:speech}</Say>', nasty)).toBe(
    '<Say>{to}&#60;/Say&#62;&#60;Hangup/&#62;&#38;&#34;&#39;$&#38;</Say>',
  )
})
