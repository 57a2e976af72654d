import type { DeviceKind, Headline } from '../model.js'

/** What a device of each kind is called at the beginning of a sentence. */
export const deviceNames: Record<DeviceKind, Headline> = {
  water: { en: 'Water meter', zh: '水表' },
  electricity: { en: 'Electricity meter', zh: '电表' },
  button: { en: 'Call button', zh: '呼叫按钮' },
  smoke: { en: 'Smoke alarm', zh: '烟雾报警器' },
  gas: { en: 'Gas alarm', zh: '燃气报警器' },
  co: { en: 'Carbon monoxide alarm', zh: '一氧化碳报警器' },
  leak: { en: 'Water leak sensor', zh: '水浸传感器' },
  motion: { en: 'Motion sensor', zh: '人体感应器' },
  door: { en: 'Door sensor', zh: '门磁' },
  bed: { en: 'Bed sensor', zh: '床垫传感器' },
  voice: { en: 'Voice panel', zh: '语音面板' },
}
