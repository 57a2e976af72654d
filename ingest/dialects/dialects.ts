import { aliyun } from './aliyun.js'
import { chirpstack } from './chirpstack.js'
import type { Dialect, DialectName } from './dialect.js'
import { generic } from './generic.js'
import { shelly } from './shelly.js'
import { tasmota } from './tasmota.js'
import { thingsboard } from './thingsboard.js'
import { wmbusmeters } from './wmbusmeters.js'
import { zigbee2mqtt } from './zigbee2mqtt.js'

/** The adapters by name. */
export const dialects: Partial<Record<DialectName, Dialect>> = {
  aliyun,
  chirpstack,
  generic,
  shelly,
  tasmota,
  thingsboard,
  wmbusmeters,
  zigbee2mqtt,
}
