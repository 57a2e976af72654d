import type { Headline } from '../model.js'
import { type ChannelKind, channelWords, isChannelKind } from './kinds.js'

export * from './kinds.js'

/** Pure: the page on which a person enters an address, the register and the channel itself all ask here. */
export type AddressCheck =
  | { kind: 'fits'; address: string; secret: string | null }
  | { kind: 'wrong'; field: 'kind' | 'address' | 'secret'; text: Headline }

const addressCharsMax = 2_000
const secretCharsMax = 1_000

/** One address, nothing that could be read as a list, a group or a header. */
const emailPattern = /^[^\s\p{Cc}<>()[\]\\,;:"@]+@[^\s\p{Cc}<>()[\]\\,;:"@]+$/u

/** Browsers' push services (Chrome and Edge on Android, Firefox, Safari, Edge on Windows). */
const pushHosts =
  /^(fcm\.googleapis\.com|([a-z0-9-]+\.)*push\.services\.mozilla\.com|([a-z0-9-]+\.)*push\.apple\.com|([a-z0-9-]+\.)*notify\.windows\.com)$/

type Site = { hosts: RegExp; fits: (url: URL) => boolean; shape: Headline }
/** Where each provider takes messages: another host is taken only where a setting names its origin. */
const sites: Partial<Record<ChannelKind, Site>> = {
  wecom: {
    hosts: /^qyapi\.weixin\.qq\.com$/,
    fits: (url) => url.pathname === '/cgi-bin/webhook/send' && /^[\w-]{8,}$/.test(url.searchParams.get('key') ?? ''),
    shape: {
      zh: '地址应为 https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=……，请从群机器人处完整复制。',
      en: 'The address has to be https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=…, copied whole from the robot.',
    },
  },
  dingtalk: {
    hosts: /^oapi\.dingtalk\.com$/,
    fits: (url) => url.pathname === '/robot/send' && /^\w{16,}$/.test(url.searchParams.get('access_token') ?? ''),
    shape: {
      zh: '地址应为 https://oapi.dingtalk.com/robot/send?access_token=……，请从机器人设置处完整复制。',
      en: 'The address has to be https://oapi.dingtalk.com/robot/send?access_token=…, copied whole from the robot.',
    },
  },
  feishu: {
    hosts: /^(open\.feishu\.cn|open\.larksuite\.com)$/,
    fits: (url) => /^\/open-apis\/bot\/v2\/hook\/[\w-]{8,}$/.test(url.pathname),
    shape: {
      zh: '地址应为 https://open.feishu.cn/open-apis/bot/v2/hook/……，请从机器人设置处完整复制。',
      en: 'The address has to be https://open.feishu.cn/open-apis/bot/v2/hook/…, copied whole from the robot.',
    },
  },
  ntfy: {
    hosts: /^ntfy\.sh$/,
    // The topic's name is all that keeps strangers out.
    fits: (url) => /^\/[-\w]{8,64}$/.test(url.pathname) && url.search === '',
    shape: {
      zh: '地址应为 https://ntfy.sh/主题名；主题名用字母、数字、_ 或 -，8 到 64 个字符，别人猜不到。',
      en: 'The address has to be https://ntfy.sh/TOPIC; the topic is 8 to 64 letters, digits, _ or -, and hard to guess.',
    },
  },
  web_push: {
    hosts: pushHosts,
    fits: (url) => url.pathname.length > 1,
    shape: {
      zh: '这个浏览器的推送服务无法使用，请换用 Chrome、Edge、Firefox 或 Safari。',
      en: 'The push service of this browser cannot be used: please take Chrome, Edge, Firefox or Safari.',
    },
  },
}

const texts = {
  kind: { zh: '没有这种通知方式。', en: 'There is no such channel.' },
  empty: { zh: '请填写地址。', en: 'Please enter an address.' },
  long: { zh: '地址太长。', en: 'The address is too long.' },
  email: {
    zh: '请填写一个邮箱地址，例如 name@example.org。',
    en: 'Please enter one e-mail address, such as name@example.org.',
  },
  phone: {
    zh: '请填写电话号码：7 到 15 位数字，国外号码以 + 和国家代码开头。',
    en: 'Please enter a telephone number: 7 to 15 digits, with + and the country code if it is abroad.',
  },
  web: {
    zh: '请填写以 http:// 或 https:// 开头的地址。',
    en: 'Please enter an address that begins with http:// or https://.',
  },
  credentials: { zh: '地址里不能带用户名和密码。', en: 'The address must not contain a user name or password.' },
  secretMissing: { zh: '请填写密钥。', en: 'Please enter the secret.' },
  secretShort: { zh: '密钥至少 12 个字符。', en: 'The secret needs at least 12 characters.' },
  secretShape: { zh: '密钥不对，请重新复制。', en: 'This is not the secret: please copy it again.' },
  dingtalkSecret: { zh: '钉钉的加签密钥以 SEC 开头。', en: 'DingTalk’s signing secret begins with SEC.' },
  pushKeys: {
    zh: '浏览器没有给出推送密钥，请重新开启推送。',
    en: 'The browser gave no push keys: please switch push on again.',
  },
} satisfies Record<string, Headline>

