import type { Language } from '../../alerts/model.js'
import { defineText, plural } from './text.js'

/** Asking before paging: the console, the page of an alert, the link of a call task, and the history. */
export const askText = defineText({
  en: {
    heading: 'Asked first, nobody paged yet',
    calls: (count: number) => `${plural(count, 'home', 'homes')} to phone: silent for longer than usual`,
    asked: (count: number) => `${plural(count, 'home is', 'homes are')} being asked: silent for longer than usual`,
    alsoAsked: (count: number) => `${plural(count, 'other home is', 'other homes are')} being asked.`,
    voice: 'The voice panel was told to ask whether all is well.',
    chime: 'The chime in the home was told to sound.',
    family: (names: string) => `${names} (family) has been asked to phone.`,
    task: (names: string) => `${names} has been asked to phone.`,
    pleaseCall: (name: string) => `Please phone ${name}`,
    leftBefore: '',
    leftAfter: ' left for an answer; then it is paged.',
    leftAfterFamily: ' left for an answer; then the community’s staff are told.',
    call: (phone: string) => `Phone ${phone}`,
    noPhone: 'No telephone number is on record.',
    spoken: 'I spoke with them, all is well',
    spokenLabel: (name: string) => `I spoke with them, all is well: ${name}`,
    send: 'Send somebody now',
    sendLabel: (name: string) => `Send somebody now: ${name}`,
    sendPlease: 'Please send somebody',
    tells: (names: string, wait: string) => `Without an answer ${names} will be told in ${wait}.`,
    settles: 'Water, electricity or movement at home, or “I’m fine”, settles it as well.',
    familyLead: 'The home has been quiet for longer than usual. Please phone now.',
    familyHelp: 'No answer, or something is wrong? You need not go yourself: the community’s staff do.',
    taskHelp: 'No answer, or something is wrong? Then somebody goes.',
    thanks: 'Thank you. This alert is closed.',
    sent: 'Thank you. Staff are being told now.',
    noted: 'Thank you. Whoever has the alert can read it.',
    late: 'This alert is over already. There is nothing left to do.',
    over: 'This alert is over. There is no need to phone any more.',
    paged: 'No answer came in time: staff have been told.',
    expired: 'This link has expired: it works for 24 hours.',
    openAlert: 'Open the alert',
    forYou: (name: string) => `This page was sent to ${name}.`,
  },
  zh: {
    heading: '先询问，还没有逐级通知',
    calls: (count) => `请给 ${count} 户打电话问一声：比平时安静得久`,
    asked: (count) => `正在询问 ${count} 户：比平时安静得久`,
    alsoAsked: (count) => `另有 ${count} 户正在询问。`,
    voice: '已让家里的语音面板问本人。',
    chime: '已让家里响提示音。',
    family: (names) => `已请家属 ${names} 打电话。`,
    task: (names) => `已请 ${names} 打电话。`,
    pleaseCall: (name) => `请给${name}打个电话问一声`,
    leftBefore: '还有 ',
    leftAfter: '；到时没有回应，就逐级通知。',
    leftAfterFamily: '；到时没有回应，就通知社区工作人员。',
    call: (phone) => `拨打 ${phone}`,
    noPhone: '没有登记电话。',
    spoken: '已通话，平安',
    spokenLabel: (name) => `已通话，平安：${name}`,
    send: '马上派人',
    sendLabel: (name) => `马上派人：${name}`,
    sendPlease: '请派人去看看',
    tells: (names, wait) => `如果没有回应，${wait}后会通知 ${names}。`,
    settles: '家里用水、用电、有人走动，或者说了“我很好”，预警会自动解除。',
    familyLead: '家里比平时安静得久，麻烦您现在打个电话。',
    familyHelp: '没人接，或听着不对劲？您不用自己赶过去，社区会派人。',
    taskHelp: '没人接，或听着不对劲？点下面，马上通知人上门。',
    thanks: '谢谢，这条预警已经结束。',
    sent: '好的，正在通知社区工作人员。',
    noted: '谢谢，已告诉正在处理的人。',
    late: '这条预警之前已经结束，不用再做什么。',
    over: '这条预警已经结束，不用再打电话。',
    paged: '一直没有回应，已通知社区工作人员。',
    expired: '这个链接已过期（24 小时内有效）。',
    openAlert: '打开预警',
    forYou: (name) => `这条消息发给 ${name}。`,
  },
})

type Detail = Record<string, unknown>
type AskEvent = { kind: string; who: string; told: string; detail: Detail }

/** What is said of asking in an alert's history; undefined of any other event. */
export function askEventSentence({ kind, who, told, detail }: AskEvent, language: Language): string | undefined {
  const en = language === 'en'
  switch (kind) {
    case 'asked':
      if (detail.way === 'home' && detail.command === 'chime')
        return en ? 'The chime in the home was told to sound, to ask.' : '先询问：让家里响提示音。'
      if (detail.way === 'home') return en ? 'The voice panel was told to ask.' : '先询问：让家里的语音面板问本人。'
      if (detail.way === 'family')
        return en ? `${told} (family) was asked to phone.` : `先询问：请家属 ${told} 打电话。`
      return en ? `${told} was asked to phone.` : `先询问：请 ${told} 打电话。`
    case 'ask failed':
      if (detail.way === 'home')
        return en ? 'The home could not be asked: its device did not do it.' : '没有问到：家里的设备没有响应。'
      return en ? 'The call task did not get through.' : '没有问到：请人打电话的消息没有送达。'
    case 'asking failed':
      return en ? 'Asking first went wrong: it is paged at once.' : '询问时出错，直接开始逐级通知。'
    case 'unanswered':
      return en ? 'No answer came in time: it is paged.' : '没有回应，开始逐级通知。'
    case 'sent for':
      return en ? `${who} wants somebody to go now.` : `${who} 请马上派人。`
    case 'spoken':
      return en ? `${who} spoke with the resident, who is fine.` : `${who} 与本人通了话，平安。`
    default:
      return undefined
  }
}
