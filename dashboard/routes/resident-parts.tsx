import type { TestState } from '../../db/device-tests.js'
import type { Tested } from '../../db/devices-tested.js'
import type { FamilyMember } from '../../db/family.js'
import type { Look, ResidentAlert, ResidentCard, ResidentDevice } from '../../db/residents.js'
import { byLocalDay } from '../charts/days.js'
import type { MeterKind, ResidentUse } from '../charts/load-use.js'
import { DaysChart } from '../charts/strip.js'
import { TodayChart } from '../charts/today.js'
import { devicePath } from '../shell/devices.js'
import type { Here } from '../shell/here.js'
import { SeverityTag } from '../shell/marks.js'
import { shellText } from '../shell/shell-text.js'
import { telHref } from '../shell/tel.js'
import { claimText } from '../shell/text-claim.js'
import { residentText } from '../shell/text-resident.js'
import { HowLong, When } from '../shell/times.js'
import type { Role } from '../shell/viewer.js'
import { LastTested } from './watch-last-tested.js'

type Part = { resident: ResidentCard; here: Here }

/** Digits as a phone dials them. */

export function OpenAlerts({ resident, here, alerts }: Part & { alerts: readonly ResidentAlert[] }) {
  const { language, now } = here
  const t = residentText(language)
  const shell = shellText(language)
  if (alerts.length === 0) return null
  return (
    <section aria-labelledby="open-alerts">
      <h2 id="open-alerts">{t.openAlerts}</h2>
      <ul class="cards">
        {alerts.map((alert) => (
          <li key={alert.alertId} class={`card card-${alert.severity} open-alert`}>
            <p>
              <SeverityTag severity={alert.severity} language={language} />
            </p>
            <p>
              <strong>{alert.headline[language]}</strong>
            </p>
            <p>
              {t.opened}
              <When at={alert.openedAt} now={now} timeZone={resident.timeZone} language={language} />
              {' · '}
              {alert.handledBy === null ? shell.stage[alert.stage] : shell.stageBy[alert.stage](alert.handledBy)}
            </p>
            <p>
              <a class="button" href={`/alerts/${alert.alertId}`}>
                {t.openAlert}
              </a>
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}

export function UseCharts({ resident, here, use }: Part & { use: ResidentUse }) {
  const t = residentText(here.language)
  const kinds: readonly MeterKind[] = ['water', 'electricity']
  const drawn = kinds.map((kind) => {
    const own = use[kind]
    const context = { kind, language: here.language, timeZone: resident.timeZone, now: here.now.getTime() }
    return { kind, context, own, days: own ? byLocalDay(own.hours, resident.timeZone) : [] }
  })
  return (
    <section aria-labelledby="use" class="use">
      <h2 id="use">{t.use}</h2>
      {drawn.map(({ kind, days, context }) => {
        const today = days.at(-1)
        return today ? <TodayChart key={kind} day={today} context={context} /> : <p key={kind}>{t.noMeter(t[kind])}</p>
      })}
      {drawn.map(
        ({ kind, own, days, context }) =>
          own && <DaysChart key={kind} days={days} stretches={own.stretches} context={context} />,
      )}
    </section>
  )
}

export function Devices({
  resident,
  here,
  devices,
  tests,
  tested,
}: Part & {
  devices: readonly ResidentDevice[]
  tests: Map<number, TestState>
  tested: Map<number, Tested>
}) {
  const { language, now } = here
  const t = residentText(language)
  const when = (at: Date) => <When at={at} now={now} timeZone={resident.timeZone} language={language} />
  const gateways = [...new Map(devices.map((device) => [device.gatewayId, device])).values()]
  return (
    <section aria-labelledby="devices">
      <h2 id="devices">{t.devices}</h2>
      {devices.length === 0 && <p>{t.noDevices}</p>}
      <ul class="lines">
        {gateways.map((gateway) => (
          <li key={gateway.gatewayId} class={gateway.gatewayOnline ? 'line' : 'line stale'}>
            <strong>{t.gateway}</strong> <span class="id">{gateway.gatewayId}</span>
            <p>
              {gateway.gatewayOnline && t.gatewayOnline}
              {!gateway.gatewayOnline && gateway.gatewayHeardAt === null && t.gatewayNever}
              {!gateway.gatewayOnline && gateway.gatewayHeardAt !== null && (
                <>
                  {gateway.gatewayChangedAt ? t.gatewayOfflineFor : t.gatewayOffline}
                  {gateway.gatewayChangedAt && (
                    <HowLong at={gateway.gatewayChangedAt} now={now} timeZone={resident.timeZone} language={language} />
                  )}
                </>
              )}
            </p>
          </li>
        ))}
        {devices.map((device) => (
          <li class="line" key={device.deviceNo}>
            <strong>{t.kind[device.kind]}</strong> {device.room && <span>{device.room}</span>}
            <Untested device={device} state={tests.get(device.deviceNo)} here={here} />
            <LastTested device={device} tested={tested} timeZone={resident.timeZone} here={here} />
            <p>
              {t.lastReading}
              {language === 'zh' ? '：' : ': '}
              {device.lastObservedAt ? when(device.lastObservedAt) : t.noReading}
              {device.battery !== null && (
                <span class={device.battery < 0.2 ? 'battery battery-low' : 'battery'}>
                  {' · '}
                  {t.battery} {Math.round(device.battery * 100)} %
                </span>
              )}
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}

/** Only what is missing: a device that has passed its test needs no word here. */
function Untested({ device, state, here }: { device: ResidentDevice; state: TestState | undefined; here: Here }) {
  if (!state || state.kind === 'none' || state.kind === 'passed') return null
  const t = claimText(here.language)
  return (
    <a class="untested" href={devicePath(device.gatewayId, device.deviceId, 'test')}>
      {state.kind === 'running' ? t.running : t.untested}
    </a>
  )
}

export function Contact({ resident, here, family, role }: Part & { family: readonly FamilyMember[]; role: Role }) {
  const t = residentText(here.language)
  const { responsible } = resident
  return (
    <section aria-labelledby="contact" class="contact">
      <h2 id="contact">{t.contact}</h2>
      <dl class="facts">
        <dt>{t.address}</dt>
        <dd>{resident.address}</dd>
        <dt>{t.phone}</dt>
        <dd>{resident.phone ? <Phone number={resident.phone} call={t.call} /> : t.notRecorded}</dd>
        <dt>{t.doorCode}</dt>
        <dd>{resident.doorCode ?? t.notRecorded}</dd>
        <dt>{t.keyHolder}</dt>
        <dd>{resident.keyHolder ?? t.notRecorded}</dd>
        <dt>{t.healthNote}</dt>
        <dd>{resident.healthNote ?? t.notRecorded}</dd>
        <dt>{t.responsible}</dt>
        <dd>
          {responsible ? responsible.name : t.nobody}{' '}
          {responsible?.phone && <Phone number={responsible.phone} call={t.call} />}
        </dd>
      </dl>
      <h3>{t.family}</h3>
      {family.length === 0 && <p>{t.notRecorded}</p>}
      <ul class="lines">
        {family.map((member) => (
          <li class="line" key={member.familyMemberId}>
            {member.relation ? t.look(member.name, member.relation) : member.name}{' '}
            {member.phone && <Phone number={member.phone} call={t.call} />}
            {role === 'supervisor' && <LinkForms resident={resident} here={here} member={member} />}
          </li>
        ))}
      </ul>
    </section>
  )
}

const Phone = ({ number, call }: { number: string; call: string }) => (
  <a class="phone" href={telHref(number)} aria-label={`${call} ${number}`}>
    {number}
  </a>
)

/** Folded away: a look at the page should not be one tap from taking a daughter's link away. */
function LinkForms({ resident, here, member }: Part & { member: FamilyMember }) {
  const { language, now } = here
  const t = residentText(language)
  const base = `/residents/${encodeURIComponent(resident.residentId)}/family/${encodeURIComponent(member.familyMemberId)}`
  return (
    <details class="family-link">
      <summary>
        {member.linkSince ? (
          <>
            {t.linkSince}
            <When at={member.linkSince} now={now} timeZone={resident.timeZone} language={language} />
          </>
        ) : (
          t.linkNone
        )}
      </summary>
      <form method="post" action={`${base}/link`}>
        <button type="submit" aria-label={t.familyIssue(member.name)}>
          {member.linkSince ? t.renewLink : t.issueLink}
        </button>
      </form>
      {member.linkSince && (
        <form method="post" action={`${base}/revoke`}>
          <button type="submit" aria-label={t.familyRevoke(member.name)}>
            {t.revokeLink}
          </button>
        </form>
      )}
    </details>
  )
}

export function LastAlerts({ resident, here, alerts }: Part & { alerts: readonly ResidentAlert[] }) {
  const { language, now } = here
  const t = residentText(language)
  const shell = shellText(language)
  return (
    <section aria-labelledby="last-alerts">
      <h2 id="last-alerts">{t.alerts}</h2>
      {alerts.length === 0 && <p>{t.noAlerts}</p>}
      <ul class="lines">
        {alerts.map((alert) => (
          <li class="line" key={alert.alertId}>
            <p>
              <a href={`/alerts/${alert.alertId}`}>{alert.headline[language]}</a>
            </p>
            <p>
              {shell.severity[alert.severity]}
              {' · '}
              {alert.outcome && <strong>{shell.outcome[alert.outcome]}</strong>}
              {' · '}
              <When at={alert.openedAt} now={now} timeZone={resident.timeZone} language={language} />
              {alert.handledBy && ` · ${alert.handledBy}`}
            </p>
          </li>
        ))}
      </ul>
    </section>
  )
}

export function Looks({ resident, here, looks }: Part & { looks: readonly Look[] }) {
  const { language, now } = here
  const t = residentText(language)
  const roles = shellText(language).role
  const pages: Record<string, string> = t.lookPage
  const roleOf = (look: Look) =>
    look.kind === 'family' ? (look.relation ?? t.familyRole) : (roles[look.role as Role] ?? look.role)
  return (
    <section aria-labelledby="looks">
      <h2 id="looks">{t.looks}</h2>
      <p>{looks.length === 0 ? t.noLooks : t.looksLead}</p>
      <ul class="lines">
        {looks.map((look) => (
          <li class="line" key={`${look.name} ${look.page} ${look.lastAt.getTime()}`}>
            {t.look(look.name, roleOf(look))}
            {' · '}
            {pages[look.page] ?? look.page}
            {' · '}
            <When at={look.lastAt} now={now} timeZone={resident.timeZone} language={language} />
          </li>
        ))}
      </ul>
    </section>
  )
}
