import { channelWords, isChannelKind } from '../../alerts/channels/kinds.js'
import type { AlertKind, Language } from '../../alerts/model.js'
import { cautions } from '../../alerts/page-message.js'
import type { MarkEffect } from '../../alerts/rules/mark-effect.js'
import { effectWords } from './mark-words.js'
import { defineText, plural } from './text.js'
import { presenceEventSentence } from './text-absence.js'
import { askEventSentence } from './text-asking.js'
import { lineText } from './text-line.js'

/** Texts of an alert's own page. */
export const alertText = defineText({
  en: {
    door: 'At the door',
    resident: 'Resident',
    address: 'Address',
    phone: 'Phone',
    doorCode: 'Door code',
    keyHolder: 'Spare key',
    healthNote: 'Health',
    notGiven: 'not on record',
    what: 'What happened',
    observed: 'Measured',
    opened: 'Alert opened',
    closed: 'Closed',
    device: 'Device',
    room: 'Room',
    next: 'What happens next',
    tells: (names: string, wait: string) => `If nobody takes it, ${names} will be told in ${wait}.`,
    tellsNow: (names: string) => `${names} is being told now.`,
    tellsAgain: (names: string, wait: string) => `If nobody takes it, it starts again with ${names} in ${wait}.`,
    nobodyToTell: (wait: string) =>
      `There is nobody else to tell. The roster is tried again in ${wait}: please take it.`,
    returns: (wait: string) => `If it is neither moved on nor closed, it comes back to everybody in ${wait}.`,
    nothingNext: 'Nobody is paged for a notice. It stays here until it is closed.',
    done: 'Nothing: this alert is closed.',
    acknowledge: 'I am taking this',
    steps: 'Your next step',
    enRoute: 'I am on my way',
    arrived: 'I am at the door',
    close: 'Close this alert',
    closeHeading: 'What was it?',
    note: 'Note',
    noteHint: 'Required for “Other”.',
    closeSubmit: 'Close',
    noteMissing: 'Please write in the note what it was, then close.',
    tookFirst: (name: string) => `${name} was faster and is handling this alert.`,
    closedFirst: (name: string) => `${name} has closed this alert already.`,
    changedFirst: 'This alert has changed meanwhile: nothing was done. See how it stands now.',
    undoLate: 'It can be taken back for one minute only. Nothing was changed.',
    undoNothing: 'There is nothing of yours to take back. Nothing was changed.',
    outcome: 'Outcome',
    pages: 'Who was told',
    noPages: 'Nobody was paged.',
    console: 'Console',
    status: { pending: 'being sent', sent: 'sent', failed: 'failed', cancelled: 'not sent: taken before' },
    attempts: (n: number) => plural(n, 'attempt', 'attempts'),
    history: 'History',
    by: {
      system: '',
      console: '',
      link: 'by the link in the page',
      email: 'by replying to the e-mail',
      webhook: 'by webhook',
    },
    caution: 'Take care',
    yes: 'yes',
    no: 'no',
    numbers: 'The numbers behind it',
  },
  zh: {
    door: '上门须知',
    resident: '居民',
    address: '地址',
    phone: '电话',
    doorCode: '门禁密码',
    keyHolder: '备用钥匙',
    healthNote: '健康情况',
    notGiven: '没有登记',
    what: '发生了什么',
    observed: '测得时间',
    opened: '预警时间',
    closed: '结束时间',
    device: '设备',
    room: '位置',
    next: '接下来会怎样',
    tells: (names, wait) => `如果没有人接手，${wait}后会通知 ${names}。`,
    tellsNow: (names) => `正在通知 ${names}。`,
    tellsAgain: (names, wait) => `如果没有人接手，${wait}后会从 ${names} 开始重新通知。`,
    nobodyToTell: (wait) => `没有其他人可以通知，${wait}后会再查一次值班表。请您接手。`,
    returns: (wait) => `如果没有进展也没有结束，${wait}后会重新通知大家。`,
    nothingNext: '提醒不会打扰任何人，会一直留在这里，直到有人结束它。',
    done: '无。这条预警已经结束。',
    acknowledge: '我来处理',
    steps: '您的下一步',
    enRoute: '我在路上',
    arrived: '我已到门口',
    close: '结束这条预警',
    closeHeading: '是什么情况？',
    note: '备注',
    noteHint: '选择“其他”时必填。',
    closeSubmit: '结束',
    noteMissing: '请在备注里写明情况，再结束。',
    tookFirst: (name) => `${name} 先一步接手，正在处理这条预警。`,
    closedFirst: (name) => `${name} 已经结束了这条预警。`,
    changedFirst: '这条预警刚刚有了变化，您的操作没有生效。请看最新情况。',
    undoLate: '只能在一分钟内撤销，现在已经来不及了。没有做任何改动。',
    undoNothing: '没有可以撤销的操作。没有做任何改动。',
    outcome: '结果',
    pages: '通知了谁',
    noPages: '没有通知任何人。',
    console: '值守台',
    status: { pending: '正在发送', sent: '已发送', failed: '发送失败', cancelled: '未发送：已有人接手' },
    attempts: (n) => `尝试 ${n} 次`,
    history: '经过',
    by: { system: '', console: '', link: '通过通知里的链接', email: '回复邮件', webhook: '通过 Webhook 回调' },
    caution: '注意安全',
    yes: '是',
    no: '否',
    numbers: '判断依据',
  },
})

