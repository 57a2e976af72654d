import { askedLine } from './asking.js'
import type { Page } from './channels/channel.js'
import { heldLine } from './holds.js'
import { escapeHtml, htmlPage, linkButton, paragraph } from './message-html.js'
import type { AlertKind, Headline, Language } from './model.js'

export type PageMessage = { subject: string; text: string; html: string }

/** What is wrong, as the words that a message begins with. */
export const titles: Record<AlertKind, Record<Language, string>> = {
  button: { zh: '紧急呼叫', en: 'Call button pressed' },
  smoke: { zh: '烟雾报警', en: 'Smoke alarm' },
  gas: { zh: '燃气报警', en: 'Gas alarm' },
  co: { zh: '一氧化碳报警', en: 'Carbon monoxide alarm' },
  voice: { zh: '语音求助', en: 'Help called by voice' },
  silence_unusual: { zh: '安静时间超出平时', en: 'Silent for longer than usual' },
  silent_12h: { zh: '12 小时未用水用电', en: 'No water or electricity used for 12 h' },
  silent_24h: { zh: '24 小时未用水用电', en: 'No water or electricity used for 24 h' },
  water_running: { zh: '水一直在流', en: 'Water keeps running' },
  leak_standing: { zh: '疑似漏水', en: 'Water leaks' },
  appliance_on: { zh: '电器可能忘了关', en: 'Appliance left on' },
  leak: { zh: '水浸', en: 'Water leak' },
  gateway_offline: { zh: '网关离线', en: 'Gateway offline' },
  device_offline: { zh: '设备离线', en: 'Device offline' },
  battery_low: { zh: '设备电量低', en: 'Device battery low' },
  tamper: { zh: '设备被拆动', en: 'Device tampered with' },
  device_fault: { zh: '设备故障', en: 'Device fault' },
  clock_wrong: { zh: '设备时钟不准', en: 'Device clock wrong' },
  alarm_standing: { zh: '设备仍显示报警', en: 'Device still says alarm' },
  device_flapping: { zh: '设备反复报警', en: 'Device goes on and off' },
  night_visits: { zh: '起夜增多', en: 'Up more often at night' },
}

/** What could hurt the one who goes. */
export const cautions: Partial<Record<AlertKind, Record<Language, string>>> = {
  smoke: {
    zh: '门或门把手发烫就不要开门，退到安全处等消防人员。',
    en: 'If the door or its handle is hot, do not open it: keep away and wait for the fire brigade.',
  },
  gas: {
    zh: '不要按电门铃，不要开关灯和电器，敲门即可；到室外再打电话。',
    en: 'Knock: no electric doorbell, no light switches or appliances. Go outside before you phone.',
  },
  co: {
    zh: '一氧化碳无色无味：进门先开窗通风，把人转移到室外，自己感到头晕立即退出。',
    en: 'You cannot smell it: open doors and windows, bring everybody outside, and leave at once if you feel dizzy.',
  },
  leak: {
    zh: '积水可能带电：不要碰水里或湿手能碰到的电器，能安全够到再关总闸和水阀。',
    en: 'Standing water may be live: touch nothing electric; switch off mains and water only where you can reach them dry.',
  },
}

const words = {
  zh: {
    again: '再次通知',
    againLine: '这是再次通知：这条预警还没有处理完。',
    returned: {
      acknowledged: (name: string) => `这是再次通知：${name} 接手后迟迟没有出发。`,
      en_route: (name: string) => `这是再次通知：${name} 出发后迟迟没有到达。`,
      arrived: (name: string) => `这是再次通知：${name} 到门口后很久没有消息。`,
    },
    when: '时间',
    opened: (at: string) => `系统于 ${at} 发出预警`,
    deviceAhead: (at: string) => `设备时钟不准（设备显示 ${at}）`,
    door: '上门须知',
    address: '地址',
    doorCode: '门禁密码',
    keyHolder: '备用钥匙',
    phone: '居民电话',
    healthNote: '健康情况',
    caution: '注意',
    link: '点此确认由您处理',
    linkHelp: '打开后再按一次“确认”即可，无需登录。链接 24 小时内有效，只能用一次。',
    others: '如果无人确认，系统会继续通知其他同事。',
    othersVolunteer: '如果您去不了，不用操作：系统会继续通知其他人。',
    staffTold: (at: string) => `系统已于 ${at} 开始通知社区工作人员。`,
    familyLink: '查看',
    familyHelp: '您无需确认。后续情况请看您的家属页面（社区给您的链接）；担心的话，可以直接给老人或社区打电话。',
    colon: '：',
    comma: '，',
  },
  en: {
    again: 'Again',
    againLine: 'You are told again: this alert has not been dealt with yet.',
    returned: {
      acknowledged: (name: string) => `You are told again: ${name} took it and did not set off in time.`,
      en_route: (name: string) => `You are told again: ${name} was on the way and did not arrive in time.`,
      arrived: (name: string) => `You are told again: nothing was heard from ${name} at the door for too long.`,
    },
    when: 'When',
    opened: (at: string) => `alert opened ${at}`,
    deviceAhead: (at: string) => `device clock wrong (it says ${at})`,
    door: 'At the door',
    address: 'Address',
    doorCode: 'Door code',
    keyHolder: 'Spare key',
    phone: 'Resident’s phone',
    healthNote: 'Health',
    caution: 'Take care',
    link: 'Tap to say that you are taking this',
    linkHelp: 'It opens a page with one button to confirm; no login. The link works once, for 24 hours.',
    others: 'If nobody acknowledges, others are told.',
    othersVolunteer: 'If you cannot go, do nothing: others are told.',
    staffTold: (at: string) => `The community’s staff have been told, beginning at ${at}.`,
    familyLink: 'See',
    familyHelp:
      'There is nothing to confirm. Your family page (the link that the community gave you) says how it goes on. If you are worried, phone your relative or the community.',
    colon: ': ',
    comma: ', ',
  },
} as const

