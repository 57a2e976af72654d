import type { DeviceKind, EpochMs, Headline } from '../model.js'
import { deviceNames } from './device-names.js'
import { hourMs } from './say.js'

/** More times on or off than these within an hour are the device's fault rather than the home's. */
const changesMax = 4
const withinMs = hourMs
/** After so long without a change it is calm again. */
export const calmMs = 6 * hourMs
/** Kept of one device: enough to say how often. */
export const changesKept = 60

/**
 * How often a device has gone on or off within an hour, where that is too often to be the home's doing; null: it is calm.
 * `changes`: times in order. Pure.
 */
export function flapsWithin(changes: readonly EpochMs[]): number | null {
  const newest = changes.at(-1)
  if (newest === undefined) return null
  const recent = changes.filter((at) => at > newest - withinMs).length
  return recent > changesMax ? recent : null
}

/** "Smoke alarm (厨房) went on and off 6 times within an hour: please check the device. Its alarms are paged all the same." */
export function flappingHeadline(p: { kind: DeviceKind; room: string; changes: number; isAlarm: boolean }): Headline {
  const { kind, room, changes, isAlarm } = p
  const name = deviceNames[kind]
  const place = room.trim() === '' ? '' : ` (${room.trim()})`
  const what = {
    en: isAlarm ? 'went on and off' : 'reported and cleared the same thing',
    zh: isAlarm ? '报警又解除' : '反复上报又解除同一情况',
  }
  const still = {
    en: isAlarm ? ' Its alarms are paged all the same.' : '',
    zh: isAlarm ? '期间的报警照常通知。' : '',
  }
  return {
    en: `${name.en}${place} ${what.en}: ${changes} changes within an hour. Please check the device.${still.en}`,
    zh: `${room.trim()}${name.zh}一小时内${what.zh}，共变化 ${changes} 次，请检查设备。${still.zh}`,
  }
}

/** What ends that notice. */
export function calmHeadline({ kind, room }: { kind: DeviceKind; room: string }): Headline {
  const name = deviceNames[kind]
  const place = room.trim() === '' ? '' : ` (${room.trim()})`
  return { en: `${name.en}${place} has been steady for 6 h.`, zh: `${room.trim()}${name.zh}已稳定 6 小时。` }
}
