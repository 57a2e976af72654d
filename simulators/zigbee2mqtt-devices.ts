import { type Random, seededRandom, whole } from './random.js'

/** A Zigbee device as Zigbee2MQTT tells of it, with its newest state. */
export type ZigbeeDevice = {
  /** For the test and the command line: `button 1`, `smoke 2`, `water 1`. */
  key: string
  ieeeAddress: string
  friendlyName: string
  powerSource: 'Battery' | 'Mains (single phase)'
  definition: { model: string; vendor: string; description: string; exposes: object[]; options: object[] }
  state: Record<string, unknown>
}

const published = 1
const settable = 7
const flag = (name: string, description: string) => ({
  type: 'binary',
  name,
  label: name,
  property: name,
  access: published,
  value_on: true,
  value_off: false,
  description,
})
const numeric = (name: string, unit: string, description: string, more: object = {}) => ({
  type: 'numeric',
  name,
  label: name,
  property: name,
  access: published,
  unit,
  description,
  ...more,
})
const battery = numeric('battery', '%', 'Remaining battery in %', { value_min: 0, value_max: 100 })
const linkQuality = numeric('linkquality', 'lqi', 'Link quality (signal strength)', { value_min: 0, value_max: 255 })
const alarmExposes = (name: string) => [
  flag(name, `Indicates whether the device detected ${name}`),
  flag('tamper', 'Indicates whether the device is tampered'),
  battery,
  linkQuality,
]

const kinds = {
  button: {
    model: 'EX-SOS-1',
    description: 'SOS button (example)',
    power: 'Battery',
    exposes: [
      {
        type: 'enum',
        name: 'action',
        label: 'Action',
        property: 'action',
        access: published,
        values: ['emergency'],
        description: 'Triggered action (e.g. a button click)',
      },
      battery,
      linkQuality,
    ],
    state: () => ({}),
  },
  smoke: {
    model: 'EX-SMK-2',
    description: 'Smoke alarm (example)',
    power: 'Battery',
    exposes: [...alarmExposes('smoke'), flag('test', 'Test button pressed')],
    state: () => ({ smoke: false, tamper: false, test: false }),
  },
  gas: {
    model: 'EX-GAS-1',
    description: 'Gas alarm (example)',
    power: 'Mains (single phase)',
    exposes: [flag('gas', 'Indicates whether the device detected gas'), linkQuality],
    state: () => ({ gas: false }),
  },
  leak: {
    model: 'EX-LEAK-1',
    description: 'Water leak sensor (example)',
    power: 'Battery',
    exposes: alarmExposes('water_leak'),
    state: () => ({ water_leak: false, tamper: false }),
  },
  water: {
    model: 'EX-WTR-1',
    description: 'Water meter (example)',
    power: 'Battery',
    exposes: [numeric('water_consumed', 'm³', 'Total water consumption'), battery, linkQuality],
    state: (random: Random) => ({ water_consumed: whole(random, 100_000, 900_000) / 1_000 }),
  },
  plug: {
    model: 'EX-PLG-1',
    description: 'Plug with a meter (example)',
    power: 'Mains (single phase)',
    exposes: [
      {
        type: 'switch',
        features: [
          {
            type: 'binary',
            name: 'state',
            label: 'State',
            property: 'state',
            access: settable,
            value_on: 'ON',
            value_off: 'OFF',
            value_toggle: 'TOGGLE',
            description: 'On/off state of the switch',
          },
        ],
      },
      numeric('power', 'W', 'Instantaneous measured power'),
      numeric('energy', 'kWh', 'Sum of consumed energy'),
      linkQuality,
    ],
    state: (random: Random) => ({ state: 'ON', power: 0, energy: whole(random, 1_000, 90_000) / 100 }),
  },
  door: {
    model: 'EX-DOOR-1',
    description: 'Door sensor (example)',
    power: 'Battery',
    exposes: [flag('contact', 'Indicates whether the contact is closed'), battery, linkQuality],
    state: () => ({ contact: true }),
  },
} as const
type Kind = keyof typeof kinds

/** Three call buttons, two smoke alarms, and one each of gas, leak, water, electricity and door. */
const home: readonly [Kind, name: string][] = [
  ['button', '呼叫按钮 卧室'],
  ['button', '呼叫按钮 卫生间'],
  ['button', '0x%'],
  ['smoke', 'kitchen/smoke'],
  ['smoke', '客厅烟感'],
  ['gas', 'Gas kitchen'],
  ['leak', 'Leak bathroom'],
  ['water', '水表'],
  ['plug', 'kettle plug'],
  ['door', '入户门'],
]

/** The ten devices of a seed: the same addresses, names, registers and batteries each time. */
export function zigbeeDevices(seed: number): ZigbeeDevice[] {
  const counts: Partial<Record<Kind, number>> = {}
  return home.map(([kind, name], place) => {
    const random = seededRandom('zigbee2mqtt', seed, place)
    counts[kind] = (counts[kind] ?? 0) + 1
    const { model, description, power, exposes, state } = kinds[kind]
    const hex = Array.from({ length: 8 }, () => whole(random, 0, 15).toString(16)).join('')
    const ieeeAddress = `0x00158d00${hex}`
    return {
      key: `${kind} ${counts[kind]}`,
      ieeeAddress,
      // A device that nobody has named goes by its address.
      friendlyName: name === '0x%' ? ieeeAddress : name,
      powerSource: power,
      definition: { model, vendor: 'Example', description, exposes: [...exposes], options: [] },
      state: {
        ...state(random),
        ...(power === 'Battery' ? { battery: whole(random, 60, 100) } : {}),
        linkquality: whole(random, 40, 220),
      },
    }
  })
}
