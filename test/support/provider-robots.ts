import { createHmac } from 'node:crypto'
import {
  type Asked,
  countRate,
  jsonOf,
  type ProviderServer,
  type Reply,
  startProviderServer,
} from './provider-server.js'

export type RobotServer = ProviderServer & {
  /** The robot's address as its provider gives it out. */
  address: string
  /** What the group has read. */
  texts: { text: string; everybody: boolean }[]
}

type RobotSetup = { now: () => Date; secret?: string | null }
const ok = (json: unknown): Reply => ({ status: 200, json })

/** A group robot as WeCom documents it: errors come with HTTP 200. */
export async function startWecom({ now }: RobotSetup): Promise<RobotServer> {
  const texts: RobotServer['texts'] = []
  const mayPass = countRate({ max: 20, ms: 60_000 })
  const server = await startProviderServer(({ path, query, body }) => {
    if (path !== '/cgi-bin/webhook/send') return { status: 404, text: 'not found' }
    if (query.get('key') !== 'robot-key-0001') return ok({ errcode: 93000, errmsg: 'invalid webhook url, hint: [1]' })
    const json = jsonOf(body)
    if (json?.msgtype !== 'text') return ok({ errcode: 40008, errmsg: 'invalid message type, hint: [2]' })
    const { content, mentioned_list: mentioned = [] } = json.text as { content?: string; mentioned_list?: string[] }
    if (!content) return ok({ errcode: 44004, errmsg: 'empty content, hint: [3]' })
    if (Buffer.byteLength(content) > 2_048) return ok({ errcode: 40058, errmsg: 'text.content exceed max length 2048' })
    if (!mayPass(now())) return ok({ errcode: 45009, errmsg: 'api freq out of limit, hint: [4]' })
    texts.push({ text: content, everybody: mentioned.includes('@all') })
    return ok({ errcode: 0, errmsg: 'ok' })
  })
  return { ...server, texts, address: `${server.origin}/cgi-bin/webhook/send?key=robot-key-0001` }
}

/** DingTalk's: with a secret it wants a signature not older than an hour, without one its keyword; over the limit it is shut for 10 min. */
export async function startDingtalk({ now, secret = null }: RobotSetup): Promise<RobotServer> {
  const token = 'a'.repeat(64)
  const texts: RobotServer['texts'] = []
  const mayPass = countRate({ max: 20, ms: 60_000 })
  let shutUntil = 0
  const signatureFits = ({ query }: Asked) => {
    const timestamp = query.get('timestamp') ?? ''
    const expected = createHmac('sha256', secret!).update(`${timestamp}\n${secret}`, 'utf8').digest('base64')
    return query.get('sign') === expected && Math.abs(Number(timestamp) - now().getTime()) <= 3_600_000
  }
  const server = await startProviderServer((asked) => {
    const { path, query, body } = asked
    if (path !== '/robot/send') return { status: 404, text: 'not found' }
    if (query.get('access_token') !== token) return ok({ errcode: 300005, errmsg: 'token is not exist' })
    if (!String(asked.headers['content-type']).startsWith('application/json'))
      return ok({ errcode: 43004, errmsg: '无效的HTTP HEADER Content-Type' })
    const json = jsonOf(body)
    const content = (json?.text as { content?: string } | undefined)?.content
    if (json?.msgtype !== 'text' || !content) return ok({ errcode: 40035, errmsg: '缺少参数 json' })
    if (secret && !signatureFits(asked))
      return ok({ errcode: 310000, errmsg: 'sign not match, more: [https://ding-doc.dingtalk.com]' })
    if (!secret && !content.includes('守望'))
      return ok({ errcode: 310000, errmsg: 'keywords not in content, more: [https://ding-doc.dingtalk.com]' })
    const at = now()
    if (at.getTime() < shutUntil || !mayPass(at)) {
      shutUntil = Math.max(shutUntil, at.getTime() + 600_000)
      return ok({ errcode: 130101, errmsg: 'send too fast, exceed 20 times per minute' })
    }
    if (/赌博/.test(content)) return ok({ errcode: 430104, errmsg: '含有不合适的内容' })
    texts.push({ text: content, everybody: (json.at as { isAtAll?: boolean } | undefined)?.isAtAll === true })
    return ok({ errcode: 0, errmsg: 'ok' })
  })
  return { ...server, texts, address: `${server.origin}/robot/send?access_token=${token}` }
}

/** Feishu's: signature in the body, two limits, some errors with HTTP 400. */
export async function startFeishu({ now, secret = null }: RobotSetup): Promise<RobotServer> {
  const hook = '/open-apis/bot/v2/hook/0f0e0d0c-0000-4000-8000-000000000001'
  const texts: RobotServer['texts'] = []
  const minute = countRate({ max: 100, ms: 60_000 })
  const second = countRate({ max: 5, ms: 1_000 })
  const error = (status: number, code: number, msg: string): Reply => ({ status, json: { code, msg, data: {} } })
  const server = await startProviderServer(({ path, body }) => {
    if (path !== hook) return error(200, 19001, 'param invalid: incoming webhook access token invalid')
    const json = jsonOf(body)
    const text = (json?.content as { text?: string } | undefined)?.text
    if (json?.msg_type !== 'text' || !text || body.length > 20_480) return error(400, 9499, 'Bad Request')
    if (secret) {
      const timestamp = String(json.timestamp)
      const expected = createHmac('sha256', Buffer.from(`${timestamp}\n${secret}`)).digest('base64')
      if (json.sign !== expected || Math.abs(Number(timestamp) - now().getTime() / 1_000) > 3_600)
        return error(200, 19021, 'sign match fail or timestamp is not within one hour from current time')
    } else if (!text.includes('守望')) return error(200, 19024, 'Key Words Not Found')
    const at = now()
    if (!second(at) || !minute(at)) return error(400, 11232, 'frequency limited psm[lark.oapi.app_platform_runtime]')
    texts.push({ text, everybody: /<at user_id="all">/.test(text) })
    return ok({ code: 0, msg: 'success', data: {}, StatusCode: 0, StatusMessage: 'success', Extra: null })
  })
  return { ...server, texts, address: `${server.origin}${hook}` }
}
