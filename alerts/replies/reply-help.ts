import { escapeHtml, paragraph } from '../message-html.js'
import type { Language } from '../model.js'
import type { PageMessage } from '../page-message.js'

const help: Record<Language, string> = {
  zh: '也可以直接回复这封邮件：1 由我处理，2 在路上，3 已到门口，0 去不了。',
  en: 'You can also reply to this e-mail: 1 I am taking it, 2 on my way, 3 at the door, 0 I cannot go.',
}

/** A page by e-mail where replies are read: what may be replied stands at its end. Pure. */
export const withReplyHelp = (message: PageMessage, language: Language): PageMessage => ({
  ...message,
  text: `${message.text}\n${help[language]}\n`,
  html: message.html.replace('</body>', () => `${paragraph(escapeHtml(help[language]))}\n</body>`),
})
