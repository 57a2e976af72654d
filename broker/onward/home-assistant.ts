import type { Language } from '../../alerts/model.js'
import type { OnwardResident } from '../../db/onward.js'

export const homeAssistantUser = 'home-assistant'
/** All that this login may read; nobody else may. */
export const homeAssistantFilters = ['homeassistant/#', 'shouwang/#']
export const onwardStatusTopic = 'shouwang/status'

export type OnwardMessage = { topic: string; payload: string }

const words = {
  zh: {
    emergency: '紧急',
    attention: '需要关注',
    activity: '用水用电',
    lastUse: '最近一次使用',
    alerts: '未关闭的预警',
    states: { used: '已使用', 'not used': '未使用', unknown: '未知' },
  },
  en: {
    emergency: 'Emergency',
    attention: 'Needs attention',
    activity: 'Water and electricity',
    lastUse: 'Last use',
    alerts: 'Open alerts',
    states: { used: 'used', 'not used': 'not used', unknown: 'unknown' },
  },
} as const

const stateTopic = (residentId: string) => `shouwang/residents/${residentId}/state`
const discoveryTopic = (residentId: string) => `homeassistant/device/shouwang-${objectId(residentId)}/config`

/**
 * What Home Assistant is told of a resident: a device with five entities (its device discovery, from 2024.11 on) and their
 * state as one JSON object. Both are to be retained.
 */
export function homeAssistantMessages(resident: OnwardResident, language: Language): OnwardMessage[] {
  const { residentId } = resident
  return [
    { topic: discoveryTopic(residentId), payload: JSON.stringify(discoveryOf(resident, language)) },
    { topic: stateTopic(residentId), payload: JSON.stringify(stateOf(resident, language)) },
  ]
}

/** What takes a resident away again who moved out or is no longer shared: an empty payload under each topic. */
export const homeAssistantTopics = (residentId: string): string[] => [
  discoveryTopic(residentId),
  stateTopic(residentId),
]

function stateOf({ knowledge, lastUseAt, alerts }: OnwardResident, language: Language) {
  const worst = alerts[0]
  return {
    emergency: alerts.some(({ severity }) => severity === 'emergency') ? 'ON' : 'OFF',
    attention: worst ? 'ON' : 'OFF',
    activity: words[language].states[knowledge],
    lastUse: lastUseAt?.toISOString() ?? null,
    alerts: alerts.length,
    headline: worst?.headline[language] ?? '',
    kind: worst?.kind ?? '',
    stage: worst?.stage ?? '',
    openedAt: worst ? new Date(worst.openedAt).toISOString() : null,
  }
}

function discoveryOf({ residentId, name }: OnwardResident, language: Language) {
  const w = words[language]
  const id = objectId(residentId)
  const topic = stateTopic(residentId)
  const entity = (platform: 'binary_sensor' | 'sensor', key: string, more: Record<string, unknown>) => ({
    platform,
    unique_id: `shouwang_${id}_${key}`,
    name: w[key as 'emergency'],
    state_topic: topic,
    value_template: `{{ value_json.${key} }}`,
    ...more,
  })
  return {
    device: { identifiers: [`shouwang_${id}`], name, manufacturer: 'Shouwang 守望' },
    origin: { name: 'Shouwang 守望' },
    availability_topic: onwardStatusTopic,
    components: {
      emergency: entity('binary_sensor', 'emergency', { device_class: 'safety' }),
      attention: entity('binary_sensor', 'attention', { device_class: 'problem', json_attributes_topic: topic }),
      activity: entity('sensor', 'activity', { device_class: 'enum', options: Object.values(w.states) }),
      lastUse: entity('sensor', 'lastUse', { device_class: 'timestamp' }),
      alerts: entity('sensor', 'alerts', { state_class: 'measurement' }),
    },
  }
}

/** Home Assistant takes letters, digits, _ and - here; what else an id has becomes its code point, so that two stay two. */
const objectId = (residentId: string) =>
  residentId.replace(/[^A-Za-z0-9-]/g, (character) => `_${character.codePointAt(0)!.toString(16)}_`)
