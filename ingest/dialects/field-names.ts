import type { Quantity } from './field-units.js'

/**
 * Which names mean what: in the decoded `object` of a LoRaWAN frame (ChirpStack), in the values of a ThingsBoard gateway,
 * in the properties and events of an Aliyun thing model. Case, `_`, `-`, `.` and blanks do not count: `smoke_status`,
 * `SmokeStatus` and `smoke.status` are one name; what is inside an object is named by its path. An integrator who adds a
 * device adds its words here. What is not here is quarantined with its name.
 */
export type Meaning =
  /** A cumulative register. Without `unit` it has to be told beside it (`unit`, `<name>_unit`), or nobody knows. */
  | { is: 'register'; kind: 'water' | 'electricity'; unit?: string }
  | { is: 'rate'; kind: 'water' | 'electricity'; unit: string }
  /** `textOnly`: as a number it is a concentration, or means now this and now that. */
  | { is: 'state'; kind: StateKind; textOnly?: true }
  | { is: 'level'; kind: 'smoke' | 'gas' | 'co'; unit: string }
  /** Of a smoke alarm: fire where it is there, and not the end of one where it is not. */
  | { is: 'heat' }
  | { is: 'press' | 'voice' | 'breaths' | 'heartBeats' }
  /** Of 100; else a voltage, a fraction and a percentage are told apart by their numbers. */
  | { is: 'battery'; percent?: true }
  | { is: 'batteryLow' | 'tamper' | 'fault' | 'test' }
  /** No reading, but something that a command can close. */
  | { is: 'valve' }
  /** Known, and nothing for us: the weather in the room, the radio, the device's own settings. */
  | { is: 'nothing' }

export type StateKind = 'smoke' | 'gas' | 'co' | 'leak' | 'motion' | 'door' | 'bed'

/** What a register or a rate of a kind counts. */
export const registerQuantity = { water: 'volume', electricity: 'energy' } as const satisfies Record<string, Quantity>
export const rateQuantity = { water: 'flow', electricity: 'power' } as const satisfies Record<string, Quantity>

type Row = readonly [Meaning, string]

