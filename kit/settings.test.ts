import { expect, test } from 'vitest'
import { publicUrlOf, readSettings } from './settings.js'

test('without any setting there are defaults, and an empty one counts as unset', () => {
  expect(readSettings({ MQTT_PORT: '' })).toMatchObject({
    MQTT_PORT: 1883,
    HTTP_PORT: 8080,
    TZ_DEFAULT: 'Asia/Shanghai',
    HOST: '127.0.0.1',
  })
})

test.each([
  [{ MQTT_PORT: 'abc' }, 'MQTT_PORT = "abc"'],
  [{ HTTP_PORT: '70000' }, 'HTTP_PORT = "70000"'],
  [{ DATABASE_URL: 'nonsense' }, 'DATABASE_URL'],
  [{ DATABASE_URL: 'mysql://x/y' }, 'DATABASE_URL'],
  [{ TZ_DEFAULT: 'Mars/Base' }, 'TZ_DEFAULT = "Mars/Base": is not a known IANA time zone'],
  [{ TLS_CERT_FILE: 'a.pem' }, 'TLS_CERT_FILE and TLS_KEY_FILE: give both or neither'],
  [{ HOME_ASSISTANT_SECRET: 'long enough secret' }, 'HOME_ASSISTANT_SECRET and HOME_ASSISTANT_COMMUNITIES: give both'],
  [{ HOME_ASSISTANT_COMMUNITIES: 'a' }, 'HOME_ASSISTANT_SECRET and HOME_ASSISTANT_COMMUNITIES: give both or neither'],
  [
    { HOME_ASSISTANT_SECRET: 'long enough secret', HOME_ASSISTANT_COMMUNITIES: 'a,,b' },
    'HOME_ASSISTANT_COMMUNITIES = "a,,b": is not a list',
  ],
  [{ DEMO: 'maybe' }, 'DEMO = "maybe"'],
  [{ MAIL_FROM: 'abc' }, 'MAIL_FROM = "abc": is not an address'],
  [{ RETENTION_DAYS: '1' }, 'RETENTION_DAYS = "1"'],
  [{ SILENCE_ALARMS_PER_MONTH: '0' }, 'SILENCE_ALARMS_PER_MONTH = "0"'],
  [{ SILENCE_ALARMS_PER_MONTH: '9' }, 'SILENCE_ALARMS_PER_MONTH = "9"'],
])('%o is refused in one line that names it', (env, message) => {
  expect(() => readSettings(env)).toThrow(message)
})

test('the learned line is off until a number is given', () => {
  expect(readSettings({}).SILENCE_ALARMS_PER_MONTH).toBeUndefined()
  expect(readSettings({ SILENCE_ALARMS_PER_MONTH: '' }).SILENCE_ALARMS_PER_MONTH).toBeUndefined()
  expect(readSettings({ SILENCE_ALARMS_PER_MONTH: '0.5' }).SILENCE_ALARMS_PER_MONTH).toBe(0.5)
})

test('a secret is not repeated in the message', () => {
  expect(() => readSettings({ DATABASE_URL: 'http://user:geheim@host' })).toThrow(/^(?!.*geheim)/)
  expect(() => readSettings({ HOME_ASSISTANT_SECRET: 'geheim' })).toThrow(/^(?!.*geheim)/)
})

test('links are made without a double slash', () => {
  expect(publicUrlOf(readSettings({ PUBLIC_URL: 'https://a.example/' }), 1)).toBe('https://a.example')
  expect(publicUrlOf(readSettings({}), 8081)).toBe('http://localhost:8081')
})
