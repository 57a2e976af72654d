import type { Headline } from '../model.js'

/** The ways to reach a person, and what each is called. Pure. */
export const channelKinds = [
  'email',
  'sms',
  'voice_call',
  'web_push',
  'wecom',
  'dingtalk',
  'feishu',
  'ntfy',
  'webhook',
] as const
export type ChannelKind = (typeof channelKinds)[number]

export const isChannelKind = (kind: string): kind is ChannelKind => (channelKinds as readonly string[]).includes(kind)

export type ChannelWords = {
  name: Headline
  /** What has to be entered as address, and where to find it. */
  address: Headline
  /** What has to be entered as secret; null where there is none. */
  secret: Headline | null
  secretRequired: boolean
  /** Who can read what is sent there, and what is therefore left out. */
  readers: Headline
}

export const channelWords: Record<ChannelKind, ChannelWords> = {
  email: {
    name: { zh: '电子邮件', en: 'E-mail' },
    address: { zh: '邮箱地址', en: 'E-mail address' },
    secret: null,
    secretRequired: false,
    readers: {
      zh: '只有您能看到；上门所需的信息都在邮件里。',
      en: 'Only you read it. It says all that is needed at the door.',
    },
  },
  sms: {
    name: { zh: '短信', en: 'Text message' },
    address: { zh: '手机号码，国外号码以 + 和国家代码开头', en: 'Mobile number, with + and country code if abroad' },
    secret: null,
    secretRequired: false,
    readers: {
      zh: '短信经过运营商，也会显示在锁屏上：只写什么事、谁、在哪里和链接。',
      en: 'It passes through the operator and shows on a locked screen: what, who, where and the link, nothing more.',
    },
  },
  voice_call: {
    name: { zh: '语音电话', en: 'Voice call' },
    address: { zh: '电话号码，国外号码以 + 和国家代码开头', en: 'Telephone number, with + and country code if abroad' },
    secret: null,
    secretRequired: false,
    readers: {
      zh: '电话里只说什么事、谁、在哪里，说两遍；接听不等于确认。',
      en: 'It says what, who and where, twice. Answering the call does not acknowledge.',
    },
  },
  web_push: {
    name: { zh: '浏览器推送', en: 'Browser push' },
    address: { zh: '由浏览器提供，不用填写', en: 'Given by the browser, nothing to type' },
    secret: { zh: '由浏览器提供的密钥', en: 'Keys given by the browser' },
    secretRequired: true,
    readers: {
      zh: '推送会显示在锁屏上：门禁密码和健康情况只在打开后的页面里。',
      en: 'It shows on a locked screen: door code and health are on the page that it opens.',
    },
  },
  wecom: {
    name: { zh: '企业微信群机器人', en: 'WeCom group robot' },
    address: {
      zh: '机器人的 Webhook 地址（群设置 → 群机器人），以 https://qyapi.weixin.qq.com/ 开头',
      en: 'The robot’s webhook address (group settings → group robots); it begins with https://qyapi.weixin.qq.com/',
    },
    secret: null,
    secretRequired: false,
    readers: {
      zh: '群里所有人都能看到：不写门禁密码、电话和健康情况。',
      en: 'Everybody in the group reads it: no door code, telephone number or health.',
    },
  },
  dingtalk: {
    name: { zh: '钉钉群机器人', en: 'DingTalk group robot' },
    address: {
      zh: '机器人的 Webhook 地址，以 https://oapi.dingtalk.com/robot/send 开头',
      en: 'The robot’s webhook address; it begins with https://oapi.dingtalk.com/robot/send',
    },
    secret: {
      zh: '加签密钥，以 SEC 开头；若安全设置用的是关键词“守望”，留空',
      en: 'Signing secret, beginning with SEC; leave empty where the robot’s keyword is 守望 instead',
    },
    secretRequired: false,
    readers: {
      zh: '群里所有人都能看到：不写门禁密码、电话和健康情况。',
      en: 'Everybody in the group reads it: no door code, telephone number or health.',
    },
  },
  feishu: {
    name: { zh: '飞书群机器人', en: 'Feishu group robot' },
    address: {
      zh: '机器人的 Webhook 地址，以 https://open.feishu.cn/open-apis/bot/v2/hook/ 开头',
      en: 'The robot’s webhook address; it begins with https://open.feishu.cn/open-apis/bot/v2/hook/ (or open.larksuite.com)',
    },
    secret: {
      zh: '签名校验密钥；若安全设置用的是关键词“守望”，留空',
      en: 'Signing secret; leave empty where the robot’s keyword is 守望 instead',
    },
    secretRequired: false,
    readers: {
      zh: '群里所有人都能看到：不写门禁密码、电话和健康情况。',
      en: 'Everybody in the group reads it: no door code, telephone number or health.',
    },
  },
  ntfy: {
    name: { zh: 'ntfy 推送', en: 'ntfy' },
    address: {
      zh: '主题地址，例如 https://ntfy.sh/一个猜不到的名字',
      en: 'Topic address, such as https://ntfy.sh/a-name-nobody-guesses',
    },
    secret: { zh: '访问令牌（tk_ 开头），公开主题留空', en: 'Access token (tk_…); empty for a public topic' },
    secretRequired: false,
    readers: {
      zh: '公开主题知道名字就能看到：不写门禁密码、电话和健康情况。',
      en: 'Whoever knows the name of a public topic reads it: no door code, telephone number or health.',
    },
  },
  webhook: {
    name: { zh: 'Webhook 回调', en: 'Webhook' },
    address: { zh: '接收通知的 http 或 https 地址', en: 'The http or https address that takes the page' },
    secret: { zh: '签名密钥，至少 12 个字符', en: 'Signing secret, at least 12 characters' },
    secretRequired: true,
    readers: {
      zh: '由您指定的系统接收，请求带签名；不含门禁密码、电话和健康情况。',
      en: 'Your own system reads it, signed; without door code, telephone number or health.',
    },
  },
}

/** Which of them a server can use with these settings; the others need nothing but an address. */
export function usableKinds(settings: {
  SMTP_URL?: string | undefined
  SMS_PROVIDER_FILE?: string | undefined
  VOICE_PROVIDER_FILE?: string | undefined
}): ChannelKind[] {
  const needs: Partial<Record<ChannelKind, string | undefined>> = {
    email: settings.SMTP_URL,
    sms: settings.SMS_PROVIDER_FILE,
    voice_call: settings.VOICE_PROVIDER_FILE,
  }
  return channelKinds.filter((kind) => !(kind in needs) || Boolean(needs[kind]))
}
