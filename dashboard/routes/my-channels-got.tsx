import type { FastifyInstance, FastifyRequest } from 'fastify'
import { z } from 'zod'
import { confirmTest, findTest, type TestSeen } from '../../db/staff-channels.js'
import { sendProblem } from '../shell/errors.js'
import { type Here, type RouteDeps, seeOther, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { meText } from '../shell/text-me.js'
import { When } from '../shell/times.js'

const params = z.object({ messageId: z.uuid() })

/**
 * The page that a test leads to. Who has its address got the message: no login, since volunteers have none. Opening it
 * changes nothing, as mail scanners open links; its one button does.
 */
export function testConfirmRoutes(app: FastifyInstance, { db, clock, log, timeZoneDefault }: RouteDeps): void {
  app.get('/got/:messageId', async (request, reply) => {
    const test = await testOf(request)
    if (!test) return sendProblem(request, reply, 'gone')
    return sendPage(reply, <GotPage here={request.here} test={test} timeZone={timeZoneDefault} />)
  })

  app.post('/got/:messageId', async (request, reply) => {
    const test = await testOf(request)
    if (!test) return sendProblem(request, reply, 'gone')
    const { messageId } = test
    await confirmTest(db, { messageId, now: clock.now() })
    log.info({ messageId }, 'test.confirmed')
    return seeOther(reply, `/got/${messageId}`)
  })

  async function testOf(request: FastifyRequest): Promise<TestSeen | undefined> {
    const parsed = params.safeParse(request.params)
    return parsed.success ? findTest(db, { messageId: parsed.data.messageId, now: request.here.now }) : undefined
  }
}

function GotPage({ here, test, timeZone }: { here: Here; test: TestSeen; timeZone: string }) {
  const { language, now } = here
  const t = meText(language).got
  const when = (at: Date) => <When at={at} now={now} timeZone={timeZone} language={language} />
  const { confirmedAt, messageId, expired, staffName, sentAt } = test
  const title = confirmedAt ? t.thanks : expired ? t.expired : t.title
  return (
    <Page here={here} title={title} kind="plain" live={false}>
      <section class="narrow">
        <div class={confirmedAt ? 'answer answer-quiet' : 'answer'}>
          <h1>{title}</h1>
          <p>{t.question(staffName)}</p>
          <p>
            {t.sentAt}
            {when(sentAt)}
          </p>
          {confirmedAt && (
            <p>
              {t.confirmedAt}
              {when(confirmedAt)}
            </p>
          )}
        </div>
        {!confirmedAt && !expired && (
          <form method="post" action={`/got/${messageId}`}>
            <button class="primary wide huge" type="submit">
              {t.button}
            </button>
          </form>
        )}
        {here.viewer && (
          <p>
            <a class="button wide" href="/me">
              {t.mine}
            </a>
          </p>
        )}
      </section>
    </Page>
  )
}
