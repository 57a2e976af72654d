import type { Headline } from '../model.js'
import { clockText } from '../page-message.js'

/** What came of a reply, to be told to whoever wrote it. Pure. */
export type ReplyOutcome =
  | { kind: 'acknowledged' | 'en_route' | 'arrived' }
  | { kind: 'already yours' }
  | { kind: 'taken'; name: string; since: Date | null }
  | { kind: 'closed'; name: string | null; since: Date | null }
  | { kind: 'undone' | 'undo too late' | 'nothing to undo' }
  | { kind: 'declined' | 'declined but yours' | 'declined, taken' }
  | { kind: 'unclear' | 'over' }

const how: Headline = {
  zh: '回复 2 表示在路上，3 表示已到门口；一分钟内回复“撤销”可以收回。',
  en: 'Reply 2 when you are on your way, 3 when you are at the door; “undo” within a minute takes it back.',
}

/** One line: whom it is about, then how it stands. */
export function answerLine(outcome: ReplyOutcome, p: { residentName: string; now: Date; timeZone: string }): Headline {
  const { residentName, now, timeZone } = p
  const at = (date: Date | null) => ({
    zh: date ? `${clockText(date, { now, timeZone, language: 'zh' })} 起` : '',
    en: date ? ` since ${clockText(date, { now, timeZone, language: 'en' })}` : '',
  })
  const said = sentence(outcome, at)
  return { zh: `${residentName}：${said.zh}`, en: `${residentName}: ${said.en}` }
}

function sentence(outcome: ReplyOutcome, at: (date: Date | null) => Headline): Headline {
  switch (outcome.kind) {
    case 'acknowledged':
      return { zh: `已由您接手。${how.zh}`, en: `you have it. ${how.en}` }
    case 'en_route':
      return {
        zh: '已记下您在路上。到了请回复 3；一分钟内回复“撤销”可以收回。',
        en: 'noted that you are on your way. Reply 3 at the door; “undo” within a minute takes it back.',
      }
    case 'arrived':
      return {
        zh: '已记下您到了门口。看过情况后，请打开预警写下结果并结束。',
        en: 'noted that you are at the door. When you have seen what it is, open the alert and close it with that.',
      }
    case 'already yours':
      return { zh: '这条预警已经在您手上，没有变化。', en: 'you have it already; nothing was changed.' }
    case 'taken':
      return {
        zh: `${outcome.name} ${at(outcome.since).zh}在处理，您不用去了。`,
        en: `${outcome.name} has had it${at(outcome.since).en}; you need not go.`,
      }
    case 'closed':
      return {
        zh: `这条预警已经结束${outcome.name ? `（${outcome.name}）` : ''}，您不用去了。`,
        en: `it has been closed${outcome.name ? ` by ${outcome.name}` : ''}; you need not go.`,
      }
    case 'undone':
      return {
        zh: '已撤销，系统会继续通知其他人。',
        en: 'taken back; others go on being told.',
      }
    case 'undo too late':
      return {
        zh: '只能在一分钟内撤销，现在还在您手上。去不了的话，请马上打电话给同事。',
        en: 'it can be taken back for one minute only, so it is still yours. If you cannot go, phone a colleague now.',
      }
    case 'nothing to undo':
      return {
        zh: '没有可以撤销的操作，没有变化。',
        en: 'there is nothing of yours to take back; nothing was changed.',
      }
    case 'declined':
      return { zh: '知道您去不了，正在通知下一位。', en: 'noted that you cannot go; the next person is being told.' }
    case 'declined, taken':
      return {
        zh: '知道您去不了。已经有人处理过，您不用管了。',
        en: 'noted that you cannot go. Somebody else has seen to it.',
      }
    case 'declined but yours':
      return {
        zh: '您的话已记下，但这条预警还在您手上。去不了的话，请马上打电话给同事。',
        en: 'what you wrote is noted, but it is still yours. If you cannot go, phone a colleague now.',
      }
    case 'unclear':
      return {
        zh: '没看懂您的回复，没有做任何改动，系统会继续通知。回复 1 表示由您处理，0 表示去不了。',
        en: 'your reply was not clear, so nothing was changed and others go on being told. Reply 1 to take it, 0 if you cannot go.',
      }
    case 'over':
      return {
        zh: '这条通知超过 24 小时，不能再用回复处理，请登录查看。',
        en: 'that page is over 24 hours old and can no longer be answered by e-mail. Please log in.',
      }
  }
}
