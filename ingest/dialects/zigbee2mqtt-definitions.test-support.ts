import { createRequire } from 'node:module'

/** An expose as `bridge/devices` carries it. */
export type Expose = {
  type: string
  name?: string
  property?: string
  access?: number
  unit?: string
  endpoint?: string
  values?: (string | number)[]
  value_on?: unknown
  value_off?: unknown
  features?: Expose[]
}
export type Definition = { vendor: string; model: string; description: string; exposes: Expose[] }

type Exposes = Expose[] | ((device: unknown, options: unknown) => Expose[])
type Converters = {
  prepareDefinition(definition: unknown): Omit<Definition, 'exposes'> & { exposes: Exposes }
  setLogger(logger: Record<'debug' | 'info' | 'warning' | 'error', () => void>): void
}

/**
 * All definitions of zigbee-herdsman-converters with their exposes, as Zigbee2MQTT would publish them. Exposes that depend
 * on the device are asked for as for a device that nothing is known of, which is what the package's own documentation
 * is made with.
 */
export function loadDefinitions(): Definition[] {
  const require = createRequire(import.meta.url)
  const { prepareDefinition, setLogger } = require('zigbee-herdsman-converters') as Converters
  const silent = () => undefined
  setLogger({ debug: silent, info: silent, warning: silent, error: silent })
  const { default: definitions } = require('zigbee-herdsman-converters/devices/index') as { default: unknown[] }
  return definitions.map((definition) => {
    const { vendor, model, description, exposes } = prepareDefinition(definition)
    const resolved = typeof exposes === 'function' ? exposes({ isDummyDevice: true }, {}) : exposes
    return JSON.parse(JSON.stringify({ vendor, model, description, exposes: resolved }))
  })
}

export type Said = Expose & { name: string; property: string; isPart: boolean }

/** What a device says of itself, parts of composites marked. */
export function saidBy({ exposes }: Definition): Said[] {
  const walk = (expose: Expose, isPart: boolean): Said[] => {
    const inside = isPart || expose.type === 'composite' || expose.type === 'list'
    const own = expose.property && expose.name && !expose.features && ((expose.access ?? 1) & 1) > 0
    return [
      ...(own ? [{ ...expose, name: expose.name!, property: expose.property!, isPart }] : []),
      ...(expose.features ?? []).flatMap((feature) => walk(feature, inside)),
    ]
  }
  return exposes.flatMap((expose) => walk(expose, false))
}

/** The entry of a device in `bridge/devices`. */
export const bridgeEntry = (definition: Definition, ieee: string, name: string) => ({
  ieee_address: ieee,
  type: 'EndDevice',
  network_address: 29159,
  supported: true,
  friendly_name: name,
  disabled: false,
  definition: { ...definition, supports_ota: false, options: [] },
  power_source: 'Battery',
  interview_completed: true,
  endpoints: { 1: { bindings: [], configured_reportings: [], clusters: { input: ['genBasic'], output: [] } } },
})

/** The whole state of a device at rest: what Zigbee2MQTT adds to whatever the device has just said. */
export function stateAtRest(definition: Definition): Record<string, unknown> {
  const state: Record<string, unknown> = { linkquality: 87, update: { state: 'idle', installed_version: 16 } }
  for (const { type, property, value_off, values, name, isPart } of saidBy(definition)) {
    if (isPart || name === 'action') continue
    if (type === 'binary') state[property] = value_off
    if (type === 'numeric') state[property] = name === 'battery' ? 90 : 3.5
    if (type === 'enum') state[property] = values?.find((value) => !/alarm|leak|fall|yes/i.test(String(value))) ?? null
    if (type === 'text') state[property] = null
  }
  return state
}
