import { expect, test } from 'vitest'
import type { OnwardResident } from '../../db/onward.js'
import { homeAssistantFilters, homeAssistantMessages, homeAssistantTopics } from './home-assistant.js'

const resident: OnwardResident = {
  residentId: 'wang.1',
  name: '示例·王奶奶',
  knowledge: 'used',
  lastUseAt: new Date('2026-06-01T04:00:00Z'),
  alerts: [],
}
const alert: OnwardResident['alerts'][number] = {
  alertId: 7,
  kind: 'button',
  severity: 'emergency',
  stage: 'open',
  openedAt: '2026-06-01T12:05:00+08:00',
  headline: { zh: '呼叫按钮于 12:05 按下。', en: 'Call button pressed at 12:05.' },
}
const parsed = (each: OnwardResident, language: 'zh' | 'en' = 'zh') =>
  homeAssistantMessages(each, language).map(({ topic, payload }) => ({ topic, json: JSON.parse(payload) }))

test('a resident is one device, whose entities read one state', () => {
  const [discovery, state] = parsed(resident)
  expect(discovery!.topic).toBe('homeassistant/device/shouwang-wang_2e_1/config')
  expect(discovery!.json.device).toEqual({
    identifiers: ['shouwang_wang_2e_1'],
    name: '示例·王奶奶',
    manufacturer: 'Shouwang 守望',
  })
  const entities = Object.entries(discovery!.json.components as Record<string, Record<string, unknown>>)
  expect(entities.map(([key, { platform, device_class }]) => [key, platform, device_class])).toEqual([
    ['emergency', 'binary_sensor', 'safety'],
    ['attention', 'binary_sensor', 'problem'],
    ['activity', 'sensor', 'enum'],
    ['lastUse', 'sensor', 'timestamp'],
    ['alerts', 'sensor', undefined],
  ])
  for (const [key, { state_topic, value_template }] of entities) {
    expect(state_topic).toBe(state!.topic)
    expect(value_template).toBe(`{{ value_json.${key} }}`)
    expect(state!.json).toHaveProperty(key)
  }
  expect(state!.json).toMatchObject({
    emergency: 'OFF',
    attention: 'OFF',
    alerts: 0,
    lastUse: '2026-06-01T04:00:00.000Z',
  })
})

test.each([
  ['zh', 'used', '已使用'],
  ['zh', 'unknown', '未知'],
  ['en', 'not used', 'not used'],
] as const)('what is known is one of the options that were announced: %s %s', (language, knowledge, word) => {
  const [discovery, state] = parsed({ ...resident, knowledge, lastUseAt: null }, language)
  expect(state!.json).toMatchObject({ activity: word, lastUse: null })
  expect(discovery!.json.components.activity.options).toContain(word)
})

test('an open alert shows with its sentence; only an emergency is one', () => {
  const urgent = { ...alert, severity: 'urgent' as const, kind: 'silent_12h' }
  expect(parsed({ ...resident, alerts: [urgent] })[1]!.json).toMatchObject({ emergency: 'OFF', attention: 'ON' })
  expect(parsed({ ...resident, alerts: [alert, urgent] }, 'en')[1]!.json).toMatchObject({
    emergency: 'ON',
    attention: 'ON',
    alerts: 2,
    headline: 'Call button pressed at 12:05.',
    openedAt: '2026-06-01T04:05:00.000Z',
  })
})

test('two residents are two devices, and all topics are among those that the login may read', () => {
  const ids = ['a.b', 'a_b', 'a:b', 'a-b', 'ab', 'a_2e_b']
  expect(new Set(ids.map((id) => homeAssistantTopics(id)[0])).size).toBe(ids.length)
  for (const topic of ids.flatMap(homeAssistantTopics))
    expect(homeAssistantFilters.some((filter) => topic.startsWith(filter.slice(0, -1)))).toBe(true)
})
