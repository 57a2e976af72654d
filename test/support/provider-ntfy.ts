import { countRate, jsonOf, type ProviderServer, startProviderServer } from './provider-server.js'

export type NtfyServer = ProviderServer & {
  address: string
  token: string
  messages: {
    topic: string
    title: string
    message: string
    priority: number
    click?: string
    actions?: { action: string; label: string; url: string }[]
  }[]
}

/** An ntfy server with one protected topic: JSON published to its root, errors with ntfy's own codes. */
export async function startNtfy({ now }: { now: () => Date }): Promise<NtfyServer> {
  const token = 'tk_abcdefghijklmnopqrstuvwxyz012'
  const messages: NtfyServer['messages'] = []
  const mayPass = countRate({ max: 60, ms: 60_000 })
  const error = (http: number, code: number, text: string) => ({
    status: http,
    json: { code, http, error: text, link: 'https://ntfy.sh/docs/' },
  })
  const server = await startProviderServer(({ method, path, headers, body }) => {
    if (method !== 'POST' || path !== '/') return error(404, 40401, 'page not found')
    if (!mayPass(now())) return error(429, 42901, 'limit reached: too many requests')
    if (headers.authorization !== undefined && headers.authorization !== `Bearer ${token}`)
      return error(401, 40101, 'unauthorized')
    const json = jsonOf(body) as NtfyServer['messages'][number] | undefined
    if (!json || !/^[-_A-Za-z0-9]{1,64}$/.test(json.topic)) return error(400, 40024, 'invalid request: topic invalid')
    if (json.topic === 'guarded-topic' && headers.authorization === undefined) return error(403, 40301, 'forbidden')
    if (body.length > 8_192) return error(413, 41303, 'JSON payload too large')
    // Beyond 4,096 bytes a message becomes an attachment, where those are allowed: here they are not.
    if (Buffer.byteLength(json.message) > 4_096) return error(400, 40014, 'invalid request: attachments not allowed')
    if ((json.actions ?? []).some(({ action, label, url }) => action !== 'view' || !label || !/^https?:/.test(url)))
      return error(400, 40018, 'invalid request: actions invalid')
    messages.push(json)
    return { status: 200, json: { id: 'sPs71M8A2T', time: 1_773_122_700, event: 'message', topic: json.topic } }
  })
  return { ...server, messages, token, address: `${server.origin}/guarded-topic` }
}
