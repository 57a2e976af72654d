/** Where gateways reach the broker. */
export type BrokerAddress = { host: string; port: number; tls: boolean }

export type GatewaySettings = BrokerAddress & {
  gatewayId: string
  secret: string
  dialect: string
  /** The topics registered for it; none: it speaks under `v1/{gatewayId}`. */
  baseTopics: readonly string[]
}

/** Where a gateway that can be told so is to put its topics. */
export const baseTopicOf = ({ gatewayId, baseTopics }: Pick<GatewaySettings, 'gatewayId' | 'baseTopics'>): string =>
  baseTopics[0] ?? `v1/${gatewayId}`

/** The level that the dialect begins with, where the base topic does not end with it already. */
const under = (base: string, level: string) => (base.split('/').at(-1) === level ? base : `${base}/${level}`)

/** What the QR code carries: one line of JSON, with the secret. */
export function settingsJson(settings: GatewaySettings): string {
  const { gatewayId, secret, dialect, host, port, tls } = settings
  const baseTopic = baseTopicOf(settings)
  return JSON.stringify({ shouwang: 1, dialect, host, port, tls, user: gatewayId, password: secret, baseTopic })
}

/**
 * The same settings as the gateway's own software wants them: lines to paste, or its fields with what goes into each.
 * Undefined where there is nothing more to say than host, user, secret and topic. Ids and secrets carry no character that
 * any of these forms would have to escape.
 */
export function settingsSnippet(settings: GatewaySettings): { where: string; text: string } | undefined {
  const { gatewayId, secret, host, port, tls } = settings
  const base = baseTopicOf(settings)
  const url = (scheme: string, secure: string) => `${tls ? secure : scheme}://${host}:${port}`
  const lines = (...each: (string | false)[]) => each.filter((line) => line !== false).join('\n')
  switch (settings.dialect) {
    case 'zigbee2mqtt':
      return {
        where: 'configuration.yaml',
        text: lines(
          'mqtt:',
          `  server: '${url('mqtt', 'mqtts')}'`,
          `  user: '${gatewayId}'`,
          `  password: '${secret}'`,
          `  base_topic: '${base}'`,
          // Without it nobody can tell what a device says from what the bridge had kept of it.
          'advanced:',
          "  last_seen: 'ISO_8601'",
          'device_options:',
          '  qos: 1',
          'availability:',
          '  enabled: true',
        ),
      }
    case 'wmbusmeters':
      return {
        where: 'wmbusmeters.conf',
        text: lines(
          'format=json',
          `shell=/usr/bin/mosquitto_pub -h ${host} -p ${port}${tls ? ' --tls-use-os-certs' : ''} -u ${gatewayId} -P ${secret} -q 1 -t "${under(base, 'wmbusmeters')}/$METER_ID" -m "$METER_JSON"`,
        ),
      }
    case 'tasmota':
      return {
        where: 'Console',
        text: lines(
          tls && 'SetOption103 1',
          `Backlog MqttHost ${host}; MqttPort ${port}; MqttUser ${gatewayId}; MqttPassword ${secret}`,
          `FullTopic ${base}/%prefix%/%topic%/`,
          'TelePeriod 60',
        ),
      }
    case 'shelly':
      return {
        where: 'Settings → MQTT',
        text: lines(
          'Enable: on',
          `Server: ${host}:${port}`,
          ...(tls ? ['Connection type: TLS'] : []),
          `Username: ${gatewayId}`,
          `Password: ${secret}`,
          `MQTT prefix: ${base}/shelly-1`,
          'RPC status notifications: on',
          'Generic status update: on',
        ),
      }
    case 'chirpstack':
      return {
        where: 'chirpstack.toml',
        text: lines(
          '[integration]',
          '  enabled=["mqtt"]',
          '  [integration.mqtt]',
          `    server="${url('tcp', 'ssl')}/"`,
          `    username="${gatewayId}"`,
          `    password="${secret}"`,
          '    qos=1',
          '    json=true',
          `    event_topic="${under(base, 'application')}/{{application_id}}/device/{{dev_eui}}/event/{{event}}"`,
        ),
      }
    case 'thingsboard':
      return {
        where: 'tb_gateway.json',
        text: JSON.stringify(
          {
            thingsboard: {
              host,
              port,
              qos: 1,
              security: { type: 'usernamePassword', clientId: gatewayId, username: gatewayId, password: secret },
            },
          },
          null,
          2,
        ),
      }
    default:
      return undefined
  }
}
