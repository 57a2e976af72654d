import { createHash, createHmac } from 'node:crypto'
import { type Asked, type ProviderServer, type Reply, startProviderServer } from './provider-server.js'

export type PhoneServer = ProviderServer & {
  /** Messages and calls that were taken: to whom, and the parameters that say what. */
  taken: { to: string; values: Record<string, string> }[]
}

const accessKeySecret = 'an-invented-secret'
export const aliyunKeys = { accessKeyId: 'LTAI-invented', accessKeySecret }
export const twilioKeys = { user: 'AC00000000000000000000000000000000', password: 'an-invented-token' }

const encode = (text: string) =>
  encodeURIComponent(text).replace(/[!'()*]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
const sortedPairs = (values: Iterable<[string, string]>) =>
  [...values]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${encode(name)}=${encode(value)}`)
    .join('&')
const sha256 = (text: string | Buffer) => createHash('sha256').update(text).digest('hex')

/** ACS3-HMAC-SHA256, checked from the request as it came. */
function v3Fits({ method, path, query, headers, body }: Asked): boolean {
  const match = /^ACS3-HMAC-SHA256 Credential=([^,]+),SignedHeaders=([^,]+),Signature=([0-9a-f]{64})$/.exec(
    headers.authorization ?? '',
  )
  if (!match || match[1] !== aliyunKeys.accessKeyId) return false
  const names = match[2]!.split(';')
  const needed = [
    'host',
    'x-acs-action',
    'x-acs-content-sha256',
    'x-acs-date',
    'x-acs-signature-nonce',
    'x-acs-version',
  ]
  if (needed.some((name) => !names.includes(name)) || headers['x-acs-content-sha256'] !== sha256(body)) return false
  const lines = names.map((name) => `${name}:${String(headers[name]).trim()}\n`).join('')
  const canonical = [method, path, sortedPairs(query), lines, names.join(';'), sha256(body)].join('\n')
  const expected = createHmac('sha256', accessKeySecret)
    .update(`ACS3-HMAC-SHA256\n${sha256(canonical)}`)
    .digest('hex')
  return expected === match[3]
}

/** RPC style, HMAC-SHA1: one of the parameters signs the others. */
function rpcFits(method: string, values: Map<string, string>): boolean {
  const others = [...values].filter(([name]) => name !== 'Signature')
  const text = `${method}&${encode('/')}&${encode(sortedPairs(others))}`
  const expected = createHmac('sha1', `${accessKeySecret}&`).update(text).digest('base64')
  return values.get('AccessKeyId') === aliyunKeys.accessKeyId && values.get('Signature') === expected
}

/** Aliyun's SMS and voice: both ways to sign, nonces used once, templates whose gaps take 35 characters and no link. */
export async function startAliyun({ now }: { now: () => Date }): Promise<PhoneServer> {
  const taken: PhoneServer['taken'] = []
  const nonces = new Set<string>()
  const perNumber = new Map<string, number>()
  const error = (status: number, Code: string): Reply => ({
    status,
    json: { Code, Message: `${Code} said`, RequestId: 'E3A1' },
  })
  const server = await startProviderServer((asked) => {
    const form = /urlencoded/.test(String(asked.headers['content-type']))
      ? new URLSearchParams(asked.body.toString())
      : []
    const values = new Map([...asked.query, ...form])
    const isV3 = asked.headers.authorization !== undefined
    if (!(isV3 ? v3Fits(asked) : rpcFits(asked.method, values))) return error(400, 'SignatureDoesNotMatch')
    const header = (name: string) => String(asked.headers[name] ?? '')
    const nonce = isV3 ? header('x-acs-signature-nonce') : values.get('SignatureNonce')!
    const date = Date.parse(isV3 ? header('x-acs-date') : values.get('Timestamp')!)
    if (nonces.has(nonce)) return error(400, 'SignatureNonceUsed')
    nonces.add(nonce)
    if (Math.abs(date - now().getTime()) > 900_000) return error(400, 'InvalidTimeStamp.Expired')
    const action = isV3 ? header('x-acs-action') : values.get('Action')
    if ((isV3 ? header('x-acs-version') : values.get('Version')) !== '2017-05-25') return error(404, 'InvalidVersion')
    if (action !== 'SendSms' && action !== 'SingleCallByTts') return error(404, 'InvalidAction.NotFound')
    const to = values.get(action === 'SendSms' ? 'PhoneNumbers' : 'CalledNumber') ?? ''
    if (!/^1\d{10}$/.test(to)) return error(200, 'isv.MOBILE_NUMBER_ILLEGAL')
    const parameters = JSON.parse(values.get(action === 'SendSms' ? 'TemplateParam' : 'TtsParam') ?? '{}') as Record<
      string,
      string
    >
    if (Object.values(parameters).some((value) => value.length > 35)) return error(200, 'isv.PARAM_LENGTH_LIMIT')
    if (Object.values(parameters).some((value) => /https?:/.test(value))) return error(200, 'isv.PARAM_NOT_SUPPORT_URL')
    const sent = (perNumber.get(to) ?? 0) + 1
    perNumber.set(to, sent)
    if (sent > 5) return error(200, 'isv.BUSINESS_LIMIT_CONTROL')
    taken.push({ to, values: parameters })
    return { status: 200, json: { Code: 'OK', Message: 'OK', BizId: '900619746936498440^0', RequestId: 'F655' } }
  })
  return { ...server, taken }
}

/** Twilio's messages and calls: basic authentication, E.164 numbers, error codes in the JSON. */
export async function startTwilio(): Promise<PhoneServer> {
  const taken: PhoneServer['taken'] = []
  const error = (status: number, code: number, message: string): Reply => ({
    status,
    json: { code, message, more_info: `https://www.twilio.com/docs/errors/${code}`, status },
  })
  const server = await startProviderServer(({ path, headers, body }) => {
    const expected = `Basic ${Buffer.from(`${twilioKeys.user}:${twilioKeys.password}`).toString('base64')}`
    if (headers.authorization !== expected) return error(401, 20003, 'Authenticate')
    const kind = new RegExp(`^/2010-04-01/Accounts/${twilioKeys.user}/(Messages|Calls)\\.json$`).exec(path)?.[1]
    if (!kind) return error(404, 20404, 'The requested resource was not found')
    const values = Object.fromEntries(new URLSearchParams(body.toString()))
    const { To = '', From = '', Body = '', Twiml = '' } = values
    if (!/^\+[1-9]\d{7,14}$/.test(To)) return error(400, 21211, `Invalid 'To' Phone Number: ${To}`)
    if (!/^\+\d+$/.test(From)) return error(400, 21212, `Invalid 'From' Number`)
    if (To === '+8613900000000') return error(400, 21610, 'Attempt to send to unsubscribed recipient')
    if (kind === 'Messages' && (!Body || Body.length > 1_600)) return error(400, 21617, 'Message body is required')
    if (
      kind === 'Calls' &&
      !/^<Response><Pause length="1"\/><Say language="(zh-CN|en-GB)">[^<>]+<\/Say><\/Response>$/.test(Twiml)
    )
      return error(400, 12100, 'Document parse failure')
    taken.push({ to: To, values })
    return { status: 201, json: { sid: 'SM0', status: 'queued', error_code: null, error_message: null, to: To } }
  })
  return { ...server, taken }
}
