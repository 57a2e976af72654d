import type { Language } from '../../alerts/model.js'
import type { DeviceRow } from '../../db/device-list.js'
import type { GatewayRow } from '../../db/gateways.js'
import type { Here } from '../shell/here.js'
import { shellText } from '../shell/shell-text.js'
import { operatorText } from '../shell/text-operator.js'
import { durationWords, HowLong, When } from '../shell/times.js'

/** Below this a clock is as right as gateways get. */
const clockRightSecondsMax = 120
const batteryLow = 0.2

type Listed<Row> = { rows: readonly Row[]; here: Here }

/** Times of the operator's pages are in the zone of the installation: gateways have none of their own. */
const Time = ({ at, here }: { at: Date; here: Here }) => (
  <When at={at} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
)

const gatewayPath = (gatewayId: string) => `/gateways/${encodeURIComponent(gatewayId)}`

/** "right", "2 h 5 min ahead", "40 min behind". */
export function clockFaultWords(clockAheadS: number | null, language: Language): string {
  const t = operatorText(language)
  if (clockAheadS === null) return t.clockUnknown
  if (Math.abs(clockAheadS) <= clockRightSecondsMax) return t.clockRight
  const amount = durationWords(Math.abs(clockAheadS) * 1_000, language)
  return clockAheadS > 0 ? t.clockAhead(amount) : t.clockBehind(amount)
}

function Condition({ gateway, here }: { gateway: GatewayRow; here: Here }) {
  const t = operatorText(here.language)
  return (
    <>
      <span class={`condition condition-${gateway.condition}`}>{t.condition[gateway.condition]}</span>
      {gateway.condition === 'silent' && gateway.changedAt && (
        <>
          {' '}
          {t.lasting}
          <HowLong at={gateway.changedAt} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
        </>
      )}
    </>
  )
}

/** Worst first. On a narrow screen each row becomes a card, its cells named by `data-label`. */
export function GatewayTable({ rows, here }: Listed<GatewayRow>) {
  const t = operatorText(here.language)
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{t.gateway}</th>
          <th scope="col">{t.state}</th>
          <th scope="col">{t.lastHeard}</th>
          <th scope="col">{t.clockColumn}</th>
          <th scope="col" class="number">
            {t.devices}
          </th>
          <th scope="col" class="number">
            {t.quarantine24h}
          </th>
        </tr>
      </thead>
      <tbody>
        {rows.map((gateway) => (
          <tr key={gateway.gatewayId}>
            <th scope="row">
              <a href={gatewayPath(gateway.gatewayId)}>{gateway.gatewayId}</a>
              {gateway.label && <span class="sub">{gateway.label}</span>}
            </th>
            <td data-label={t.state}>
              <Condition gateway={gateway} here={here} />
            </td>
            <td data-label={t.lastHeard}>
              {gateway.lastHeardAt ? <Time at={gateway.lastHeardAt} here={here} /> : t.neverHeard}
            </td>
            <td data-label={t.clockColumn}>{clockFaultWords(gateway.clockAheadS, here.language)}</td>
            <td data-label={t.devices} class="number">
              {gateway.devices}
            </td>
            <td data-label={t.quarantine24h} class="number">
              {gateway.quarantined24h}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

export function GatewayFacts({ gateway, here }: { gateway: GatewayRow; here: Here }) {
  const t = operatorText(here.language)
  return (
    <>
      <p class="lead health">
        <Condition gateway={gateway} here={here} />
      </p>
      {gateway.label && <p>{gateway.label}</p>}
      <dl class="facts">
        <dt>{t.lastHeard}</dt>
        <dd>{gateway.lastHeardAt ? <Time at={gateway.lastHeardAt} here={here} /> : t.neverHeard}</dd>
        <dt>{t.clockColumn}</dt>
        <dd>{clockFaultWords(gateway.clockAheadS, here.language)}</dd>
        <dt>{t.quarantine24h}</dt>
        <dd>{gateway.quarantined24h}</dd>
      </dl>
    </>
  )
}

/** Residents by id only: an operator has no business with names. */
export function DeviceTable({ rows, here, withGateway = false }: Listed<DeviceRow> & { withGateway?: boolean }) {
  const t = operatorText(here.language)
  return (
    <table class="rows">
      <thead>
        <tr>
          <th scope="col">{t.device}</th>
          <th scope="col">{t.kindColumn}</th>
          <th scope="col">{t.room}</th>
          <th scope="col">{t.resident}</th>
          {withGateway && <th scope="col">{t.gateway}</th>}
          <th scope="col">{t.lastReading}</th>
          <th scope="col">{t.battery}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map((device) => (
          <tr key={device.deviceId}>
            <th scope="row">{device.deviceId}</th>
            <td data-label={t.kindColumn}>{t.kind[device.kind]}</td>
            <td data-label={t.room}>{device.room || '–'}</td>
            <td data-label={t.resident} class="id">
              {device.residentId}
            </td>
            {withGateway && (
              <td data-label={t.gateway}>
                <a href={gatewayPath(device.gatewayId)}>{device.gatewayId}</a>
              </td>
            )}
            <td data-label={t.lastReading}>
              {device.lastObservedAt ? <Time at={device.lastObservedAt} here={here} /> : t.noReading}
            </td>
            <td
              data-label={t.battery}
              class={device.battery !== null && device.battery < batteryLow ? 'battery-low' : ''}
            >
              {device.battery === null ? t.notReported : `${Math.round(device.battery * 100)} %`}
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  )
}

export function SearchForm({ action, label, q, here }: { action: string; label: string; q: string; here: Here }) {
  const t = operatorText(here.language)
  return (
    <search>
      <form method="get" action={action} class="search">
        <label>
          {label}
          <input type="search" name="q" value={q} maxLength={100} />
        </label>
        <button type="submit">{t.find}</button>
        {q !== '' && <a href={action}>{t.clear}</a>}
      </form>
    </search>
  )
}

export function Pager(p: { path: string; q: string; page: number; pages: number; here: Here }) {
  const { path, q, page, pages, here } = p
  if (pages <= 1 && page === 1) return null
  const t = shellText(here.language)
  const at = (wanted: number) => `${path}?${new URLSearchParams({ ...(q === '' ? {} : { q }), page: String(wanted) })}`
  return (
    <nav class="pager" aria-label={t.pageOf(page, Math.max(pages, 1))}>
      {page > 1 && <a href={at(Math.min(page - 1, Math.max(pages, 1)))}>{t.previous}</a>}
      <span>{t.pageOf(page, Math.max(pages, 1))}</span>
      {page < pages && <a href={at(page + 1)}>{t.next}</a>}
    </nav>
  )
}