/** A telephone number without what people write between its digits. */
export const plainNumber = (text: string): string => text.replace(/[\s().\-/]/g, '')

/** The keys of a push subscription, as the browser gives them, or undefined. */
export function parsePushKeys(secret: string | null): { p256dh: string; auth: string } | undefined {
  try {
    const { p256dh, auth } = JSON.parse(secret ?? '') as Record<string, unknown>
    // An uncompressed P-256 point is 65 bytes, the authentication secret 16 (RFC 8291).
    const fits = typeof p256dh === 'string' && /^[\w-]{87}=?$/.test(p256dh)
    return fits && typeof auth === 'string' && /^[\w-]{22}(==)?$/.test(auth) ? { p256dh, auth } : undefined
  } catch {
    return undefined
  }
}

function checkSecret(kind: ChannelKind, secret: string): Headline | undefined {
  if (!secret) return channelWords[kind].secretRequired ? texts.secretMissing : undefined
  if (secret.length > secretCharsMax || /\p{Cc}/u.test(secret)) return texts.secretShape
  if (kind === 'webhook' && secret.length < 12) return texts.secretShort
  if (kind === 'dingtalk' && !/^SEC[\w-]+$/.test(secret)) return texts.dingtalkSecret
  if (kind === 'web_push' && !parsePushKeys(secret)) return texts.pushKeys
  if ((kind === 'ntfy' || kind === 'feishu') && !/^[\x21-\x7E]+$/.test(secret)) return texts.secretShape
  return undefined
}

function checkWeb(kind: ChannelKind, address: string, origins: readonly string[]): Headline | undefined {
  if (/[\s\p{Cc}]/u.test(address) || !URL.canParse(address)) return texts.web
  const url = new URL(address)
  if (url.protocol !== 'http:' && url.protocol !== 'https:') return texts.web
  if (url.username || url.password) return texts.credentials
  const site = sites[kind]
  if (!site) return undefined
  const atProvider = url.protocol === 'https:' && url.port === '' && site.hosts.test(url.hostname)
  return (atProvider || origins.includes(url.origin)) && site.fits(url) ? undefined : site.shape
}

/**
 * Whether pages can be sent to `address` (and `secret`) by channel `kind`, both as a person typed them; where it fits,
 * both come back as they are to be kept. `origins` are web origins, such as `https://ntfy.example.org`, which are taken
 * beside the provider's own hosts: whoever may enter an address must not be able to make this server call an internal
 * one. A webhook goes wherever it is told to.
 */
export function checkAddress(
  kind: string,
  address: string,
  secret: string | null = null,
  origins: readonly string[] = [],
): AddressCheck {
  if (!isChannelKind(kind)) return { kind: 'wrong', field: 'kind', text: texts.kind }
  const wrong = (field: 'address' | 'secret', text: Headline): AddressCheck => ({ kind: 'wrong', field, text })
  const isNumber = kind === 'sms' || kind === 'voice_call'
  const kept = isNumber ? plainNumber(address) : address.trim()
  if (!kept) return wrong('address', texts.empty)
  if (kept.length > addressCharsMax) return wrong('address', texts.long)
  const bad = isNumber
    ? /^\+[1-9]\d{6,14}$|^\d{7,15}$/.test(kept)
      ? undefined
      : texts.phone
    : kind === 'email'
      ? emailPattern.test(kept) && kept.length <= 254
        ? undefined
        : texts.email
      : checkWeb(kind, kept, origins)
  if (bad) return wrong('address', bad)
  const keptSecret = channelWords[kind].secret ? (secret?.trim() ?? '') : ''
  const badSecret = checkSecret(kind, keptSecret)
  if (badSecret) return wrong('secret', badSecret)
  return { kind: 'fits', address: kept, secret: keptSecret || null }
}