/** What a page went through: a channel, or the console. */
export function channelName(kind: string, language: Language): string {
  if (kind === 'console') return alertText(language).console
  return isChannelKind(kind) ? channelWords[kind].name[language] : kind
}

export const cautionOf = (kind: AlertKind, language: Language): string | undefined => cautions[kind]?.[language]

/** Names of the numbers in a reason. Keys that are not here are shown as they are: nothing is hidden. */
export const reasonText = defineText({
  en: {
    since: 'Since',
    until: 'Known until',
    hours: 'Hours without use (h)',
    litres: 'Water (L)',
    litresPerHour: 'Water per hour (L/h)',
    water: 'Water meter reports',
    electricity: 'Electricity meter reports',
    metersOffline: 'Meters that do not report',
    usualMs: 'Usually reports every',
    limitMs: 'Offline after',
    connected: 'Gateway connected',
    aheadMs: 'Clock ahead by',
    marked: 'Marked by the device',
    battery_low: 'Battery (0 to 1)',
    tamper: 'Tampered with',
    device_fault: 'Fault',
    clockWrong: 'Device clock wrong',
    lateMs: 'Arrived late by',
    level: 'Level',
    unit: 'Unit',
    at: 'Measured',
    room: 'Room',
    suspect: 'Possibly false: battery nearly empty',
    battery: 'Battery (0 to 1)',
    changes: 'Changes within an hour',
    minutes: 'Silent for (min)',
    usualMinutes: 'Silence normally lasts at most (min)',
    limitMinutes: 'The line: alert after (min)',
    perNight: 'A night, on the average',
    usualPerNight: 'Usually a night',
    nights: 'Nights',
  },
  zh: {
    since: '开始',
    until: '数据截至',
    hours: '未使用时长（小时）',
    litres: '用水（升）',
    litresPerHour: '每小时用水（升/小时）',
    water: '水表有数据',
    electricity: '电表有数据',
    metersOffline: '没有数据的表',
    usualMs: '通常上报间隔',
    limitMs: '超过多久算离线',
    connected: '网关在线',
    aheadMs: '时钟快了',
    marked: '设备自己标记',
    battery_low: '电量（0 到 1）',
    tamper: '被拆动',
    device_fault: '故障',
    clockWrong: '设备时钟不准',
    lateMs: '晚到',
    level: '数值',
    unit: '单位',
    at: '测得时间',
    room: '位置',
    suspect: '电量将尽，可能误报',
    battery: '电量（0 到 1）',
    changes: '一小时内变化次数',
    minutes: '已安静（分钟）',
    usualMinutes: '平时最多安静（分钟）',
    limitMinutes: '界线：多久后预警（分钟）',
    perNight: '平均每夜',
    usualPerNight: '平时每夜',
    nights: '夜数',
  },
})

