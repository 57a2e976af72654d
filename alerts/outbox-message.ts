import type { ClaimedPage } from '../db/pages.js'
import { askedBefore } from './asking.js'
import { audienceOf, type Message, type Page } from './channels/channel.js'
import { digestText } from './digest.js'

export { audienceOf }

/** Whoever can log in reads of many alerts on the console. */
export const hasConsole = ({ role }: { role: string }): boolean =>
  role === 'operator' || role === 'supervisor' || role === 'social_worker'

/** A claimed page as its channel takes it. `url`: its one-tap link, or where the family looks. */
export function toPage(page: ClaimedPage, url: string): Page {
  return {
    ...page,
    alertId: String(page.alertId),
    resident: { id: page.residentId, name: page.residentName, address: page.residentAddress },
    headline: { zh: page.headlineZh, en: page.headlineEn },
    audience: audienceOf(page),
    asked: page.asked && askedBefore(page.asked),
    held: page.held && { at: new Date(page.held.atMs), kind: page.held.kind },
    url,
  }
}

/** Pages that are told together. */
export function toDigest(p: { digestId: string; pages: ClaimedPage[]; url: string; at: Date }): Message {
  const { digestId, pages, url, at } = p
  return { messageId: digestId, kind: 'digest', ...digestText(pages), url, at, language: pages[0]!.language }
}