const fieldCharsMax = 500

/**
 * Text from a record as one line. Line breaks could add a header to a mail or a false line to its text; direction marks
 * could turn an address around.
 */
export function oneLine(text: string, charsMax = fieldCharsMax): string {
  const flat = text
    .replace(/[\p{Cc}\p{Zl}\p{Zp}\p{Cs}\u061C\u200E\u200F\u202A-\u202E\u2066-\u2069]+/gu, ' ')
    .replace(/\s{2,}/g, ' ')
    .trim()
  const chars = [...flat]
  return chars.length > charsMax ? `${chars.slice(0, charsMax - 1).join('')}…` : flat
}

/** How long ago, for people: "25 min ago", "3 h 20 min ago", "2 days ago". */
export function ageText(ms: number, language: Language): string {
  const minutes = Math.floor(ms / 60_000)
  const hours = Math.floor(minutes / 60)
  const zh = language === 'zh'
  if (minutes < 1) return zh ? '刚刚' : 'just now'
  if (minutes < 60) return zh ? `${minutes} 分钟前` : `${minutes} min ago`
  if (hours >= 48) return zh ? `${Math.floor(hours / 24)} 天前` : `${Math.floor(hours / 24)} days ago`
  const rest = minutes % 60
  if (rest === 0) return zh ? `${hours} 小时前` : `${hours} h ago`
  return zh ? `${hours} 小时 ${rest} 分钟前` : `${hours} h ${rest} min ago`
}

/** Time of day in the resident's zone, with the day when it is not today's there. */
export function clockText(
  at: Date,
  { now, timeZone, language }: { now: Date; timeZone: string; language: Language },
): string {
  const parts = (date: Date) =>
    Object.fromEntries(
      new Intl.DateTimeFormat('en-GB', {
        timeZone,
        year: 'numeric',
        month: 'numeric',
        day: 'numeric',
        hour: '2-digit',
        minute: '2-digit',
        hourCycle: 'h23',
      })
        .formatToParts(date)
        .map(({ type, value }) => [type, value]),
    )
  const then = parts(at)
  const today = parts(now)
  const time = `${then.hour}:${then.minute}`
  if (then.day === today.day && then.month === today.month && then.year === today.year) return time
  if (language === 'zh') return `${Number(then.month)} 月 ${Number(then.day)} 日 ${time}`
  const month = new Intl.DateTimeFormat('en-GB', { timeZone, month: 'short' }).format(at)
  return `${Number(then.day)} ${month} ${time}`
}

/** A clock this far ahead is wrong; less is the line's delay. */
const aheadMsMax = 60_000
/** From this on it matters that the alert came later than what it is about. */
const lateMsMin = 300_000

export function whenLine(page: Page, now: Date): string {
  const { language, timeZone, observedAt, openedAt } = page
  const said = words[language]
  const show = (at: Date) => clockText(at, { now, timeZone, language })
  const relative = (at: Date) => `${ageText(now.getTime() - at.getTime(), language)}${said.comma}${show(at)}`
  const semicolon = language === 'zh' ? '；' : '; '
  if (observedAt.getTime() > now.getTime() + aheadMsMax)
    return `${relative(openedAt)}${semicolon}${said.deviceAhead(show(observedAt))}`
  const late = openedAt.getTime() - observedAt.getTime() >= lateMsMin
  return late ? `${relative(observedAt)}${semicolon}${said.opened(show(openedAt))}` : relative(observedAt)
}

/**
 * Label and value of each thing that is known and of use at the door. Health is for those who look after a person; a
 * neighbour or volunteer needs neither it nor the door code: the key holder opens.
 */
