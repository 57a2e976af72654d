import { numberOf } from './json.js'

const wordsOf = (text: string) => new Set(text.trim().split(/\s*,\s*/))

const yes = wordsOf(`
  true, yes, on, 1, active, alarm, alarming, alarmed, alert, warning, fire, smoke, smoke detected, gas, gas detected, leak,
  leaking, leaked, leakage, leak detected, water, wet, flood, flooded, burst, detected, detect, trigger, triggered,
  motion, motion detected, moving, occupied, presence, present, someone, open, opened, in, in bed, inbed, uninstalled,
  removed, silent, muted, tampered, 报警, 告警, 警报, 触发, 有烟, 泄漏, 漏水, 有水, 有人, 打开, 开, 开启, 在床`)
const no = wordsOf(`
  false, no, off, 0, inactive, none, normal, ok, clear, cleared, idle, safe, dry, no alarm, no leak, no smoke, no gas,
  no water, not detected, undetected, no motion, still, unoccupied, vacant, absent, nobody, close, closed, out, out of bed,
  off bed, installed, standby, restored, recovered, 正常, 无, 无人, 恢复, 关闭, 关, 离床`)
const tests = wordsOf('test, testing, self test, selftest, self-test, 测试, 自检')

const plain = (value: string) => value.toLowerCase().replace(/_/g, ' ').trim()
const isTest = (word: string) => tests.has(word) || word.startsWith('test')

/** What a state says; 'test': somebody tries it out; undefined: not understood. A number other than 0 and 1 is no state. */
export function truthOf(value: unknown): boolean | 'test' | undefined {
  if (typeof value === 'boolean') return value
  if (value === 0 || value === 1) return value === 1
  if (typeof value !== 'string') return undefined
  const word = plain(value)
  if (yes.has(word)) return true
  if (no.has(word)) return false
  return isTest(word) ? 'test' : undefined
}

const presses = wordsOf(`
  true, on, short, long, double, triple, single, click, hold, press, pressed, down, sos, emergency, panic, help, call,
  alarm, alert, trigger, triggered, active, 按下, 短按, 长按, 双击, 单击, 呼叫, 求助, 报警`)
const idle = wordsOf(`
  false, off, no, none, idle, normal, release, released, not pressed, up, inactive, standby, ok, clear, 正常, 无, 松开`)
const cancels = wordsOf('cancel, cancelled, canceled, reset, 取消, 解除')

/** What a button says; null: nothing was pressed; undefined: not understood. Which press it was does not matter. */
export function pressOf(value: unknown): 'pressed' | 'cancelled' | 'test' | null | undefined {
  if (typeof value === 'boolean') return value ? 'pressed' : null
  const number = numberOf(value)
  if (number !== undefined) return number === 0 ? null : Number.isInteger(number) && number > 0 ? 'pressed' : undefined
  if (typeof value !== 'string') return undefined
  const word = plain(value)
  if (cancels.has(word)) return 'cancelled'
  if (isTest(word)) return 'test'
  if (idle.has(word)) return null
  return presses.has(word) || presses.has(word.replace(/ ?(press|click|pressed)$/, '')) ? 'pressed' : undefined
}

const helps = wordsOf('help, sos, emergency, true, 1, 求助, 救命')
const fines = wordsOf(`fine, ok, i'm fine, i am fine, 平安, 我很好, 没事`)

/** What was said to a speaker or panel; undefined: not understood. */
export function voiceOf(value: unknown): 'help' | 'fine' | null | undefined {
  if (value === false || value === 0) return null
  const word = plain(
    String(value === true || typeof value === 'number' ? value : typeof value === 'string' ? value : ''),
  )
  return helps.has(word) ? 'help' : fines.has(word) ? 'fine' : undefined
}

/** A battery that says no more than that it is low. */
const lowPart = 0.05
const lowWords = wordsOf('low, critical, empty, 低, 低电量')

/**
 * A battery as a part of 1; undefined: not told. `percent`: the number is of 100 whatever it is. Else a whole number is
 * of 100 (1 is nearly empty), one with decimals up to 1 is a part, below 5 it is a voltage, and 255 is "not measured".
 */
export function batteryOf(value: unknown, percent: boolean): number | undefined {
  if (typeof value === 'string' && (lowWords.has(plain(value)) || /low battery/i.test(value))) return lowPart
  const isMarked = typeof value === 'string' && /%\s*$/.test(value)
  const number = numberOf(isMarked ? String(value).replace(/%\s*$/, '') : value)
  if (number === undefined || number < 0 || number > 100) return undefined
  const part =
    percent || isMarked || Number.isInteger(number) || number >= 5 ? number / 100 : number <= 1 ? number : undefined
  return part === undefined ? undefined : Math.round(part * 10_000) / 10_000
}

/** `battery_low: true`. */
export const batteryOfLow = (value: unknown): number | undefined => (truthOf(value) === true ? lowPart : undefined)
