import type { EpochMs, Headline } from '../model.js'
import { offsetMsAt } from './zone.js'

export const secondMs = 1_000
export const minuteMs = 60_000
export const hourMs = 3_600_000
const dayMs = 86_400_000

const weekdaysZh: Record<string, string> = {
  Mon: '周一',
  Tue: '周二',
  Wed: '周三',
  Thu: '周四',
  Fri: '周五',
  Sat: '周六',
  Sun: '周日',
}
const months = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec']

const weekdays = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat']
const two = (value: number) => String(value).padStart(2, '0')

function partsOf(at: EpochMs, timeZone: string) {
  const local = new Date(at + offsetMsAt(at, timeZone))
  const year = local.getUTCFullYear()
  const month = local.getUTCMonth() + 1
  const day = local.getUTCDate()
  return {
    year,
    month,
    day,
    weekday: weekdays[local.getUTCDay()]!,
    hour: two(local.getUTCHours()),
    minute: two(local.getUTCMinutes()),
    date: `${year}-${month}-${day}`,
  }
}

/**
 * A time of day in the resident's zone; with the weekday when it is another day than `beside`, with the date when it is
 * a week away or more. Never "yesterday": a sentence is still read tomorrow.
 */
export function timeOf(at: EpochMs, beside: EpochMs, timeZone: string): Headline {
  const parts = partsOf(at, timeZone)
  const time = `${parts.hour}:${parts.minute}`
  if (parts.date === partsOf(beside, timeZone).date) return { en: time, zh: time }
  const apartMs = Math.abs(beside - at)
  if (apartMs < 6 * dayMs) return { en: `${parts.weekday} ${time}`, zh: `${weekdaysZh[parts.weekday]} ${time}` }
  const far = apartMs > 300 * dayMs
  const month = months[parts.month - 1]
  return {
    en: `${parts.day} ${month}${far ? ` ${parts.year}` : ''} ${time}`,
    zh: `${far ? `${parts.year} 年 ` : ''}${parts.month} 月 ${parts.day} 日 ${time}`,
  }
}

/** "自 07:10 起", "自周五 23:45（最后一次开门）起": Chinese sets a space before digits only. `what`: in its brackets, or ''. */
export const sinceZh = (time: string, what = ''): string =>
  `自${/^\d/.test(time) ? ' ' : ''}${time}${what === '' ? ' ' : what}起`

/** How long, in whole minutes, rounded down: "12 h 5 min", "2 days 3 h". */
export function lengthOf(ms: number): Headline {
  const minutes = Math.floor(ms / minuteMs)
  if (minutes < 1) return { en: 'less than 1 min', zh: '不到 1 分钟' }
  const days = Math.floor(minutes / 1_440)
  const hours = Math.floor(minutes / 60)
  if (days >= 2) {
    const rest = hours % 24
    return { en: `${days} days${rest ? ` ${rest} h` : ''}`, zh: `${days} 天${rest ? ` ${rest} 小时` : ''}` }
  }
  const rest = minutes % 60
  const en = [hours ? `${hours} h` : '', rest ? `${rest} min` : ''].filter(Boolean).join(' ')
  const zh = [hours ? `${hours} 小时` : '', rest ? `${rest} 分钟` : ''].filter(Boolean).join(' ')
  return { en, zh }
}

/** A quantity for a sentence: whole numbers from 10 up, one decimal below. */
export function amountOf(value: number): string {
  return String(value >= 10 ? Math.round(value) : Math.round(value * 10) / 10)
}
