import type { Queryable } from '../../db/pool.js'
import { vapidKeysOf } from '../../db/vapid-keys.js'
import type { Clock } from '../../kit/clock.js'
import { StartError } from '../../kit/lifecycle.js'
import type { Settings } from '../../kit/settings.js'
import type { Channel } from './channel.js'
import { dingtalkChannel } from './dingtalk.js'
import { emailChannel } from './email.js'
import { feishuChannel } from './feishu.js'
import { ntfyChannel } from './ntfy.js'
import { providerChannel } from './provider.js'
import { readProvider } from './provider-file.js'
import { signingKey, type VapidKeys } from './push-crypto.js'
import { webPushChannel } from './web-push.js'
import { webhookChannel } from './webhook.js'
import { wecomChannel } from './wecom.js'

/** Where a push service finds the operator: what the setting says, else the pages' own address, else the mail's sender. */
export function pushSubject({ VAPID_SUBJECT, PUBLIC_URL, MAIL_FROM }: Settings): string {
  if (VAPID_SUBJECT) return VAPID_SUBJECT
  if (PUBLIC_URL?.startsWith('https:')) return new URL(PUBLIC_URL).origin
  return `mailto:${/<([^<>]+)>$/.exec(MAIL_FROM)?.[1] ?? MAIL_FROM}`
}

const prepareAgainMs = 60_000

/** The keys for Web Push: the settings' where given, else those kept in the database, asked for once. */
export function vapidKeysFor({
  settings,
  db,
  clock,
}: {
  settings: Settings
  db: Queryable
  clock: Clock
}): () => Promise<VapidKeys> {
  const { VAPID_PUBLIC_KEY: publicKey, VAPID_PRIVATE_KEY: privateKey } = settings
  let keys: VapidKeys | undefined
  if (publicKey && privateKey) {
    keys = { publicKey, privateKey }
    try {
      signingKey(keys)
    } catch (error) {
      throw new StartError(`settings VAPID_PUBLIC_KEY and VAPID_PRIVATE_KEY: ${(error as Error).message}`)
    }
  }
  const get = async () => {
    keys ??= await vapidKeysOf(db, clock.now())
    return keys
  }
  // So that an edge has them when the database goes away, also one that was started before the tables were there.
  const prepare = () => void get().catch(() => setTimeout(prepare, prepareAgainMs).unref())
  prepare()
  return get
}

/**
 * The channels that this server can use: e-mail where SMTP_URL is set, text messages and calls where a provider's file
 * is, and all those that need nothing but a person's address.
 * @throws StartError where a provider's file or the keys cannot be used
 */
export function openChannels({ settings, db, clock }: { settings: Settings; db: Queryable; clock: Clock }): Channel[] {
  const { SMTP_URL: smtpUrl, MAIL_FROM: from, REPLY_TO: replyTo, CHANNEL_ORIGINS: origins } = settings
  const repliesAreRead = settings.IMAP_URL !== undefined
  const { SMS_PROVIDER_FILE: smsFile, VOICE_PROVIDER_FILE: voiceFile } = settings
  const vapidKeys = vapidKeysFor({ settings, db, clock })
  const sms = smsFile && readProvider({ setting: 'SMS_PROVIDER_FILE', path: smsFile })
  const voice = voiceFile && readProvider({ setting: 'VOICE_PROVIDER_FILE', path: voiceFile })
  return [
    webhookChannel({ clock }),
    ...(smtpUrl ? [emailChannel({ smtpUrl, from, replyTo, repliesAreRead, clock })] : []),
    ...(sms ? [providerChannel({ kind: 'sms', provider: sms, clock })] : []),
    ...(voice ? [providerChannel({ kind: 'voice_call', provider: voice, clock })] : []),
    wecomChannel({ clock, origins }),
    dingtalkChannel({ clock, origins }),
    feishuChannel({ clock, origins }),
    ntfyChannel({ clock, origins }),
    webPushChannel({ clock, vapidKeys, subject: pushSubject(settings), origins }),
  ]
}
