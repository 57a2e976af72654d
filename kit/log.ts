import { type Logger, pino } from 'pino'

export type Log = Logger

/** Keys under which people, secrets and message bodies travel; redacted wherever they appear in a log line. */
const redactedKeys = [
  'name',
  'address',
  'phone',
  'login',
  'password',
  'secret',
  'token',
  'headline',
  'payload',
  'authorization',
  'cookie',
  'contact',
]

/**
 * A logger for one role. Events are logged by name and id, never people:
 * `log.info({ alertId, step }, 'alert.escalated')`.
 */
export function createLog({ role, level }: { role: string; level: string }): Log {
  return pino({
    level,
    base: { role },
    timestamp: pino.stdTimeFunctions.isoTime,
    redact: { paths: redactedKeys.flatMap((key) => [key, `*.${key}`, `*.*.${key}`]), censor: '[redacted]' },
  })
}
