import type { FastifyInstance, FastifyReply } from 'fastify'
import { z } from 'zod'
import { beginSession, endSession, sessionMsMax } from '../../db/sessions.js'
import { findStaffByLogin } from '../../db/staff.js'
import { decoyHash, verifySecret } from '../../kit/secret-hash.js'
import { type Here, localPath, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { defineText } from '../shell/text.js'
import { addressKey, createThrottle } from '../shell/throttle.js'
import { homePath } from '../shell/viewer.js'

const text = defineText({
  en: {
    title: 'Log in',
    lead: 'For the staff of the communities that Shouwang watches over.',
    login: 'Login',
    password: 'Password',
    submit: 'Log in',
    wrong: 'Login and password do not fit together. Please check both.',
    throttled: 'Too many attempts. Please wait a minute, then try again.',
  },
  zh: {
    title: '登录',
    lead: '供守望所服务社区的工作人员使用。',
    login: '登录名',
    password: '密码',
    submit: '登录',
    wrong: '登录名与密码不匹配，请检查后重试。',
    throttled: '尝试次数过多，请等一分钟再试。',
  },
})

export const sessionCookie = 'shouwang_session'
const form = z.object({
  login: z.string().trim().min(1).max(200),
  password: z.string().min(1).max(500),
  next: z.string().max(500).default('/'),
})
const attemptsPerLoginHereMax = 10
const attemptsPerLoginMax = 60
const attemptsPerAddressMax = 30
const minuteMs = 60_000

/** Log in and out. An unknown login costs as much time as a wrong password, and reads the same. */
export function loginRoutes(app: FastifyInstance, { db, clock, log, publicUrl }: RouteDeps): void {
  const perLoginHere = createThrottle({ hitsMax: attemptsPerLoginHereMax, perMs: minuteMs })
  const perLogin = createThrottle({ hitsMax: attemptsPerLoginMax, perMs: minuteMs })
  const perAddress = createThrottle({ hitsMax: attemptsPerAddressMax, perMs: minuteMs })
  const decoy = decoyHash()
  const cookie = { path: '/', httpOnly: true, sameSite: 'lax', secure: publicUrl.startsWith('https:') } as const

  app.get<{ Querystring: { next?: unknown } }>('/login', (request, reply) => {
    const next = localPath(request.query.next)
    if (request.here.viewer) return seeOther(reply, homePath(request.here.viewer.role))
    return sendForm(reply, { here: request.here, next, status: 200 })
  })

  app.post('/login', async (request, reply) => {
    const { here } = request
    const parsed = form.safeParse(request.body)
    const next = localPath(parsed.data?.next)
    if (!perAddress.take(addressKey(request.ip), here.now))
      return sendForm(reply, { here, next, problem: 'throttled', status: 429 })
    if (!parsed.success) return sendForm(reply, { here, next, problem: 'wrong', status: 401 })
    const { login, password } = parsed.data
    // By login and address first: who guesses elsewhere must not lock out the one whose login it is.
    if (!perLoginHere.take(`${login} ${addressKey(request.ip)}`, here.now) || !perLogin.take(login, here.now))
      return sendForm(reply, { here, next, login, problem: 'throttled', status: 429 })
    const staff = await findStaffByLogin(db, { login })
    const fits = await verifySecret(password, staff?.passwordHash ?? decoy)
    if (!staff || !fits) {
      log.warn('login.refused')
      return sendForm(reply, { here, next, login, problem: 'wrong', status: 401 })
    }
    const old = request.cookies[sessionCookie]
    if (old) await endSession(db, { token: old })
    const token = await beginSession(db, { staffId: staff.staffId, now: clock.now() })
    log.info({ staffId: staff.staffId }, 'login.done')
    reply.setCookie(sessionCookie, token, { ...cookie, maxAge: sessionMsMax / 1_000 })
    return seeOther(reply, next === '/' ? homePath(staff.role) : next)
  })

  app.post('/logout', async (request, reply) => {
    const token = request.cookies[sessionCookie]
    if (token) await endSession(db, { token })
    reply.clearCookie(sessionCookie, cookie)
    return seeOther(reply, '/login')
  })
}

function sendForm(
  reply: FastifyReply,
  p: { here: Here; next: string; status: number; login?: string; problem?: 'wrong' | 'throttled' },
): FastifyReply {
  const { here } = p
  const t = text(here.language)
  if (p.status === 429) reply.header('retry-after', '60')
  // The language switch must come back to this form, not to a POST.
  const path = p.next === '/' ? '/login' : `/login?next=${encodeURIComponent(p.next)}`
  return sendPage(
    reply,
    <Page here={{ ...here, path }} title={t.title} kind="plain" live={false}>
      <section class="narrow">
        <h1>{t.title}</h1>
        <p>{t.lead}</p>
        {p.problem && (
          <p class="message problem" role="alert">
            {t[p.problem]}
          </p>
        )}
        <form method="post" action="/login" class="stack">
          <input type="hidden" name="next" value={p.next} />
          <label>
            {t.login}
            <input
              name="login"
              required
              maxLength={200}
              autocomplete="username"
              autocapitalize="none"
              value={p.login}
            />
          </label>
          <label>
            {t.password}
            <input name="password" type="password" required maxLength={500} autocomplete="current-password" />
          </label>
          <button class="primary" type="submit">
            {t.submit}
          </button>
        </form>
      </section>
    </Page>,
    p.status,
  )
}