export const fieldNames: readonly Row[] = [
  [
    { is: 'register', kind: 'water', unit: 'm3' },
    `total_m3 water_m3 volume_m3 total_volume_m3 current_volume_m3 cumulative_m3 cumulative_volume_m3 meter_m3
     water_total_m3 water_volume_m3 total_water_m3`,
  ],
  [
    { is: 'register', kind: 'water', unit: 'L' },
    `litres liters total_l total_litres total_liters volume_l volume_litres volume_liters total_volume_l current_volume_l
     cumulative_l cumulative_volume_l water_l water_litres water_liters water_total_l total_water_l
     metering.water.total`,
  ],
  [
    { is: 'register', kind: 'water' },
    `water volume total_volume current_volume cumulative_volume water_consumption total_water water_total
     total_consumption water_meter meter_reading CumulativeFlow TotalFlow CumulativeWater WaterUsage`,
  ],
  [{ is: 'rate', kind: 'water', unit: 'L/min' }, 'flow_lpm flow_l_min flow_rate_lpm flow_rate_l_min'],
  [{ is: 'rate', kind: 'water', unit: 'L/h' }, 'flow_l_h flow_lph flow_rate_l_h flow_rate_lph'],
  [{ is: 'rate', kind: 'water', unit: 'm3/h' }, 'flow_m3_h flow_rate_m3_h'],
  [
    { is: 'register', kind: 'electricity', unit: 'kWh' },
    `kwh total_kwh energy_kwh total_energy_kwh active_energy_kwh energy_total_kwh cumulative_kwh import_kwh
     total_active_energy_kwh`,
  ],
  [
    { is: 'register', kind: 'electricity', unit: 'Wh' },
    `wh total_wh energy_wh total_energy_wh active_energy_wh cumulative_wh import_wh energy_import_wh`,
  ],
  [
    { is: 'register', kind: 'electricity' },
    `energy total_energy active_energy energy_consumption power_consumption electricity_consumption cumulative_energy
     TotalActiveEnergy`,
  ],
  [
    { is: 'rate', kind: 'electricity', unit: 'W' },
    'w watts power power_w active_power active_power_w total_active_power RTPower RealTimePower',
  ],
  [{ is: 'rate', kind: 'electricity', unit: 'kW' }, 'power_kw active_power_kw'],
  [
    { is: 'state', kind: 'smoke' },
    `smoke smoke_status smoke_state smoke_alarm smoke_detected smoke_detector SmokeSensorState smoke_alarm_status fire
     fire_alarm fire_status`,
  ],
  [{ is: 'heat' }, 'heat heat_alarm high_temp_alarm high_temperature_alarm'],
  [
    { is: 'state', kind: 'gas' },
    `gas gas_status gas_state gas_alarm gas_detected gas_leak gas_leak_alarm GasSensorState gas_alarm_status
     CombustibleGasAlarm`,
  ],
  [
    { is: 'state', kind: 'co' },
    'co_status co_state co_alarm co_detected COSensorState carbon_monoxide_alarm carbon_monoxide_status',
  ],
  [{ is: 'state', kind: 'co', textOnly: true }, 'co carbon_monoxide'],
  [
    { is: 'state', kind: 'leak' },
    `leak leakage water_leak water_leakage leakage_status leak_status leak_state leak_alarm water_leak_status
     water_leak_state water_leak_alarm leak_detected water_leak_detected flood flood_status flood_detected
     WaterSensorState WaterLeachState WaterImmersionState burst water_immersion`,
  ],
  [
    { is: 'state', kind: 'motion' },
    `motion motion_status motion_state motion_detected motion_alarm MotionAlarmState pir pir_status pir_state pir_trigger
     occupancy occupancy_status occupied presence presence_status HumanDetect HumanPresence action.motion.detected`,
  ],
  [
    { is: 'state', kind: 'door' },
    `door door_status door_state door_open door_open_status door1_open_status magnet_status
     magnet_state magnetic_status magnet window window_status window_state action.contactState DoorSensorState`,
  ],
  // Zigbee2MQTT's `contact: true` is a closed door, others' an open one.
  [{ is: 'state', kind: 'door', textOnly: true }, 'contact contact_status contact_state'],
  [{ is: 'state', kind: 'bed' }, 'in_bed bed_status bed_state bed_occupancy bed_occupied on_bed InBedState'],
  [{ is: 'breaths' }, 'breaths_per_min breath_rate breathing_rate respiratory_rate respiration_rate respiration'],
  [{ is: 'heartBeats' }, 'heart_beats_per_min heart_rate pulse_rate'],
  [
    { is: 'press' },
    `button button_event button_event.status button_status button_state button_pressed button_press button_action
     button_trigger press press_event press_status sos sos_event sos_status sos_state sos_alarm sos_button sos_pressed
     emergency emergency_alarm emergency_button emergency_call panic panic_button alarm_button call_button
     UrgentCall help_call`,
  ],
  [{ is: 'voice' }, 'voice voice_event voice_call voice_help'],
  [{ is: 'level', kind: 'smoke', unit: '%' }, 'smoke_concentration smoke_density'],
  [{ is: 'level', kind: 'gas', unit: '%LEL' }, 'gas_concentration gas_density gas_lel'],
  [{ is: 'level', kind: 'co', unit: 'ppm' }, 'co_ppm co_concentration'],
  [{ is: 'battery' }, 'battery bat battery_level battery_status battery_state batt Volt'],
  [{ is: 'battery', percent: true }, 'battery_percent battery_percentage battery_pct bat_percent battery_remaining'],
  [{ is: 'batteryLow' }, 'battery_low low_battery low_battery_alarm battery_low_alarm'],
  [
    { is: 'tamper' },
    `tamper tamper_status tamper_state tamper_alarm tampered tamper_detected disassembly
     disassemble_alarm`,
  ],
  [{ is: 'fault' }, 'fault fault_status fault_alarm sensor_fault permanent_error device_fault FaultState'],
  [{ is: 'test' }, 'test test_mode testing self_test self_test_active test_button'],
  [{ is: 'valve' }, 'valve valve_status valve_state ValveSwitch valve_1 water_valve gas_valve'],
  [
    { is: 'nothing' },
    `temperature temp TempC temperature_c ambient_temperature water_temperature flow_temperature CurrentTemperature
     TempC1 TempC_SHT TempC_DS Hum_SHT humidity CurrentHumidity relative_humidity pressure illuminance lux light
     illumination daylight co2 tvoc pm25 PM10 uv noise rssi snr lsnr signal signal_strength linkquality
     CSQ voltage current power_factor frequency battery_voltage bat_v battery_v battery_mv batt_v VoltageA CurrentA
     reactive_power apparent_power external_power external_power_source life_remain relay_output_status socket_status`,
  ],
  [
    { is: 'nothing' },
    `timestamp timestamp_unix timestamp_utc CurrentTimestamp LogTimestamp datetime date time ts utc_time
     local_time seq f_cnt fport port bytes raw payload payload_format payload_bytes payload_hex frame_version
     msgid message_id message_type frame_type packet_type MOD work_mode mode interval report_interval
     reporting_interval heartbeat_interval uptime status_code history_count history_total_m3 history_total_l
     history_multiplier log_volume_m3 log_volume_l ipso_version hardware_version firmware_version tsl_version
     software_version version protocol protocol_version firmware hardware sn serial serial_number device_id device_name
     dev_eui model manufacturer device_model device_type lorawan_class reset_event device_status tags location latitude
     longitude altitude IMEI ICCID mac ip LocalTimer GeoLocation ErrorCode NetworkInfo`,
  ],
  [
    { is: 'nothing' },
    `door_open_times last_door_open_duration water_leak_times last_water_leak_duration button_event.msgid press_count
     alarm_count type temporary_error pipe_empty backflow low_temperature PowerSwitch LightSwitch brightness
     led_indicator double_click_enable buzzer_enable door1_open_times last_door1_open_duration temperatureBoard
     temperatureChanged humidityChanged count_mod tdc Sound_key Sound_ACK DATALOG PNACKMD SENSOR_MODEL SUB_BAND
     FREQUENCY_BAND Device SWver HWver Datecode Cmd MinTime MaxTime BatteryChange AlarmThreshold`,
  ],
]