function doorLines(page: Page): [label: string, value: string][] {
  const said = words[page.language]
  const staff = (page.audience ?? 'staff') === 'staff'
  const aboutPerson = staff && (page.severity === 'emergency' || page.severity === 'urgent')
  const known: [string, string | null | undefined][] = [
    [said.address, page.resident.address],
    [said.doorCode, staff ? page.doorCode : null],
    [said.keyHolder, page.keyHolder],
    [said.phone, page.phone],
    [said.healthNote, aboutPerson ? page.healthNote : null],
    [said.caution, cautions[page.kind]?.[page.language]],
  ]
  return known.flatMap(([label, value]) => {
    const line = oneLine(value ?? '')
    return line ? [[label, line] as [string, string]] : []
  })
}

/** What the family is told in one line: who and what, nothing that the devices said and nothing about the home. */
export function familyHeadline(page: Page): Headline {
  const name = oneLine(page.resident.name, 100)
  return { zh: `${name}：${titles[page.kind].zh}`, en: `${name}: ${titles[page.kind].en}` }
}

/** What follows it: when, that staff have been told, and since when. */
export function familyLines(page: Page, now: Date): string[] {
  const { language, timeZone, openedAt } = page
  const said = words[language]
  return [
    `${said.when}${said.colon}${whenLine(page, now)}`,
    said.staffTold(clockText(openedAt, { now, timeZone, language })),
    said.familyHelp,
  ]
}

/** That the home was asked first, and that the alert waited; undefined where neither is so. */
export function askedSentence(page: Page, now: Date): string | undefined {
  const { language, timeZone, asked, held } = page
  const at = (time: Date) => clockText(time, { now, timeZone, language })
  const by = asked && { ...asked, by: asked.by && oneLine(asked.by, 100) }
  const said = [by && askedLine(by, at(by.at))[language], held && heldLine(held, at(held.at))[language]].filter(Boolean)
  return said.length > 0 ? said.join(language === 'zh' ? '' : ' ') : undefined
}

/** Why somebody is told again: nobody has taken it, or who had it was not heard of any more. */
const againLine = ({ language, returned }: Page): string =>
  returned ? words[language].returned[returned.stage](oneLine(returned.name, 100)) : words[language].againLine

export const linkLabel = (page: Page): string =>
  page.audience === 'family' ? words[page.language].familyLink : words[page.language].link

function familyMessage(page: Page, now: Date): PageMessage {
  const { language } = page
  const subject = familyHeadline(page)[language]
  const lines = familyLines(page, now)
  // Of the link to the family's own page only a hash is kept: they have it.
  const html = htmlPage({ language, title: subject, body: [paragraph(lines.map(escapeHtml).join('<br>'))] })
  return { subject, text: [subject, '', ...lines, ''].join('\n'), html }
}

/**
 * A page as a message in the language of the person who is paged: what, who and where in the first line; then the
 * alert's own sentence, how old it is, what is needed at the door, and the link that acknowledges. Pure.
 */
export function pageMessage({ page, now }: { page: Page; now: Date }): PageMessage {
  if (page.audience === 'family') return familyMessage(page, now)
  const { language, resident } = page
  const said = words[language]
  const label = (name: string, value: string) => `${name}${said.colon}${value}`
  const who = `${oneLine(resident.name, 100)}${said.comma}${oneLine(resident.address, 200)}`
  const first = label(titles[page.kind][language], who)
  const again = page.round > 0
  const headline = oneLine(page.headline[language], 1_000)
  const when = label(said.when, whenLine(page, now))
  const asked = askedSentence(page, now)
  const door = doorLines(page)
  const others = page.audience === 'volunteer' ? said.othersVolunteer : said.others

  const text = [
    first,
    ...(again ? [againLine(page)] : []),
    '',
    headline,
    when,
    ...(asked ? [asked] : []),
    '',
    label(said.door, '').trim(),
    ...door.map(([name, value]) => label(name, value)),
    '',
    label(said.link, '').trim(),
    page.url,
    said.linkHelp,
    '',
    others,
    '',
  ].join('\n')

  const help = `<span style="font-size:16px">${escapeHtml(said.linkHelp)}</span>`
  const html = htmlPage({
    language,
    title: first,
    body: [
      ...(again ? [paragraph(escapeHtml(againLine(page)))] : []),
      paragraph([headline, when, ...(asked ? [asked] : [])].map(escapeHtml).join('<br>')),
      paragraph(`${linkButton({ url: page.url, label: said.link })}<br>${help}`),
      `<h2 style="margin:0 0 4px;font-size:18px">${escapeHtml(said.door)}</h2>`,
      paragraph(door.map(([name, value]) => escapeHtml(label(name, value))).join('<br>')),
      paragraph(escapeHtml(others)),
    ],
  })

  return { subject: again ? label(said.again, first) : first, text, html }
}