type Detail = Record<string, unknown>
const word = (value: unknown) => (typeof value === 'string' || typeof value === 'number' ? String(value) : '')

/** One line of an alert's history. */
export function eventSentence(
  event: { kind: string; name: string | null; toldName: string | null; detail: Detail },
  language: Language,
  outcome: (value: string) => string,
): string {
  const en = language === 'en'
  const { detail } = event
  const who = event.name ?? ''
  const told = event.toldName ?? word(detail.staffId)
  const headline = (detail.headline as Partial<Record<Language, string>> | undefined)?.[language]
  switch (event.kind) {
    case 'opened':
      return en ? 'The alert opened.' : '预警发出。'
    case 'told':
      return en ? `${told} was told${roleOf(detail.role, language)}.` : `通知 ${told}${roleOf(detail.role, language)}。`
    case 'acknowledged':
      return en ? `${who} took it.` : `${who} 接手。`
    case 'en_route':
      return en ? `${who} was on the way.` : `${who} 出发，在路上。`
    case 'arrived':
      return en ? `${who} was at the door.` : `${who} 到达门口。`
    case 'closed': {
      const result = outcome(word(detail.outcome))
      const note = word(detail.note)
      if (en) return `${who ? `${who} closed it` : 'It closed by itself'}: ${result}${note ? `. ${note}` : '.'}`
      return `${who ? `${who} 结束` : '自动结束'}：${result}${note ? `。${note}` : '。'}`
    }
    case 'declined':
      return en ? `${who} cannot go: the next person is told.` : `${who} 去不了，通知下一位。`
    case 'too late':
      return en
        ? `${who} wanted to take it, and was told that ${told} has it.`
        : `${who} 也想接手，已告知 ${told} 在处理。`
    case 'automatic answer':
      return en
        ? `An automatic answer came from ${who}: nobody has read it yet.`
        : `收到 ${who} 的自动回复，本人还没有看到。`
    case 'undone':
      return en
        ? `${who} took it back${undoneOf(detail.what, language)}.`
        : `${who} 撤销了${undoneOf(detail.what, language)}。`
    case 'returned':
      return returnedSentence(word(detail.stage), told, language)
    case 'quiet hours':
      return en ? 'Everybody who would be told is in quiet hours: it waits.' : '应通知的人都在免打扰时段，稍后再通知。'
    case 'chain ended':
      return en ? 'All rounds are over: nobody is told again.' : '已通知完所有轮次，不再通知。'
    case 'nobody to tell':
      return en ? 'There was nobody on the roster to tell.' : '值班表上没有可以通知的人。'
    case 'repeat': {
      const times = word(detail.times)
      if (times === '') return en ? 'It was reported again.' : '再次上报。'
      return en ? `It went on, off and was reported again ${times} more times.` : `又反复上报 ${times} 次。`
    }
    case 'opened again':
      return `${en ? 'It came again within a day' : '一天内再次出现'}${headline ? `${en ? ': ' : '：'}${headline}` : en ? '.' : '。'}`
    case 'verify':
      return en
        ? 'The alarm was said again from memory (a bridge or broker restarted): to be verified, not a new alarm.'
        : '网桥或服务器重启后重发了之前的报警：请核实，不算新的报警。'
    case 'fine':
      return en ? '“I’m fine” was said at the voice panel.' : '居民在语音面板上报了平安。'
    case 'cancelled':
      return en ? 'The button was cancelled at the device.' : '设备上取消了呼叫。'
    case 'marked':
      return markSentence(who, detail, language)
    case 'cleared':
      return `${en ? 'It is so no longer' : '情况已解除'}${headline ? `${en ? ': ' : '：'}${headline}` : en ? '.' : '。'}`
    case 'page sent':
      return en
        ? `The page to ${told} was sent${through(detail, en)}${together(detail, en)}.`
        : `给 ${told} 的通知已发送${through(detail, en)}${together(detail, en)}。`
    case 'page failed':
      return en
        ? `The page to ${told} failed${through(detail, en)}${together(detail, en)}.`
        : `给 ${told} 的通知发送失败${through(detail, en)}${together(detail, en)}。`
    default:
      return (
        askEventSentence({ kind: event.kind, who, told, detail }, language) ??
        presenceEventSentence({ kind: event.kind, who, detail }, language) ??
        headline ??
        [event.kind, who].filter(Boolean).join(', ')
      )
  }
}