/** The same words mean something else there. */
export const ownFieldNames: Record<'chirpstack' | 'thingsboard' | 'aliyun', readonly Row[]> = {
  // Milesight's sockets and meters, in Wh.
  chirpstack: [[{ is: 'register', kind: 'electricity', unit: 'Wh' }, 'power_consumption']],
  thingsboard: [],
  // The standard thing model; 用电量 is in kWh.
  aliyun: [
    [{ is: 'register', kind: 'electricity', unit: 'kWh' }, 'PowerConsumption'],
    // 门磁: 1 is open.
    [{ is: 'state', kind: 'door' }, 'ContactState'],
  ],
}

/** A name without what does not count. */
export const nameKey = (name: string): string => name.toLowerCase().replace(/[_\-.\s]/g, '')

const toMap = (list: readonly Row[]) =>
  new Map(list.flatMap(([meaning, names]) => names.split(/\s+/).map((name) => [nameKey(name), meaning] as const)))

const common = toMap(fieldNames)
const byDialect = {
  chirpstack: toMap(ownFieldNames.chirpstack),
  thingsboard: toMap(ownFieldNames.thingsboard),
  aliyun: toMap(ownFieldNames.aliyun),
}
export type Vocabulary = keyof typeof byDialect

/** What a name means in a dialect; undefined: not known. `temperature_2` carries as little as `temperature`. */
export function meaningOf(vocabulary: Vocabulary, name: string): Meaning | undefined {
  const key = nameKey(name)
  const meaning = byDialect[vocabulary].get(key) ?? common.get(key)
  if (meaning || !/\d$/.test(key)) return meaning
  const plain = common.get(key.replace(/\d+$/, ''))
  return plain?.is === 'nothing' ? plain : undefined
}
