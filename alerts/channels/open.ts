import type { Clock } from '../../kit/clock.js'
import type { Settings } from '../../kit/settings.js'
import type { Channel } from './channel.js'
import { emailChannel } from './email.js'
import { webhookChannel } from './webhook.js'

/** The channels that this server can use: the webhook always, e-mail where SMTP_URL is set. */
export function openChannels({ settings, clock }: { settings: Settings; clock: Clock }): Channel[] {
  const webhook = webhookChannel({ clock })
  const { SMTP_URL: smtpUrl, MAIL_FROM: from } = settings
  return smtpUrl ? [webhook, emailChannel({ smtpUrl, from, clock })] : [webhook]
}
