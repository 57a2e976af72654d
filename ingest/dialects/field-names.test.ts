import { describe, expect, test } from 'vitest'
import { fieldNames, meaningOf, nameKey, ownFieldNames, rateQuantity, registerQuantity } from './field-names.js'
import { unitScale } from './field-units.js'
import { batteryOf, pressOf, truthOf, voiceOf } from './field-words.js'

const keysOf = (rows: typeof fieldNames) => rows.flatMap(([, names]) => names.split(/\s+/).map(nameKey))

describe('the table of names', () => {
  test('says of each name one thing', () => {
    for (const rows of [fieldNames, ...Object.values(ownFieldNames)]) {
      const keys = keysOf(rows)
      expect(keys.filter((key, index) => keys.indexOf(key) !== index)).toEqual([])
      expect(keys).not.toContain('')
    }
    expect(keysOf(fieldNames).length).toBeGreaterThan(400)
  })
  test('names units that there are', () => {
    for (const [meaning] of [...fieldNames, ...Object.values(ownFieldNames).flat()]) {
      if ((meaning.is !== 'register' && meaning.is !== 'rate') || meaning.unit === undefined) continue
      const quantity = (meaning.is === 'register' ? registerQuantity : rateQuantity)[meaning.kind]
      expect(unitScale(quantity, meaning.unit)).toBeGreaterThan(0)
    }
  })
  test('does not count case, blanks and marks; numbers behind what is nothing', () => {
    expect(meaningOf('chirpstack', 'Smoke-Status')).toEqual({ is: 'state', kind: 'smoke' })
    expect(meaningOf('chirpstack', 'temperature_2')).toEqual({ is: 'nothing' })
    expect(meaningOf('chirpstack', 'smoke_2')).toBeUndefined()
    expect(meaningOf('chirpstack', 'constructor')).toBeUndefined()
  })
  test('differs where the dialects do', () => {
    expect(meaningOf('chirpstack', 'power_consumption')).toMatchObject({ unit: 'Wh' })
    expect(meaningOf('aliyun', 'PowerConsumption')).toMatchObject({ unit: 'kWh' })
    expect(meaningOf('thingsboard', 'power_consumption')).not.toHaveProperty('unit')
  })
})

describe('words', () => {
  test.each<[unknown, ReturnType<typeof truthOf>]>([
    ['Alarm', true],
    ['leak_detected', true],
    ['NO ALARM', false],
    ['Normal', false],
    ['报警', true],
    ['正常', false],
    ['testing', 'test'],
    ['1', true],
    [0, false],
    [2, undefined],
    ['2', undefined],
    ['maybe', undefined],
    [null, undefined],
    [{}, undefined],
  ])('a state %j is %j', (said, truth) => expect(truthOf(said)).toBe(truth))
  test.each<[unknown, ReturnType<typeof pressOf>]>([
    ['short press', 'pressed'],
    ['long_press', 'pressed'],
    ['SOS', 'pressed'],
    ['双击', 'pressed'],
    [3, 'pressed'],
    [true, 'pressed'],
    ['released', null],
    [0, null],
    ['cancel', 'cancelled'],
    ['test', 'test'],
    ['unknown', undefined],
    [-1, undefined],
    [1.5, undefined],
    [[], undefined],
  ])('a button %j is %j', (said, press) => expect(pressOf(said)).toBe(press))
  test.each<[unknown, boolean, number | undefined]>([
    [100, false, 1],
    [1, false, 0.01],
    [0, false, 0],
    [0.5, false, 0.5],
    [3.6, false, undefined],
    [3.6, true, 0.036],
    [255, false, undefined],
    [3600, false, undefined],
    ['85 %', false, 0.85],
    ['3.6V', false, undefined],
    ['low', false, 0.05],
    ['2.4(low battery)', false, 0.05],
    ['normal', false, undefined],
    [-1, false, undefined],
  ])('a battery %j, of 100: %j, is %j', (said, percent, part) => expect(batteryOf(said, percent)).toBe(part))
  test.each<[unknown, ReturnType<typeof voiceOf>]>([
    ['help', 'help'],
    ['平安', 'fine'],
    [true, 'help'],
    [false, null],
    ['hm', undefined],
  ])('a voice %j is %j', (said, event) => expect(voiceOf(said)).toBe(event))
})
