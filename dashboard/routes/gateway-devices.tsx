import type { AnnouncedDevice } from '../../db/announced-devices.js'
import type { BoundDevice } from '../../db/bound-devices.js'
import type { TestState } from '../../db/device-tests.js'
import { calledOf, devicePath, kindWord, personOf, seesNames, TestMark, visible } from '../shell/devices.js'
import type { Here } from '../shell/here.js'
import { shellText } from '../shell/shell-text.js'
import { claimText } from '../shell/text-claim.js'
import { residentText } from '../shell/text-resident.js'
import { When } from '../shell/times.js'
import type { StaffViewer } from '../shell/viewer.js'
import { saidWords } from './said-words.js'

/** What was heard within this time may be the button in somebody's hand. */
const justHeardMsMax = 20_000
const batteryLow = 0.2

/** Times on these pages are in the zone of the installation, as on all pages about gateways. */
const Time = ({ at, here }: { at: Date; here: Here }) => (
  <When at={at} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
)

export function UnclaimedDevices(p: {
  rows: readonly AnnouncedDevice[]
  total: number
  dialect: string
  path: string
  q: string
  page: number
  pages: number
  here: Here
}) {
  const { rows, total, path, q, here } = p
  const t = claimText(here.language)
  const none = p.dialect === 'v1' ? t.unclaimedV1 : t.unclaimedNone
  return (
    <section aria-labelledby="unclaimed">
      <h2 id="unclaimed">
        {t.unclaimed} {total > 0 && <span class="count">{total}</span>}
      </h2>
      {total === 0 && q === '' ? (
        <p class="empty">{none}</p>
      ) : (
        <>
          <p>{t.unclaimedLead}</p>
          {(p.pages > 1 || q !== '') && (
            <search>
              <form method="get" action={path} class="search">
                <label>
                  {t.searchUnclaimed}
                  <input type="search" name="q" value={q} maxLength={100} />
                </label>
                <button type="submit">{t.find}</button>
                {q !== '' && <a href={path}>{t.all}</a>}
              </form>
            </search>
          )}
          {rows.length === 0 && <p class="empty">{t.unclaimedNoneFound}</p>}
          <ul class="lines devices">
            {rows.map((device) => (
              <Unclaimed key={device.deviceId} device={device} here={here} />
            ))}
          </ul>
          <Pages path={path} q={q} name="page" page={p.page} pages={p.pages} label={t.unclaimed} here={here} />
        </>
      )}
    </section>
  )
}

function Unclaimed({ device, here }: { device: AnnouncedDevice; here: Here }) {
  const t = claimText(here.language)
  const called = calledOf(device)
  const said = saidWords(device, here.language)
  const isJust = device.lastFields !== null && here.now.getTime() - device.lastSeenAt.getTime() < justHeardMsMax
  return (
    <li class="line device" id={`device-${device.deviceId}`}>
      <div class="device-what">
        <strong>{kindWord(device.kind, here)}</strong> <span class="device-name">{called}</span>
        {device.model && <span class="sub">{visible(device.model)}</span>}
        <p class="sub">
          {said && (isJust ? <span class="just">{said}</span> : `${said} · `)}
          {t.heard}
          <Time at={device.lastSeenAt} here={here} />
        </p>
      </div>
      <a
        class="button primary"
        href={devicePath(device.gatewayId, device.deviceId, 'claim')}
        aria-label={t.claimOf(`${kindWord(device.kind, here)} ${called}`)}
      >
        {t.claim}
      </a>
    </li>
  )
}

export function BoundDevices(p: {
  rows: readonly BoundDevice[]
  total: number
  gatewayId: string
  tests: Map<number, TestState>
  viewer: StaffViewer
  path: string
  page: number
  pages: number
  here: Here
}) {
  const { rows, gatewayId, here } = p
  const t = claimText(here.language)
  return (
    <section aria-labelledby="bound">
      <h2 id="bound">
        {t.bound} {p.total > 0 && <span class="count">{p.total}</span>}
      </h2>
      {rows.length === 0 && <p class="empty">{t.boundNone}</p>}
      <ul class="lines devices">
        {rows.map((device) => (
          <Bound
            key={device.deviceNo}
            device={device}
            gatewayId={gatewayId}
            viewer={p.viewer}
            state={p.tests.get(device.deviceNo)}
            here={here}
          />
        ))}
      </ul>
      <Pages path={p.path} q="" name="bound" page={p.page} pages={p.pages} label={t.bound} here={here} />
    </section>
  )
}

function Bound(p: {
  device: BoundDevice
  gatewayId: string
  viewer: StaffViewer
  state: TestState | undefined
  here: Here
}) {
  const { device, gatewayId, viewer, here } = p
  const t = claimText(here.language)
  const words = residentText(here.language)
  const person = personOf(viewer, device)
  const named = `${kindWord(device.kind, here)} ${person} ${device.room}`.trim()
  return (
    <li class="line device" id={`device-${device.deviceId}`}>
      <div class="device-what">
        <strong>{kindWord(device.kind, here)}</strong>{' '}
        {seesNames(viewer) ? (
          <a href={`/residents/${encodeURIComponent(device.residentId)}`}>{person}</a>
        ) : (
          <span class="id">{person}</span>
        )}
        {device.room && ` · ${device.room}`}
        <p>
          <TestMark state={p.state} here={here} timeZone={here.timeZoneDefault} />
        </p>
        <p class="sub">
          {calledOf(device)} · {words.lastReading}{' '}
          {device.lastObservedAt ? <Time at={device.lastObservedAt} here={here} /> : words.noReading}
          {device.battery !== null && (
            <span class={device.battery < batteryLow ? 'battery-low' : ''}>
              {' · '}
              {words.battery} {Math.round(device.battery * 100)} %
            </span>
          )}
        </p>
      </div>
      <div class="device-acts">
        <a
          class={p.state?.kind === 'untested' || p.state?.kind === 'running' ? 'button primary' : 'button'}
          href={devicePath(gatewayId, device.deviceId, 'test')}
          aria-label={t.testOf(named)}
        >
          {t.test}
        </a>
        <a class="button quiet" href={devicePath(gatewayId, device.deviceId, 'move')} aria-label={t.moveOf(named)}>
          {t.move}
        </a>
        <a class="button quiet" href={devicePath(gatewayId, device.deviceId, 'unbind')} aria-label={t.unbindOf(named)}>
          {t.unbind}
        </a>
      </div>
    </li>
  )
}

function Pages(p: { path: string; q: string; name: string; page: number; pages: number; label: string; here: Here }) {
  const { path, q, name, page, pages, here } = p
  if (pages <= 1 && page === 1) return null
  const t = shellText(here.language)
  const at = (wanted: number) =>
    `${path}?${new URLSearchParams({ ...(q === '' ? {} : { q }), [name]: String(wanted) })}`
  const last = Math.max(pages, 1)
  return (
    <nav class="pager" aria-label={p.label}>
      {page > 1 && <a href={at(Math.min(page - 1, last))}>{t.previous}</a>}
      <span>{t.pageOf(page, last)}</span>
      {page < pages && <a href={at(page + 1)}>{t.next}</a>}
    </nav>
  )
}
