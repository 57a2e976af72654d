import type { Page } from './channels/channel.js'
import type { Language } from './model.js'
import {
  askedSentence,
  cautions,
  clockText,
  familyHeadline,
  familyLines,
  linkLabel,
  oneLine,
  titles,
  whenLine,
} from './page-message.js'
import { cutText, fitLines, type Line, smsParts } from './text-fit.js'

/**
 * Pages and messages for channels that take little and are read by others: a group, a locked screen, an operator. What is
 * wrong, who and where come first, then what could hurt whoever goes. The door code, the telephone number and health are
 * in none of them: they are behind the link and in the e-mail.
 */

/** Who speaks. The Chinese name in both: group robots may be set to take only messages with this keyword. */
export const sender: Record<Language, string> = { zh: '【守望】', en: '[Shouwang 守望] ' }

const words = {
  zh: {
    colon: '：',
    comma: '，',
    stop: '。',
    again: '再次通知',
    keyHolder: '备用钥匙',
    caution: '注意',
    when: '时间',
    shortLink: '确认',
    others: '无人确认时，系统会继续通知其他人。',
  },
  en: {
    colon: ': ',
    comma: ', ',
    stop: '. ',
    again: 'Again',
    keyHolder: 'Spare key',
    caution: 'Take care',
    when: 'When',
    shortLink: 'Confirm',
    others: 'If nobody acknowledges, others are told.',
  },
} as const

const whoCharsMax = 40

/** What is wrong and with whom, in one line. */
function firstLine(page: Page, nameCharsMax = whoCharsMax): string {
  const said = words[page.language]
  if (page.audience === 'family') return familyHeadline(page)[page.language]
  const who = cutText(oneLine(page.resident.name, 100), nameCharsMax)
  const again = page.round > 0 ? `${said.again}${said.colon}` : ''
  return `${again}${titles[page.kind][page.language]}${said.colon}${who}`
}

function detailLines(page: Page, now: Date): Line[] {
  const { language, resident } = page
  if (page.audience === 'family') return familyLines(page, now).map((text, at) => ({ text, drop: at + 1 }))
  const said = words[language]
  const label = (name: string, value: string | null | undefined, drop: number): Line[] => {
    const text = oneLine(value ?? '')
    return text ? [{ text: `${name}${said.colon}${text}`, drop }] : []
  }
  const address = oneLine(resident.address, 200)
  const asked = askedSentence(page, now)
  return [
    ...(address ? [{ text: address, drop: 0, shorten: (charsMax: number) => cutText(address, charsMax) }] : []),
    ...label(said.caution, cautions[page.kind]?.[language], 1),
    { text: oneLine(page.headline[language], 600), drop: 4 },
    ...label(said.when, whenLine(page, now), 3),
    ...(asked ? [{ text: asked, drop: 4 }] : []),
    ...label(said.keyHolder, page.keyHolder, 2),
    { text: said.others, drop: 5 },
  ]
}

/** A text of several lines with the link as its last, for a group robot: `fits` says what the robot takes. */
export function pageText({ page, now, fits }: { page: Page; now: Date; fits: (text: string) => boolean }): string {
  const said = words[page.language]
  const first = {
    text: sender[page.language] + firstLine(page),
    drop: 0,
    shorten: (charsMax: number) => sender[page.language] + firstLine(page, charsMax),
  }
  const link = page.audience === 'family' ? [] : [{ text: `${linkLabel(page)}${said.colon}${page.url}`, drop: 0 }]
  return fitLines([first, ...detailLines(page, now), ...link], (lines) => fits(lines.join('\n'))).join('\n')
}

export type Notification = { title: string; body: string }

/** The same for a notification, whose title and link have places of their own. `fits` judges the body. */
export function pageNotification({
  page,
  now,
  fits,
}: {
  page: Page
  now: Date
  fits: (body: string) => boolean
}): Notification {
  const lines = fitLines(detailLines(page, now), (kept) => fits(kept.join('\n')))
  return { title: firstLine(page), body: lines.join('\n') }
}

/** The words of a text message one by one, for providers whose templates have gaps for them. */
export function pageWords(page: Page): { what: string; who: string; where: string } {
  const { language, resident, audience } = page
  return {
    what: titles[page.kind][language],
    who: cutText(oneLine(resident.name, 100), whoCharsMax),
    where: audience === 'family' ? '' : oneLine(resident.address, 200),
  }
}

/**
 * A text message: what, who, where, link, in at most `partsMax` parts where that can be; the address and then the name
 * give way, the link never. `reservedChars` are those that the provider adds, such as its signature.
 */
export function pageSms({
  page,
  partsMax,
  reservedChars = 0,
}: {
  page: Page
  partsMax: number
  reservedChars?: number
}): string {
  const said = words[page.language]
  const { what, who, where } = pageWords(page)
  const again = page.round > 0 && page.audience !== 'family' ? `${said.again}${said.colon}` : ''
  // The family has the link to its own page.
  const link = page.audience === 'family' ? '' : `${said.shortLink}${said.colon}${page.url}`
  const build = (whoMax: number, whereMax: number) => {
    const place = where ? `${said.comma}${cutText(where, whereMax)}` : ''
    return `${again}${what}${said.colon}${cutText(who, whoMax)}${place}${said.stop}${link}`.trimEnd()
  }
  const reserved = 'x'.repeat(reservedChars)
  for (const [whoMax, whereMax] of [
    [40, 200],
    [40, 60],
    [30, 40],
    [20, 30],
    [16, 24],
    [12, 18],
    [10, 14],
    [8, 10],
  ] as const) {
    const text = build(whoMax, whereMax)
    if (smsParts(reserved + text) <= partsMax) return text
  }
  return build(6, 8)
}

/** Runs of three and more digits one by one: "1 0 1", not "a hundred and one"; a house number stays a number. */
export const spacedDigits = (text: string): string => text.replace(/\d{3,}/g, (digits) => [...digits].join(' '))

/** What a telephone says, twice: no link, which cannot be spoken, but where to look. */
export function pageSpeech(page: Page): string {
  const { what, who, where } = pageWords(page)
  const place = spacedDigits(where)
  if (page.language === 'zh') {
    const said =
      page.audience === 'family'
        ? `${who}家：${what}。社区工作人员已经接到通知。`
        : `${what}。${who}，${place}。请马上查看守望发来的通知，并确认由您处理。`
    return `这里是守望。${said}再说一遍。${said}`
  }
  const said =
    page.audience === 'family'
      ? `${what}, at the home of ${who}. The community’s staff have been told. `
      : `${what}. ${who}, ${place}. Please look at the message from Shouwang now, and confirm that you are taking it. `
  return `This is Shouwang. ${said}Once more. ${said}`.trim()
}

/** "14:03", in the zone of the home: for templates with a gap for the time. */
export const pageTime = (page: Page, now: Date): string =>
  clockText(page.openedAt, { now, timeZone: page.timeZone, language: page.language })
