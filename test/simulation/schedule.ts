import type { Database } from '../../db/pool.js'
import { dropGatewaysOfDeadEdges } from '../../db/presence.js'
import { seededRandom } from '../../simulators/random.js'
import { newReadings } from '../../simulators/simulated-home.js'
import type { createAlertsRole } from './alerts-role.js'
import type { createEdgeRole } from './edge-role.js'
import type { Outage } from './faulty-database.js'
import { createSimulatedGateway } from './gateway.js'
import type { Published } from './history.js'
import type { Life } from './life.js'
import { type HomePlan, hourMs, minuteMs, type Plan, secondMs } from './plan.js'
import { every } from './spans.js'
import type { VirtualTime } from './virtual-time.js'

/** Puts all that the plan has in store into the queue of events. */
export function schedule({
  plan,
  time,
  edge,
  alertsRoles,
  published,
  outage,
  maintenanceDatabase,
  note,
  look,
}: {
  plan: Plan
  time: VirtualTime
  edge: ReturnType<typeof createEdgeRole>
  alertsRoles: ReturnType<typeof createAlertsRole>[]
  published: Published[]
  outage: Outage
  maintenanceDatabase: (life: Life) => Database
  note: (event: string) => void
  look: () => void
}) {
  const { seed, start, calm, end, servers } = plan
  edge.start()
  alertsRoles[0]!.start()
  for (const { from, to } of servers.outages) {
    time.at(from, () => {
      outage.until = to
      note('database away')
    })
    time.at(to, () => {
      note('database back')
      look()
    })
  }
  for (const at of servers.edgeKills) time.at(at, edge.kill)
  for (const at of servers.alertsKills) time.at(at, alertsRoles[0]!.kill)
  for (const [index, { from, to }] of servers.secondAlerts.entries()) {
    time.at(from, alertsRoles[1]!.start)
    time.at(to, () => void alertsRoles[1]!.stop(index % 2 === 0))
  }
  // The jobs of the alerts role that matter here, and its polling, which finds what no signal told of.
  every(time, { from: start, until: end, everyMs: 10 * minuteMs }, () => look())
  every(time, { from: start, until: end, everyMs: 20 * minuteMs }, () => {
    edge.beat()
    time.after(edge.beatMs, () => {
      if (!alertsRoles[0]!.isUp() || time.now() < outage.until) return
      const now = time.clock.now()
      const life = time.newLife('maintenance', [])
      dropGatewaysOfDeadEdges(maintenanceDatabase(life), {
        now,
        staleBefore: new Date(now.getTime() - edge.staleMs),
      }).then(
        () => look(),
        () => undefined,
      )
    })
  })
  for (const home of plan.homes) scheduleHome(home)

  function scheduleHome(home: HomePlan) {
    const { door } = edge
    const gateway = createSimulatedGateway({
      plan: home,
      time,
      door,
      random: seededRandom(seed, home.gatewayId, 'network'),
      published,
      until: calm,
    })
    const live = newReadings(home.home, { known: new Map(), intervalS: home.intervalS, from: start, to: calm + hourMs })
    const next = () => {
      for (const reading of live) {
        const { at, kind } = reading
        if (home.gridOnly && kind === 'water' && (at - home.home.phaseS!) % home.intervalS !== 0) continue
        time.at(at * secondMs, () => {
          gateway.add(home.home.devices[kind]!, reading)
          next()
        })
        return
      }
    }
    // A generator that is left in the middle of a loop would be closed.
    live.return = () => ({ done: true, value: undefined })
    next()
    time.at(start, gateway.start)
    for (const { from, to } of home.offline) {
      time.at(from, gateway.lineDown)
      time.at(to, gateway.lineUp)
    }
    for (const { from, to } of home.powerCuts) {
      time.at(from, gateway.powerOff)
      time.at(to, gateway.powerOn)
    }
    for (const { at, keeps } of home.crashes) time.at(at, () => gateway.crash(keeps))
  }
}
