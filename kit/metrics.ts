import { collectDefaultMetrics, Registry } from 'prom-client'

/** A registry of one process's Prometheus metrics, with the runtime's own under the same roof. */
export function createMetrics({ role }: { role: string }): Registry {
  const registry = new Registry()
  registry.setDefaultLabels({ role })
  collectDefaultMetrics({ register: registry })
  return registry
}
