import type { EpochMs, Headline } from '../model.js'
import type { AlarmReading } from './alarm.js'
import { deviceNames } from './device-names.js'
import { amountOf, lengthOf, timeOf } from './say.js'
import { lateMs } from './state.js'

/** "Call button in the bathroom pressed at 14:05, 25 min before it reached us." Its age is told when it came late. */
export function alarmHeadline(
  reading: AlarmReading,
  { at, suspect }: { at: EpochMs; suspect: boolean },
  timeZone: string,
): Headline {
  const time = timeOf(at, reading.receivedAt, timeZone)
  const place = placeOf(reading.room.trim())
  const level = reading.level === undefined ? '' : `${amountOf(reading.level)}${reading.unit ? ` ${reading.unit}` : ''}`
  const what = {
    button: { en: `Call button${place.en} pressed at ${time.en}`, zh: `${place.zh}呼叫按钮于 ${time.zh} 按下` },
    smoke: { en: `Smoke alarm${place.en} went off at ${time.en}`, zh: `${place.zh}烟雾报警器于 ${time.zh} 报警` },
    gas: { en: `Gas alarm${place.en} went off at ${time.en}`, zh: `${place.zh}燃气报警器于 ${time.zh} 报警` },
    co: {
      en: `Carbon monoxide alarm${place.en} went off at ${time.en}`,
      zh: `${place.zh}一氧化碳报警器于 ${time.zh} 报警`,
    },
    leak: { en: `Water found${place.en} at ${time.en}`, zh: `${place.zh}水浸传感器于 ${time.zh} 报警` },
    voice: {
      en: `Help called at the voice panel${place.en} at ${time.en}`,
      zh: `${place.zh}语音面板于 ${time.zh} 收到求助`,
    },
  }[reading.kind]
  let { en, zh } = what
  if (level) {
    en += ` (${level})`
    zh += `（${level}）`
  }
  const ageMs = reading.receivedAt - at
  if (ageMs > lateMs) {
    const age = lengthOf(ageMs)
    en += `, ${age.en} before it reached us`
    zh += `，${age.zh}后才送达`
  }
  if (reading.clockWrong) {
    en += ' (device clock wrong, time of arrival shown)'
    zh += '（设备时钟有误，所示为到达时间）'
  }
  if (suspect) {
    en += ' (battery nearly empty: it may be a false alarm, go and look all the same)'
    zh += '（电量将尽，可能误报，仍请上门确认）'
  }
  return { en: `${en}.`, zh: `${zh}。` }
}

/** Of a device that goes on saying alarm after its alert was closed. */
export function standingHeadline(reading: AlarmReading, since: EpochMs, timeZone: string): Headline {
  const time = timeOf(since, reading.receivedAt, timeZone)
  const place = placeOf(reading.room.trim())
  const name = deviceNames[reading.kind]
  return {
    en: `${name.en}${place.en} still reports its alarm of ${time.en}, though that alert was closed: please check the device.`,
    zh: `${place.zh}${name.zh}仍在上报 ${time.zh} 的报警，而那条预警已经结束，请检查设备。`,
  }
}

/** What ends the notice that a device still says alarm. */
export function quietHeadline(reading: AlarmReading, at: EpochMs, timeZone: string): Headline {
  const time = timeOf(at, reading.receivedAt, timeZone)
  const place = placeOf(reading.room.trim())
  const name = deviceNames[reading.kind]
  return {
    en: `${name.en}${place.en} stopped reporting its alarm at ${time.en}.`,
    zh: `${place.zh}${name.zh}于 ${time.zh} 停止报警。`,
  }
}

/** The room is free text: a plain English word goes into the sentence, anything else beside it, as it was given. */
function placeOf(room: string): Headline {
  if (room === '') return { en: '', zh: '' }
  const isWord = /^[A-Za-z][A-Za-z -]*$/.test(room)
  const en = isWord ? ` in the ${room.charAt(0).toLowerCase()}${room.slice(1)}` : ` (${room})`
  return { en, zh: /^[\x20-\x7e]+$/.test(room) ? `${room} ` : room }
}
