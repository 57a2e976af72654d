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
  [{ CHANNEL_ORIGINS: 'https://ntfy.example.org/' }, 'CHANNEL_ORIGINS = "https://ntfy.example.org/": is not a list'],
  [{ CHANNEL_ORIGINS: 'https://a.example,ftp://b.example' }, 'CHANNEL_ORIGINS = '],
  [{ VAPID_PUBLIC_KEY: 'abc' }, 'VAPID_PUBLIC_KEY = "abc": is not a P-256 public key'],
  [{ VAPID_PUBLIC_KEY: 'B'.repeat(87) }, 'VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY: give both or neither'],
  [{ VAPID_SUBJECT: 'a@example.org' }, 'VAPID_SUBJECT = "a@example.org": is not a mailto: or https: address'],
  [{ DEMO: 'maybe' }, 'DEMO = "maybe"'],
  [{ MAIL_FROM: 'abc' }, 'MAIL_FROM = "abc": is not an address'],
  [{ RETENTION_DAYS: '1' }, 'RETENTION_DAYS = "1"'],
  [{ WATCH_EVERY_SECONDS: '10' }, 'WATCH_EVERY_SECONDS = "10": is not 0 (off) or from 30 to 3600'],
  [{ WATCH_MQTT_URL: 'http://127.0.0.1' }, 'setting WATCH_MQTT_URL: '],
  [{ DEAD_MAN_URL: 'ftp://hc.example/geheim' }, 'setting DEAD_MAN_URL: '],
  [{ IMAP_URL: 'http://a:geheim@imap.example' }, 'setting IMAP_URL: '],
  [{ IMAP_URL: 'imaps://imap.example' }, 'holds no user and password'],
  [{ REPLY_TO: 'nobody' }, 'REPLY_TO = "nobody": is not an address'],
  [{ SILENCE_ALARMS_PER_MONTH: '0.1' }, 'SILENCE_ALARMS_PER_MONTH = "0.1"'],
  [{ SILENCE_ALARMS_PER_MONTH: '9' }, 'SILENCE_ALARMS_PER_MONTH = "9"'],
])('%o is refused in one line that names it', (env, message) => {
  expect(() => readSettings(env)).toThrow(message)
})

test('the learned line costs two questions a month unless told otherwise, and 0 takes it away', () => {
  expect(readSettings({}).SILENCE_ALARMS_PER_MONTH).toBe(2)
  expect(readSettings({ SILENCE_ALARMS_PER_MONTH: '' }).SILENCE_ALARMS_PER_MONTH).toBe(2)
  expect(readSettings({ SILENCE_ALARMS_PER_MONTH: '0' }).SILENCE_ALARMS_PER_MONTH).toBe(0)
  expect(readSettings({ SILENCE_ALARMS_PER_MONTH: '0.5' }).SILENCE_ALARMS_PER_MONTH).toBe(0.5)
})

test('a secret is not repeated in the message', () => {
  expect(() => readSettings({ DATABASE_URL: 'http://user:geheim@host' })).toThrow(/^(?!.*geheim)/)
  expect(() => readSettings({ HOME_ASSISTANT_SECRET: 'geheim' })).toThrow(/^(?!.*geheim)/)
  expect(() => readSettings({ VAPID_PRIVATE_KEY: 'geheim' })).toThrow(/^(?!.*geheim)/)
  expect(() => readSettings({ IMAP_URL: 'http://a:geheim@imap.example' })).toThrow(/^(?!.*geheim)/)
})

test('links are made without a double slash', () => {
  expect(publicUrlOf(readSettings({ PUBLIC_URL: 'https://a.example/' }), 1)).toBe('https://a.example')
  expect(publicUrlOf(readSettings({}), 8081)).toBe('http://localhost:8081')
})
