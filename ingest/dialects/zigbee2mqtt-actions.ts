const words = (action: string) => action.toLowerCase().split(/[_\s-]+/)

/** A call for help, whatever key it is on. */
const callWords = new Set(['emergency', 'panic', 'sos', 'fire', 'medical', 'police', 'duress', 'help'])
/** What a finger does to a key. */
const pressWords = new Set([
  ...['single', 'double', 'triple', 'quadruple', 'quintuple', 'many', 'press', 'pressed', 'click', 'clicked'],
  ...['hold', 'held', 'long', 'short', 'longpress', 'tap', 'push', 'pushed', 'button', 'on', 'off', 'toggle'],
])
/** What follows a press, or is none: letting go would be a second press of the same finger. */
const notPressWords = new Set([
  ...['release', 'released', 'stop', 'stopped', 'arm', 'disarm', 'lock', 'unlock', 'failure', 'delay', 'none'],
  ...['unknown', 'identify', 'recall', 'store', 'move', 'step'],
])

/** Whether an action calls for help by its own name: `emergency`, `police_panic`; not arming or disarming. */
export const isCall = (action: string): boolean =>
  words(action).some((word) => callWords.has(word)) && !words(action).some((word) => notPressWords.has(word))

/** Whether an action is a press of a plain key, which calls for help where the key was given for that. */
export const isPress = (action: string): boolean =>
  isCall(action) ||
  (words(action).some((word) => pressWords.has(word)) && !words(action).some((word) => notPressWords.has(word)))

/** Sold as a call button: each of its presses is a call. */
const isCallButton = (description: string) => /\b(sos|panic|emergency)\b/i.test(description)

/**
 * Which actions of a device call for help. A keypad or key fob that has keys for it: those. Any other wireless button: each
 * press, since it may be claimed as a call button. What switches a lamp, a blind or a lock (`isOperated`): none.
 */
export function callActions(
  actions: readonly string[],
  { description, isOperated }: { description: string; isOperated: boolean },
): 'calls' | 'presses' | 'none' {
  if (actions.some(isCall) && !isCallButton(description)) return 'calls'
  if (isOperated) return 'none'
  return actions.some(isPress) ? 'presses' : 'none'
}
