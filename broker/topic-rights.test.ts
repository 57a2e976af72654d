import { expect, test } from 'vitest'
import { publishRefusal, sameRights, subscriptionOf, topicRights } from './topic-rights.js'

const v1 = topicRights({ gatewayId: 'gw1' })
const zigbee = topicRights({ gatewayId: 'gw1', dialect: 'zigbee2mqtt', baseTopics: ['zigbee2mqtt', 'tele/plug1'] })
const aliyun = topicRights({ gatewayId: 'gw1', dialect: 'aliyun', baseTopics: ['/sys/pk1/box1'] })
const thingsboard = topicRights({
  gatewayId: 'gw1',
  dialect: 'thingsboard',
  baseTopics: ['v1/gateway', 'v1/devices/me'],
})
const dialects = { zigbee, aliyun, thingsboard }

test.each([
  ['v1/gw1/meter/water', undefined],
  ['v1/gw1/status', undefined],
  ['v1/gw1/a/b/c/d', undefined],
  ['v1/gw1/', undefined],
  [`v1/gw1/${'x/'.repeat(50)}`, undefined],
  ['v1/gw2/meter/water', 'another gateway'],
  ['v1/gw10/meter/water', 'another gateway'],
  ['v1/gw1x', 'another gateway'],
  ['v1/../gw1/status', 'another gateway'],
  ['v1/gw1', 'unknown prefix'],
  ['v1//status', 'unknown prefix'],
  ['/v1/gw1/status', 'unknown prefix'],
  ['V1/gw1/status', 'unknown prefix'],
  ['v2/gw1/status', 'unknown prefix'],
  ['', 'unknown prefix'],
  ['$SYS/broker', 'system topic'],
  ['$share/x/v1/gw1/status', 'system topic'],
  ['v1/gw1/meter\0/water', 'malformed topic'],
])('a publish of gw1 to %j: %s', (topic, refusal) => {
  expect(publishRefusal(v1, topic)).toBe(refusal)
})

test.each([
  ['zigbee', 'zigbee2mqtt/hall smoke', undefined],
  ['zigbee', 'zigbee2mqtt', undefined],
  ['zigbee', 'tele/plug1/SENSOR', undefined],
  ['zigbee', 'tele/plug1', undefined],
  ['zigbee', 'v1/gw1/meter/water', undefined],
  ['zigbee', 'tele/plug10/SENSOR', 'unknown prefix'],
  ['zigbee', 'tele/plug1x', 'unknown prefix'],
  ['zigbee', 'tele', 'unknown prefix'],
  ['zigbee', 'zigbee2mqttx/a', 'unknown prefix'],
  ['zigbee', '/zigbee2mqtt/a', 'unknown prefix'],
  ['zigbee', 'Zigbee2MQTT/a', 'unknown prefix'],
  ['zigbee', 'zigbee2mqtt/a\0b', 'malformed topic'],
  ['zigbee', 'v1/gateway/telemetry', 'another gateway'],
  ['zigbee', 'v1/gw2/meter/water', 'another gateway'],
  ['zigbee', 'homeassistant/sensor/a/config', 'unknown prefix'],
  ['zigbee', 'shouwang/residents/a', 'unknown prefix'],
  ['aliyun', '/sys/pk1/box1/thing/event/property/post', undefined],
  ['aliyun', '/sys/pk1/box2/thing/event/property/post', 'unknown prefix'],
  ['aliyun', 'sys/pk1/box1/thing/event/property/post', 'unknown prefix'],
  ['thingsboard', 'v1/gateway/telemetry', undefined],
  ['thingsboard', 'v1/devices/me/telemetry', undefined],
  ['thingsboard', 'v1/devices/you/telemetry', 'another gateway'],
] as const)('a publish of the %s gateway to %j: %s', (name, topic, refusal) => {
  expect(publishRefusal(dialects[name], topic)).toBe(refusal)
})

test.each([
  ['v1/gw1/+/command', 'granted'],
  ['v1/gw1/meter-1/command', 'granted'],
  ['#', 'refused'],
  ['+/+/+/command', 'refused'],
  ['v1/#', 'refused'],
  ['v1/+/+/command', 'refused'],
  ['v1/gw1/#', 'refused'],
  ['v1/gw1/+/+', 'refused'],
  ['v1/gw1/+/command/#', 'refused'],
  ['v1/gw1/+/water', 'refused'],
  ['v1/gw2/+/command', 'refused'],
  ['v1/gw2/meter-1/command', 'refused'],
  ['$share/g/v1/gw1/+/command', 'refused'],
  ['$SYS/#', 'refused'],
  ['v1/gw1/#/command', 'refused'],
  ['v1/gw1//command', 'refused'],
  ['homeassistant/#', 'refused'],
  ['', 'refused'],
])('a gateway of v1 subscribes to %j: %s', (filter, judgement) => {
  expect(subscriptionOf(v1, filter)).toBe(judgement)
})

