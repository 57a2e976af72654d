import { setTimeout as sleep } from 'node:timers/promises'
import { connect, type IClientOptions, type MqttClient } from 'mqtt'
import { inOrder } from './acknowledgements.js'

/** How many messages may wait for their commit. A broker with MQTT 3.1.1 decides by itself: Mosquitto sends 20. */
const windowMax = 4_000
/** Longer than any restart of an edge; a session that is never taken up again goes away by itself. */
const sessionExpiryS = 7 * 86_400
const connectMsMax = 10_000
const keepaliveS = 30
const subscribeAtOnceMax = 100
const closeMsMax = 1_000
const disconnectMsMax = 300
const takenOverCode = 142

export type ProtocolVersion = 4 | 5
export type Received = { topic: string; payload: Buffer; retain: boolean }

export type Connection = {
  /** The broker has kept the session: its subscriptions, and what came meanwhile. */
  sessionPresent: boolean
  /** It delivers `$share/…`. */
  canShare: boolean
  /** Why it ended, when it has. */
  ended: Promise<{ why: string; takenOver: boolean }>
  isOpen(): boolean
  /** Resolves with the filters that the broker refused. */
  subscribe(filters: string[]): Promise<string[]>
  unsubscribe(filters: string[]): Promise<void>
  /** Resolves when the broker has acknowledged it. */
  publish(topic: string, payload: string): Promise<void>
  /**
   * Takes nothing more, acknowledges what is under way, and ends. With `forget` the broker forgets the session too, if all
   * of it was acknowledged in time: whether it does is what this resolves with.
   */
  close(options?: { forget?: boolean }): Promise<boolean>
}

/** The broker knows only an older MQTT. */
export class OlderBroker extends Error {}

/**
 * One connection to a broker. `receive` is called with each message, with up to 4,000 at once, and its PUBACK leaves when
 * what it returned has resolved; when it rejects, the connection ends with nothing more acknowledged, so that the broker
 * delivers again on the next one. What comes at QoS 0 is handed over as well.
 * @throws OlderBroker, or what the connection failed of
 */
export async function openConnection({
  url,
  clientId,
  version,
  clean = false,
  receive,
}: {
  url: string
  clientId: string
  version: ProtocolVersion
  clean?: boolean
  receive: (message: Received) => Promise<unknown>
}): Promise<Connection> {
  const options: IClientOptions = {
    clientId,
    clean,
    protocolVersion: version,
    // Each connection is a client of its own: who tries again, and when, is decided by session.ts.
    reconnectPeriod: 0,
    connectTimeout: connectMsMax,
    keepalive: keepaliveS,
  }
  if (version === 5)
    options.properties = { receiveMaximum: windowMax, ...(clean ? {} : { sessionExpiryInterval: sessionExpiryS }) }
  const client = connect(url, options)
  let why = 'the broker ended the connection'
  let takenOver = false
  const ended = new Promise<{ why: string; takenOver: boolean }>((resolve) =>
    client.once('close', () => resolve({ why, takenOver })),
  )
  client.on('error', (error) => {
    why = error.message || String((error as NodeJS.ErrnoException).code)
  })
  client.on('disconnect', ({ reasonCode }) => {
    takenOver = reasonCode === takenOverCode
    why = `the broker ended the connection with reason ${reasonCode}`
  })
  // Before anything can have come: what MQTT.js handles by itself it acknowledges at once.
  const intake = takeIn(client, receive, (error) => {
    why = error.message
    client.stream.destroy()
  })
  const connack = await connacked(client, ended, version)
  const { sharedSubscriptionAvailable = true } = connack.properties ?? {}

  return {
    sessionPresent: connack.sessionPresent,
    canShare: version === 5 && sharedSubscriptionAvailable,
    ended,
    isOpen: () => client.connected,
    async subscribe(filters) {
      const refused: string[] = []
      for (const some of inPieces(filters)) {
        const granted = await new Promise<readonly (number | { qos?: number })[]>((resolve, reject) =>
          client.subscribe(some, { qos: 1 }, (error, _subscriptions, packet) =>
            packet?.granted ? resolve(packet.granted) : reject(error ?? new Error('no SUBACK')),
          ),
        )
        for (const [index, filter] of some.entries()) if (Number(granted[index]) >= 128) refused.push(filter)
      }
      return refused
    },
    async unsubscribe(filters) {
      for (const some of inPieces(filters)) await client.unsubscribeAsync(some)
    },
    publish: (topic, payload) =>
      new Promise((resolve, reject) => {
        // MQTT.js keeps what was not acknowledged for a next connection, which this client never has.
        void ended.then(({ why }) => reject(new Error(why)))
        client.publish(topic, payload, { qos: 1 }, (error) => (error ? reject(error) : resolve()))
      }),
    async close({ forget = false } = {}) {
      const isDone = await intake.stop()
      if (!client.connected) return false
      const forgets = forget && isDone && version === 5
      const properties = forgets ? { properties: { sessionExpiryInterval: 0 } } : {}
      client.end(false, { reasonCode: 0, ...properties } as never)
      await Promise.race([ended, sleep(disconnectMsMax, undefined, { ref: false })])
      client.stream.destroy()
      return forgets
    },
  }
}

type Connack = { sessionPresent: boolean; properties?: { sharedSubscriptionAvailable?: boolean } }

function connacked(client: MqttClient, ended: Promise<{ why: string }>, version: ProtocolVersion): Promise<Connack> {
  return new Promise((resolve, reject) => {
    client.once('connect', (connack) => resolve(connack as Connack))
    client.once('error', (error: Error & { code?: unknown }) => {
      // 132 in MQTT 5; a broker that has never heard of it says 1, as it always did.
      const isOlder = version === 5 && (error.code === 132 || error.code === 1)
      reject(isOlder ? new OlderBroker(error.message) : error)
    })
    void ended.then(({ why }) => reject(new Error(why)))
  })
}

/**
 * MQTT.js handles one message at a time and acknowledges it when its handler calls back. Told of an error, it goes on to
 * the next one and acknowledges nothing: that is left to us.
 */
function takeIn(client: MqttClient, receive: (message: Received) => Promise<unknown>, fail: (error: Error) => void) {
  const notByYou = new Error('acknowledged when it is safe')
  let inFlight = 0
  let failed = false
  let stopping = false
  let goOn: (() => void) | undefined
  const acknowledgements = inOrder((messageIds) => {
    if (failed || !client.connected || messageIds.length === 0) return
    client.stream.write(Buffer.concat(messageIds.map((id) => Buffer.of(0x40, 2, id >> 8, id & 255))))
  })
  const settled = () => {
    inFlight--
    goOn?.()
    goOn = undefined
  }
  client.handleMessage = ({ topic, payload, qos, retain, messageId }, done) => {
    // Never called back: nothing more is read.
    if (stopping) return
    inFlight++
    const safe = qos > 0 ? acknowledgements.add(messageId!) : () => {}
    receive({ topic, payload: Buffer.from(payload), retain }).then(
      () => {
        settled()
        safe()
      },
      (error: Error) => {
        settled()
        if (qos === 0 || failed) return
        failed = true
        fail(error)
      },
    )
    if (inFlight < windowMax) done(notByYou)
    else goOn = () => done(notByYou)
  }
  return {
    async stop() {
      stopping = true
      const end = performance.now() + closeMsMax
      while (inFlight > 0 && performance.now() < end) await sleep(10)
      return inFlight === 0
    },
  }
}

function* inPieces(filters: string[]): Generator<string[]> {
  for (let at = 0; at < filters.length; at += subscribeAtOnceMax) yield filters.slice(at, at + subscribeAtOnceMax)
}
