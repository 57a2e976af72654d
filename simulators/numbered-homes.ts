import { createHmac } from 'node:crypto'
import { hash } from './random.js'
import type { SimulatedHome } from './simulated-home.js'

/** A gateway's secret that a second run knows again; it protects nothing but simulated homes. */
export const secretOf = (...parts: (string | number)[]) =>
  createHmac('sha256', 'simulated home').update(parts.join('/')).digest('base64url').slice(0, 24)

/** The homes of `--homes N --seed S`: ids hold the seed, so that the homes of two seeds live side by side. */
export function numberedHomes({
  homes,
  seed,
  timeZone,
}: {
  homes: number
  seed: number
  timeZone: string
}): SimulatedHome[] {
  return Array.from({ length: homes }, (_, index) => {
    const gatewayId = `sim-${seed}-${String(index + 1).padStart(4, '0')}`
    return {
      gatewayId,
      secret: secretOf(gatewayId),
      residentSeed: hash(seed, index, 'home'),
      timeZone,
      devices: {
        water: `${gatewayId}-water`,
        electricity: `${gatewayId}-electricity`,
        button: `${gatewayId}-button`,
        smoke: `${gatewayId}-smoke`,
        gas: `${gatewayId}-gas`,
      },
    }
  })
}

/** The home that a recording is played into, named after its folder. */
export function recordedHome({
  name,
  timeZone,
  kinds,
}: {
  name: string
  timeZone: string
  kinds: readonly ('water' | 'electricity')[]
}): SimulatedHome {
  const id = name.replaceAll(/[^A-Za-z0-9._-]+/g, '-').slice(0, 40)
  const gatewayId = `rec-${id || 'home'}`
  return {
    gatewayId,
    secret: secretOf(gatewayId),
    residentSeed: 0,
    timeZone,
    devices: Object.fromEntries(kinds.map((kind) => [kind, `${gatewayId}-${kind}`])),
  }
}
