import { expect, test } from 'vitest'
import { readValues } from './field-values.js'
import type { Json } from './json.js'

const said = (values: Json) =>
  readValues(values, { vocabulary: 'chirpstack', ts: undefined }).sayings.map(
    ({ kind, fields }) => `${kind} ${fields.event ?? fields.alarm}${fields.test ? ' test' : ''}`,
  )

test.each<[string, Json, string[]]>([
  ['its own state says test', { smoke: 'test' }, ['smoke true test']],
  ['of that kind alone', { smoke: 'test', co: 'alarm' }, ['smoke true test', 'co true']],
  ['in whatever order', { co: 'alarm', smoke: 'test' }, ['co true', 'smoke true test']],
  ['another state of the same kind is real', { smoke: 'test', smoke_alarm: 'alarm' }, ['smoke true']],
  ['the same the other way round', { smoke_alarm: 'alarm', smoke: 'test' }, ['smoke true']],
  ['another that is quiet', { smoke: 'test', smoke_alarm: 'normal' }, ['smoke true test']],
  ['a test field beside one alarm', { smoke: true, test: true }, ['smoke true test']],
  ['with a concentration of another gas', { smoke: true, test: true, co_ppm: 3 }, ['smoke true test']],
  ['beside two alarms it names none', { smoke: true, co: 'alarm', test: true }, ['smoke true', 'co true']],
  ['beside a press', { smoke: false, sos: true, test: true }, ['smoke false', 'button pressed']],
  ['a press alone', { sos: true, test: true }, ['button pressed']],
  ['a press beside a test of smoke', { sos: true, smoke: 'test' }, ['button pressed', 'smoke true test']],
  ['a button that says test itself', { button: 'test' }, ['button test']],
  ['a press beside it', { button: 'test', sos: true }, ['button pressed']],
])('a test, or none: %s', (_, values, expected) => {
  expect(said(values).toSorted()).toEqual(expected.toSorted())
})
