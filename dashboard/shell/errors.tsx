import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify'
import { ZodError } from 'zod'
import type { Log } from '../../kit/log.js'
import { sendPage } from './here.js'
import { Page } from './page.js'
import { defineText } from './text.js'
import { homePath, LoginNeeded } from './viewer.js'

const text = defineText({
  en: {
    missing: 'There is nothing here',
    missingMore: 'The address may be mistyped, or what was here is not for you to see.',
    gone: 'This link no longer works',
    goneMore: 'Links expire or are withdrawn. Ask for a new one.',
    refused: 'This did not come from one of our own pages',
    refusedMore: 'To be safe nothing was changed. Go back, load the page again and try once more.',
    unclear: 'That could not be understood',
    unclearMore: 'Nothing was changed. Go back and try once more.',
    throttled: 'Too many attempts',
    throttledMore: 'Please wait a minute, then try again.',
    failed: 'Something went wrong here',
    failedMore:
      'It is our fault, not yours, and it is on record. Try again in a moment. Alerts go on being paged meanwhile.',
    home: 'To the start page',
  },
  zh: {
    missing: '这里没有内容',
    missingMore: '可能是网址有误，也可能这里的内容不在您的查看范围内。',
    gone: '这个链接已经失效',
    goneMore: '链接会过期，也可能已被收回。请索取新的链接。',
    refused: '这个请求不是从我们自己的页面发出的',
    refusedMore: '为了安全，没有做任何改动。请返回并刷新页面，再试一次。',
    unclear: '没能看懂这个请求',
    unclearMore: '没有做任何改动。请返回再试一次。',
    throttled: '尝试次数过多',
    throttledMore: '请等一分钟再试。',
    failed: '系统出了点问题',
    failedMore: '这是系统的问题，不是您的操作有误，问题已记录。请稍后再试。预警通知照常发送，不受影响。',
    home: '回到首页',
  },
})

type Problem = 'missing' | 'gone' | 'refused' | 'unclear' | 'throttled' | 'failed'
const statusOf: Record<Problem, number> = {
  missing: 404,
  gone: 410,
  refused: 403,
  unclear: 400,
  throttled: 429,
  failed: 500,
}

/** One page for each thing that can go wrong; what is out of scope looks exactly like what does not exist. */
export function sendProblem(request: FastifyRequest, reply: FastifyReply, problem: Problem): FastifyReply {
  const { here } = request
  const t = text(here.language)
  if (problem === 'throttled') reply.header('retry-after', '60')
  return sendPage(
    reply,
    <Page here={here} title={t[problem]} kind={here.viewer ? 'staff' : 'plain'} live={false}>
      <section class="narrow">
        <h1>{t[problem]}</h1>
        <p>{t[`${problem}More`]}</p>
        {here.viewer && (
          <p>
            <a class="button" href={homePath(here.viewer.role)}>
              {t.home}
            </a>
          </p>
        )}
      </section>
    </Page>,
    statusOf[problem],
  )
}

/** Turns what was thrown into a page, without telling how it came about. */
export function handleErrors(app: FastifyInstance, { log }: { log: Log }): void {
  app.setNotFoundHandler((request, reply) => sendProblem(request, reply, 'missing'))
  app.setErrorHandler<FastifyError>((error, request, reply) => {
    if (error instanceof LoginNeeded) return askToLogIn(request, reply)
    const status = error.statusCode ?? 500
    if (status === 404) return sendProblem(request, reply, 'missing')
    if (status === 429) return sendProblem(request, reply, 'throttled')
    if (error instanceof ZodError || (status >= 400 && status < 500)) return sendProblem(request, reply, 'unclear')
    log.error({ err: error, route: request.routeOptions.url }, 'request.failed')
    return sendProblem(request, reply, 'failed')
  })
}

function askToLogIn(request: FastifyRequest, reply: FastifyReply): FastifyReply {
  // The browser's own refresh must not be answered with a login form that would be put into the page.
  if (request.here.refresh || request.routeOptions.url === '/events')
    return reply.code(401).header('cache-control', 'no-store').type('text/plain; charset=utf-8').send('not logged in')
  if (request.url.startsWith('/api/') || prefersJson(request.headers.accept))
    return reply.code(401).header('cache-control', 'no-store').send({ error: 'not logged in' })
  const next = request.here.path === '/' ? '' : `?next=${encodeURIComponent(request.here.path)}`
  return reply.header('cache-control', 'no-store').redirect(`/login${next}`, 303)
}

/** Whether `accept` names JSON with more weight than a page. */
export function prefersJson(accept: string | undefined): boolean {
  const weightOf = (type: string) => {
    const [, ...parameters] = (accept ?? '')
      .split(',')
      .map((range) => range.split(';').map((part) => part.trim().toLowerCase()))
      .find(([name]) => name === type) ?? ['', 'q=0']
    return Number(parameters.find((parameter) => parameter.startsWith('q='))?.slice(2) ?? 1)
  }
  return weightOf('application/json') > weightOf('text/html')
}
