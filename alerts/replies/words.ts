/** What somebody says of a page by replying to it. Pure. */
export type ReplyIntent = 'acknowledge' | 'en_route' | 'arrived' | 'undo' | 'decline' | 'unclear'

/** English words, whole: "no" is not "now", "not" is not "note". */
const words = (...list: string[]) => `(${list.join('|')})(?![a-z0-9])`
/** A number of the menu: alone, or before the words that it stands for; "3 people" is none. */
const digit = (number: string, then: string) => `${number}(?=[\\s\\p{P}]*($|${then}))`
const begins = (...patterns: string[]) => new RegExp(`^(${patterns.join('|')})`, 'u')

/** Asked in this order; the first that fits decides. */
const beginnings: [ReplyIntent, RegExp][] = [
  ['undo', begins('撤销|撤消|撤回|取消', words('undo', 'cancel', 'take (it|that) back'))],
  // What looks like a refusal and is none.
  ['acknowledge', begins('没问题|不用担心', words('no problem', 'no worries', 'not a problem'))],
  // "No answer at the door" is about the resident.
  ['unclear', begins(words('no ?(body|one|answer|reply|response|light|sound|sign)'))],
  [
    'decline',
    begins(
      digit('0', '[不没去]|can|no'),
      '不|没空|没时间|没办法|没法|无法|去不了|来不了|过不去|我去不了|我不|我没空|抱歉|对不起',
      words(
        'no',
        'nope',
        'not',
        'never',
        'cannot',
        'can not',
        "can't",
        'cant',
        "couldn't",
        "won't",
        'unable',
        'sorry',
        'busy',
      ),
      words("i ?('m|am) ?(not|unable|busy|away|out|sorry)", "i (can't|cant|cannot|can not|won't|don't|will not)"),
    ),
  ],
  [
    'arrived',
    begins(
      digit('3', '已?到|在|i|at|arr'),
      '到了|已到|已经到|我到|我已到|我已经到|到门口|人到了|在门口|我在门口',
      words("(i('m| am| have)? ?|we('re| are)? ?)?(arrived|here|at the door)"),
    ),
  ],
  [
    'en_route',
    begins(
      digit('2', '在|已|路|i|on'),
      '在路上|我在路上|路上|已在路上|已出发|已经出发|出发|我出发|我已出发|正在赶|在赶|赶过去|马上到',
      words("(i('m| am)? ?|we('re| are)? ?)?(on (my|our|the) way|coming|en route|heading)", 'omw'),
    ),
  ],
  [
    'acknowledge',
    begins(
      '1(?![\\p{L}\\d.:])',
      digit('1', '收|由|我|i|tak'),
      '收到|我来|我去|我处理|我负责|接手|由我|我接',
      words(
        'ok',
        'okay',
        'yes',
        'sure',
        'fine',
        'got it',
        'understood',
        'taking',
        'going',
        'roger',
        'will do',
        'ack(nowledged?)?',
      ),
      words('confirm(ed)?', 'on it', 'received'),
      words("(i('m| am| will)|i'll) (taking|going|take|go|handle|handling|on it)"),
    ),
  ],
]

/** Yes in other words, where nothing in it speaks against that. */
const assent = begins(
  '好|行|知道|明白|了解|可以|嗯|是的|马上|这就|立刻|确认',
  words('sure', 'fine', 'understood', 'noted', 'confirm(ed)?', 'on it', 'received'),
)
const doubtful =
  /[?？]|不|没|无法|抱歉|吗|谁|错|(?<![a-z])(not?|can't|cannot|won't|don't|unable|sorry|who|what|why|when|wrong|away|busy)(?![a-z])/

/**
 * What the first line of a reply says. Nothing at all takes the alert: who sends a page back empty means to go. Words that
 * are not known take nothing, so that others go on being told: they may be an automatic answer that does not say so.
 */
export function replyIntent(line: string): ReplyIntent {
  const said = line
    .normalize('NFKC')
    .toLowerCase()
    .replace(/[’‘`´]/g, "'")
    .replace(/^[\s\p{P}\p{S}]+/u, '')
    .replace(/\s+/g, ' ')
    .trim()
  if (said === '') return 'acknowledge'
  const known = beginnings.find(([, pattern]) => pattern.test(said))
  if (known) return known[0]
  return assent.test(said) && !doubtful.test(said) ? 'acknowledge' : 'unclear'
}
