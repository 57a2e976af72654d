import type { EpochMs, Headline } from '../model.js'

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

// Making a formatter costs about 50 µs, using one about 1 µs; there are some 400 zones, so the map is bounded.
const formatters = new Map<string, Intl.DateTimeFormat>()
function formatterOf(timeZone: string): Intl.DateTimeFormat {
  const known = formatters.get(timeZone)
  if (known) return known
  const made = new Intl.DateTimeFormat('en-US', {
    timeZone,
    hourCycle: 'h23',
    weekday: 'short',
    year: 'numeric',
    month: 'numeric',
    day: 'numeric',
    hour: '2-digit',
    minute: '2-digit',
  })
  formatters.set(timeZone, made)
  return made
}

function partsOf(at: EpochMs, timeZone: string) {
  const parts = Object.fromEntries(
    formatterOf(timeZone)
      .formatToParts(at)
      .map(({ type, value }) => [type, value]),
  )
  return { ...parts, date: `${parts.year}-${parts.month}-${parts.day}` } as Record<string, string>
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
  if (apartMs < 6 * dayMs) return { en: `${parts.weekday} ${time}`, zh: `${weekdaysZh[parts.weekday!]} ${time}` }
  const far = apartMs > 300 * dayMs
  const month = months[Number(parts.month) - 1]
  return {
    en: `${parts.day} ${month}${far ? ` ${parts.year}` : ''} ${time}`,
    zh: `${far ? `${parts.year} 年 ` : ''}${parts.month} 月 ${parts.day} 日 ${time}`,
  }
}

/** "自 07:10 起", "自周五 23:45 起": Chinese sets a space before digits only. */
export const sinceZh = (time: string): string => `自${/^\d/.test(time) ? ' ' : ''}${time} 起`

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
