import type { Language } from './model.js'

/** The HTML part of a mail: a few plain elements that any mail program shows, nothing loaded from anywhere. Pure. */
export function escapeHtml(text: string): string {
  const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&#39;' }
  return text.replace(/[&<>"']/g, (char) => entities[char]!)
}

/** `content` is HTML already. */
export const paragraph = (content: string) => `<p style="margin:0 0 16px">${content}</p>`

export const linkButton = ({ url, label }: { url: string; label: string }) =>
  `<a href="${escapeHtml(url)}" style="display:inline-block;padding:12px 20px;min-height:24px;` +
  `border-radius:8px;background:#123d6b;color:#ffffff;text-decoration:none">${escapeHtml(label)}</a>`

/** `body` is HTML already, `title` is text. */
export const htmlPage = ({ language, title, body }: { language: Language; title: string; body: string[] }) =>
  [
    '<!doctype html>',
    `<html lang="${language === 'zh' ? 'zh-CN' : 'en'}"><head><meta charset="utf-8">`,
    `<meta name="viewport" content="width=device-width"><title>${escapeHtml(title)}</title></head>`,
    '<body style="margin:16px;max-width:36em;font:18px/1.5 sans-serif;color:#1a1a1a;background:#ffffff">',
    `<h1 style="margin:0 0 16px;font-size:22px;line-height:1.35">${escapeHtml(title)}</h1>`,
    ...body,
    '</body></html>',
    '',
  ].join('\n')
