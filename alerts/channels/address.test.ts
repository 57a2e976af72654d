import { expect, test } from 'vitest'
import { channelKinds, channelWords, checkAddress, usableKinds } from './address.js'

const key = 'robot-key-0001'
const token = 'a'.repeat(64)
const pushSecret = JSON.stringify({ p256dh: 'B'.repeat(87), auth: 'A'.repeat(22) })

test.each([
  ['email', ' name@example.org ', null, 'name@example.org'],
  ['sms', '138 0000-0000', null, '13800000000'],
  ['sms', '+34 (600) 000.000', null, '+34600000000'],
  ['voice_call', '010-1234567', null, '0101234567'],
  ['wecom', `https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${key}`, null, undefined],
  ['dingtalk', `https://oapi.dingtalk.com/robot/send?access_token=${token}`, 'SECabc', undefined],
  ['dingtalk', `https://oapi.dingtalk.com/robot/send?access_token=${token}`, '', undefined],
  ['feishu', 'https://open.feishu.cn/open-apis/bot/v2/hook/0f0e0d0c-0001', 'abc', undefined],
  ['feishu', 'https://open.larksuite.com/open-apis/bot/v2/hook/0f0e0d0c-0001', null, undefined],
  ['ntfy', 'https://ntfy.sh/shouwang-8f3k2', null, undefined],
  ['web_push', 'https://fcm.googleapis.com/fcm/send/abc', pushSecret, undefined],
  ['web_push', 'https://updates.push.services.mozilla.com/wpush/v2/abc', pushSecret, undefined],
  ['web_push', 'https://web.push.apple.com/abc', pushSecret, undefined],
  ['web_push', 'https://wns2-par02p.notify.windows.com/w/?token=abc', pushSecret, undefined],
  ['webhook', 'http://10.0.0.7:9000/pages', 'twelve chars', undefined],
])('%s takes %s', (kind, address, secret, kept) => {
  expect(checkAddress(kind, address, secret)).toEqual({
    kind: 'fits',
    address: kept ?? address,
    secret: secret || null,
  })
})

test.each([
  ['pigeon', 'x', null, 'kind'],
  ['email', '', null, 'address'],
  ['email', 'a@example.org, b@example.org', null, 'address'],
  ['email', 'a@example.org\r\nBcc: b@example.org', null, 'address'],
  ['email', `${'a'.repeat(250)}@example.org`, null, 'address'],
  ['sms', '120', null, 'address'],
  ['sms', 'call me', null, 'address'],
  ['voice_call', '+0123456789', null, 'address'],
  ['voice_call', '1380000000012345', null, 'address'],
  // Where a robot is, is the provider's: nothing else is called by it.
  ['wecom', `https://qyapi.weixin.qq.com.evil.example/cgi-bin/webhook/send?key=${key}`, null, 'address'],
  ['wecom', `http://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${key}`, null, 'address'],
  ['wecom', `https://qyapi.weixin.qq.com:8443/cgi-bin/webhook/send?key=${key}`, null, 'address'],
  ['wecom', `https://user:pass@qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${key}`, null, 'address'],
  ['wecom', `https://127.0.0.1/cgi-bin/webhook/send?key=${key}`, null, 'address'],
  ['wecom', `https://evil.example/?https://qyapi.weixin.qq.com/cgi-bin/webhook/send?key=${key}`, null, 'address'],
  ['wecom', 'https://qyapi.weixin.qq.com/cgi-bin/webhook/send', null, 'address'],
  ['wecom', 'https://qyapi.weixin.qq.com/cgi-bin/gettoken?key=robot-key-0001', null, 'address'],
  ['dingtalk', 'https://oapi.dingtalk.com/robot/send?access_token=', null, 'address'],
  ['dingtalk', `https://oapi.dingtalk.com/robot/send?access_token=${token}`, 'abc', 'secret'],
  ['feishu', 'https://open.feishu.cn/open-apis/auth/v3', null, 'address'],
  ['ntfy', 'https://ntfy.sh/short', null, 'address'],
  ['ntfy', 'https://ntfy.sh/a-good-topic/json', null, 'address'],
  ['ntfy', 'http://192.168.0.1/a-good-topic', null, 'address'],
  ['ntfy', 'https://ntfy.sh/a-good-topic', 'with blank in it', 'secret'],
  ['web_push', 'https://169.254.169.254/latest/meta-data', pushSecret, 'address'],
  ['web_push', 'https://fcm.googleapis.com.evil.example/x', pushSecret, 'address'],
  ['web_push', 'https://fcm.googleapis.com/fcm/send/abc', null, 'secret'],
  ['web_push', 'https://fcm.googleapis.com/fcm/send/abc', '{"p256dh":"x","auth":"y"}', 'secret'],
  ['web_push', 'https://fcm.googleapis.com/fcm/send/abc', 'no json', 'secret'],
  ['webhook', 'ftp://example.org/', 'twelve chars', 'address'],
  ['webhook', 'https://example.org/', 'short', 'secret'],
  ['webhook', 'https://example.org/', null, 'secret'],
])('%s does not take %s with secret %s: wrong %s', (kind, address, secret, field) => {
  const checked = checkAddress(kind, address, secret)
  expect(checked).toMatchObject({ kind: 'wrong', field })
  if (checked.kind === 'wrong')
    for (const language of ['zh', 'en'] as const) expect(checked.text[language]).toMatch(/\S/)
})

test('a server of one’s own is taken where the setting names its origin, and only that one', () => {
  const own = ['https://ntfy.example.org', 'http://127.0.0.1:8080']
  expect(checkAddress('ntfy', 'https://ntfy.example.org/a-good-topic', null, own).kind).toBe('fits')
  expect(checkAddress('ntfy', 'http://127.0.0.1:8080/a-good-topic', null, own).kind).toBe('fits')
  expect(checkAddress('ntfy', 'http://ntfy.example.org/a-good-topic', null, own).kind).toBe('wrong')
  expect(checkAddress('ntfy', 'http://127.0.0.1:8081/a-good-topic', null, own).kind).toBe('wrong')
  // The shape is asked for all the same.
  expect(checkAddress('wecom', 'http://127.0.0.1:8080/admin?key=robot-key-0001', null, own).kind).toBe('wrong')
})

test('what cannot be sent from this server is not offered', () => {
  expect(usableKinds({})).toEqual(['web_push', 'wecom', 'dingtalk', 'feishu', 'ntfy', 'webhook'])
  expect(usableKinds({ SMTP_URL: 'smtp://a', SMS_PROVIDER_FILE: 'b', VOICE_PROVIDER_FILE: 'c' })).toEqual([
    ...channelKinds,
  ])
})

test('each kind says in both languages what it is, what to enter and who reads it', () => {
  for (const kind of channelKinds) {
    const { name, address, secret, readers } = channelWords[kind]
    for (const text of [name, address, secret ?? name, readers]) {
      expect(text.zh).toMatch(/\p{Script=Han}|ntfy/u)
      expect(text.en).toMatch(/[a-z]/)
    }
  }
})
