import { z } from 'zod'
import { StartError } from './lifecycle.js'

const port = (fallback: number) => z.coerce.number().int().min(0).max(65_535).default(fallback)
const onOff = () =>
  z.enum(['0', '1', 'false', 'true', 'off', 'on']).transform((word) => word === '1' || word === 'true' || word === 'on')
const timeZone = z.string().refine(
  (zone) => {
    try {
      return Boolean(new Intl.DateTimeFormat('en', { timeZone: zone }))
    } catch {
      return false
    }
  },
  { message: 'is not a known IANA time zone' },
)

/** Each setting is an environment variable; the README lists them with the defaults that stand here. */
const settingsSchema = z.object({
  DATABASE_URL: z.url({ protocol: /^postgres(ql)?$/ }).optional(),
  DATA_DIR: z.string().min(1).default('data'),
  HOST: z.string().min(1).default('127.0.0.1'),
  MQTT_PORT: port(1883),
  MQTTS_PORT: port(8883),
  MQTT_WS_PORT: port(8083),
  TLS_CERT_FILE: z.string().min(1).optional(),
  TLS_KEY_FILE: z.string().min(1).optional(),
  ATTACH_URL: z.url({ protocol: /^mqtts?$/ }).optional(),
  ATTACH_NAME: z
    .string()
    .regex(/^[A-Za-z0-9_-]{1,32}$/, 'is not 1 to 32 letters, digits, - or _')
    .default('shouwang'),
  ATTACH_SESSIONS: z.coerce.number().int().min(1).max(16).default(1),
  HOME_ASSISTANT_SECRET: z.string().min(12).max(128).optional(),
  HOME_ASSISTANT_COMMUNITIES: z
    .string()
    .transform((list) => list.split(',').map((id) => id.trim()))
    .refine((ids) => ids.every((id) => id !== ''), 'is not a list of community ids with commas between them')
    .optional(),
  HOME_ASSISTANT_LANGUAGE: z.enum(['zh', 'en']).default('zh'),
  HTTP_PORT: port(8080),
  PUBLIC_URL: z.url({ protocol: /^https?$/ }).optional(),
  TRUST_PROXY: onOff().default(false),
  EDGE_HTTP_PORT: port(9101),
  ALERTS_HTTP_PORT: port(9102),
  TZ_DEFAULT: timeZone.default('Asia/Shanghai'),
  SMTP_URL: z.url({ protocol: /^smtps?$/ }).optional(),
  MAIL_FROM: z
    .string()
    .regex(
      /^([^<>]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/,
      'is not an address such as "Shouwang <shouwang@example.org>"',
    )
    .default('Shouwang <shouwang@localhost>'),
  REPLY_TO: z
    .string()
    .regex(/^([^<>]*<[^<>@\s]+@[^<>@\s]+>|[^<>@\s]+@[^<>@\s]+)$/, 'is not an address')
    .optional(),
  IMAP_URL: z
    .url({ protocol: /^imaps?$/ })
    .refine((url) => URL.canParse(url) && new URL(url).username !== '' && new URL(url).password !== '', {
      message: 'holds no user and password, as in imaps://user:password@imap.example.org',
    })
    .optional(),
  IMAP_MAILBOX: z.string().min(1).max(200).default('INBOX'),
  SMS_PROVIDER_FILE: z.string().min(1).optional(),
  VOICE_PROVIDER_FILE: z.string().min(1).optional(),
  CHANNEL_ORIGINS: z
    .string()
    .transform((list) => list.split(',').map((origin) => origin.trim()))
    .refine(
      (list) => list.every((each) => /^https?:/.test(each) && URL.canParse(each) && new URL(each).origin === each),
      'is not a list of origins such as https://ntfy.example.org with commas between them',
    )
    .default([]),
  VAPID_PUBLIC_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{87}$/, 'is not a P-256 public key in base64url')
    .optional(),
  VAPID_PRIVATE_KEY: z
    .string()
    .regex(/^[A-Za-z0-9_-]{43}$/, 'is not a P-256 private key in base64url')
    .optional(),
  VAPID_SUBJECT: z
    .string()
    .regex(/^(mailto:[^\s@]+@[^\s@]+|https:\/\/\S+)$/, 'is not a mailto: or https: address')
    .optional(),
  RETENTION_DAYS: z.coerce.number().int().min(31).max(3_660).default(396),
  JOURNAL_MB_MAX: z.coerce.number().int().min(1).max(1_000_000).default(1_024),
  WATCH_MQTT_URL: z.url({ protocol: /^(mqtts?|wss?)$/ }).optional(),
  WATCH_EVERY_SECONDS: z.coerce
    .number()
    .int()
    .refine((seconds) => seconds === 0 || (seconds >= 30 && seconds <= 3_600), 'is not 0 (off) or from 30 to 3600')
    .default(180),
  WATCH_RECEIVER_URL: z.url({ protocol: /^http$/ }).optional(),
  DEAD_MAN_URL: z.url({ protocol: /^https?$/ }).optional(),
  SILENCE_ALARMS_PER_MONTH: z.coerce
    .number()
    .refine((alarms) => alarms === 0 || (alarms >= 0.2 && alarms <= 8), 'is not 0 (off) or from 0.2 to 8')
    .default(2),
  DEMO: onOff().optional(),
  LOG_LEVEL: z.enum(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']).optional(),
})

export type Settings = z.infer<typeof settingsSchema>
export const settingNames = Object.keys(settingsSchema.shape)

/**
 * Reads and checks the settings once, at start.
 * @throws StartError naming the first wrong setting and why, in one line
 */
export function readSettings(env: NodeJS.ProcessEnv = process.env): Settings {
  const given = Object.fromEntries(Object.entries(env).filter(([, value]) => value !== ''))
  const parsed = settingsSchema.safeParse(given)
  if (!parsed.success) {
    const issue = parsed.error.issues[0]!
    const name = String(issue.path[0])
    const secret = /URL|SECRET|PRIVATE/.test(name)
    throw new StartError(`setting ${name}${secret ? '' : ` = "${given[name]}"`}: ${issue.message}`)
  }
  const settings = parsed.data
  if (Boolean(settings.TLS_CERT_FILE) !== Boolean(settings.TLS_KEY_FILE))
    throw new StartError('settings TLS_CERT_FILE and TLS_KEY_FILE: give both or neither')
  if (Boolean(settings.VAPID_PUBLIC_KEY) !== Boolean(settings.VAPID_PRIVATE_KEY))
    throw new StartError('settings VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY: give both or neither')
  if (Boolean(settings.HOME_ASSISTANT_SECRET) !== Boolean(settings.HOME_ASSISTANT_COMMUNITIES))
    throw new StartError('settings HOME_ASSISTANT_SECRET and HOME_ASSISTANT_COMMUNITIES: give both or neither')
  return settings
}

/** Where people reach the pages: PUBLIC_URL without a trailing slash, or this machine at `httpPort`. */
export const publicUrlOf = (settings: Settings, httpPort: number): string =>
  (settings.PUBLIC_URL ?? `http://localhost:${httpPort}`).replace(/\/+$/, '')
