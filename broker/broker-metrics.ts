import { Counter, Gauge, type Registry } from 'prom-client'

export type Transport = 'mqtt' | 'mqtts' | 'ws'
export type PublishOutcome = 'accepted' | 'refused' | 'failed'
export type BrokerMetrics = ReturnType<typeof createBrokerMetrics>

/** The broker's own metrics, under `shouwang_`. */
export function createBrokerMetrics({ metrics }: { metrics: Registry }) {
  const registers = [metrics]
  // Counted at up to 30,000 a second: plain numbers, turned into samples when somebody looks.
  let bytes = 0
  const publishes: Record<PublishOutcome, [number, number, number]> = {
    accepted: [0, 0, 0],
    refused: [0, 0, 0],
    failed: [0, 0, 0],
  }
  new Counter({
    name: 'shouwang_broker_bytes_total',
    help: 'MQTT bytes handed to the broker, headers included',
    registers,
    collect() {
      this.reset()
      this.inc(bytes)
    },
  })
  new Counter({
    name: 'shouwang_publishes_total',
    help: 'Publishes and wills by what became of them',
    labelNames: ['qos', 'result'],
    registers,
    collect() {
      this.reset()
      for (const [result, byQos] of Object.entries(publishes))
        byQos.forEach((count, qos) => {
          this.inc({ qos, result }, count)
        })
    },
  })
  return {
    bytes: (count: number) => {
      bytes += count
    },
    publish: (qos: 0 | 1 | 2, outcome: PublishOutcome) => {
      publishes[outcome][qos]++
    },
    publishRefused: new Counter({
      name: 'shouwang_publish_refused_total',
      help: 'Publishes under a topic that is not the gateway’s own: acknowledged and dropped',
      labelNames: ['reason'],
      registers,
    }),
    subscribeRefused: new Counter({
      name: 'shouwang_subscribe_refused_total',
      help: 'Subscriptions outside of what somebody may hear: answered with 128',
      registers,
    }),
    deliveries: new Counter({
      name: 'shouwang_deliveries_total',
      help: 'What was sent to gateways by what became of it',
      labelNames: ['result'],
      registers,
    }),
    replies: new Counter({
      name: 'shouwang_replies_total',
      help: 'Answers that gateways wait for after a publish, by what became of them',
      labelNames: ['result'],
      registers,
    }),
    rightsWithdrawn: new Counter({
      name: 'shouwang_rights_withdrawn_total',
      help: 'Connections ended because their gateway’s secret, topics or permission changed',
      registers,
    }),
    readers: new Gauge({
      name: 'shouwang_readers',
      help: 'Open connections of the operator’s own systems',
      registers,
    }),
    readersDropped: new Counter({
      name: 'shouwang_readers_cut_off_total',
      help: 'Connections of the operator’s own systems ended because they did not keep up',
      registers,
    }),
    onwardRefused: new Counter({
      name: 'shouwang_onward_refused_total',
      help: 'What was to be published onward and could not be, by reason',
      labelNames: ['reason'],
      registers,
    }),
    logins: new Counter({
      name: 'shouwang_logins_total',
      help: 'Login attempts of gateways by result',
      labelNames: ['result'],
      registers,
    }),
    framesRefused: new Counter({
      name: 'shouwang_frames_refused_total',
      help: 'Connections ended because of a frame over a limit or no frame at all',
      labelNames: ['reason'],
      registers,
    }),
    connectionsRefused: new Counter({
      name: 'shouwang_connections_refused_total',
      help: 'Connections refused or ended before they were authenticated',
      labelNames: ['reason'],
      registers,
    }),
    connections: new Gauge({
      name: 'shouwang_connections',
      help: 'Open connections by transport and state',
      labelNames: ['transport', 'state'],
      registers,
    }),
    certificateExpiry: new Gauge({
      name: 'shouwang_tls_certificate_expires_seconds',
      help: 'When the TLS certificate in use expires, in epoch seconds; 0 without TLS',
      registers,
    }),
  }
}
