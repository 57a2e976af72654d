import type { ReadingKind } from '../contract.js'
import type { Rejection } from '../decode.js'
import type { Saying } from './dialect.js'

/**
 * What is wired to an input, by its name (SwitchText, or the topic that a rule publishes to): Tasmota calls a reed contact,
 * a motion sensor and a push-button all Switch<x>. Narrow where a wrong guess would page: a gas heater is no gas alarm.
 */
const kindsByName: [RegExp, ReadingKind][] = [
  [/sos|panic|emergency|notruf|call.?button|^call\d*$|呼叫|求助|报警按钮/i, 'button'],
  [/smoke|rauch|fire.?alarm|烟/i, 'smoke'],
  [/(^|[^a-z])co[\d_ -]*$|carbon.?mono|一氧化碳/i, 'co'],
  [/^gas\d*$|gas.?(alarm|leak|sensor|detector)|燃气报警/i, 'gas'],
  [/leak|flood|漏水|水浸/i, 'leak'],
  [/pir|motion|occupan|presence|bewegung|人体/i, 'motion'],
  [/door|window|contact|reed|tür|fenster|门|窗/i, 'door'],
]

/** A switch without a name of its own is taken for a door contact: of what its documentation lists, that has two states. */
export const kindOfSwitch = (name: string): ReadingKind | undefined =>
  kindsByName.find(([words]) => words.test(name))?.[1] ?? (/^switch\d*$/i.test(name) ? 'door' : undefined)

const on = /^(on|1|true|open)$/i
const off = /^(off|0|false|closed?)$/i
/** What a push-button sends when it is let go, or that says nothing of a press. */
const noPress = /^(|none|clear|release|inc_dec|inv|power_delayed)$/i

/**
 * What an input of `kind` says: ON is open, moving or alarming, as SwitchMode 1 to 2 and 9 to 16 give it. TOGGLE tells a
 * button's press, and of a contact only that it is the other way now, which is no state.
 */
export function readSwitch(
  { nativeId, kind, ts }: { nativeId: string; kind: ReadingKind; ts: number | string },
  action: string,
): { saying?: Saying; rejection?: Rejection } {
  if (kind === 'button')
    return off.test(action) || noPress.test(action)
      ? {}
      : { saying: { nativeId, kind, fields: { ts, event: 'pressed' } } }
  if (action === '') return {}
  if (!on.test(action) && !off.test(action)) {
    const detail = `${nativeId.slice(0, 100)} says "${action.slice(0, 40)}", neither on nor off: see SwitchMode`
    return { rejection: { reason: 'wrong shape', detail } }
  }
  const state = on.test(action)
  const fields = kind === 'door' ? { open: state } : kind === 'motion' ? { motion: state } : { alarm: state }
  return { saying: { nativeId, kind, fields: { ts, ...fields } } }
}
