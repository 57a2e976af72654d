import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { recordLook } from '../../db/access-log.js'
import { type AlertRow, findAlertOfLink } from '../../db/alert-views.js'
import { acknowledgeByLink, findPageLink, type PageLink } from '../../db/page-links.js'
import { stageSentence } from '../shell/alert-card.js'
import { sendProblem } from '../shell/errors.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { outcomeWord, SeverityTag } from '../shell/marks.js'
import { Page } from '../shell/page.js'
import { defineText } from '../shell/text.js'
import { addressKey, createThrottle } from '../shell/throttle.js'
import { When } from '../shell/times.js'

const text = defineText({
  en: {
    forYou: (name: string) => `This page was sent to ${name}.`,
    take: 'I am taking this',
    others: 'Then nobody else is sent. If nobody takes it, others are told.',
    thanks: 'Thank you. You have taken this.',
    handled: (name: string) => `${name} is handling this.`,
    used: 'This link has been used.',
    expired: 'This link has expired: it works for 24 hours. Log in to see how the alert stands.',
    late: 'Nothing was changed: the alert had moved on before.',
    openAlert: 'Open the alert: door code, phone, next steps',
    outcome: (what: string) => `Outcome: ${what}`,
  },
  zh: {
    forYou: (name) => `这条通知发给 ${name}。`,
    take: '我来处理',
    others: '按下后不再通知其他人。如果没有人接手，会继续通知别的同事。',
    thanks: '谢谢，已由您接手。',
    handled: (name) => `${name} 正在处理。`,
    used: '这个链接已经用过了。',
    expired: '这个链接已过期（24 小时内有效）。请登录查看预警的最新情况。',
    late: '没有做任何改动：这条预警之前已有变化。',
    openAlert: '打开预警：门禁密码、电话、下一步',
    outcome: (what) => `结果：${what}`,
  },
})

const wrongPerAddressMax = 60
const minuteMs = 60_000

/**
 * The one-tap page that a page links to. Opening it changes nothing, as mail scanners open links; its one button
 * acknowledges, once, as the person whom the page was sent to.
 */
export function acknowledgeRoutes(app: FastifyInstance, deps: RouteDeps): void {
  const { db, clock, log, signal } = deps
  // Only guessing is slowed down: a whole station may sit behind one address when many pages come at once.
  const wrong = createThrottle({ hitsMax: wrongPerAddressMax, perMs: minuteMs })
  const refuse = (request: FastifyRequest, reply: FastifyReply) =>
    sendProblem(request, reply, wrong.take(addressKey(request.ip), request.here.now) ? 'missing' : 'throttled')

  async function open(request: FastifyRequest<{ Params: { token: string } }>) {
    const link = await findPageLink(db, { token: request.params.token, now: request.here.now })
    if (!link || link.staffDisabled) return null
    const alert = await findAlertOfLink(db, { alertId: link.alertId })
    return alert && { link, alert }
  }

  app.get<{ Params: { token: string }; Querystring: { late?: string } }>('/p/:token', async (request, reply) => {
    const { here } = request
    const found = await open(request)
    if (!found) return refuse(request, reply)
    // A link that is over shows no longer who it was about.
    if (found.link.expired) return sendPage(reply, <Expired here={here} link={found.link} />, 410)
    await recordLook(db, {
      residentId: found.link.residentId,
      staffId: found.link.staffId,
      page: 'link',
      now: here.now,
      refresh: here.refresh,
    })
    const late = request.query.late === '1'
    const { link, alert } = found
    const over = link.usedAt !== null && alert.handledBy?.staffId !== link.staffId
    return sendPage(reply, <Acknowledge here={here} {...found} late={late} />, over ? 410 : 200)
  })

  app.post<{ Params: { token: string } }>('/p/:token', async (request, reply) => {
    const { here } = request
    const { token } = request.params
    const found = await open(request)
    if (!found) return refuse(request, reply)
    const { link } = found
    if (link.expired) return sendPage(reply, <Expired here={here} link={link} />, 410)
    const { alertId, staffId } = link
    const result = await acknowledgeByLink(db, { token, alertId, staffId, now: clock.now() })
    log.info({ alertId, staffId, result: result.kind }, 'alert.actedByLink')
    if (result.kind === 'missing') return sendProblem(request, reply, 'missing')
    if (result.kind === 'unusable')
      return sendPage(reply, <Acknowledge here={{ ...here, path: `/p/${token}` }} {...found} late={true} />, 410)
    if (result.kind === 'done') {
      signal.raise('alerts')
      signal.raise('pages')
      return seeOther(reply, `/p/${token}`)
    }
    return seeOther(reply, result.by?.staffId === staffId ? `/p/${token}` : `/p/${token}?late=1`)
  })
}

function Acknowledge({ here, link, alert, late }: { here: Here; link: PageLink; alert: AlertRow; late: boolean }) {
  const t = text(here.language)
  const { language, now } = here
  const mine = alert.handledBy?.staffId === link.staffId && alert.stage !== 'closed'
  const offers = alert.stage === 'open' && !link.usedAt
  const tone = offers ? (alert.severity === 'emergency' ? 'emergency' : 'busy') : mine ? 'quiet' : 'plain'
  return (
    <Page here={here} title={alert.headline[language]} kind="plain">
      <section class="narrow">
        <div class={`answer answer-${tone}`}>
          {mine && !offers && <p class="big">{t.thanks}</p>}
          <SeverityTag severity={alert.severity} language={language} />
          <h1>{alert.headline[language]}</h1>
          <p class="big">
            <strong>{alert.residentName}</strong>
            <br />
            {alert.address}
          </p>
          <p>
            <When at={alert.openedAt} now={now} timeZone={alert.timeZone} language={language} />
          </p>
        </div>
        {late && !mine && (
          <p class="message problem" role="alert">
            {t.late}
          </p>
        )}
        {offers ? (
          <form method="post" action={`/p/${tokenOf(here)}`}>
            <button class={`${alert.severity === 'emergency' ? 'danger' : 'primary'} wide huge`} type="submit">
              {t.take}
            </button>
            <p>{t.others}</p>
          </form>
        ) : (
          <p>
            {stageSentence(alert, here)}
            {link.usedAt && (
              <>
                {' · '}
                {t.used} <When at={link.usedAt} now={now} timeZone={alert.timeZone} language={language} />
              </>
            )}
            {alert.outcome && ` · ${t.outcome(outcomeWord(alert.outcome, language))}`}
          </p>
        )}
        <p>
          <a class="button wide" href={`/alerts/${alert.alertId}`}>
            {t.openAlert}
          </a>
        </p>
        <p class="sub">{t.forYou(link.staffName)}</p>
      </section>
    </Page>
  )
}

/** The token of this request's own path: `/p/{token}` with whatever query. */
const tokenOf = (here: Here) => here.path.replace(/^\/p\//, '').replace(/\?.*$/, '')

function Expired({ here, link }: { here: Here; link: PageLink }) {
  const t = text(here.language)
  return (
    <Page here={here} title={t.expired} kind="plain" live={false}>
      <section class="narrow">
        <h1>{t.expired}</h1>
        <p>
          <a class="button wide" href={`/alerts/${link.alertId}`}>
            {t.openAlert}
          </a>
        </p>
      </section>
    </Page>
  )
}
