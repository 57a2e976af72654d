import { expect, test } from 'vitest'
import { aliyunRpcSignature, canonicalQuery, percentEncode, signAliyunV3 } from './provider-sign.js'

test('RPC style: the example that Aliyun’s documentation of SendSms gives', () => {
  const values = {
    AccessKeyId: 'testId',
    Action: 'SendSms',
    Format: 'XML',
    OutId: '123',
    PhoneNumbers: '15300000001',
    RegionId: 'cn-hangzhou',
    SignName: '阿里云短信测试专用',
    SignatureMethod: 'HMAC-SHA1',
    SignatureNonce: '45e25e9b-0a6f-4070-8c85-2956eda1b466',
    SignatureVersion: '1.0',
    TemplateCode: 'SMS_71390007',
    TemplateParam: '{"customer":"test"}',
    Timestamp: '2017-07-12T02:42:19Z',
    Version: '2017-05-25',
  }
  expect(aliyunRpcSignature(values, { method: 'GET', accessKeySecret: 'testSecret' })).toBe(
    'zJDF+Lrzhj/ThnlvIToysFRq6t4=',
  )
})

test('V3: the example that Aliyun’s documentation of the signature gives', () => {
  const query = canonicalQuery({
    ImageId: 'win2019_1809_x64_dtc_zh-cn_40G_alibase_20230811.vhd',
    RegionId: 'cn-shanghai',
  })
  const url = new URL('https://ecs.cn-shanghai.aliyuncs.com/')
  const headers = signAliyunV3(
    { method: 'POST', url, query, contentType: undefined, body: '' },
    {
      way: 'aliyun v3',
      accessKeyId: 'YourAccessKeyId',
      accessKeySecret: 'YourAccessKeySecret',
      action: 'RunInstances',
      version: '2014-05-26',
    },
    { now: new Date('2023-10-26T10:22:32Z'), nonce: '3156853299f313e23d1673dc12e1703d' },
  )
  expect(headers.authorization).toBe(
    'ACS3-HMAC-SHA256 Credential=YourAccessKeyId,SignedHeaders=host;x-acs-action;x-acs-content-sha256;x-acs-date;x-acs-signature-nonce;x-acs-version,Signature=06563a9e1b43f5dfe96b81484da74bceab24a1d853912eee15083a6f0f3283c0',
  )
})

test('escaping is that of RFC 3986', () => {
  expect(percentEncode("a b*c~d'(e)!")).toBe('a%20b%2Ac~d%27%28e%29%21')
})
