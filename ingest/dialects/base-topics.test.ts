import { expect, test } from 'vitest'
import { baseTopicProblem, baseTopicsProblem, liesUnder, reservedGatewayIds } from './base-topics.js'

test.each([
  ['zigbee2mqtt', undefined],
  ['tele/plug1', undefined],
  ['/sys/pk1/box1', undefined],
  ['v1/gateway', undefined],
  ['v1/devices/me', undefined],
  ['v1/devices/me/telemetry', undefined],
  ['楼道/一号', undefined],
  ['with space', undefined],
  ['V1/gw1', undefined],
  ['v10/gw1', undefined],
  ['a/b/c/d/e/f/g/h/i/j', undefined],
  ['x'.repeat(200), undefined],
  ['', 'empty'],
  ['x'.repeat(201), 'too long'],
  ['a/b/c/d/e/f/g/h/i/j/k', 'too many levels'],
  ['#', 'wildcard'],
  ['zigbee2mqtt/#', 'wildcard'],
  ['tele/+/x', 'wildcard'],
  ['a+b', 'wildcard'],
  ['a\0b', 'control character'],
  ['a\nb', 'control character'],
  ['a\ud800', 'control character'],
  ['/', 'empty level'],
  ['//a', 'empty level'],
  ['a/', 'empty level'],
  ['a//b', 'empty level'],
  ['$SYS', 'system topic'],
  ['$share/g/a', 'system topic'],
  ['v1', 'reserved'],
  ['v1/gw1', 'reserved'],
  ['v1/devices', 'reserved'],
  ['v1/devices/you', 'reserved'],
  ['v1/gateways', 'reserved'],
  ['v1/devices/mexico', 'reserved'],
  ['homeassistant', 'reserved'],
  ['homeassistant/status', 'reserved'],
  ['shouwang/residents', 'reserved'],
])('%j as a base topic: %s', (topic, problem) => {
  expect(baseTopicProblem(topic)).toBe(problem)
})

test('what one gateway may have together', () => {
  expect(baseTopicsProblem([])).toBeUndefined()
  expect(baseTopicsProblem(['tele/plug1', 'stat/plug1', 'cmnd/plug1', 'tele/plug10'])).toBeUndefined()
  expect(baseTopicsProblem(['tele', 'tele/plug1'])).toEqual({ topic: 'tele/plug1', problem: 'under another one' })
  expect(baseTopicsProblem(['a', 'a'])).toEqual({ topic: 'a', problem: 'under another one' })
  expect(baseTopicsProblem(['a', 'v1/gw2'])).toEqual({ topic: 'v1/gw2', problem: 'reserved' })
  expect(baseTopicsProblem(Array.from({ length: 20 }, (_, n) => `t${n}`))).toBeUndefined()
  expect(baseTopicsProblem(Array.from({ length: 21 }, (_, n) => `t${n}`))).toEqual({ problem: 'too many' })
})

test('a topic lies under a base by whole levels', () => {
  expect(liesUnder('tele/plug1', 'tele/plug1')).toBe(true)
  expect(liesUnder('tele/plug1', 'tele/plug1/SENSOR')).toBe(true)
  expect(liesUnder('tele/plug1', 'tele/plug10')).toBe(false)
  expect(liesUnder('tele/plug1', 'tele')).toBe(false)
})

test('no gateway may have the name of what ThingsBoard’s gateways say', () => {
  expect(reservedGatewayIds).toEqual(['gateway', 'devices', 'home-assistant'])
})
