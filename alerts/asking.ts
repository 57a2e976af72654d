import type { CommandName, DeviceCommand } from '../ingest/dialects/dialect.js'
import type { DeviceKind, EpochMs, Headline, Severity } from './model.js'

/**
 * Asking before paging: who or what is asked when a home is silent for longer than usual, in which order, and in which
 * words. Pure.
 */

/** The home itself; a family member who agreed to call; the people whom the page would be for, asked to call. */
export const askWays = ['home', 'family', 'task'] as const
export type AskWay = (typeof askWays)[number]

/** Nobody waits longer than this for an answer; more would be a clock that has jumped back since the rules said until when. */
export const askMsMax = 30 * 60_000
/** With less time than this left nobody would answer: then a person is paged at once. */
export const askMsMin = 5 * 60_000
/** A device that has not said by then that it did what it was asked has, for all we know, not asked. */
export const homeAnswerMsMax = 2 * 60_000
/**
 * So many calls one person can make in the time that is left, at 5 min each. What goes beyond that is paged, and pages of
 * one moment come as one message: a thousand homes at once must not ring one telephone a thousand times.
 */
export const callsPerPersonMax = 6
/** A call task that has not left by then reaches nobody in time. */
export const taskSendMsMax = 3 * 60_000

/** Whether an alert that opens, or is open, at `now` is asked about until `askUntil` before anybody is paged. Never an emergency. */
export const asksFirst = (severity: Severity, askUntil: EpochMs | null, now: EpochMs): askUntil is EpochMs =>
  severity === 'urgent' && askUntil !== null && askUntil - now >= askMsMin

export type AskableHome = {
  deviceNo: number
  kind: DeviceKind
  /** Its gateway is there, and it is not offline itself. */
  online: boolean
  commands: readonly CommandName[]
}
/** Whom and what there is to ask; people by their staff ids, in the order in which they are asked. */
export type Askable = {
  devices: readonly AskableHome[]
  family: readonly string[]
  duty: readonly string[]
  /** What is said in the home, as a BCP 47 tag; null: nobody has said so. */
  speaks: string | null
  /** The language of who looks after the community. */
  language: 'zh' | 'en'
}
export type Ask =
  | { way: 'home'; deviceNo: number; command: DeviceCommand }
  | { way: 'family' | 'task'; staffIds: readonly string[] }
export type Asked = { way: AskWay; deviceNo: number | null }

/** The next thing to try, after what was tried already; null: nothing is left. */
export function nextAsk(askable: Askable, tried: readonly Asked[]): Ask | null {
  const isTried = (way: AskWay) => tried.some((one) => one.way === way)
  // Once people are asked, the home's turn is over.
  if (!isTried('family') && !isTried('task')) {
    const device = [...askable.devices]
      .filter((one) => one.online && answersBy(one) && !tried.some(({ deviceNo }) => deviceNo === one.deviceNo))
      .sort((a, b) => rank(a) - rank(b) || a.deviceNo - b.deviceNo)[0]
    if (device) return { way: 'home', deviceNo: device.deviceNo, command: commandFor(device, askable) }
    if (askable.family.length > 0) return { way: 'family', staffIds: askable.family }
  }
  if (!isTried('task') && askable.duty.length > 0) return { way: 'task', staffIds: askable.duty }
  return null
}

/** A siren says "fire", however softly: only what is there to talk with, or to call with, asks how somebody is. */
function answersBy({ kind, commands }: AskableHome): 'prompt' | 'chime' | null {
  if (kind === 'voice' && commands.includes('prompt')) return 'prompt'
  return (kind === 'voice' || kind === 'button') && commands.includes('chime') ? 'chime' : null
}
const rank = (device: AskableHome) => (answersBy(device) === 'prompt' ? 0 : 1)

const commandFor = (device: AskableHome, p: { speaks: string | null; language: 'zh' | 'en' }): DeviceCommand =>
  answersBy(device) === 'chime' ? { name: 'chime' } : { name: 'prompt', ...promptIn(p) }

/** Written for a panel that reads Chinese in these; other languages have no text of ours. */
const readsChinese = ['zh-CN', 'yue', 'wuu', 'nan', 'hak', 'gan', 'hsn']

/** The call button is for help and nothing else: who presses it is paged for at once. */
const prompts = {
  zh: '您好，今天还好吗？家里安静了好一阵子。请说一声“我很好”，或者开一下水龙头。需要帮忙，就按呼叫按钮。',
  en: 'Hello, are you all right today? It has been quiet for a while. Please say “I’m fine”, or run the tap for a moment. If you need help, press the call button.',
}

