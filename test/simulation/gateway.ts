import type { EpochMs } from '../../alerts/model.js'
import type { ReadingKind } from '../../ingest/contract.js'
import { createBuffer } from '../../simulators/buffer.js'
import { chance, type Random, whole } from '../../simulators/random.js'
import type { SimulatedReading } from '../../simulators/scenarios.js'
import type { Published } from './history.js'
import { clockAheadMs, type HomePlan, hourMs, minuteMs, secondMs } from './plan.js'
import type { VirtualTime } from './virtual-time.js'

/** A publish on its way, with the readings in it as the simulation keeps the books. */
export type Parcel = { gatewayId: string; topic: string; payload: string; readings: Published[] }

/** Where gateways connect to. Each answer comes when the edge gives it, or never. */
export type Door = {
  /** False while no edge is up. */
  connect(gatewayId: string, onCut: () => void): boolean
  disconnect(gatewayId: string): void
  /** Resolves when the edge acknowledges. */
  publish(parcel: Parcel): Promise<void>
}

/**
 * A gateway that keeps the contract, on a bad line: QoS 1, each reading kept until its PUBACK is there, sent again when
 * that does not come, backlogs as arrays, alarms not behind meters. Packets and PUBACKs are lost, doubled, delayed by
 * milliseconds to hours, and overtake each other; a packet that was held up arrives though it was given up long ago.
 */
export function createSimulatedGateway({
  plan,
  time,
  door,
  random,
  published,
  until,
}: {
  plan: HomePlan
  time: VirtualTime
  door: Door
  random: Random
  published: Published[]
  /** From here on the network is good. */
  until: EpochMs
}) {
  const { gatewayId } = plan
  const newLane = (readingsMax: number) => ({
    buffer: createBuffer({ gatewayId, readingsMax }),
    busy: false,
    window: 0,
  })
  let lanes = { meters: newLane(50_000), alarms: newLane(1_000) }
  type Lane = (typeof lanes)['meters']
  /** What was published before is the same reading when it is sent again. */
  const books = new Map<string, Published>()
  let lineUp = true
  let powered = true
  let connected = false
  /** Counts connections: what belongs to an old one is ignored. */
  let line = 0

  const calm = () => time.now() >= until
  function delayMs(): number {
    if (calm() || chance(random, 0.9)) return whole(random, 5, 400)
    return chance(random, 0.8) ? whole(random, 400, 30_000) : whole(random, 30 * secondMs, 3 * hourMs)
  }
  const lost = () => !calm() && chance(random, plan.lossShare)

  function bookOf(topic: string, json: string): Published {
    const known = books.get(topic + json)
    if (known) return known
    const [, , deviceId, kind] = topic.split('/') as [string, string, string, ReadingKind]
    const { ts, event, alarm, litres, wh, level } = JSON.parse(json)
    const book: Published = {
      gatewayId,
      deviceId,
      kind,
      ts,
      event: event ?? (alarm === undefined ? '' : alarm ? 'alarm' : 'clear'),
      value: litres ?? wh ?? level ?? null,
      receivedAt: [],
      ackedAt: null,
    }
    published.push(book)
    books.set(topic + json, book)
    return book
  }

  function connect(afterMs = whole(random, 50, 2_000)) {
    if (!lineUp || !powered || connected) return
    const mine = ++line
    time.after(afterMs, () => {
      if (line !== mine || !lineUp || !powered) return
      connected = door.connect(gatewayId, () => {
        if (line !== mine) return
        hangUp()
        connect(patienceMs())
      })
      if (!connected) return connect(patienceMs())
      for (const lane of Object.values(lanes)) send(lane)
    })
  }
  /** A server that is in trouble is not knocked at every second. */
  const patienceMs = () => whole(random, 5, calm() ? 20 : 240) * secondMs
  function hangUp() {
    line++
    connected = false
    for (const lane of Object.values(lanes)) {
      if (lane.busy) lane.buffer.putBack()
      lane.busy = false
    }
  }

  function send(lane: Lane) {
    if (lane.busy || !connected) return
    const packets = lane.buffer.take()
    if (packets.length === 0) return
    lane.busy = true
    const window = ++lane.window
    const mine = line
    let waiting = packets.length
    for (const { topic, payload } of packets) {
      const items = payload.startsWith('[') ? splitArray(payload) : [payload]
      const parcel = { gatewayId, topic, payload, readings: items.map((json) => bookOf(topic, json)) }
      let acknowledged = false
      const onAck = () => {
        if (acknowledged || line !== mine || lane.window !== window) return
        acknowledged = true
        if (--waiting > 0) return
        lane.buffer.forget()
        lane.busy = false
        send(lane)
      }
      const attempt = () => {
        if (acknowledged || line !== mine || lane.window !== window) return
        carry(parcel, onAck)
        time.after(whole(random, 5, 120) * secondMs, attempt)
      }
      attempt()
    }
  }

  function carry(parcel: Parcel, onAck: () => void) {
    if (lost()) return
    const copies = !calm() && chance(random, plan.doubleShare) ? 2 : 1
    for (let copy = 0; copy < copies; copy++)
      time.after(delayMs(), () => {
        door.publish(parcel).then(() => {
          if (!lost()) time.after(delayMs(), onAck)
        })
      })
  }

  return {
    start: () => connect(),
    /** The device has measured: by the clock of the gateway that was at another time, perhaps. */
    add(deviceId: string, { kind, at, reading }: SimulatedReading) {
      if (!powered) return
      const ts = at * secondMs + clockAheadMs(plan.clock, at * secondMs)
      const lane = kind === 'water' || kind === 'electricity' ? lanes.meters : lanes.alarms
      lane.buffer.add(deviceId, kind, { ...reading, ts })
      send(lane)
    },
    lineDown() {
      lineUp = false
      // Half-open: the broker notices when nothing comes any more.
      if (connected) time.after(whole(random, 1, 90) * secondMs, () => lineUp || door.disconnect(gatewayId))
      hangUp()
    },
    lineUp() {
      lineUp = true
      connect()
    },
    crash(keeps: boolean) {
      if (connected) door.disconnect(gatewayId)
      hangUp()
      if (!keeps) lanes = { meters: newLane(50_000), alarms: newLane(1_000) }
      time.after(whole(random, 5 * secondMs, 2 * minuteMs), () => connect())
    },
    powerOff() {
      powered = false
      if (connected) door.disconnect(gatewayId)
      hangUp()
      lanes = { meters: newLane(50_000), alarms: newLane(1_000) }
    },
    powerOn() {
      powered = true
      connect()
    },
    /** Readings that are not acknowledged yet. */
    waiting: () => lanes.meters.buffer.size() + lanes.alarms.buffer.size(),
  }
}

/** The JSON texts of an array of flat objects, as they were put together. */
const splitArray = (payload: string): string[] => payload.slice(1, -1).split(/(?<=\}),(?=\{)/)
