import { expect, test } from 'vitest'
import { type DialectMemory, memoryBytesMax } from './dialect.js'
import { noted, notedOf, withBattery } from './noted.js'

const bytesOf = (memory: DialectMemory) => Buffer.byteLength(JSON.stringify(memory))

test('what is noted is found again, of its own device and section', () => {
  const memory = noted(noted({ other: 1 }, 'battery', 'a', 0.5), 'told', 'a', 'x')
  expect(memory).toEqual({ other: 1, battery: [['a', 0.5]], told: [['a', 'x']] })
  expect(notedOf(memory, 'battery', 'a')).toBe(0.5)
  expect(notedOf(memory, 'battery', 'b')).toBeUndefined()
  expect(noted(memory, 'battery', 'a', 0.5)).toBe(memory)
})

test('names of Object are names like any other', () => {
  expect(notedOf({}, 'constructor', 'name')).toBeUndefined()
  expect(notedOf({ battery: [] }, 'battery', 'constructor')).toBeUndefined()
  const memory = noted({}, 'battery', '__proto__', 0.5)
  expect(notedOf(memory, 'battery', '__proto__')).toBe(0.5)
  expect(JSON.parse(JSON.stringify(memory))).toEqual(memory)
})

test.each([
  ['ids that look like numbers', (index: number) => String(1_000_000 - index)],
  ['ids of both looks', (index: number) => (index % 2 === 0 ? `meter-${index}` : String(index))],
  ['many devices', (index: number) => `device-${index}`],
  ['long names', (index: number) => `${'守望'.repeat(95)}${index}`],
  ['names of quotes', (index: number) => `${'"'.repeat(190)}${index}`],
])('%s never fill a memory; the newest are kept', (_, nameOf) => {
  let memory: DialectMemory = {}
  for (let index = 0; index < 1_500; index++)
    for (const section of ['battery', 'told']) memory = noted(memory, section, nameOf(index), index)
  expect(bytesOf(memory)).toBeLessThan(memoryBytesMax)
  const left = memory.battery as unknown[]
  expect(left).toEqual(left.map((_, index) => [nameOf(1_500 - left.length + index), 1_500 - left.length + index]))
  expect(notedOf(memory, 'battery', nameOf(1_499))).toBe(1_499)
  expect(notedOf(memory, 'battery', nameOf(0))).toBeUndefined()
})

test('a note that is too long by itself is not kept', () => {
  expect(bytesOf(noted({}, 'valve', 'a', 'x'.repeat(memoryBytesMax)))).toBeLessThan(100)
})

test('a battery that came alone goes with the next reading', () => {
  const { memory } = withBattery({}, 'a', { sayings: [], battery: 0.4 })
  const next = withBattery(memory, 'a', { sayings: [{ kind: 'smoke', fields: { alarm: false } }], battery: undefined })
  expect(next).toEqual({ sayings: [{ kind: 'smoke', fields: { alarm: false, battery: 0.4 } }], memory })
})
