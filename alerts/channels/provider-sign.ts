import { createHash, createHmac } from 'node:crypto'
import { z } from 'zod'

/** The ways in which a provider of text messages or calls is shown who asks. */
export const signSchema = z.discriminatedUnion('way', [
  z.strictObject({ way: z.literal('none') }),
  z.strictObject({ way: z.literal('basic'), user: z.string().min(1), password: z.string().min(1) }),
  z.strictObject({ way: z.literal('bearer'), token: z.string().min(1) }),
  /** HMAC-SHA1 over the sorted parameters, as one of them. */
  z.strictObject({
    way: z.literal('aliyun rpc'),
    accessKeyId: z.string().min(1),
    accessKeySecret: z.string().min(1),
  }),
  /** HMAC-SHA256 over the whole request, as a header (ACS3-HMAC-SHA256). */
  z.strictObject({
    way: z.literal('aliyun v3'),
    accessKeyId: z.string().min(1),
    accessKeySecret: z.string().min(1),
    action: z.string().min(1),
    version: z.string().min(1),
  }),
])
export type Sign = z.infer<typeof signSchema>

/** RFC 3986, which escapes what encodeURIComponent leaves. */
export const percentEncode = (text: string): string =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)

/** Parameters in the order of their names, escaped. */
export const canonicalQuery = (values: Record<string, string>): string =>
  Object.keys(values)
    .sort()
    .map((name) => `${percentEncode(name)}=${percentEncode(values[name]!)}`)
    .join('&')

const isoSeconds = (at: Date) => `${at.toISOString().slice(0, 19)}Z`

/** The parameters with those that sign them (Alibaba Cloud, RPC style, signature version 1.0). */
export function signAliyunRpc(
  values: Record<string, string>,
  { accessKeyId, accessKeySecret }: { accessKeyId: string; accessKeySecret: string },
  { method, now, nonce }: { method: string; now: Date; nonce: string },
): Record<string, string> {
  const all = {
    ...values,
    AccessKeyId: accessKeyId,
    Format: 'JSON',
    SignatureMethod: 'HMAC-SHA1',
    SignatureNonce: nonce,
    SignatureVersion: '1.0',
    Timestamp: isoSeconds(now),
  }
  return { ...all, Signature: aliyunRpcSignature(all, { method, accessKeySecret }) }
}

export function aliyunRpcSignature(
  values: Record<string, string>,
  { method, accessKeySecret }: { method: string; accessKeySecret: string },
): string {
  const signed = `${method}&%2F&${percentEncode(canonicalQuery(values))}`
  return createHmac('sha1', `${accessKeySecret}&`).update(signed).digest('base64')
}

/** The headers that sign a request (Alibaba Cloud, V3). `query` is canonical already. */
export function signAliyunV3(
  request: { method: string; url: URL; query: string; contentType: string | undefined; body: string },
  sign: Extract<Sign, { way: 'aliyun v3' }>,
  { now, nonce }: { now: Date; nonce: string },
): Record<string, string> {
  const { method, url, query, contentType, body } = request
  const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
  const headers: Record<string, string> = {
    ...(contentType ? { 'content-type': contentType } : {}),
    host: url.host,
    'x-acs-action': sign.action,
    'x-acs-content-sha256': sha256(body),
    'x-acs-date': isoSeconds(now),
    'x-acs-signature-nonce': nonce,
    'x-acs-version': sign.version,
  }
  const names = Object.keys(headers).sort()
  const canonical = [
    method,
    url.pathname,
    query,
    ...names.map((name) => `${name}:${headers[name]!.trim()}`),
    '',
    names.join(';'),
    headers['x-acs-content-sha256'],
  ].join('\n')
  const signature = createHmac('sha256', sign.accessKeySecret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest('hex')
  return {
    ...headers,
    authorization: `ACS3-HMAC-SHA256 Credential=${sign.accessKeyId},SignedHeaders=${names.join(';')},Signature=${signature}`,
  }
}
