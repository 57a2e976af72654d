import type { FastifyRequest } from 'fastify'
import type { Language } from '../../alerts/model.js'

export const languageCookie = 'shouwang_language'

/** What the viewer chose, else what the browser prefers of the two. */
export function languageOf(request: FastifyRequest): Language {
  const chosen = request.cookies[languageCookie]
  if (chosen === 'zh' || chosen === 'en') return chosen
  return preferredLanguage(request.headers['accept-language'] ?? '')
}

export function preferredLanguage(accept: string): Language {
  let best: { language: Language; weight: number } | undefined
  for (const part of accept.slice(0, 500).split(',')) {
    const [tag = '', ...params] = part.trim().toLowerCase().split(';')
    const quality = params.map((param) => param.trim()).find((param) => param.startsWith('q='))
    const weight = quality ? Number(quality.slice(2)) : 1
    const language = /^zh\b/.test(tag) ? 'zh' : /^en\b/.test(tag) ? 'en' : undefined
    if (language && weight > (best?.weight ?? 0)) best = { language, weight }
  }
  return best?.language ?? 'en'
}
