import type { Language } from '../../alerts/model.js'
import { defineText } from './text.js'

/** Texts about who is not at home, and of what people say of a resident; the family's own in larger type. */
export const absenceText = defineText({
  en: {
    heading: 'Away, visits and calls',
    awayUntil: (until: string) => `Away until ${until}`,
    awaySince: 'Set ',
    setBy: (name: string) => `by ${name}`,
    byFamily: (name: string) => `by ${name} (family)`,
    note: (note: string) => `Note: ${note}`,
    means:
      'While somebody is away, silence raises no alert. The call button, smoke, gas, leaks, running water and devices that fall silent do, as always.',
    endsItself: 'It ends by itself as soon as somebody is up and about at home, or when its time comes.',
    setAway: 'Going away: set away mode',
    change: 'Change, or end it',
    here: 'I am here with them',
    spoken: 'I spoke with them, all is well',
    hereHelp: 'What is used while you are there is not taken for their routine, and silence counts from now.',
    said: {
      visit: (name: string) => `${name} was here: `,
      spoken: (name: string) => `${name} spoke with them: `,
    },
    departure: (time: string) => `The door was opened at ${time}, and nothing has moved since: they may have gone out.`,
    departureMore: 'Nobody knows yet. Phone, and set away mode only when it is certain.',
    title: (name: string) => `${name}: away from home`,
    answerAway: (until: string) => `Away until ${until}`,
    answerHome: 'Not set as away',
    setHeading: 'Away until when?',
    changeHeading: 'Another end',
    suggested: {
      tonight: (when: string) => `Tonight ${when}`,
      tomorrow: (when: string) => `Tomorrow evening, ${when}`,
      threeDays: (when: string) => `In 3 days, ${when}`,
      week: (when: string) => `In a week, ${when}`,
      festival: (when: string) => `After Spring Festival, ${when}`,
    },
    other: 'Another time',
    otherField: 'Day and time',
    noteField: 'Note',
    noteHint: 'Where they are, whom to phone. Optional; staff see it.',
    noteHintFamily: 'Where they are, whom to phone. Optional; the station sees it.',
    zone: (zone: string) => `By the clock at their home (${zone}).`,
    save: 'Set away mode',
    saveChange: 'Save the new end',
    endNow: 'They are back: end away mode',
    endHelp: 'From then on silence counts again.',
    problem: {
      none: 'Please choose until when.',
      two: 'One end was chosen and another typed in. Please keep one of the two.',
      unclear: 'That is not a day and time. Example: 2026-03-12 20:00.',
      past: 'That time has passed already. Please choose a later one.',
      far: 'At most 60 days. For longer please set it again before it ends.',
    },
    late: 'It can be taken back for one minute only. Nothing was changed.',
    over: 'Away mode was over already. Nothing was changed.',
    past: 'Earlier absences',
    noPast: 'There were none yet.',
    all: (count: number) => `Show all ${count}`,
    newest: (shown: number, count: number) => `The newest ${shown} of ${count}`,
    ended: {
      activity: 'ended: somebody was up and about at home',
      expired: 'ended when its time came',
      person: (name: string) => `ended by ${name}`,
      undone: (name: string) => `taken back by ${name}`,
    },
    rights: 'May the family set this?',
    rightsLead:
      'Away mode and “I am here” keep an alert from coming, and a private link can be passed on. So nobody may from their private page, unless you allow it here by name, as the resident wishes.',
    rightsNone: 'No family member is registered.',
    may: 'may set it',
    mayNot: 'may not',
    allow: (name: string) => `Allow ${name}`,
    forbid: (name: string) => `Do not allow ${name} any longer`,
    back: 'Back to the resident',
    inList: (until: string) => `Away until ${until}`,
    family: {
      heading: 'You can tell the station',
      answer: 'Away until ',
      answerPlain: 'Away from home for now.',
      answerMore: 'As long as they are away the station is not alerted because nothing is used at home.',
      set: 'They are going away',
      change: 'Change, or end it',
      here: 'I am with them now',
      hereHelp: '“I am with them now” tells the station that somebody is there.',
      saidHere: 'The station knows that you are there: ',
      title: (name: string) => `${name} is going away`,
      answerTitle: (name: string) => `Is ${name} going away?`,
      means:
        'While they are away the station is not alerted when nothing is used at home. The call button and the alarms work as always.',
      back: 'Back',
    },
  },
  zh: {
    heading: '外出、上门和通话',
    awayUntil: (until) => `外出至 ${until}`,
    awaySince: '登记时间：',
    setBy: (name) => `登记人：${name}`,
    byFamily: (name) => `登记人：${name}（家属）`,
    note: (note) => `备注：${note}`,
    means: '外出期间，家里没有动静不会发预警。呼叫按钮、烟雾、燃气、水浸、一直流水和设备离线照常预警。',
    endsItself: '家里一有人活动，或到了时间，外出自动结束。',
    setAway: '登记外出',
    change: '修改或结束',
    here: '我正在老人家里',
    spoken: '已通话，平安',
    hereHelp: '您在的时候用水用电不算老人的作息，安静时间从现在重新计算。',
    said: {
      visit: (name) => `${name} 在老人家里：`,
      spoken: (name) => `${name} 已与老人通话：`,
    },
    departure: (time) => `门 ${time} 开过，此后无动静：可能外出。`,
    departureMore: '还不能确定。请先打个电话，确认外出了再登记。',
    title: (name) => `${name}：外出`,
    answerAway: (until) => `外出至 ${until}`,
    answerHome: '没有登记外出',
    setHeading: '什么时候回来？',
    changeHeading: '改回来的时间',
    suggested: {
      tonight: (when) => `今晚 ${when}`,
      tomorrow: (when) => `明天晚上，${when}`,
      threeDays: (when) => `三天后，${when}`,
      week: (when) => `一周后，${when}`,
      festival: (when) => `过完春节（正月初八），${when}`,
    },
    other: '其他时间',
    otherField: '日期和时间',
    noteField: '备注',
    noteHint: '去了哪里、可以打谁的电话。可不填，社区工作人员能看到。',
    noteHintFamily: '去了哪里、可以打谁的电话。可不填，社区工作人员能看到。',
    zone: (zone) => `按老人家里的时间（${zone}）。`,
    save: '登记外出',
    saveChange: '保存新的时间',
    endNow: '已经回家，结束外出',
    endHelp: '结束后，重新开始计算安静时间。',
    problem: {
      none: '请选择什么时候回来。',
      two: '既选了一个时间，又填了另一个。请只留一个。',
      unclear: '日期时间写得不对。例如：2026-03-12 20:00。',
      past: '这个时间已经过了，请选晚一些的时间。',
      far: '最长 60 天。更久的，请在结束前再登记一次。',
    },
    late: '只能在一分钟内撤销，现在已经来不及了。没有做任何改动。',
    over: '外出已经结束了。没有做任何改动。',
    past: '以往的外出',
    noPast: '还没有。',
    all: (count) => `显示全部 ${count} 次`,
    newest: (shown, count) => `共 ${count} 次，这里是最近 ${shown} 次`,
    ended: {
      activity: '家里有人活动，自动结束',
      expired: '到时间自动结束',
      person: (name) => `${name} 结束`,
      undone: (name) => `${name} 撤销`,
    },
    rights: '家属能不能自己登记？',
    rightsLead:
      '登记外出、报“我正陪着老人”都会让预警不响，而家属链接可能被转发。所以默认不行；要按老人的意愿，在这里逐个点名允许。',
    rightsNone: '还没有登记家属。',
    may: '可以登记',
    mayNot: '不可以登记',
    allow: (name) => `允许 ${name} 登记`,
    forbid: (name) => `不再允许 ${name} 登记`,
    back: '返回居民页面',
    inList: (until) => `外出至 ${until}`,
    family: {
      heading: '告诉社区',
      answer: '外出，预计回家：',
      answerPlain: '目前外出。',
      answerMore: '外出期间，家里没有用水用电，社区不会收到预警。',
      set: '老人要出门',
      change: '修改或结束外出',
      here: '我正陪着老人',
      hereHelp: '点“我正陪着老人”，社区就知道有人在身边。',
      saidHere: '社区已知道您在身边：',
      title: (name) => `${name} 要出门`,
      answerTitle: (name) => `${name} 要出门吗？`,
      means: '外出期间，家里没有用水用电，社区不会收到预警。呼叫按钮和报警器照常。',
      back: '返回',
    },
  },
})

type Detail = Record<string, unknown>

/** What is said of people's words in the history of an alert about silence; undefined of any other event. */
export function presenceEventSentence(
  { kind, who: staff, detail }: { kind: string; who: string; detail: Detail },
  language: Language,
): string | undefined {
  const en = language === 'en'
  // A family member has a name and no account.
  const who = staff || (typeof detail.name === 'string' ? detail.name : '')
  switch (kind) {
    case 'said visit':
      return en ? `${who} is with the resident.` : `${who} 在老人家里。`
    case 'said spoken':
      return en ? `${who} spoke with the resident, who is fine.` : `${who} 与本人通了话，平安。`
    case 'away set':
      return en ? `${who} set away mode.` : `${who} 登记了外出。`
    case 'unsaid': {
      const words: Record<string, Record<Language, string>> = {
        visit: { en: '“I am here”', zh: '“在老人家里”' },
        spoken: { en: '“I spoke with them”', zh: '“已通话”' },
        away: { en: 'away mode', zh: '外出' },
      }
      const word = words[String(detail.word)]?.[language] ?? ''
      return en ? `${who} took ${word} back: the silence counts on.` : `${who} 撤销了${word}，安静时间继续计算。`
    }
    default:
      return undefined
  }
}
