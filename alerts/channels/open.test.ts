import { expect, test } from 'vitest'
import type { Queryable } from '../../db/pool.js'
import { systemClock } from '../../kit/clock.js'
import { readSettings } from '../../kit/settings.js'
import { channelKinds, usableKinds } from './address.js'
import { openChannels, pushSubject, vapidKeysFor } from './open.js'

const away = { query: () => Promise.reject(new Error('the database is away')) } as unknown as Queryable
const examples = new URL('./examples/', import.meta.url).pathname
const open = (env: NodeJS.ProcessEnv) => {
  const settings = readSettings(env)
  return { settings, channels: openChannels({ settings, db: away, clock: systemClock }) }
}

test.each([
  [{}],
  [{ SMTP_URL: 'smtp://127.0.0.1:9' }],
  [
    {
      SMTP_URL: 'smtp://127.0.0.1:9',
      SMS_PROVIDER_FILE: `${examples}sms-aliyun.json`,
      VOICE_PROVIDER_FILE: `${examples}voice-twilio.json`,
    },
  ],
])('the channels that are open are those that people are offered: %o', async (env) => {
  const { settings, channels } = open(env)
  expect(channels.map(({ kind }) => kind).sort()).toEqual([...usableKinds(settings)].sort())
  await Promise.all(channels.map((channel) => channel.stop?.()))
})

test('with everything set, each kind is open', async () => {
  const { channels } = open({
    SMTP_URL: 'smtp://127.0.0.1:9',
    SMS_PROVIDER_FILE: `${examples}sms-twilio.json`,
    VOICE_PROVIDER_FILE: `${examples}voice-aliyun.json`,
  })
  expect(channels.map(({ kind }) => kind).sort()).toEqual([...channelKinds].sort())
  await Promise.all(channels.map((channel) => channel.stop?.()))
})

test('a provider’s file that cannot be used stops the start', () => {
  expect(() => open({ SMS_PROVIDER_FILE: '/nowhere.json' })).toThrow(/^setting SMS_PROVIDER_FILE = "\/nowhere\.json"/)
})

test('keys that do not belong together stop the start', () => {
  const env = { VAPID_PUBLIC_KEY: `B${'A'.repeat(86)}`, VAPID_PRIVATE_KEY: `B${'A'.repeat(42)}` }
  expect(() => open(env)).toThrow(/^settings VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY: /)
})

test('the keys are asked for again while the database is away, and then no more', async () => {
  let rows: object[] | undefined
  let asked = 0
  const db = {
    query: async () => {
      asked += 1
      if (!rows) throw new Error('the database is away')
      return { rows }
    },
  } as unknown as Queryable
  const keys = vapidKeysFor({ settings: readSettings({}), db, clock: systemClock })
  await expect(keys()).rejects.toThrow('away')
  rows = [{ publicKey: 'p', privateKey: 'q' }]
  expect(await keys()).toEqual({ publicKey: 'p', privateKey: 'q' })
  const askedBefore = asked
  await keys()
  expect(asked).toBe(askedBefore)
})

test.each([
  [{ VAPID_SUBJECT: 'mailto:a@example.org', PUBLIC_URL: 'https://b.example' }, 'mailto:a@example.org'],
  [{ PUBLIC_URL: 'https://b.example/path/' }, 'https://b.example'],
  [{ PUBLIC_URL: 'http://b.example', MAIL_FROM: 'Shouwang <c@example.org>' }, 'mailto:c@example.org'],
  [{ MAIL_FROM: 'd@example.org' }, 'mailto:d@example.org'],
])('push services find the operator: %o', (env, subject) => {
  expect(pushSubject(readSettings(env))).toBe(subject)
})
