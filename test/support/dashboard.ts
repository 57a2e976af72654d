import { Registry } from 'prom-client'
import { createDashboard } from '../../dashboard/app.js'
import type { Database } from '../../db/pool.js'
import { beginSession } from '../../db/sessions.js'
import type { Clock } from '../../kit/clock.js'
import { createLog } from '../../kit/log.js'
import { createSignal } from '../../kit/signal.js'

export type Answer = { status: number; body: string; text: string; headers: Record<string, unknown> }
export type Asked = {
  as?: string
  language?: 'zh' | 'en'
  /** As pairs where a name comes more than once. */
  form?: Record<string, string> | [name: string, value: string][]
  address?: string
  refresh?: boolean
}

/**
 * The dashboard without a network: `ask('/residents/r01', { as: staffId, language: 'zh' })`; a `form` makes it a POST.
 * `text` is the page as it reads, without tags.
 */
export async function openTestDashboard({ db, clock }: { db: Database; clock: Clock }) {
  const app = await createDashboard({
    db,
    clock,
    signal: createSignal(),
    log: createLog({ role: 'test', level: 'silent' }),
    metrics: new Registry(),
    publicUrl: 'https://shouwang.example',
    trustProxy: false,
    timeZoneDefault: 'Asia/Shanghai',
  })
  const sessions = new Map<string, string>()
  async function cookieOf(staffId: string) {
    const token = sessions.get(staffId) ?? (await beginSession(db, { staffId, now: clock.now() }))
    sessions.set(staffId, token)
    return `shouwang_session=${token}`
  }
  async function ask(path: string, { as, language = 'en', form, address, refresh }: Asked = {}): Promise<Answer> {
    const response = await app.inject({
      method: form ? 'POST' : 'GET',
      url: path,
      headers: {
        'accept-language': language,
        ...(as === undefined ? {} : { cookie: await cookieOf(as) }),
        ...(refresh ? { 'shouwang-refresh': '1' } : {}),
        ...(form ? { 'content-type': 'application/x-www-form-urlencoded' } : {}),
      },
      ...(form ? { payload: new URLSearchParams(form).toString() } : {}),
      ...(address === undefined ? {} : { remoteAddress: address }),
    })
    return { status: response.statusCode, body: response.body, text: textOf(response.body), headers: response.headers }
  }
  return { app, ask, close: () => app.close() }
}

const entities: Record<string, string> = { '&amp;': '&', '&lt;': '<', '&gt;': '>', '&quot;': '"', '&#39;': "'" }

/** What a reader sees: tags and drawings gone, entities read, white space as one space. */
function textOf(html: string): string {
  return html
    .replace(/<(head|script|style|svg)\b[\s\S]*?<\/\1>/g, ' ')
    .replace(/<[^>]*>/g, ' ')
    .replace(/&(amp|lt|gt|quot|#39);/g, (entity) => entities[entity] ?? entity)
    .replace(/\s+/g, ' ')
}
