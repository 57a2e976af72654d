import type { FastifyInstance } from 'fastify'
import { z } from 'zod'
import { countDueTests, type DueHome, listDueTests, testEveryDays } from '../../db/devices-tested.js'
import { devicePath, kindWord } from '../shell/devices.js'
import { type Here, type RouteDeps, sendPage } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { watchText } from '../shell/text-watch.js'
import { When } from '../shell/times.js'
import { careRoles, requireStaff } from '../shell/viewer.js'
import { Pager } from './operator-parts.js'

const homesPerPage = 50

const query = z.object({ page: z.coerce.number().int().min(1).max(10_000).catch(1) })

/** Which alarm devices are due for their monthly test, resident by resident. */
export function dueTestRoutes(app: FastifyInstance, { db }: RouteDeps): void {
  app.get('/device-tests', async (request, reply) => {
    const { here } = request
    const { communityIds } = requireStaff(request, careRoles)
    const { page } = query.parse(request.query)
    const [due, homes] = await Promise.all([
      countDueTests(db, { communityIds, now: here.now }),
      listDueTests(db, { communityIds, now: here.now, offset: (page - 1) * homesPerPage, limit: homesPerPage }),
    ])
    const t = watchText(here.language)
    const first = due.ofDevices === 0 ? t.testsNoDevices : due.devices === 0 ? t.testsNone : null
    return sendPage(
      reply,
      <Page here={here} title={t.testsTitle}>
        <link rel="stylesheet" href={`${here.assets}/resident.css`} />
        <link rel="stylesheet" href={`${here.assets}/watch.css`} />
        <div class={`answer answer-${due.devices > 0 ? 'plain' : 'quiet'}`}>
          <h1>{first ?? t.testsDue(due.devices, due.ofDevices)}</h1>
          <p>{t.testsWhat(testEveryDays)}</p>
        </div>
        <ul class="lines due-homes">
          {homes.map((home) => (
            <Home key={home.residentId} home={home} here={here} />
          ))}
        </ul>
        <Pager path="/device-tests" q="" page={page} pages={Math.ceil(due.homes / homesPerPage)} here={here} />
      </Page>,
    )
  })
}

function Home({ home, here }: { home: DueHome; here: Here }) {
  const t = watchText(here.language)
  return (
    <li class="line due-home">
      <h2>
        <a href={`/residents/${encodeURIComponent(home.residentId)}`}>{home.name}</a>
      </h2>
      <p class="sub">{home.address}</p>
      <ul class="due-devices">
        {home.devices.map((device) => {
          const called = [kindWord(device.kind, here), device.room]
            .filter(Boolean)
            .join(here.language === 'zh' ? '，' : ', ')
          return (
            <li key={device.deviceNo}>
              <span>
                <strong>{called}</strong>{' '}
                <span class="due-when">
                  {device.testedAt ? (
                    <>
                      {t.lastTested}
                      <When at={device.testedAt} now={here.now} timeZone={home.timeZone} language={here.language} />
                    </>
                  ) : (
                    t.neverTested
                  )}
                  {!device.gatewayOnline && ` · ${t.offline}`}
                </span>
              </span>
              <a
                class="button"
                href={devicePath(device.gatewayId, device.deviceId, 'test')}
                aria-label={t.beginOf(called, home.name)}
              >
                {t.begin}
              </a>
            </li>
          )
        })}
      </ul>
    </li>
  )
}
