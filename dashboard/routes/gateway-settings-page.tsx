import type { GatewayKey } from '../../db/gateway-registration.js'
import { gatewayPath } from '../shell/devices.js'
import { type BrokerAddress, baseTopicOf, settingsJson, settingsSnippet } from '../shell/gateway-settings.js'
import type { Here } from '../shell/here.js'
import { Page } from '../shell/page.js'
import { QrCode } from '../shell/qr.js'
import { gatewayText } from '../shell/text-gateways.js'
import { When } from '../shell/times.js'

/**
 * What is entered in a gateway: shown once, as the answer to a form, never kept and never refreshed. `secret` null: it
 * speaks to another broker.
 */
export function SettingsPage(p: {
  here: Here
  gateway: Pick<GatewayKey, 'gatewayId' | 'dialect' | 'baseTopics'>
  secret: string | null
  overlapUntil?: Date | null
  mqtt: BrokerAddress
}) {
  const { gateway, secret, overlapUntil, mqtt } = p
  const { gatewayId, dialect, baseTopics } = gateway
  const t = gatewayText(p.here.language)
  // The language switch cannot come back to a form's answer.
  const here = { ...p.here, path: gatewayPath(gatewayId) }
  const title = t.settingsTitle(gatewayId)
  const settings = secret === null ? undefined : { ...mqtt, gatewayId, secret, dialect, baseTopics }
  const snippet = settings && settingsSnippet(settings)
  const name = t.dialect[dialect as keyof typeof t.dialect]
  return (
    <Page here={here} title={title} current="gateways" live={false}>
      <link rel="stylesheet" href={`${here.assets}/resident.css`} />
      <link rel="stylesheet" href={`${here.assets}/claim.css`} />
      <h1>{title}</h1>
      {settings ? (
        <p class="message caution">
          {t.once} {t.lost}
        </p>
      ) : (
        <p class="message">{t.attachedDone}</p>
      )}
      {overlapUntil && (
        <p>
          {t.secretOverlap}
          <When at={overlapUntil} now={here.now} timeZone={here.timeZoneDefault} language={here.language} />
          {here.language === 'zh' ? '。' : '.'}
        </p>
      )}
      <div class="settings">
        <dl class="facts">
          <dt>{t.speaks}</dt>
          <dd>{name}</dd>
          {settings && (
            <>
              <dt>{t.host}</dt>
              <dd>
                <code>{mqtt.host}</code>
              </dd>
              <dt>{t.port}</dt>
              <dd>{mqtt.tls ? t.portTls(mqtt.port) : mqtt.port}</dd>
              <dt>{t.user}</dt>
              <dd>
                <code>{gatewayId}</code>
              </dd>
              <dt>{t.password}</dt>
              <dd>
                <code id="secret-once">{secret}</code>
              </dd>
              <dt>{t.baseTopic}</dt>
              <dd>
                <code>{baseTopicOf(settings)}</code>
              </dd>
            </>
          )}
          {baseTopics.length > (settings ? 1 : 0) && (
            <>
              <dt>{t.topics}</dt>
              <dd>
                {baseTopics.map((topic) => (
                  <div key={topic}>
                    <code>{topic}</code>
                  </div>
                ))}
              </dd>
            </>
          )}
        </dl>
        {settings && (
          <figure class="qr-card">
            <QrCode text={settingsJson(settings)} label={t.qr} />
            <figcaption>{t.qrHelp}</figcaption>
          </figure>
        )}
      </div>
      {settings && mqtt.host === 'localhost' && <p class="sub">{t.localhost}</p>}
      {snippet && (
        <section aria-labelledby="snippet">
          <h2 id="snippet">{t.inItsWords(name)}</h2>
          <p class="sub">{snippet.where}</p>
          <pre class="snippet">{snippet.text}</pre>
        </section>
      )}
      <p>
        <a class="button primary" href={gatewayPath(gatewayId)}>
          {t.toGateway}
        </a>
      </p>
    </Page>
  )
}