test.each([
  ['zigbee', 'zigbee2mqtt/#', 'granted'],
  ['zigbee', 'zigbee2mqtt', 'granted'],
  ['zigbee', 'zigbee2mqtt/+/set', 'granted'],
  ['zigbee', 'v1/gw1/#', 'granted'],
  ['zigbee', 'v1/gw1/+/command', 'granted'],
  ['zigbee', 'tele/plug1/#', 'granted'],
  ['zigbee', 'tele/+/SENSOR', 'refused'],
  ['zigbee', 'tele/plug1+/SENSOR', 'refused'],
  ['zigbee', 'tele/plug1#', 'refused'],
  ['zigbee', 'tele/plug10/#', 'refused'],
  ['zigbee', 'zigbee2mqtt/#/set', 'refused'],
  ['zigbee', 'zigbee2mqtt/a+', 'refused'],
  ['zigbee', 'zigbee2mqtt/a\0', 'refused'],
  ['zigbee', `zigbee2mqtt/${'x/'.repeat(50)}`, 'refused'],
  ['zigbee', '+/#', 'refused'],
  ['zigbee', '+/bridge/state', 'refused'],
  ['zigbee', '#', 'refused'],
  ['zigbee', '/#', 'refused'],
  ['zigbee', '$share/g/zigbee2mqtt/#', 'refused'],
  ['zigbee', '$queue/zigbee2mqtt/#', 'refused'],
  ['zigbee', '$SYS/#', 'refused'],
  ['zigbee', 'v1/#', 'refused'],
  ['zigbee', 'v1/+/#', 'refused'],
  ['zigbee', 'v1/gw1', 'refused'],
  ['zigbee', 'v1/gw2/#', 'refused'],
  ['zigbee', 'v1/gw10/#', 'refused'],
  ['zigbee', 'homeassistant/status', 'in vain'],
  ['zigbee', 'homeassistant/#', 'in vain'],
  ['zigbee', 'homeassistant/+/x/config', 'refused'],
  ['zigbee', 'cmnd/tasmotas/#', 'in vain'],
  ['zigbee', 'shellies/command', 'in vain'],
  ['zigbee', 'shouwang/#', 'refused'],
  ['aliyun', '/sys/pk1/box1/thing/event/+/post_reply', 'granted'],
  ['aliyun', '/sys/pk1/box1/thing/service/property/set', 'granted'],
  ['aliyun', '/sys/pk1/+/thing/#', 'refused'],
  ['aliyun', '/sys/#', 'refused'],
  ['thingsboard', 'v1/gateway/rpc', 'granted'],
  ['thingsboard', 'v1/devices/me/rpc/request/+', 'granted'],
  ['thingsboard', 'v1/devices/+/rpc/request/+', 'refused'],
] as const)('the %s gateway subscribes to %j: %s', (name, filter, judgement) => {
  expect(subscriptionOf(dialects[name], filter)).toBe(judgement)
})

test('a base topic that could not be registered gives no rights, however it got into the table', () => {
  const bad = topicRights({
    gatewayId: 'gw1',
    dialect: 'generic',
    baseTopics: ['v1', 'v1/gw2', '#', '+', '', '$SYS', 'homeassistant', 'shouwang', 'good'],
  })
  expect(bad.baseTopics).toEqual(['good'])
  for (const topic of ['v1/gw2/meter/water', '$SYS/a', 'homeassistant/a', 'shouwang/a', '/a', 'x'])
    expect(publishRefusal(bad, topic), topic).toBeDefined()
  const many = topicRights({ gatewayId: 'gw1', baseTopics: Array.from({ length: 30 }, (_, n) => `t${n}`) })
  expect(many.baseTopics.length).toBe(20)
})

test('rights are compared by what they allow', () => {
  expect(sameRights(v1, topicRights({ gatewayId: 'gw1', dialect: 'v1', baseTopics: [] }))).toBe(true)
  expect(sameRights(v1, zigbee)).toBe(false)
  expect(sameRights(zigbee, { ...zigbee, baseTopics: ['zigbee2mqtt'] })).toBe(false)
  expect(sameRights(zigbee, { ...zigbee, baseTopics: ['zigbee2mqtt', 'tele/plug2'] })).toBe(false)
  expect(sameRights(zigbee, { ...zigbee, baseTopics: ['zigbee2mqtt', 'tele/plug1'] })).toBe(true)
})
