import type { Message } from './channels/channel.js'
import { oneLine } from './page-message.js'
import { type Notification, sender, spacedDigits } from './page-text.js'
import { cutText, fitLines, type Line, smsParts } from './text-fit.js'

/** Messages that are not about one alert, within what each channel takes. Pure. */

const messageLine = (text: string, drop: number): Line => ({ text, drop })

/** A message to a group robot: its one line, then what follows as far as it fits, then the link. */
export function messageText({ message, fits }: { message: Message; fits: (text: string) => boolean }): string {
  const { language, text, lines = [], url } = message
  const whole = oneLine(text[language], 1_000)
  const first = sender[language] + whole
  const shorten = (charsMax: number) => sender[language] + cutText(whole, charsMax)
  const all: Line[] = [
    { text: first, drop: 0, shorten },
    ...lines.map((line, at) => messageLine(oneLine(line[language]), at + 1)),
    ...(url ? [messageLine(url, 0)] : []),
  ]
  return fitLines(all, (kept) => fits(kept.join('\n'))).join('\n')
}

export function messageNotification({
  message,
  fits,
}: {
  message: Message
  fits: (body: string) => boolean
}): Notification {
  const { language, text, lines = [] } = message
  const kept = fitLines(
    lines.map((line, at) => messageLine(oneLine(line[language]), at + 1)),
    (some) => fits(some.join('\n')),
  )
  return { title: cutText(oneLine(text[language], 1_000), 200), body: kept.join('\n') }
}

/** A message as a text message: its one line and the link. */
export function messageSms({
  message,
  partsMax,
  reservedChars = 0,
}: {
  message: Message
  partsMax: number
  reservedChars?: number
}): string {
  const { language, text, url } = message
  const whole = oneLine(text[language], 1_000)
  const build = (charsMax: number) => [cutText(whole, charsMax), ...(url ? [url] : [])].join(' ')
  const reserved = 'x'.repeat(reservedChars)
  const charsMax = [400, 300, 200, 150, 120, 100, 80, 60, 50, 40, 30].find(
    (most) => smsParts(reserved + build(most)) <= partsMax,
  )
  return build(charsMax ?? 20)
}

export function messageSpeech({ language, text }: Message): string {
  const plain = spacedDigits(oneLine(text[language], 300))
  const said = /[.。!！?？]$/.test(plain) ? plain : `${plain}${language === 'zh' ? '。' : '.'}`
  return language === 'zh' ? `这里是守望。${said}再说一遍。${said}` : `This is Shouwang. ${said} Once more. ${said}`
}