/** What the voice panel says, and in which language, as a BCP 47 tag. */
export function promptIn({ speaks, language }: { speaks: string | null; language: 'zh' | 'en' }) {
  if (speaks !== null && /^en(-|$)/.test(speaks)) return { text: prompts.en, language: speaks }
  if (speaks !== null && readsChinese.includes(speaks)) return { text: prompts.zh, language: speaks }
  return language === 'en' && speaks === null
    ? { text: prompts.en, language: 'en' }
    : { text: prompts.zh, language: 'zh-CN' }
}

export type CallTask = {
  way: 'family' | 'task'
  residentName: string
  /** The alert's own sentence. */
  headline: Headline
  /** "14:35", by the clock of the home. */
  until: string
}

/** The message to whoever is asked to call. The telephone number stands behind its link, as with a page. */
export function callTaskMessage({ way, residentName: name, headline, until }: CallTask): {
  text: Headline
  lines: Headline[]
} {
  if (way === 'family')
    return {
      text: {
        zh: `${name}家里比平时安静得久，麻烦您现在打个电话问一声。`,
        en: `${name}’s home has been quiet for longer than usual: please phone now and ask.`,
      },
      lines: [
        {
          zh: '接通了、一切都好：打开链接，点“已通话，平安”。',
          en: 'You spoke and all is well: open the link and tap “I spoke with them, all is well”.',
        },
        {
          zh: '没人接，或听着不对劲：打开链接，点“请派人去看看”。您不用自己赶过去。',
          en: 'No answer, or something is wrong: open the link and tap “Please send somebody”. You need not go yourself.',
        },
        {
          zh: `到 ${until} 还没有消息，系统会通知社区工作人员。`,
          en: `Without news by ${until}, the community’s staff are told.`,
        },
      ],
    }
  return {
    text: { zh: `请给${name}打个电话问一声。${headline.zh}`, en: `Please phone ${name} and ask. ${headline.en}` },
    lines: [
      {
        zh: '电话号码在链接里。接通了、一切都好：点“已通话，平安”。',
        en: 'The number is behind the link. You spoke and all is well: tap “I spoke with them, all is well”.',
      },
      {
        zh: '没人接，或听着不对劲：点“马上派人”。',
        en: 'No answer, or something is wrong: tap “Send somebody now”.',
      },
      {
        zh: `到 ${until} 还没有结果，就按预警逐级通知。`,
        en: `Without a result by ${until}, it is paged like any alert.`,
      },
    ],
  }
}

/** How the asking about an alert went, as the database has it. */
export type AskedRow = { atMs: EpochMs; ways: readonly AskWay[]; whys: readonly (string | null)[]; by: string | null }

/** What is worth saying of it in a page; null where the asking came to its end in another way than by silence. */
export function askedBefore({ atMs, ways, whys, by }: AskedRow): AskedBefore | null {
  const result = (['sent for', 'unanswered', 'failed'] as const).find((why) => whys.includes(why))
  return result ? { at: new Date(atMs), ways, result, by } : null
}

/** What was asked before a page, for whoever is paged. */
export type AskedBefore = {
  at: Date
  ways: readonly AskWay[]
  result: 'unanswered' | 'failed' | 'sent for'
  /** Who wants somebody to go now. */
  by: string | null
}

const wayWords: Record<AskWay, Headline> = {
  home: { zh: '家里的语音或提示音', en: 'voice or chime at home' },
  family: { zh: '家属', en: 'the family' },
  task: { zh: '同事', en: 'colleagues' },
}

/** One line of a page: that it was asked, when (`at`: by the clock of the home), and what came of it. */
export function askedLine({ ways, result, by }: AskedBefore, at: string): Headline {
  const each = askWays.filter((way) => ways.includes(way))
  const zh = each.map((way) => wayWords[way].zh).join('、')
  const en = each.map((way) => wayWords[way].en).join(', ')
  if (result === 'sent for')
    return {
      zh: `${at} 起询问过（${zh}）${by ? `；${by} 请马上派人去看` : '；已有人请马上派人去看'}。`,
      en: `Asked since ${at} (${en}); ${by ?? 'somebody'} wants somebody to go now.`,
    }
  if (result === 'failed')
    return {
      zh: `${at} 起想先询问（${zh}），没有问到。`,
      en: `Shouwang tried to ask first since ${at} (${en}) and got through to nobody.`,
    }
  return { zh: `${at} 起询问过（${zh}），没有回应。`, en: `Asked since ${at} (${en}): no answer.` }
}