/** What somebody said of it, and what that changed in what is learned. */
function markSentence(who: string, { verdict, effect }: Detail, language: Language): string {
  const t = lineText(language)
  const words: Record<string, string> = t.marking
  const marked = t.event(who, words[word(verdict)] ?? word(verdict))
  return effect ? `${marked}${language === 'en' ? ' ' : ''}${effectWords(effect as MarkEffect, language)}` : marked
}

/** It went in one message with others. */
function together(detail: Detail, en: boolean): string {
  const count = word(detail.digest)
  if (count === '' || count === '1') return ''
  return en ? `, in a digest of ${count}` : `，与其他预警合并为一条（共 ${count} 条）`
}

function through(detail: Detail, en: boolean): string {
  const channel = word(detail.channel)
  if (channel === '') return ''
  return en ? ` (${channelName(channel, 'en')})` : `（${channelName(channel, 'zh')}）`
}

function returnedSentence(stage: string, name: string, language: Language): string {
  const sentences: Record<string, Record<Language, (name: string) => string>> = {
    acknowledged: {
      en: (who) => `${who} had it and did not set off in time: everybody is told again.`,
      zh: (who) => `${who} 接手后迟迟没有出发，重新逐级通知。`,
    },
    en_route: {
      en: (who) => `${who} was on the way and did not arrive in time: everybody is told again.`,
      zh: (who) => `${who} 出发后迟迟没有到达，重新逐级通知。`,
    },
    arrived: {
      en: (who) => `Nothing was heard from ${who} at the door for too long: everybody is told again.`,
      zh: (who) => `${who} 到门口后很久没有消息，重新逐级通知。`,
    },
  }
  const sentence = name === '' ? undefined : sentences[stage]?.[language]
  if (sentence) return sentence(name)
  return language === 'en' ? 'Nobody moved it on: it came back to everybody.' : '长时间没有进展，重新通知。'
}

function undoneOf(what: unknown, language: Language): string {
  const words: Record<string, Record<Language, string>> = {
    acknowledged: { en: ': nobody has it', zh: '“接手”，现在没有人处理' },
    en_route: { en: ': not on the way', zh: '“在路上”' },
    arrived: { en: ': not at the door', zh: '“已到门口”' },
    closed: { en: ': the alert is open again', zh: '“结束”，预警重新打开' },
  }
  return words[word(what)]?.[language] ?? (language === 'zh' ? '上一步' : '')
}

function roleOf(role: unknown, language: Language): string {
  const words: Record<string, Record<Language, string>> = {
    responsible: { en: ' (responsible)', zh: '（负责社工）' },
    'on duty': { en: ' (on duty)', zh: '（值班）' },
    supervisor: { en: ' (supervisor)', zh: '（主管）' },
    neighbour: { en: ' (neighbour or volunteer)', zh: '（邻居或志愿者）' },
    handler: { en: ' (who had it)', zh: '（原接手人）' },
    family: { en: ' (family, for information)', zh: '（家属，仅告知）' },
    'last resort': { en: ' (nobody else could be reached)', zh: '（其他人都联系不上）' },
  }
  return words[word(role)]?.[language] ?? ''
}
